//! Calls that may block, made from asynchronous code.

use tokio::runtime::{Handle, RuntimeFlavor};

/// Makes a call that may block for as long as a disk takes.
///
/// The thread is handed over for that time instead of the work: the work borrows a whole chunk, and
/// moving it elsewhere would mean copying it. A runtime of one thread has no other to go on with, so
/// there the call is just made.
pub(crate) fn blocking<T>(work: impl FnOnce() -> T) -> T {
    match Handle::try_current() {
        Ok(runtime) if runtime.runtime_flavor() == RuntimeFlavor::MultiThread => {
            tokio::task::block_in_place(work)
        }
        _ => work(),
    }
}
