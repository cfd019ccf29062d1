//! Plugins without their types: what the engine runs. Nothing here is for plugin authors.

use std::future::Future;
use std::pin::Pin;
use std::time::Instant;

use super::{
    AsyncTransform, Backlog, BlockingInput, BoxBacklog, Buffer, BufferEmitter, Destination,
    Emitter, HandsBack, Inbox, Input, Outlet, Output, Progress, Shutdown, TimeLimit, Transform,
    WriteError,
};
use crate::data::{Batch, Chunk};
use crate::{Error, Result};

/// A future on the heap: one a call, which is one a batch.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A plugin of any kind.
pub enum AnyPlugin {
    /// An input.
    Input(Box<dyn AnyInput>),
    /// A transform that never waits.
    Transform(Box<dyn AnyTransform>),
    /// A transform that waits.
    AsyncTransform(Box<dyn AnyAsyncTransform>),
    /// A buffer.
    Buffer(Box<dyn AnyBuffer>),
    /// An output.
    Output(Box<dyn AnyOutput>),
}

/// See [`Input`].
pub trait AnyInput: Send {
    /// See [`Input::run`].
    fn run(self: Box<Self>, out: Emitter, shutdown: Shutdown) -> BoxFuture<'static, Result<()>>;
}

/// See [`Transform`].
pub trait AnyTransform: Send {
    /// See [`Transform::apply`].
    fn apply(&mut self, batch: Batch, out: &mut Outlet) -> Result<()>;
    /// See [`Transform::next_wake`].
    fn next_wake(&self) -> Option<Instant>;
    /// See [`Transform::wake`].
    fn wake(&mut self, out: &mut Outlet) -> Result<()>;
    /// See [`Transform::relieve`].
    fn relieve(&mut self, out: &mut Outlet) -> Result<()>;
    /// See [`Transform::flush`].
    fn flush(&mut self, out: &mut Outlet) -> Result<()>;
}

/// See [`AsyncTransform`].
pub trait AnyAsyncTransform: Send {
    /// See [`AsyncTransform::apply`].
    fn apply<'a>(&'a mut self, chunk: Chunk, out: &'a mut Outlet) -> BoxFuture<'a, Result<()>>;
    /// See [`AsyncTransform::flush`].
    fn flush<'a>(&'a mut self, out: &'a mut Outlet) -> BoxFuture<'a, Result<()>>;
}

/// See [`Buffer`].
pub trait AnyBuffer: Send {
    /// See [`Buffer::run`].
    fn run(
        self: Box<Self>,
        inbox: Inbox,
        out: BufferEmitter,
        shutdown: Shutdown,
    ) -> BoxFuture<'static, Result<()>>;
}

/// See [`Output`].
pub trait AnyOutput: Send {
    /// See [`Output::connect`].
    fn connect(&mut self) -> BoxFuture<'_, Result<()>>;
    /// See [`Output::write`].
    fn write<'a>(&'a mut self, chunk: &'a Chunk) -> BoxFuture<'a, Result<(), WriteError>>;
    /// See [`Output::close`].
    fn close(&mut self) -> BoxFuture<'_, Result<()>>;
    /// See [`Output::is_exclusive`].
    fn is_exclusive(&self) -> bool;
    /// See [`Output::delivered`].
    fn delivered(&mut self) -> usize;
    /// See [`Output::progress`].
    fn progress(&self) -> Option<Progress>;
    /// See [`Output::time_limits`].
    fn time_limits(&self) -> Vec<TimeLimit>;
    /// See [`Output::writes_to`].
    fn writes_to(&self) -> Option<Destination>;
    /// See [`Output::expect_take_back`].
    fn expect_take_back(&mut self);
    /// See [`Output::hands_back`].
    fn hands_back(&self) -> Result<HandsBack>;
    /// See [`Output::take_back`].
    fn take_back(&mut self) -> BoxFuture<'_, Result<Option<BoxBacklog>>>;
}

/// See [`Backlog`].
pub trait AnyBacklog: Send {
    /// See [`Backlog::next`].
    fn next(&mut self) -> BoxFuture<'_, Result<Option<Chunk>>>;
    /// See [`Backlog::delivered`].
    fn delivered(&mut self) -> BoxFuture<'_, Result<()>>;
}

impl<P: Input> AnyInput for P {
    fn run(self: Box<Self>, out: Emitter, shutdown: Shutdown) -> BoxFuture<'static, Result<()>> {
        // Whatever it does before its first `await` is done in its own task, too.
        Box::pin(async move { Input::run(*self, out, shutdown).await })
    }
}

/// Runs a blocking input on a thread of its own.
pub(super) struct OnThread<P>(pub(super) P);

impl<P: BlockingInput> AnyInput for OnThread<P> {
    fn run(self: Box<Self>, out: Emitter, shutdown: Shutdown) -> BoxFuture<'static, Result<()>> {
        Box::pin(async move {
            let run = move || self.0.run(out.blocking(), shutdown);
            match tokio::task::spawn_blocking(run).await {
                Ok(result) => result,
                Err(error) => match error.try_into_panic() {
                    Ok(panic) => std::panic::resume_unwind(panic),
                    Err(error) => Err(Error::from(error)),
                },
            }
        })
    }
}

impl<P: Transform> AnyTransform for P {
    fn apply(&mut self, batch: Batch, out: &mut Outlet) -> Result<()> {
        Transform::apply(self, batch, out)
    }
    fn next_wake(&self) -> Option<Instant> {
        Transform::next_wake(self)
    }
    fn wake(&mut self, out: &mut Outlet) -> Result<()> {
        Transform::wake(self, out)
    }
    fn relieve(&mut self, out: &mut Outlet) -> Result<()> {
        Transform::relieve(self, out)
    }
    fn flush(&mut self, out: &mut Outlet) -> Result<()> {
        Transform::flush(self, out)
    }
}

impl<P: AsyncTransform> AnyAsyncTransform for P {
    fn apply<'a>(&'a mut self, chunk: Chunk, out: &'a mut Outlet) -> BoxFuture<'a, Result<()>> {
        Box::pin(AsyncTransform::apply(self, chunk, out))
    }
    fn flush<'a>(&'a mut self, out: &'a mut Outlet) -> BoxFuture<'a, Result<()>> {
        Box::pin(AsyncTransform::flush(self, out))
    }
}

impl<P: Buffer> AnyBuffer for P {
    fn run(
        self: Box<Self>,
        inbox: Inbox,
        out: BufferEmitter,
        shutdown: Shutdown,
    ) -> BoxFuture<'static, Result<()>> {
        Box::pin(async move { Buffer::run(*self, inbox, out, shutdown).await })
    }
}

impl<P: Output> AnyOutput for P {
    fn connect(&mut self) -> BoxFuture<'_, Result<()>> {
        Box::pin(Output::connect(self))
    }
    fn write<'a>(&'a mut self, chunk: &'a Chunk) -> BoxFuture<'a, Result<(), WriteError>> {
        Box::pin(Output::write(self, chunk))
    }
    fn close(&mut self) -> BoxFuture<'_, Result<()>> {
        Box::pin(Output::close(self))
    }
    fn is_exclusive(&self) -> bool {
        Output::is_exclusive(self)
    }
    fn delivered(&mut self) -> usize {
        Output::delivered(self)
    }
    fn progress(&self) -> Option<Progress> {
        Output::progress(self)
    }
    fn time_limits(&self) -> Vec<TimeLimit> {
        Output::time_limits(self)
    }
    fn writes_to(&self) -> Option<Destination> {
        Output::writes_to(self)
    }
    fn expect_take_back(&mut self) {
        Output::expect_take_back(self);
    }
    fn hands_back(&self) -> Result<HandsBack> {
        Output::hands_back(self)
    }
    fn take_back(&mut self) -> BoxFuture<'_, Result<Option<BoxBacklog>>> {
        Box::pin(Output::take_back(self))
    }
}

impl<B: Backlog> AnyBacklog for B {
    fn next(&mut self) -> BoxFuture<'_, Result<Option<Chunk>>> {
        Box::pin(Backlog::next(self))
    }
    fn delivered(&mut self) -> BoxFuture<'_, Result<()>> {
        Box::pin(Backlog::delivered(self))
    }
}
