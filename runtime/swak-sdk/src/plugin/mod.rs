//! What a plugin is: one of a few small traits, and what the engine gives it.
//!
//! | to write | implement | register with |
//! |---|---|---|
//! | an input | [`Input`] | [`Plugins::input`] |
//! | an input that reads with blocking calls | [`BlockingInput`] | [`Plugins::blocking_input`] |
//! | a transform | [`Transform`] | [`Plugins::transform`] |
//! | a transform that waits for something | [`AsyncTransform`] | [`Plugins::async_transform`] |
//! | a buffer that keeps records by itself | [`Buffer`] | [`Plugins::buffer`] |
//! | an output | [`Output`] | [`Plugins::output`] |
//!
//! The engine owns retry, back-off, time-outs, ordering and shutdown: a plugin returns an error and
//! the engine decides what follows. A panic ends the plugin's task, which the engine reports and
//! starts again; other tasks go on.

mod buffer;
mod checkpoint;
mod context;
mod counters;
mod emitter;
pub mod erased;
mod help;
mod input;
mod outlet;
mod output;
mod progress;
mod registry;
mod shutdown;
mod transform;

pub use buffer::{Buffer, BufferEmitter, Inbox};
pub use checkpoint::{CheckpointStore, Checkpoints};
pub use context::BuildContext;
pub use counters::{Counters, CountersSnapshot};
pub use emitter::{BlockingEmitter, Emitter, Stopped};
pub use help::Help;
pub use input::{BlockingInput, Input};
pub use outlet::{DeadLetter, Outlet};
pub use output::{Backlog, BoxBacklog, Destination, HandsBack, Output, WriteError};
pub use progress::{Progress, TimeLimit};
pub use registry::{CrateInfo, PluginEntry, Plugins};
pub use shutdown::{Shutdown, ShutdownTrigger};
pub use transform::{AsyncTransform, Transform};

use crate::Result;
use crate::options::Options;

/// What inputs, transforms and outputs have in common.
pub trait Plugin: Sized + Send + 'static {
    /// Its options; derive them with `#[derive(Options)]`.
    type Options: Options;

    /// Makes the plugin. Called each time its task starts, and by `check` with a context that has no
    /// task; no file, socket or process may be touched here.
    ///
    /// # Errors
    /// What is wrong with the options beyond their types. `check` shows it at the plugin's place in
    /// the recipe.
    fn new(options: Self::Options, cx: &BuildContext) -> Result<Self>;
}
