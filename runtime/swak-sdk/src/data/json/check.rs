//! Whether a text is a JSON object (RFC 8259), without making anything of it.

use super::MAX_DEPTH;
use super::layout::{Layout, Slot};
use super::places::Place;
use super::plain::{WIDTH, digits, plain_until, short_string};
use crate::data::LineRange;

/// What is checked.
#[derive(Clone, Copy)]
pub(super) struct Text<'a> {
    /// With some bytes of what comes after it, so that steps of many bytes need not stop before its end.
    bytes: &'a [u8],
    len: usize,
    /// Where it begins in its block.
    start: u32,
}

impl<'a> Text<'a> {
    pub(super) fn of(text: &'a [u8]) -> Self {
        Text { bytes: text, len: text.len(), start: 0 }
    }

    pub(super) fn in_block(block: &'a [u8], line: LineRange) -> Self {
        let from = &block[line.start as usize..];
        let len = line.len();
        Text { bytes: &from[..from.len().min(len + 2 * WIDTH)], len, start: line.start }
    }

    /// The text alone.
    pub(super) fn whole(self) -> &'a [u8] {
        &self.bytes[..self.len]
    }
}

/// Whether a text is a JSON object for sure, on one line. The places of wanted fields are written down, for
/// each name one.
///
/// What is rare is left to [`parse_object`](super::parse_object), which knows for sure: numbers with a large
/// exponent or very many digits, which may be out of range, escapes that are halves of a character, and
/// line ends.
#[inline]
pub(super) fn is_plain_object(
    text: Text<'_>,
    layout: &mut Layout,
    wanted: &[Box<str>],
    places: &mut [Place],
) -> bool {
    let whole = text.whole();
    let mut check = Check { text: text.bytes, layout, wanted, start: text.start, places };
    // Nothing is skipped on the way: where the object ends in the text, all of it was there.
    let Some(end) = check.whole().filter(|end| *end <= text.len) else { return false };
    let is_space = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r');
    whole[end..].iter().all(is_space) && (whole.is_ascii() || std::str::from_utf8(whole).is_ok())
}

/// Numbers up to this length are in the range of a float.
const LONGEST_NUMBER: usize = 200;

struct Check<'c> {
    text: &'c [u8],
    layout: &'c mut Layout,
    wanted: &'c [Box<str>],
    start: u32,
    places: &'c mut [Place],
}

// Each of these passes what it is named after, which begins at a place, and gives the place behind it;
// `None` when it is not there for sure. The place is handed on and not kept, so that it stays in a register.

impl Check<'_> {
    fn whole(&mut self) -> Option<usize> {
        let (at, first) = after_space(self.text, 0)?;
        self.layout.begin();
        if first == b'{' { self.object::<true>(at, 1) } else { None }
    }

    /// From its brace. The places of fields are those of the outermost one.
    fn object<const OUTER: bool>(&mut self, mut at: usize, depth: usize) -> Option<usize> {
        if depth > MAX_DEPTH {
            return None;
        }
        let mut is_first = true;
        loop {
            at += 1;
            let (start, slot) = match self.layout.guess(self.text, at) {
                Some((len, slot)) => (at + len, slot),
                None => {
                    if is_first && let (end, b'}') = after_space(self.text, at)? {
                        return Some(end + 1);
                    }
                    self.name(at)?
                }
            };
            is_first = false;
            let end = self.value(start, depth)?;
            if OUTER && let Some(slot) = slot {
                self.note(slot, start, end);
            }
            let byte;
            (at, byte) = after_space(self.text, end)?;
            match byte {
                b',' => {}
                b'}' => return Some(at + 1),
                _ => return None,
            }
        }
    }

    /// A name and its colon, from what is behind the brace or the comma up to the value.
    #[inline(never)]
    fn name(&mut self, at: usize) -> Option<(usize, Option<Slot>)> {
        let (quote, byte) = after_space(self.text, at)?;
        if byte != b'"' {
            return None;
        }
        let behind = string(self.text, quote)?;
        let (colon, byte) = after_space(self.text, behind)?;
        if byte != b':' {
            return None;
        }
        let (value, _) = after_space(self.text, colon + 1)?;
        let raw = &self.text[quote + 1..behind - 1];
        Some((value, self.layout.learn(&self.text[at..value], raw, self.wanted)))
    }

    fn note(&mut self, slot: Slot, start: usize, end: usize) {
        if let Some(place) = self.places.get_mut(usize::from(slot)) {
            let (start, end) = (self.start + start as u32, self.start + end as u32);
            *place = Place(LineRange { start, end });
        }
    }

    /// From its bracket.
    fn list(&mut self, at: usize, depth: usize) -> Option<usize> {
        if depth > MAX_DEPTH {
            return None;
        }
        let (mut at, mut byte) = after_space(self.text, at + 1)?;
        if byte == b']' {
            return Some(at + 1);
        }
        loop {
            (at, byte) = after_space(self.text, self.value(at, depth)?)?;
            match byte {
                b',' => at += 1,
                b']' => return Some(at + 1),
                _ => return None,
            }
        }
    }

    // What most are is passed where they stand, without a call.
    #[inline(always)]
    fn value(&mut self, at: usize, depth: usize) -> Option<usize> {
        let (at, byte) = after_space(self.text, at)?;
        match byte {
            b'"' => string(self.text, at),
            b'-' | b'0'..=b'9' => number(self.text, at),
            _ => self.other_value(at, byte, depth),
        }
    }

    #[inline(never)]
    fn other_value(&mut self, at: usize, byte: u8, depth: usize) -> Option<usize> {
        let text = self.text;
        match byte {
            b'{' => self.object::<false>(at, depth + 1),
            b'[' => self.list(at, depth + 1),
            b't' => word(text, at, b"true"),
            b'f' => word(text, at, b"false"),
            b'n' => word(text, at, b"null"),
            _ => None,
        }
    }
}

/// From its quote. Most are short and have no escapes.
#[inline(always)]
fn string(text: &[u8], at: usize) -> Option<usize> {
    match short_string(text, at + 1) {
        Ok(end) => Some(end),
        Err(at) => any_string(text, at),
    }
}

/// From anywhere in it.
#[inline(never)]
fn any_string(text: &[u8], mut at: usize) -> Option<usize> {
    loop {
        at = plain_until(text, at);
        match *text.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at = escape(text, at)?,
            _ => return None,
        }
    }
}

/// From its backslash.
#[inline]
fn escape(text: &[u8], at: usize) -> Option<usize> {
    match *text.get(at + 1)? {
        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(at + 2),
        b'u' => unicode_escape(text, at),
        _ => None,
    }
}

/// Two of them may be one character, the first a high half and the second a low one.
fn unicode_escape(text: &[u8], at: usize) -> Option<usize> {
    let unit = |at: usize| {
        let digits = text.get(at..at + 6)?.strip_prefix(b"\\u")?;
        digits.iter().try_fold(0, |unit, digit| Some(unit << 4 | char::from(*digit).to_digit(16)?))
    };
    match unit(at)? {
        0xd800..=0xdbff => matches!(unit(at + 6)?, 0xdc00..=0xdfff).then_some(at + 12),
        0xdc00..=0xdfff => None,
        _ => Some(at + 6),
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
        let check = |text: Text<'_>, layout: &mut Layout| {
            super::is_plain_object(text, layout, &[], &mut [])
        };
        let alone = check(Text::of(text), &mut Layout::default());
        let block = [b"xy", text, b"\n{\"next\":\"line\"}]]}}\"\"\n\n\n\n\n"].concat();
        let line = LineRange { start: 2, end: 2 + text.len() as u32 };
        let mut layout = Layout::new();
        for _ in 0..2 {
            assert_eq!(check(Text::in_block(&block, line), &mut layout), alone);
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
