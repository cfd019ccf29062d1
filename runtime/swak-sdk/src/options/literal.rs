//! Values as a recipe writes them, each with its place.

use std::fmt;

use crate::data::{Map, Value};

/// A place in a recipe: a range of bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    /// First byte.
    pub start: u32,
    /// One after the last byte.
    pub end: u32,
}

impl Span {
    /// A span of these bytes. A recipe is never larger than 4 GiB: readers refuse it long before.
    pub fn new(start: usize, end: usize) -> Self {
        let clamp = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Span { start: clamp(start), end: clamp(end) }
    }

    /// The smallest span that holds both.
    pub fn to(self, other: Span) -> Span {
        Span { start: self.start.min(other.start), end: self.end.max(other.end) }
    }

    /// As a range of indices.
    pub fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// A value with its place. Calls such as `env("X")` are already answered when a plugin sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct Literal {
    /// The value.
    pub value: LiteralValue,
    /// Where it is written.
    pub span: Span,
}

/// What can be written as a value.
#[derive(Clone, Debug, PartialEq)]
pub enum LiteralValue {
    /// `None`, or YAML's `null`.
    None,
    /// `True`, `False`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number with a point or exponent.
    Float(f64),
    /// Text.
    Str(String),
    /// `[a, b]`
    List(Vec<Literal>),
    /// `{"a": 1}`; order is kept, keys are unique.
    Dict(Vec<(Key, Literal)>),
}

/// A key of a dict, or the name of an argument, with its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Key {
    /// The key.
    pub name: String,
    /// Where it is written.
    pub span: Span,
}

impl Literal {
    /// A value that stands nowhere: a default, a test.
    pub fn bare(value: LiteralValue) -> Self {
        Literal { value, span: Span::default() }
    }

    /// The place of a part of a string value, given as bytes of the string.
    ///
    /// Exact for a string that is written without escapes, plain or between one pair of quotes;
    /// the place of the whole literal otherwise.
    pub fn span_within(&self, part: std::ops::Range<usize>) -> Span {
        let LiteralValue::Str(text) = &self.value else { return self.span };
        let written = self.span.range();
        // Escapes make what is written longer, so these two lengths mean that there are none.
        let first = match written.len().checked_sub(text.len()) {
            Some(0) if !text.is_empty() => written.start,
            Some(2) => written.start + 1,
            _ => return self.span,
        };
        // A mistake at the end of the text is shown at its last character, not after it.
        let start = part.start.min(text.len());
        let end = part.end.clamp(start, text.len());
        Span::new(first + start, first + end.max(start + usize::from(start < text.len())))
    }
}

/// As a value of a record: numbers, text, lists and maps as they are written.
impl From<&Literal> for Value {
    fn from(literal: &Literal) -> Self {
        match &literal.value {
            LiteralValue::None => Value::Null,
            LiteralValue::Bool(b) => Value::Bool(*b),
            LiteralValue::Int(n) => Value::Int(*n),
            LiteralValue::Float(n) => Value::Float(*n),
            LiteralValue::Str(text) => Value::from(text.as_str()),
            LiteralValue::List(items) => Value::List(items.iter().map(Value::from).collect()),
            LiteralValue::Dict(entries) => {
                let entries = entries.iter().map(|(key, value)| (key.name.as_str(), value));
                entries.collect::<Map>().into()
            }
        }
    }
}

impl LiteralValue {
    /// What a person calls it: `a string`.
    pub fn noun(&self) -> &'static str {
        match self {
            LiteralValue::None => "None",
            LiteralValue::Bool(_) => "a bool",
            LiteralValue::Int(_) => "a whole number",
            LiteralValue::Float(_) => "a number",
            LiteralValue::Str(_) => "a string",
            LiteralValue::List(_) => "a list",
            LiteralValue::Dict(_) => "a dict",
        }
    }
}

/// As it would be written in a recipe.
impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            LiteralValue::None => f.write_str("None"),
            LiteralValue::Bool(true) => f.write_str("True"),
            LiteralValue::Bool(false) => f.write_str("False"),
            LiteralValue::Int(n) => write!(f, "{n}"),
            LiteralValue::Float(n) => write!(f, "{n:?}"),
            LiteralValue::Str(s) => write_quoted(f, s),
            LiteralValue::List(items) => {
                f.write_str("[")?;
                for (i, item) in items.iter().enumerate() {
                    if i > 0 {
                        f.write_str(", ")?;
                    }
                    write!(f, "{item}")?;
                }
                f.write_str("]")
            }
            LiteralValue::Dict(entries) => {
                f.write_str("{")?;
                for (i, (key, value)) in entries.iter().enumerate() {
                    if i > 0 {
                        f.write_str(", ")?;
                    }
                    write_quoted(f, &key.name)?;
                    write!(f, ": {value}")?;
                }
                f.write_str("}")
            }
        }
    }
}

/// Writes a string as the recipe language reads it back.
fn write_quoted(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    f.write_str("\"")?;
    for c in text.chars() {
        match c {
            '"' => f.write_str("\\\"")?,
            '\\' => f.write_str("\\\\")?,
            '\n' => f.write_str("\\n")?,
            '\r' => f.write_str("\\r")?,
            '\t' => f.write_str("\\t")?,
            c if c.is_control() => write!(f, "\\u{:04x}", c as u32)?,
            c => write!(f, "{c}")?,
        }
    }
    f.write_str("\"")
}

/// The arguments of one call: by position, and by name.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Args {
    /// The whole call, for what is missing from it.
    pub span: Span,
    /// By position.
    pub positional: Vec<Literal>,
    /// By name, in order; the checker has refused repeats.
    pub named: Vec<(Key, Literal)>,
}

#[cfg(test)]
mod tests {
    use super::super::testing::{dict, int, list, text};
    use super::*;

    #[test]
    fn a_literal_is_shown_as_a_recipe_writes_it() {
        let value = dict([
            ("a", list([int(-1), LiteralValue::Float(2.0), LiteralValue::None])),
            ("b", text("x\"\\\n\u{1}")),
            ("c", LiteralValue::Bool(true)),
        ]);
        assert_eq!(
            Literal::bare(value).to_string(),
            r#"{"a": [-1, 2.0, None], "b": "x\"\\\n\u0001", "c": True}"#
        );
    }

    #[test]
    fn a_literal_is_a_value_of_a_record() {
        let literal =
            Literal::bare(dict([("b", list([text("x"), int(1)])), ("a", LiteralValue::None)]));
        let mut map = Map::new();
        map.insert("b", Value::List(vec!["x".into(), 1.into()]));
        map.insert("a", Value::Null);
        assert_eq!(Value::from(&literal), Value::from(map));
    }

    #[test]
    fn a_part_of_a_string_has_its_own_place_unless_something_is_escaped() {
        let literal = |span| Literal { value: text("a한b"), span };
        let quoted = literal(Span::new(10, 17));
        assert_eq!(quoted.span_within(1..4), Span::new(12, 15));
        assert_eq!(quoted.span_within(5..5), Span::new(16, 16));
        assert_eq!(quoted.span_within(0..99), Span::new(11, 16));
        let plain = literal(Span::new(10, 15));
        assert_eq!(plain.span_within(4..5), Span::new(14, 15));
        let escaped = Span::new(10, 20);
        assert_eq!(literal(escaped).span_within(1..4), escaped);
    }
}
