//! No warnings, at the level that the workspace sets.

use super::Check;
use crate::context::{Context, Result};

pub(super) const CHECK: Check =
    Check { name: "clippy", what: "no lint warns (--fix applies what it suggests)", run };

fn run(cx: &Context) -> Result {
    let mut args = vec!["clippy", "--workspace", "--all-targets", "--quiet"];
    if cx.fix {
        args.extend(["--fix", "--allow-dirty", "--allow-staged"]);
    }
    args.extend(["--", "-D", "warnings"]);
    cx.cargo(&args)
}
