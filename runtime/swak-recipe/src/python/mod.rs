//! The Python spelling: Python's call syntax and nothing more.
//!
//! Statements are `expr` and `name = expr`. An expression is a call with arguments by position and
//! by name, a string (all of Python's quotes, raw strings, adjacent ones joined), a number, `True`,
//! `False`, `None`, a list, a dict with strings as keys, or a name. Trailing commas and comments
//! are free; indentation means nothing. Whatever else Python has is told apart by name, so that a
//! person learns at once that this is no programming language and what to write instead.

mod brackets;
mod foreign;
mod lexer;
mod literals;
mod parser;
mod recover;

use crate::diag::{Diagnostic, SourceFile};
use crate::syntax::Script;

/// Reads a recipe in the Python spelling.
///
/// Always gives what could be read, and every mistake on the way (a list that is not empty does not
/// mean that nothing can be said about the rest).
pub fn parse(source: &SourceFile) -> (Script, Vec<Diagnostic>) {
    let (script, found) = parser::parse(source.text());
    (script, found.into_iter().map(|d| d.in_source(source)).collect())
}

/// Whether a word can be a name in this spelling.
pub fn is_name(word: &str) -> bool {
    let mut chars = word.chars();
    chars.next().is_some_and(lexer::begins_name) && chars.all(lexer::continues_name)
}

#[cfg(test)]
mod tests;
