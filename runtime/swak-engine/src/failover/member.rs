//! One output of a failover: here, away, or closed for good.

use std::time::Duration;

use swak_sdk::Error;
use swak_sdk::data::Chunk;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::Drain;
use crate::Backoff;
use crate::port::{At, Attempt, Patience, Port, Trouble};
use crate::settings::When;
use crate::step::{Failure, StepInfo};

/// After a write that failed, a member rests so many times as long as the flow has waited for it: one
/// that takes connections and then hangs costs a quarter of the time at the most.
const REST_FOR_WAIT: u32 = 3;

/// An output that others stand in for.
pub(super) struct Member {
    step: StepInfo,
    state: State,
    /// How long it rests; begins anew with each write that succeeds, and only then: a connect alone
    /// does not show that it works.
    rest: Backoff,
    /// Since when, and how often, it has failed without a success.
    failing: Option<(Instant, u64)>,
}

enum State {
    /// May be written to.
    Here(Box<Port>),
    /// Rests, or connects.
    Away,
    /// Can never write again.
    Closed(Option<Error>),
}

/// A member that has come back from its rest.
pub(super) struct Away {
    pub(super) index: usize,
    pub(super) port: Box<Port>,
    pub(super) rest: Backoff,
}

/// What became of a chunk that was offered.
pub(super) enum Offer {
    Taken,
    NotHere(Chunk),
    /// The member is to be left, for at least this long.
    Failed(Chunk, Duration),
}

impl Member {
    pub(super) fn new(port: Port, rest: Backoff) -> Self {
        Member { step: port.step.clone(), state: State::Here(Box::new(port)), rest, failing: None }
    }

    pub(super) fn is_here(&self) -> bool {
        matches!(self.state, State::Here(_))
    }

    /// Whether it may ever write again.
    pub(super) fn is_open(&self) -> bool {
        !matches!(self.state, State::Closed(_))
    }

    /// Why it can never write again, once.
    pub(super) fn take_failure(&mut self) -> Option<Failure> {
        match &mut self.state {
            State::Closed(error) => error.take().map(|error| self.step.ended(error)),
            State::Here(_) | State::Away => None,
        }
    }

    /// Writes the chunk if the member is here, within about the limit or as long as it makes progress.
    /// What is left is not counted as received.
    pub(super) async fn offer(&mut self, chunk: Chunk, limit: Duration) -> Offer {
        let State::Here(port) = &mut self.state else { return Offer::NotHere(chunk) };
        let records = chunk.len();
        self.step.trace(When::Before, &chunk);
        let began = Instant::now();
        let (left, fate) = match attempt(port, chunk, limit).await {
            Attempt::Done => (Chunk::default(), None),
            Attempt::Left(left, trouble) => (left, Some(Ok(trouble))),
            Attempt::Closed(left, error) => (left, Some(Err(error))),
        };
        let waited = port.progress.last(began).elapsed();
        self.step.counters.received(records - left.len());
        match fate {
            None => {
                self.succeeded();
                Offer::Taken
            }
            Some(Ok(trouble)) => {
                self.failed(&trouble);
                // A connect is tried beside the flow, which does not wait for it any more.
                let at_least = match trouble.at {
                    At::Connect => Duration::ZERO,
                    At::Connection | At::Write => waited * REST_FOR_WAIT,
                };
                Offer::Failed(left, at_least)
            }
            Some(Err(error)) => {
                self.step.counters.error();
                let (task, step) = (&*self.step.task, &*self.step.label);
                tracing::error!(task, step, "can never write again: {error:#}");
                self.state = State::Closed(Some(error));
                Offer::NotHere(left)
            }
        }
    }

    /// Sends a member that failed away; see [`bring_back`].
    pub(super) fn leave(&mut self) -> Option<(Box<Port>, Backoff)> {
        match std::mem::replace(&mut self.state, State::Away) {
            State::Here(port) => Some((port, self.rest)),
            other => {
                self.state = other;
                None
            }
        }
    }

    /// The member has connected, or has rested where only a write can tell.
    pub(super) fn is_back(&mut self, port: Box<Port>, rest: Backoff) {
        self.rest = rest;
        self.state = State::Here(port);
    }

    pub(super) async fn close(&mut self) {
        if let State::Here(port) = &mut self.state {
            port.close().await;
        }
    }

    /// Tells of the first failure; those that follow are the same story.
    fn failed(&mut self, Trouble { at, error }: &Trouble) {
        let (task, step) = (&*self.step.task, &*self.step.label);
        let (_, failures) = self.failing.get_or_insert_with(|| (Instant::now(), 0));
        *failures += 1;
        match *failures {
            1 => tracing::warn!(task, step, "{at}: {error:#}; the flow leaves it"),
            failures => tracing::debug!(task, step, failures, "{at}: {error:#}"),
        }
    }

    fn succeeded(&mut self) {
        self.rest.reset();
        if let Some((since, failures)) = self.failing.take() {
            let (task, step) = (&*self.step.task, &*self.step.label);
            let away = since.elapsed();
            tracing::info!(task, step, failures, "the flow is back after {away:.1?}");
        }
    }
}

/// Tries once, and once more over a new connection where only the old one was gone: a server may
/// close what was idle. The limit is for both, and for connecting; it begins anew when there is
/// progress.
async fn attempt(port: &mut Port, chunk: Chunk, limit: Duration) -> Attempt {
    let began = Instant::now();
    let limit = limit.min(port.timeout);
    let progress = port.progress.clone();
    let rest = || limit.saturating_sub(progress.last(began).elapsed());
    let patience = |first| Patience { first, then: limit };
    let was_connected = port.connected;
    if !was_connected && let Err(trouble) = port.connect(limit).await {
        return Attempt::Left(chunk, trouble);
    }
    let (left, trouble) = match port.attempt(chunk, patience(rest())).await {
        Attempt::Left(left, trouble) if trouble.at == At::Connection && was_connected => {
            (left, trouble)
        }
        other => return other,
    };
    if rest().is_zero() {
        return Attempt::Left(left, trouble);
    }
    if let Err(trouble) = port.connect(rest()).await {
        return Attempt::Left(left, trouble);
    }
    port.attempt(left, patience(rest())).await
}

/// Rests, at least for so long, and connects, as often as it takes.
pub(super) async fn bring_back(
    index: usize,
    mut port: Box<Port>,
    mut rest: Backoff,
    mut at_least: Duration,
    mut called_back: watch::Receiver<bool>,
) -> Away {
    let back = async {
        loop {
            sleep(rest.wait().max(std::mem::take(&mut at_least))).await;
            let limit = port.timeout;
            // One that did not lose its connection shows only by a write that it works again.
            if port.connected || port.connect(limit).await.is_ok() {
                return;
            }
        }
    };
    tokio::select! {
        () = back => {}
        _ = called_back.wait_for(|called| *called) => {}
    }
    Away { index, port, rest }
}

/// The output that is taken when all others are away.
pub(super) struct Last {
    port: Port,
    closed: bool,
    failures: u64,
}

impl Last {
    pub(super) fn new(port: Port) -> Self {
        Last { port, closed: false, failures: 0 }
    }

    pub(super) fn label(&self) -> &str {
        &self.port.step.label
    }

    pub(super) fn is_open(&self) -> bool {
        !self.closed
    }

    /// Writes the chunk; what is left comes back.
    pub(super) async fn offer(&mut self, chunk: Chunk) -> Option<Chunk> {
        if self.closed {
            return Some(chunk);
        }
        let records = chunk.len();
        let step = self.port.step.clone();
        let (task, label) = (&*step.task, &*step.label);
        step.trace(When::Before, &chunk);
        let left = match self.port.attempt(chunk, self.port.timeout).await {
            Attempt::Done => {
                if std::mem::take(&mut self.failures) > 0 {
                    tracing::info!(task, step = label, "works again");
                }
                None
            }
            Attempt::Left(left, Trouble { at, error }) => {
                self.failures += 1;
                if self.failures.is_power_of_two() {
                    let failures = self.failures;
                    tracing::warn!(task, step = label, failures, "{at}: {error:#}");
                }
                Some(left)
            }
            Attempt::Closed(left, error) => {
                step.counters.error();
                tracing::error!(task, step = label, "can never write again: {error:#}");
                self.closed = true;
                Some(left)
            }
        };
        step.counters.received(records - left.as_ref().map_or(0, Chunk::len));
        left
    }

    /// Takes back what is stored, if it is time to look.
    pub(super) async fn hand_back(&mut self, drain: &mut Drain) {
        if self.closed {
            drain.end();
        } else if drain.wants_more() {
            drain.begin(self.port.take_back().await);
        }
    }

    pub(super) async fn close(&mut self) {
        if !self.closed {
            self.port.close().await;
        }
    }
}
