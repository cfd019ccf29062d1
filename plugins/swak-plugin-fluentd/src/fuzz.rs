//! What fuzzing holds against what it promises: the messages of the Forward protocol.

use std::fmt::Debug;

use swak_sdk::data::{Record, Slice, Timestamp, json};

use crate::forward::{Encoder, Helo, Message, Mode, Ping, Pong, decode, read_ack, write_ack};
use crate::msgpack::{Malformed, Precision, Scanner};

#[cfg(test)]
#[path = "../../../fuzz/replay.rs"]
mod replay;

/// The largest message, and the most that comes out of a compressed one.
const MAX: usize = 1000;

/// A stream in pieces holds the messages that the whole holds; each is refused, or its events are
/// read to the last, and are the same when they were sent in any mode and read again.
pub fn forward(data: &[u8]) {
    let Some((piece, stream)) = data.split_first() else { return };
    let (mut scanner, mut start, mut end) = (Scanner::default(), 0, 0);
    let mut ends = Vec::new();
    let failed = 'stream: loop {
        end = stream.len().min(end + 1 + usize::from(*piece));
        loop {
            match scanner.advance(&stream[start..end], MAX) {
                Ok(Some(len)) => {
                    assert!((1..=MAX).contains(&len) && start + len <= end);
                    start += len;
                    ends.push(start);
                }
                Ok(None) if end == stream.len() => break 'stream None,
                Ok(None) => break,
                Err(error) => break 'stream Some(error),
            }
        }
    };
    let (mut scanner, mut start) = (Scanner::default(), 0);
    for end in ends {
        assert_eq!(scanner.advance(&stream[start..], MAX), Ok(Some(end - start)));
        message(&stream[start..end]);
        start = end;
    }
    assert_eq!(scanner.advance(&stream[start..], MAX).err(), failed);
}

/// The events of a message, each its time and its fields; those that are none are left out.
fn events(message: Message) -> Vec<Record> {
    let (received, mut entries) = (Timestamp::from_nanos(77), message.entries);
    let mut events = Vec::new();
    while let Some(event) = entries.next(received) {
        events.extend(event.map(|event| event.record));
        assert!(events.len() <= MAX, "each event takes a byte at least");
    }
    events
}

fn message(bytes: &[u8]) {
    let Ok(Some(message)) = decode(&Slice::from(bytes), MAX) else { return };
    let tag = message.tag.clone();
    let events = events(message);
    for mode in [Mode::Message, Mode::Forward, Mode::PackedForward, Mode::CompressedPackedForward] {
        let mut encoder = Encoder::new(mode, Precision::Nanoseconds);
        let most = if encoder.is_one_each() { 1 } else { MAX };
        let mut again = Vec::new();
        for events in events.chunks(most) {
            let mut out = Vec::new();
            encoder.begin(&mut out, &tag, true);
            events.iter().for_each(|event| encoder.event(&mut out, event.view()));
            encoder.end(&mut out, Some("id"));
            assert_eq!(Scanner::default().advance(&out, usize::MAX), Ok(Some(out.len())));
            let message = decode(&Slice::from(&*out), usize::MAX);
            let message =
                message.expect("what was written is a message").expect("and no heartbeat");
            assert_eq!((&message.tag, message.chunk.as_deref()), (&tag, Some(&b"id"[..])));
            again.extend(self::events(message));
        }
        assert_eq!(again.len(), events.len());
        for (again, event) in again.iter().zip(&events) {
            // What EventTime cannot say is told in whole seconds.
            let whole = u32::try_from(event.time().seconds()).is_err();
            let time = Timestamp::from_parts(event.time().seconds(), 0);
            assert_eq!(again.time(), if whole { time } else { event.time() });
            assert_eq!(json(again), json(event));
        }
    }
}

fn json(record: &Record) -> Vec<u8> {
    let mut out = Vec::new();
    record.view().write_json(&mut out);
    json::parse_object(&(&*out).into()).expect("records are written as JSON objects");
    out
}

/// What else the two sides say to each other is refused, or is the same when it was written and read
/// again.
pub fn answers(data: &[u8]) {
    let bytes = Slice::from(data);
    same_again(&bytes, Helo::read, Helo::write);
    same_again(&bytes, Ping::read, Ping::write);
    same_again(&bytes, Pong::read, Pong::write);
    same_again(&bytes, read_ack, |chunk, out| write_ack(out, chunk));
}

fn same_again<T: PartialEq + Debug>(
    bytes: &Slice,
    read: fn(&Slice) -> Result<T, Malformed>,
    write: fn(&T, &mut Vec<u8>),
) {
    let Ok(value) = read(bytes) else { return };
    let mut out = Vec::new();
    write(&value, &mut out);
    assert_eq!(Scanner::default().advance(&out, usize::MAX), Ok(Some(out.len())));
    assert_eq!(read(&Slice::from(&*out)), Ok(value));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fuzzing_found_stays_found() {
        replay::replay("forward", forward);
        replay::replay("forward_answers", answers);
    }
}
