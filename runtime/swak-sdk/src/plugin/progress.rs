//! How the engine hears that a write goes on.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::Instant;

use crate::options::Placed;

/// Where an output says that a write goes on: see [`Output::progress`](super::Output::progress).
///
/// Clones are the same place.
#[derive(Clone, Debug, Default)]
pub struct Progress(Arc<Mutex<Option<Instant>>>);

impl Progress {
    /// Something came about that cannot come about for ever, and that shows that the other side works:
    /// it took bytes of the chunk, or confirmed a part of it.
    pub fn made(&self) {
        *self.lock() = Some(Instant::now());
    }

    /// When something last came about, or `since`, whichever is later.
    pub fn last(&self, since: Instant) -> Instant {
        self.lock().map_or(since, |last| last.max(since))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        self.0.lock().expect("no panic while it is locked")
    }
}

/// How long an output waits by itself, as one of its options says: see
/// [`Output::time_limits`](super::Output::time_limits).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeLimit {
    /// The name of the option.
    pub option: &'static str,
    /// What it says, and where.
    pub limit: Placed<Duration>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_progress_counts_when_it_was_made_since() {
        let progress = Progress::default();
        let before = Instant::now();
        assert_eq!(progress.last(before), before);
        let same = progress.clone();
        same.made();
        let last = progress.last(before);
        assert!(last >= before && progress.last(last) == last);
        let after = last + Duration::from_secs(1);
        assert_eq!(progress.last(after), after);
    }
}
