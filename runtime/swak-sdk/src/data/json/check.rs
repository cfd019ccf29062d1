//! Whether a text is a JSON object (RFC 8259), without making anything of it.

use super::MAX_DEPTH;
use super::plain::{plain_until, short_string};

/// Whether a text is a JSON object for sure, on one line.
///
/// What is rare is left to [`parse_object`](super::parse_object), which knows for sure: numbers with an
/// exponent or very many digits, which may be out of range, escapes that are halves of a character, and
/// line ends.
pub(super) fn is_plain_object(text: &[u8]) -> bool {
    whole(text).is_some() && std::str::from_utf8(text).is_ok()
}

/// Numbers up to this length are in the range of a float.
const LONGEST_NUMBER: usize = 300;

// Each of these passes what it is named after, which begins at a place, and gives the place behind it;
// `None` when it is not there for sure. The place is handed on and not kept, so that it stays in a register.

fn whole(text: &[u8]) -> Option<usize> {
    let (at, first) = after_space(text, 0)?;
    if first != b'{' {
        return None;
    }
    let end = object(text, at, 1)?;
    let is_space = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\r');
    text[end..].iter().all(is_space).then_some(text.len())
}

/// From its brace.
fn object(text: &[u8], at: usize, depth: usize) -> Option<usize> {
    if depth > MAX_DEPTH {
        return None;
    }
    let (mut at, mut byte) = after_space(text, at + 1)?;
    if byte == b'}' {
        return Some(at + 1);
    }
    loop {
        if byte != b'"' {
            return None;
        }
        (at, byte) = after_space(text, string(text, at)?)?;
        if byte != b':' {
            return None;
        }
        (at, byte) = after_space(text, value(text, at + 1, depth)?)?;
        match byte {
            b',' => (at, byte) = after_space(text, at + 1)?,
            b'}' => return Some(at + 1),
            _ => return None,
        }
    }
}

/// From its bracket.
fn list(text: &[u8], at: usize, depth: usize) -> Option<usize> {
    if depth > MAX_DEPTH {
        return None;
    }
    let (mut at, mut byte) = after_space(text, at + 1)?;
    if byte == b']' {
        return Some(at + 1);
    }
    loop {
        (at, byte) = after_space(text, value(text, at, depth)?)?;
        match byte {
            b',' => at += 1,
            b']' => return Some(at + 1),
            _ => return None,
        }
    }
}

#[inline]
fn value(text: &[u8], at: usize, depth: usize) -> Option<usize> {
    let (at, byte) = after_space(text, at)?;
    match byte {
        b'"' => string(text, at),
        b'-' | b'0'..=b'9' => number(text, at),
        b'{' => object(text, at, depth + 1),
        b'[' => list(text, at, depth + 1),
        b't' => word(text, at, b"true"),
        b'f' => word(text, at, b"false"),
        b'n' => word(text, at, b"null"),
        _ => None,
    }
}

/// From its quote. Most are short and have no escapes.
#[inline]
fn string(text: &[u8], at: usize) -> Option<usize> {
    short_string(text, at + 1).or_else(|| any_string(text, at + 1))
}

/// From behind its quote.
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
fn escape(text: &[u8], at: usize) -> Option<usize> {
    match *text.get(at + 1)? {
        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(at + 2),
        b'u' => {
            let digits = text.get(at + 2..at + 6)?;
            let is_half =
                matches!(digits, [b'd' | b'D', b'8' | b'9' | b'a'..=b'f' | b'A'..=b'F', ..]);
            let is_one = !is_half && digits.iter().all(u8::is_ascii_hexdigit);
            is_one.then_some(at + 6)
        }
        _ => None,
    }
}

fn number(text: &[u8], start: usize) -> Option<usize> {
    let mut at = start + usize::from(text[start] == b'-');
    at = match *text.get(at)? {
        b'0' => at + 1,
        _ => digits(text, at)?,
    };
    if text.get(at) == Some(&b'.') {
        at = digits(text, at + 1)?;
    }
    // An exponent is neither a comma nor an end: whoever called stumbles over it.
    (at - start <= LONGEST_NUMBER).then_some(at)
}

/// One at the least.
#[inline]
fn digits(text: &[u8], start: usize) -> Option<usize> {
    let mut at = start;
    while text.get(at).is_some_and(u8::is_ascii_digit) {
        at += 1;
    }
    (at > start).then_some(at)
}

fn word(text: &[u8], at: usize, word: &[u8]) -> Option<usize> {
    text[at..].starts_with(word).then_some(at + word.len())
}

/// The next byte that is no space, and its place.
#[inline]
fn after_space(text: &[u8], mut at: usize) -> Option<(usize, u8)> {
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

    #[test]
    fn objects_are_told_from_what_is_none() {
        for text in [
            "{}",
            " { } \r",
            r#"{"a":1,"b":-0.5,"c":[1,[],{}],"d":{"e":null},"f":true,"g":false}"#,
            r#"{"a":"x\"\\\/\b\f\n\r\té한"}"#,
            r#"{ "a" : [ 1 , 2 ] , "b" : "" }"#,
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
            // These may be, and are left to the reader that knows.
            r#"{"a":1e5}"#,
            r#"{"a":"\ud83d\ude00"}"#,
            "{\n}",
        ] {
            assert!(!is_plain_object(text.as_bytes()), "{text}");
        }
        assert!(!is_plain_object(b"{\"a\":\"\xff\"}"));
        assert!(!is_plain_object(format!("{{\"a\":{}}}", "1".repeat(400)).as_bytes()));
    }
}
