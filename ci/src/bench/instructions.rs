//! How many instructions an agent takes for a record: the same in every run, also on a machine that is
//! busy, so that it can be compared from commit to commit.
//!
//! The agent runs under Callgrind with a little data, and again with more: what it takes to start cancels
//! out.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use super::bulk::Bulk;
use super::contestant::Contestant;
use super::report::Report;
use super::rounds::Row;
use super::store::Store;
use super::workload::{InTurn, WORKLOADS, Work};

/// How much data there is in the two runs, in bytes.
const SIZES: [u64; 2] = [2 << 20, 6 << 20];

/// Measures all workloads that have an end, for agents alone, and shows what has changed since the figures
/// were kept.
///
/// # Errors
/// When the data cannot be written.
pub(crate) fn measure(
    name: &str,
    contestants: &[Contestant],
    store: &Store,
    kept: &Report,
) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for workload in WORKLOADS {
        let Work::InTurn(InTurn::Bulk(task)) = &workload.work else { continue };
        for who in contestants.iter().filter(|who| who.is_swak() && who.can_do(workload.name)) {
            let row = format!("{} {}", who.name, workload.name);
            let run = |size| -> Result<(u64, u64)> {
                let input = store.input(task.input, size).context("cannot write the data")?;
                let lines = input.lines()?;
                let run = Bulk::new(input, task.output, (task.check)());
                Ok((count(run, workload.name, who, store)?, lines))
            };
            let of_record = || -> Result<f64> {
                let (few, more) = (run(SIZES[0])?, run(SIZES[1])?);
                Ok(more.0.saturating_sub(few.0) as f64 / (more.1 - few.1) as f64)
            };
            let runs = of_record()
                .map(|count| {
                    let before = kept.figure(name, &row, FIGURE);
                    eprintln!("    {row}: {}", compared(count, before));
                    vec![vec![(FIGURE, count)]]
                })
                .map_err(|error| format!("{error:#}"));
            rows.push(Row { contestant: row, runs });
        }
    }
    Ok(rows)
}

/// What is counted.
const FIGURE: &str = "instructions/record";

/// The instructions of one run.
fn count(mut run: Bulk, workload: &str, who: &Contestant, store: &Store) -> Result<u64> {
    let counts = store.place()?.with_extension("callgrind");
    run.run_as(workload, who, store, &|command| under_callgrind(&command, &counts))?;
    let text = fs::read_to_string(&counts)
        .with_context(|| format!("Callgrind has left no {}", counts.display()))?;
    let lines = text.lines().filter_map(|line| line.strip_prefix("totals:"));
    let total = lines.filter_map(|total| total.trim().parse::<u64>().ok()).next_back();
    match total {
        Some(total) => Ok(total),
        None => bail!("Callgrind counted nothing"),
    }
}

/// The same command under Callgrind.
fn under_callgrind(command: &Command, counts: &Path) -> Command {
    let mut under = Command::new("valgrind");
    under.args(["--quiet", "--tool=callgrind", "--trace-children=no"]);
    under.arg(format!("--callgrind-out-file={}", counts.display()));
    under.arg(command.get_program()).args(command.get_args());
    if let Some(folder) = command.get_current_dir() {
        under.current_dir(folder);
    }
    under.stdin(Stdio::null()).stdout(Stdio::null());
    under
}

fn compared(count: f64, before: Option<f64>) -> String {
    match before {
        Some(before) => {
            let change = (count / before - 1.0) * 100.0;
            format!("{count:.0} instructions a record, {change:+.1}% since {before:.0}")
        }
        None => format!("{count:.0} instructions a record"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_told_in_percent() {
        assert_eq!(compared(110.0, Some(100.0)), "110 instructions a record, +10.0% since 100");
        assert_eq!(compared(110.0, None), "110 instructions a record");
    }

    #[test]
    fn the_command_keeps_its_arguments() {
        let mut command = Command::new("agent");
        command.args(["run", "w1.swak"]).current_dir("/tmp");
        let under = under_callgrind(&command, Path::new("/tmp/counts"));
        let args: Vec<_> = under.get_args().map(|arg| arg.to_string_lossy()).collect();
        assert!(args.ends_with(&["agent".into(), "run".into(), "w1.swak".into()]), "{args:?}");
        assert!(args.contains(&"--callgrind-out-file=/tmp/counts".into()));
    }
}
