//! Where an input puts its batches.

use std::fmt;
use std::sync::Arc;

use tokio::sync::mpsc;

use super::{Checkpoints, Counters};
use crate::ack::{Ack, Delivery, Outcome};
use crate::data::{Batch, Chunk, Name};

/// Where an input puts its batches. Waits while the stages after it are full; clones write to the
/// same place.
///
/// A call that emits must be awaited to its end: when its future is dropped half-way, as
/// `tokio::select!` drops the branches that lose, the batch is dropped with it, which counts as
/// errored. There is no need to give up waiting: when the task goes down, the call returns
/// [`Stopped`].
///
/// A batch without records goes nowhere; its ack is settled as delivered, so that
/// [`Emitter::emit_at`] can also move a position past what holds no record.
#[derive(Clone)]
pub struct Emitter {
    sender: mpsc::Sender<Chunk>,
    tag: Name,
    checkpoints: Checkpoints,
    counters: Arc<Counters>,
}

/// The task is going down; an input that is told so returns `Ok(())` or this error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stopped;

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the task is stopping")
    }
}

impl std::error::Error for Stopped {}

impl Emitter {
    /// An emitter into a channel; `tag` is given to batches that have none.
    pub fn new(
        sender: mpsc::Sender<Chunk>,
        tag: Name,
        checkpoints: Checkpoints,
        counters: Arc<Counters>,
    ) -> Self {
        Emitter { sender, tag, checkpoints, counters }
    }

    /// Hands on a batch whose fate the input does not follow.
    pub async fn emit(&self, batch: Batch) -> Result<(), Stopped> {
        self.emit_chunk(batch.into()).await
    }

    /// Hands on batches that are to stay together.
    pub async fn emit_chunk(&self, chunk: Chunk) -> Result<(), Stopped> {
        let Some(chunk) = self.prepare(chunk) else { return Ok(()) };
        let records = chunk.len();
        self.sender.send(chunk).await.map_err(|_| Stopped)?;
        self.counters.sent(records);
        Ok(())
    }

    /// Hands on a batch, and gives the future of what becomes of it: for inputs that must answer a
    /// peer.
    pub async fn emit_tracked(&self, batch: Batch) -> Result<Delivery, Stopped> {
        let (ack, delivery) = Ack::channel();
        self.emit(batch.with_ack(ack)).await?;
        Ok(delivery)
    }

    /// Hands on a batch after which the input stands at `position` in `key`. The engine stores the
    /// position once this batch and all before it of the same key are delivered. When one cannot be,
    /// the task starts again, from the stored positions.
    pub async fn emit_at(
        &self,
        batch: Batch,
        key: &str,
        position: impl Into<String>,
    ) -> Result<(), Stopped> {
        let ack = self.checkpoints.track(key, position.into());
        self.emit(batch.with_ack(ack)).await
    }

    /// The stored positions of this input.
    pub fn checkpoints(&self) -> &Checkpoints {
        &self.checkpoints
    }

    /// What is counted for this input: errors and losses are its own to count, records that are
    /// emitted are not.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Waits until nothing can be emitted any more: for inputs that wait for something that may never
    /// come. At an orderly stop that is later than [`Shutdown`](super::Shutdown) says so.
    pub async fn closed(&self) {
        self.sender.closed().await;
    }

    /// For inputs that read with blocking calls in a thread of their own.
    pub fn blocking(self) -> BlockingEmitter {
        BlockingEmitter(self)
    }

    /// Tags and counts. `None` when there is no record: the stages never see a batch without any.
    fn prepare(&self, mut chunk: Chunk) -> Option<Chunk> {
        for empty in chunk.batches_mut().extract_if(.., |batch| batch.is_empty()) {
            empty.settle(Outcome::Delivered);
        }
        for batch in chunk.batches_mut() {
            if batch.tag.is_empty() {
                batch.tag = self.tag.clone();
            }
        }
        self.counters.received(chunk.len());
        (!chunk.batches().is_empty()).then_some(chunk)
    }
}

/// An [`Emitter`] for a thread that may block; the same calls, without `await`. They panic when called
/// from asynchronous code.
#[derive(Clone)]
pub struct BlockingEmitter(Emitter);

impl BlockingEmitter {
    /// See [`Emitter::emit`].
    pub fn emit(&self, batch: Batch) -> Result<(), Stopped> {
        let Some(chunk) = self.0.prepare(batch.into()) else { return Ok(()) };
        let records = chunk.len();
        self.0.sender.blocking_send(chunk).map_err(|_| Stopped)?;
        self.0.counters.sent(records);
        Ok(())
    }

    /// See [`Emitter::emit_tracked`].
    pub fn emit_tracked(&self, batch: Batch) -> Result<Delivery, Stopped> {
        let (ack, delivery) = Ack::channel();
        self.emit(batch.with_ack(ack))?;
        Ok(delivery)
    }

    /// See [`Emitter::emit_at`].
    pub fn emit_at(
        &self,
        batch: Batch,
        key: &str,
        position: impl Into<String>,
    ) -> Result<(), Stopped> {
        let ack = self.0.checkpoints.track(key, position.into());
        self.emit(batch.with_ack(ack))
    }

    /// The stored positions of this input.
    pub fn checkpoints(&self) -> &Checkpoints {
        &self.0.checkpoints
    }

    /// See [`Emitter::counters`].
    pub fn counters(&self) -> &Counters {
        &self.0.counters
    }
}

#[cfg(test)]
mod tests {
    use super::super::{CheckpointStore, CountersSnapshot};
    use super::*;
    use crate::data::{Record, Timestamp};

    struct Nowhere;

    impl CheckpointStore for Nowhere {
        fn get(&self, _: &str) -> Option<String> {
            None
        }
        fn set(&self, _: &str, _: &str) {}
        fn remove(&self, _: &str) {}
        fn entries(&self) -> Vec<(String, String)> {
            Vec::new()
        }
    }

    fn emitter(sender: mpsc::Sender<Chunk>) -> Emitter {
        Emitter::new(sender, "test".into(), Checkpoints::new(Box::new(Nowhere)), Arc::default())
    }

    fn record() -> Batch {
        Batch::new(vec![Record::from_line("a", Timestamp::default())])
    }

    #[test]
    fn a_batch_without_records_is_delivered_and_goes_nowhere() {
        let (sender, mut inbox) = mpsc::channel(4);
        let out = emitter(sender).blocking();
        let mut empty = out.emit_tracked(Batch::new(Vec::new())).unwrap();
        assert_eq!(empty.peek(), Some(Outcome::Delivered));
        let mut full = out.emit_tracked(record()).unwrap();
        assert_eq!(full.peek(), None);
        assert_eq!(inbox.try_recv().unwrap().len(), 1);
        assert!(inbox.try_recv().is_err());
    }

    #[test]
    fn what_was_taken_is_counted_as_sent() {
        let (sender, inbox) = mpsc::channel(4);
        let out = emitter(sender).blocking();
        out.emit(record()).unwrap();
        out.counters().error();
        drop(inbox);
        assert_eq!(out.emit(record()), Err(Stopped));
        let counted = CountersSnapshot { received: 2, sent: 1, errors: 1, ..Default::default() };
        assert_eq!(out.counters().snapshot(), counted);
    }
}
