//! `torture`: a recipe against faults.

use swak_recipe::ProcessEnvironment;
use swak_sdk::Plugins;

use super::{Result, recipe};
use crate::cli::TortureArgs;
use crate::torture::{self, Given};
use crate::{About, Console};

pub(super) fn run(
    args: &TortureArgs,
    about: &About,
    plugins: &Plugins,
    console: &mut Console<'_>,
) -> Result {
    let config = recipe::config(&args.config)?;
    let (source, _) = recipe::checked(args.recipe.as_deref(), &config, about, plugins, console)?;
    let mut environment = ProcessEnvironment::new();
    if let Some(values) = &config.values {
        environment = environment.with_settings(values);
    }
    let given = Given {
        args,
        recipe: &source,
        spelling: recipe::spelling(&source),
        environment: &environment,
        plugins,
        about,
    };
    torture::run(&given, console)
}
