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

impl Entries {
    /// Events one after the other, each an array.
    pub(super) fn stream(bytes: Slice) -> Self {
        Entries { bytes, at: 0, single: false }
    }

    /// One event: a time, then a record.
    pub(super) fn single(bytes: Slice) -> Self {
        Entries { bytes, at: 0, single: true }
    }

    /// The next event as a record. One that says no time gets `received`; after one that is none,
    /// the others can still be read.
    pub(crate) fn next(&mut self, received: Timestamp) -> Option<Result<Record, Malformed>> {
        if self.at >= self.bytes.len() {
            return None;
        }
        let mut reader = Reader::new(&self.bytes);
        reader.set_position(self.at);
        let record = read(&mut reader, self.single, received);
        if record.is_err() {
            reader.set_position(self.at);
        }
        let past = record.is_ok() || reader.skip().is_ok();
        self.at = if past && !self.single { reader.position() } else { self.bytes.len() };
        Some(record)
    }
}

fn read(reader: &mut Reader<'_>, single: bool, received: Timestamp) -> Result<Record, Malformed> {
    let items = if single { 2 } else { reader.array()? };
    if items < 2 {
        return Err(Malformed { expected: "a time and a record" });
    }
    let time = reader.time()?.unwrap_or(received);
    let fields = reader.map()?;
    for _ in 2..items {
        reader.skip()?;
    }
    Ok(Record::from_fields(fields, time))
}
