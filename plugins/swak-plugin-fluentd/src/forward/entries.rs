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
    /// Some of the bytes, and where they begin; events are slices of these.
    piece: (usize, Slice),
}

/// An event that was read.
#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) record: Record,
    /// About how much memory it takes; of tiny values it is far more than their bytes.
    pub(crate) memory: usize,
}

/// Of a larger block pieces of this size are copied, so that a record that is kept for long does not
/// keep megabytes that came with it.
const PIECE: usize = 64 * 1024;

/// What a value takes besides its bytes: itself, the name that it may have, and room to grow.
const VALUE_COST: usize = 64;

/// A record weighs its bytes, or this part of its memory where that is more. So what may be on its way
/// in a task, which is counted by weight, bounds the memory too.
const MEMORY_FOR_WEIGHT: usize = 16;

impl Entries {
    /// Events one after the other, each an array.
    pub(super) fn stream(bytes: Slice) -> Self {
        Entries { piece: first_piece(&bytes), bytes, at: 0, single: false }
    }

    /// One event: a time, then a record.
    pub(super) fn single(bytes: Slice) -> Self {
        Entries { piece: first_piece(&bytes), bytes, at: 0, single: true }
    }

    /// The next event. One that says no time gets `received`; after one that is none, the others can
    /// still be read.
    pub(crate) fn next(&mut self, received: Timestamp) -> Option<Result<Event, Malformed>> {
        if self.at >= self.bytes.len() {
            return None;
        }
        let mut read = self.read(received);
        if let Err(error) = read {
            let end = self.past_next();
            if end <= self.piece_end() {
                self.at = end;
                return Some(Err(error));
            }
            // It goes beyond the piece.
            self.next_piece(end);
            read = self.read(received);
            if read.is_err() {
                self.at = end;
            }
        }
        Some(read.map(|(event, end)| {
            self.at = if self.single { self.bytes.len() } else { end };
            event
        }))
    }

    /// The event that is next, if it lies in the piece, and where it ends.
    fn read(&self, received: Timestamp) -> Result<(Event, usize), Malformed> {
        let (start, piece) = &self.piece;
        let mut reader = Reader::new(piece);
        reader.set_position(self.at.saturating_sub(*start));
        let mut record = read(&mut reader, self.single, received)?;
        let end = start + reader.position();
        let memory = end - self.at + reader.values() * VALUE_COST;
        let weight = (end - self.at).max(memory / MEMORY_FOR_WEIGHT);
        record.set_weight(u32::try_from(weight).unwrap_or(u32::MAX));
        Ok((Event { record, memory }, end))
    }

    /// Where the value ends that is next.
    fn past_next(&self) -> usize {
        let mut reader = Reader::new(&self.bytes);
        reader.set_position(self.at);
        let values = if self.single { 2 } else { 1 };
        let all = (0..values).try_for_each(|_| reader.skip());
        all.map_or(self.bytes.len(), |()| reader.position())
    }

    /// Goes on to a piece that begins with the next event, which ends here, and holds all of it.
    fn next_piece(&mut self, end: usize) {
        let end = end.max(self.at + PIECE).min(self.bytes.len());
        let is_most = end - self.at > self.bytes.block().len() / 2;
        self.piece = match is_most {
            true => (self.at, self.bytes.slice(self.at, end)),
            false => (self.at, Slice::from(&self.bytes[self.at..end])),
        };
    }

    fn piece_end(&self) -> usize {
        self.piece.0 + self.piece.1.len()
    }
}

/// All of it, where the block is small; else nothing yet.
fn first_piece(bytes: &Slice) -> (usize, Slice) {
    let is_small = bytes.block().len() <= 2 * PIECE;
    (0, if is_small { bytes.clone() } else { bytes.slice(0, 0) })
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
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn metadata_become_a_field_where_there_are_any() {
        let json = |bytes: &[u8]| {
            let mut entries = Entries::stream(bytes.into());
            let record = entries.next(Timestamp::default()).unwrap().unwrap().record;
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

    /// `[9, {"t": text of so many bytes}]`
    fn event(len: usize) -> Vec<u8> {
        let head = [&b"\x92\x09\x81\xa1t\xdb"[..], &(len as u32).to_be_bytes()].concat();
        [head, vec![b'x'; len]].concat()
    }

    fn all(mut entries: Entries) -> Vec<Event> {
        let next = || entries.next(Timestamp::default());
        std::iter::from_fn(next).map(|event| event.expect("an event")).collect()
    }

    fn block_of(event: &Event) -> usize {
        let text = event.record.view().get("t").map(std::borrow::Cow::into_owned);
        let Some(swak_sdk::data::Value::Text(text)) = text else { panic!("{event:?}") };
        text.to_slice().block().len()
    }

    #[test]
    fn a_small_event_keeps_no_large_block_and_a_large_one_is_not_copied() {
        let lens = [100, 3 * PIECE, 50, PIECE, 200, 30 * PIECE, 70];
        let mut bytes: Vec<_> = lens.map(event).concat();
        // Many that come after it must not be copied together with it.
        bytes.extend(std::iter::repeat_n(event(500), 1000).flatten());
        let whole = Slice::from(bytes);
        let events = all(Entries::stream(whole.clone()));
        assert_eq!(events.len(), lens.len() + 1000);
        for (event, len) in std::iter::zip(&events, lens) {
            let most = if len > whole.len() / 2 { whole.len() } else { len.max(PIECE) + 50 };
            assert!(block_of(event) <= most, "{len}: {}", block_of(event));
        }
        assert_eq!(block_of(&events[5]), whole.len(), "it is most of the block");
        assert!(events[lens.len()..].iter().all(|event| block_of(event) <= PIECE));
        let small = Slice::from([event(100), event(90)].concat());
        assert!(all(Entries::stream(small.clone())).iter().all(|e| block_of(e) == small.len()));
    }

    #[test]
    fn what_is_no_event_is_passed_over_wherever_a_piece_ends() {
        let bytes =
            [event(PIECE - 20), b"\xa5wrong".to_vec(), event(30), event(9 * PIECE)].concat();
        let mut entries = Entries::stream(bytes.into());
        let next = || entries.next(Timestamp::default()).map(|event| event.is_ok());
        assert_eq!(std::iter::from_fn(next).collect::<Vec<_>>(), [true, false, true, true]);
    }

    proptest! {
        #[test]
        fn pieces_change_nothing(
            kinds in prop::collection::vec((0..5u8, 0..400usize), 1..12), padding in 0..3usize,
        ) {
            let entry = |(kind, len): &(u8, usize)| match kind {
                0 => event(PIECE - 200 + len),
                1 => event(PIECE * 2 + len),
                2 => [&[0xda][..], &(*len as u16).to_be_bytes(), &vec![b'x'; *len]].concat(),
                _ => event(*len),
            };
            let entries: Vec<Vec<u8>> = kinds.iter().map(entry).collect();
            let tell = |event: Result<Event, Malformed>| {
                event.map(|Event { record, memory }| {
                    let mut json = Vec::new();
                    record.view().write_json(&mut json);
                    (json, record.weight(), memory)
                })
            };
            let bytes = [vec![0; PIECE * padding], entries.concat()].concat();
            let whole = Slice::from(bytes);
            let mut read = Entries::stream(whole.slice(PIECE * padding, whole.len()));
            for entry in entries {
                let mut alone = Entries::stream(entry.into());
                let alone = alone.next(Timestamp::default()).map(tell);
                prop_assert_eq!(read.next(Timestamp::default()).map(tell), alone);
            }
            prop_assert!(read.next(Timestamp::default()).is_none());
        }
    }

    #[test]
    fn tiny_values_weigh_what_they_take() {
        let nils = [&b"\x92\x09\x81\xa1t\xdc\xff\xff"[..], &[0xc0; 0xffff]].concat();
        let one = &all(Entries::stream(nils.into()))[0];
        assert!(one.memory > 0xffff * size_of::<swak_sdk::data::Value>());
        assert!(one.record.weight() as usize * MEMORY_FOR_WEIGHT >= one.memory - MEMORY_FOR_WEIGHT);
        let text = event(1000);
        assert_eq!(all(Entries::stream(text.clone().into()))[0].record.weight(), text.len() as u32);
    }
}
