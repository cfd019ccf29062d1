//! The events of a message, read one after the other.

use swak_sdk::data::{Record, Slice, Timestamp};

use crate::msgpack::{Malformed, Reader};

/// The events of a message. The bytes are complete MessagePack; whether they are events is found
/// when each is read.
#[derive(Debug)]
pub(crate) struct Entries {
    bytes: Slice,
    at: usize,
    single: bool,
}

/// One event, not yet read.
#[derive(Debug)]
pub(crate) struct Entry {
    bytes: Slice,
    single: bool,
}

impl Entries {
    /// Events one after the other, each an array.
    pub(super) fn stream(bytes: Slice) -> Self {
        Entries { bytes, at: 0, single: false }
    }

    /// One event: a time, then a record.
    pub(super) fn single(bytes: Slice) -> Self {
        Entries { bytes, at: 0, single: true }
    }
}

impl Iterator for Entries {
    type Item = Entry;

    fn next(&mut self) -> Option<Entry> {
        if self.at >= self.bytes.len() {
            return None;
        }
        let start = self.at;
        let mut reader = Reader::new(&self.bytes);
        reader.set_position(start);
        self.at = match reader.skip() {
            Ok(()) if !self.single => reader.position(),
            _ => self.bytes.len(),
        };
        Some(Entry { bytes: self.bytes.slice(start, self.at), single: self.single })
    }
}

impl Entry {
    /// Reads it. An event that says no time gets `received`.
    pub(crate) fn read(&self, received: Timestamp) -> Result<Record, Malformed> {
        let mut reader = Reader::new(&self.bytes);
        if !self.single && reader.array()? < 2 {
            return Err(Malformed { expected: "a time and a record" });
        }
        let time = reader.time()?.unwrap_or(received);
        Ok(Record::from_fields(reader.map()?, time))
    }
}
