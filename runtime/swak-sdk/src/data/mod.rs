//! Records and what they are made of.
//!
//! Everything between stages moves in a [`Batch`]. A line that was read from a file is a range of the
//! [`Block`] that was read, also after a parser has read it: what it found are [`Rows`], or it is known
//! that the line is a JSON object, in which fields are found when they are asked for. It becomes a
//! [`Record`] of its own, with a [`Map`] of its fields, when somebody changes it. Text in fields is a
//! [`Slice`] of the same block where the bytes are the same.

mod batch;
mod block;
mod chunk;
pub mod codec;
pub mod json;
mod map;
mod name;
mod patched;
mod ranges;
mod record;
mod rows;
mod text;
mod time;
mod value;

pub use batch::Batch;
pub use block::{Block, BlockPool, Slice};
pub use chunk::Chunk;
pub(crate) use json::FieldName;
pub use json::JsonReader;
pub(crate) use json::members::short_int;
pub(crate) use json::text::Member;
pub use map::Map;
pub use name::Name;
pub use ranges::LineRange;
pub use record::{MESSAGE, Record, RecordRef, TRUNCATED};
pub use rows::{Cell, Rows, Schema};
pub use text::Text;
pub use time::Timestamp;
pub use value::Value;
