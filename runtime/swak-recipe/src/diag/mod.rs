//! Mistakes and how people are told about them.
//!
//! A [`Diagnostic`] says what is wrong, where, and what to do. [`Diagnostics`] is a list of them
//! that is never empty, so that `Err(Diagnostics)` always has something to say.

mod json;
mod render;
mod source;

use std::collections::HashSet;

pub use render::MAX_RENDERED;
pub use source::{RECIPE_LIMIT, SourceFile};
pub use swak_sdk::options::{Span, did_you_mean};

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Nothing can go on.
    Error,
    /// Worth a look; things go on.
    Warning,
}

/// A place, and what is to be said about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Label {
    /// The bytes that are underlined.
    pub span: Span,
    /// What stands beside the line; may be empty.
    pub text: String,
}

/// One mistake: what, where, why, and the way out.
#[derive(Clone, Debug, PartialEq)]
pub struct Diagnostic {
    /// Error or warning.
    pub severity: Severity,
    /// A stable name in kebab-case: `unknown-plugin`.
    pub code: &'static str,
    /// What is wrong, in lower case and without a full stop.
    pub message: String,
    /// Where; `None` when the mistake has no place, as a missing file has none.
    pub primary: Option<Label>,
    /// Other places that belong to it.
    pub secondary: Vec<Label>,
    /// What to do about it; each is a line of its own.
    pub help: Vec<String>,
    /// The text that the places are in.
    pub source: Option<SourceFile>,
}

impl Diagnostic {
    /// An error without a place yet.
    pub fn error(code: &'static str, message: impl Into<String>) -> Self {
        Diagnostic {
            severity: Severity::Error,
            code,
            message: bounded(message.into()),
            primary: None,
            secondary: Vec::new(),
            help: Vec::new(),
            source: None,
        }
    }

    /// A warning without a place yet.
    pub fn warning(code: &'static str, message: impl Into<String>) -> Self {
        Diagnostic { severity: Severity::Warning, ..Diagnostic::error(code, message) }
    }

    /// The place, with a word about it (may be empty).
    #[must_use]
    pub fn at(mut self, span: Span, text: impl Into<String>) -> Self {
        self.primary = Some(Label { span, text: text.into() });
        self
    }

    /// One more place, with a word about it.
    #[must_use]
    pub fn label(mut self, span: Span, text: impl Into<String>) -> Self {
        self.secondary.push(Label { span, text: text.into() });
        self
    }

    /// One more thing to do about it.
    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help.push(bounded(text.into()));
        self
    }

    /// The text that the places are in; one that is already known stays.
    #[must_use]
    pub fn in_source(mut self, source: &SourceFile) -> Self {
        self.source.get_or_insert_with(|| source.clone());
        self
    }

    fn file(&self) -> Option<&str> {
        self.source.as_ref().map(SourceFile::name)
    }

    fn sort_key(&self) -> (bool, Option<Span>) {
        // What has no place comes first: it is about the whole.
        (self.primary.is_some(), self.primary.as_ref().map(|l| l.span))
    }
}

/// The most that a list holds; the rest are counted. Nobody reads more, and a file that is not what
/// it should be has as many as it has words.
pub const MAX_LISTED: usize = 500;

/// Mistakes; never empty, those of one file in the order of their places.
#[derive(Clone, Debug, PartialEq)]
pub struct Diagnostics {
    list: Vec<Diagnostic>,
    /// How many were left out of the list.
    omitted: usize,
}

impl Diagnostics {
    /// The list, or `None` when there is nothing in it. At most [`MAX_LISTED`] are kept.
    pub fn from_vec(list: Vec<Diagnostic>) -> Option<Self> {
        Diagnostics::with_omitted(list, 0)
    }

    fn with_omitted(mut list: Vec<Diagnostic>, omitted: usize) -> Option<Self> {
        if list.is_empty() {
            return None;
        }
        // Stable: mistakes at one place keep the order in which they were found.
        list.sort_by(|a, b| a.file().cmp(&b.file()).then_with(|| a.sort_key().cmp(&b.sort_key())));
        // A value that is used twice is looked at twice.
        let mut told = HashSet::new();
        list.retain(|d| {
            let place = d.primary.as_ref().map(|l| l.span);
            told.insert((d.file().map(str::to_owned), place, d.code, d.message.clone()))
        });
        let surplus = list.len().saturating_sub(MAX_LISTED);
        if surplus > 0 {
            // Warnings go first: no error may be hidden behind them.
            let errors = list.iter().filter(|d| d.severity == Severity::Error).count();
            let mut room = MAX_LISTED.saturating_sub(errors);
            list.retain(|d| {
                let keep = d.severity == Severity::Error || room > 0;
                room -= usize::from(keep && d.severity == Severity::Warning);
                keep
            });
            list.truncate(MAX_LISTED);
        }
        let omitted = omitted + surplus;
        Some(Diagnostics { list, omitted })
    }

    /// `Ok(value)` when nothing was found, else the list.
    pub fn or_ok<T>(list: Vec<Diagnostic>, value: T) -> Result<T, Diagnostics> {
        match Diagnostics::from_vec(list) {
            None => Ok(value),
            Some(found) => Err(found),
        }
    }

    /// Says for each one which text its places are in, unless it knows.
    #[must_use]
    pub fn in_source(self, source: &SourceFile) -> Self {
        let list = self.list.into_iter().map(|d| d.in_source(source)).collect();
        Diagnostics::with_omitted(list, self.omitted).expect("the list was not empty before")
    }

    /// Both lists as one.
    #[must_use]
    pub fn and(mut self, other: Diagnostics) -> Self {
        self.list.extend(other.list);
        Diagnostics::with_omitted(self.list, self.omitted + other.omitted)
            .expect("neither list was empty")
    }

    /// All of them, by place.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.list.iter()
    }

    /// All of them, by place.
    pub fn into_vec(self) -> Vec<Diagnostic> {
        self.list
    }

    /// How many more there were than are listed.
    pub fn omitted(&self) -> usize {
        self.omitted
    }

    /// Whether one of them is an error.
    pub fn has_errors(&self) -> bool {
        self.list.iter().any(|d| d.severity == Severity::Error)
    }
}

/// A word of a million letters is told by its beginning.
fn bounded(mut text: String) -> String {
    const LONGEST: usize = 1000;
    if text.len() > LONGEST {
        text.truncate(text.floor_char_boundary(LONGEST));
        text.push('…');
    }
    text
}

impl From<Diagnostic> for Diagnostics {
    fn from(one: Diagnostic) -> Self {
        Diagnostics { list: vec![one], omitted: 0 }
    }
}

impl<'a> IntoIterator for &'a Diagnostics {
    type Item = &'a Diagnostic;
    type IntoIter = std::slice::Iter<'a, Diagnostic>;
    fn into_iter(self) -> Self::IntoIter {
        self.list.iter()
    }
}

impl IntoIterator for Diagnostics {
    type Item = Diagnostic;
    type IntoIter = std::vec::IntoIter<Diagnostic>;
    fn into_iter(self) -> Self::IntoIter {
        self.list.into_iter()
    }
}

/// As people read it, without colour.
impl std::fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Diagnostics {}

#[cfg(test)]
mod tests;
