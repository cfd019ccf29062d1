//! One instance of an output: connecting, writing, giving up.

use std::fmt;
use std::pin::pin;
use std::time::Duration;

use swak_sdk::ack::Outcome;
use swak_sdk::data::Chunk;
use swak_sdk::plugin::erased::AnyOutput;
use swak_sdk::plugin::{BoxBacklog, DeadLetter, Progress, WriteError};
use swak_sdk::{Error, anyhow};
use tokio::time::{Instant, timeout};

use crate::batching::Limits;
use crate::dead_letters::DeadLetters;
use crate::settings::When;
use crate::step::StepInfo;

/// An output with what is needed to try one write.
pub(crate) struct Port {
    pub(crate) output: Box<dyn AnyOutput>,
    pub(crate) step: StepInfo,
    pub(crate) dead_letters: DeadLetters,
    /// Where the output says that a write goes on; one that does not never says so.
    pub(crate) progress: Progress,
    /// How long one connect may take, and one write without progress.
    pub(crate) timeout: Duration,
    /// What one write may hold, where nobody has seen to it before.
    pub(crate) limits: Option<Limits>,
    pub(crate) connected: bool,
}

/// How long one write may take.
#[derive(Clone, Copy)]
pub(crate) struct Patience {
    /// Until it makes progress.
    pub(crate) first: Duration,
    /// And then, until it makes more.
    pub(crate) then: Duration,
}

impl From<Duration> for Patience {
    fn from(limit: Duration) -> Self {
        Patience { first: limit, then: limit }
    }
}

/// What came of one try.
pub(crate) enum Attempt {
    /// Everything is settled.
    Done,
    /// This is left, and may be tried again.
    Left(Chunk, Trouble),
    /// This is left, and nothing can ever be written here again.
    Closed(Chunk, Error),
}

/// Why something is left.
pub(crate) struct Trouble {
    pub(crate) at: At,
    pub(crate) error: Error,
}

/// Where an output has failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum At {
    /// There is no connection.
    Connect,
    /// A connection that was there is gone.
    Connection,
    /// It may work later.
    Write,
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            At::Connect => "cannot connect",
            At::Connection => "lost the connection",
            At::Write => "cannot write",
        })
    }
}

impl Port {
    /// Opens what is to be written to, within the limit.
    pub(crate) async fn connect(&mut self, limit: Duration) -> Result<(), Trouble> {
        match timed(limit, self.output.connect(), "connect").await {
            Ok(()) => {
                self.connected = true;
                Ok(())
            }
            Err(error) => {
                self.step.counters.error();
                Err(Trouble { at: At::Connect, error })
            }
        }
    }

    /// Tries once, each connect and each write as long as there is patience. What is not left is
    /// settled.
    pub(crate) async fn attempt(&mut self, chunk: Chunk, patience: impl Into<Patience>) -> Attempt {
        let patience = patience.into();
        if !self.connected
            && let Err(trouble) = self.connect(patience.first).await
        {
            return Attempt::Left(chunk, trouble);
        }
        // The first one is at the end. Of a rejected chunk the halves are tried, the first one first.
        let mut todo = match &self.limits {
            Some(limits) => limits.cut(chunk),
            None => vec![chunk],
        };
        todo.reverse();
        while let Some(mut chunk) = todo.pop() {
            let write = self.output.write(&chunk);
            let written = match while_it_goes_on(write, &self.progress, patience).await {
                Ok(written) => written,
                Err(limit) => Err(WriteError::NotConnected(too_slow("write", limit))),
            };
            if written.is_err() {
                chunk = self.without_delivered(chunk);
            }
            match written {
                Ok(()) => self.delivered(chunk),
                Err(WriteError::Reject(_)) if chunk.len() > 1 => {
                    let rest = chunk.split_off(chunk.len() / 2);
                    todo.extend([rest, chunk]);
                }
                Err(WriteError::Reject(error)) => {
                    self.dead_letter(chunk, &format!("{error:#}"), "rejected").await;
                }
                Err(WriteError::NotConnected(error)) => {
                    self.connected = false;
                    self.step.counters.error();
                    let trouble = Trouble { at: At::Connection, error };
                    return left(together(chunk, todo), trouble);
                }
                Err(WriteError::Retry(error)) => {
                    self.step.counters.error();
                    let trouble = Trouble { at: At::Write, error };
                    return left(together(chunk, todo), trouble);
                }
                Err(WriteError::Fatal(error)) => {
                    return Attempt::Closed(together(chunk, todo), error);
                }
            }
        }
        Attempt::Done
    }

    /// Sends what cannot be delivered to the dead letters; without any it is dropped, and counted with
    /// these fixed words.
    pub(crate) async fn dead_letter(&mut self, chunk: Chunk, reason: &str, counted: &'static str) {
        for batch in chunk {
            let letter = DeadLetter { batch, reason: reason.to_owned() };
            self.dead_letters.send_as(letter, counted).await;
        }
    }

    /// Takes back what was written, within the time-out.
    pub(crate) async fn take_back(&mut self) -> Result<Option<BoxBacklog>, Error> {
        timed(self.timeout, self.output.take_back(), "look at what is stored").await
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

    /// Settles what was delivered of a chunk whose write failed.
    fn without_delivered(&mut self, mut chunk: Chunk) -> Chunk {
        let records = self.output.delivered().min(chunk.len());
        if records == 0 {
            return chunk;
        }
        let rest = chunk.split_off(records);
        self.delivered(chunk);
        rest
    }

    fn delivered(&mut self, chunk: Chunk) {
        self.step.counters.sent(chunk.len());
        self.step.trace(When::After, &chunk);
        chunk.settle(Outcome::Delivered);
    }
}

/// What is left, if anything is.
fn left(chunk: Chunk, trouble: Trouble) -> Attempt {
    if chunk.is_empty() { Attempt::Done } else { Attempt::Left(chunk, trouble) }
}

/// The chunk and what was to follow it, last one first.
fn together(mut chunk: Chunk, todo: Vec<Chunk>) -> Chunk {
    todo.into_iter().rev().flatten().for_each(|batch| chunk.push(batch));
    chunk
}

/// Waits for a write that goes on; `Err` when it did not for so long.
async fn while_it_goes_on<T>(
    write: impl Future<Output = T>,
    progress: &Progress,
    Patience { first, then }: Patience,
) -> Result<T, Duration> {
    let mut write = pin!(write);
    let began = Instant::now();
    let mut limit = first;
    loop {
        let last = progress.last(began);
        // It may have made some while the clock ran.
        let left = limit.saturating_sub(last.elapsed());
        match timeout(left, &mut write).await {
            Ok(written) => return Ok(written),
            Err(_) if progress.last(began) == last => return Err(limit),
            Err(_) => limit = then,
        }
    }
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

#[cfg(test)]
mod tests {
    use tokio::time::sleep;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn a_write_that_goes_on_may_take_its_time_and_one_that_stands_still_may_not() {
        let progress = Progress::default();
        let goes_on = async {
            for _ in 0..10 {
                sleep(SECOND).await;
                progress.made();
            }
        };
        let patience = Patience { first: SECOND * 5, then: SECOND * 2 };
        assert_eq!(while_it_goes_on(goes_on, &progress, patience).await, Ok(()));
        let stands_still = async {
            sleep(SECOND * 4).await;
            progress.made();
            sleep(SECOND * 60).await;
        };
        let began = Instant::now();
        let left = while_it_goes_on(stands_still, &progress, patience).await;
        assert_eq!((left, began.elapsed()), (Err(SECOND * 2), SECOND * 6));
        let hangs = std::future::pending::<()>();
        let began = Instant::now();
        let left = while_it_goes_on(hangs, &progress, patience).await;
        assert_eq!((left, began.elapsed()), (Err(SECOND * 5), SECOND * 5));
    }
}
