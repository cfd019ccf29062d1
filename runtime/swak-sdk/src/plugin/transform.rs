//! Transforms.

use std::future::Future;
use std::time::Instant;

use super::{Outlet, Plugin};
use crate::Result;
use crate::data::{Batch, Chunk};

/// Changes, holds or drops records, without waiting for anything.
pub trait Transform: Plugin {
    /// Takes a batch and puts what becomes of it into the outlet; called for one batch after the
    /// other, never for one without records. A batch may be kept for later, with its ack.
    ///
    /// A record that cannot be understood is no error: keep it, drop it or reject it, as the options
    /// say.
    ///
    /// # Errors
    /// Only when the transform itself cannot go on: the task ends and starts again with back-off.
    fn apply(&mut self, batch: Batch, out: &mut Outlet) -> Result<()>;

    /// When to call [`Transform::wake`] next. Asked after every call.
    fn next_wake(&self) -> Option<Instant> {
        None
    }

    /// Called at or after [`Transform::next_wake`]. Should it return the same instant again, the
    /// engine calls again at once.
    ///
    /// # Errors
    /// As for [`Transform::apply`].
    fn wake(&mut self, out: &mut Outlet) -> Result<()> {
        let _ = out;
        Ok(())
    }

    /// Lets go of what is held, if it may: as much of the task is on its way as may be, and the input
    /// waits.
    ///
    /// # Errors
    /// As for [`Transform::apply`].
    fn relieve(&mut self, out: &mut Outlet) -> Result<()> {
        let _ = out;
        Ok(())
    }

    /// Lets go of everything that is held: the input has ended. Called once, last.
    ///
    /// # Errors
    /// As for [`Transform::apply`].
    fn flush(&mut self, out: &mut Outlet) -> Result<()> {
        let _ = out;
        Ok(())
    }
}

/// A transform that waits for something: a process, a DNS server. It gets whole chunks, one after
/// the other, and runs beside the stages before and after it.
pub trait AsyncTransform: Plugin {
    /// Takes a chunk and puts what becomes of it into the outlet. May be cut off at any `await` when
    /// the time for an orderly stop is over.
    ///
    /// # Errors
    /// Only when the transform itself cannot go on: the task ends and starts again with back-off.
    fn apply(&mut self, chunk: Chunk, out: &mut Outlet) -> impl Future<Output = Result<()>> + Send;

    /// Lets go of everything that is held: the input has ended. Called once, last.
    ///
    /// # Errors
    /// As for [`AsyncTransform::apply`].
    fn flush(&mut self, out: &mut Outlet) -> impl Future<Output = Result<()>> + Send {
        let _ = out;
        async { Ok(()) }
    }
}
