//! `out.TimedBuffer`: a chunk every so often.

use std::time::{Duration, Instant};

use swak_sdk::prelude::*;

use super::held::{Held, cut};

/// Gathers records for a while and hands them on as one chunk.
///
/// The time runs from the first record that is held. The chunk goes earlier when it becomes too
/// large, when as much is on its way as the task's `unacked` allows, and when the input ends. The
/// records count as delivered only when the chunk is, so what is
/// held survives a crash wherever the input can read again.
///
/// How many lines there are in five minutes:
///
/// ```example
/// out.TimedBuffer("5m"), out.Exec("grep -c '' <{input} >{output}", shell=True)
/// < one
/// < two
/// < three
/// > 3
/// ```
#[derive(Options)]
#[plugin(transform, name = "TimedBuffer")]
pub(crate) struct TimedBufferOptions {
    /// How long records are gathered.
    #[option(positional)]
    every: Duration,
    /// The size at which the chunk goes before its time; by itself half of what may be on its way, so
    /// that one can be gathered while another is delivered. Many tiny records go earlier: before they
    /// take that much memory besides their bytes, or 64m when that is more.
    #[option(default = "32m")]
    max_size: ByteSize,
    /// The number of records at which the chunk goes before its time. Left out: any number.
    #[option(range = 1..)]
    max_records: Option<usize>,
}

pub(crate) struct TimedBuffer {
    every: Duration,
    max_size: usize,
    max_records: usize,
    held: Held,
}

impl Plugin for TimedBuffer {
    type Options = TimedBufferOptions;

    fn new(options: TimedBufferOptions, _: &BuildContext) -> Result<Self> {
        ensure!(options.max_size.as_usize() > 0, "`max_size` is 0, so nothing could be held");
        Ok(TimedBuffer {
            every: options.every,
            max_size: options.max_size.as_usize(),
            max_records: options.max_records.unwrap_or(usize::MAX),
            held: Held::default(),
        })
    }
}

impl Transform for TimedBuffer {
    fn apply(&mut self, batch: Batch, out: &mut Outlet) -> Result<()> {
        for piece in cut(batch, self.max_records - self.held.records(), self.max_records) {
            // What is held stays within the limit; only a batch that is larger by itself is beyond.
            if self.held.size().saturating_add(piece.size()) > self.max_size {
                self.held.release(out);
            }
            self.held.push(piece);
            if self.held.is_full(self.max_size) || self.held.records() >= self.max_records {
                self.held.release(out);
            }
        }
        Ok(())
    }

    fn next_wake(&self) -> Option<Instant> {
        self.held.since()?.checked_add(self.every)
    }

    fn wake(&mut self, out: &mut Outlet) -> Result<()> {
        if self.next_wake().is_some_and(|due| due <= Instant::now()) {
            self.held.release(out);
        }
        Ok(())
    }

    fn relieve(&mut self, out: &mut Outlet) -> Result<()> {
        self.flush(out)
    }

    fn flush(&mut self, out: &mut Outlet) -> Result<()> {
        self.held.release(out);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
