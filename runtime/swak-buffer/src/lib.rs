//! A crash-safe queue of byte frames on disk.
//!
//! Frames are appended to segment files and read in order; once they are acknowledged the read
//! position moves over them, and segments that are done are deleted. What [`Queue::sync`] has reported
//! as stored is there after a crash at any instruction, in order and once; frames that were read and
//! whose acknowledgement was not stored yet are read again.
//!
//! ```
//! use swak_buffer::{FileSystem, Next, Queue, Settings};
//!
//! # let folder = std::env::temp_dir().join(format!("swak-buffer-doc-{}", std::process::id()));
//! let mut queue = Queue::open(FileSystem::lock(&folder)?, Settings::default())?;
//! queue.append(b"two records", 2, 11)?;
//! queue.sync()?;
//! if let Some(Next::Frame(frame)) = queue.next()? {
//!     assert_eq!(frame.payload, b"two records");
//!     queue.ack(frame.seq);
//!     queue.sync_position()?;
//! }
//! # drop(queue);
//! # std::fs::remove_dir_all(&folder)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! What a frame holds is none of this crate's business. It only knows how many records and bytes the
//! caller says that there are in it, so that it can say how much was lost with a damaged one: every
//! frame says how many came before it.
//!
//! All access to files goes through [`Storage`]; [`FileSystem`] is the real one. The format is in
//! `docs/buffer.md`.
#![warn(missing_docs)]

mod aside;
mod error;
mod file_system;
mod folders;
mod format;
mod frames;
#[cfg(any(test, feature = "fuzz"))]
#[doc(hidden)]
pub mod fuzz;
mod gone;
mod layout;
mod place;
mod position;
mod queue;
mod repair;
mod replay;
mod rewrite;
mod storage;
mod survey;

#[cfg(test)]
mod damage_tests;
#[cfg(test)]
mod fault_tests;
#[cfg(test)]
mod model_tests;
#[cfg(test)]
mod simulated;

pub use error::{AppendError, LockError, OpenError, is_damage, is_full};
pub use file_system::FileSystem;
pub use folders::{make_folders, sync_folder};
pub use format::MAX_PAYLOAD;
pub use frames::Damage;
pub use gone::{Cause, Gone};
pub use place::{Count, Place};
pub use queue::{Discarded, Durability, Frame, Next, Opened, Queue, Settings};
pub use repair::{Repaired, repair};
pub use replay::{Replay, Replayed, replay};
pub use storage::{Storage, StoredFile};
pub use survey::{Aside, SegmentSurvey, Survey, Visited, looks_like_buffer, survey, visit};
