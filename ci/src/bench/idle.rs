//! What it costs to follow a thousand files to which nothing is written. All contestants do it at
//! the same time.

use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result};

use super::contestant::{Contestant, Place};
use super::progress::Lines;
use super::rounds::{Figure, Plan, Row};
use super::running::Running;
use super::store::{Input, Kind, Store};

/// How long it takes until what follows a start is over.
const SETTLE: Duration = Duration::from_secs(3);

/// A contestant that has read what there was.
type Settled = Result<Running>;

/// Measures all contestants.
///
/// # Errors
/// When the data cannot be written.
pub(crate) fn measure(
    workload: &str,
    contestants: &[&Contestant],
    store: &Store,
    plan: &Plan,
) -> Result<Vec<Row>> {
    let input = store.input(Kind::Quiet, 0).context("cannot write the data")?;
    let time = plan.minute();
    let folder = store.place()?;
    let settle = |(n, who): (usize, &&Contestant)| -> Settled {
        let folder = folder.join(n.to_string());
        std::fs::create_dir_all(&folder)?;
        start(workload, who, &input, &Place { folder, input: input.path.clone(), port: 0 })
    };
    let mut running: Vec<Settled> = contestants.iter().enumerate().map(settle).collect();
    thread::sleep(SETTLE);
    let usage = |running: &Settled| running.as_ref().ok().map(Running::usage);
    let before: Vec<_> = running.iter().map(usage).collect();
    thread::sleep(time);
    let mut rows = Vec::new();
    for (who, (running, before)) in contestants.iter().zip(running.drain(..).zip(before)) {
        let figures = running.and_then(|mut running| {
            running.alive()?;
            let (before, after) = (before.unwrap_or_default(), running.usage());
            running.end()?;
            let part = (after.cpu.saturating_sub(before.cpu)).as_secs_f64() / time.as_secs_f64();
            let wakeups = after.wakeups.saturating_sub(before.wakeups) as f64;
            let figures: Vec<Figure> = vec![
                ("% of a core", part * 100.0),
                ("wake-ups/s", wakeups / time.as_secs_f64()),
                ("peak MB", after.peak as f64 / 1e6),
            ];
            Ok(figures)
        });
        let runs = figures.map(|figures| vec![figures]).map_err(|error| format!("{error:#}"));
        let row = Row { contestant: who.name.clone(), runs };
        row.tell();
        rows.push(row);
    }
    Ok(rows)
}

/// Starts one, and waits until it has written the line that each file holds.
fn start(workload: &str, who: &Contestant, input: &Input, place: &Place) -> Settled {
    let mut running = Running::start(&mut who.command(workload, place)?, &place.folder)?;
    let mut lines = Lines::new(&place.output(), input.files.len() as u64);
    running.finish(&mut |_| Ok(lines.look()?))?;
    Ok(running)
}
