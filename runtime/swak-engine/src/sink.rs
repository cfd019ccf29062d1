//! An output by itself: gathers, writes, tries again, gives up when it is told to.

use swak_sdk::Error;
use swak_sdk::data::Chunk;
use tokio::sync::mpsc;
use tokio::task::yield_now;
use tokio::time::sleep;

use crate::Backoff;
use crate::batching::Batcher;
use crate::port::{Attempt, Port, Trouble};
use crate::settings::When;
use crate::step::Failure;

/// An output with its queue: writes one chunk after the other.
pub(crate) struct Sink {
    port: Port,
    batcher: Batcher,
    retry: Backoff,
    /// How often a chunk is tried again after a part of it was last written; `None` is for ever.
    retries: Option<u32>,
    /// Failures since the last success, so that the log tells of the first and of the recovery.
    failures: u64,
}

/// So many chunks are written before others have their turn.
const TURN: u64 = 8;

impl Sink {
    pub(crate) fn new(port: Port, batcher: Batcher, retry: Backoff, retries: Option<u32>) -> Self {
        Sink { port, batcher, retry, retries, failures: 0 }
    }

    /// Runs until the inbox is closed and empty, then closes the output.
    pub(crate) async fn run(mut self, mut inbox: mpsc::Receiver<Chunk>) -> Result<(), Failure> {
        let mut delivered = 0_u64;
        while let Some(chunk) = self.batcher.next(&mut inbox).await {
            self.port.step.counters.received(chunk.len());
            self.port.step.trace(When::Before, &chunk);
            self.deliver(chunk).await?;
            delivered += 1;
            if delivered.is_multiple_of(TURN) && !inbox.is_empty() {
                // Who helps here, and has a file to read, does not do so for as long as others bring more.
                yield_now().await;
            }
        }
        self.port.close().await;
        Ok(())
    }

    async fn deliver(&mut self, mut chunk: Chunk) -> Result<(), Failure> {
        let mut left_to_try = self.retries;
        self.retry.reset();
        loop {
            let tried = chunk.len();
            let trouble = match self.port.attempt(chunk, self.port.timeout).await {
                Attempt::Done => {
                    self.recovered();
                    return Ok(());
                }
                Attempt::Left(left, trouble) => {
                    chunk = left;
                    trouble
                }
                Attempt::Closed(_, error) => return Err(self.port.step.ended(error)),
            };
            self.tell(&trouble);
            if chunk.len() < tried {
                // It goes on, a piece at a time; only tries that come to nothing count.
                left_to_try = self.retries;
                self.retry.reset();
            }
            match &mut left_to_try {
                None => {}
                Some(0) => {
                    self.give_up(chunk, &trouble.error).await;
                    return Ok(());
                }
                Some(left) => *left -= 1,
            }
            sleep(self.retry.wait()).await;
        }
    }

    async fn give_up(&mut self, chunk: Chunk, error: &Error) {
        let tried = match self.retries.unwrap_or_default() {
            1 => "1 retry".to_owned(),
            n => format!("{n} retries"),
        };
        let reason = format!("gave up after {tried}: {error:#}");
        self.port.dead_letter(chunk, &reason, "gave up").await;
    }

    /// Tells of the first failure, and of each that doubles their number: an output that is down for
    /// days does not fill a disk with its story.
    fn tell(&mut self, Trouble { at, error }: &Trouble) {
        self.failures += 1;
        let step = &self.port.step;
        let (task, step, failures) = (&*step.task, &*step.label, self.failures);
        if failures.is_power_of_two() {
            tracing::warn!(task, step, failures, "{at}: {error:#}; will try again");
        } else {
            tracing::debug!(task, step, failures, "{at}: {error:#}");
        }
    }

    fn recovered(&mut self) {
        if self.failures > 0 {
            let step = &self.port.step;
            let (task, step, failures) = (&*step.task, &*step.label, self.failures);
            tracing::info!(task, step, failures, "works again");
            self.failures = 0;
        }
    }
}
