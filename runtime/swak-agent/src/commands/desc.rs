//! `desc`: one plugin and its options.

use swak_recipe::diag::{Diagnostic, did_you_mean};
use swak_sdk::Plugins;
use swak_sdk::plugin::PluginEntry;

use super::Result;
use crate::Console;
use crate::cli::{DescArgs, DescFormat};
use crate::describe::{crate_of, json, markdown, text};
use crate::paint::Paint;

pub(super) fn run(args: &DescArgs, plugins: &Plugins, console: &mut Console<'_>) -> Result {
    let entries = find(&args.plugin, plugins)?;
    match args.format {
        DescFormat::Json => {
            // One name can stand for an input and an output: `Exec`.
            let mut all: Vec<_> = entries
                .iter()
                .map(|entry| json::plugin(&entry.spec, crate_of(plugins, entry)))
                .collect();
            match (all.pop(), all.is_empty()) {
                (Some(one), true) => console.print_json(&one),
                (Some(last), false) => {
                    all.push(last);
                    console.print_json(&all.into())
                }
                (None, _) => unreachable!("a name that stands for nothing is an error"),
            }
        }
        DescFormat::Markdown => {
            let all: Vec<_> = entries.iter().map(|entry| markdown::plugin(&entry.spec)).collect();
            console.print(&all.join("\n"))
        }
        DescFormat::Text => {
            let paint = Paint(console.stdout_color);
            let all: Vec<_> = entries
                .iter()
                .map(|entry| text::plugin(&entry.spec, crate_of(plugins, entry), paint))
                .collect();
            console.print(&all.join("\n"))
        }
    }
}

/// The plugins of that name: as a recipe writes it, or without the package.
fn find<'a>(name: &str, plugins: &'a Plugins) -> Result<Vec<&'a PluginEntry>> {
    let found: Vec<_> = plugins
        .iter()
        .filter(|entry| entry.spec.name == name || entry.spec.path() == name)
        .collect();
    if !found.is_empty() {
        return Ok(found);
    }
    let unknown = Diagnostic::error("unknown-plugin", format!("there is no plugin `{name}`"));
    let paths: Vec<_> = plugins.iter().map(|entry| entry.spec.path()).collect();
    let names = plugins.iter().map(|entry| entry.spec.name.as_ref());
    let near = match name.contains('.') {
        true => did_you_mean(name, paths.iter().map(String::as_str)),
        false => did_you_mean(name, names),
    };
    let unknown = match near {
        Some(near) => unknown.help(format!("did you mean `{near}`?")),
        None => unknown.help("`list` shows the plugins that it has"),
    };
    Err(unknown.into())
}
