use std::collections::BTreeSet;

use swak_sdk::data::{Name, Record, Slice, Timestamp};

use super::super::asked::UnknownChunk;
use super::*;
use crate::forward::{Message, Mode, decode};
use crate::msgpack::{Precision, Scanner};

const MESSAGE_SIZE: usize = 1 << 20;

/// Tag, number of events and chunk id of each message.
type Found = Vec<(String, usize, Option<String>)>;

fn chunk() -> Chunk {
    let batch = |tag: &str, hosts: &[&str]| {
        let record = |host: &&str| {
            let fields = [("host", *host)].into_iter().collect();
            Record::from_fields(fields, Timestamp::default())
        };
        Batch::new(hosts.iter().map(record).collect()).with_tag(Name::from(tag))
    };
    Chunk::new(vec![batch("x", &["a", "a"]), batch("x", &["b"]), batch("y", &[""])])
}

fn writing(mode: Mode, ids: Option<ChunkIds>) -> Messages {
    Messages::new(Encoder::new(mode, Precision::Nanoseconds), ids, MESSAGE_SIZE)
}

fn tag(text: &str) -> Tag {
    Tag::from(Template::new(text).unwrap())
}

fn found(messages: &mut Messages) -> Found {
    let (pieces, asked) = messages.parts();
    let bytes = pieces.concat();
    let (mut found, mut at) = (Found::new(), 0);
    while at < bytes.len() {
        let rest = &bytes[at..];
        let len = Scanner::default().advance(rest, rest.len()).unwrap().unwrap();
        let message = decode(&Slice::from(&rest[..len]), 1 << 24).unwrap().unwrap();
        let Message { tag, mut entries, chunk } = message;
        let now = Timestamp::default();
        let events = std::iter::from_fn(|| entries.next(now)).filter(Result::is_ok).count();
        let chunk = chunk.map(|id| String::from_utf8(id.to_vec()).unwrap());
        found.push((tag.to_string(), events, chunk));
        at += len;
    }
    let asks = found.iter().any(|(_, _, id)| id.is_some());
    assert_eq!(asked.is_done(), !asks);
    found
}

fn tags_and_events(text: &str, mode: Mode) -> Vec<(String, usize)> {
    let mut messages = writing(mode, None);
    messages.write(&chunk(), &tag(text));
    found(&mut messages).into_iter().map(|(tag, n, _)| (tag, n)).collect()
}

fn ids(messages: &mut Messages, chunk: &Chunk) -> Vec<String> {
    messages.write(chunk, &tag("{{ tag }}"));
    found(messages).into_iter().map(|(_, _, id)| id.expect("acks are asked for")).collect()
}

fn acknowledge(messages: &mut Messages, id: &str) {
    let (_, asked) = messages.parts();
    assert_eq!(asked.answered(id.as_bytes()), Ok(()));
    assert_eq!(asked.answered(id.as_bytes()), Err(UnknownChunk), "twice");
}

#[test]
fn records_with_one_tag_travel_in_one_message() {
    let pairs = |pairs: &[(&str, usize)]| -> Vec<_> {
        pairs.iter().map(|(tag, n)| ((*tag).to_owned(), *n)).collect()
    };
    for mode in [Mode::Forward, Mode::PackedForward, Mode::CompressedPackedForward] {
        let of = |text| tags_and_events(text, mode);
        assert_eq!(of("{{ tag }}"), pairs(&[("x", 3), ("y", 1)]));
        assert_eq!(of("fixed"), pairs(&[("fixed", 4)]));
        assert_eq!(of("{{ host }}"), pairs(&[("a", 2), ("b", 1), ("y", 1)]));
        assert_eq!(of("{{ tag }}.{{ host }}"), pairs(&[("x.a", 2), ("x.b", 1), ("y.", 1)]));
    }
    let one_each = tags_and_events("{{ tag }}", Mode::Message);
    assert_eq!(one_each, pairs(&[("x", 1), ("x", 1), ("x", 1), ("y", 1)]));
}

#[test]
fn a_large_chunk_becomes_several_messages() {
    let line = Record::from_line(vec![b'x'; MESSAGE_SIZE / 3], Timestamp::default());
    let chunk = Batch::new(vec![line; 7]).into();
    for mode in [Mode::Forward, Mode::PackedForward, Mode::CompressedPackedForward] {
        let mut messages = writing(mode, Some(ChunkIds::new()));
        messages.write(&chunk, &tag("t"));
        let events: Vec<_> = found(&mut messages).into_iter().map(|(_, n, _)| n).collect();
        assert_eq!(events, [3, 3, 1]);
    }
}

#[test]
fn every_message_has_an_id_of_its_own() {
    let mut messages = writing(Mode::PackedForward, Some(ChunkIds::new()));
    let mut all = ids(&mut messages, &chunk());
    messages.delivered();
    all.extend(ids(&mut messages, &chunk()));
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), 4);
    assert_ne!(ChunkIds::new().id(1), ChunkIds::new().id(1));
}

#[test]
fn a_chunk_that_is_sent_again_keeps_its_ids_and_another_gets_new_ones() {
    for mode in [Mode::Message, Mode::PackedForward, Mode::CompressedPackedForward] {
        let mut messages = writing(mode, Some(ChunkIds::new()));
        let first = ids(&mut messages, &chunk());
        for _ in 0..3 {
            assert_eq!(ids(&mut messages, &chunk()), first, "{mode:?}");
        }
        let other = Batch::new(vec![Record::from_line(&b"other"[..], Timestamp::default())]).into();
        let second = ids(&mut messages, &other);
        assert!(second.iter().all(|id| !first.contains(id)), "{mode:?}");
        assert_eq!(ids(&mut messages, &other), second);
        messages.delivered();
        let third = ids(&mut messages, &other);
        assert!(third.iter().all(|id| !first.contains(id) && !second.contains(id)), "{mode:?}");
    }
}

#[test]
fn what_was_acknowledged_is_not_sent_again_with_the_rest_of_its_chunk() {
    for mode in [Mode::Message, Mode::PackedForward, Mode::CompressedPackedForward] {
        let tags = "{{ tag }}.{{ host }}";
        let mut messages = writing(mode, Some(ChunkIds::new()));
        messages.write(&chunk(), &tag(tags));
        let all = found(&mut messages);
        let id = |i: usize| all[i].2.as_deref().expect("acks are asked for");
        acknowledge(&mut messages, id(1));
        for _ in 0..2 {
            messages.write(&chunk(), &tag(tags));
            assert_eq!(found(&mut messages), [&all[..1], &all[2..]].concat(), "{mode:?}");
        }
        for i in [0, 2, 3].into_iter().filter(|i| *i < all.len()) {
            acknowledge(&mut messages, id(i));
        }
        // As when the write was cut off just before it could say so.
        messages.write(&chunk(), &tag(tags));
        let (pieces, asked) = messages.parts();
        assert!(pieces.is_empty() && asked.is_done(), "{mode:?}");
        // Another chunk knows nothing of it.
        messages.write(
            &Batch::new(vec![Record::from_line("x", Timestamp::default())]).into(),
            &tag(tags),
        );
        assert_eq!(found(&mut messages).len(), 1);
    }
}

#[test]
fn the_rest_of_a_chunk_keeps_its_ids_when_the_first_of_it_is_settled() {
    for mode in [Mode::Message, Mode::PackedForward, Mode::CompressedPackedForward] {
        let tags = tag("{{ tag }}.{{ host }}");
        let mut messages = writing(mode, Some(ChunkIds::new()));
        let mut chunk = chunk();
        messages.write(&chunk, &tags);
        let all = found(&mut messages);
        assert_eq!(messages.take_acknowledged(), 0);
        // The first one, and one that comes after an open one.
        acknowledge(&mut messages, all[0].2.as_deref().expect("an id"));
        acknowledge(&mut messages, all[2].2.as_deref().expect("an id"));
        let first = messages.take_acknowledged();
        assert_eq!((first, messages.take_acknowledged()), (all[0].1, 0), "{mode:?}");
        let rest = chunk.split_off(first);
        messages.write(&rest, &tags);
        assert_eq!(found(&mut messages), [&all[1..2], &all[3..]].concat(), "{mode:?}");
        for i in [1, 3].into_iter().filter(|i| *i < all.len()) {
            acknowledge(&mut messages, all[i].2.as_deref().expect("an id"));
        }
        assert_eq!(messages.take_acknowledged(), 4 - first, "{mode:?}");
        // Another chunk has other ids.
        messages.write(&rest, &tags);
        let again = found(&mut messages);
        assert!(again.iter().all(|message| !all.contains(message)), "{mode:?}: {again:?}");
    }
}

#[test]
fn acks_of_others_are_not_ours() {
    let mut messages = writing(Mode::PackedForward, Some(ChunkIds::new()));
    messages.write(&chunk(), &tag("t"));
    let (_, asked) = messages.parts();
    let other = ChunkIds::new().id(1);
    for id in [&b""[..], b"x", b"\xff", other.as_bytes(), b"0000000000000001-0000000000000009"] {
        assert_eq!(asked.answered(id), Err(UnknownChunk), "{id:?}");
    }
    assert!(!asked.is_done());
}
