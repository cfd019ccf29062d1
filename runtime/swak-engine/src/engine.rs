//! All tasks of a recipe, side by side.

use std::fs::{self, File, TryLockError};
use std::path::PathBuf;
use std::sync::Arc;

use swak_recipe::model::Recipe;
use swak_sdk::plugin::{Plugins, Shutdown};
use tokio::task::JoinSet;

use crate::assemble::Book;
use crate::links::Links;
use crate::settings::Settings;
use crate::store::FileStore;
use crate::summary::{Ended, Summary, TaskSummary};
use crate::supervise::Supervisor;

/// Runs the tasks of a recipe side by side.
pub struct Engine {
    recipe: Recipe,
    plugins: Arc<Plugins>,
    settings: Settings,
}

/// Why nothing could be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The data folder cannot be made or written to.
    #[error("cannot use the data folder {}: {source}", folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Another agent runs in it.
    #[error("the data folder {} is used by another running agent", folder.display())]
    Locked {
        /// The folder.
        folder: PathBuf,
    },
}

impl Engine {
    /// An engine for a checked recipe. The plugins must be those it was checked against.
    pub fn new(recipe: Recipe, plugins: Arc<Plugins>, settings: Settings) -> Self {
        Engine { recipe, plugins, settings }
    }

    /// Runs until all tasks have ended, or `shutdown` is triggered and they have stopped.
    ///
    /// # Errors
    /// When nothing was started. What goes wrong in a task is in the summary and the log.
    pub async fn run(self, shutdown: Shutdown) -> Result<Summary, StartError> {
        let lock = lock_folder(&self.settings.data_dir)?;
        let links = Links::new(&self.recipe, self.settings.queue);
        let mut tasks = JoinSet::new();
        for (i, task) in self.recipe.tasks.into_iter().enumerate() {
            let folder = self.settings.task_folder(&task.name);
            let store = FileStore::open(folder.join("checkpoints.json"))
                .map_err(|source| StartError::Folder { folder, source })?;
            let supervisor = Supervisor {
                book: Book::new(&task, &self.settings),
                task,
                plugins: Arc::clone(&self.plugins),
                settings: self.settings.clone(),
                store,
                restarts: 0,
            };
            let (links, shutdown) = (links.of_task(&supervisor.task), shutdown.clone());
            tasks.spawn(async move { (i, supervisor.supervise(links, shutdown).await) });
        }
        // From now on only the tasks hold senders; with the last one the receiver ends.
        drop(links);
        let mut summaries = Vec::new();
        while let Some(ended) = tasks.join_next().await {
            summaries.push(ended.expect("a supervisor catches what its task does"));
        }
        drop(lock);
        summaries.sort_by_key(|(i, _)| *i);
        Ok(Summary { tasks: summaries.into_iter().map(|(_, summary)| summary).collect() })
    }
}

impl Summary {
    /// The tasks that failed for good.
    pub fn failed(&self) -> impl Iterator<Item = &TaskSummary> {
        self.tasks.iter().filter(|task| matches!(task.ended, Ended::Failed(_)))
    }
}

/// Two agents that share positions would each undo what the other has stored.
fn lock_folder(folder: &PathBuf) -> Result<File, StartError> {
    let failed = |source| StartError::Folder { folder: folder.clone(), source };
    fs::create_dir_all(folder).map_err(failed)?;
    let lock = File::create(folder.join("lock")).map_err(failed)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(StartError::Locked { folder: folder.clone() }),
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}
