//! What fuzzing holds against what it promises: the messages of the Forward protocol.

use swak_sdk::data::{Slice, Timestamp, json};

use crate::forward::decode;
use crate::msgpack::Scanner;

#[cfg(test)]
#[path = "../../../fuzz/replay.rs"]
mod replay;

/// The largest message, and the most that comes out of a compressed one.
const MAX: usize = 1000;

/// A stream in pieces holds the messages that the whole holds; each is refused, or its events are
/// read to the last and can be written.
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

fn message(bytes: &[u8]) {
    let received = Timestamp::from_nanos(77);
    let Ok(Some(mut message)) = decode(&Slice::from(bytes), MAX) else { return };
    let mut events = 0;
    while let Some(event) = message.entries.next(received) {
        events += 1;
        assert!(events <= MAX, "each event takes a byte at least");
        if let Ok(record) = event {
            let mut out = Vec::new();
            record.view().write_json(&mut out);
            json::parse_object(&(&*out).into()).expect("records are written as JSON objects");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fuzzing_found_stays_found() {
        replay::replay("forward", forward);
    }
}
