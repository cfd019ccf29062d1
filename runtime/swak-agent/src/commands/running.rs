//! Runs an engine until its tasks end or a signal comes.

use std::sync::Arc;

use swak_engine::{Engine, Settings, Summary};
use swak_recipe::Recipe;
use swak_recipe::diag::Diagnostic;
use swak_sdk::Plugins;
use swak_sdk::plugin::Shutdown;
use tokio::runtime;

use super::Result;
use crate::failure::Failure;
use crate::signals;

/// Runs all tasks of the recipe.
pub(super) fn to_the_end(recipe: Recipe, plugins: Plugins, settings: Settings) -> Result<Summary> {
    let runtime = runtime::Builder::new_multi_thread().enable_all().build().map_err(|error| {
        Failure::tried("cannot-start", format!("cannot start the threads of the agent: {error}"))
    })?;
    let ended = runtime.block_on(async {
        let (trigger, shutdown) = Shutdown::new();
        signals::listen(trigger).map_err(|error| {
            Failure::tried("cannot-start", format!("cannot listen to signals: {error}"))
        })?;
        Engine::new(recipe, Arc::new(plugins), settings).run(shutdown).await.map_err(|error| {
            let found = Diagnostic::error("cannot-start", error.to_string());
            Failure::Tried(found.help("name another folder with --data-dir").into())
        })
    });
    // A thread that waits in a blocking read, of a terminal for example, may never come back.
    runtime.shutdown_background();
    ended
}
