//! `run`: all tasks of a recipe, until they end or the agent is stopped.

use swak_engine::Settings;
use swak_sdk::Plugins;

use super::{Result, recipe, running, summary};
use crate::cli::{LogArgs, RunArgs};
use crate::failure::Failure;
use crate::{About, Console, data_dir, logging};

pub(super) fn run(
    args: &RunArgs,
    log: &LogArgs,
    about: &About,
    plugins: Plugins,
    console: &mut Console<'_>,
) -> Result {
    let config = recipe::config(&args.settings.config)?;
    logging::start(log, &config.log, console.stderr_color)?;
    let recipe = recipe::checked_aloud(args.recipe.as_deref(), &config, about, &plugins, console)?;
    let folder = match args.data_dir.clone().or(config.data_dir) {
        Some(folder) => folder,
        None => data_dir::default(about.name)?,
    };
    let mut settings = Settings::new(folder);
    if let Some(limit) = args.settings.shutdown_timeout.or(config.shutdown_timeout) {
        settings.shutdown_limit = limit;
    }
    tracing::info!(
        version = about.version,
        tasks = recipe.tasks.len(),
        data_dir = %settings.data_dir.display(),
        "{} starts",
        about.name
    );
    match summary::log(&running::to_the_end(recipe, plugins, settings)?) {
        true => Err(Failure::Reported),
        false => Ok(()),
    }
}
