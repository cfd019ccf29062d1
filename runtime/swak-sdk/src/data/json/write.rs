//! Values to JSON.

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
pub(super) fn write_utf8(out: &mut Vec<u8>, text: &[u8]) {
    out.reserve(text.len() + 2);
    out.push(b'"');
    write_content(out, text);
    out.push(b'"');
}

/// Appends the content of a string.
pub(super) fn write_content(out: &mut Vec<u8>, text: &[u8]) {
    let first = plain_until(text, 0);
    write_escaped(out, text, first);
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
