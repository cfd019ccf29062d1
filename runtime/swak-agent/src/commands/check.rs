//! `check`: every mistake in a recipe, without running it.

use serde_json::json;
use swak_recipe::diag::Diagnostics;
use swak_sdk::Plugins;

use super::{Result, recipe};
use crate::cli::CheckArgs;
use crate::{About, Console};

pub(super) fn run(
    args: &CheckArgs,
    about: &About,
    plugins: &Plugins,
    console: &mut Console<'_>,
) -> Result {
    let config = recipe::config(&args.config)?;
    let (source, recipe) =
        recipe::checked(args.recipe.as_deref(), &config, about, plugins, console)?;
    let names: Vec<_> = recipe.tasks.iter().map(|task| task.name.as_str()).collect();
    let warnings = Diagnostics::from_vec(recipe.warnings);
    if args.json {
        let warnings = warnings.map_or_else(|| json!([]), |warnings| warnings.to_json());
        return console.print_json(&json!({
            "ok": true,
            "recipe": source.name(),
            "tasks": names,
            "diagnostics": warnings,
        }));
    }
    if let Some(warnings) = warnings {
        let text = warnings.render(console.stderr_color);
        console.complain(&text);
    }
    let tasks = match names.len() {
        1 => "1 task".to_owned(),
        n => format!("{n} tasks"),
    };
    console.print(&format!("{}: no mistakes; {tasks}: {}\n", source.name(), names.join(", ")))
}
