//! The arguments of flow words.

use std::collections::HashMap;

use super::catalog::known_words;
use crate::diag::Diagnostic;
use crate::syntax::{Call, Expr};

/// Arguments by the names of their parameters.
pub(super) struct Params<'a> {
    given: HashMap<&'a str, &'a Expr>,
    /// Those by position that no parameter was left for.
    pub(super) rest: Vec<&'a Expr>,
}

impl<'a> Params<'a> {
    /// Matches arguments with parameters; too many, unknown and repeated ones are noted.
    pub(super) fn bind(call: &'a Call, names: &[&'a str], found: &mut Vec<Diagnostic>) -> Self {
        let params = Params::bind_open(call, names, names.len(), found);
        if let Some(extra) = params.rest.first() {
            let callee = &call.callee.name;
            found.push(
                Diagnostic::error(
                    "too-many-arguments",
                    format!("`{callee}` takes no more than {} values", names.len()),
                )
                .at(extra.span, "one too many")
                .help(format!("it takes: {}", names.join(", "))),
            );
        }
        params
    }

    /// As [`Params::bind`], but only the first `positional` parameters may be given by position,
    /// and any number of values may follow, which are in `rest`.
    pub(super) fn bind_open(
        call: &'a Call,
        names: &[&'a str],
        positional: usize,
        found: &mut Vec<Diagnostic>,
    ) -> Self {
        let mut params = Params { given: HashMap::new(), rest: Vec::new() };
        let mut places = names[..positional].iter();
        for arg in &call.args {
            let Some(key) = &arg.name else {
                match places.next() {
                    Some(name) => {
                        params.given.insert(name, &arg.value);
                    }
                    None => params.rest.push(&arg.value),
                }
                continue;
            };
            if !names.contains(&key.name.as_str()) {
                let callee = &call.callee.name;
                found.push(
                    Diagnostic::error(
                        "unknown-argument",
                        format!("`{callee}` has no argument `{}`", key.name),
                    )
                    .at(key.span, "")
                    .help(known_words(
                        &key.name,
                        "it takes",
                        names.iter().copied(),
                    )),
                );
            } else if let Some(first) = params.given.insert(&key.name, &arg.value) {
                found.push(
                    Diagnostic::error(
                        "repeated-argument",
                        format!("the argument `{}` is given twice", key.name),
                    )
                    .at(key.span, "again here")
                    .label(first.span, "first here")
                    .help("keep one of them"),
                );
            }
        }
        params
    }

    pub(super) fn get(&self, name: &str) -> Option<&'a Expr> {
        self.given.get(name).copied()
    }
}
