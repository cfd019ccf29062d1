//! MessagePack, as far as the Forward protocol and records need it.
//!
//! | MessagePack | value |
//! |---|---|
//! | nil, bool, int, float | the same; whole numbers beyond 64 bits with a sign become floats |
//! | str | text, or bytes when it is not UTF-8 |
//! | bin | bytes |
//! | ext 0 (EventTime), ext -1 (timestamp) | time |
//! | any other ext | bytes: its content |
//! | array, map | list, map |
//!
//! The other way round, bytes become bin and a time becomes RFC 3339 text, which every receiver
//! understands.

mod head;
mod read;
mod scan;
mod write;

pub(crate) use read::{Malformed, Reader, Shape};
pub(crate) use scan::{ScanError, Scanner};
pub(crate) use write::{Lines, Open, Precision, Writer};

/// How many lists and maps of a record may lie in each other: as many as in JSON.
pub(crate) const MAX_DEPTH: usize = 127;

/// How many may in a message. A record that is too deep is refused by itself, whatever message it
/// comes in; only beyond this the whole message is, which its sender may send again for ever.
pub(crate) const MAX_SCAN_DEPTH: usize = 1024;

/// The ext type of Fluentd's EventTime: seconds and nanoseconds, 32 bits each.
const EVENT_TIME: i8 = 0;

/// The ext type of MessagePack's own timestamp.
const TIMESTAMP: i8 = -1;
