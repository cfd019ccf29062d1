//! `out.LinedBuffer`: a chunk of so many records.

use std::time::{Duration, Instant};

use swak_sdk::prelude::*;

use super::held::{Held, cut};

/// Gathers records and hands them on in chunks of so many.
///
/// What is left when the input ends goes on as a smaller chunk, and so does what is held when as much is
/// on its way as the task's `unacked` allows. The records count as delivered only
/// when the chunk is, so what is held survives a crash wherever the input can read again.
///
/// What comes next sees two records at a time:
///
/// ```example
/// out.LinedBuffer(2), out.Exec("sort -o {output} {input}")
/// < 3
/// < 1
/// < 2
/// > 1
/// > 3
/// > 2
/// ```
#[derive(Options)]
#[plugin(transform, name = "LinedBuffer")]
pub(crate) struct LinedBufferOptions {
    /// How many records make a chunk.
    #[option(positional, range = 1..=10_000_000)]
    lines: usize,
    /// The longest that a record waits for the chunk to become full. Left out: until the input ends.
    max_wait: Option<Duration>,
    /// The size at which the chunk goes before it is full; by itself half of what may be on its way, so
    /// that one can be gathered while another is delivered. Many tiny records go earlier: before they
    /// take that much memory besides their bytes, or 64m when that is more.
    #[option(default = "32m")]
    max_size: ByteSize,
}

pub(crate) struct LinedBuffer {
    lines: usize,
    max_size: usize,
    max_wait: Option<Duration>,
    held: Held,
}

impl Plugin for LinedBuffer {
    type Options = LinedBufferOptions;

    fn new(options: LinedBufferOptions, _: &BuildContext) -> Result<Self> {
        let LinedBufferOptions { lines, max_wait, max_size } = options;
        let max_size = max_size.as_usize();
        ensure!(max_size > 0, "`max_size` is 0, so nothing could be held");
        Ok(LinedBuffer { lines, max_size, max_wait, held: Held::default() })
    }
}

impl Transform for LinedBuffer {
    fn apply(&mut self, batch: Batch, out: &mut Outlet) -> Result<()> {
        for piece in cut(batch, self.lines - self.held.records(), self.lines) {
            self.held.push(piece);
            if self.held.records() == self.lines || self.held.is_full(self.max_size) {
                self.held.release(out);
            }
        }
        Ok(())
    }

    fn next_wake(&self) -> Option<Instant> {
        self.held.since()?.checked_add(self.max_wait?)
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
