//! Templates and expressions: what is common to both.
//!
//! The language is Jinja's, as `minijinja` has it, with these differences, which data needs:
//! - A field that is not there is undefined: it is written as nothing, and so are its own fields.
//! - Comparisons of unlike values are answered with sense, see [`compare`].
//! - There are no global functions, since their names would hide that a field is missing.
//! - `strftime` and `tojson` are there as filters, `match` and `search` as tests.
//!
//! What is simple is evaluated without `minijinja`, with the same results: see [`direct`].

mod compare;
mod direct;
mod environment;
mod expr;
mod filters;
mod names;
mod rewrite;
mod template;
mod tokens;
mod value;

use std::collections::HashSet;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use minijinja::Value as Jinja;
use minijinja::value::{Enumerator, Object};

pub use expr::Expr;
pub use template::Template;

use crate::data::{Batch, RecordRef};
use value::{map_to_jinja, time_to_jinja, to_jinja};

/// What a template or an expression is evaluated over: a record, and where it came from.
///
/// The fields of the record are variables. Besides them, and before them, there are `record` (all
/// fields), `time`, `tag`, `source` (a file's path, a peer's address) and `line` (the text of a
/// record that is still a line). A field with one of these names is `record.time`, and so on.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    /// The record.
    pub record: RecordRef<'a>,
    /// The tag of its batch.
    pub tag: &'a str,
    /// The source of its batch.
    pub source: &'a str,
}

impl<'a> Scope<'a> {
    /// A record of a batch.
    pub fn new(batch: &'a Batch, record: RecordRef<'a>) -> Self {
        Scope { record, tag: &batch.tag, source: &batch.source }
    }

    /// A record without a batch.
    pub fn bare(record: RecordRef<'a>) -> Self {
        Scope { record, tag: "", source: "" }
    }

    fn variable(&self, name: &str) -> Jinja {
        match name {
            "record" => map_to_jinja(&self.record.to_map()),
            "time" => time_to_jinja(self.record.time()),
            "tag" => Jinja::from(self.tag),
            "source" => Jinja::from(self.source),
            "line" => match self.record.line() {
                Some(line) => Jinja::from(String::from_utf8_lossy(line).as_ref()),
                None => Jinja::UNDEFINED,
            },
            field => match self.record.get(field) {
                Some(value) => to_jinja(&value),
                None => Jinja::UNDEFINED,
            },
        }
    }
}

/// Why a template or an expression gave no value for a record: a filter was given what it cannot
/// take, or it ran for too long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvalError {
    message: String,
}

impl fmt::Display for EvalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for EvalError {}

impl EvalError {
    fn new(error: &minijinja::Error) -> Self {
        let message = match error.kind() {
            minijinja::ErrorKind::OutOfFuel => "it takes too many steps".to_owned(),
            _ => describe(error),
        };
        EvalError { message }
    }
}

/// A mistake in the text of a template or an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntaxError {
    /// What is wrong.
    pub message: String,
    /// The bytes of the text that it is about.
    pub range: Range<usize>,
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for SyntaxError {}

impl SyntaxError {
    /// What compiles as it is written can still be nested too deeply with the filters in it.
    fn too_deep(text: &str) -> Self {
        SyntaxError { message: "it is nested too deeply".to_owned(), range: 0..text.len() }
    }

    fn new(error: &minijinja::Error, text: &str) -> Self {
        let range = error.range().unwrap_or(0..text.len());
        let fits = text.get(range.clone()).is_some();
        SyntaxError { message: describe(error), range: if fits { range } else { 0..text.len() } }
    }
}

/// The names of the variables that something uses, and the values of them for one record.
#[derive(Debug)]
struct Variables {
    names: Names,
    values: Vec<Jinja>,
}

/// The names of variables, sorted.
type Names = Arc<[Box<str>]>;

/// The variables of these names for one record; no other field is converted.
fn variables(names: &Names, scope: &Scope<'_>) -> Jinja {
    let values = names.iter().map(|name| scope.variable(name)).collect();
    Jinja::from_object(Variables { names: names.clone(), values })
}

impl Object for Variables {
    fn get_value(self: &Arc<Self>, key: &Jinja) -> Option<Jinja> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Jinja> {
        let place = self.names.iter().position(|name| **name == *key)?;
        Some(self.values[place].clone())
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::NonEnumerable
    }
}

fn sorted_names(names: HashSet<String>) -> Names {
    let mut names: Vec<Box<str>> = names.into_iter().map(String::into_boxed_str).collect();
    names.sort();
    names.into()
}

fn describe(error: &minijinja::Error) -> String {
    error.detail().map_or_else(|| error.kind().to_string(), str::to_owned)
}
