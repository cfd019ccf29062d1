//! The result: a table on standard output, and kept as `docs/benchmarks.json` and `docs/benchmarks.md`.

mod markdown;

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use serde::{Deserialize, Serialize};

use super::contestant::Contestant;
use super::machine::Machine;
use super::rounds::Row;
use super::stats::Stat;
use super::workload::Workload;

/// All that was measured.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub(crate) struct Report {
    machine: Machine,
    contestants: Vec<Version>,
    workloads: Vec<Measured>,
}

/// Who took part.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
struct Version {
    name: String,
    version: String,
    /// The executable and its own libraries, in bytes.
    size: u64,
}

/// A workload, with what each contestant's runs came to.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
struct Measured {
    name: String,
    title: String,
    /// The day on which it was measured.
    date: String,
    rows: Vec<Summary>,
}

/// What a contestant's runs of a workload came to.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
struct Summary {
    contestant: String,
    runs: usize,
    figures: Vec<(String, Stat)>,
    /// Why there are no figures.
    #[serde(skip_serializing_if = "Option::is_none")]
    failed: Option<String>,
}

impl Report {
    pub(crate) fn new(machine: &Machine, contestants: &[Contestant]) -> Report {
        let version = |c: &Contestant| Version {
            name: c.name.clone(),
            version: c.version.clone(),
            size: c.size,
        };
        Report {
            machine: machine.clone(),
            contestants: contestants.iter().map(version).collect(),
            workloads: Vec::new(),
        }
    }

    /// The one that is kept in `docs`.
    pub(crate) fn kept() -> Result<Report> {
        match fs::read_to_string(docs("benchmarks.json")) {
            Ok(text) => serde_json::from_str(&text).context("docs/benchmarks.json is damaged"),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Report::default()),
            Err(error) => Err(error).context("cannot read docs/benchmarks.json"),
        }
    }

    /// The median of a figure.
    pub(crate) fn figure(&self, workload: &str, contestant: &str, name: &str) -> Option<f64> {
        let workload = self.workloads.iter().find(|measured| measured.name == workload)?;
        let row = workload.rows.iter().find(|row| row.contestant == contestant)?;
        let (_, stat) = row.figures.iter().find(|(other, _)| other == name)?;
        Some(stat.median)
    }

    pub(crate) fn add(&mut self, workload: &Workload, rows: Vec<Row>) {
        self.workloads.push(Measured {
            name: workload.name.to_owned(),
            title: workload.title.to_owned(),
            date: today(),
            rows: rows.into_iter().map(summary).collect(),
        });
    }

    /// Prints the tables.
    // They are what the command is for; all else that it says goes to standard error.
    #[expect(clippy::print_stdout, reason = "the tables are the output")]
    pub(crate) fn print(&self) {
        println!("{}", markdown::tables(self));
    }

    /// Keeps it. Workloads that were not measured now stay as they were kept.
    pub(crate) fn save(&self) -> Result<()> {
        let all = self.clone().over(Report::kept()?);
        fs::write(docs("benchmarks.json"), serde_json::to_string_pretty(&all)? + "\n")?;
        fs::write(docs("benchmarks.md"), markdown::page(&all))?;
        eprintln!("    written: docs/benchmarks.json and docs/benchmarks.md");
        Ok(())
    }

    /// # Errors
    /// When one of the agents has not done what it had to.
    pub(crate) fn all_did_it(&self) -> Result<()> {
        let rows = self.workloads.iter().flat_map(|w| w.rows.iter().map(move |row| (w, row)));
        let failed = rows.filter(|(_, row)| row.failed.is_some());
        let names: Vec<_> =
            failed.map(|(w, row)| format!("{} in {}", row.contestant, w.name)).collect();
        match names.is_empty() {
            true => Ok(()),
            false => bail!("these have not done their work: {}", names.join(", ")),
        }
    }

    /// With what was kept and is not in this one.
    fn over(mut self, kept: Report) -> Report {
        let mut workloads = kept.workloads;
        for measured in self.workloads {
            match workloads.iter_mut().find(|old| old.name == measured.name) {
                Some(old) => *old = measured,
                None => workloads.push(measured),
            }
        }
        let place = |name: &str| {
            let mut all = super::workload::WORKLOADS.iter();
            all.position(|workload| workload.name == name).unwrap_or(usize::MAX)
        };
        workloads.sort_by_key(|measured| place(&measured.name));
        let known = |name: &str| self.contestants.iter().any(|c| c.name == name);
        let others: Vec<_> = kept.contestants.into_iter().filter(|c| !known(&c.name)).collect();
        self.contestants.extend(others);
        Report { workloads, ..self }
    }
}

fn summary(row: Row) -> Summary {
    let (runs, failed) = match row.runs {
        Ok(runs) => (runs, None),
        Err(reason) => (Vec::new(), Some(reason)),
    };
    let names = runs.first().into_iter().flatten().map(|(name, _)| *name);
    let of = |name: &str| -> Vec<f64> {
        let found = runs.iter().flatten().filter(|(other, _)| *other == name);
        found.map(|&(_, value)| value).collect()
    };
    let figures = names.map(|name| (name.to_owned(), Stat::of(&of(name)))).collect();
    Summary { contestant: row.contestant, runs: runs.len(), figures, failed }
}

fn docs(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(file)
}

/// As `2026-11-21`, in UTC.
fn today() -> String {
    let date = Command::new("date").args(["-u", "+%Y-%m-%d"]).output();
    let date = date.map(|output| output.stdout).unwrap_or_default();
    String::from_utf8_lossy(&date).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(name: &str, date: &str) -> Measured {
        Measured { name: name.into(), title: name.into(), date: date.into(), rows: Vec::new() }
    }

    #[test]
    fn what_was_not_measured_again_is_kept_in_the_right_place() {
        let old = Report {
            workloads: vec![measured("w1", "old"), measured("w3", "old")],
            contestants: vec![Version { name: "rsyslog".into(), version: "8".into(), size: 1 }],
            ..Report::default()
        };
        let new =
            Report { workloads: vec![measured("w3", "new"), measured("w2", "new")], ..old.clone() };
        let all = new.over(old);
        let names: Vec<_> = all.workloads.iter().map(|w| (&*w.name, &*w.date)).collect();
        assert_eq!(names, [("w1", "old"), ("w2", "new"), ("w3", "new")]);
        assert_eq!(all.contestants.len(), 1);
    }

    #[test]
    fn runs_become_the_median_and_the_spread_of_each_figure() {
        let run = |a: f64, b: f64| vec![("MB/s", a), ("CPU s", b)];
        let runs = Ok(vec![run(1.0, 9.0), run(3.0, 8.0), run(2.0, 7.0)]);
        let result = summary(Row { contestant: "swak".into(), runs });
        assert_eq!(result.runs, 3);
        let expected = Stat { median: 2.0, min: 1.0, max: 3.0 };
        assert_eq!(result.figures[0], ("MB/s".to_owned(), expected));
        assert_eq!(result.figures[1].1.median, 8.0);
    }

    #[test]
    fn it_can_be_read_back() {
        let row = Summary {
            contestant: "swak".into(),
            runs: 1,
            figures: vec![("MB/s".into(), Stat::of(&[1.5]))],
            failed: None,
        };
        let workload = Measured { rows: vec![row], ..measured("w1", "2026-11-21") };
        let report = Report { workloads: vec![workload], ..Report::default() };
        let text = serde_json::to_string(&report).expect("it is written");
        let back: Report = serde_json::from_str(&text).expect("it is read");
        assert_eq!(back, report);
    }
}
