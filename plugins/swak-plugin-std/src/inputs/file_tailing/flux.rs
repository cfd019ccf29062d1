//! Folders in which files are being renamed just now, so that what is found in them is no picture of any one
//! moment, and the order of rotated files cannot be told from it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

/// How long it takes until all renames of one rotation are done.
pub(super) const DUST: Duration = Duration::from_millis(20);

/// So long it is remembered when a folder was changed.
const REMEMBERED: Duration = Duration::from_secs(600);

/// When folders were changed, as far as that was seen.
#[derive(Debug, Default)]
pub(super) struct Flux {
    changes: HashMap<PathBuf, Change>,
}

#[derive(Debug)]
struct Change {
    /// By the clock of the file system.
    at: SystemTime,
    /// When that was seen first.
    seen: Instant,
}

impl Flux {
    /// Whether something was renamed, made or deleted in a folder so shortly before a look, which began then,
    /// that there may be more to come.
    pub(super) fn is_in(&mut self, folder: &Path, began: (SystemTime, Instant)) -> bool {
        let changed = std::fs::metadata(folder).and_then(|metadata| metadata.modified());
        changed.is_ok_and(|changed| self.is_fresh(folder, changed, began))
    }

    /// A change that is seen for the first time counts from then on, as the clock may have jumped; only of the
    /// first look at a folder nothing else is known.
    fn is_fresh(
        &mut self,
        folder: &Path,
        changed: SystemTime,
        (began, now): (SystemTime, Instant),
    ) -> bool {
        if let Some(change) = self.changes.get_mut(folder) {
            if change.at != changed {
                *change = Change { at: changed, seen: now };
            }
            return now.saturating_duration_since(change.seen) < DUST;
        }
        let is_fresh = began.duration_since(changed).map_or(true, |age| age < DUST);
        let seen = if is_fresh { Some(now) } else { now.checked_sub(DUST) };
        let change = Change { at: changed, seen: seen.unwrap_or(now) };
        self.changes.insert(folder.to_owned(), change);
        is_fresh
    }

    /// Forgets what is long past.
    pub(super) fn sweep(&mut self) {
        self.changes.retain(|_, change| change.seen.elapsed() < REMEMBERED);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_settle_whatever_the_clock_says() {
        let day = Duration::from_secs(24 * 60 * 60);
        let (clock, now) = (SystemTime::now(), Instant::now() + 2 * DUST);
        for wrong in [clock - day, clock, clock + day] {
            let mut flux = Flux::default();
            let folder = Path::new("/var/log");
            let mut is_fresh =
                |changed, after| flux.is_fresh(folder, changed, (wrong, now + after));
            let first = is_fresh(clock, Duration::ZERO);
            assert_eq!(first, wrong <= clock, "nothing but the clock tells of the first look");
            assert!(!is_fresh(clock, DUST), "nothing was changed since");
            let later = clock + Duration::from_secs(1);
            assert!(is_fresh(later, 2 * DUST), "it was changed since the last look");
            assert!(is_fresh(later, 2 * DUST + DUST / 2), "shortly before");
            assert!(!is_fresh(later, 3 * DUST));
            assert!(is_fresh(clock, 3 * DUST), "changed, by a clock that was set back");
        }
    }
}
