//! Chunks that came before: a sender whose ack was lost sends its chunk again.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use swak_sdk::ack::{Ack, Outcome};
use tokio::sync::watch;

/// How many delivered chunks are remembered.
const REMEMBERED: usize = 8192;

/// The chunks of all peers that are under way, and the last ones that were delivered.
///
/// A chunk is the same when its id, its bytes and the address it came from are. So the ids of a
/// careless sender, which counts from 1 each time it starts, do no harm.
pub(super) struct Seen {
    hashers: (RandomState, RandomState),
    chunks: Mutex<Chunks>,
}

#[derive(Default)]
struct Chunks {
    outcomes: HashMap<Key, Verdict>,
    /// The settled ones, the oldest first.
    settled: VecDeque<Key>,
}

/// Hashes of who sent it under which id, and of its bytes. They have secrets of their own, so that
/// nobody can make two chunks that look the same.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Key(u64, u64);

/// What becomes of a chunk.
#[derive(Clone)]
pub(super) enum Verdict {
    Settled(Outcome),
    Pending(watch::Receiver<Option<Outcome>>),
}

impl Verdict {
    /// Waits for it.
    pub(super) async fn outcome(self) -> Outcome {
        match self {
            Verdict::Settled(outcome) => outcome,
            Verdict::Pending(mut settled) => match settled.wait_for(Option::is_some).await {
                Ok(outcome) => outcome.unwrap_or(Outcome::Errored),
                Err(_) => Outcome::Errored,
            },
        }
    }
}

impl Seen {
    pub(super) fn new() -> Arc<Self> {
        let hashers = (RandomState::new(), RandomState::new());
        Arc::new(Seen { hashers, chunks: Mutex::default() })
    }

    /// Tells chunks apart.
    pub(super) fn key(&self, address: Option<IpAddr>, chunk: &[u8], message: &[u8]) -> Key {
        let mut bytes = self.hashers.1.build_hasher();
        bytes.write(message);
        Key(self.hashers.0.hash_one((address, chunk)), bytes.finish())
    }

    /// Begins with a chunk: what to settle it with, when it is new, and what becomes of it.
    pub(super) fn begin(self: &Arc<Self>, key: Key) -> (Option<Ack>, Verdict) {
        let mut chunks = self.lock();
        if let Some(verdict) = chunks.outcomes.get(&key) {
            return (None, verdict.clone());
        }
        let (sender, receiver) = watch::channel(None);
        let verdict = Verdict::Pending(receiver);
        chunks.outcomes.insert(key, verdict.clone());
        drop(chunks);
        let seen = Arc::clone(self);
        let ack = Ack::new(move |outcome| {
            seen.settled(key, outcome);
            // Nobody may be waiting any more.
            let _ = sender.send(Some(outcome));
        });
        (Some(ack), verdict)
    }

    fn settled(&self, key: Key, outcome: Outcome) {
        let mut chunks = self.lock();
        if outcome == Outcome::Errored {
            // When it comes again, it is delivered anew.
            chunks.outcomes.remove(&key);
            return;
        }
        chunks.outcomes.insert(key, Verdict::Settled(outcome));
        chunks.settled.push_back(key);
        if chunks.settled.len() > REMEMBERED
            && let Some(oldest) = chunks.settled.pop_front()
        {
            chunks.outcomes.remove(&oldest);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Chunks> {
        self.chunks.lock().expect("no panic while chunks are locked")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now(verdict: &Verdict) -> Option<Outcome> {
        match verdict {
            Verdict::Settled(outcome) => Some(*outcome),
            Verdict::Pending(settled) => *settled.borrow(),
        }
    }

    #[test]
    fn a_chunk_that_comes_again_has_the_fate_of_the_first() {
        let seen = Seen::new();
        let key = seen.key(None, b"id", b"bytes");
        let (ack, first) = seen.begin(key);
        let (again, second) = seen.begin(key);
        assert!(again.is_none());
        assert_eq!(now(&second), None);
        ack.unwrap().settle(Outcome::Delivered);
        assert_eq!(now(&first), Some(Outcome::Delivered));
        let (again, third) = seen.begin(key);
        assert!(again.is_none());
        assert_eq!(now(&third), Some(Outcome::Delivered));
    }

    #[test]
    fn a_chunk_that_was_not_delivered_is_new_when_it_comes_again() {
        let seen = Seen::new();
        let key = seen.key(None, b"id", b"bytes");
        let (ack, verdict) = seen.begin(key);
        drop(ack);
        assert_eq!(now(&verdict), Some(Outcome::Errored));
        assert!(seen.begin(key).0.is_some());
    }

    #[test]
    fn what_differs_in_anything_is_another_chunk() {
        let seen = Seen::new();
        let key = seen.key(None, b"id", b"bytes");
        assert!(key == seen.key(None, b"id", b"bytes"));
        assert!(key != seen.key(None, b"id", b"other"));
        assert!(key != seen.key(None, b"other", b"bytes"));
        assert!(key != seen.key(Some(IpAddr::from([127, 0, 0, 1])), b"id", b"bytes"));
    }

    #[test]
    fn only_so_many_are_remembered() {
        let seen = Seen::new();
        let key = |i: usize| seen.key(None, &i.to_be_bytes(), b"");
        for i in 0..=REMEMBERED {
            seen.begin(key(i)).0.unwrap().settle(Outcome::Delivered);
        }
        assert_eq!(seen.lock().outcomes.len(), REMEMBERED);
        assert!(seen.begin(key(0)).0.is_some(), "the oldest is forgotten");
        assert!(seen.begin(key(REMEMBERED)).0.is_none());
    }
}
