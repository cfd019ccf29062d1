//! Waiting longer each time.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// Waits that double up to a greatest one, each shortened by up to a quarter by chance, so that many
/// agents do not come back to a server at the same moment.
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    min: Duration,
    max: Duration,
    next: Duration,
}

impl Backoff {
    /// The first wait and the longest one.
    pub fn new(min: Duration, max: Duration) -> Self {
        Backoff { min, max, next: min }
    }

    /// How long to wait now.
    pub fn wait(&mut self) -> Duration {
        let wait = self.next;
        self.next = self.next.saturating_mul(2).min(self.max);
        // A fresh `RandomState` is keyed at random: enough for spreading, no generator needed.
        let chance = RandomState::new().hash_one(0) % 256;
        wait - wait / 4 * chance as u32 / 256
    }

    /// Begins again with the shortest wait.
    pub fn reset(&mut self) {
        self.next = self.min;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest() {
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_millis(350));
        for full in [100, 200, 350, 350] {
            let (wait, full) = (backoff.wait(), Duration::from_millis(full));
            assert!(wait <= full && wait >= full / 4 * 3, "{wait:?} of {full:?}");
        }
        backoff.reset();
        assert!(backoff.wait() <= Duration::from_millis(100));
    }
}
