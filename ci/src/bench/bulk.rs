//! As much as there is, as fast as it goes: from the start of the process to the last of the output.

use std::process::Command;
use std::rc::Rc;

use anyhow::{Context as _, Result, bail};

use super::contestant::{Contestant, Place};
use super::progress::{Bytes, Lines};
use super::rounds::{Figure, Runner};
use super::running::{Finished, Running};
use super::sink::{Protocol, Sink};
use super::store::{Input, Store};
use super::verify::{self, Digest, Expect};
use super::workload::Output;

/// A contestant's runs of a workload.
pub(crate) struct Bulk {
    input: Rc<Input>,
    output: Output,
    check: Box<dyn Expect>,
    /// The bytes of an output that was checked: the same bytes are not parsed again.
    checked: Option<Digest>,
}

impl Bulk {
    pub(crate) fn new(input: Rc<Input>, output: Output, check: Box<dyn Expect>) -> Self {
        Bulk { input, output, check, checked: None }
    }

    /// Does it once, with another command if need be, and checks what came out.
    pub(crate) fn run_as(
        &mut self,
        workload: &str,
        who: &Contestant,
        store: &Store,
        change: &dyn Fn(Command) -> Command,
    ) -> Result<Finished> {
        let expected = store.expected(&self.input, &*self.check)?;
        self.input.warm()?;
        let mut place = Place { folder: store.place()?, input: self.input.path.clone(), port: 0 };
        // Before the contestant, so that it is there until that has ended.
        let sink = match self.output {
            Output::Sink(protocol) => {
                let (input, output) = (&self.input.path, place.output());
                Some(Sink::start(protocol, input, expected.count, &output)?)
            }
            Output::SameBytes | Output::Lines => None,
        };
        place.port = sink.as_ref().map_or(0, Sink::port);
        let mut command = change(who.command(workload, &place)?);
        let mut running = Running::start(&mut command, &place.folder)?;
        let finished = match (&sink, self.output) {
            (Some(sink), _) => running.finish(&mut |_| sink.look())?,
            (None, Output::SameBytes) => {
                let mut bytes = Bytes::new(&place.output(), self.input.bytes);
                running.finish(&mut |_| Ok(bytes.look()?))?
            }
            (None, _) => {
                let mut lines = Lines::new(&place.output(), expected.count);
                running.finish(&mut |_| Ok(lines.look()?))?
            }
        };
        running.end()?;
        if let Some(sink) = &sink {
            // Once more: what came after the end was too much.
            sink.look()?;
        }
        if !matches!(self.output, Output::Sink(Protocol::Raw | Protocol::Forward)) {
            self.check(&place, expected)?;
        }
        Ok(finished)
    }

    /// Holds the output against what must be in it.
    fn check(&mut self, place: &Place, expected: Digest) -> Result<()> {
        let bytes = verify::bytes(&place.output())?;
        if self.checked == Some(bytes) {
            return Ok(());
        }
        if bytes.count != expected.count {
            bail!("{} records came out, not {}", bytes.count, expected.count);
        }
        let found =
            verify::found(&place.output(), &*self.check).context("what came out is wrong")?;
        if found != expected {
            bail!("the records that came out are not those that had to");
        }
        self.checked = Some(bytes);
        Ok(())
    }
}

impl Runner for Bulk {
    fn run(&mut self, workload: &str, who: &Contestant, store: &Store) -> Result<Vec<Figure>> {
        let finished = self.run_as(workload, who, store, &|command| command)?;
        Ok(figures(&finished, self.input.bytes))
    }
}

fn figures(finished: &Finished, bytes: u64) -> Vec<Figure> {
    let megabytes = bytes as f64 / 1e6;
    let (wall, cpu) = (finished.wall.as_secs_f64(), finished.usage.cpu.as_secs_f64());
    vec![
        ("MB", megabytes),
        ("MB/CPU s", megabytes / cpu),
        ("MB/s", megabytes / wall),
        ("CPU s", cpu),
        ("wall s", wall),
        ("peak MB", finished.usage.peak as f64 / 1e6),
        ("first ms", finished.first.as_secs_f64() * 1e3),
    ]
}
