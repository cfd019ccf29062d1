//! Values to JSON.

use std::ops::Range;

use super::as_written::is_as_written;
use super::members::is_name;
use super::plain::plain_until;
use crate::data::{Map, Value};

/// Appends a value. A float that JSON cannot say is `null`; bytes that are not UTF-8 become U+FFFD, and
/// how many values held such is given back.
pub fn write_value(out: &mut Vec<u8>, value: &Value) -> usize {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Int(n) => out.extend_from_slice(itoa::Buffer::new().format(*n).as_bytes()),
        Value::Float(n) if n.is_finite() => {
            out.extend_from_slice(zmij::Buffer::new().format_finite(*n).as_bytes());
        }
        Value::Float(_) => out.extend_from_slice(b"null"),
        Value::Text(text) => write_utf8(out, text.as_bytes()),
        Value::Bytes(bytes) => return write_bytes(out, bytes),
        Value::Time(time) => {
            out.push(b'"');
            time.write_rfc3339(out);
            out.push(b'"');
        }
        Value::List(items) => {
            out.push(b'[');
            let mut replaced = 0;
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                replaced += write_value(out, item);
            }
            out.push(b']');
            return replaced;
        }
        Value::Map(map) => return write_map(out, map),
    }
    0
}

/// Appends a map as an object; see [`write_value`].
pub fn write_map(out: &mut Vec<u8>, map: &Map) -> usize {
    out.push(b'{');
    let mut replaced = 0;
    for (i, (name, value)) in map.iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        write_utf8(out, name.as_bytes());
        out.push(b':');
        replaced += write_value(out, value);
    }
    out.push(b'}');
    replaced
}

/// Appends the object that a text is known to be with some of its fields set anew, as [`write_map`] would
/// write all of them; `None` when that takes reading them, and nothing is appended.
pub(in crate::data) fn write_with(out: &mut Vec<u8>, text: &[u8], set: &Map) -> Option<usize> {
    // In the order of the text.
    let mut old: Vec<(Range<usize>, usize)> = Vec::new();
    let is_same = is_as_written(text, |raw, value| {
        if let Some(place) = set.iter().position(|(name, _)| is_name(raw, name.as_bytes())) {
            old.push((value, place));
        }
    });
    if !is_same {
        return None;
    }
    let (mut copied, mut replaced) = (0, 0);
    for (old, place) in &old {
        out.extend_from_slice(&text[copied..old.start]);
        replaced += set.iter().nth(*place).map_or(0, |(_, value)| write_value(out, value));
        copied = old.end;
    }
    out.extend_from_slice(&text[copied..text.len() - 1]);
    let mut is_first = text == b"{}";
    for (place, (name, value)) in set.iter().enumerate() {
        if old.iter().all(|(_, old)| *old != place) {
            if !is_first {
                out.push(b',');
            }
            is_first = false;
            write_utf8(out, name.as_bytes());
            out.push(b':');
            replaced += write_value(out, value);
        }
    }
    out.push(b'}');
    Some(replaced)
}

/// Appends bytes as a string; what is not UTF-8 becomes U+FFFD. Gives back 1 if there was such, else 0.
pub fn write_bytes(out: &mut Vec<u8>, bytes: &[u8]) -> usize {
    if std::str::from_utf8(bytes).is_ok() {
        write_utf8(out, bytes);
        return 0;
    }
    write_utf8(out, String::from_utf8_lossy(bytes).as_bytes());
    1
}

/// Appends UTF-8 as a string: runs without escapes are copied whole.
fn write_utf8(out: &mut Vec<u8>, text: &[u8]) {
    out.reserve(text.len() + 2);
    out.push(b'"');
    let first = plain_until(text, 0);
    write_escaped(out, text, first);
    out.push(b'"');
}

/// Appends the content of a string, of which as much is plain.
fn write_escaped(out: &mut Vec<u8>, text: &[u8], mut plain: usize) {
    let mut copied = 0;
    while let Some(&byte) = text.get(plain) {
        out.extend_from_slice(&text[copied..plain]);
        copied = plain + 1;
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            _ => {
                const HEX: &[u8; 16] = b"0123456789abcdef";
                out.extend_from_slice(b"\\u00");
                out.push(HEX[usize::from(byte >> 4)]);
                out.push(HEX[usize::from(byte & 15)]);
            }
        }
        plain = plain_until(text, copied);
    }
    out.extend_from_slice(&text[copied..]);
}
