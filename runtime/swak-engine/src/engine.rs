//! All tasks of a recipe, side by side.

use std::sync::Arc;
use std::time::Duration;

use swak_recipe::model::{Recipe, Task};
use swak_sdk::data::Name;
use swak_sdk::plugin::{Plugins, Shutdown};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use crate::assemble::Book;
use crate::folder::{self, StartError};
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
        let lock = folder::claim(&self.settings.data_dir, self.settings.agent.as_deref())?;
        let links = Links::new(&self.recipe, self.settings.queue);
        let stores = self.open_stores()?;
        let mut supervisors = Vec::new();
        for ((i, task), store) in self.recipe.tasks.into_iter().enumerate().zip(&stores) {
            let supervisor = Supervisor {
                book: Book::new(&task, &self.settings),
                task,
                plugins: Arc::clone(&self.plugins),
                settings: self.settings.clone(),
                store: store.clone(),
                restarts: 0,
                failed_delivery: watch::channel(false).1,
            };
            supervisors.push((i, links.of_task(&supervisor.task), supervisor));
        }
        let mut tasks = JoinSet::new();
        for (i, links, supervisor) in supervisors {
            let shutdown = shutdown.clone();
            tasks.spawn(async move { (i, supervisor.supervise(links, shutdown).await) });
        }
        // From now on only the tasks hold senders; with the last one the receiver ends.
        drop(links);
        let mut summaries = Vec::new();
        let mut flush = interval(FLUSH_EVERY);
        flush.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let stores = Stores(stores.into());
        loop {
            tokio::select! {
                ended = tasks.join_next() => match ended {
                    Some(ended) => {
                        summaries.push(ended.expect("a supervisor catches what its task does"));
                    }
                    None => break,
                },
                _ = flush.tick() => stores.flush().await,
            }
        }
        // Only now is the last ack in: a task may have ended before those that receive its links.
        stores.flush().await;
        drop(lock);
        summaries.sort_by_key(|(i, _)| *i);
        Ok(Summary { tasks: summaries.into_iter().map(|(_, summary)| summary).collect() })
    }

    /// The positions of each task, in the order of the recipe.
    fn open_stores(&self) -> Result<Vec<FileStore>, StartError> {
        let open = |task: &Task| {
            let folder = self.settings.task_folder(&task.name);
            let unacked = task.unacked.unwrap_or(self.settings.unacked);
            let input = Name::from(Book::new(task, &self.settings).input().label.as_ref());
            FileStore::open(&task.name, folder.clone(), unacked, &input)
                .map_err(|source| StartError::Folder { folder, source })
        };
        self.recipe.tasks.iter().map(open).collect()
    }
}

/// How often positions are made durable while tasks run.
const FLUSH_EVERY: Duration = Duration::from_secs(1);

/// The positions of all tasks.
struct Stores(Arc<[FileStore]>);

impl Stores {
    /// Makes them durable, in a thread that may block.
    async fn flush(&self) {
        let stores = Arc::clone(&self.0);
        let flush = move || {
            for store in &*stores {
                // It tells by itself, and tries again the next time.
                let _ = store.flush();
            }
        };
        // The thread is lost only with the runtime itself.
        let _ = tokio::task::spawn_blocking(flush).await;
    }
}

impl Summary {
    /// The tasks that failed for good.
    pub fn failed(&self) -> impl Iterator<Item = &TaskSummary> {
        self.tasks.iter().filter(|task| matches!(task.ended, Ended::Failed(_)))
    }
}
