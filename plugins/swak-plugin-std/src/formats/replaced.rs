//! Bytes that are not UTF-8, where text is wanted.

use std::sync::Arc;

use swak_sdk::plugin::Counters;

/// Counts values in which bytes were replaced: as errors of the step, and with a word in the log for
/// the first of them.
pub(crate) struct Replaced {
    counters: Arc<Counters>,
    warned: bool,
}

impl Replaced {
    /// Nothing was replaced yet.
    pub(crate) fn new(counters: Arc<Counters>) -> Self {
        Replaced { counters, warned: false }
    }

    /// So many values were written with U+FFFD in them.
    pub(crate) fn count(&mut self, values: usize) {
        for _ in 0..values {
            self.counters.error();
        }
        if values > 0 && !std::mem::replace(&mut self.warned, true) {
            tracing::warn!(
                "bytes that are not UTF-8 were written as U+FFFD; further ones are only counted"
            );
        }
    }
}
