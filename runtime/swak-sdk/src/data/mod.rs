//! Records and what they are made of.
//!
//! Everything between stages moves in a [`Batch`]. A line that was read from a file is a range of the
//! [`Block`] that was read; it becomes a [`Record`] of its own when somebody changes it, and fields
//! when somebody parses it. Text in fields is a [`Slice`] of the same block where the bytes are the
//! same.

mod batch;
mod block;
pub mod codec;
pub mod json;
mod map;
mod record;
mod text;
mod time;
mod value;

pub use batch::{Batch, Chunk, LineRange, Name};
pub use block::{Block, BlockPool, Slice};
pub use map::Map;
pub use record::{MESSAGE, Record, RecordRef, TRUNCATED};
pub use text::Text;
pub use time::Timestamp;
pub use value::Value;
