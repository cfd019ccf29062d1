//! Outputs: connecting, writing, trying again.

use std::time::Duration;

use swak_sdk::ack::Outcome;
use swak_sdk::data::Chunk;
use swak_sdk::plugin::erased::AnyOutput;
use swak_sdk::plugin::{DeadLetter, WriteError};
use swak_sdk::{Error, anyhow};
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use crate::Backoff;
use crate::dead_letters::DeadLetters;
use crate::settings::When;
use crate::step::{Failure, StepInfo};

/// An output with its queue: writes one chunk after the other, for ever if need be.
pub(crate) struct Sink {
    pub(crate) port: Port,
    pub(crate) retry: Backoff,
}

/// An output with what is needed to try one write.
pub(crate) struct Port {
    pub(crate) output: Box<dyn AnyOutput>,
    pub(crate) step: StepInfo,
    pub(crate) dead_letters: DeadLetters,
    pub(crate) timeout: Duration,
    pub(crate) connected: bool,
    /// Failures since the last success, so that the log tells of the first and of the recovery.
    pub(crate) failures: u64,
}

/// What came of one try.
pub(crate) enum Attempt {
    /// Everything is settled.
    Done,
    /// This is left, and may be tried again.
    Left(Chunk),
    /// This is left, and nothing can ever be written here again.
    Closed(Chunk, Error),
}

impl Sink {
    /// Runs until the inbox is closed and empty, then closes the output.
    pub(crate) async fn run(mut self, mut inbox: mpsc::Receiver<Chunk>) -> Result<(), Failure> {
        while let Some(mut chunk) = inbox.recv().await {
            self.port.step.counters.received(chunk.len());
            self.port.step.trace(When::Before, &chunk);
            loop {
                match self.port.attempt(chunk).await {
                    Attempt::Done => break,
                    Attempt::Left(left) => chunk = left,
                    Attempt::Closed(_, error) => return Err(self.port.step.ended(error)),
                }
                sleep(self.retry.wait()).await;
            }
            self.retry.reset();
        }
        self.port.close().await;
        Ok(())
    }
}

impl Port {
    /// Tries once. What is not left is settled.
    pub(crate) async fn attempt(&mut self, chunk: Chunk) -> Attempt {
        if !self.connected {
            match timed(self.timeout, self.output.connect(), "connect").await {
                Ok(()) => self.connected = true,
                Err(error) => {
                    self.tell("cannot connect", &error);
                    return Attempt::Left(chunk);
                }
            }
        }
        // Of a rejected chunk the halves are tried, the first one first.
        let mut todo = vec![chunk];
        while let Some(mut chunk) = todo.pop() {
            let written = match timeout(self.timeout, self.output.write(&chunk)).await {
                Ok(written) => written,
                Err(_) => Err(WriteError::NotConnected(too_slow("write", self.timeout))),
            };
            match written {
                Ok(()) => self.delivered(chunk),
                Err(WriteError::Reject(_)) if chunk.len() > 1 => {
                    let rest = chunk.split_off(chunk.len() / 2);
                    todo.extend([rest, chunk]);
                }
                Err(WriteError::Reject(error)) => self.reject(chunk, &error).await,
                Err(WriteError::NotConnected(error)) => {
                    self.connected = false;
                    self.tell("lost the connection", &error);
                    return Attempt::Left(together(chunk, todo));
                }
                Err(WriteError::Retry(error)) => {
                    self.tell("cannot write", &error);
                    return Attempt::Left(together(chunk, todo));
                }
                Err(WriteError::Fatal(error)) => {
                    return Attempt::Closed(together(chunk, todo), error);
                }
            }
        }
        Attempt::Done
    }

    fn delivered(&mut self, chunk: Chunk) {
        self.recovered();
        self.step.counters.sent(chunk.len());
        self.step.trace(When::After, &chunk);
        chunk.settle(Outcome::Delivered);
    }

    async fn reject(&mut self, chunk: Chunk, error: &Error) {
        for batch in chunk {
            self.dead_letters.send(DeadLetter { batch, reason: format!("{error:#}") }).await;
        }
    }

    /// Closes the output. What was written is where it was to go, so that a failure costs no record
    /// and starts nothing again.
    pub(crate) async fn close(&mut self) {
        if let Err(error) = timed(self.timeout, self.output.close(), "close").await {
            self.step.counters.error();
            let (task, step) = (&*self.step.task, &*self.step.label);
            tracing::warn!(task, step, "cannot close: {error:#}");
        }
    }

    /// Tells of the first failure, and of each that doubles their number: an output that is down for
    /// days does not fill a disk with its story.
    fn tell(&mut self, what: &str, error: &Error) {
        self.step.counters.error();
        self.failures += 1;
        let (task, step, failures) = (&*self.step.task, &*self.step.label, self.failures);
        if failures.is_power_of_two() {
            tracing::warn!(task, step, failures, "{what}: {error:#}; will try again");
        } else {
            tracing::debug!(task, step, failures, "{what}: {error:#}");
        }
    }

    fn recovered(&mut self) {
        if self.failures > 0 {
            let (task, step, failures) = (&*self.step.task, &*self.step.label, self.failures);
            tracing::info!(task, step, failures, "works again");
            self.failures = 0;
        }
    }
}

/// The chunk and what was to follow it, last one first.
fn together(mut chunk: Chunk, todo: Vec<Chunk>) -> Chunk {
    todo.into_iter().rev().flatten().for_each(|batch| chunk.push(batch));
    chunk
}

async fn timed<T>(
    limit: Duration,
    work: impl Future<Output = Result<T, Error>>,
    what: &str,
) -> Result<T, Error> {
    timeout(limit, work).await.unwrap_or_else(|_| Err(too_slow(what, limit)))
}

fn too_slow(what: &str, limit: Duration) -> Error {
    anyhow!("the {what} took longer than {limit:?}")
}
