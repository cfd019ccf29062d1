//! Whether a text is a JSON object (RFC 8259), without making anything of it.
//!
//! A text is numbers, strings and words, and between them steps: all that stands from behind one of those to
//! the next. Steps are the same in most objects and so are expected ([`layout`](super::layout)); one that is
//! not is read.

use super::layout::{Layout, Slot, Step};
use super::members::is_name;
use super::nesting::Nesting;
use super::places::Places;
use super::plain::digits;
use super::stops::Stops;

/// Checks one object after the other that stand in a text.
pub(super) struct Check<'c> {
    /// Goes on behind the last object, if there is more, so that what looks at many bytes need not stop there.
    pub(super) text: &'c [u8],
    pub(super) stops: &'c Stops,
    pub(super) layout: &'c mut Layout,
    /// The names of the fields whose places are noted.
    pub(super) wanted: &'c [Box<str>],
    /// Where the text begins in its block.
    pub(super) base: u32,
    pub(super) places: &'c mut Places,
}

/// Whether a text is a JSON object for sure, on one line.
///
/// What is rare is left to [`parse_object`](super::parse_object), which knows for sure: numbers with a large
/// exponent or very many digits, which may be out of range, escapes that are halves of a character, and
/// line ends.
pub(super) fn is_plain_object(text: &[u8]) -> bool {
    let (mut stops, mut layout) = (Stops::default(), Layout::default());
    stops.find(text);
    let (layout, places) = (&mut layout, &mut Places::default());
    let mut check = Check { text, stops: &stops, layout, wanted: &[], base: 0, places };
    check.line(0).is_some_and(|end| is_space(&text[end..]))
}

/// Whether there is nothing but space, and no line end.
pub(super) fn is_space(text: &[u8]) -> bool {
    text.iter().all(|byte| matches!(byte, b' ' | b'\t' | b'\r'))
}

/// Numbers up to this length are in the range of a float.
const LONGEST_NUMBER: usize = 200;

// Each of these passes what it is named after, which begins at a place, and gives the place behind it;
// `None` when it is not there for sure. The place is handed on and not kept, so that it stays in a register.

impl Check<'_> {
    /// An object and the space before it. The fields that are wanted are noted in the last line of the
    /// places.
    pub(super) fn line(&mut self, start: usize) -> Option<usize> {
        self.layout.begin();
        let mut at = start;
        loop {
            let (from, last) = (at, self.layout.last());
            let guess = self.layout.guess(self.text, from);
            let mut step = match guess {
                Some(step) => {
                    if step.has_notes {
                        self.note_guessed(from);
                    }
                    step
                }
                None => self.step(from)?,
            };
            at = match self.behind(step, from) {
                Some(at) => at,
                None => {
                    guess?;
                    self.layout.take_back(last);
                    step = self.step(from)?;
                    self.behind(step, from)?
                }
            };
            if step.is_last {
                break;
            }
            if let Some(slot) = step.slot {
                let (start, end) = (self.base + (from + step.len) as u32, self.base + at as u32);
                self.places.note(usize::from(slot), start, end);
            }
        }
        let is_text =
            self.stops.is_ascii(start, at) || std::str::from_utf8(&self.text[start..at]).is_ok();
        is_text.then_some(at)
    }

    /// A step that begins at a place, and the value behind it, if one comes.
    #[inline(always)]
    fn behind(&self, step: Step, from: usize) -> Option<usize> {
        match step.is_last {
            true => Some(from + step.len),
            false => self.value(from + step.len),
        }
    }

    /// A step that was not expected, which it will be.
    #[inline(never)]
    fn step(&mut self, start: usize) -> Option<Step> {
        let before = self.layout.nesting();
        let mut read = StepRead { check: self, nesting: before, slot: None, notes: Vec::new() };
        let end = read.whole(start)?;
        let StepRead { nesting, slot, notes, .. } = read;
        let from = self.base + start as u32;
        notes.iter().for_each(|note| note.write(from, self.places));
        let is_last = nesting.is_outside();
        let step = Step { len: end - start, slot, is_last, has_notes: !notes.is_empty() };
        self.layout.learn(&self.text[start..end], step, before, nesting, notes);
        Some(step)
    }

    /// Writes down what the step has noted that begins here and was expected.
    #[inline(never)]
    fn note_guessed(&mut self, start: usize) {
        let from = self.base + start as u32;
        self.layout.notes().iter().for_each(|note| note.write(from, self.places));
    }

    /// What is no object and no list.
    #[inline(always)]
    fn value(&self, at: usize) -> Option<usize> {
        match *self.text.get(at)? {
            b'"' => self.string(at),
            b'-' | b'0'..=b'9' => number(self.text, at),
            b't' => word(self.text, at, b"true"),
            b'f' => word(self.text, at, b"false"),
            b'n' => word(self.text, at, b"null"),
            _ => None,
        }
    }

    /// From its quote. Most have no escapes.
    #[inline(always)]
    fn string(&self, at: usize) -> Option<usize> {
        let end = self.stops.next(at + 1);
        match *self.text.get(end)? {
            b'"' => Some(end + 1),
            _ => self.any_string(end),
        }
    }

    /// From a place in it that stops it.
    #[inline(never)]
    fn any_string(&self, mut at: usize) -> Option<usize> {
        loop {
            match *self.text.get(at)? {
                b'"' => return Some(at + 1),
                b'\\' => at = self.stops.next(escape(self.text, at)?),
                _ => return None,
            }
        }
    }
}

/// Where in a step the value of a wanted field begins or ends that is an object or a list.
#[derive(Clone, Copy, Debug)]
pub(super) enum Note {
    Start(Slot, usize),
    End(Slot, usize),
}

impl Note {
    /// Writes it down for the last line. The step begins at this place of the block.
    #[inline]
    fn write(self, from: u32, places: &mut Places) {
        match self {
            Note::Start(slot, offset) => places.note_start(usize::from(slot), from + offset as u32),
            Note::End(slot, offset) => places.note_end(usize::from(slot), from + offset as u32),
        }
    }
}

/// Reads a step byte by byte.
struct StepRead<'s, 'c> {
    check: &'s Check<'c>,
    /// In which objects and lists it is.
    nesting: Nesting,
    /// That of the value that comes next, if it is wanted.
    slot: Option<Slot>,
    notes: Vec<Note>,
}

/// What may come next.
#[derive(Clone, Copy)]
enum Next {
    Outermost,
    Name,
    NameOrEnd,
    Value,
    ValueOrEnd,
    CommaOrEnd,
}

impl StepRead<'_, '_> {
    fn whole(&mut self, start: usize) -> Option<usize> {
        let text = self.check.text;
        let (mut at, mut next) = match self.nesting.is_outside() {
            true => (start, Next::Outermost),
            false => (start, Next::CommaOrEnd),
        };
        loop {
            let (here, byte) = after_space(text, at)?;
            at = here + 1;
            next = match (next, byte, self.nesting.is_in_object()) {
                (Next::Outermost | Next::Value | Next::ValueOrEnd, b'{', _) => {
                    self.open(here - start, true)?;
                    Next::NameOrEnd
                }
                (Next::Value | Next::ValueOrEnd, b'[', _) => {
                    self.open(here - start, false)?;
                    Next::ValueOrEnd
                }
                (Next::NameOrEnd | Next::CommaOrEnd, b'}', true)
                | (Next::ValueOrEnd | Next::CommaOrEnd, b']', false) => {
                    self.close(at - start);
                    if self.nesting.is_outside() {
                        return Some(at);
                    }
                    Next::CommaOrEnd
                }
                (Next::Name | Next::NameOrEnd, b'"', _) => {
                    at = self.name(here)?;
                    Next::Value
                }
                (Next::CommaOrEnd, b',', true) => Next::Name,
                (Next::CommaOrEnd, b',', false) => Next::Value,
                (Next::Value | Next::ValueOrEnd, _, _) => return Some(here),
                _ => return None,
            };
        }
    }

    /// Enters an object or a list that begins here in the step.
    fn open(&mut self, offset: usize, is_object: bool) -> Option<()> {
        if let Some(slot) = self.slot.take() {
            self.notes.push(Note::Start(slot, offset));
            self.nesting.wanted = Some(slot);
        }
        self.nesting = self.nesting.deeper(is_object)?;
        Some(())
    }

    /// Leaves an object or a list that ends here in the step.
    fn close(&mut self, offset: usize) {
        self.nesting = self.nesting.higher();
        if self.nesting.is_in_outermost()
            && let Some(slot) = self.nesting.wanted.take()
        {
            self.notes.push(Note::End(slot, offset));
        }
    }

    /// A name, from its quote, and its colon.
    fn name(&mut self, quote: usize) -> Option<usize> {
        let text = self.check.text;
        let behind = self.check.string(quote)?;
        let (colon, byte) = after_space(text, behind)?;
        if self.nesting.is_in_outermost() {
            let raw = &text[quote + 1..behind - 1];
            let place = self.check.wanted.iter().position(|name| is_name(raw, name.as_bytes()));
            self.slot = place.and_then(|place| Slot::try_from(place).ok());
        }
        (byte == b':').then_some(colon + 1)
    }
}

/// From its backslash.
#[inline]
fn escape(text: &[u8], at: usize) -> Option<usize> {
    match *text.get(at + 1)? {
        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(at + 2),
        b'u' => unicode_escape(text, at).map(|(_, end)| end),
        _ => None,
    }
}

/// What an escape of a character by its number says, from its backslash. Two of them may be one, the first a
/// high half and the second a low one.
pub(super) fn unicode_escape(text: &[u8], at: usize) -> Option<(char, usize)> {
    let unit = |at: usize| {
        let digits = text.get(at..at + 6)?.strip_prefix(b"\\u")?;
        let add = |unit, digit: &u8| Some(unit << 4 | char::from(*digit).to_digit(16)?);
        digits.iter().try_fold(0, add)
    };
    let first = unit(at)?;
    match char::from_u32(first) {
        Some(one) => Some((one, at + 6)),
        None => {
            let low = unit(at + 6)?.checked_sub(0xdc00).filter(|low| *low < 0x400)?;
            let high = first.checked_sub(0xd800).filter(|high| *high < 0x400)?;
            Some((char::from_u32(0x10000 + (high << 10) + low)?, at + 12))
        }
    }
}

#[inline(always)]
fn number(text: &[u8], start: usize) -> Option<usize> {
    short_number(text, start).or_else(|| any_number(text, start))
}

/// One that is shorter than what is looked at together, without an exponent.
#[inline(always)]
fn short_number(text: &[u8], start: usize) -> Option<usize> {
    let at = start + usize::from(text[start] == b'-');
    let bytes = text.get(at..)?.first_chunk()?;
    // Ends with a bit that is none.
    let digits = digits(bytes);
    let whole = digits.trailing_ones() as usize;
    let is_whole = whole == 1 || (whole > 1 && bytes[0] != b'0');
    let end = match *bytes.get(whole)? {
        b'.' => {
            let part = (digits >> (whole + 1)).trailing_ones() as usize;
            if part == 0 {
                return None;
            }
            whole + 1 + part
        }
        _ => whole,
    };
    (is_whole && !matches!(*bytes.get(end)?, b'e' | b'E')).then_some(at + end)
}

#[inline(never)]
fn any_number(text: &[u8], start: usize) -> Option<usize> {
    let mut at = start + usize::from(text[start] == b'-');
    at = match *text.get(at)? {
        b'0' => at + 1,
        _ => some_digits(text, at)?,
    };
    if text.get(at) == Some(&b'.') {
        at = some_digits(text, at + 1)?;
    }
    if at - start > LONGEST_NUMBER {
        return None;
    }
    if matches!(text.get(at), Some(b'e' | b'E')) {
        let digits = at + 1 + usize::from(matches!(text.get(at + 1), Some(b'+' | b'-')));
        at = some_digits(text, digits)?;
        // With two digits it is in the range of a float too.
        return (at - digits <= 2).then_some(at);
    }
    Some(at)
}

/// One at the least.
fn some_digits(text: &[u8], start: usize) -> Option<usize> {
    let n = text.get(start..)?.iter().take_while(|byte| byte.is_ascii_digit()).count();
    (n > 0).then_some(start + n)
}

#[inline]
fn word(text: &[u8], at: usize, word: &[u8]) -> Option<usize> {
    text[at..].starts_with(word).then_some(at + word.len())
}

/// The next byte that is no space, and its place.
#[inline]
fn after_space(text: &[u8], at: usize) -> Option<(usize, u8)> {
    let byte = *text.get(at)?;
    if byte > b' ' { Some((at, byte)) } else { after_some_space(text, at) }
}

fn after_some_space(text: &[u8], mut at: usize) -> Option<(usize, u8)> {
    loop {
        let byte = *text.get(at)?;
        if byte > b' ' {
            return Some((at, byte));
        }
        matches!(byte, b' ' | b'\t' | b'\r').then_some(())?;
        at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Alone, and twice as one of many lines: first as it was not expected, then as it was.
    fn is_plain_object(text: &[u8]) -> bool {
        let alone = super::is_plain_object(text);
        let block = [b"xy", text, b"\n{\"next\":\"line\"}]]}}\"\"\n\n\n\n\n"].concat();
        let (mut layout, mut stops) = (Layout::new(), Stops::default());
        stops.find(&block);
        for _ in 0..2 {
            let (layout, places) = (&mut layout, &mut Places::default());
            let mut check =
                Check { text: &block, stops: &stops, layout, wanted: &[], base: 0, places };
            let object = check.line(2).and_then(|end| block.get(end..2 + text.len()));
            let is_object = object.is_some_and(is_space);
            assert_eq!(is_object, alone, "{}", String::from_utf8_lossy(text));
        }
        alone
    }

    #[test]
    fn objects_are_told_from_what_is_none() {
        for text in [
            "{}",
            " { } \r",
            r#"{"a":1,"b":-0.5,"c":[1,[],{}],"d":{"e":null},"f":true,"g":false}"#,
            r#"{"a":"x\"\\\/\b\f\n\r\té한"}"#,
            r#"{ "a" : [ 1 , 2 ] , "b" : "" }"#,
            r#"{"a":1e5,"b":-1.5E-99,"c":"\ud83d\ude00","d":12345678901234567890.123}"#,
            r#"{"a":{"a":{"b":1},"b":2},"b":[{"a":1},{"a":2,"b":3}]}"#,
        ] {
            assert!(is_plain_object(text.as_bytes()), "{text}");
        }
        for text in [
            "",
            " ",
            "{",
            "}",
            "[]",
            "1",
            "null",
            "{}x",
            "{}{}",
            r#"{"a"}"#,
            r#"{"a":}"#,
            r#"{"a":1,}"#,
            r#"{,}"#,
            r#"{"a":01}"#,
            r#"{"a":.5}"#,
            r#"{"a":1.}"#,
            r#"{"a":-}"#,
            r#"{"a":+1}"#,
            r#"{"a":tru}"#,
            r#"{"a":[1,]}"#,
            r#"{"a":[1}"#,
            r#"{a:1}"#,
            r#"{"a" 1}"#,
            r#"{"a":"\x"}"#,
            r#"{"a":"\u12g4"}"#,
            r#"{"a":"\u12"#,
            "{\"a\":\"\t\"}",
            r#"{"a":"b}"#,
            r#"{"a":1 2}"#,
            r#"{"a":"\ud83d"}"#,
            r#"{"a":"\ud83d\u0041"}"#,
            r#"{"a":"\ude00\ud83d"}"#,
            r#"{"a":1e}"#,
            r#"{"a":1e+}"#,
            r#"{"a":00.5}"#,
            r#"{"a":1"b":2}"#,
            r#"{"a":1{"a":2}"#,
            // These may be, and are left to the reader that knows.
            r#"{"a":1e100}"#,
            "{\n}",
        ] {
            assert!(!is_plain_object(text.as_bytes()), "{text}");
        }
        assert!(!is_plain_object(b"{\"a\":\"\xff\"}"));
        assert!(!is_plain_object(format!("{{\"a\":{}}}", "1".repeat(400)).as_bytes()));
    }
}
