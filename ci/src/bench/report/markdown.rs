//! A report as Markdown.

use std::fmt::Write as _;

use super::super::stats::Stat;
use super::{Measured, Report, Summary};

/// What stands before the tables.
const INTRODUCTION: &str = include_str!("../../../bench/introduction.md");

/// The whole page.
pub(super) fn page(report: &Report) -> String {
    format!("{INTRODUCTION}\n{}", tables(report))
}

/// The machine, the contestants, and a table for each workload.
pub(super) fn tables(report: &Report) -> String {
    let machine = &report.machine;
    let mut text = String::new();
    let gib = machine.memory as f64 / f64::from(1 << 30);
    let (cores, processor, kernel) = (machine.cores, &machine.processor, &machine.kernel);
    let _ = write!(text, "Machine: {processor}, {cores} cores, {gib:.0} GiB, {kernel}.\n\n");
    text.push_str("| | version | size, MB |\n|---|---|---:|\n");
    for who in &report.contestants {
        let size = short(who.size as f64 / 1e6);
        let _ = writeln!(text, "| {} | {} | {size} |", who.name, who.version);
    }
    for workload in &report.workloads {
        table(workload, &mut text);
    }
    text
}

fn table(workload: &Measured, text: &mut String) {
    let Measured { name, title, date, rows } = workload;
    let _ = write!(text, "\n## {name}: {title}\n\n");
    let first = rows.iter().find(|row| row.failed.is_none());
    let figures = first.into_iter().flat_map(|row| &row.figures);
    let names: Vec<_> = figures.map(|(name, _)| name.as_str()).collect();
    let ratio = names.iter().find(|name| name.ends_with("/CPU s"));
    let _ = write!(text, "| | {} |", names.join(" | "));
    text.push_str(if ratio.is_some() { " ratio |\n|---|" } else { "\n|---|" });
    text.push_str(&"---:|".repeat(names.len() + usize::from(ratio.is_some())));
    text.push('\n');
    for row in rows {
        let _ = write!(text, "| {} |", row.contestant);
        if let Some(reason) = &row.failed {
            let reason = reason.lines().next().unwrap_or_default();
            let _ = writeln!(text, " failed: {reason} |");
            continue;
        }
        for name in &names {
            let cell = median_of(row, name).map(cell).unwrap_or_default();
            let _ = write!(text, " {cell} |");
        }
        if let Some(name) = ratio {
            let of = |row| median_of(row, name).map_or(f64::NAN, |stat| stat.median);
            let _ = write!(text, " {:.2} |", of(row) / first.map_or(f64::NAN, of));
        }
        text.push('\n');
    }
    let runs = rows.iter().map(|row| row.runs).max().unwrap_or(0);
    let _ = match runs {
        0 | 1 => write!(text, "\nOne run, {date}.\n"),
        _ => write!(text, "\nMedian of {runs} runs (and the spread), {date}.\n"),
    };
}

fn median_of<'a>(row: &'a Summary, name: &str) -> Option<&'a Stat> {
    row.figures.iter().find(|(other, _)| other == name).map(|(_, stat)| stat)
}

/// The median, and in brackets the least and the most if they are others.
fn cell(stat: &Stat) -> String {
    let [median, min, max] = [stat.median, stat.min, stat.max].map(short);
    match min == max {
        true => median,
        false => format!("{median} ({min}–{max})"),
    }
}

/// A number with three digits or more.
fn short(number: f64) -> String {
    match number {
        n if n >= 100.0 => format!("{n:.0}"),
        n if n >= 10.0 => format!("{n:.1}"),
        n => format!("{n:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Version;
    use super::*;

    #[test]
    fn a_workload_is_a_table_with_ratios_to_the_first() {
        let row = |name: &str, speed: &[f64]| Summary {
            contestant: name.into(),
            runs: speed.len(),
            figures: vec![("MB/CPU s".into(), Stat::of(speed)), ("MB".into(), Stat::of(&[128.0]))],
            failed: None,
        };
        let broken = Summary {
            failed: Some("9 records came out, not 10\nmore".into()),
            figures: Vec::new(),
            ..row("other", &[1.0])
        };
        let workload = Measured {
            name: "w1".into(),
            title: "a file".into(),
            date: "2026-11-21".into(),
            rows: vec![row("swak", &[400.0, 380.0, 410.0]), row("rsyslog", &[40.0]), broken],
        };
        let report = Report {
            contestants: vec![Version {
                name: "swak".into(),
                version: "1".into(),
                size: 5_500_000,
            }],
            workloads: vec![workload],
            ..Report::default()
        };
        let text = tables(&report);
        for line in [
            "| swak | 1 | 5.50 |",
            "| | MB/CPU s | MB | ratio |",
            "|---|---:|---:|---:|",
            "| swak | 400 (380–410) | 128 | 1.00 |",
            "| rsyslog | 40.0 | 128 | 0.10 |",
            "| other | failed: 9 records came out, not 10 |",
            "Median of 3 runs (and the spread), 2026-11-21.",
        ] {
            assert!(text.lines().any(|other| other == line), "{line}\n{text}");
        }
    }
}
