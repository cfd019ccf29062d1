//! Where messages end in a stream: both framings of RFC 6587, told apart for each message.
//!
//! - Octet counting: `31 <34>1 - - - - - - …` says how long the message is.
//! - A message that begins with anything else ends with a line feed or a zero byte.

use std::ops::Range;

use swak_sdk::data::Block;

use crate::buffers::Buffers;

/// The most digits of an announced length. What has more is text.
const MAX_DIGITS: usize = 10;

/// Finds the messages of one stream. It holds at most one incomplete message, of which it keeps no
/// more than `max` bytes, and looks at each byte once.
pub(crate) struct Deframer {
    bytes: Vec<u8>,
    buffers: Buffers,
    /// Up to here there is no line end.
    searched: usize,
    state: State,
    max: usize,
}

/// Complete messages, all in one block.
#[derive(Debug)]
pub(crate) struct Frames {
    pub(crate) block: Block,
    pub(crate) messages: Vec<Frame>,
}

/// Where a message lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) range: Range<usize>,
    /// Its end is cut off: it was longer than allowed, or the stream ended in it.
    pub(crate) is_cut: bool,
}

#[derive(Debug)]
enum State {
    /// A message begins.
    Begin,
    /// The rest of a message of a known length that was too long is skipped.
    SkipBytes(u64),
    /// The rest of a line that was too long is skipped.
    SkipLine,
}

/// What there is at a place.
enum Step {
    /// Something that needs more bytes, or nothing.
    Incomplete,
    /// Nothing of interest until there.
    Skipped(usize),
    /// A message, and where the next one begins.
    Message { range: Range<usize>, is_cut: bool, next: usize },
}

/// How a message begins.
enum Head {
    /// So many bytes say that so many bytes follow.
    Counted(usize, u64),
    Line,
    Incomplete,
}

impl Deframer {
    /// A deframer of messages up to this many bytes.
    pub(crate) fn new(max: usize, buffers: Buffers) -> Self {
        Deframer { bytes: Vec::new(), buffers, searched: 0, state: State::Begin, max }
    }

    /// Where to append what is read, with room for about so many bytes: for at least half of them.
    pub(crate) fn buffer(&mut self, room: usize) -> &mut Vec<u8> {
        let needed = self.bytes.len() + room;
        if !Buffers::is_large(&self.bytes) && needed >= Buffers::SIZE {
            self.bytes = self.buffers.take(&self.bytes);
        }
        if self.bytes.capacity() - self.bytes.len() < room / 2 {
            self.bytes.reserve(room);
        }
        &mut self.bytes
    }

    /// Gives memory back that was needed for a message or a burst, but for what so many bytes take.
    pub(crate) fn shrink_to(&mut self, room: usize) {
        if self.bytes.capacity() <= self.bytes.len() + 4 * room {
            return;
        }
        if Buffers::is_large(&self.bytes) {
            self.buffers.give_back(&mut self.bytes, room);
        } else {
            self.bytes.shrink_to(self.bytes.len() + room);
        }
    }

    /// Takes out the messages that are complete.
    pub(crate) fn split(&mut self) -> Option<Frames> {
        let (mut messages, mut at) = (Vec::new(), 0);
        loop {
            match self.step(at) {
                Step::Incomplete => break,
                Step::Skipped(next) => at = next,
                Step::Message { range, is_cut, next } => {
                    // Between messages there may be line ends.
                    if !range.is_empty() {
                        messages.push(Frame { range, is_cut });
                    }
                    at = next;
                }
            }
        }
        self.searched = self.searched.saturating_sub(at);
        if messages.is_empty() {
            self.bytes.drain(..at);
            return None;
        }
        Some(Frames { block: self.buffers.split(&mut self.bytes, at), messages })
    }

    /// Takes out the last message when the stream has ended: a line needs no end then; a message
    /// that is shorter than announced is cut.
    pub(crate) fn finish(self) -> Option<Frames> {
        let State::Begin = self.state else { return None };
        let (start, is_short) = match head(&self.bytes) {
            Head::Counted(start, _) => (start, true),
            Head::Line | Head::Incomplete => (0, false),
        };
        let whole = trim_end(&self.bytes, start, self.bytes.len());
        let end = whole.min(start + self.max);
        let frame = Frame { range: start..end, is_cut: is_short || whole > end };
        // Of a message that ended in its head there is nothing.
        let messages: Vec<_> = Some(frame).filter(|f| !f.range.is_empty()).into_iter().collect();
        // A copy, for records must not hold the memory that a buffer has in reserve.
        (!messages.is_empty()).then(|| Frames { block: Block::from(self.bytes.to_vec()), messages })
    }

    /// Goes on at `at`.
    fn step(&mut self, at: usize) -> Step {
        let rest = &self.bytes[at..];
        if rest.is_empty() {
            return Step::Incomplete;
        }
        match self.state {
            State::SkipBytes(left) => {
                let skipped = left.min(rest.len() as u64);
                let left = left - skipped;
                self.state = if left == 0 { State::Begin } else { State::SkipBytes(left) };
                Step::Skipped(at + skipped as usize)
            }
            State::SkipLine => match memchr::memchr2(b'\n', 0, rest) {
                Some(end) => {
                    self.state = State::Begin;
                    Step::Skipped(at + end + 1)
                }
                None => Step::Skipped(self.bytes.len()),
            },
            State::Begin => match head(rest) {
                Head::Incomplete => Step::Incomplete,
                Head::Counted(len, announced) => {
                    let kept = announced.min(self.max as u64);
                    let range = at + len..at + len + kept as usize;
                    if range.end > self.bytes.len() {
                        return Step::Incomplete;
                    }
                    if announced > kept {
                        self.state = State::SkipBytes(announced - kept);
                    }
                    Step::Message { next: range.end, range, is_cut: announced > kept }
                }
                Head::Line => self.step_line(at),
            },
        }
    }

    fn step_line(&mut self, at: usize) -> Step {
        let from = self.searched.max(at);
        let found = memchr::memchr2(b'\n', 0, &self.bytes[from..]).map(|i| from + i);
        let end = found.unwrap_or(self.bytes.len());
        let kept = trim_end(&self.bytes, at, end);
        let is_cut = kept - at > self.max;
        let range = at..kept.min(at + self.max);
        match found {
            Some(end) => Step::Message { range, is_cut, next: end + 1 },
            None if is_cut => {
                self.state = State::SkipLine;
                Step::Message { range, is_cut, next: end }
            }
            None => {
                self.searched = end;
                Step::Incomplete
            }
        }
    }
}

/// A length counts as one only before the `<` of a priority: lines may begin with a number.
fn head(bytes: &[u8]) -> Head {
    let digits = bytes.iter().take(MAX_DIGITS + 1).take_while(|b| b.is_ascii_digit()).count();
    if digits == 0 || digits > MAX_DIGITS || bytes[0] == b'0' {
        return Head::Line;
    }
    match bytes[digits..] {
        [] | [b' '] => Head::Incomplete,
        [b' ', b'<', ..] => {
            let number = bytes[..digits].iter().fold(0, |n, b| n * 10 + u64::from(b - b'0'));
            Head::Counted(digits + 1, number)
        }
        _ => Head::Line,
    }
}

/// The end of a line without the carriage return that some senders put there.
fn trim_end(bytes: &[u8], start: usize, end: usize) -> usize {
    match bytes[start..end] {
        [.., b'\r'] => end - 1,
        _ => end,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The messages and how many were cut, when the stream comes in pieces of this size.
    fn frames(stream: &[u8], max: usize, piece: usize) -> (Vec<Vec<u8>>, usize) {
        let mut deframer = Deframer::new(max, Buffers::new());
        let (mut found, mut cut) = (Vec::new(), 0);
        let mut take = |frames: Option<Frames>| {
            if let Some(frames) = frames {
                cut += frames.messages.iter().filter(|message| message.is_cut).count();
                found.extend(frames.messages.into_iter().map(|m| frames.block[m.range].to_vec()));
            }
        };
        for piece in stream.chunks(piece) {
            deframer.buffer(piece.len()).extend_from_slice(piece);
            take(deframer.split());
            assert!(
                deframer.bytes.len() <= max + piece.len() + MAX_DIGITS + 1,
                "memory is bounded"
            );
        }
        take(deframer.finish());
        (found, cut)
    }

    fn all_pieces(stream: &[u8], max: usize, expected: &[&[u8]], cut: usize) {
        for piece in 1..=stream.len() {
            let (found, was_cut) = frames(stream, max, piece);
            assert_eq!(found, expected, "in pieces of {piece}");
            assert_eq!(was_cut, cut, "in pieces of {piece}");
        }
    }

    #[test]
    fn both_framings_in_one_stream() {
        let stream = b"<1>one\n7 <2>two\n\n<3>three\r\n<4>four\0\n6 <5>six<6>last";
        let expected: [&[u8]; 6] =
            [b"<1>one", b"<2>two\n", b"<3>three", b"<4>four", b"<5>six", b"<6>last"];
        all_pieces(stream, 100, &expected, 0);
    }

    #[test]
    fn a_line_that_begins_with_a_number_is_a_line() {
        all_pieces(
            b"2026 was good\n12\n03 <x\n99999999999 <1>\n",
            100,
            &[b"2026 was good", b"12", b"03 <x", b"99999999999 <1>"],
            0,
        );
    }

    #[test]
    fn what_is_too_long_is_cut_and_the_rest_skipped() {
        all_pieces(b"<1>4567890\n<2>\n", 5, &[b"<1>45", b"<2>"], 1);
        all_pieces(b"10 <1>4567890<2>\n", 5, &[b"<1>45", b"<2>"], 1);
        all_pieces(b"<1>45\r\n<1>45\n", 5, &[b"<1>45", b"<1>45"], 0);
    }

    #[test]
    fn a_length_that_is_a_lie_costs_nothing() {
        let (found, cut) = frames(b"9999999999 <1>not so long", 5, 3);
        assert_eq!((found, cut), (vec![b"<1>no".to_vec()], 1));
        assert_eq!(frames(b"20 <1>x", 100, 9), (vec![b"<1>x".to_vec()], 1), "cut by the end");
    }

    proptest! {
        #[test]
        fn no_stream_makes_it_panic(
            stream in prop::collection::vec(prop::sample::select(b"<1> 09\n\0\rx".to_vec()), 0..80),
            max in 1..20usize, piece in 1..30usize,
        ) {
            frames(&stream, max, piece);
        }

        #[test]
        fn messages_come_back_in_either_framing(
            messages in prop::collection::vec(("[ -~]{0,40}", any::<bool>()), 0..20),
            piece in 1..50usize,
        ) {
            let (mut stream, mut expected) = (Vec::new(), Vec::new());
            for (text, counted) in messages {
                let message = format!("<13>{text}");
                match counted {
                    true => stream.extend_from_slice(format!("{} {message}", message.len()).as_bytes()),
                    false => stream.extend_from_slice(format!("{message}\n").as_bytes()),
                }
                expected.push(message.into_bytes());
            }
            prop_assert_eq!(frames(&stream, 1000, piece), (expected, 0));
        }
    }
}
