//! Where an input puts its batches.

use std::fmt;
use std::sync::Arc;

use tokio::sync::mpsc;

use super::{Checkpoints, Counters};
use crate::ack::{Ack, Delivery};
use crate::data::{Batch, Chunk, Name};

/// Where an input puts its batches. Waits while the stages after it are full; clones write to the
/// same place.
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
        self.sender.send(self.prepare(chunk)).await.map_err(|_| Stopped)
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

    /// For inputs that read with blocking calls in a thread of their own.
    pub fn blocking(self) -> BlockingEmitter {
        BlockingEmitter(self)
    }

    fn prepare(&self, mut chunk: Chunk) -> Chunk {
        for batch in chunk.batches_mut() {
            if batch.tag.is_empty() {
                batch.tag = self.tag.clone();
            }
        }
        self.counters.received(chunk.len());
        chunk
    }
}

/// An [`Emitter`] for a thread that may block; the same calls, without `await`.
#[derive(Clone)]
pub struct BlockingEmitter(Emitter);

impl BlockingEmitter {
    /// See [`Emitter::emit`].
    pub fn emit(&self, batch: Batch) -> Result<(), Stopped> {
        self.0.sender.blocking_send(self.0.prepare(batch.into())).map_err(|_| Stopped)
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
}
