//! The documentation builds, and every link in it leads somewhere.

use super::Check;
use crate::context::{Context, Result};

pub(super) const CHECK: Check =
    Check { name: "doc", what: "the documentation builds without a warning", run };

fn run(cx: &Context) -> Result {
    let mut command = cx.command("cargo", &["doc", "--workspace", "--no-deps"]);
    command.env("RUSTDOCFLAGS", "-D warnings");
    cx.run(command)
}
