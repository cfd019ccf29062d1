//! Outputs that stand in for each other.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, DefaultHasher, Hash, Hasher, RandomState};
use std::net::UdpSocket;
use std::time::Duration;

use swak_recipe::model::StartBy;
use swak_sdk::Error;
use swak_sdk::data::{Chunk, RecordRef, json};
use swak_sdk::options::FieldPath;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};

use crate::Backoff;
use crate::settings::When;
use crate::sink::{Attempt, Port};
use crate::step::{Failure, StepInfo};

/// Outputs that stand in for each other: a chunk goes to the first one that takes it.
///
/// An output that failed is left alone for a while and then tried again with the next chunk, so the
/// flow goes back to it by itself. When all have failed the chunk goes to `last`; without a `last`,
/// round and round until one takes it. One that can never write again is left alone for good, and
/// only when none remains does the task end.
pub(crate) struct Failover {
    members: Vec<Member>,
    last: Option<Member>,
    start: Start,
    retry: Backoff,
    step: StepInfo,
}

pub(crate) struct Member {
    port: Port,
    rest: Backoff,
    /// Not before this, after a failure.
    again: Option<Instant>,
    /// Why it can never write again.
    closed: Option<Error>,
}

/// Which member is tried first.
pub(crate) enum Start {
    /// The same one for every record.
    At(usize),
    /// By the hash of a field.
    Field(FieldPath),
}

impl Start {
    /// Decides what can be decided once.
    pub(crate) fn new(by: &StartBy, members: usize) -> swak_sdk::Result<Self> {
        let pick = |hash: u64| Start::At((hash % members.max(1) as u64) as usize);
        Ok(match by {
            StartBy::First => Start::At(0),
            StartBy::Random => pick(RandomState::new().hash_one(0)),
            StartBy::Ip => pick(hash_of(&own_address())),
            StartBy::Field(path) => Start::Field(path.parse::<FieldPath>()?),
        })
    }
}

impl Failover {
    pub(crate) fn new(
        ports: Vec<Port>,
        last: Option<Port>,
        start: Start,
        retry: Backoff,
        step: StepInfo,
    ) -> Self {
        let rest = Backoff::new(Duration::from_secs(1), Duration::from_secs(30));
        let member = |port| Member { port, rest, again: None, closed: None };
        let members = ports.into_iter().map(member).collect();
        Failover { members, last: last.map(member), start, retry, step }
    }

    /// Runs until the inbox is closed and empty, then closes the outputs.
    pub(crate) async fn run(mut self, mut inbox: mpsc::Receiver<Chunk>) -> Result<(), Failure> {
        while let Some(chunk) = inbox.recv().await {
            self.step.counters.received(chunk.len());
            for (start, part) in self.split(chunk) {
                self.deliver(start, part).await?;
            }
        }
        for member in self.members.iter_mut().chain(&mut self.last) {
            if member.closed.is_none() {
                member.port.close().await;
            }
        }
        Ok(())
    }

    async fn deliver(&mut self, start: usize, mut chunk: Chunk) -> Result<(), Failure> {
        let records = chunk.len();
        loop {
            let (before, from_start) = self.members.split_at_mut(start);
            let rested = |member: &&mut Member| member.again.is_none_or(|at| at <= Instant::now());
            let turn = from_start.iter_mut().chain(before).filter(rested).chain(&mut self.last);
            for member in turn.filter(|member| member.closed.is_none()) {
                match member.attempt(chunk).await {
                    Ok(()) => {
                        self.retry.reset();
                        self.step.counters.sent(records);
                        return Ok(());
                    }
                    Err(left) => chunk = left,
                }
            }
            self.check_open()?;
            sleep(self.retry.wait()).await;
        }
    }

    /// Fails when nobody is left to write to; the first one says why.
    fn check_open(&mut self) -> Result<(), Failure> {
        let mut members = self.members.iter_mut().chain(&mut self.last);
        let Some(first) = members.next() else { return Ok(()) };
        if !members.all(|member| member.closed.is_some()) {
            return Ok(());
        }
        match first.closed.take() {
            Some(error) => Err(first.port.step.ended(error)),
            None => Ok(()),
        }
    }

    /// The parts of a chunk by the member they start with; order within a part is kept.
    fn split(&self, chunk: Chunk) -> BTreeMap<usize, Chunk> {
        let path = match &self.start {
            Start::At(start) => return BTreeMap::from([(*start, chunk)]),
            Start::Field(path) => path,
        };
        let mut parts = BTreeMap::<usize, Chunk>::new();
        for mut batch in chunk {
            let mut starts: Vec<usize> = batch
                .iter()
                .map(|r| (field_hash(r, path) % self.members.len().max(1) as u64) as usize)
                .collect();
            let mut used = starts.clone();
            used.sort_unstable();
            used.dedup();
            let Some((last, others)) = used.split_last() else { continue };
            for start in others {
                let mut of_each = starts.iter();
                let part = batch.extract(|_| of_each.next() == Some(start));
                starts.retain(|s| s != start);
                parts.entry(*start).or_default().push(part);
            }
            parts.entry(*last).or_default().push(batch);
        }
        parts
    }
}

impl Member {
    /// Tries once; what is left comes back, and is not counted as received.
    async fn attempt(&mut self, chunk: Chunk) -> Result<(), Chunk> {
        let records = chunk.len();
        self.port.step.trace(When::Before, &chunk);
        let left = match self.port.attempt(chunk).await {
            Attempt::Done => {
                self.again = None;
                self.rest.reset();
                self.port.step.counters.received(records);
                return Ok(());
            }
            Attempt::Left(left) => {
                self.again = Some(Instant::now() + self.rest.wait());
                left
            }
            Attempt::Closed(left, error) => {
                self.port.step.counters.error();
                let (task, step) = (&*self.port.step.task, &*self.port.step.label);
                tracing::error!(task, step, "can never write again: {error:#}");
                self.closed = Some(error);
                left
            }
        };
        self.port.step.counters.received(records - left.len());
        Err(left)
    }
}

/// Equal values have equal hashes on every machine and in every run of one version; a missing field
/// is a value like any other.
fn field_hash(record: RecordRef<'_>, path: &FieldPath) -> u64 {
    let mut text = Vec::new();
    if let Some(value) = path.get(&record.to_map()) {
        json::write_value(&mut text, value);
    }
    hash_of(&text)
}

fn hash_of(value: &impl Hash) -> u64 {
    // `DefaultHasher::new` has fixed keys, unlike `RandomState`.
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// The address that this machine would send from; no packet is sent. Machines without a network all
/// choose the same member.
fn own_address() -> String {
    // TEST-NET-1 (RFC 5737) and the prefix for documentation (RFC 3849): only the route is looked up.
    let routes = [("0.0.0.0:0", "192.0.2.1:9"), ("[::]:0", "[2001:db8::1]:9")];
    let address = |(from, to): (&str, &str)| {
        let socket = UdpSocket::bind(from).ok()?;
        socket.connect(to).ok()?;
        Some(socket.local_addr().ok()?.ip().to_string())
    };
    routes.into_iter().find_map(address).unwrap_or_default()
}
