//! Whether an object stands in its text just as it would be written anew.

use std::ops::Range;

use super::plain::{plain_until, short_string};

/// Whether an object, which this text is known to be, would be written as these bytes if it were read into
/// a map: without spaces and repeated names, each number and each escape in the one way in which it is
/// written. `false` when that is not sure. Its own fields are shown on the way: a name as it stands between
/// its quotes, and the place of the value.
pub(super) fn is_as_written(text: &[u8], mut field: impl FnMut(&[u8], Range<usize>)) -> bool {
    object(text, 0, &mut field) == Some(text.len())
}

/// Objects with more names are left to who makes maps of them, which find a name among many faster.
const MOST_NAMES: usize = 32;

// Each of these passes what it is named after, and gives the place behind it; `None` when it may be written
// in another way.

/// From its brace.
fn object(text: &[u8], mut at: usize, field: &mut dyn FnMut(&[u8], Range<usize>)) -> Option<usize> {
    if text[at..].starts_with(b"{}") {
        return Some(at + 2);
    }
    let mut names: [&[u8]; MOST_NAMES] = [&[]; MOST_NAMES];
    for n in 0..MOST_NAMES {
        // The brace or a comma.
        let name = at + 1;
        let colon = string(text, name)?;
        let raw = &text[name + 1..colon - 1];
        if text.get(colon) != Some(&b':') || names[..n].contains(&raw) {
            return None;
        }
        names[n] = raw;
        let end = value(text, colon + 1)?;
        field(raw, colon + 1..end);
        match text.get(end)? {
            b',' => at = end,
            b'}' => return Some(end + 1),
            _ => return None,
        }
    }
    None
}

/// From its bracket.
fn list(text: &[u8], mut at: usize) -> Option<usize> {
    if text[at..].starts_with(b"[]") {
        return Some(at + 2);
    }
    loop {
        at = value(text, at + 1)?;
        match text.get(at)? {
            b',' => {}
            b']' => return Some(at + 1),
            _ => return None,
        }
    }
}

fn value(text: &[u8], at: usize) -> Option<usize> {
    match text.get(at)? {
        b'"' => string(text, at),
        b'{' => object(text, at, &mut |_, _| ()),
        b'[' => list(text, at),
        b't' | b'n' => Some(at + 4),
        b'f' => Some(at + 5),
        b'-' | b'0'..=b'9' => number(text, at),
        _ => None,
    }
}

/// From its quote.
fn string(text: &[u8], at: usize) -> Option<usize> {
    if text.get(at) != Some(&b'"') {
        return None;
    }
    let mut at = match short_string(text, at + 1) {
        Ok(end) => return Some(end),
        Err(at) => at,
    };
    loop {
        at = plain_until(text, at);
        match (text.get(at)?, text.get(at + 1)) {
            (b'"', _) => return Some(at + 1),
            (b'\\', Some(b'"' | b'\\' | b'n' | b'r' | b't')) => at += 2,
            _ => return None,
        }
    }
}

/// A whole one of less than 19 digits, or one that has a shortest form with few digits, which is this.
fn number(text: &[u8], start: usize) -> Option<usize> {
    let digits = |from: usize| {
        let n = text[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        &text[from..from + n]
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

    /// Whether it says so, and what writing it gives.
    fn written(text: &str) -> (bool, String) {
        let mut out = Vec::new();
        write_map(&mut out, &parse_object(&text.into()).unwrap());
        (is_as_written(text.as_bytes(), |_, _| ()), String::from_utf8(out).unwrap())
    }

    #[test]
    fn what_is_written_in_one_way_is_known() {
        for text in [
            "{}",
            r#"{"a":1,"b":-0.5,"c":[1,[],{}],"d":{"e":null,"a":0},"f":true,"g":false,"h":0.0}"#,
            r#"{"a":"x\"\\\n\r\t/한 and more text than is looked at together\n","\n":1}"#,
            r#"{"a":[{"b":"c"},{"b":"d"}],"b":0.0001,"c":123456789012345678,"d":1.0,"e":-0.0}"#,
        ] {
            assert_eq!(written(text), (true, text.to_owned()), "{text}");
        }
        for text in [
            r#"{"a": 1}"#,
            r#"{"a":1 }"#,
            r#" {"a":1}"#,
            r#"{"a":1} "#,
            r#"{"a":[1, 2]}"#,
            r#"{ }"#,
            r#"{"a":[ ]}"#,
            r#"{"a":1,"a":2}"#,
            r#"{"a":{"b":1,"b":1}}"#,
            r#"{"a":"\/"}"#,
            r#"{"a":"\u00e9"}"#,
            r#"{"a":1.50}"#,
            r#"{"a":1.00}"#,
            r#"{"a":1e5}"#,
            r#"{"a":-0}"#,
            r#"{"a":0.00001}"#,
        ] {
            assert!(!written(text).0, "{text}");
        }
        let many = |n| {
            format!("{{{}}}", (0..n).map(|n| format!("\"{n}\":{n}")).collect::<Vec<_>>().join(","))
        };
        assert!(written(&many(32)).0 && !written(&many(33)).0);
    }

    #[test]
    fn fields_are_shown() {
        let text = br#"{"a":1,"b":{"c":[]}}"#;
        let mut fields = Vec::new();
        assert!(
            is_as_written(text, |name, value| fields.push((name.to_vec(), text[value].to_vec())))
        );
        assert_eq!(
            fields,
            [(b"a".to_vec(), b"1".to_vec()), (b"b".to_vec(), br#"{"c":[]}"#.to_vec())]
        );
    }

    proptest! {
        #[test]
        fn what_is_said_to_be_written_so_is(
            text in r#"\{("[ab]":(-?[01]{1,3}(\.[0-9]{1,6})?|-?[0-9]{1,19}(\.[0-9]{1,12})?|[0-9]{14,17}\.[05]|"(a|\\[nu/"]|\\u00[01e][0-9a]){0,3}"|\{\}|\{ "c" ?:1\}|\[1?\]|null)[,]?){0,3}\}"#,
        ) {
            if is_object(text.as_bytes()) {
                let (is_same, again) = written(&text);
                prop_assert!(!is_same || again == text, "{text} is written as {again}");
            }
        }

        #[test]
        fn floats_are_known(n in any::<f64>(), digits in 0usize..9) {
            let text = format!("{{\"a\":{n:.digits$}}}");
            if is_object(text.as_bytes()) {
                let (is_same, again) = written(&text);
                prop_assert!(!is_same || again == text, "{text} is written as {again}");
            }
        }
    }
}
