//! Ten megabytes a second: what it costs, and how long a line takes from being written to coming out.

use std::fs::File;
use std::io::Write as _;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use super::contestant::{Contestant, Place};
use super::data::{Lines as _, Nginx, SEED};
use super::progress::Lines;
use super::rounds::{Figure, Runner};
use super::running::Running;
use super::stats::quantile;
use super::store::Store;
use super::verify::{self, Combined};

/// Bytes a second.
const RATE: u64 = 10_000_000;

/// How often something is written.
const TICK: Duration = Duration::from_millis(1);

/// How often the output is looked at: no delay is known better.
const LOOK: Duration = Duration::from_micros(100);

/// How long the last line may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// A contestant's runs.
pub(crate) struct Paced {
    time: Duration,
}

/// Lines that were written at once: the number of all up to and with them, and when.
type Written = (u64, Instant);

impl Paced {
    pub(crate) fn new(time: Duration) -> Self {
        Paced { time }
    }

    /// Writes lines at the rate.
    fn write(
        &self,
        mut file: File,
        mut data: Nginx,
        from: u64,
        tell: &Sender<Written>,
    ) -> Result<()> {
        let (begun, mut lines, mut text) = (Instant::now(), from, Vec::new());
        let (mut written, mut due) = (0, Duration::ZERO);
        while due < self.time {
            due += TICK;
            thread::sleep((begun + due).saturating_duration_since(Instant::now()));
            text.clear();
            let should = RATE * due.as_millis() as u64 / 1000;
            while written + (text.len() as u64) < should {
                data.next(&mut text);
                lines += 1;
            }
            file.write_all(&text)?;
            written += text.len() as u64;
            // Nobody listens any more when the contestant has failed.
            if tell.send((lines, Instant::now())).is_err() {
                break;
            }
        }
        Ok(())
    }
}

impl Runner for Paced {
    fn run(&mut self, workload: &str, who: &Contestant, store: &Store) -> Result<Vec<Figure>> {
        let folder = store.place()?;
        let input = folder.join("input.log");
        let place = Place { folder, input: input.clone(), port: 0 };
        let (mut file, mut data) = (File::create(&input)?, Nginx::new(SEED));
        let mut first = Vec::new();
        data.next(&mut first);
        file.write_all(&first)?;
        let mut running = Running::start(&mut who.command(workload, &place)?, &place.folder)?;
        let mut output = Lines::new(&place.output(), 1);
        running.finish(&mut |_| Ok(output.look()?))?;
        let (before, begun) = (running.usage(), Instant::now());
        let (tell, told) = mpsc::channel();
        let mut delays = thread::scope(|scope| {
            let writer = scope.spawn(move || self.write(file, data, 1, &tell));
            let delays = watch(&mut output, &mut running, told);
            writer.join().expect("the writer does not panic").context("cannot write lines")?;
            delays
        })?;
        let (time, after) = (begun.elapsed().as_secs_f64(), running.usage());
        running.end()?;
        let expected = verify::expected(&[&input], &Combined::new())?;
        let found = verify::found(&place.output(), &Combined::new());
        if found.context("what came out is wrong")? != expected {
            bail!("the records that came out are not those that had to");
        }
        let cpu = (after.cpu.saturating_sub(before.cpu)).as_secs_f64();
        Ok(vec![
            ("% of a core", cpu / time * 100.0),
            ("peak MB", after.peak as f64 / 1e6),
            ("delay p50 ms", quantile(&mut delays, 0.5)),
            ("delay p99 ms", quantile(&mut delays, 0.99)),
            ("delay max ms", quantile(&mut delays, 1.0)),
        ])
    }
}

/// Watches the output until all that was written has come out, and gives how long each write took, in
/// milliseconds. A write has come out when its last line has: as many lines come out as went in, and in
/// their order.
fn watch(output: &mut Lines, running: &mut Running, told: Receiver<Written>) -> Result<Vec<f64>> {
    let mut delays = Vec::new();
    let mut grown = Instant::now();
    let mut count = 0;
    for (lines, at) in told {
        loop {
            let now = Instant::now();
            if count >= lines {
                break;
            }
            let seen = output.look()?.count;
            if seen > count {
                (count, grown) = (seen, Instant::now());
                continue;
            }
            running.alive()?;
            if now > grown + PATIENCE {
                bail!("nothing came out for a minute, after {count} lines");
            }
            thread::sleep(LOOK);
        }
        delays.push(grown.saturating_duration_since(at).as_secs_f64() * 1e3);
    }
    match delays.is_empty() {
        true => bail!("nothing was written"),
        false => Ok(delays),
    }
}
