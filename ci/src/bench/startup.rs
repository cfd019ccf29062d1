//! From the start of the process to its first record.

use std::rc::Rc;

use anyhow::{Result, bail};

use super::contestant::{Contestant, Place};
use super::progress::Bytes;
use super::rounds::{Figure, Runner};
use super::running::Running;
use super::store::{Input, Store};
use super::verify;

/// A contestant's runs.
pub(crate) struct Startup {
    input: Rc<Input>,
}

impl Startup {
    /// With a file to read.
    pub(crate) fn new(input: Rc<Input>) -> Self {
        Startup { input }
    }
}

impl Runner for Startup {
    fn run(&mut self, workload: &str, who: &Contestant, store: &Store) -> Result<Vec<Figure>> {
        let place = Place { folder: store.place()?, input: self.input.path.clone(), port: 0 };
        let mut running = Running::start(&mut who.command(workload, &place)?, &place.folder)?;
        let mut bytes = Bytes::new(&place.output(), self.input.bytes);
        let finished = running.finish(&mut |_| Ok(bytes.look()?))?;
        running.end()?;
        if verify::bytes(&place.output())? != verify::bytes(&self.input.path)? {
            bail!("what came out is not what was in the file");
        }
        Ok(vec![
            ("first ms", finished.wall.as_secs_f64() * 1e3),
            ("CPU ms", finished.usage.cpu.as_secs_f64() * 1e3),
            ("peak MB", finished.usage.peak as f64 / 1e6),
        ])
    }
}
