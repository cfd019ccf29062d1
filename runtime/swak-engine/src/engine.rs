//! All tasks of a recipe, side by side.

use std::sync::Arc;
use std::time::Duration;

use swak_recipe::model::{Recipe, Task};
use swak_sdk::data::Name;
use swak_sdk::plugin::{Plugins, Shutdown};
use tokio::sync::{Notify, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};

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
        let store_soon = Arc::<Notify>::default();
        let stores = self.open_stores(&store_soon)?;
        for (task, store) in self.recipe.tasks.iter().zip(&*stores.0) {
            // What it waits for may be held by those that it sends to.
            for receiver in links.receivers_of(task) {
                let receiver = self.recipe.tasks.iter().position(|task| task.name == receiver);
                let pressure = receiver.map(|i| stores.0[i].ledger().pressure().clone());
                pressure.into_iter().for_each(|pressure| store.ledger().pressure().reach(pressure));
            }
        }
        let mut supervisors = Vec::new();
        for ((i, task), store) in self.recipe.tasks.into_iter().enumerate().zip(&*stores.0) {
            let supervisor = Supervisor {
                book: Book::new(&task, &self.settings),
                task,
                plugins: Arc::clone(&self.plugins),
                settings: self.settings.clone(),
                store: store.clone(),
                restarts: 0,
                resumes: false,
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
        let (stop_storing, stopped) = oneshot::channel::<()>();
        let storing = tokio::spawn(stores.keep(store_soon, stopped));
        let mut summaries = Vec::new();
        while let Some(ended) = tasks.join_next().await {
            summaries.push(ended.expect("a supervisor catches what its task does"));
        }
        // Only now is the last ack in: a task may have ended before those that receive its links.
        drop(stop_storing);
        if timeout(self.settings.shutdown_limit, storing).await.is_err() {
            let folder = self.settings.data_dir.display();
            tracing::error!("the positions could not be stored in time in {folder}");
        }
        drop(lock);
        summaries.sort_by_key(|(i, _)| *i);
        Ok(Summary { tasks: summaries.into_iter().map(|(_, summary)| summary).collect() })
    }

    /// The positions of each task, in the order of the recipe.
    fn open_stores(&self, store_soon: &Arc<Notify>) -> Result<Stores, StartError> {
        let open = |task: &Task| {
            let folder = self.settings.task_folder(&task.name);
            let unacked = task.unacked.unwrap_or(self.settings.unacked);
            let input = Name::from(Book::new(task, &self.settings).input().label.as_ref());
            FileStore::open(&task.name, folder.clone(), unacked, &input, Arc::clone(store_soon))
                .map_err(|source| StartError::Folder { folder, source })
        };
        Ok(Stores(self.recipe.tasks.iter().map(open).collect::<Result<_, _>>()?))
    }
}

/// How often positions are made durable while tasks run, at the least.
const STORE_EVERY: Duration = Duration::from_secs(1);

/// A slow disk is given this many times as much rest as it takes to write to it.
const REST: u32 = 20;

/// The positions of all tasks.
struct Stores(Arc<[FileStore]>);

impl Stores {
    /// Makes them durable again and again, and a last time when it is stopped.
    async fn keep(self, store_soon: Arc<Notify>, mut stopped: oneshot::Receiver<()>) {
        let writer = Writer::start(Arc::clone(&self.0));
        let mut due = Instant::now() + STORE_EVERY;
        loop {
            let (is_last, with_failing) = tokio::select! {
                biased;
                // Nobody ever sends: that the other end is gone says it all.
                _ = &mut stopped => (true, true),
                () = sleep_until(due) => (false, true),
                // A disk that refuses is not asked more often for that.
                () = store_soon.notified() => (false, false),
            };
            let begun = Instant::now();
            // An agent with nothing to do wakes no thread to find that out.
            let is_any_due = is_last || self.0.iter().any(FileStore::is_behind);
            let asked_all = !is_any_due || writer.flush(with_failing).await;
            if is_last {
                return;
            }
            if asked_all {
                due = Instant::now() + STORE_EVERY.max(begun.elapsed() * REST);
            }
        }
    }
}

/// Makes positions durable in a thread that may block: always the same one, as each keeps the memory that it
/// takes to write down those of many files.
struct Writer(std::sync::mpsc::Sender<Job>);

/// Whether those are to be made durable that failed the last time, and who hears whether all were tried.
type Job = (bool, oneshot::Sender<bool>);

impl Writer {
    /// The thread ends with this.
    fn start(stores: Arc<[FileStore]>) -> Self {
        let (sender, jobs) = std::sync::mpsc::channel::<Job>();
        tokio::task::spawn_blocking(move || {
            for (with_failing, done) in jobs {
                // Nobody waits for it when the agent is ended at once.
                let _ = done.send(flush(&stores, with_failing));
            }
        });
        Writer(sender)
    }

    /// Makes them durable: all of them, or those that did not fail the last time. Whether that were all.
    async fn flush(&self, with_failing: bool) -> bool {
        let (done, when_done) = oneshot::channel();
        // The thread is lost only with the runtime itself.
        let _ = self.0.send((with_failing, done));
        when_done.await.unwrap_or(true)
    }
}

fn flush(stores: &[FileStore], with_failing: bool) -> bool {
    let mut asked_all = true;
    for store in stores {
        if with_failing || !store.is_failing() {
            // One that fails tells by itself, and is tried again.
            let _ = store.flush();
        } else {
            asked_all = false;
        }
    }
    asked_all
}

impl Summary {
    /// The tasks that failed for good.
    pub fn failed(&self) -> impl Iterator<Item = &TaskSummary> {
        self.tasks.iter().filter(|task| matches!(task.ended, Ended::Failed(_)))
    }
}
