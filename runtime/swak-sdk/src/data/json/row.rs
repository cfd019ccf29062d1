//! Objects of plain fields, written into room that is made for many of them at once.
//!
//! Most of what is written are short texts: a copy that makes sure of its room, and a look for escapes
//! before it, cost more than the bytes. Here text is looked at and copied in one go, sixteen bytes at a time,
//! with whatever lies behind it, which is written over by what comes next. Text with an escape or with a
//! letter beyond ASCII takes another way.

use super::digits;
use super::plain::{Stops, WIDTH};
use super::write::write_bytes;
use crate::data::Timestamp;

/// The name of a field as it stands in JSON, with the comma before it, the colon behind it and the quote with
/// which a text begins: `,"name":"`.
#[derive(Debug)]
pub(in crate::data) struct Label {
    /// Its first bytes, and none behind them.
    head: [u8; HEAD],
    /// Those that are left of a long name.
    rest: Box<[u8]>,
    /// How many bytes it has with the quote.
    len: usize,
}

/// As many bytes as most labels have at the most.
const HEAD: usize = 2 * WIDTH;

/// Writes objects behind what is there.
pub(in crate::data) struct RowWriter<'a> {
    /// What is behind `at` is of no meaning.
    out: &'a mut Vec<u8>,
    at: usize,
    /// Where the object begins.
    start: usize,
    /// How much room is made at once.
    step: usize,
    /// The time that was written last, its text in quotes, and how long that is: in logs the next one is mostly
    /// the same.
    time: (Option<Timestamp>, [u8; TIME], usize),
    scratch: Vec<u8>,
}

/// The bytes that a time takes at the most with its quotes.
const TIME: usize = 32;

impl Label {
    pub(in crate::data) fn new(name: &[u8]) -> Self {
        let mut json = vec![b','];
        write_bytes(&mut json, name);
        json.extend_from_slice(b":\"");
        let mut head = [0; HEAD];
        let (first, rest) = json.split_at(json.len().min(HEAD));
        head[..first.len()].copy_from_slice(first);
        Label { head, rest: rest.into(), len: json.len() }
    }

    /// How much room it takes.
    #[inline]
    fn room(&self) -> usize {
        HEAD + self.rest.len()
    }

    /// Puts it at the beginning of this.
    #[inline]
    fn write(&self, to: &mut [u8]) {
        let (head, behind) = to.split_first_chunk_mut().expect("there is room");
        *head = self.head;
        if !self.rest.is_empty() {
            behind[..self.rest.len()].copy_from_slice(&self.rest);
        }
    }
}

impl<'a> RowWriter<'a> {
    /// Makes room for so many bytes whenever there is none.
    pub(in crate::data) fn new(out: &'a mut Vec<u8>, step: usize) -> Self {
        let at = out.len();
        RowWriter { out, at, start: at, step, time: (None, [0; TIME], 0), scratch: Vec::new() }
    }

    /// A field that is text. Gives back 1 if it is not UTF-8, so that something else is written in the place
    /// of what is not, else 0.
    #[inline(always)]
    pub(in crate::data) fn text(
        &mut self,
        label: &Label,
        block: &[u8],
        (start, end): (usize, usize),
    ) -> usize {
        let len = end - start;
        let padded = len.next_multiple_of(WIDTH);
        let Some(from) = block.get(start..start + padded) else {
            return self.any_text(label, &block[start..end]);
        };
        let to = self.room(label.room() + padded + 1);
        label.write(to);
        let to = &mut to[label.len..];
        let (from, _) = from.as_chunks::<WIDTH>();
        let mut stops = 0;
        if let Some((last, others)) = from.split_last() {
            let (chunks, _) = to.as_chunks_mut::<WIDTH>();
            let (to_last, to_others) =
                chunks[..from.len()].split_last_mut().expect("as many as `from`");
            *to_last = *last;
            let mut in_others = Stops::none();
            for (from, to) in others.iter().zip(to_others) {
                *to = *from;
                in_others |= Stops::of(from);
            }
            // What is behind the text does not count.
            stops = in_others.mask() | (Stops::of(last).mask() << (padded - len)) & 0xffff;
        }
        to[len] = b'"';
        if stops != 0 {
            return self.any_text(label, &block[start..end]);
        }
        self.at += label.len + len + 1;
        0
    }

    /// A field that is one of a few words.
    pub(in crate::data) fn word(&mut self, label: &Label, word: &[u8]) -> usize {
        let mut padded = [0; WIDTH];
        match padded.get_mut(..word.len()) {
            Some(place) => {
                place.copy_from_slice(word);
                self.text(label, &padded, (0, word.len()))
            }
            None => self.any_text(label, word),
        }
    }

    /// A whole number.
    #[inline]
    pub(in crate::data) fn int(&mut self, label: &Label, n: i64) {
        let Some((text, len)) = u64::try_from(n).ok().and_then(digits::short) else {
            return self.bare(label, itoa::Buffer::new().format(n).as_bytes());
        };
        self.put(label, &text, len);
    }

    /// A number; `null` for one that JSON cannot say.
    pub(in crate::data) fn float(&mut self, label: &Label, n: f64) {
        match n.is_finite() {
            true => self.bare(label, zmij::Buffer::new().format_finite(n).as_bytes()),
            false => self.bare(label, b"null"),
        }
    }

    /// A time.
    #[inline]
    pub(in crate::data) fn time(&mut self, label: &Label, time: Timestamp) {
        if self.time.0 != Some(time) {
            self.write_time(time);
        }
        let (_, text, len) = self.time;
        self.put(label, &text, len);
    }

    /// `true`, `false`, `null` or a number.
    pub(in crate::data) fn bare(&mut self, label: &Label, word: &[u8]) {
        self.label(label);
        self.room(word.len()).copy_from_slice(word);
        self.at += word.len();
    }

    /// What somebody else writes in the place of an object.
    pub(in crate::data) fn instead(&mut self, write: impl FnOnce(&mut Vec<u8>) -> usize) -> usize {
        let mut scratch = std::mem::take(&mut self.scratch);
        scratch.clear();
        let replaced = write(&mut scratch);
        self.room(scratch.len()).copy_from_slice(&scratch);
        self.at += scratch.len();
        self.scratch = scratch;
        replaced
    }

    /// The end of an object, of which the first name has lost its comma.
    #[inline]
    pub(in crate::data) fn end(&mut self) {
        if self.at == self.start {
            self.byte(b'{');
        }
        self.out[self.start] = b'{';
        self.byte(b'}');
    }

    /// The end of a line, behind which another object begins.
    #[inline]
    pub(in crate::data) fn end_line(&mut self) {
        self.byte(b'\n');
        self.start = self.at;
    }

    /// Ends what is written behind the last object.
    pub(in crate::data) fn finish(self) {
        self.out.truncate(self.at);
    }

    /// Text that is not plain, or lies at the end of its block.
    #[cold]
    fn any_text(&mut self, label: &Label, text: &[u8]) -> usize {
        self.label(label);
        self.instead(|out| write_bytes(out, text))
    }

    #[cold]
    fn write_time(&mut self, time: Timestamp) {
        let mut text = [b'"'; TIME];
        let at = text[1..].first_chunk_mut().expect("no time is longer");
        let len = time.rfc3339(at);
        text[1 + len] = b'"';
        self.time = (Some(time), text, len + 2);
    }

    /// A value of so many bytes, which come first.
    #[inline]
    fn put<const N: usize>(&mut self, label: &Label, value: &[u8; N], len: usize) {
        let to = self.room(label.room() + N);
        label.write(to);
        to[label.len - 1..][..N].copy_from_slice(value);
        self.at += label.len - 1 + len;
    }

    /// A name without the quote behind it.
    fn label(&mut self, label: &Label) {
        label.write(self.room(label.room()));
        self.at += label.len - 1;
    }

    #[inline]
    fn byte(&mut self, byte: u8) {
        self.room(1)[0] = byte;
        self.at += 1;
    }

    /// So many bytes behind what is written.
    #[inline]
    fn room(&mut self, n: usize) -> &mut [u8] {
        if self.out.len() - self.at < n {
            self.grow(n);
        }
        &mut self.out[self.at..][..n]
    }

    #[cold]
    fn grow(&mut self, n: usize) {
        self.out.resize(self.at + n.max(self.step), 0);
    }
}
