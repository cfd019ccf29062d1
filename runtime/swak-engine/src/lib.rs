//! Runs checked recipes.
//!
//! A record's way through one task, each arrow a bounded channel that makes the stage before it wait:
//!
//! ```text
//! input ─▶ stage (transforms that follow each other) ─▶ sink (an output, or a failover)
//!            │ tee, when: a route decides at the end of a stage
//!            └─ dead letters ─▶ sink
//! ```
//!
//! [`Engine`] runs the tasks side by side, each under a supervisor that starts it again with
//! back-off. Acks travel with the batches; when an output has written a chunk they are settled, and
//! the input's stored position moves forward.

mod assemble;
mod async_stage;
mod backoff;
mod batching;
pub mod books;
mod buffer_stage;
mod dead_letters;
mod engine;
mod failover;
mod folder;
mod helped;
mod links;
mod outputs;
mod port;
mod route;
mod settings;
mod sink;
mod stage;
mod step;
mod store;
mod summary;
mod supervise;
mod workers;

pub use backoff::Backoff;
pub use engine::Engine;
pub use folder::StartError;
pub use settings::{RestartPolicy, Settings, Trace, When};
pub use store::MemoryStore;
pub use summary::{Ended, StepSummary, Summary, TaskSummary};
