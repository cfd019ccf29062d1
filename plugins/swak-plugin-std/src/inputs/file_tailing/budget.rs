//! How many descriptors the tailing inputs of this process may hold together.

use std::sync::atomic::{AtomicUsize, Ordering};

/// One descriptor that counts.
#[derive(Debug)]
pub(super) struct Permit(());

impl Permit {
    /// For a file that is being opened. Never refused: what must be read must be opened.
    pub(super) fn new() -> Self {
        OPEN.fetch_add(1, Ordering::Relaxed);
        Permit(())
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        OPEN.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Whether more files are open than should be: those that have nothing to read are closed then.
pub(super) fn is_exceeded() -> bool {
    OPEN.load(Ordering::Relaxed) > limit()
}

static OPEN: AtomicUsize = AtomicUsize::new(0);

/// Descriptors that are left to sockets, outputs and whatever else the process has.
const OTHERS: usize = 128;

/// The most files that are held open: beyond this, holding more gains nothing.
const MOST: usize = 8192;

/// Half of what the system gives, when others have what they need; `ulimit -n` is asked each time,
/// because it can be changed while the process runs.
fn limit() -> usize {
    share(soft_limit())
}

fn share(descriptors: usize) -> usize {
    (descriptors.saturating_sub(OTHERS) / 2).clamp(32, MOST)
}

#[cfg(unix)]
fn soft_limit() -> usize {
    use rustix::process::{Resource, getrlimit};
    let soft = getrlimit(Resource::Nofile).current;
    soft.map_or(usize::MAX, |soft| usize::try_from(soft).unwrap_or(usize::MAX))
}

/// Windows has no such limit that would come first.
#[cfg(not(unix))]
fn soft_limit() -> usize {
    usize::MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_leaves_room_and_is_never_nothing() {
        for (descriptors, files) in
            [(0, 32), (256, 64), (1024, 448), (20_000, 8192), (usize::MAX, 8192)]
        {
            assert_eq!(share(descriptors), files, "{descriptors}");
        }
        assert!((32..=MOST).contains(&limit()));
    }
}
