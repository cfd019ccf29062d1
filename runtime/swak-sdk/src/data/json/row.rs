//! Objects of plain fields, written into room that is made for all of one at once.
//!
//! Most of what is written are short texts: a copy that makes sure of its room, and a look for escapes
//! before it, cost more than the bytes. Here text is looked at and copied in one go, sixteen bytes at a time,
//! and whoever meets an escape or a letter beyond ASCII gives up: then the object is written the careful way.

use super::plain::{WIDTH, plain_ascii};
use crate::data::Timestamp;

/// The bytes that one number, time or word takes at the most.
const LONGEST_VALUE: usize = 40;

/// One object that is written behind what is there.
pub(in crate::data) struct RowWriter<'a> {
    out: &'a mut Vec<u8>,
    start: usize,
    at: usize,
}

impl<'a> RowWriter<'a> {
    /// Room for so many fields, whose names and texts have so many bytes together.
    pub(in crate::data) fn new(out: &'a mut Vec<u8>, fields: usize, text: usize) -> Self {
        let start = out.len();
        out.resize(start + text + fields * LONGEST_VALUE + 2 * WIDTH, 0);
        RowWriter { out, start, at: start }
    }

    /// A name, with the comma before and the colon behind it.
    #[inline]
    pub(in crate::data) fn name(&mut self, name: &[u8]) {
        self.put(name);
    }

    /// Text that is the range of a block. `false` when it has to be written the careful way.
    #[inline]
    #[must_use]
    pub(in crate::data) fn text(&mut self, block: &[u8], start: usize, end: usize) -> bool {
        self.byte(b'"');
        let mut from = start;
        while from < end {
            let left = end - from;
            // What lies behind the text is copied too, and overwritten by what comes next.
            let Some(bytes) = block.get(from..).and_then(|rest| rest.first_chunk()) else {
                return self.tail(&block[from..end]);
            };
            if plain_ascii(bytes) < left.min(WIDTH) {
                return false;
            }
            self.out[self.at..self.at + WIDTH].copy_from_slice(bytes);
            self.at += left.min(WIDTH);
            from += WIDTH;
        }
        self.byte(b'"');
        true
    }

    /// The last few bytes of a block.
    fn tail(&mut self, text: &[u8]) -> bool {
        let is_plain = |b: &u8| matches!(b, 0x20..=0x7f) && !matches!(b, b'"' | b'\\');
        if !text.iter().all(is_plain) {
            return false;
        }
        self.put(text);
        self.byte(b'"');
        true
    }

    /// A whole number.
    #[inline]
    pub(in crate::data) fn int(&mut self, n: i64) {
        self.put(itoa::Buffer::new().format(n).as_bytes());
    }

    /// A number; `null` for one that JSON cannot say.
    #[inline]
    pub(in crate::data) fn float(&mut self, n: f64) {
        match n.is_finite() {
            true => self.put(zmij::Buffer::new().format_finite(n).as_bytes()),
            false => self.put(b"null"),
        }
    }

    /// A time.
    pub(in crate::data) fn time(&mut self, time: Timestamp) {
        self.byte(b'"');
        self.at += time.rfc3339(self.out[self.at..].first_chunk_mut().expect("there is room"));
        self.byte(b'"');
    }

    /// `true`, `false` or `null`.
    pub(in crate::data) fn word(&mut self, word: &[u8]) {
        self.put(word);
    }

    /// The end of the object, of which the first name has lost its comma.
    pub(in crate::data) fn end(mut self) {
        if self.at == self.start {
            self.byte(b'{');
        }
        self.out[self.start] = b'{';
        self.byte(b'}');
        self.out.truncate(self.at);
    }

    /// Takes back all of it.
    pub(in crate::data) fn give_up(self) -> &'a mut Vec<u8> {
        self.out.truncate(self.start);
        self.out
    }

    #[inline]
    fn put(&mut self, bytes: &[u8]) {
        self.out[self.at..self.at + bytes.len()].copy_from_slice(bytes);
        self.at += bytes.len();
    }

    #[inline]
    fn byte(&mut self, byte: u8) {
        self.out[self.at] = byte;
        self.at += 1;
    }
}
