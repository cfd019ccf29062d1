//! Outputs that stand in for each other.

mod drain;
mod member;
mod start;

use std::time::Duration;

use swak_sdk::data::Chunk;
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinError, JoinSet};
use tokio::time::sleep;

pub(crate) use self::drain::Drain;
use self::member::{Away, Last, Member, Offer, bring_back};
pub(crate) use self::start::Start;
use crate::Backoff;
use crate::batching::Batcher;
use crate::port::Port;
use crate::step::{Failure, StepInfo};

/// Outputs that stand in for each other: a chunk goes to the first one that takes it in time.
///
/// An output that failed is left: it rests, longer each time, and connects beside the flow, so that
/// no chunk waits for it. Once it has, the next chunk goes to it again. When all are away the chunk
/// goes to `last`; without a `last` it waits for the first one that is back. One that can never write
/// again is left for good, and only when none remains does the task end.
pub(crate) struct Failover {
    members: Vec<Member>,
    last: Option<Last>,
    start: Start,
    /// How long a chunk waits for one member.
    timeout: Duration,
    batcher: Batcher,
    /// How long a chunk waits when nobody has taken it, `last` neither.
    retry: Backoff,
    step: StepInfo,
    /// What was written to `last`, on its way to the others.
    drain: Option<Drain>,
    /// The members that rest or connect.
    away: JoinSet<Away>,
    /// Tells those to come back as they are.
    call_back: watch::Sender<bool>,
    /// Whether no member answers, so that the log tells of it once.
    alone: bool,
}

/// What a failover is put together from.
pub(crate) struct Setup {
    pub(crate) members: Vec<(Port, Backoff)>,
    pub(crate) last: Option<Port>,
    pub(crate) start: Start,
    pub(crate) timeout: Duration,
    pub(crate) batcher: Batcher,
    pub(crate) retry: Backoff,
    pub(crate) drain: Option<Drain>,
    pub(crate) step: StepInfo,
}

impl Failover {
    pub(crate) fn new(setup: Setup) -> Self {
        let Setup { members, last, start, timeout, batcher, retry, drain, step } = setup;
        Failover {
            members: members.into_iter().map(|(port, rest)| Member::new(port, rest)).collect(),
            last: last.map(Last::new),
            start,
            timeout,
            batcher,
            retry,
            step,
            drain,
            away: JoinSet::new(),
            call_back: watch::Sender::new(false),
            alone: false,
        }
    }

    /// Runs until the inbox is closed and empty, then closes the outputs.
    pub(crate) async fn run(mut self, mut inbox: mpsc::Receiver<Chunk>) -> Result<(), Failure> {
        loop {
            self.drain_back().await?;
            let somebody_answers = self.somebody_answers();
            tokio::select! {
                biased;
                Some(back) = self.away.join_next() => self.take_in(back)?,
                chunk = self.batcher.next(&mut inbox) => match chunk {
                    Some(chunk) => self.deliver(chunk).await?,
                    None => break,
                },
                () = drain::next(&mut self.drain), if somebody_answers => {}
            }
        }
        self.close().await
    }

    async fn deliver(&mut self, chunk: Chunk) -> Result<(), Failure> {
        let records = chunk.len();
        self.step.counters.received(records);
        for (start, mut part) in self.start.split(chunk) {
            self.retry.reset();
            while let Some(left) = self.offer(start, part).await {
                match self.offer_last(left).await {
                    None => break,
                    Some(left) => part = left,
                }
                self.check_open()?;
                tokio::select! {
                    Some(back) = self.away.join_next() => self.take_in(back)?,
                    () = sleep(self.retry.wait()) => {}
                }
            }
            while let Some(back) = self.away.try_join_next() {
                self.take_in(back)?;
            }
        }
        self.step.counters.sent(records);
        Ok(())
    }

    /// Offers a chunk to the members that are here, from this one on; what nobody took comes back.
    async fn offer(&mut self, start: usize, mut chunk: Chunk) -> Option<Chunk> {
        for i in (start..self.members.len()).chain(0..start) {
            match self.members[i].offer(chunk, self.timeout).await {
                Offer::Taken => {
                    self.alone = false;
                    return None;
                }
                Offer::NotHere(left) => chunk = left,
                Offer::Failed(left, rest) => {
                    chunk = left;
                    if let Some((port, backoff)) = self.members[i].leave() {
                        let called_back = self.call_back.subscribe();
                        self.away.spawn(bring_back(i, port, backoff, rest, called_back));
                    }
                }
            }
        }
        Some(chunk)
    }

    async fn offer_last(&mut self, chunk: Chunk) -> Option<Chunk> {
        if !std::mem::replace(&mut self.alone, true) {
            let (task, step) = (&*self.step.task, &*self.step.label);
            match &self.last {
                Some(last) => {
                    tracing::warn!(task, step, "no output answers: {} takes over", last.label());
                }
                None => tracing::warn!(task, step, "no output answers: the flow waits"),
            }
        }
        let records = chunk.len();
        let left = match &mut self.last {
            Some(last) => last.offer(chunk).await,
            None => Some(chunk),
        };
        if left.as_ref().map_or(0, Chunk::len) < records
            && let Some(drain) = &mut self.drain
        {
            drain.more_is_stored();
        }
        left
    }

    fn somebody_answers(&self) -> bool {
        self.members.iter().any(Member::is_here)
    }

    /// A member is back from its rest, connected or to be tried.
    fn take_in(&mut self, back: Result<Away, JoinError>) -> Result<(), Failure> {
        match back {
            Ok(Away { index, port, rest }) => self.members[index].is_back(port, rest),
            Err(error) => match error.try_into_panic() {
                Ok(panic) => return Err(self.step.panicked(&*panic)),
                Err(error) => return Err(self.step.failed(error.into())),
            },
        }
        Ok(())
    }

    /// Sends on a piece of what `last` has taken, if there is one and somebody to take it.
    async fn drain_back(&mut self) -> Result<(), Failure> {
        let here = self.somebody_answers();
        let (Some(drain), Some(last)) = (&mut self.drain, &mut self.last) else { return Ok(()) };
        if !here {
            return Ok(());
        }
        last.hand_back(drain).await;
        let Some(piece) = drain.take_piece()? else { return Ok(()) };
        let mut left = Chunk::default();
        for (start, part) in self.start.split(piece) {
            self.offer(start, part).await.into_iter().flatten().for_each(|batch| left.push(batch));
        }
        if let Some(drain) = &mut self.drain {
            drain.put_back(left);
        }
        Ok(())
    }

    /// Fails when nobody is left to write to; the first one says why.
    fn check_open(&mut self) -> Result<(), Failure> {
        let last_is_open = self.last.as_ref().is_some_and(Last::is_open);
        if last_is_open || self.members.iter().any(Member::is_open) {
            return Ok(());
        }
        match self.members.first_mut().and_then(Member::take_failure) {
            Some(failure) => Err(failure),
            None => Ok(()),
        }
    }

    async fn close(mut self) -> Result<(), Failure> {
        if let Some(drain) = self.drain.take() {
            drain.close().await?;
        }
        self.call_back.send_replace(true);
        while let Some(back) = self.away.join_next().await {
            self.take_in(back)?;
        }
        for member in &mut self.members {
            member.close().await;
        }
        if let Some(last) = &mut self.last {
            last.close().await;
        }
        Ok(())
    }
}
