//! Every crate that is published can be packaged, and the compiler's package holds the templates,
//! although these live at the top level.

use super::Check;
use crate::context::{Context, Result, none_of};

pub(super) const CHECK: Check =
    Check { name: "package", what: "every crate can be packaged, with all it needs", run };

fn run(cx: &Context) -> Result {
    let list = cx.cargo_output(&["package", "--list", "--allow-dirty", "-p", "swak-makebuild"])?;
    let packed: Vec<_> = list.lines().map(|line| line.replace('\\', "/")).collect();
    let mut missing = Vec::new();
    for path in cx.files("templates", "")? {
        let file = cx.shown(&path).replace('\\', "/");
        if !packed.contains(&file) {
            missing.push(format!("{file} is not in the package of swak-makebuild"));
        }
    }
    none_of(&missing)?;
    // The code was compiled by other checks; what is asked here is whether it can be packed.
    cx.cargo(&[
        "package",
        "--workspace",
        "--exclude",
        "swak-ci",
        "--no-verify",
        "--allow-dirty",
        "--quiet",
    ])
}
