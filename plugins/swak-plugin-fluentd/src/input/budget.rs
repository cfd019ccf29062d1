//! How much memory all peers together may take with messages that are not handed on yet.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, OwnedMutexGuard, OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// How long a peer waits for room. Others make some as the task takes their messages; those that
/// leave theirs unfinished make none.
const PATIENCE: Duration = Duration::from_secs(5);

/// What is left of it.
#[derive(Clone, Debug)]
pub(super) struct Budget {
    bytes: Arc<Semaphore>,
    /// Whoever has it may finish a message though nothing is left. Else peers that all have half of
    /// one would wait for each other.
    turn: Arc<Mutex<()>>,
    unpacking: Arc<Semaphore>,
}

/// What one peer has taken; given back when it goes.
#[derive(Debug)]
pub(super) struct Share {
    budget: Budget,
    taken: Option<OwnedSemaphorePermit>,
    turn: Option<OwnedMutexGuard<()>>,
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
        }
    }

    /// The share of a peer that has nothing yet.
    pub(super) fn share(&self) -> Share {
        Share { budget: self.clone(), taken: None, turn: None }
    }
}

impl Share {
    /// Takes or gives back, so that it comes to `bytes`. Waits for others to give back, or for its
    /// turn to go beyond what there is.
    pub(super) async fn set(&mut self, bytes: usize) -> Result<(), Exhausted> {
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
        match timeout(PATIENCE, taken).await.map_err(|_| Exhausted)? {
            (Some(new), _) => match &mut self.taken {
                Some(taken) => taken.merge(new),
                None => self.taken = Some(new),
            },
            (None, turn) => self.turn = turn,
        }
        Ok(())
    }

    /// Room for what is in one compressed message, until it is dropped. Waits while others unpack.
    pub(super) async fn room_to_unpack(&self) -> OwnedSemaphorePermit {
        let room = Arc::clone(&self.budget.unpacking).acquire_owned().await;
        room.expect("this semaphore is never closed")
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
