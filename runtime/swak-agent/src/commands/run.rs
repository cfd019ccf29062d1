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
    let folder = data_dir::chosen(args.data_dir.as_ref(), config.data_dir, about)?;
    let mut settings = Settings::new(folder);
    settings.agent = Some(about.name.to_owned());
    if let Some(limit) = args.settings.shutdown_timeout.or(config.shutdown_timeout) {
        settings.shutdown_limit = limit;
    }
    let (tasks, data_dir) = (recipe.tasks.len(), settings.data_dir.clone());
    let ready = || {
        let (name, version, data_dir) = (about.name, about.version, data_dir.display());
        tracing::info!(version, tasks, %data_dir, "{name} starts");
    };
    match summary::log(&running::to_the_end(recipe, plugins, settings, ready)?) {
        true => Err(Failure::Reported),
        false => Ok(()),
    }
}
