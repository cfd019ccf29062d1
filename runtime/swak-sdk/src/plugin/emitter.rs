//! Where an input puts its batches.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use tokio::sync::mpsc;

use super::{Checkpoints, Counters, Help};
use crate::ack::{Ack, Delivery, Outcome};
use crate::data::{Batch, Chunk, Name};
use crate::ledger::{Count, Ledger, Origin};

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
///
/// As soon as a batch has set out it stands in the task's ledger. One that fails on the way counts as
/// given back to the input if it had a position or an ack, and else as lost: nobody can be asked for
/// it again.
#[derive(Clone)]
pub struct Emitter {
    sender: mpsc::Sender<Chunk>,
    tag: Name,
    checkpoints: Checkpoints,
    counters: Arc<Counters>,
    ledger: Arc<Ledger>,
    help: Option<Arc<dyn Help>>,
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
        ledger: Arc<Ledger>,
    ) -> Self {
        Emitter { sender, tag, checkpoints, counters, ledger, help: None }
    }

    /// With who takes what goes into the channel, so that threads that may block can help.
    #[must_use]
    pub fn helping(mut self, help: Arc<dyn Help>) -> Self {
        self.help = Some(help);
        self
    }

    /// Hands on a batch whose fate the input does not follow.
    pub async fn emit(&self, batch: Batch) -> Result<(), Stopped> {
        self.emit_chunk(batch.into()).await
    }

    /// Hands on batches that are to stay together.
    pub async fn emit_chunk(&self, chunk: Chunk) -> Result<(), Stopped> {
        let Some(chunk) = self.prepare(chunk) else { return Ok(()) };
        self.set_out(Setting { out: self, chunk: Some(chunk), position: None }).await
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
        let Some(chunk) = self.prepare(batch.into()) else {
            self.checkpoints.track(key, position.into(), 0).settle(Outcome::Delivered);
            return Ok(());
        };
        let position = Some((key, position.into()));
        self.set_out(Setting { out: self, chunk: Some(chunk), position }).await
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
            batch.weigh();
        }
        self.counters.received(chunk.len());
        (!chunk.batches().is_empty()).then_some(chunk)
    }

    async fn set_out(&self, mut setting: Setting<'_>) -> Result<(), Stopped> {
        let count = setting.count();
        let mut entered = pin!(self.ledger.when_room_for(count, || setting.enter()));
        let mut closed = pin!(self.sender.closed());
        let chunk = poll_fn(|cx| match entered.as_mut().poll(cx) {
            Poll::Ready(chunk) => Poll::Ready(Ok(chunk)),
            Poll::Pending => closed.as_mut().poll(cx).map(|()| Err(Stopped)),
        });
        let chunk = chunk.await?;
        let records = chunk.len();
        self.sender.send(chunk).await.map_err(|_| Stopped)?;
        self.counters.sent(records);
        Ok(())
    }

    /// Enters the chunk into the ledger, which hears what becomes of it.
    fn enter(&self, mut chunk: Chunk, has_position: bool) -> Chunk {
        for batch in chunk.batches_mut() {
            let ledger = Arc::clone(&self.ledger);
            let (waiting, count) = (batch.take_ack(), batch.count());
            let origin = match waiting {
                Some(_) if has_position => Origin::Position,
                Some(_) => Origin::Again,
                None => Origin::Once(self.counters.place().clone()),
            };
            ledger.entered(&origin, count);
            let comes_again = matches!(origin, Origin::Position | Origin::Again);
            let ack = Ack::tallied(move |outcome, tally| {
                // Who waits until nothing is on its way must find that something has failed; but a
                // position must not move before the books did: after a kill they would not balance.
                let (before, after) = match outcome {
                    Outcome::Errored => (waiting, None),
                    _ => (None, waiting),
                };
                drop(before);
                ledger.settled(&origin, count, outcome, tally);
                if let Some(ack) = after {
                    ack.settle(outcome);
                }
            });
            batch.add_ack(ack.of_what_comes_again(comes_again));
        }
        chunk
    }
}

/// A chunk that is about to set out. One that does not, since the task goes down or nobody waits for
/// the call any more, has set out and failed: it must not be forgotten.
struct Setting<'a> {
    out: &'a Emitter,
    chunk: Option<Chunk>,
    /// Where the input stands after it.
    position: Option<(&'a str, String)>,
}

impl Setting<'_> {
    fn count(&self) -> Count {
        self.chunk.as_ref().map(Chunk::count).unwrap_or_default()
    }

    fn enter(&mut self) -> Chunk {
        let Some(mut chunk) = self.chunk.take() else { return Chunk::default() };
        let position = self.position.take();
        let has_position = position.is_some();
        if let Some((key, position)) = position {
            let ack = self.out.checkpoints.track(key, position, chunk.count().cost());
            chunk.batches_mut()[0].add_ack(ack);
        }
        self.out.enter(chunk, has_position)
    }
}

impl Drop for Setting<'_> {
    fn drop(&mut self) {
        drop(self.enter());
    }
}

/// An [`Emitter`] for a thread that may block; the same calls, without `await`. They must not be called
/// from asynchronous code, whose thread they would hold up.
#[derive(Clone)]
pub struct BlockingEmitter(Emitter);

impl BlockingEmitter {
    /// See [`Emitter::emit`].
    pub fn emit(&self, batch: Batch) -> Result<(), Stopped> {
        self.wait(bytes_of(&batch), self.0.emit(batch))
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
        self.wait(bytes_of(&batch), self.0.emit_at(batch, key, position))
    }

    /// The stored positions of this input.
    pub fn checkpoints(&self) -> &Checkpoints {
        &self.0.checkpoints
    }

    /// See [`Emitter::counters`].
    pub fn counters(&self) -> &Counters {
        &self.0.counters
    }

    /// Waits until so many bytes were handed over, and helps who takes them.
    fn wait<T>(&self, bytes: Option<usize>, emitted: impl Future<Output = T>) -> T {
        match self.0.help.as_deref().zip(bytes) {
            Some((help, bytes)) => block_on(emitted, |poll| help.help(bytes, poll)),
            None => block_on(emitted, |poll| poll()),
        }
    }
}

/// About how large a batch is; `None` for one without records, which goes nowhere.
fn bytes_of(batch: &Batch) -> Option<usize> {
    (!batch.is_empty()).then(|| batch.size())
}

/// Waits for a future that needs no runtime. `around` is given the function that polls it.
fn block_on<T>(future: impl Future<Output = T>, around: impl Fn(&mut dyn FnMut())) -> T {
    struct Unpark(Thread);

    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }

    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut cx = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        let mut polled = Poll::Pending;
        around(&mut || polled = future.as_mut().poll(&mut cx));
        match polled {
            Poll::Ready(value) => return value,
            Poll::Pending => thread::park(),
        }
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
        let checkpoints = Checkpoints::new(Box::new(Nowhere));
        Emitter::new(sender, "test".into(), checkpoints, Arc::default(), Arc::default())
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
