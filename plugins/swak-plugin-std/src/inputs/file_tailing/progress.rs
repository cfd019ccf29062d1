//! How far a file was read, for who keeps it while another thread reads it.

use std::sync::{Mutex, PoisonError};

use super::proof::Proof;

/// Up to where a file was read, and what it held up to there.
///
/// Said before it is emitted: whatever is found out about copies of the file meanwhile, it is found out by
/// what was read, and not by what was known when its reader got it.
#[derive(Debug, Default)]
pub(super) struct Progress(Mutex<(u64, Proof)>);

impl Progress {
    /// Up to there.
    pub(super) fn is_at(&self, place: (u64, Proof)) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = place;
    }

    /// Up to where.
    pub(super) fn get(&self) -> (u64, Proof) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
