//! From messages to batches.

use std::sync::Arc;

use swak_sdk::ack::{Ack, Outcome};
use swak_sdk::data::{Batch, Name, Record, Timestamp};
use swak_sdk::plugin::{Counters, Emitter, Stopped};
use tokio::sync::mpsc;

use super::answer::Unanswered;
use crate::forward::Message;

/// The most records of a batch. A large message becomes several, so that its records do not all
/// have to be in memory at once.
const MAX_BATCH: usize = 1024;

/// Hands on the events of one peer.
pub(super) struct Deliver {
    out: Emitter,
    source: Name,
    counters: Arc<Counters>,
    tag: Name,
    records: Vec<Record>,
}

impl Deliver {
    pub(super) fn new(out: Emitter, source: Name, counters: Arc<Counters>) -> Self {
        Deliver { out, source, counters, tag: Name::default(), records: Vec::new() }
    }

    /// Hands on the events of a message. Those of several messages that ask for no ack may travel
    /// together; [`Deliver::flush`] lets go of the last.
    pub(super) async fn message(
        &mut self,
        mut message: Message,
        unanswered: &mpsc::Sender<Unanswered>,
    ) -> Result<(), Stopped> {
        if message.tag != self.tag || message.chunk.is_some() {
            self.flush().await?;
            self.tag = message.tag;
        }
        let tracked = message.chunk.map(|chunk| (chunk, Ack::channel()));
        let ack = tracked.as_ref().map(|(_, (ack, _))| ack);
        let received = Timestamp::now();
        while let Some(record) = message.entries.next(received) {
            match record {
                Ok(record) => self.records.push(record),
                Err(error) => {
                    self.counters.received(1);
                    self.counters.dropped(1, "not an event of the Forward protocol");
                    tracing::warn!(peer = %self.source, tag = %self.tag, "dropped an event: {error}");
                }
            }
            if self.records.len() == MAX_BATCH {
                self.emit(ack).await?;
            }
        }
        if let Some((chunk, (ack, delivery))) = tracked {
            self.emit(Some(&ack)).await?;
            ack.settle(Outcome::Delivered);
            // Nobody answers any more: the connection is closing.
            let _ = unanswered.send(Unanswered { chunk, delivery }).await;
        }
        Ok(())
    }

    /// Lets go of what is held back.
    pub(super) async fn flush(&mut self) -> Result<(), Stopped> {
        self.emit(None).await
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
