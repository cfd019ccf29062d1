//! Chunks that came before: a sender whose ack was lost sends its chunk again.

use std::collections::VecDeque;
use std::collections::hash_map::{Entry, HashMap};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use swak_sdk::ack::{Ack, Outcome};
use tokio::sync::watch;

/// How many delivered chunks are remembered.
const REMEMBERED: usize = 8192;

/// The chunks of all peers that are under way, and the last ones that were delivered.
///
/// A chunk is the same when its id, its bytes and the address it came from are. Only ids of
/// `out.Fluentd`'s form are looked at: Fluent Bit's are a hash of the content, so that equal events
/// shortly after each other are chunks that differ in nothing, and others count from 1 each time they
/// start. Theirs are delivered as often as they come.
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

    /// Tells chunks apart whose ids are no other chunk's; `None` for any other.
    pub(super) fn key(&self, address: Option<IpAddr>, chunk: &[u8], message: &[u8]) -> Option<Key> {
        if !is_unique(chunk) {
            return None;
        }
        let mut bytes = self.hashers.1.build_hasher();
        bytes.write(message);
        Some(Key(self.hashers.0.hash_one((address, chunk)), bytes.finish()))
    }

    /// Begins with a chunk: what to settle it with, when it is new, and what becomes of it.
    pub(super) fn begin(self: &Arc<Self>, key: Option<Key>) -> (Option<Ack>, Verdict) {
        let (sender, receiver) = watch::channel(None);
        let verdict = Verdict::Pending(receiver);
        if let Some(key) = key {
            match self.lock().outcomes.entry(key) {
                Entry::Occupied(known) => return (None, known.get().clone()),
                Entry::Vacant(new) => drop(new.insert(verdict.clone())),
            }
        }
        let seen = Arc::clone(self);
        let ack = Ack::new(move |outcome| {
            if let Some(key) = key {
                seen.settled(key, outcome);
            }
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

/// Whether an id is of the form that `out.Fluentd` gives: 64 bits of chance for the sender, and a number.
fn is_unique(chunk: &[u8]) -> bool {
    let is_hex = |part: &[u8]| part.len() == 16 && part.iter().all(u8::is_ascii_hexdigit);
    chunk.get(16) == Some(&b'-') && is_hex(&chunk[..16]) && is_hex(&chunk[17..])
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &[u8] = b"0123456789abcdef-0000000000000001";

    fn now(verdict: &Verdict) -> Option<Outcome> {
        match verdict {
            Verdict::Settled(outcome) => Some(*outcome),
            Verdict::Pending(settled) => *settled.borrow(),
        }
    }

    #[test]
    fn a_chunk_that_comes_again_has_the_fate_of_the_first() {
        let seen = Seen::new();
        let key = seen.key(None, ID, b"bytes");
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
        let key = seen.key(None, ID, b"bytes");
        let (ack, verdict) = seen.begin(key);
        drop(ack);
        assert_eq!(now(&verdict), Some(Outcome::Errored));
        assert!(seen.begin(key).0.is_some());
    }

    #[test]
    fn equal_events_of_a_sender_whose_ids_are_hashes_are_all_delivered() {
        let seen = Seen::new();
        for _ in 0..2 {
            // As Fluent Bit writes it: base64 of 16 bytes of SHA-512.
            let key = seen.key(None, b"pJ5mYzQyMDk0ZjE2YzA3ZQ==", b"bytes");
            let (ack, verdict) = seen.begin(key);
            ack.expect("it is new").settle(Outcome::Delivered);
            assert_eq!(now(&verdict), Some(Outcome::Delivered));
        }
    }

    #[test]
    fn what_differs_in_anything_is_another_chunk() {
        let seen = Seen::new();
        let key = seen.key(None, ID, b"bytes");
        assert!(key == seen.key(None, ID, b"bytes"));
        assert!(key != seen.key(None, ID, b"other"));
        assert!(key != seen.key(None, b"0123456789abcdef-0000000000000002", b"bytes"));
        assert!(key != seen.key(Some(IpAddr::from([127, 0, 0, 1])), ID, b"bytes"));
    }

    #[test]
    fn only_so_many_are_remembered() {
        let seen = Seen::new();
        let key = |i: usize| seen.key(None, format!("0123456789abcdef-{i:016x}").as_bytes(), b"");
        for i in 0..=REMEMBERED {
            seen.begin(key(i)).0.unwrap().settle(Outcome::Delivered);
        }
        assert_eq!(seen.lock().outcomes.len(), REMEMBERED);
        assert!(seen.begin(key(0)).0.is_some(), "the oldest is forgotten");
        assert!(seen.begin(key(REMEMBERED)).0.is_none());
    }
}
