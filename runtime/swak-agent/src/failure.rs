//! Why a command did not do what it was asked, and what its exit status is.

use std::io;

use serde_json::json;
use swak_recipe::diag::{Diagnostic, Diagnostics};

use crate::Console;

/// Why a command did not do what it was asked.
#[derive(Debug)]
pub(crate) enum Failure {
    /// A mistake in what was given: status 2.
    Given(Diagnostics),
    /// A failure in what was tried: status 1.
    Tried(Diagnostics),
    /// A failure in what was tried that people were told of already: status 1.
    Reported,
    /// A second signal came; the exit status that stands for it.
    Signalled(u8),
    /// Whoever read the answer has gone, as `head` does: no failure at all.
    ClosedPipe,
}

impl Failure {
    /// A failure in what was tried.
    pub(crate) fn tried(code: &'static str, message: impl Into<String>) -> Self {
        Failure::Tried(Diagnostic::error(code, message).into())
    }

    /// Tells people, or a program, and gives the exit status.
    pub(crate) fn show(self, as_json: bool, console: &mut Console<'_>) -> u8 {
        let (found, status) = match self {
            Failure::Given(found) => (found, 2),
            Failure::Tried(found) => (found, 1),
            Failure::Reported => return 1,
            Failure::Signalled(status) => return status,
            Failure::ClosedPipe => return 0,
        };
        if as_json {
            let answer = json!({ "ok": false, "diagnostics": found.to_json() });
            // The exit status already says that it failed.
            let _ = console.print_json(&answer);
        } else {
            console.complain(&found.render(console.stderr_color));
        }
        status
    }
}

impl From<Diagnostics> for Failure {
    fn from(found: Diagnostics) -> Self {
        Failure::Given(found)
    }
}

impl From<Diagnostic> for Failure {
    fn from(one: Diagnostic) -> Self {
        Failure::Given(one.into())
    }
}

/// Only answers are written with `?`: reading says more than an [`io::Error`] does.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Failure::ClosedPipe,
            _ => Failure::tried("output-unwritable", format!("cannot write the answer: {error}")),
        }
    }
}
