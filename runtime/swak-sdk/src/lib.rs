//! What a Swak plugin is written against.
//!
//! A plugin is a struct of options, a struct that does the work, and one line that registers it:
//!
//! ```
//! use swak_sdk::prelude::*;
//!
//! /// Makes every line upper case.
//! #[derive(Options)]
//! #[plugin(transform, name = "Shout")]
//! pub struct ShoutOptions {
//!     /// What to put at the end.
//!     #[option(positional, default = "!")]
//!     mark: String,
//! }
//!
//! struct Shout(ShoutOptions);
//!
//! impl Plugin for Shout {
//!     type Options = ShoutOptions;
//!
//!     fn new(options: ShoutOptions, _: &BuildContext) -> Result<Self> {
//!         Ok(Shout(options))
//!     }
//! }
//!
//! impl Transform for Shout {
//!     fn apply(&mut self, mut batch: Batch, out: &mut Outlet) -> Result<()> {
//!         for record in batch.records_mut() {
//!             if let Some(line) = record.line() {
//!                 let mut loud = line.to_ascii_uppercase();
//!                 loud.extend_from_slice(self.0.mark.as_bytes());
//!                 record.set_content(Record::from_line(loud, record.time()));
//!             }
//!         }
//!         out.emit(batch);
//!         Ok(())
//!     }
//! }
//!
//! pub fn register(plugins: &mut Plugins) {
//!     plugins.transform::<Shout>();
//! }
//! ```
#![warn(missing_docs)]

// The code that `#[derive(Options)]` writes names this crate as others do.
extern crate self as swak_sdk;

pub mod ack;
pub mod data;
#[cfg(any(test, feature = "fuzz"))]
#[doc(hidden)]
pub mod fuzz;
pub mod ledger;
pub mod options;
pub mod plugin;

pub use anyhow::{Context, Error, Result, anyhow, bail, ensure};
pub use plugin::Plugins;

/// Everything that a plugin usually needs.
pub mod prelude {
    pub use crate::ack::{Ack, Delivery, Outcome};
    pub use crate::data::{
        Batch, Block, BlockPool, Chunk, JsonReader, LineRange, Map, Name, Record, RecordRef, Slice,
        Text, Timestamp, Value,
    };
    pub use crate::options::*;
    pub use crate::plugin::{
        AsyncTransform, Backlog, BlockingEmitter, BlockingInput, BoxBacklog, Buffer, BufferEmitter,
        BuildContext, Destination, Emitter, HandsBack, Inbox, Input, Outlet, Output, Plugin,
        Plugins, Progress, Shutdown, Stopped, TimeLimit, Transform, WriteError,
    };
    pub use crate::{Context, Error, Result, anyhow, bail, ensure};
}
