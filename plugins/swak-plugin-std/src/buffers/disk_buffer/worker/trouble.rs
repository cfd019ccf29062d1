//! Tells of a disk that fails, and that it works again, once each: a disk that is full must not fill
//! the log.

use std::io;

use swak_sdk::prelude::*;

pub(super) struct Trouble {
    /// What fails: `store records`.
    what: &'static str,
    /// How often it has failed since it worked.
    attempts: u32,
}

impl Trouble {
    pub(super) fn new(what: &'static str) -> Self {
        Trouble { what, attempts: 0 }
    }

    /// Counts a failure.
    pub(super) fn note(&mut self, out: &BufferEmitter, result: io::Result<()>) {
        let (place, what) = (out.counters().place(), self.what);
        match result {
            Err(error) => {
                out.counters().error();
                if self.attempts == 0 {
                    tracing::error!("{place}: cannot {what}: {error}; will try again");
                }
                self.attempts = self.attempts.saturating_add(1);
            }
            Ok(()) => {
                if self.attempts > 0 {
                    tracing::info!("{place}: can {what} again");
                }
                self.attempts = 0;
            }
        }
    }

    /// Counts from nought again, though nothing has worked.
    pub(super) fn begin_anew(&mut self) {
        self.attempts = 0;
    }

    /// How often it has failed since it worked.
    pub(super) fn attempts(&self) -> u32 {
        self.attempts
    }
}
