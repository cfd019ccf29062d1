//! What a target takes, and what is told when it is not there.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use serde::Serialize;
use swak_recipe::diag::Diagnostic;

use super::process;
use crate::target::Triple;

/// One thing that building for a target takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Need {
    /// What: `zig`.
    pub what: String,
    /// What it is there for.
    pub why: String,
    /// The version or the place of what is there; `None` when it is missing.
    pub found: Option<String>,
    /// What brings it, when it is missing.
    pub fix: Option<Fix>,
    /// Whether a build does without it.
    pub optional: bool,
}

/// What brings something that is missing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fix {
    /// To be typed, or read when there is no command.
    pub text: String,
    /// What `doctor --fix` runs, in this order.
    #[serde(skip)]
    pub commands: Vec<(PathBuf, Vec<OsString>)>,
}

/// Why nothing is built for a target: a tool is missing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{triple} cannot be built here: {} missing", .missing.iter().map(|n| n.what.as_str()).collect::<Vec<_>>().join(", "))]
pub struct MissingTools {
    /// The target.
    pub triple: Triple,
    /// All that is missing; not empty.
    pub missing: Vec<Need>,
}

impl Need {
    pub(super) fn new(what: impl Into<String>, why: impl Into<String>) -> Self {
        Need { what: what.into(), why: why.into(), found: None, fix: None, optional: false }
    }

    pub(super) fn found(mut self, found: Option<String>) -> Self {
        self.found = found;
        self
    }

    /// What brings it, if it is missing.
    pub(super) fn or(mut self, fix: Fix) -> Self {
        self.fix = self.found.is_none().then_some(fix);
        self
    }

    pub(super) fn optional(mut self) -> Self {
        self.optional = true;
        self
    }

    /// Whether a build fails for want of it.
    pub fn is_missing(&self) -> bool {
        self.found.is_none() && !self.optional
    }
}

impl Fix {
    /// A person has to do it.
    pub(super) fn words(text: impl Into<String>) -> Self {
        Fix { text: text.into(), commands: Vec::new() }
    }

    pub(super) fn command(program: &Path, arguments: Vec<OsString>) -> Self {
        Fix::commands(vec![(program.to_owned(), arguments)])
    }

    pub(super) fn commands(commands: Vec<(PathBuf, Vec<OsString>)>) -> Self {
        let shown = commands.iter().map(|(program, words)| {
            // What the path leads to is typed by its name.
            let name = Path::new(program.file_name().unwrap_or(program.as_os_str()));
            let by_name = program.parent().is_some_and(|folder| {
                std::env::var_os("PATH")
                    .is_some_and(|path| std::env::split_paths(&path).any(|p| p == folder))
            });
            process::shown(if by_name { name } else { program }, words)
        });
        Fix { text: shown.collect::<Vec<_>>().join(" && "), commands }
    }
}

impl MissingTools {
    /// Its stable code.
    pub fn code(&self) -> &'static str {
        "toolchain-missing"
    }

    /// In the words that people are told.
    pub fn diagnostic(&self) -> Diagnostic {
        let mut message = self.to_string();
        let mut fixes: Vec<&Fix> = Vec::new();
        for need in &self.missing {
            message.push_str(&format!("\n{}: {}", need.what, need.why));
            // One command may bring several things.
            fixes.extend(need.fix.as_ref().filter(|fix| !fixes.contains(fix)));
        }
        let mut error = Diagnostic::error(self.code(), message);
        for fix in &fixes {
            error = error.help(&fix.text);
        }
        let by_itself = fixes.iter().any(|fix| !fix.commands.is_empty());
        let doctor = format!("swak-makebuild doctor --target {}", self.triple);
        error.help(if by_itself {
            format!("`{doctor} --fix` runs what can be run")
        } else {
            format!("`{doctor}` looks again")
        })
    }
}
