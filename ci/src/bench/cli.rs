//! The command line, and the run from its beginning to its report.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use clap::Parser;

use super::contestant::Contestant;
use super::machine::Machine;
use super::report::Report;
use super::rounds::{Plan, measure};
use super::store::Store;
use super::workload::{WORKLOADS, Workload};

/// Measures the agent against others, with the same work for each.
///
/// What came out is always checked, so that nobody wins by dropping. The result is printed as a table.
#[derive(Parser)]
#[command(name = "cargo ci bench", bin_name = "cargo ci bench")]
struct Cli {
    /// The workloads to run, by name or by the beginning of it (`w2` is `w2` and `w2-tcp`);
    /// all when none is named, but `instructions`, which counts those under Callgrind
    workloads: Vec<String>,
    /// Two minutes instead of fifteen: less data, fewer rounds
    #[arg(long)]
    quick: bool,
    /// An agent to measure, NAME=PATH; may be given several times, the first is what all are compared
    /// with. Left out: one that is built from ci/bench/bench-build.yml
    #[arg(long, value_name = "NAME=PATH", value_parser = agent)]
    agent: Vec<(String, PathBuf)>,
    /// Leave the others out, and measure agents alone
    #[arg(long)]
    alone: bool,
    /// How often each does each workload
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: Option<u32>,
    /// Where data and output lie; best in memory. Left out: a folder in /dev/shm, else in the folder
    /// for temporary files
    #[arg(long, value_name = "DIR", env = "SWAK_BENCH_DIR")]
    folder: Option<PathBuf>,
    /// How much data an agent gets, in MiB. Left out: 1024, or 128 with --quick; less where memory is
    /// short
    #[arg(long, value_name = "MIB", value_parser = clap::value_parser!(u64).range(1..=16_384))]
    size: Option<u64>,
    /// Keep the result in docs/benchmarks.md and docs/benchmarks.json
    #[arg(long)]
    save: bool,
    /// Only look at the arguments
    #[arg(long, hide = true)]
    check: bool,
    /// Where the others were unpacked
    #[arg(long, value_name = "DIR", hide = true)]
    rivals: Option<PathBuf>,
}

pub(crate) fn main() -> ExitCode {
    let cli = Cli::parse();
    let chosen = match choose(&cli.workloads) {
        Ok(chosen) => chosen,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::from(2);
        }
    };
    if let Some(name) = twice(&cli.agent) {
        eprintln!("error: two contestants are called `{name}`; give each agent a name of its own");
        return ExitCode::from(2);
    }
    if cli.check {
        return ExitCode::SUCCESS;
    }
    match run(&cli, &chosen) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: &Cli, chosen: &[&'static Workload]) -> Result<()> {
    let mut contestants = Vec::new();
    for (name, path) in &cli.agent {
        contestants.push(Contestant::agent(name, path)?);
    }
    if contestants.is_empty() {
        bail!("there is no agent to measure; `--agent NAME=PATH` names one");
    }
    if !cli.alone {
        contestants.extend(Contestant::rivals(cli.rivals.as_deref()));
    }
    let machine = Machine::look();
    let store = Store::new(cli.folder.as_deref()).context("cannot make a folder for the data")?;
    let plan = Plan::new(cli.quick, cli.rounds, cli.size, &machine);
    let kept = Report::kept()?;
    let mut report = Report::new(&machine, &contestants);
    for workload in chosen {
        eprintln!("--> {}: {}", workload.name, workload.title);
        report.add(workload, measure(workload, &contestants, &store, &plan, &kept)?);
    }
    report.print();
    if cli.save {
        report.save()?;
    }
    report.all_did_it()
}

/// A name that two contestants would have.
fn twice(agents: &[(String, PathBuf)]) -> Option<&str> {
    let names: Vec<_> = agents.iter().map(|(name, _)| name.as_str()).collect();
    let is_taken = |(n, name): (usize, &&str)| {
        names[..n].contains(name) || Contestant::NAMES_OF_RIVALS.contains(name)
    };
    let found = names.iter().enumerate().find(|&(n, name)| is_taken((n, name)));
    found.map(|(_, name)| *name)
}

fn choose(names: &[String]) -> Result<Vec<&'static Workload>, String> {
    if names.is_empty() {
        return Ok(WORKLOADS.iter().filter(|workload| !workload.only_by_name()).collect());
    }
    let mut chosen = Vec::new();
    for name in names {
        let name = name.to_ascii_lowercase();
        let fits = |workload: &&Workload| {
            let rest = workload.name.strip_prefix(name.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
        };
        let found: Vec<_> = WORKLOADS.iter().filter(fits).collect();
        if found.is_empty() {
            let all: Vec<_> = WORKLOADS.iter().map(|workload| workload.name).collect();
            return Err(format!("there is no workload `{name}`; there are: {}", all.join(", ")));
        }
        chosen.extend(found);
    }
    Ok(chosen)
}

fn agent(text: &str) -> Result<(String, PathBuf), String> {
    match text.split_once('=') {
        Some((name, path)) if !name.is_empty() && !path.is_empty() => {
            Ok((name.to_owned(), path.into()))
        }
        _ => Err("write it as NAME=PATH, as in `new=dist/swak-bench`".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_contestants_have_one_name() {
        let agents = |names: &[&str]| -> Vec<(String, PathBuf)> {
            names.iter().map(|name| ((*name).to_owned(), "agent".into())).collect()
        };
        assert_eq!(twice(&agents(&["old", "new"])), None);
        assert_eq!(twice(&agents(&["old", "new", "old"])), Some("old"));
        assert_eq!(twice(&agents(&["rsyslog"])), Some("rsyslog"));
    }

    #[test]
    fn a_name_stands_for_all_that_go_on_after_a_dash() {
        let names = |given: &[&str]| -> Vec<_> {
            let given: Vec<_> = given.iter().map(|name| (*name).to_owned()).collect();
            let chosen = choose(&given).expect("they are there");
            chosen.iter().map(|workload| workload.name).collect()
        };
        assert_eq!(names(&["W2", "w1"]), ["w2", "w2-tcp", "w1"]);
        assert_eq!(names(&["w4"]), ["w4-tcp", "w4-forward", "w4-buffer"]);
        assert_eq!(names(&["w4-forward"]), ["w4-forward"]);
        assert_eq!(names(&[]).len(), WORKLOADS.len() - 1);
        assert!(choose(&["w".to_owned()]).is_err());
    }
}
