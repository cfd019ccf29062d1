//! How much memory all peers together may take with messages that have not come in whole.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What is left of it.
#[derive(Clone, Debug)]
pub(super) struct Budget(Arc<AtomicUsize>);

/// What one peer has taken; given back when it goes.
#[derive(Debug)]
pub(super) struct Share {
    budget: Budget,
    bytes: usize,
}

/// There is not enough left.
#[derive(Debug, PartialEq)]
pub(super) struct Exhausted;

impl Budget {
    pub(super) fn new(bytes: usize) -> Self {
        Budget(Arc::new(AtomicUsize::new(bytes)))
    }

    /// The share of a peer that has nothing yet.
    pub(super) fn share(&self) -> Share {
        Share { budget: self.clone(), bytes: 0 }
    }
}

impl Share {
    /// Takes or gives back, so that it comes to `bytes`.
    pub(super) fn set(&mut self, bytes: usize) -> Result<(), Exhausted> {
        let left = &self.budget.0;
        if let Some(more) = bytes.checked_sub(self.bytes) {
            let take = |left: usize| left.checked_sub(more);
            left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).map_err(|_| Exhausted)?;
        } else {
            left.fetch_add(self.bytes - bytes, Ordering::Relaxed);
        }
        self.bytes = bytes;
        Ok(())
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.budget.0.fetch_add(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_one_has_the_others_do_not_until_it_is_gone() {
        let budget = Budget::new(100);
        let (mut one, mut two) = (budget.share(), budget.share());
        assert_eq!(one.set(60), Ok(()));
        assert_eq!(two.set(50), Err(Exhausted));
        assert_eq!(two.set(40), Ok(()));
        assert_eq!(one.set(10), Ok(()));
        assert_eq!(two.set(90), Ok(()));
        drop(two);
        assert_eq!(one.set(100), Ok(()));
    }
}
