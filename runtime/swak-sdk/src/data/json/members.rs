//! The fields of a JSON object that is known to be one, found in its text when they are asked for.

use super::plain::{plain_until, short_string};
use super::search::FieldName;
use crate::data::{Block, Slice, Text, Value};

/// The names and values of an object, as they stand in its text. Of a text that is no object it gives
/// something or nothing.
#[derive(Clone)]
pub(in crate::data) struct Members<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Members<'a> {
    /// Those of this object.
    pub(in crate::data) fn of(text: &'a [u8]) -> Self {
        let brace = text.iter().position(|byte| *byte == b'{');
        Members { text, at: brace.map_or(text.len(), |at| at + 1) }
    }

    /// The value of a field; of a repeated name the last one.
    pub(in crate::data) fn find(self, name: &str) -> Option<&'a [u8]> {
        let is_it = |member: &(&[u8], &'a [u8])| is_name(member.0, name.as_bytes());
        self.filter(is_it).last().map(|(_, value)| value)
    }

    /// The value of the field whose name ends here; `None` if it is no name.
    pub(super) fn value_of_name(text: &'a [u8], end: usize) -> Option<&'a [u8]> {
        let mut members = Members { text, at: end };
        if members.after_space()? != b':' {
            return None;
        }
        members.at += 1;
        members.after_space()?;
        let start = members.at;
        members.value()?;
        Some(&text[start..members.at])
    }

    /// The values of these fields, each in its place; as [`Members::find`], in one pass for all.
    pub(in crate::data) fn find_each(self, names: &[FieldName], values: &mut [Option<&'a [u8]>]) {
        for (raw, value) in self {
            let is_plain = !raw.contains(&b'\\');
            for (name, found) in names.iter().zip(&mut *values) {
                let is_it = match is_plain {
                    true => raw == name.as_str().as_bytes(),
                    false => is_name(raw, name.as_str().as_bytes()),
                };
                if is_it {
                    *found = Some(value);
                }
            }
        }
    }

    fn after_space(&mut self) -> Option<u8> {
        while self.text.get(self.at)? <= &b' ' {
            self.at += 1;
        }
        Some(self.text[self.at])
    }

    /// Passes a string, from its quote.
    #[inline]
    fn string(&mut self) -> Option<()> {
        self.at = string(self.text, self.at)?;
        Some(())
    }

    fn value(&mut self) -> Option<()> {
        match self.after_space()? {
            b'"' => self.string(),
            b'{' | b'[' => self.nested(),
            _ => {
                let is_end = |byte: &u8| matches!(byte, b',' | b'}' | b']' | 0..=b' ');
                self.at += self.text[self.at..].iter().position(is_end)?;
                Some(())
            }
        }
    }

    fn nested(&mut self) -> Option<()> {
        let mut depth = 0usize;
        loop {
            match *self.text.get(self.at)? {
                b'"' => {
                    self.string()?;
                    continue;
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth = depth.saturating_sub(1),
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                return Some(());
            }
        }
    }
}

impl<'a> Iterator for Members<'a> {
    /// A name without its quotes, with its escapes, and a value.
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        if self.after_space()? == b',' {
            self.at += 1;
        }
        if self.after_space()? != b'"' {
            return None;
        }
        let name = self.at + 1;
        self.string()?;
        let name = self.text.get(name..self.at - 1)?;
        if self.after_space()? != b':' {
            return None;
        }
        self.at += 1;
        self.after_space()?;
        let start = self.at;
        self.value()?;
        Some((name, &self.text[start..self.at]))
    }
}

/// The place behind the value that begins here.
pub(super) fn value_end(text: &[u8], at: usize) -> Option<usize> {
    let mut members = Members { text, at };
    members.value()?;
    Some(members.at)
}

/// The place behind a string, from its quote. Most are short and have no escapes.
#[inline]
fn string(text: &[u8], at: usize) -> Option<usize> {
    match short_string(text, at + 1) {
        Ok(end) => Some(end),
        Err(at) => any_string(text, at),
    }
}

#[inline(never)]
fn any_string(text: &[u8], mut at: usize) -> Option<usize> {
    loop {
        at = plain_until(text, at);
        match *text.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

/// Whether this is how the text of an object says a name.
pub(super) fn is_name(raw: &[u8], name: &[u8]) -> bool {
    raw == name || (raw.contains(&b'\\') && unescaped(raw).is_some_and(|text| *text == *name))
}

fn unescaped(raw: &[u8]) -> Option<Box<[u8]>> {
    let quoted = [b"\"", raw, b"\""].concat();
    serde_json::from_slice::<String>(&quoted).ok().map(|text| text.into_bytes().into())
}

/// What the text of a value says. It is a part of this block, if it is of one. `None` when it is none.
pub(in crate::data) fn read_value(raw: &[u8], block: Option<&Block>) -> Option<Value> {
    if let Some(n) = short_int(raw) {
        return Some(Value::Int(n));
    }
    match raw {
        b"true" => return Some(Value::Bool(true)),
        b"false" => return Some(Value::Bool(false)),
        b"null" => return Some(Value::Null),
        [b'"', inner @ .., b'"'] if !inner.contains(&b'\\') => return read_text(inner, block),
        _ => {}
    }
    super::parse(&slice(raw, block)).ok()
}

/// A whole number that is no float and fits for sure. `-0` is a float.
#[inline]
pub(crate) fn short_int(raw: &[u8]) -> Option<i64> {
    let (is_negative, digits) = match raw {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    if !matches!(digits.first(), Some(b'1'..=b'9')) || digits.len() > 18 {
        return match raw {
            b"0" => Some(0),
            _ => None,
        };
    }
    let add = |n: i64, digit: &u8| digit.is_ascii_digit().then(|| n * 10 + i64::from(digit - b'0'));
    let n = digits.iter().try_fold(0, add)?;
    Some(if is_negative { -n } else { n })
}

fn read_text(inner: &[u8], block: Option<&Block>) -> Option<Value> {
    let text = std::str::from_utf8(inner).ok()?;
    Some(Value::Text(match block {
        Some(block) => Text::in_block(text, block),
        None => text.into(),
    }))
}

/// The part as a slice of its block; a copy when it has none.
pub(in crate::data) fn slice(part: &[u8], block: Option<&Block>) -> Slice {
    block.and_then(|block| block.subset(part)).unwrap_or_else(|| part.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(text: &str, name: &str) -> Option<Value> {
        let block = Block::from(text.as_bytes().to_vec());
        Members::of(&block).find(name).and_then(|raw| read_value(raw, Some(&block)))
    }

    #[test]
    fn fields_are_found_in_the_text() {
        let text = r#" { "a" : 1 , "b":[{"a":2},"]}"],"c":{"a":"}"}, "d\n":"x\"y", "e":"","f":-7,
            "g":0.5,"h":0,"i":-0,"j":12345678901234567890,"a":"again","":true}  "#;
        for (name, value) in [
            ("a", Value::from("again")),
            (
                "b",
                vec![
                    Value::from([("a", 2)].into_iter().collect::<crate::data::Map>()),
                    "]}".into(),
                ]
                .into(),
            ),
            ("d\n", "x\"y".into()),
            ("e", "".into()),
            ("f", Value::Int(-7)),
            ("g", Value::Float(0.5)),
            ("h", Value::Int(0)),
            ("i", Value::Float(-0.0)),
            ("j", Value::Float(12345678901234567890.0)),
            ("", Value::Bool(true)),
        ] {
            assert_eq!(find(text, name), Some(value), "{name}");
        }
        assert_eq!((find(text, "d"), find(text, "x"), find("{}", "a")), (None, None, None));
    }

    #[test]
    fn text_that_is_no_object_gives_what_it_may() {
        for text in
            ["", "{", "{\"", "{\"a", "{\"a\"", "{\"a\":", "{\"a\":\"\\", "{\"a\":[[", "{a", "[1]"]
        {
            assert_eq!(find(text, "a"), None, "{text}");
        }
    }
}
