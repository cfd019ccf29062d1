//! Runs an engine until its tasks end or a signal comes.

use std::sync::Arc;
use std::time::Duration;

use swak_engine::{Engine, Settings, StartError, Summary};
use swak_recipe::Recipe;
use swak_recipe::diag::Diagnostic;
use swak_sdk::Plugins;
use swak_sdk::plugin::Shutdown;
use tokio::runtime;

use super::Result;
use crate::failure::Failure;
use crate::signals;

/// How long to wait for threads that are still at work when everything else has ended.
const DROP_WAIT: Duration = Duration::from_millis(200);

/// Runs all tasks of the recipe. `ready` is called when a signal would stop them in good order, and
/// before they begin.
pub(super) fn to_the_end(
    recipe: Recipe,
    plugins: Plugins,
    settings: Settings,
    ready: impl FnOnce(),
) -> Result<Summary> {
    let runtime = runtime::Builder::new_multi_thread().enable_all().build().map_err(|error| {
        Failure::tried("cannot-start", format!("cannot start the threads of the agent: {error}"))
    })?;
    let ended = runtime.block_on(async {
        let (trigger, shutdown) = Shutdown::new();
        let second = signals::listen(trigger).map_err(|error| {
            Failure::tried("cannot-start", format!("cannot listen to signals: {error}"))
        })?;
        ready();
        let engine = Engine::new(recipe, Arc::new(plugins), settings);
        tokio::select! {
            ended = engine.run(shutdown) => ended.map_err(|error| cannot_start(&error)),
            status = second => Err(Failure::Signalled(status)),
        }
    });
    // Plugins are dropped, and end the processes that they started and remove their temporary files.
    // A thread that waits in a blocking read, of a terminal for example, may never come back.
    runtime.shutdown_timeout(DROP_WAIT);
    ended
}

fn cannot_start(error: &StartError) -> Failure {
    let (code, help) = match error {
        StartError::Locked { .. } => (
            "data-dir-locked",
            "stop that one, or give this one a folder of its own with --data-dir",
        ),
        StartError::Foreign { .. } => (
            "data-dir-foreign",
            "give this agent a folder of its own with --data-dir; two would undo each other's positions",
        ),
        _ => {
            ("data-dir-unusable", "name another folder with --data-dir, or make this one writable")
        }
    };
    Failure::Tried(Diagnostic::error(code, error.to_string()).help(help).into())
}
