//! From the bytes of a message to its tag, entries and chunk id.

use swak_sdk::data::{Name, Slice};

use super::option::{MAX_CHUNK_ID, MessageOption};
use super::{Entries, gzip};
use crate::msgpack::{Malformed, Reader, ScanError, Scanner, Shape};

/// A message that came in.
#[derive(Debug)]
pub(crate) struct Message {
    /// The tag of all its events.
    pub(crate) tag: Name,
    /// Its events, not yet read.
    pub(crate) entries: Entries,
    /// What to answer once the events are delivered.
    pub(crate) chunk: Option<Slice>,
}

/// Why a message is none of the Forward protocol.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ForwardError {
    #[error("not MessagePack")]
    Scan(#[from] ScanError),
    #[error("not a message of the Forward protocol")]
    Malformed(#[from] Malformed),
    #[error("the packed events end in the middle of one")]
    Truncated,
    #[error("compression `{0}` is not supported, only `gzip` is")]
    Compression(String),
    #[error("the packed events are not gzip")]
    Gzip(#[source] std::io::Error),
    #[error("a tag of {0} bytes; {MAX_TAG} are the most")]
    LongTag(usize),
    #[error("a chunk id of {0} bytes; {MAX_CHUNK_ID} are the most")]
    LongChunkId(usize),
}

/// The longest tag: as long as the longest path of a file, which tags are often made of.
const MAX_TAG: usize = 4096;

/// Reads a message that is one complete MessagePack value; `None` is a heartbeat.
///
/// No more than `max` bytes come out of compressed events. All events are known to be complete
/// MessagePack when this succeeds.
pub(crate) fn decode(message: &Slice, max: usize) -> Result<Option<Message>, ForwardError> {
    let mut reader = Reader::new(message);
    if reader.peek()? == Shape::Nil {
        return Ok(None);
    }
    let items = reader.array()?;
    let tag = reader.bytes()?;
    if tag.len() > MAX_TAG {
        return Err(ForwardError::LongTag(tag.len()));
    }
    let tag = Name::from(String::from_utf8_lossy(&tag).into_owned());
    Ok(Some(match reader.peek()? {
        Shape::Array => {
            let mut inside = Reader::new(message);
            inside.set_position(reader.position());
            inside.array()?;
            reader.skip()?;
            let entries = message.slice(inside.position(), reader.position());
            let chunk = MessageOption::read(&mut reader, items > 2)?.chunk()?;
            Message { tag, entries: Entries::stream(entries), chunk }
        }
        Shape::Bytes => {
            let packed = reader.bytes()?;
            let option = MessageOption::read(&mut reader, items > 2)?;
            let packed = unpack(packed, &option, max)?;
            check_complete(&packed)?;
            Message { tag, entries: Entries::stream(packed), chunk: option.chunk()? }
        }
        Shape::Nil | Shape::Other => {
            let start = reader.position();
            reader.skip()?;
            if items < 3 {
                return Err(Malformed { expected: "a record after the time" }.into());
            }
            reader.skip()?;
            let entry = message.slice(start, reader.position());
            let chunk = MessageOption::read(&mut reader, items > 3)?.chunk()?;
            Message { tag, entries: Entries::single(entry), chunk }
        }
    }))
}

fn unpack(packed: Slice, option: &MessageOption, max: usize) -> Result<Slice, ForwardError> {
    match option.compression() {
        None => Ok(packed),
        Some(b"gzip") => gzip::unpack(&packed, max),
        Some(other) => {
            let word = String::from_utf8_lossy(&other[..other.len().min(40)]).into_owned();
            Err(ForwardError::Compression(word))
        }
    }
}

/// Events are read while they are handed on; that the last of them is incomplete must be known
/// before the first is.
fn check_complete(packed: &[u8]) -> Result<(), ForwardError> {
    let (mut scanner, mut at) = (Scanner::default(), 0);
    while at < packed.len() {
        match scanner.advance(&packed[at..], usize::MAX)? {
            Some(len) => at += len,
            None => return Err(ForwardError::Truncated),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use swak_sdk::data::Timestamp;

    use super::super::Glance;
    use super::*;

    const NOW: Timestamp = Timestamp::from_nanos(77);

    /// `[100, {"a": 1}]` and `[EventTime 9.000000005, {"a": 2}]`
    const EVENTS: &[u8] = &[
        0x92, 100, 0x81, 0xa1, b'a', 1, // first
        0x92, 0xd7, 0, 0, 0, 0, 9, 0, 0, 0, 5, 0x81, 0xa1, b'a', 2,
    ];

    /// Tag, JSON of the events and chunk.
    type Found = (String, Vec<(i64, String)>, Option<Vec<u8>>);

    fn found(message: &[u8]) -> Result<Found, ForwardError> {
        let Message { tag, mut entries, chunk } =
            decode(&message.into(), 1000)?.expect("it is no heartbeat");
        let mut events = Vec::new();
        while let Some(event) = entries.next(NOW) {
            let record = event.expect("all events of these tests can be read").record;
            let mut json = Vec::new();
            record.view().write_json(&mut json);
            events.push((record.time().as_nanos(), String::from_utf8(json).expect("UTF-8")));
        }
        Ok((tag.to_string(), events, chunk.map(|c| c.to_vec())))
    }

    fn expected(chunk: Option<&[u8]>) -> Found {
        let events =
            vec![(100_000_000_000, r#"{"a":1}"#.into()), (9_000_000_005, r#"{"a":2}"#.into())];
        ("t".into(), events, chunk.map(<[u8]>::to_vec))
    }

    fn packed(events: &[u8], option: &[u8]) -> Vec<u8> {
        let head = [0x93, 0xa1, b't', 0xc4, events.len() as u8];
        [&head, events, option].concat()
    }

    /// `{"chunk": "id", "compressed": "gzip"}`
    fn gzip_option() -> Vec<u8> {
        [&b"\x82\xa5chunk\xa2id"[..], b"\xaacompressed\xa4gzip"].concat()
    }

    #[test]
    fn every_mode_says_the_same() {
        let forward = [&[0x92, 0xa1, b't', 0x92], EVENTS].concat();
        assert_eq!(found(&forward).unwrap(), expected(None));
        let with_chunk = [&[0x93, 0xa1, b't', 0x92], EVENTS, b"\x81\xa5chunk\xa2id"].concat();
        assert_eq!(found(&with_chunk).unwrap(), expected(Some(b"id")));
        let option = b"\x82\xa4size\x02\xa5chunk\xa2id";
        assert_eq!(found(&packed(EVENTS, option)).unwrap(), expected(Some(b"id")));
        let as_str = [&[0x92, 0xa1, b't', 0xa0 | EVENTS.len() as u8], EVENTS].concat();
        assert_eq!(found(&as_str).unwrap(), expected(None));
        let (first, second) =
            (gzip::tests::packed(&EVENTS[..6]), gzip::tests::packed(&EVENTS[6..]));
        let compressed = packed(&[first, second].concat(), &gzip_option());
        assert_eq!(found(&compressed).unwrap(), expected(Some(b"id")));
        let glance = |message: &[u8]| {
            let Glance { compressed, asks_for_ack } = Glance::at(&message.into());
            (compressed, asks_for_ack)
        };
        assert_eq!(glance(&compressed), (true, true));
        assert_eq!((glance(&as_str), glance(&with_chunk)), ((false, false), (false, true)));
        assert!(Glance::at_packed(&compressed.into()).compressed);
        assert_eq!(Glance::at_packed(&with_chunk.into()), Glance::default());
        assert_eq!(glance(b"\x94\xa1t\x64\x80\x81\xa5chunk\xa2id"), (false, true));
        assert_eq!(glance(b"\x93"), (false, false));
    }

    #[test]
    fn names_and_words_may_be_bytes_and_what_is_not_known_is_passed_over() {
        let events = gzip::tests::packed(EVENTS);
        // `{bin "compressed": bin "gzip", 1: [nil], bin "chunk": bin "id", "size": -1}`
        let option =
            b"\x84\xc4\x0acompressed\xc4\x04gzip\x01\x91\xc0\xc4\x05chunk\xc4\x02id\xa4size\xff";
        assert_eq!(found(&packed(&events, option)).unwrap(), expected(Some(b"id")));
        let none = b"\x82\xa5chunk\xc0\xaacompressed\xc0";
        assert_eq!(found(&packed(EVENTS, none)).unwrap(), expected(None));
        let text = b"\x81\xaacompressed\xa4text";
        assert_eq!(found(&packed(EVENTS, text)).unwrap(), expected(None));
        assert_eq!(found(&packed(EVENTS, b"\xc0")).unwrap(), expected(None));
    }

    #[test]
    fn what_would_be_held_for_long_is_short() {
        let with_id = |len: u8| {
            let option = [&b"\x81\xa5chunk\xc5\x01"[..], &[len], &[b'x'; 256 + 255]].concat();
            packed(EVENTS, &option[..option.len() - 255 + usize::from(len)])
        };
        assert_eq!(found(&with_id(0)).unwrap().2.map(|id| id.len()), Some(256));
        assert!(matches!(found(&with_id(1)), Err(ForwardError::LongChunkId(257))));
        let with_tag = |len: u16| {
            let head = [&b"\x92\xda"[..], &len.to_be_bytes()].concat();
            [&head[..], &vec![b't'; len.into()], b"\x90"].concat()
        };
        assert_eq!(found(&with_tag(4096)).unwrap().0.len(), 4096);
        assert!(matches!(found(&with_tag(4097)), Err(ForwardError::LongTag(4097))));
    }

    #[test]
    fn a_single_event_with_and_without_option() {
        let message = [&b"\x93\xa1t"[..], b"\x64\x81\xa1a\x01"].concat();
        let event = vec![(100_000_000_000, r#"{"a":1}"#.to_owned())];
        assert_eq!(found(&message).unwrap(), ("t".into(), event.clone(), None));
        let message = [&b"\x94\xa1t"[..], b"\x64\x81\xa1a\x01", b"\x81\xa5chunk\xa2id"].concat();
        assert_eq!(found(&message).unwrap(), ("t".into(), event, Some(b"id".to_vec())));
    }

    #[test]
    fn an_event_without_time_has_the_time_it_came() {
        let message = b"\x93\xa1t\xc0\x80";
        assert_eq!(found(message).unwrap().1, [(77, "{}".to_owned())]);
    }

    #[test]
    fn after_an_event_that_is_none_come_the_others() {
        let message = b"\x92\xa1t\x94\x92\x01\x80\xa1x\x92\x80\x02\x93\x02\x80\xc3";
        let mut message = decode(&message[..].into(), 1000).unwrap().unwrap();
        let read: Vec<_> = std::iter::from_fn(|| message.entries.next(NOW)).collect();
        assert_eq!(read.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, false, true]);
    }

    #[test]
    fn nil_is_a_heartbeat() {
        assert!(decode(&b"\xc0"[..].into(), 1000).unwrap().is_none());
    }

    #[test]
    fn what_is_no_message_is_told() {
        let error =
            |message: &[u8]| format!("{:#}", swak_sdk::Error::new(found(message).unwrap_err()));
        assert!(error(b"\x01").contains("expected an array"));
        assert!(error(b"\x92\x01\x90").contains("expected text"));
        assert!(error(b"\x92\xa1t\x01").contains("a record after the time"));
        assert!(error(b"\x91\xa1t").contains("expected a value"));
        assert!(error(&packed(&EVENTS[..10], b"\x80")).contains("in the middle"));
        assert!(error(&packed(b"\xc1", b"\x80")).contains("never uses"));
        assert!(error(&packed(EVENTS, &gzip_option())).contains("not gzip"));
        assert!(error(&packed(EVENTS, b"\x81\xaacompressed\xa4zstd")).contains("`zstd`"));
        assert!(error(&packed(EVENTS, b"\x81\xaacompressed\x01")).contains("text or bytes"));
        assert!(error(&packed(EVENTS, b"\x81\xa5chunk\x01")).contains("text or bytes"));
        assert!(error(&packed(EVENTS, b"\x90")).contains("a map"));
        let bomb = gzip::tests::packed(&vec![0xc0; 100_000]);
        let head = [&b"\x93\xa1t\xc5"[..], &(bomb.len() as u16).to_be_bytes()].concat();
        let bomb = [&*head, &*bomb, &*gzip_option()];
        assert!(error(&bomb.concat()).contains("larger than"));
    }

    proptest! {
        #[test]
        fn no_message_makes_it_panic(bytes in any::<Vec<u8>>(), head in 0..5usize) {
            let heads: [&[u8]; 5] =
                [b"", b"\x92\xa1t", b"\x93\xa1t\xc4\x10", b"\x92\xa1t\x92\x92", b"\x94\xa1t\xc0"];
            let message = Slice::from([heads[head], &bytes].concat());
            if let Ok(Some(mut message)) = decode(&message, 1000) {
                while message.entries.next(NOW).is_some() {}
            }
        }
    }
}
