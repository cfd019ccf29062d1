//! How much memory all peers together may take with messages that are not handed on yet.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, Notify, OwnedMutexGuard, OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, interval, timeout};

/// How long a peer waits for room. Others make some as the task takes their messages; those that
/// leave theirs unfinished make none.
const PATIENCE: Duration = Duration::from_secs(5);

/// How often a peer that waits has another one leave that took too long.
const PRESS: Duration = Duration::from_millis(500);

/// What is left of it.
#[derive(Clone, Debug)]
pub(super) struct Budget {
    bytes: Arc<Semaphore>,
    /// Whoever has it may finish a message though nothing is left. Else peers that all have half of
    /// one would wait for each other.
    turn: Arc<Mutex<()>>,
    unpacking: Arc<Semaphore>,
    unfinished: Arc<Unfinished>,
}

/// The peers that hold room with a message that they have begun, and are waited for: the first is the
/// one that began first. A peer whose messages wait for the task is none of them.
#[derive(Debug, Default)]
struct Unfinished(std::sync::Mutex<BTreeMap<(Instant, usize), Waited>>);

#[derive(Debug)]
struct Waited {
    /// From then on it took too long; `None` is never.
    late: Option<Instant>,
    needed: Arc<Notify>,
}

/// What one peer has taken; given back when it goes.
#[derive(Debug)]
pub(super) struct Share {
    budget: Budget,
    taken: Option<OwnedSemaphorePermit>,
    turn: Option<OwnedMutexGuard<()>>,
    /// When the message began that holds room.
    since: Option<Instant>,
}

/// There was not enough left, for too long.
#[derive(Debug, PartialEq)]
pub(super) struct Exhausted;

impl Budget {
    /// So many bytes, and one message of up to `max_message` beyond them; and as much again for what
    /// is in compressed ones.
    pub(super) fn new(bytes: usize, max_message: usize) -> Self {
        let bytes = bytes.min(Semaphore::MAX_PERMITS);
        let at_once = (bytes / max_message.max(1)).max(1);
        Budget {
            bytes: Arc::new(Semaphore::new(bytes)),
            turn: Arc::default(),
            unpacking: Arc::new(Semaphore::new(at_once)),
            unfinished: Arc::default(),
        }
    }

    /// The share of a peer that has nothing yet.
    pub(super) fn share(&self) -> Share {
        Share { budget: self.clone(), taken: None, turn: None, since: None }
    }
}

impl Share {
    /// Takes or gives back, so that it comes to `bytes`. Waits for others to give back, or for its
    /// turn to go beyond what there is.
    pub(super) async fn set(&mut self, bytes: usize) -> Result<(), Exhausted> {
        match bytes {
            0 => self.since = None,
            _ => drop(self.since.get_or_insert_with(Instant::now)),
        }
        let has = self.taken.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let Some(more @ 1..) = bytes.checked_sub(has) else {
            if let Some(taken) = &mut self.taken {
                drop(taken.split(has - bytes));
            }
            self.turn = None;
            return Ok(());
        };
        if self.turn.is_some() {
            return Ok(());
        }
        let more = u32::try_from(more).map_err(|_| Exhausted)?;
        let taking = Arc::clone(&self.budget.bytes).acquire_many_owned(more);
        let turn = Arc::clone(&self.budget.turn).lock_owned();
        let taken = async {
            tokio::select! {
                biased;
                taken = taking => (taken.ok(), None),
                turn = turn => (None, Some(turn)),
            }
        };
        let taken = async {
            tokio::select! {
                biased;
                taken = taken => taken,
                never = self.budget.unfinished.press() => match never {},
            }
        };
        match timeout(PATIENCE, taken).await.map_err(|_| Exhausted)? {
            (Some(new), _) => match &mut self.taken {
                Some(taken) => taken.merge(new),
                None => self.taken = Some(new),
            },
            (None, turn) => self.turn = turn,
        }
        Ok(())
    }

    /// Whatever comes next is another message.
    pub(super) fn finished(&mut self) {
        self.since = None;
    }

    /// Waits until others need the room that the peer has held for longer than this with one message.
    /// To be waited for only while it is the peer that does not go on.
    pub(super) async fn is_needed(&self, limit: Duration) {
        let Some(since) = self.since else { return std::future::pending().await };
        let needed = Arc::new(Notify::new());
        let waited = Waited { late: since.checked_add(limit), needed: Arc::clone(&needed) };
        let _listed = Listed::new(&self.budget.unfinished, since, waited);
        needed.notified().await;
    }

    /// Room for what is in one compressed message, until it is dropped. Waits while others unpack.
    pub(super) async fn room_to_unpack(&self) -> OwnedSemaphorePermit {
        let room = Arc::clone(&self.budget.unpacking).acquire_owned().await;
        room.expect("this semaphore is never closed")
    }
}

impl Unfinished {
    /// Has one leave that took too long, and another after a while.
    async fn press(&self) -> std::convert::Infallible {
        let mut again = interval(PRESS);
        loop {
            again.tick().await;
            let now = Instant::now();
            let mut peers = self.lock();
            let late = |waited: &Waited| waited.late.is_some_and(|late| late <= now);
            if let Some(first) = peers.first_entry().filter(|first| late(first.get())) {
                first.remove().needed.notify_one();
            }
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<(Instant, usize), Waited>> {
        self.0.lock().expect("no panic while it is locked")
    }
}

/// One of [`Unfinished`], while it is.
struct Listed<'a> {
    unfinished: &'a Unfinished,
    key: (Instant, usize),
}

impl<'a> Listed<'a> {
    fn new(unfinished: &'a Unfinished, since: Instant, waited: Waited) -> Self {
        // Where it lies tells it from others that began at the same moment.
        let key = (since, Arc::as_ptr(&waited.needed).addr());
        unfinished.lock().insert(key, waited);
        Listed { unfinished, key }
    }
}

impl Drop for Listed<'_> {
    fn drop(&mut self) {
        self.unfinished.lock().remove(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::Semaphore;

    use super::*;

    #[tokio::test]
    async fn one_may_go_beyond_what_there_is_and_the_others_wait_for_it() {
        let budget = Budget::new(100, 50);
        let (mut one, mut two, mut three) = (budget.share(), budget.share(), budget.share());
        assert_eq!(one.set(60).await, Ok(()));
        assert_eq!(two.set(40).await, Ok(()));
        assert_eq!(one.set(70).await, Ok(()), "it is its turn");
        assert_eq!(one.set(110).await, Ok(()), "it still is");
        let waiting = tokio::spawn(async move { two.set(41).await });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        assert_eq!(one.set(0).await, Ok(()));
        assert_eq!(waiting.await.unwrap(), Ok(()));
        assert_eq!(three.set(100).await, Ok(()), "all of them are gone");
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_for_ever() {
        let budget = Budget::new(100, 50);
        let (mut one, mut two, mut three) = (budget.share(), budget.share(), budget.share());
        assert_eq!(one.set(100).await, Ok(()));
        assert_eq!(two.set(50).await, Ok(()));
        assert_eq!(three.set(1).await, Err(Exhausted));
        drop(two);
        assert_eq!(three.set(1).await, Ok(()));
    }

    #[tokio::test(start_paused = true)]
    async fn who_took_too_long_leaves_when_others_need_the_room() {
        let budget = Budget::new(100, 50);
        let limit = Duration::from_secs(60);
        let (mut slow, mut other, mut late) = (budget.share(), budget.share(), budget.share());
        assert_eq!(slow.set(60).await, Ok(()));
        assert_eq!(other.set(40).await, Ok(()));
        let mut turn = budget.share();
        assert_eq!(turn.set(50).await, Ok(()));
        tokio::time::advance(limit / 2).await;
        // One that finishes begins anew.
        other.finished();
        assert_eq!(other.set(40).await, Ok(()));
        assert_eq!(late.set(10).await, Err(Exhausted), "nobody is late yet");
        tokio::time::advance(limit / 2).await;
        let slow = tokio::spawn(async move { slow.is_needed(limit).await });
        let other = tokio::spawn(async move { other.is_needed(limit).await });
        tokio::task::yield_now().await;
        assert!(!slow.is_finished(), "nobody needs it");
        assert_eq!(late.set(60).await, Ok(()));
        slow.await.unwrap();
        assert!(!other.is_finished());
        assert!(budget.unfinished.lock().len() == 1);
    }

    fn no_room(bytes: &Semaphore) -> bool {
        bytes.available_permits() == 0
    }

    #[tokio::test]
    async fn as_many_messages_are_unpacked_at_once_as_there_is_room_for() {
        let budget = Budget::new(100, 50);
        let share = budget.share();
        let _two = (share.room_to_unpack().await, share.room_to_unpack().await);
        assert!(no_room(&budget.unpacking));
        assert!(!no_room(&Budget::new(1, 50).unpacking), "one always is");
    }
}
