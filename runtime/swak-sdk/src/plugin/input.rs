//! Inputs.

use std::future::Future;

use super::{BlockingEmitter, Emitter, Plugin, Shutdown};
use crate::Result;

/// Brings records in.
pub trait Input: Plugin {
    /// Reads until there is nothing more to come, or `shutdown` is triggered. Called once.
    ///
    /// `Ok` ends the task in order: the stages after it are flushed, the outputs write what they
    /// have, and the task starts again if its recipe says `sleep(n)`. When `shutdown` is triggered
    /// this must return soon; what was emitted is still delivered. An input that answers its peers may
    /// drop its emitters, upon which the stages are flushed, and wait for the last deliveries.
    ///
    /// # Errors
    /// The engine reports the error and starts the task again with back-off, from its stored
    /// positions.
    fn run(self, out: Emitter, shutdown: Shutdown) -> impl Future<Output = Result<()>> + Send;
}

/// An input that reads with blocking calls; it is given a thread of its own.
pub trait BlockingInput: Plugin {
    /// As [`Input::run`], in a thread that may block. Look at [`Shutdown::is_triggered`] at least
    /// every 100 milliseconds, or sleep with [`Shutdown::blocking_sleep`].
    ///
    /// # Errors
    /// As for [`Input::run`].
    fn run(self, out: BlockingEmitter, shutdown: Shutdown) -> Result<()>;
}
