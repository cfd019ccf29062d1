//! Code is formatted by rustfmt.

use super::Check;
use crate::context::{Context, Result};

pub(super) const CHECK: Check =
    Check { name: "fmt", what: "code is formatted (--fix formats it)", run };

fn run(cx: &Context) -> Result {
    match cx.fix {
        true => cx.cargo(&["fmt", "--all"]),
        false => cx.cargo(&["fmt", "--all", "--check"]),
    }
}
