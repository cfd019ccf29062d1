//! `list`: the plugins of this agent.

use serde_json::{Value, json};
use swak_sdk::Plugins;

use super::Result;
use crate::Console;
use crate::cli::ListArgs;
use crate::describe::{crate_of, json, text};
use crate::paint::Paint;

pub(super) fn run(args: &ListArgs, plugins: &Plugins, console: &mut Console<'_>) -> Result {
    if args.json {
        return console.print_json(&as_json(plugins));
    }
    if plugins.iter().next().is_none() {
        return console.print("This agent holds no plugins.\n");
    }
    let rows = plugins.iter().map(|entry| (&entry.spec, crate_of(plugins, entry)));
    let text = text::list(rows, Paint(console.stdout_color));
    console.print(&text)
}

fn as_json(plugins: &Plugins) -> Value {
    let crates: Vec<_> = plugins
        .crates()
        .iter()
        .map(|krate| json!({ "name": krate.name, "version": krate.version }))
        .collect();
    let plugins: Vec<_> =
        plugins.iter().map(|entry| json::brief(&entry.spec, crate_of(plugins, entry))).collect();
    json!({ "crates": crates, "plugins": plugins })
}
