//! The text of an object written as it would be if it were read into a map: without spaces, each escape in
//! the one way in which it is written. What is so already, which is most, is copied in long pieces.

use super::check::unicode_escape;
use super::members::value_end;
use super::plain::{WIDTH, digits, plain_until, short_string};
use super::write::{write_content, write_utf8, write_value};
use crate::data::Map;

/// Appends the object that a text is known to be with some of its fields set anew, as
/// [`write_map`](super::write_map) would write all of them, and says how many values held bytes that were
/// replaced. `None` when that takes reading them: when a name stands there twice or has escapes, or a number
/// may be written in another way. What was appended then is to be taken away.
pub(in crate::data) fn write_with(out: &mut Vec<u8>, text: &[u8], set: &Map) -> Option<usize> {
    write_and_tell(out, text, set).map(|(replaced, _)| replaced)
}

/// The same, and whether nothing but what is in strings was changed, and all that was set stands behind it.
pub(super) fn write_and_tell(out: &mut Vec<u8>, text: &[u8], set: &Map) -> Option<(usize, bool)> {
    let mut rewrite = Rewrite::new(text, out, set);
    let start = text.iter().position(|byte| *byte == b'{')?;
    rewrite.copied = start;
    let end = rewrite.object::<true>(start)?;
    let is_whole = start == 0 && end == text.len();
    Some((rewrite.replaced, is_whole && !rewrite.is_other))
}

/// Appends an object of which it is known what stands before, between and behind its values, with fields that
/// are set and are not in it. `None` when it is another object.
pub(super) fn write_like(
    out: &mut Vec<u8>,
    text: &[u8],
    steps: &[Box<[u8]>],
    set: &Map,
) -> Option<usize> {
    let (last, steps) = steps.split_last()?;
    let mut rewrite = Rewrite::new(text, out, set);
    let mut at = 0;
    for step in steps {
        let value = text.get(at..)?.strip_prefix(&**step)?;
        at += step.len();
        at = match *value.first()? {
            byte @ (b'"' | b't' | b'f' | b'n' | b'-' | b'0'..=b'9') => rewrite.value(at, byte)?,
            _ => return None,
        };
    }
    if text.get(at..)? != &**last {
        return None;
    }
    let end = text.len() - 1;
    rewrite.skip(end, end);
    rewrite.write_rest(text == b"{}");
    rewrite.out.push(b'}');
    Some(rewrite.replaced)
}

/// Objects with more names are left to who makes maps of them, which find a name among many faster.
const MOST_NAMES: usize = 32;

struct Rewrite<'r> {
    text: &'r [u8],
    out: &'r mut Vec<u8>,
    /// Up to where the text is written.
    copied: usize,
    /// What is set in the outermost object.
    set: &'r Map,
    /// One bit for each of those that is written.
    written: u32,
    replaced: usize,
    /// Whether space was left out, or a field of the text was set.
    is_other: bool,
}

// Each of these passes what it is named after, and gives the place behind it.

impl<'r> Rewrite<'r> {
    fn new(text: &'r [u8], out: &'r mut Vec<u8>, set: &'r Map) -> Self {
        Rewrite { text, out, copied: 0, set, written: 0, replaced: 0, is_other: false }
    }

    /// Writes up to here, and goes on there.
    fn skip(&mut self, from: usize, to: usize) {
        self.out.extend_from_slice(&self.text[self.copied..from]);
        self.copied = to;
    }

    /// The next byte that is no space, and its place. Spaces are left out.
    #[inline]
    fn after_space(&mut self, at: usize) -> Option<(usize, u8)> {
        let byte = *self.text.get(at)?;
        if byte > b' ' {
            return Some((at, byte));
        }
        let end = at + self.text[at..].iter().position(|byte| *byte > b' ')?;
        self.skip(at, end);
        self.is_other = true;
        Some((end, self.text[end]))
    }

    /// From its brace.
    fn object<const OUTERMOST: bool>(&mut self, brace: usize) -> Option<usize> {
        let (mut at, mut byte) = self.after_space(brace + 1)?;
        let mut names: [&[u8]; MOST_NAMES] = [&[]; MOST_NAMES];
        let mut n = 0;
        while byte != b'}' {
            let behind = plain_string(self.text, at)?;
            let name = &self.text[at + 1..behind - 1];
            if n == MOST_NAMES || names[..n].contains(&name) {
                return None;
            }
            names[n] = name;
            n += 1;
            let (colon, _) = self.after_space(behind)?;
            (at, byte) = self.after_space(colon + 1)?;
            let set = if OUTERMOST { self.set_field(name) } else { None };
            at = match set {
                Some(i) => {
                    let end = value_end(self.text, at)?;
                    self.skip(at, end);
                    self.write_set(i);
                    self.is_other = true;
                    end
                }
                None => self.value(at, byte)?,
            };
            (at, byte) = self.after_space(at)?;
            if byte == b',' {
                (at, byte) = self.after_space(at + 1)?;
            }
        }
        if OUTERMOST {
            self.skip(at, at);
            self.write_rest(n == 0);
            self.out.push(b'}');
        }
        Some(at + 1)
    }

    fn set_field(&self, name: &[u8]) -> Option<usize> {
        self.set.iter().position(|(set, _)| set.as_bytes() == name)
    }

    fn write_set(&mut self, i: usize) {
        self.written |= 1 << i;
        let value = self.set.iter().nth(i).map(|(_, value)| value);
        self.replaced += value.map_or(0, |value| write_value(self.out, value));
    }

    /// The fields that are new.
    fn write_rest(&mut self, mut is_first: bool) {
        for (i, (name, _)) in self.set.iter().enumerate() {
            if self.written & 1 << i == 0 {
                if !is_first {
                    self.out.push(b',');
                }
                is_first = false;
                write_utf8(self.out, name.as_bytes());
                self.out.push(b':');
                self.write_set(i);
            }
        }
    }

    /// From its bracket.
    fn list(&mut self, bracket: usize) -> Option<usize> {
        let (mut at, mut byte) = self.after_space(bracket + 1)?;
        while byte != b']' {
            at = self.value(at, byte)?;
            (at, byte) = self.after_space(at)?;
            if byte == b',' {
                (at, byte) = self.after_space(at + 1)?;
            }
        }
        Some(at + 1)
    }

    fn value(&mut self, at: usize, byte: u8) -> Option<usize> {
        match byte {
            b'"' => self.string(at),
            b'{' => self.object::<false>(at),
            b'[' => self.list(at),
            b't' | b'n' => Some(at + 4),
            b'f' => Some(at + 5),
            _ => same_number(self.text, at),
        }
    }

    /// From its quote.
    fn string(&mut self, quote: usize) -> Option<usize> {
        let mut at = match short_string(self.text, quote + 1) {
            Ok(end) => return Some(end),
            Err(at) => at,
        };
        loop {
            at = plain_until(self.text, at);
            match self.text.get(at)? {
                b'"' => return Some(at + 1),
                _ => at = self.escape(at)?,
            }
        }
    }

    /// From its backslash.
    fn escape(&mut self, at: usize) -> Option<usize> {
        let (content, end) = match self.text.get(at + 1)? {
            b'"' | b'\\' | b'n' | b'r' | b't' => return Some(at + 2),
            b'/' => ('/', at + 2),
            b'b' => ('\u{8}', at + 2),
            b'f' => ('\u{c}', at + 2),
            _ => unicode_escape(self.text, at)?,
        };
        self.skip(at, end);
        write_content(self.out, content.encode_utf8(&mut [0; 4]).as_bytes());
        Some(end)
    }
}

/// A string without escapes, from its quote.
fn plain_string(text: &[u8], quote: usize) -> Option<usize> {
    let at = match short_string(text, quote + 1) {
        Ok(end) => return Some(end),
        Err(at) => plain_until(text, at),
    };
    (text.get(at) == Some(&b'"')).then_some(at + 1)
}

/// A number that is written as it stands here for sure: a whole one of less than 19 digits, or one whose
/// shortest form this is.
fn same_number(text: &[u8], start: usize) -> Option<usize> {
    let digits = |from: usize| {
        let rest = &text[from..];
        let few = rest.first_chunk().map(|bytes| digits(bytes).trailing_ones() as usize);
        let n = match few {
            Some(n) if n < WIDTH => n,
            _ => rest.iter().take_while(|byte| byte.is_ascii_digit()).count(),
        };
        &rest[..n]
    };
    let first = start + usize::from(text[start] == b'-');
    let whole = digits(first);
    let mut end = first + whole.len();
    let is_same = match text.get(end) {
        Some(b'.') => {
            let part = digits(end + 1);
            end += 1 + part.len();
            // A float holds fifteen digits for sure, and is written without an exponent in this range.
            let is_short = whole.len() + part.len() <= 15;
            let is_small = whole == b"0" && part.starts_with(b"0000");
            is_short && !is_small && (part == b"0" || !part.ends_with(b"0"))
        }
        // `-0` is a float.
        _ => whole.len() < 19 && text[start..end] != *b"-0",
    };
    (is_same && !matches!(text.get(end), Some(b'e' | b'E'))).then_some(end)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::data::json::{is_object, parse_object, write_map};

    /// What it writes, and what is written of the fields.
    fn written(text: &str, set: &Map) -> (Option<String>, String) {
        let (mut out, mut of_map) = (b"before".to_vec(), Vec::new());
        let mut map = parse_object(&text.into()).unwrap();
        for (name, value) in set.iter() {
            map.insert(name.clone(), value.clone());
        }
        write_map(&mut of_map, &map);
        let is_written = write_with(&mut out, text.as_bytes(), set).is_some();
        let text = |out| String::from_utf8(out).unwrap();
        (is_written.then(|| text(out.split_off(6))), text(of_map))
    }

    #[test]
    fn what_can_be_rewritten_is() {
        for text in [
            "{}",
            r#"{"a":1,"b":-0.5,"c":[1,[],{}],"d":{"e":null,"a":0},"f":true,"g":false,"h":0.0}"#,
            r#"{"a":"x\"\\\n\r\t/한 and more text than is looked at together\n"}"#,
            r#"{"a":[{"b":"c"},{"b":"d"}],"b":0.0001,"c":123456789012345678,"d":1.0,"e":-0.0}"#,
            r#" { "a" : [ 1 , 2 , { } , [ ] ] , "b" : { "c" : "d" } } "#,
            r#"{"a":"\/\b\f\u0041\u0022\u005c\u000a\u001F\u00e9\ud83d\ude00\u007f and more of it\/"}"#,
        ] {
            let (found, expected) = written(text, &Map::new());
            assert_eq!(found.as_ref(), Some(&expected), "{text}");
        }
        for text in [
            r#"{"a":1,"a":2}"#,
            r#"{"a":{"b":1,"b":1}}"#,
            r#"{"\u0061":1}"#,
            r#"{"a":1.50}"#,
            r#"{"a":1.00}"#,
            r#"{"a":1e5}"#,
            r#"{"a":-0}"#,
            r#"{"a":0.00001}"#,
            r#"{"a":1234567890123456789}"#,
        ] {
            assert_eq!(written(text, &Map::new()).0, None, "{text}");
        }
        let members = |n| (0..n).map(|n| format!("\"{n}\":{n}")).collect::<Vec<_>>().join(",");
        for (n, is_some) in [(32, true), (33, false)] {
            assert_eq!(written(&format!("{{{}}}", members(n)), &Map::new()).0.is_some(), is_some);
        }
    }

    proptest! {
        #[test]
        fn what_is_rewritten_is_what_is_written_anew(
            text in r#" ?\{( ?"[abc]" ?:(-?[01]{1,3}(\.[0-9]{1,6})?|-?[0-9]{1,19}(\.[0-9]{1,12})?|[0-9]{14,17}\.[05]|"(a|\\[nbu/"]|\\u00[0-9a-f][0-9a-f]|\\ud83d\\ude00){0,3}"|\{\}|\{ "c" ?:1\}|\[1?\]|null)[,]?){0,3}\} ?"#,
            set in prop::collection::vec(("[abcd\"]", any::<i64>()), 0..3),
        ) {
            if is_object(text.as_bytes()) {
                let set = set.into_iter().fold(Map::new(), |mut set, (name, value)| {
                    set.insert(name, value);
                    set
                });
                let (found, expected) = written(&text, &set);
                prop_assert!(found.as_ref().is_none_or(|found| *found == expected), "{text}: {found:?}");
            }
        }

        #[test]
        fn floats_are_known(n in any::<f64>(), small in -1e4..1e4, digits in 0usize..9) {
            for n in [n, small] {
                let text = format!("{{\"a\":{n:.digits$}}}");
                if is_object(text.as_bytes()) {
                    let (found, expected) = written(&text, &Map::new());
                    prop_assert!(found.is_none_or(|found| found == expected), "{text} is {expected}");
                }
            }
        }
    }
}
