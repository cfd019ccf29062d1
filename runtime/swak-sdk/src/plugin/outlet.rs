//! Where a transform puts what it made.

use std::mem;
use std::sync::Arc;

use super::Counters;
use crate::ack::Outcome;
use crate::data::{Batch, Chunk};
use crate::ledger::Fate;

/// Where a transform puts what it made, and where it accounts for what it left out.
///
/// Every record that comes in goes out by one of these ways: [`emit`](Outlet::emit),
/// [`filter_out`](Outlet::filter_out), [`drop_batch`](Outlet::drop_batch), [`reject`](Outlet::reject).
#[derive(Debug)]
pub struct Outlet {
    chunks: Vec<Chunk>,
    open: Chunk,
    dead: Vec<DeadLetter>,
    counters: Arc<Counters>,
}

/// Records that can never be delivered, and why.
#[derive(Debug)]
pub struct DeadLetter {
    /// The records; settling the batch settles its part of the ack.
    pub batch: Batch,
    /// Why, in a few words.
    pub reason: String,
}

impl Outlet {
    /// An empty outlet.
    pub fn new(counters: Arc<Counters>) -> Self {
        Outlet { chunks: Vec::new(), open: Chunk::default(), dead: Vec::new(), counters }
    }

    /// Hands on a batch. What is emitted while one chunk is worked on stays one chunk.
    pub fn emit(&mut self, batch: Batch) {
        if batch.is_empty() {
            // Whatever was in it is accounted for; nobody else will settle it.
            batch.settle(Outcome::Delivered);
        } else {
            self.counters.sent(batch.len());
            self.open.push(batch);
        }
    }

    /// Hands on a chunk of its own: what a buffer lets go at once.
    pub fn emit_chunk(&mut self, chunk: Chunk) {
        self.end_chunk();
        for batch in chunk {
            self.emit(batch);
        }
        self.end_chunk();
    }

    /// Leaves out records as the recipe asked: those that
    /// [`Batch::extract`](crate::data::Batch::extract) took from their batch.
    pub fn filter_out(&mut self, batch: Batch) {
        self.counters.filtered(batch.len());
        batch.settle_as(Fate::Filtered { place: self.counters.place().clone() });
    }

    /// What is counted for this step, for what leaves it by another way than record by record.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Counts something that went wrong although the record was kept.
    pub fn error(&mut self) {
        self.counters.error();
    }

    /// Loses a batch, and says so. `reason` is one of a few fixed phrases.
    pub fn drop_batch(&mut self, batch: Batch, reason: &str) {
        if batch.is_empty() {
            return batch.settle(Outcome::Delivered);
        }
        self.counters.dropped(batch.len(), reason);
        let place = self.counters.place().clone();
        batch.settle_as(Fate::Dropped { place, reason: reason.into() });
    }

    /// Gives up a batch that can never be delivered: it goes to the task's dead letters, or is
    /// dropped and counted when there are none.
    pub fn reject(&mut self, batch: Batch, reason: impl Into<String>) {
        if batch.is_empty() {
            batch.settle(Outcome::Delivered);
        } else {
            self.dead.push(DeadLetter { batch, reason: reason.into() });
        }
    }

    /// Ends the chunk that is being made.
    pub fn end_chunk(&mut self) {
        if !self.open.batches().is_empty() {
            self.chunks.push(mem::take(&mut self.open));
        }
    }

    /// Takes what was made.
    pub fn take(&mut self) -> (Vec<Chunk>, Vec<DeadLetter>) {
        self.end_chunk();
        (mem::take(&mut self.chunks), mem::take(&mut self.dead))
    }
}
