//! From messages to batches.

use std::net::IpAddr;
use std::sync::Arc;

use swak_sdk::ack::{Ack, Outcome};
use swak_sdk::data::{Batch, Name, Record, Slice, Timestamp};
use swak_sdk::plugin::{Counters, Emitter, Stopped};

use super::answer::Answering;
use super::seen::Seen;
use crate::forward::{Entries, Message};

/// The most records of a batch. A large message becomes several, so that its records do not all
/// have to be in memory at once.
const MAX_BATCH: usize = 1024;

/// Hands on the events of one peer.
pub(super) struct Deliver {
    out: Emitter,
    source: Name,
    address: Option<IpAddr>,
    counters: Arc<Counters>,
    seen: Arc<Seen>,
    tag: Name,
    records: Vec<Record>,
}

impl Deliver {
    pub(super) fn new(
        out: Emitter,
        source: Name,
        address: Option<IpAddr>,
        counters: Arc<Counters>,
        seen: Arc<Seen>,
    ) -> Self {
        let (tag, records) = (Name::default(), Vec::new());
        Deliver { out, source, address, counters, seen, tag, records }
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
        let Some(chunk) = chunk else { return self.events(entries, None).await };
        let key = self.seen.key(self.address, &chunk, bytes);
        let (ack, verdict) = self.seen.begin(key);
        match ack {
            Some(ack) => {
                self.events(entries, Some(&ack)).await?;
                self.emit(Some(&ack)).await?;
                ack.settle(Outcome::Delivered);
            }
            None => tracing::debug!(peer = %self.source, tag = %self.tag, "a chunk came again"),
        }
        answering.answer(chunk, verdict).await;
        Ok(())
    }

    /// Lets go of what is held back.
    pub(super) async fn flush(&mut self) -> Result<(), Stopped> {
        self.emit(None).await
    }

    async fn events(&mut self, mut entries: Entries, ack: Option<&Ack>) -> Result<(), Stopped> {
        let received = Timestamp::now();
        let mut bad = None;
        while let Some(record) = entries.next(received) {
            match record {
                Ok(record) => self.records.push(record),
                Err(error) => bad = Some((bad.map_or(1, |(n, _)| n + 1), error)),
            }
            if self.records.len() == MAX_BATCH {
                self.emit(ack).await?;
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

    async fn emit(&mut self, ack: Option<&Ack>) -> Result<(), Stopped> {
        if self.records.is_empty() {
            return Ok(());
        }
        let batch = Batch::new(std::mem::take(&mut self.records))
            .with_tag(self.tag.clone())
            .with_source(self.source.clone());
        self.out
            .emit(match ack {
                Some(ack) => batch.with_ack(ack.clone()),
                None => batch,
            })
            .await
    }
}
