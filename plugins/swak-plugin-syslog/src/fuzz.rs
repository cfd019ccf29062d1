//! What fuzzing holds against what it promises: framing and messages.

use std::sync::Arc;

use jiff::tz::TimeZone;
use swak_sdk::data::{Block, Name, Timestamp, json};
use swak_sdk::plugin::Counters;

use crate::buffers::Buffers;
use crate::framing::{Deframer, Frame};
use crate::parse::{Clock, Format, Message, parse};
use crate::record::{Mode, OnError, Reader};

#[cfg(test)]
#[path = "../../../fuzz/replay.rs"]
mod replay;

/// A stream in pieces gives the messages that a simple reading of the whole gives, and memory stays
/// bounded.
pub fn framing(data: &[u8]) {
    let [max, piece, stream @ ..] = data else { return };
    let (max, piece) = (1 + usize::from(max % 40), 1 + usize::from(piece % 16));
    let mut deframer = Deframer::new(max, Buffers::new());
    let (mut found, mut cut) = (Vec::new(), 0);
    let mut take = |frames: Option<crate::framing::Frames>| {
        if let Some(frames) = frames {
            cut += frames.messages.iter().filter(|message| message.is_cut).count();
            found.extend(frames.messages.into_iter().map(|m| frames.block[m.range].to_vec()));
        }
    };
    for bytes in stream.chunks(piece) {
        deframer.buffer(piece).extend_from_slice(bytes);
        take(deframer.split());
        assert!(deframer.buffer(0).len() <= max + 16, "no more than a message is held");
    }
    take(deframer.finish());
    assert_eq!((found, cut), whole(stream, max));
}

/// The messages of a whole stream, and how many of them are cut.
fn whole(mut rest: &[u8], max: usize) -> (Vec<Vec<u8>>, usize) {
    let (mut messages, mut cut) = (Vec::new(), 0);
    while !rest.is_empty() {
        let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
        let counted =
            (1..=10).contains(&digits) && rest[0] != b'0' && rest[digits..].starts_with(b" <");
        let message;
        if counted {
            let announced: u64 =
                String::from_utf8_lossy(&rest[..digits]).parse().expect("ten digits are a number");
            let body = &rest[digits + 1..];
            let there = body.len().min(usize::try_from(announced).unwrap_or(usize::MAX));
            // Of one that the stream ends in, a carriage return at its end is taken for a line's.
            let kept = &body[..there.min(max)];
            let ended = (body.len() as u64) < announced && body.len() < max;
            message = if ended { kept.strip_suffix(b"\r").unwrap_or(kept) } else { kept };
            let is_cut = (there as u64) < announced || there > max;
            cut += usize::from(is_cut && !message.is_empty());
            rest = &body[there..];
        } else {
            let end = rest.iter().position(|b| matches!(b, b'\n' | 0));
            let line = &rest[..end.unwrap_or(rest.len())];
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            message = &line[..line.len().min(max)];
            cut += usize::from(line.len() > max);
            rest = &rest[end.map_or(rest.len(), |end| end + 1)..];
        }
        if !message.is_empty() {
            messages.push(message.to_vec());
        }
    }
    (messages, cut)
}

/// Every part of a message lies in it, a message of RFC 5424 written again from its parts has the
/// same parts, and nothing is neither a record nor dropped.
pub fn message(data: &[u8]) {
    let [format, bytes @ ..] = data else { return };
    let format = [Format::Auto, Format::Rfc3164, Format::Rfc5424][usize::from(format % 3)];
    let clock = Clock::new(Timestamp::from_parts(1_700_000_000, 0), TimeZone::UTC);
    if let Ok(message) = parse(bytes, format, &clock) {
        let within = |part: &[u8]| part.is_empty() || bytes.as_ptr_range().contains(&part.as_ptr());
        let parts = [message.hostname, message.app_name, message.proc_id, message.msg_id];
        assert!(parts.into_iter().flatten().all(within) && within(message.message));
        if format == Format::Rfc5424 {
            let again = rfc5424(&message);
            assert_eq!(parse(&again, format, &clock).as_ref(), Ok(&message));
        }
    }
    for (mode, on_error) in
        [(Mode::Parsed, OnError::Keep), (Mode::Parsed, OnError::Drop), (Mode::Raw, OnError::Keep)]
    {
        let counters = Arc::<Counters>::default();
        let reader = Reader::new(mode, format, on_error, TimeZone::UTC, counters.clone());
        let block = Block::from(bytes.to_vec());
        let frames = [Frame { range: 0..bytes.len(), is_cut: bytes.len() > 100 }];
        let batch = reader.batch(&block, &frames, &Name::from("peer"));
        let dropped: u64 = counters.snapshot().dropped.values().sum();
        assert_eq!(batch.len() as u64 + dropped, 1);
        for record in batch.iter() {
            let mut out = Vec::new();
            record.write_json(&mut out);
            let fields = json::parse_object(&(&*out).into());
            let fields = fields.expect("records are written as JSON objects");
            assert_eq!(fields.get("truncated").is_some(), bytes.len() > 100);
            if mode == Mode::Raw {
                assert_eq!(record.line(), Some(bytes));
            }
        }
    }
}

/// The message that these are the parts of.
pub(crate) fn rfc5424(message: &Message<'_>) -> Vec<u8> {
    let mut out = format!("<{}>1 ", message.priority.number()).into_bytes();
    out.extend(message.timestamp.map_or("-".into(), |time| time.to_string()).into_bytes());
    for part in [message.hostname, message.app_name, message.proc_id, message.msg_id] {
        out.push(b' ');
        out.extend_from_slice(part.unwrap_or(b"-"));
    }
    out.push(b' ');
    if message.structured_data.is_empty() {
        out.push(b'-');
    }
    for element in &message.structured_data {
        out.push(b'[');
        out.extend_from_slice(element.id);
        for (name, value) in &element.params {
            out.extend_from_slice(&[b" ", *name, b"=\""].concat());
            for byte in value.iter() {
                if matches!(byte, b'"' | b'\\' | b']') {
                    out.push(b'\\');
                }
                out.push(*byte);
            }
            out.push(b'"');
        }
        out.push(b']');
    }
    // With the mark, so that one at the beginning of the text is not taken for it.
    out.extend_from_slice(b" \xef\xbb\xbf");
    out.extend_from_slice(message.message);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fuzzing_found_stays_found() {
        replay::replay("syslog_framing", framing);
        replay::replay("syslog_message", message);
    }
}
