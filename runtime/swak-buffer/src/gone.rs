//! What the read position has moved over although it was not delivered.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;

use crate::place::Count;

/// Why frames that were stored are not delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// They are damaged, or their files are gone.
    Damaged,
    /// They were discarded because the buffer was full.
    BufferFull,
    /// They were discarded because the disk was full.
    DiskFull,
    /// Somebody has set the read position behind them.
    Skipped,
}

impl Cause {
    /// All of them.
    pub const ALL: [Cause; 4] =
        [Cause::Damaged, Cause::BufferFull, Cause::DiskFull, Cause::Skipped];
}

/// All that was given up since `since`, by cause; it is stored with the read position, so that after a
/// kill nobody takes it for delivered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gone {
    /// A random number: another one says that the counts were lost, and begin anew.
    pub since: u64,
    counts: [Count; Cause::ALL.len()],
}

impl Gone {
    pub(crate) fn since(since: u64) -> Self {
        Gone { since, counts: Default::default() }
    }

    /// Begins to count.
    pub(crate) fn begin() -> Self {
        Gone::since(RandomState::new().hash_one(std::process::id()))
    }

    /// What was given up for this cause.
    pub fn of(self, cause: Cause) -> Count {
        self.counts[cause as usize]
    }

    pub(crate) fn add(&mut self, cause: Cause, count: Count) {
        self.counts[cause as usize] += count;
    }

    /// It has arrived after all.
    pub(crate) fn take(&mut self, cause: Cause, count: Count) {
        let sum = &mut self.counts[cause as usize];
        *sum = sum.beyond(count);
    }
}
