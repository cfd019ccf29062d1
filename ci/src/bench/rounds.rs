//! Every contestant does a workload several times, in turn.

use std::time::Duration;

use anyhow::{Context as _, Result};

use super::bulk::Bulk;
use super::contestant::Contestant;
use super::listen::{Listen, Transport};
use super::machine::Machine;
use super::paced::Paced;
use super::report::Report;
use super::startup::Startup;
use super::store::{Kind, Store};
use super::workload::{InTurn, Work, Workload};
use super::{idle, instructions, limits};

/// A syslog message is smaller than a line of the other data; what is parsed of it is more.
const BYTES_OF_A_MESSAGE: u64 = 512;

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

impl Row {
    /// Tells how the last run went, while one waits for the tables.
    pub(crate) fn tell(&self) {
        let text = match &self.runs {
            Ok(runs) => {
                let last = runs.last().into_iter().flatten();
                let last: Vec<_> = last.map(|(name, value)| format!("{name} {value:.2}")).collect();
                last.join(", ")
            }
            Err(reason) => reason.clone(),
        };
        eprintln!("    {}: {text}", self.contestant);
    }
}

impl Plan {
    pub(crate) fn new(quick: bool, rounds: Option<u32>, mib: Option<u64>, on: &Machine) -> Plan {
        let mib = mib.unwrap_or(if quick { 128 } else { 1024 });
        // Data, what comes of it and what is in a buffer are in memory at once.
        let size = (mib << 20).min(on.free_memory() / 12);
        let others = if quick { size / 8 } else { size / 16 };
        let rounds = rounds.unwrap_or(if quick { 2 } else { 3 });
        Plan { quick, rounds, size, size_of_others: others }
    }

    /// How long what takes time by itself takes: a minute, or five seconds.
    pub(crate) fn minute(&self) -> Duration {
        Duration::from_secs(if self.quick { 5 } else { 60 })
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
    kept: &Report,
) -> Result<Vec<Row>> {
    let able: Vec<_> = contestants.iter().filter(|who| who.can_do(workload.name)).collect();
    let work = match &workload.work {
        Work::InTurn(work) => work,
        Work::Idle => return idle::measure(workload.name, &able, store, plan),
        Work::Limits => return limits::measure(store, plan),
        Work::Instructions => {
            return instructions::measure(workload.name, contestants, store, kept);
        }
    };
    let runner = |who: &&Contestant| runner(work, who, store, plan);
    let mut runners: Vec<_> = able.iter().map(runner).collect::<Result<_>>()?;
    let rounds = match work {
        InTurn::Startup => plan.rounds * 5,
        // What takes so long is an average by itself.
        InTurn::Paced => 1,
        InTurn::Bulk(_) | InTurn::Listen(_) => plan.rounds,
    };
    let row = |who: &&Contestant| Row { contestant: who.name.clone(), runs: Ok(Vec::new()) };
    let mut rows: Vec<_> = able.iter().map(row).collect();
    for _ in 0..rounds {
        for ((runner, who), row) in runners.iter_mut().zip(&able).zip(&mut rows) {
            let Ok(runs) = &mut row.runs else { continue };
            match runner.run(workload.name, who, store) {
                Ok(figures) => runs.push(figures),
                Err(error) => row.runs = Err(format!("{error:#}")),
            }
            row.tell();
        }
    }
    Ok(rows)
}

/// What runs a workload once, and checks what came out.
pub(crate) trait Runner {
    fn run(&mut self, workload: &str, who: &Contestant, store: &Store) -> Result<Vec<Figure>>;
}

fn runner(work: &InTurn, who: &Contestant, store: &Store, plan: &Plan) -> Result<Box<dyn Runner>> {
    let size = if who.is_swak() { plan.size } else { plan.size_of_others };
    let input = |kind, size| store.input(kind, size).context("cannot write the data");
    Ok(match work {
        InTurn::Bulk(task) => {
            Box::new(Bulk::new(input(task.input, size)?, task.output, (task.check)()))
        }
        InTurn::Listen(transport) => {
            let count = match transport {
                Transport::Tcp => size / BYTES_OF_A_MESSAGE,
                // At a rate, so that all get the same.
                Transport::Udp => 10_000 * plan.minute().as_secs(),
            };
            Box::new(Listen::new(*transport, count)?)
        }
        InTurn::Paced => Box::new(Paced::new(plan.minute())),
        InTurn::Startup => Box::new(Startup::new(input(Kind::Line, 0)?)),
    })
}
