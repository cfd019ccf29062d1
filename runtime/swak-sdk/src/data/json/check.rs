//! Whether a text is a JSON object (RFC 8259), without making anything of it.

use super::MAX_DEPTH;
use super::words::{Seen, plain_until};

/// Whether a text is a JSON object for sure, on one line.
///
/// What is rare is left to [`parse_object`](super::parse_object), which knows for sure: numbers with an
/// exponent or very many digits, which may be out of range, escapes that are halves of a character, and
/// line ends.
pub(super) fn is_plain_object(text: &[u8]) -> bool {
    let mut scan = Scan { text, at: 0, seen: Seen::default() };
    scan.whole().is_some() && (!scan.seen.beyond_ascii() || std::str::from_utf8(text).is_ok())
}

/// Numbers up to this length are in the range of a float.
const LONGEST_NUMBER: usize = 300;

struct Scan<'a> {
    text: &'a [u8],
    at: usize,
    seen: Seen,
}

/// Each of these passes what it is named after; `None` when it is not there for sure.
impl Scan<'_> {
    fn whole(&mut self) -> Option<()> {
        if self.after_space()? != b'{' {
            return None;
        }
        self.object(1)?;
        while let Some(byte) = self.text.get(self.at) {
            matches!(byte, b' ' | b'\t' | b'\r').then_some(())?;
            self.at += 1;
        }
        Some(())
    }

    /// From its brace.
    fn object(&mut self, depth: usize) -> Option<()> {
        if depth > MAX_DEPTH {
            return None;
        }
        self.at += 1;
        if self.after_space()? == b'}' {
            self.at += 1;
            return Some(());
        }
        loop {
            if self.after_space()? != b'"' {
                return None;
            }
            self.string()?;
            if self.after_space()? != b':' {
                return None;
            }
            self.at += 1;
            self.value(depth)?;
            match self.after_space()? {
                b',' => self.at += 1,
                b'}' => break,
                _ => return None,
            }
        }
        self.at += 1;
        Some(())
    }

    /// From its bracket.
    fn list(&mut self, depth: usize) -> Option<()> {
        if depth > MAX_DEPTH {
            return None;
        }
        self.at += 1;
        if self.after_space()? == b']' {
            self.at += 1;
            return Some(());
        }
        loop {
            self.value(depth)?;
            match self.after_space()? {
                b',' => self.at += 1,
                b']' => break,
                _ => return None,
            }
        }
        self.at += 1;
        Some(())
    }

    #[inline]
    fn value(&mut self, depth: usize) -> Option<()> {
        match self.after_space()? {
            b'"' => self.string(),
            b'-' | b'0'..=b'9' => self.number(),
            b'{' => self.object(depth + 1),
            b'[' => self.list(depth + 1),
            b't' => self.word(b"true"),
            b'f' => self.word(b"false"),
            b'n' => self.word(b"null"),
            _ => None,
        }
    }

    /// From its quote.
    #[inline]
    fn string(&mut self) -> Option<()> {
        self.at += 1;
        loop {
            self.at = plain_until(self.text, self.at, &mut self.seen);
            match *self.text.get(self.at)? {
                b'"' => break,
                b'\\' => self.escape()?,
                _ => return None,
            }
        }
        self.at += 1;
        Some(())
    }

    /// From its backslash.
    fn escape(&mut self) -> Option<()> {
        match *self.text.get(self.at + 1)? {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => self.at += 2,
            b'u' => {
                let digits = self.text.get(self.at + 2..self.at + 6)?;
                let is_half =
                    matches!(digits, [b'd' | b'D', b'8' | b'9' | b'a'..=b'f' | b'A'..=b'F', ..]);
                if is_half || !digits.iter().all(u8::is_ascii_hexdigit) {
                    return None;
                }
                self.at += 6;
            }
            _ => return None,
        }
        Some(())
    }

    fn number(&mut self) -> Option<()> {
        let start = self.at;
        if self.text[self.at] == b'-' {
            self.at += 1;
        }
        match *self.text.get(self.at)? {
            b'0' => self.at += 1,
            _ => self.digits()?,
        }
        if self.text.get(self.at) == Some(&b'.') {
            self.at += 1;
            self.digits()?;
        }
        // An exponent is neither a comma nor an end: whoever called stumbles over it.
        (self.at - start <= LONGEST_NUMBER).then_some(())
    }

    /// One at the least.
    #[inline]
    fn digits(&mut self) -> Option<()> {
        let start = self.at;
        while self.text.get(self.at).is_some_and(u8::is_ascii_digit) {
            self.at += 1;
        }
        (self.at > start).then_some(())
    }

    fn word(&mut self, word: &[u8]) -> Option<()> {
        self.text[self.at..].starts_with(word).then(|| self.at += word.len())
    }

    /// The next byte that is no space, which stays where it is.
    #[inline]
    fn after_space(&mut self) -> Option<u8> {
        loop {
            let byte = *self.text.get(self.at)?;
            if byte > b' ' {
                return Some(byte);
            }
            matches!(byte, b' ' | b'\t' | b'\r').then_some(())?;
            self.at += 1;
        }
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
