//! `version`: what this agent is and what is in it.

use serde_json::json;
use swak_sdk::Plugins;

use super::Result;
use crate::cli::VersionArgs;
use crate::{About, Console};

/// The version of the runtime that the agent was built on.
const RUNTIME: &str = env!("CARGO_PKG_VERSION");

/// The target triple that the agent was built for.
const TARGET: &str = env!("SWAK_TARGET");

pub(super) fn run(
    args: &VersionArgs,
    about: &About,
    plugins: &Plugins,
    console: &mut Console<'_>,
) -> Result {
    if args.json {
        let crates: Vec<_> = plugins
            .crates()
            .iter()
            .map(|krate| json!({ "name": krate.name, "version": krate.version }))
            .collect();
        return console.print_json(&json!({
            "name": about.name,
            "version": about.version,
            "runtime": RUNTIME,
            "target": TARGET,
            "recipe": about.recipe.map(|recipe| recipe.name),
            "crates": crates,
        }));
    }
    let mut text = format!("{} {}\n", about.name, about.version);
    text.push_str(&format!("runtime  {RUNTIME}\ntarget   {TARGET}\n"));
    if let Some(recipe) = about.recipe {
        text.push_str(&format!("recipe   {}\n", recipe.name));
    }
    for krate in plugins.crates() {
        text.push_str(&format!("plugins  {} {}\n", krate.name, krate.version));
    }
    console.print(&text)
}
