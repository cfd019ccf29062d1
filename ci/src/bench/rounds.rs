//! Every contestant does a workload several times, in turn.

use anyhow::{Context as _, Result};

use super::bulk::Bulk;
use super::contestant::Contestant;
use super::machine::Machine;
use super::store::Store;
use super::workload::{Work, Workload};

/// How much is done.
pub(crate) struct Plan {
    pub(crate) quick: bool,
    pub(crate) rounds: u32,
    /// What an agent gets, in bytes.
    pub(crate) size: u64,
    /// What others get: what counts is how much is done in a second of the processor.
    pub(crate) size_of_others: u64,
}

/// A figure of one run: its name and unit, and the value.
pub(crate) type Figure = (&'static str, f64);

/// What a contestant's runs came to.
pub(crate) struct Row {
    pub(crate) contestant: String,
    /// The figures of each run, or why there are none.
    pub(crate) runs: Result<Vec<Vec<Figure>>, String>,
}

impl Plan {
    pub(crate) fn new(quick: bool, rounds: Option<u32>, mib: Option<u64>, on: &Machine) -> Plan {
        let mib = mib.unwrap_or(if quick { 128 } else { 1024 });
        // Data, what comes of it and what is in a buffer are in memory at once.
        let size = (mib << 20).min(on.free_memory() / 12);
        let others = if quick { size / 4 } else { size / 8 };
        let rounds = rounds.unwrap_or(if quick { 2 } else { 3 });
        Plan { quick, rounds, size, size_of_others: others }
    }
}

/// Runs a workload.
///
/// # Errors
/// When the benchmark itself cannot go on. A contestant that fails has a row that says so.
pub(crate) fn measure(
    workload: &'static Workload,
    contestants: &[Contestant],
    store: &Store,
    plan: &Plan,
) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    let mut runners = Vec::new();
    for contestant in contestants.iter().filter(|c| c.can_do(workload.name)) {
        let runner: Box<dyn Runner> = match &workload.work {
            Work::Bulk { input, output, check } => {
                let size = if contestant.is_swak() { plan.size } else { plan.size_of_others };
                let input = store.input(*input, size).context("cannot write the data")?;
                Box::new(Bulk::new(input, *output, check()))
            }
        };
        runners.push(runner);
        rows.push(Row { contestant: contestant.name.clone(), runs: Ok(Vec::new()) });
    }
    for _ in 0..plan.rounds {
        for (runner, row) in runners.iter_mut().zip(&mut rows) {
            let Ok(runs) = &mut row.runs else { continue };
            let contestant = contestants.iter().find(|c| c.name == row.contestant);
            let contestant = contestant.expect("each row is of a contestant");
            match runner.run(workload.name, contestant, store) {
                Ok(figures) => {
                    eprintln!("    {}: {}", row.contestant, shown(&figures));
                    runs.push(figures);
                }
                Err(error) => {
                    eprintln!("    {}: {error:#}", row.contestant);
                    row.runs = Err(format!("{error:#}"));
                }
            }
        }
    }
    Ok(rows)
}

/// What runs a workload once, and checks what came out.
pub(crate) trait Runner {
    fn run(&mut self, workload: &str, who: &Contestant, store: &Store) -> Result<Vec<Figure>>;
}

fn shown(figures: &[Figure]) -> String {
    let shown: Vec<_> = figures.iter().map(|(name, value)| format!("{name} {value:.2}")).collect();
    shown.join(", ")
}
