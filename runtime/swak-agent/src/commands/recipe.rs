//! Reads and checks the recipe that a command works on.

use std::path::Path;

use swak_recipe::diag::{Diagnostics, SourceFile};
use swak_recipe::{ProcessEnvironment, Recipe, Spelling, check_as};
use swak_sdk::Plugins;

use super::Result;
use crate::cli::ConfigArgs;
use crate::config::Config;
use crate::source::{self, STDIN};
use crate::{About, Console};

/// Reads the config file, if one is named.
pub(super) fn config(args: &ConfigArgs) -> Result<Config> {
    Ok(args.config.as_deref().map(Config::read).transpose()?.unwrap_or_default())
}

/// Reads the recipe and finds every mistake in it.
pub(super) fn checked(
    named: Option<&Path>,
    config: &Config,
    about: &About,
    plugins: &Plugins,
    console: &mut Console<'_>,
) -> Result<(SourceFile, Recipe)> {
    let source = source::recipe(named, about, console)?;
    let mut environment = ProcessEnvironment::new();
    if let Some(values) = &config.values {
        environment = environment.with_settings(values);
    }
    let recipe = check_as(&source, spelling(&source), plugins, &environment)?;
    Ok((source, recipe))
}

/// As [`checked`]; shows what is worth a look.
pub(super) fn checked_aloud(
    named: Option<&Path>,
    config: &Config,
    about: &About,
    plugins: &Plugins,
    console: &mut Console<'_>,
) -> Result<Recipe> {
    let (_, recipe) = checked(named, config, about, plugins, console)?;
    if let Some(warnings) = Diagnostics::from_vec(recipe.warnings.clone()) {
        let text = warnings.render(console.stderr_color);
        console.complain(&text);
    }
    Ok(recipe)
}

/// How a recipe is written: by the end of its name, or by its look when it has none.
pub(super) fn spelling(source: &SourceFile) -> Spelling {
    match source.name() {
        STDIN => Spelling::guess(source.text()),
        name => Spelling::of(name),
    }
}
