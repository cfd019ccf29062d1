//! `docs/reference` says of every plugin what its source says.

use super::Check;
use crate::context::{Context, Result, none_of};
use crate::manifest::packages;

pub(super) const CHECK: Check =
    Check { name: "reference", what: "docs/reference is up to date (--fix writes it)", run };

fn run(cx: &Context) -> Result {
    let mut args = vec!["run", "--quiet", "--package", "swak-ci", "--example", "reference", "--"];
    args.extend(["reference", "--out", "docs/reference"]);
    if !cx.fix {
        args.push("--check");
    }
    cx.cargo(&args)
        .map_err(|failed| format!("{failed}\n  `cargo ci reference --fix` brings it up to date"))?;
    // The example names the plugin crates one by one; none of them may be forgotten there.
    let missing: Vec<_> = packages(cx)?
        .iter()
        .filter(|package| package.name.starts_with("swak-plugin-"))
        .filter(|package| !cx.root.join(format!("docs/reference/{}.md", package.name)).exists())
        .map(|package| format!("`{}` is missing in ci/examples/reference.rs", package.name))
        .collect();
    none_of(&missing)
}
