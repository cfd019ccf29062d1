//! A field of a JSON object found by searching its text for the name, not by reading the text.

use memchr::memmem::Finder;

use super::members::Members;
use super::places::{KnownSlot, Places};

/// The name of a field that is looked for in many records, and the way to a field below it.
#[derive(Debug)]
pub(crate) struct FieldName {
    name: Name,
    below: Box<[Name]>,
    /// Where its places are noted.
    slot: KnownSlot,
}

/// A name that is looked for in many objects.
#[derive(Debug)]
struct Name {
    name: Box<str>,
    /// Searches for the name between quotes; none when it has characters that JSON may write in
    /// another way than `\u00…`.
    quoted: Option<Box<Finder<'static>>>,
}

impl FieldName {
    /// That of a field, and the names below it that lead to the one that is meant.
    pub(crate) fn new(name: &str, below: &[Box<str>]) -> Self {
        let below = below.iter().map(|name| Name::new(name)).collect();
        FieldName { name: Name::new(name), below, slot: KnownSlot::default() }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.name.name
    }

    /// The names that lead from it to what is meant.
    pub(crate) fn below(&self) -> impl ExactSizeIterator<Item = &str> {
        self.below.iter().map(|name| &*name.name)
    }

    /// Where its places are noted among these.
    #[inline]
    pub(super) fn slot_in(&self, places: &Places) -> Option<usize> {
        places.slot_of(&self.name.name, &self.slot)
    }

    /// What is meant in the text of the value of the name.
    #[inline]
    pub(in crate::data) fn within<'a>(&self, value: &'a [u8]) -> Option<&'a [u8]> {
        self.below.iter().try_fold(value, |value, name| match value {
            [b'{', ..] => name.search(value).unwrap_or_else(|| Members::of(value).find(&name.name)),
            _ => None,
        })
    }

    /// The text of the value in an object that is known to be one; `None` when only reading the whole
    /// text tells.
    pub(in crate::data) fn search<'a>(&self, text: &'a [u8]) -> Option<Option<&'a [u8]>> {
        self.name.search(text)
    }
}

impl Name {
    fn new(name: &str) -> Self {
        let is_plain = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
        let is_searched_for = !name.is_empty() && name.bytes().all(is_plain);
        let quoted = is_searched_for
            .then(|| Box::new(Finder::new(format!("\"{name}\"").as_bytes()).into_owned()));
        Name { name: name.into(), quoted }
    }

    /// See [`FieldName::search`].
    ///
    /// What stands between quotes in JSON is a string, unless the first quote is escaped: no string ends
    /// before a letter. It is a name when a colon follows. It is one of the object itself when no other
    /// object and no list began before it, and it is the only one of the name when the text holds it
    /// once and no letter is written as an escape.
    fn search<'a>(&self, text: &'a [u8]) -> Option<Option<&'a [u8]>> {
        let quoted = self.quoted.as_deref()?;
        if has_escaped_ascii(text) {
            return None;
        }
        let Some(at) = quoted.find(text) else { return Some(None) };
        let end = at + quoted.needle().len();
        let before = text[..at].strip_prefix(b"{")?;
        let is_sure = before.last() != Some(&b'\\')
            && memchr::memchr2(b'{', b'[', before).is_none()
            && quoted.find(&text[end..]).is_none();
        if is_sure { Members::value_of_name(text, end).map(Some) } else { None }
    }
}

/// Whether a character of ASCII may be written as `\u00…`.
fn has_escaped_ascii(text: &[u8]) -> bool {
    let mut escapes = memchr::memchr_iter(b'\\', text);
    escapes.any(|at| text[at..].starts_with(b"\\u00") && text.get(at + 4).is_none_or(|b| *b < b'8'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn search<'a>(text: &'a str, name: &str) -> Option<Option<&'a str>> {
        let found = FieldName::new(name, &[]).search(text.as_bytes())?;
        Some(found.map(|value| std::str::from_utf8(value).unwrap()))
    }

    #[test]
    fn a_name_that_stands_once_is_found() {
        let text = r#"{"a":1, "b" : "x\"y","c":{"d":2,"a b":3}, "e":"f"}"#;
        assert_eq!(search(text, "a"), Some(Some("1")));
        assert_eq!(search(text, "b"), Some(Some(r#""x\"y""#)));
        assert_eq!(search(text, "c"), Some(Some(r#"{"d":2,"a b":3}"#)));
        assert_eq!(search(text, "x"), Some(None));
    }

    #[test]
    fn what_is_not_sure_is_not_told() {
        for (text, name) in [
            (r#"{"a":1,"a":2}"#, "a"),
            (r#"{"a":1,"\u0061":2}"#, "a"),
            (r#"{"b":{"a":1}}"#, "a"),
            (r#"{"b":[{"a":1}],"a":2}"#, "a"),
            (r#"{"b":"a"}"#, "a"),
            (r#"{"b":"\"a"}"#, "a"),
            (r#"{"b\"a":1}"#, "a"),
            (r#"{"b":"{","a":1}"#, "a"),
            (r#" {"a":1}"#, "a"),
            (r#"{"a/b":1}"#, "a/b"),
            (r#"{"":1}"#, ""),
        ] {
            assert_eq!(search(text, name), None, "{name} of {text}");
        }
    }
}
