//! Buffers: stages that keep records by themselves.

use std::future::Future;
use std::sync::Arc;

use tokio::sync::{mpsc, watch};

use super::{Checkpoints, Counters, Plugin, Shutdown, Stopped};
use crate::Result;
use crate::ack::{Ack, Outcome};
use crate::data::Chunk;
use crate::ledger::{Count, Fate, GivenUp, Ledger, Origin, Pressing};

/// Takes records into its own safe keeping, and hands them on in its own time.
///
/// It stands in the middle of a task like a transform, and cuts it in two: what it has stored is
/// delivered as far as the input is concerned, and what it hands on is its own until that has
/// arrived.
pub trait Buffer: Plugin {
    /// Takes and hands on, until nothing more will come. Called once.
    ///
    /// When the inbox ends without a `shutdown`, everything that is kept is handed on before this
    /// returns. When `shutdown` is triggered nothing more is begun to be handed on: what still comes in
    /// is stored, what is under way is waited for, and the rest is kept for the next start.
    ///
    /// # Errors
    /// The task ends and starts again with back-off. What came in and was not stored yet is read again.
    fn run(
        self,
        inbox: Inbox,
        out: BufferEmitter,
        shutdown: Shutdown,
    ) -> impl Future<Output = Result<()>> + Send;
}

/// What comes in to a buffer.
#[derive(Debug)]
pub struct Inbox {
    receiver: mpsc::Receiver<Chunk>,
    counters: Arc<Counters>,
}

/// Where a buffer puts what it hands on, and where it accounts for what it keeps.
#[derive(Clone)]
pub struct BufferEmitter {
    sender: mpsc::Sender<Chunk>,
    checkpoints: Checkpoints,
    counters: Arc<Counters>,
    ledger: Arc<Ledger>,
}

impl Inbox {
    /// What comes in through a channel.
    pub fn new(receiver: mpsc::Receiver<Chunk>, counters: Arc<Counters>) -> Self {
        Inbox { receiver, counters }
    }

    /// The next chunk; `None` when nothing more will come. May be dropped half-way: nothing is lost.
    pub async fn recv(&mut self) -> Option<Chunk> {
        let chunk = self.receiver.recv().await?;
        self.counters.received(chunk.len());
        Some(chunk)
    }

    /// The next chunk, if one waits.
    pub fn try_recv(&mut self) -> Option<Chunk> {
        let chunk = self.receiver.try_recv().ok()?;
        self.counters.received(chunk.len());
        Some(chunk)
    }
}

impl BufferEmitter {
    /// An emitter into a channel.
    pub fn new(
        sender: mpsc::Sender<Chunk>,
        checkpoints: Checkpoints,
        counters: Arc<Counters>,
        ledger: Arc<Ledger>,
    ) -> Self {
        BufferEmitter { sender, checkpoints, counters, ledger }
    }

    /// Settles what came in as safely stored, and takes it into the buffer's account.
    pub fn stored(&self, chunk: Chunk) {
        chunk.settle_as(&Fate::Stored { place: self.counters.place().clone() });
    }

    /// As [`BufferEmitter::stored`], of a batch of which no more was kept than its ack and what it counted.
    pub fn stored_as(&self, ack: Ack, count: Count) {
        ack.settle_as(Fate::Stored { place: self.counters.place().clone() }, count);
    }

    /// Hands on a chunk of what is kept; `settled` hears what became of it, from whichever thread
    /// settles it last, and must not block. When it errored it is still the buffer's: the task starts
    /// again, and the buffer is to hand it on once more.
    ///
    /// # Errors
    /// When the task goes down.
    pub async fn emit(
        &self,
        mut chunk: Chunk,
        settled: impl FnOnce(Outcome) + Send + Sync + 'static,
    ) -> Result<(), Stopped> {
        let all = Ack::new(settled);
        let origin = Origin::Buffer(self.counters.place().clone());
        for batch in chunk.batches_mut() {
            let (ledger, origin, count) = (self.ledger.clone(), origin.clone(), batch.count());
            let (checkpoints, all) = (self.checkpoints.clone(), all.clone());
            batch.add_ack(Ack::tallied(move |outcome, tally| {
                ledger.settled(&origin, count, outcome, tally);
                if outcome == Outcome::Errored {
                    checkpoints.fail();
                }
                all.settle(outcome);
            }));
        }
        all.settle(Outcome::Delivered);
        let records = chunk.len();
        self.sender.send(chunk).await.map_err(|_| Stopped)?;
        self.counters.sent(records);
        Ok(())
    }

    /// What the ledger believes that the buffer holds. When the buffer's own files are gone, it has
    /// lost just that.
    pub fn known(&self) -> Count {
        self.ledger.buffer_known(self.counters.place())
    }

    /// Tells the ledger what the buffer really holds, and all that it ever told to be [`lost`](Self::lost)
    /// that is known where the buffer keeps its position. Called once, when it is opened: after a kill the
    /// ledger may be behind, and what is missing then was delivered but for this.
    pub fn holds(&self, held: Count, given_up: GivenUp) {
        self.ledger.buffer_holds(self.counters.place(), held, given_up);
    }

    /// Counts what the buffer held and has lost. `reason` is one of a few fixed phrases.
    pub fn lost(&self, lost: Count, reason: &str) {
        let records = usize::try_from(lost.records).unwrap_or(usize::MAX);
        self.counters.dropped(records, reason);
        self.ledger.buffer_lost(self.counters.place(), lost, &reason.into());
    }

    /// What was told to be lost with this reason while it was on its way was delivered after all.
    pub fn found_again(&self, count: Count, reason: &str) {
        self.ledger.buffer_found_again(self.counters.place(), count, &reason.into());
    }

    /// Loses a chunk that came in and is not stored, and counts it. `reason` is one of a few fixed
    /// phrases.
    pub fn drop_chunk(&self, chunk: Chunk, reason: &str) {
        self.counters.dropped(chunk.len(), reason);
        let place = self.counters.place().clone();
        chunk.settle_as(&Fate::Dropped { place, reason: reason.into() });
    }

    /// Moves when the input waits until more may be on its way: then what came in should be stored
    /// soon.
    pub fn pressure(&self) -> watch::Receiver<usize> {
        self.ledger.pressure().watch()
    }

    /// Says, for as long as what is given back lives, that the buffer waits for what it has handed on:
    /// steps behind it that hold records let them go.
    pub fn press(&self) -> Pressing {
        self.ledger.pressure().press()
    }

    /// What is counted for this buffer: errors are its own to count.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }
}
