//! Chunks to bytes and back, for keeping them on disk; nothing of a record is lost.
//!
//! ```
//! use swak_sdk::data::{Batch, Chunk, Record, Timestamp, codec};
//!
//! let record = Record::from_line("hello", Timestamp::from_nanos(1));
//! let chunk = Chunk::from(Batch::new(vec![record.clone()]).with_tag("greetings".into()));
//! let mut bytes = Vec::new();
//! codec::encode(&chunk, &mut bytes)?;
//! let again = codec::decode(&bytes.into())?;
//! assert_eq!(&*again.batches()[0].tag, "greetings");
//! assert_eq!(again.iter().next().unwrap().to_record(), record);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The format, version 2. Numbers are LEB128 varints, signed ones zigzag; *text* is its length and its
//! bytes; times are nanoseconds since 1970.
//!
//! | | |
//! |---|---|
//! | chunk | version (one byte), number of batches, batches |
//! | batch | flags (one byte: 1 lines, 2 tag as before, 4 source as before, 8 the lines are JSON objects), tag and source (text) unless as before, lines or records |
//! | lines | time (8 bytes), gap (one byte), number, length of each, and the bytes: the lines with *gap* bytes between them |
//! | records | number, records |
//! | record | flags (one byte: 1 fields, 2 truncated, 4 JSON, 8 weighs what the line is long), time (difference to the record before), weight unless it is the line's length, the line (text) or the fields or the JSON object (text) |
//! | fields | number, names (text) and values |
//! | value | type (one byte) and what it needs: see [`decode`]'s source |
//!
//! Version 1, which is read too, knew no lines that are JSON, and kept with a JSON object its fields, before
//! the text.

mod read;
mod write;

pub use read::{DecodeError, decode};
pub use write::{TooDeep, encode, encode_parts};

/// The version that is written.
const VERSION: u8 = 2;
/// Lists and maps in each other: deeper ones are refused, so that none ends the thread that reads it.
const MAX_DEPTH: usize = 256;

mod flag {
    pub(super) const LINES: u8 = 1;
    pub(super) const SAME_TAG: u8 = 2;
    pub(super) const SAME_SOURCE: u8 = 4;
    pub(super) const JSON_LINES: u8 = 8;

    pub(super) const FIELDS: u8 = 1;
    pub(super) const TRUNCATED: u8 = 2;
    pub(super) const JSON: u8 = 4;
    pub(super) const WEIGHS_ITS_LENGTH: u8 = 8;
}

mod kind {
    pub(super) const NULL: u8 = 0;
    pub(super) const FALSE: u8 = 1;
    pub(super) const TRUE: u8 = 2;
    pub(super) const INT: u8 = 3;
    pub(super) const FLOAT: u8 = 4;
    pub(super) const TEXT: u8 = 5;
    pub(super) const BYTES: u8 = 6;
    pub(super) const TIME: u8 = 7;
    pub(super) const LIST: u8 = 8;
    pub(super) const MAP: u8 = 9;
}

#[cfg(test)]
mod tests;
