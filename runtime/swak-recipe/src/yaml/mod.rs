//! The one place in the project that reads YAML.
//!
//! [`parse`] turns text into a tree in which every value and every key knows its bytes. It is built
//! on the events of serde-saphyr's own parser (`granit_parser`, which that crate hands out), and
//! not on its serde side: there `Spanned<T>` gives line and column but byte ranges only as an
//! optional extra, a recursive tree of it loses the places of keys, and the first mistake ends the
//! reading, while we want every doubled key at once.
//!
//! What is read is YAML 1.2 with the core schema: `true` and `false` are the only booleans, `yes`,
//! `on` and `3m` are strings. Refused, each with its place: anchors and aliases (a small file could
//! stand for an endless one), several documents, keys that are not plain words, tags of
//! applications, nesting deeper than [`MAX_DEPTH`].

mod build;
mod scalar;

use crate::diag::{Diagnostic, Diagnostics, SourceFile, Span};

/// How deep lists and maps may stand in each other. Twice as deep as a recipe's expressions, since
/// in YAML a call is a map in a map or list: what can be written in Python can be converted.
pub const MAX_DEPTH: usize = 128;

/// A value with its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// The value.
    pub value: Value,
    /// Where it is written. [`SourceFile::slice`] gives the text as it stands there, which a
    /// number such as `1.10` does not keep. An absent value (`key:`) has the place of its key.
    pub span: Span,
}

/// What a value is.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `null`, `~`, or nothing at all.
    Null,
    /// `true`, `false`.
    Bool(bool),
    /// A whole number of at most 64 bits; a larger one is read as text.
    Int(i64),
    /// A number with a point or exponent; `.inf` and `.nan` too.
    Float(f64),
    /// Text.
    Str(String),
    /// A list.
    List(Vec<Node>),
    /// A map; order is kept, keys are unique.
    Map(Vec<(KeyNode, Node)>),
}

/// A key with its place.
#[derive(Clone, Debug, PartialEq)]
pub struct KeyNode {
    /// As written, without quotes: the key `1` is the text `1`.
    pub name: String,
    /// Where it is written.
    pub span: Span,
}

/// Reads one YAML document.
///
/// # Errors
///
/// Every mistake that can be found: `yaml-syntax` (ends the reading), `yaml-empty`,
/// `yaml-duplicate-key`, `yaml-anchor`, `yaml-alias`, `yaml-key`, `yaml-tag`, `yaml-too-deep`,
/// `yaml-documents`.
pub fn parse(source: &SourceFile) -> Result<Node, Diagnostics> {
    build::build(source.text()).map_err(|found| found.in_source(source))
}

/// Whether a text without quotes is read as itself, and not as a number or another value.
pub fn is_plain_text(text: &str) -> bool {
    matches!(scalar::plain(text), Value::Str(_))
}

impl Node {
    /// Looks a key up in a map; `None` when it is absent or this is no map.
    pub fn get(&self, key: &str) -> Option<&Node> {
        match &self.value {
            Value::Map(entries) => entries.iter().find(|(k, _)| k.name == key).map(|(_, v)| v),
            _ => None,
        }
    }

    /// The text, if it is text.
    pub fn as_str(&self) -> Option<&str> {
        match &self.value {
            Value::Str(text) => Some(text),
            _ => None,
        }
    }

    /// `expected a list, found a string`, underlined at this value.
    pub fn expected(&self, code: &'static str, what: &str) -> Diagnostic {
        Diagnostic::error(code, format!("expected {what}, found {}", self.value.noun()))
            .at(self.span, format!("expected {what}"))
    }
}

impl Value {
    /// What a person calls it: `a list`.
    pub fn noun(&self) -> &'static str {
        match self {
            Value::Null => "nothing",
            Value::Bool(_) => "true or false",
            Value::Int(_) => "a whole number",
            Value::Float(_) => "a number",
            Value::Str(_) => "a string",
            Value::List(_) => "a list",
            Value::Map(_) => "a map",
        }
    }
}

#[cfg(test)]
mod tests;
