//! What an input learns of its batches.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use tokio::sync::oneshot;

use crate::data::Name;
use crate::ledger::{Count, Fate, Tally};

/// What became of a batch; of several, the greatest counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Outcome {
    /// Delivered, filtered out on purpose, or safely stored.
    Delivered = 0,
    /// Can never be delivered; it was counted and, where the recipe says so, went to a dead letter.
    Rejected = 1,
    /// Not delivered; the input may try again.
    Errored = 2,
}

/// The handle that tells an input what became of a batch.
///
/// Cloning it is a fork: the input hears once all clones are settled, and the worst outcome wins.
/// A handle that is dropped unsettled counts as [`Outcome::Errored`], so that a panic can never look
/// like delivery.
#[derive(Debug)]
pub struct Ack {
    shared: Arc<Shared>,
    settled: bool,
}

/// Told once, when the last handle is gone.
type Listener = Box<dyn FnOnce(Outcome, Tally) + Send + Sync>;

struct Shared {
    worst: AtomicU8,
    tally: Mutex<Tally>,
    listener: Option<Listener>,
    /// The input gives the records again when they are not delivered.
    comes_again: bool,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "worst so far {}", self.worst.load(Ordering::Relaxed))
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        let outcome = match *self.worst.get_mut() {
            0 => Outcome::Delivered,
            1 => Outcome::Rejected,
            _ => Outcome::Errored,
        };
        let tally = std::mem::take(self.tally.get_mut().expect(UNBROKEN));
        if let Some(listener) = self.listener.take() {
            listener(outcome, tally);
        }
    }
}

impl Ack {
    /// An ack that calls this function once, from whichever thread settles the last handle. The
    /// function must be quick and must not block.
    pub fn new(settled: impl FnOnce(Outcome) + Send + Sync + 'static) -> Self {
        Ack::tallied(|outcome, _| settled(outcome))
    }

    /// An ack that hears what became of each record, too.
    pub(crate) fn tallied(settled: impl FnOnce(Outcome, Tally) + Send + Sync + 'static) -> Self {
        let shared = Shared {
            worst: AtomicU8::new(0),
            tally: Mutex::default(),
            listener: Some(Box::new(settled)),
            comes_again: false,
        };
        Ack { shared: Arc::new(shared), settled: false }
    }

    /// With this as whether the input gives the records again when they are not delivered.
    pub(crate) fn of_what_comes_again(mut self, comes_again: bool) -> Self {
        if let Some(shared) = Arc::get_mut(&mut self.shared) {
            shared.comes_again = comes_again;
        }
        self
    }

    /// Whether the input is known to give the records again when they are not delivered, also after a
    /// kill: it reads them once more, or waits to answer whoever has sent them.
    pub fn comes_again(&self) -> bool {
        self.shared.comes_again
    }

    /// An ack, and the future of its outcome.
    pub fn channel() -> (Self, Delivery) {
        let (sender, receiver) = oneshot::channel();
        let ack = Ack::new(move |outcome| {
            // An input that no longer waits does not want to know.
            let _ = sender.send(outcome);
        });
        (ack, Delivery { receiver, known: None })
    }

    /// One ack for several that wait for the same records: what settles it settles them all.
    pub fn join(acks: Vec<Ack>) -> Ack {
        let comes_again = acks.iter().all(Ack::comes_again);
        let joined = Ack::tallied(move |outcome, tally| {
            for ack in acks {
                ack.lock_tally().add(&tally);
                ack.settle(outcome);
            }
        });
        joined.of_what_comes_again(comes_again)
    }

    /// Says what became of the batch.
    pub fn settle(mut self, outcome: Outcome) {
        self.settled = true;
        self.shared.worst.fetch_max(outcome as u8, Ordering::Relaxed);
    }

    /// Says what became of some of its records, for the ledger, and that this handle is done.
    pub fn settle_as(self, fate: Fate, count: Count) {
        let outcome = fate.outcome();
        if count.records > 0 {
            self.lock_tally().note(fate, count);
        }
        self.settle(outcome);
    }

    /// As [`Ack::settle_as`], for records of which others were made that had this fate; buffers have taken
    /// so much of those.
    pub(crate) fn settle_made(self, fate: Fate, count: Count, taken: Vec<(Name, Count)>) {
        let outcome = fate.outcome();
        self.lock_tally().note_made(fate, count, taken);
        self.settle(outcome);
    }

    /// A fork for a second copy of these records.
    pub(crate) fn of_copy(&self, count: Count) -> Ack {
        self.lock_tally().copied(count);
        self.clone()
    }

    fn lock_tally(&self) -> std::sync::MutexGuard<'_, Tally> {
        self.shared.tally.lock().expect(UNBROKEN)
    }
}

const UNBROKEN: &str = "no panic while a tally is locked";

impl Clone for Ack {
    fn clone(&self) -> Self {
        Ack { shared: Arc::clone(&self.shared), settled: false }
    }
}

impl Drop for Ack {
    fn drop(&mut self) {
        if !self.settled {
            self.shared.worst.fetch_max(Outcome::Errored as u8, Ordering::Relaxed);
        }
    }
}

/// The future of what becomes of a batch.
#[derive(Debug)]
pub struct Delivery {
    receiver: oneshot::Receiver<Outcome>,
    known: Option<Outcome>,
}

impl Delivery {
    /// The outcome if it is known by now.
    pub fn peek(&mut self) -> Option<Outcome> {
        if self.known.is_none() {
            self.known = self.receiver.try_recv().ok();
        }
        self.known
    }

    /// Waits for it in a thread of its own.
    ///
    /// # Panics
    /// If called from asynchronous code.
    pub fn blocking_wait(self) -> Outcome {
        self.known.unwrap_or_else(|| self.receiver.blocking_recv().unwrap_or(Outcome::Errored))
    }
}

impl Future for Delivery {
    type Output = Outcome;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Outcome> {
        if let Some(known) = self.known {
            return Poll::Ready(known);
        }
        Pin::new(&mut self.receiver).poll(cx).map(|outcome| outcome.unwrap_or(Outcome::Errored))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome_of(settle: impl FnOnce(Ack)) -> Option<Outcome> {
        let (ack, mut delivery) = Ack::channel();
        settle(ack);
        delivery.peek()
    }

    #[test]
    fn the_worst_outcome_of_all_forks_wins() {
        let outcome = outcome_of(|ack| {
            let forks = [ack.clone(), ack.clone()];
            ack.settle(Outcome::Rejected);
            for fork in forks {
                fork.settle(Outcome::Delivered);
            }
        });
        assert_eq!(outcome, Some(Outcome::Rejected));
    }

    #[test]
    fn nothing_is_heard_before_the_last_fork() {
        let (ack, mut delivery) = Ack::channel();
        let fork = ack.clone();
        ack.settle(Outcome::Delivered);
        assert_eq!(delivery.peek(), None);
        drop(fork);
    }

    #[test]
    fn dropping_is_an_error_even_in_a_panic() {
        assert_eq!(outcome_of(drop), Some(Outcome::Errored));
        let outcome = outcome_of(|ack| {
            let thread = std::thread::spawn(move || {
                let _held = ack;
                panic!("a stage fails");
            });
            assert!(thread.join().is_err());
        });
        assert_eq!(outcome, Some(Outcome::Errored));
    }

    #[test]
    fn joined_acks_hear_the_same() {
        let (first, mut a) = Ack::channel();
        let (second, mut b) = Ack::channel();
        Ack::join(vec![first, second]).settle(Outcome::Delivered);
        assert_eq!((a.peek(), b.peek()), (Some(Outcome::Delivered), Some(Outcome::Delivered)));
    }
}
