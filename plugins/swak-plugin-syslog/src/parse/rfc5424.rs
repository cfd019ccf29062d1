//! RFC 5424, the syslog protocol.
//!
//! ```text
//! <165>1 2003-10-11T22:14:15.003Z host evntslog - ID47 [id iut="3"] text
//! ```

use std::borrow::Cow;

use super::{Clock, Element, Message, ParseError, Priority, split_word, timestamp};

/// The mark that a text in UTF-8 may begin with.
const BOM: &[u8] = b"\xef\xbb\xbf";

/// Whether what comes after the priority is rather this than RFC 3164: a version, then a timestamp
/// or `-`.
pub(super) fn is_likely(rest: &[u8]) -> bool {
    let Some(rest) = rest.strip_prefix(b"1 ") else { return false };
    let is_year = |text: &[u8]| text[..4].iter().all(u8::is_ascii_digit) && text[4] == b'-';
    rest.starts_with(b"- ") || rest.get(..5).is_some_and(is_year)
}

/// Parses what comes after the priority.
pub(super) fn parse<'a>(
    priority: Priority,
    rest: &'a [u8],
    clock: &Clock,
) -> Result<Message<'a>, ParseError> {
    let (version, rest) = split_word(rest);
    if version != b"1" {
        return Err(ParseError::Version);
    }
    let (time, rest) = part(rest)?;
    let timestamp = match time {
        Some(time) => Some(timestamp::rfc3339(time, clock).ok_or(ParseError::Timestamp)?),
        None => None,
    };
    let (hostname, rest) = part(rest)?;
    let (app_name, rest) = part(rest)?;
    let (proc_id, rest) = part(rest)?;
    let (msg_id, rest) = part(rest)?;
    let (structured_data, rest) = split_structured_data(rest)?;
    let text = match rest {
        [] => rest,
        [b' ', text @ ..] => text.strip_prefix(BOM).unwrap_or(text),
        _ => return Err(ParseError::StructuredData),
    };
    Ok(Message {
        priority,
        timestamp,
        hostname,
        app_name,
        proc_id,
        msg_id,
        structured_data,
        message: text,
    })
}

/// A part of the header and what comes after it; `-` stands for nothing.
fn part(rest: &[u8]) -> Result<(Option<&[u8]>, &[u8]), ParseError> {
    match split_word(rest) {
        (b"", _) => Err(ParseError::Header),
        (b"-", rest) => Ok((None, rest)),
        (word, rest) => Ok((Some(word), rest)),
    }
}

fn split_structured_data(mut rest: &[u8]) -> Result<(Vec<Element<'_>>, &[u8]), ParseError> {
    if let Some(rest) = rest.strip_prefix(b"-") {
        return Ok((Vec::new(), rest));
    }
    let mut elements = Vec::new();
    while let Some(inside) = rest.strip_prefix(b"[") {
        let (element, after) = split_element(inside).ok_or(ParseError::StructuredData)?;
        elements.push(element);
        rest = after;
    }
    if elements.is_empty() { Err(ParseError::StructuredData) } else { Ok((elements, rest)) }
}

/// What stands between `[` and `]`, and what comes after it.
fn split_element(text: &[u8]) -> Option<(Element<'_>, &[u8])> {
    let (id, mut rest) = split_name(text)?;
    let mut params = Vec::new();
    loop {
        match rest {
            [b']', rest @ ..] => return Some((Element { id, params }, rest)),
            [b' ', inside @ ..] => {
                let (name, value) = split_name(inside)?;
                let (value, after) = split_value(value.strip_prefix(b"=\"")?)?;
                params.push((name, value));
                rest = after;
            }
            _ => return None,
        }
    }
}

/// A name of structured data: printable ASCII without space, `=`, `]` and `"`.
fn split_name(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let in_name = |b: &&u8| b.is_ascii_graphic() && !matches!(b, b'=' | b']' | b'"');
    let end = text.iter().take_while(in_name).count();
    (end > 0).then(|| text.split_at(end))
}

/// A value without its escapes, and what comes after its quote. A backslash before anything but
/// `"`, `\` and `]` stands for itself.
fn split_value(text: &[u8]) -> Option<(Cow<'_, [u8]>, &[u8])> {
    let first = memchr::memchr2(b'"', b'\\', text)?;
    if text[first] == b'"' {
        return Some((Cow::Borrowed(&text[..first]), &text[first + 1..]));
    }
    let mut value = text[..first].to_vec();
    let mut rest = &text[first..];
    loop {
        match rest {
            [b'"', rest @ ..] => return Some((Cow::Owned(value), rest)),
            [b'\\', escaped @ (b'"' | b'\\' | b']'), after @ ..] => {
                value.push(*escaped);
                rest = after;
            }
            [byte, after @ ..] => {
                value.push(*byte);
                rest = after;
            }
            [] => return None,
        }
    }
}
