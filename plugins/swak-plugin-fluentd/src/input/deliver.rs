//! From messages to batches.

use std::net::IpAddr;
use std::sync::Arc;

use swak_sdk::ack::{Ack, Outcome};
use swak_sdk::data::{Batch, Name, Record, Slice, Timestamp};
use swak_sdk::plugin::{Counters, Emitter, Stopped};

use tokio::sync::watch;

use super::answer::Answering;
use super::seen::Seen;
use crate::forward::{Entries, Event, Message};

/// The most records of a batch. A large message becomes several, so that its records do not all
/// have to be in memory at once.
const MAX_BATCH: usize = 1024;

/// About the most memory of a batch, beside that of its last record.
const MAX_BATCH_MEMORY: usize = 1 << 20;

/// Hands on the events of one peer.
pub(super) struct Deliver {
    out: Emitter,
    source: Name,
    address: Option<IpAddr>,
    counters: Arc<Counters>,
    seen: Arc<Seen>,
    left: Left,
    tag: Name,
    records: Vec<Record>,
    /// What the records take.
    memory: usize,
}

/// Hears that the peer has left: nobody waits for an ack any more.
pub(super) type Left = watch::Receiver<bool>;

/// Why events are not handed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Halt {
    Stopped,
    /// The peer has left before anything of the message was taken. It sends it again.
    Left,
}

impl From<Stopped> for Halt {
    fn from(_: Stopped) -> Self {
        Halt::Stopped
    }
}

impl Deliver {
    pub(super) fn new(
        out: Emitter,
        source: Name,
        address: Option<IpAddr>,
        counters: Arc<Counters>,
        seen: Arc<Seen>,
        left: Left,
    ) -> Self {
        let (tag, records, memory) = (Name::default(), Vec::new(), 0);
        Deliver { out, source, address, counters, seen, left, tag, records, memory }
    }

    /// Hands on the events of a message, which came as these bytes. Those of several messages that ask
    /// for no ack may travel together; [`Deliver::flush`] lets go of the last.
    pub(super) async fn message(
        &mut self,
        message: Message,
        bytes: &Slice,
        answering: &Answering,
    ) -> Result<(), Stopped> {
        let Message { tag, entries, chunk } = message;
        if tag != self.tag || chunk.is_some() {
            self.flush().await?;
            self.tag = tag;
        }
        let Some(chunk) = chunk else { return ended(self.events(entries, None).await) };
        let key = self.seen.key(self.address, &chunk, bytes);
        let (ack, verdict) = self.seen.begin(key);
        if let Some(ack) = ack {
            let mut tracked = Tracked { ack: &ack, begun: false };
            let events = self.events(entries, Some(&mut tracked)).await;
            match events.and(self.emit(Some(&mut tracked)).await) {
                Ok(()) => ack.settle(Outcome::Delivered),
                halted => {
                    answering.let_go();
                    return ended(halted);
                }
            }
        } else {
            tracing::debug!(peer = %self.source, tag = %self.tag, "a chunk came again");
        }
        tokio::select! {
            () = answering.answer(chunk, verdict) => {}
            () = has_left(&mut self.left) => {}
        }
        Ok(())
    }

    /// Lets go of what is held back.
    pub(super) async fn flush(&mut self) -> Result<(), Stopped> {
        ended(self.emit(None).await)
    }

    async fn events(
        &mut self,
        mut entries: Entries,
        mut tracked: Option<&mut Tracked<'_>>,
    ) -> Result<(), Halt> {
        let received = Timestamp::now();
        let mut bad = None;
        while let Some(event) = entries.next(received) {
            match event {
                Ok(Event { record, memory }) => {
                    self.records.push(record);
                    self.memory += memory;
                }
                Err(error) => bad = Some((bad.map_or(1, |(n, _)| n + 1), error)),
            }
            if self.records.len() == MAX_BATCH || self.memory >= MAX_BATCH_MEMORY {
                self.emit(tracked.as_deref_mut()).await?;
            }
        }
        if let Some((n, error)) = bad {
            self.counters.received(n);
            self.counters.dropped(n, "not an event of the Forward protocol");
            let (peer, tag) = (&*self.source, &*self.tag);
            tracing::warn!(peer, tag, events = n, "dropped what is no event: {error}");
        }
        Ok(())
    }

    async fn emit(&mut self, tracked: Option<&mut Tracked<'_>>) -> Result<(), Halt> {
        self.memory = 0;
        if self.records.is_empty() {
            return Ok(());
        }
        let batch = Batch::new(std::mem::take(&mut self.records))
            .with_tag(self.tag.clone())
            .with_source(self.source.clone());
        let Some(tracked) = tracked else { return Ok(self.out.emit(batch).await?) };
        let emitted = self.out.emit(batch.with_ack(tracked.ack.clone()));
        if tracked.begun {
            // What was begun is brought to its end: else a part of it would come twice.
            emitted.await?;
        } else {
            tokio::select! {
                biased;
                emitted = emitted => emitted?,
                () = has_left(&mut self.left) => return Err(Halt::Left),
            }
            tracked.begun = true;
        }
        Ok(())
    }
}

/// A message that asks for an ack.
struct Tracked<'a> {
    ack: &'a Ack,
    /// Whether the task has taken events of it.
    begun: bool,
}

/// With a peer that has left only its message ends.
fn ended(result: Result<(), Halt>) -> Result<(), Stopped> {
    match result {
        Ok(()) | Err(Halt::Left) => Ok(()),
        Err(Halt::Stopped) => Err(Stopped),
    }
}

/// Waits until the peer has left.
pub(super) async fn has_left(left: &mut Left) {
    if left.wait_for(|left| *left).await.is_err() {
        // Nobody looks any more.
        std::future::pending::<()>().await;
    }
}
