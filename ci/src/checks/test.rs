//! All tests of the workspace: those in documentation first, so that the others' count comes last.

use super::{Check, setup};
use crate::context::{Context, Result};

pub(super) const CHECK: Check = Check { name: "test", what: "all tests pass", run };

fn run(cx: &Context) -> Result {
    cx.cargo(&["test", "--workspace", "--doc", "--quiet"])?;
    match setup::has_nextest(cx) {
        true => cx.cargo(&["nextest", "run", "--workspace", "--no-fail-fast"]),
        false => cx.cargo(&["test", "--workspace", "--all-targets", "--no-fail-fast"]),
    }
}
