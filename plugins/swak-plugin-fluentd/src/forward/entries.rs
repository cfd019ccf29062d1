//! The events of a message, read one after the other.

use swak_sdk::data::{Map, Record, Slice, Timestamp};

use crate::msgpack::{Malformed, Reader, Shape};

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
        let mut record = read(&mut reader, self.single, received);
        match &mut record {
            Ok(record) => {
                let taken = reader.position() - self.at;
                record.set_weight(u32::try_from(taken).unwrap_or(u32::MAX));
            }
            Err(_) => reader.set_position(self.at),
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
    let (time, metadata) = time(reader)?;
    let mut fields = reader.map()?;
    for _ in 2..items {
        reader.skip()?;
    }
    if !metadata.is_empty() && fields.get(METADATA).is_none() {
        fields.insert(METADATA, metadata);
    }
    Ok(Record::from_fields(fields, time.unwrap_or(received)))
}

/// The field that an event's metadata become.
const METADATA: &str = "metadata";

/// The time of an event, and what else stands in its place: Fluent Bit from version 2.1 on sends
/// `[time, {metadata}]` where its recipe says so.
fn time(reader: &mut Reader<'_>) -> Result<(Option<Timestamp>, Map), Malformed> {
    if reader.peek()? != Shape::Array {
        return Ok((reader.time()?, Map::new()));
    }
    if reader.array()? != 2 {
        return Err(Malformed { expected: "a time and metadata" });
    }
    Ok((reader.time()?, reader.map()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_become_a_field_where_there_are_any() {
        let json = |bytes: &[u8]| {
            let mut entries = Entries::stream(bytes.into());
            let record = entries.next(Timestamp::default()).unwrap().unwrap();
            let mut json = Vec::new();
            record.view().write_json(&mut json);
            (record.time().seconds(), String::from_utf8(json).unwrap())
        };
        let empty = b"\x92\x92\x09\x80\x81\xa1a\x01";
        assert_eq!(json(empty), (9, r#"{"a":1}"#.to_owned()));
        let some = b"\x92\x92\x09\x81\xa1m\x02\x81\xa1a\x01";
        assert_eq!(json(some), (9, r#"{"a":1,"metadata":{"m":2}}"#.to_owned()));
        let taken = b"\x92\x92\x09\x81\xa1m\x02\x81\xa8metadata\x01";
        assert_eq!(json(taken), (9, r#"{"metadata":1}"#.to_owned()));
    }
}
