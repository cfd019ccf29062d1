//! Durable positions of inputs.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use tokio::sync::watch;

use crate::ack::{Ack, Outcome};

/// Where the positions of a task are kept. Written by the engine; calls must not block for long.
pub trait CheckpointStore: Send + Sync {
    /// The position of a key, as it was last stored.
    fn get(&self, key: &str) -> Option<String>;

    /// Remembers a position. It is made durable soon, and at the latest when the agent stops.
    fn set(&self, key: &str, position: &str);

    /// Forgets a key: the file is gone and read to its end.
    fn remove(&self, key: &str);

    /// All keys with their positions.
    fn entries(&self) -> Vec<(String, String)>;

    /// Whether there were positions, which were damaged and are lost.
    fn were_lost(&self) -> bool {
        false
    }

    /// Hears that a position was set which tells what else could not be known after a kill, such as that
    /// an input has begun.
    fn store_soon(&self) {}

    /// Hears that positions have moved over batches, and what those cost of what may be on its way.
    fn passed(&self, cost: u64) {
        let _ = cost;
    }

    /// Hears that positions will not move over batches any more, and what those cost.
    fn released(&self, cost: u64) {
        let _ = cost;
    }
}

/// The positions of one input, moved forward as its batches are delivered.
///
/// For each key (a file, a partition) batches are followed in the order in which they were emitted:
/// a position is stored when its batch and all before it are delivered or rejected.
#[derive(Clone)]
pub struct Checkpoints(Arc<Inner>);

struct Inner {
    store: Box<dyn CheckpointStore>,
    pending: Mutex<HashMap<String, VecDeque<Pending>>>,
    next_id: AtomicU64,
    failed: watch::Sender<bool>,
}

struct Pending {
    id: u64,
    position: String,
    cost: u64,
    outcome: Option<Outcome>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        // What its run has left behind is read again.
        let pending = self.pending.get_mut().expect(UNBROKEN);
        self.store.released(pending.values().flatten().map(|p| p.cost).sum());
    }
}

const UNBROKEN: &str = "no panic while positions are locked";

impl Checkpoints {
    /// Follows the batches of one input.
    pub fn new(store: Box<dyn CheckpointStore>) -> Self {
        let (failed, _) = watch::channel(false);
        Checkpoints(Arc::new(Inner {
            store,
            pending: Mutex::default(),
            next_id: AtomicU64::new(0),
            failed,
        }))
    }

    /// The stored position of a key.
    pub fn get(&self, key: &str) -> Option<String> {
        self.0.store.get(key)
    }

    /// All stored keys with their positions.
    pub fn entries(&self) -> Vec<(String, String)> {
        self.0.store.entries()
    }

    /// Whether there were positions, which were damaged and are lost: this is not the first start, and
    /// what was read before must be read again rather than passed over.
    pub fn were_lost(&self) -> bool {
        self.0.store.were_lost()
    }

    /// Forgets a key. What is still on its way of it is forgotten too.
    pub fn remove(&self, key: &str) {
        let pending = self.lock().remove(key).unwrap_or_default();
        self.0.store.released(pending.iter().map(|p| p.cost).sum());
        self.0.store.remove(key);
    }

    /// Stores a position at once: nothing before it is on its way.
    pub fn set(&self, key: &str, position: &str) {
        self.0.store.set(key, position);
        self.0.store.store_soon();
    }

    /// How many batches of a key are on their way.
    pub fn in_flight(&self, key: &str) -> usize {
        self.lock().get(key).map_or(0, VecDeque::len)
    }

    /// Becomes `true` when a batch could not be delivered: the input must start again from its
    /// stored positions.
    pub fn failed(&self) -> watch::Receiver<bool> {
        self.0.failed.subscribe()
    }

    /// Says that a batch could not be delivered.
    pub fn fail(&self) {
        self.0.failed.send_replace(true);
    }

    /// The ack of a batch after which the input stands at `position`, and what it costs of what may be
    /// on its way.
    pub(super) fn track(&self, key: &str, position: String, cost: u64) -> Ack {
        let mut pending = self.lock();
        let queue = match pending.get_mut(key) {
            Some(queue) => queue,
            None => pending.entry(key.to_owned()).or_default(),
        };
        let id = self.0.next_id.fetch_add(1, Ordering::Relaxed);
        queue.push_back(Pending { id, position, cost, outcome: None });
        drop(pending);
        let (this, key) = (self.clone(), key.to_owned());
        Ack::new(move |outcome| this.settled(&key, id, outcome))
    }

    fn settled(&self, key: &str, id: u64, outcome: Outcome) {
        if outcome == Outcome::Errored {
            // The position stays where it is; whatever follows is read again after the restart.
            self.fail();
            return;
        }
        let mut pending = self.lock();
        let Some(queue) = pending.get_mut(key) else { return };
        // Not there: the key was forgotten meanwhile.
        let Ok(i) = queue.binary_search_by_key(&id, |p| p.id) else { return };
        queue[i].outcome = Some(outcome);
        let (mut reached, mut cost) = (None, 0);
        while let Some(passed) = queue.pop_front_if(|p| p.outcome.is_some()) {
            cost += passed.cost;
            reached = Some(passed.position);
        }
        if queue.is_empty() {
            pending.remove(key);
        }
        if let Some(position) = reached {
            self.0.store.set(key, &position);
            self.0.store.passed(cost);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, VecDeque<Pending>>> {
        self.0.pending.lock().expect(UNBROKEN)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[derive(Clone, Default)]
    struct InMemory(Arc<Mutex<BTreeMap<String, String>>>);

    impl CheckpointStore for InMemory {
        fn get(&self, key: &str) -> Option<String> {
            self.0.lock().unwrap().get(key).cloned()
        }
        fn set(&self, key: &str, position: &str) {
            self.0.lock().unwrap().insert(key.into(), position.into());
        }
        fn remove(&self, key: &str) {
            self.0.lock().unwrap().remove(key);
        }
        fn entries(&self) -> Vec<(String, String)> {
            self.0.lock().unwrap().clone().into_iter().collect()
        }
    }

    #[test]
    fn a_position_waits_for_all_before_it() {
        let checkpoints = Checkpoints::new(Box::new(InMemory::default()));
        let acks: Vec<_> =
            ["1", "2", "3"].map(|p| checkpoints.track("file", p.into(), 0)).into_iter().collect();
        let [one, two, three] = <[Ack; 3]>::try_from(acks).unwrap();
        three.settle(Outcome::Delivered);
        assert_eq!(checkpoints.get("file"), None);
        one.settle(Outcome::Rejected);
        assert_eq!(checkpoints.get("file").as_deref(), Some("1"));
        two.settle(Outcome::Delivered);
        assert_eq!(checkpoints.get("file").as_deref(), Some("3"));
        assert_eq!(checkpoints.in_flight("file"), 0);
    }

    #[test]
    fn an_error_holds_the_position_and_is_heard() {
        let checkpoints = Checkpoints::new(Box::new(InMemory::default()));
        let (one, two) =
            (checkpoints.track("file", "1".into(), 0), checkpoints.track("file", "2".into(), 0));
        drop(one);
        two.settle(Outcome::Delivered);
        assert_eq!(checkpoints.get("file"), None);
        assert!(*checkpoints.failed().borrow());
    }

    #[test]
    fn a_forgotten_key_stays_forgotten_when_its_acks_come_in() {
        let checkpoints = Checkpoints::new(Box::new(InMemory::default()));
        let old = checkpoints.track("file", "900".into(), 0);
        checkpoints.remove("file");
        let new = checkpoints.track("file", "10".into(), 0);
        old.settle(Outcome::Delivered);
        assert_eq!(checkpoints.get("file"), None);
        new.settle(Outcome::Delivered);
        assert_eq!(checkpoints.get("file").as_deref(), Some("10"));
    }
}
