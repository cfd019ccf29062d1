//! One task over its life: run, fail, wait, run again.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use swak_recipe::model::Task;
use swak_sdk::Error;
use swak_sdk::plugin::{Plugins, Shutdown, ShutdownTrigger, Stopped};
use tokio::sync::watch;
use tokio::task::{Id, JoinError, JoinHandle, JoinSet};
use tokio::time::{interval, sleep, timeout, timeout_at};

use crate::assemble::{Assembler, Assembly, Book};
use crate::links::TaskLinks;
use crate::settings::{RestartPolicy, Settings};
use crate::step::{Failure, StepInfo};
use crate::store::FileStore;
use crate::summary::{Ended, TaskSummary};

/// A task with what outlives its runs.
pub(crate) struct Supervisor {
    pub(crate) task: Task,
    pub(crate) plugins: Arc<Plugins>,
    pub(crate) settings: Settings,
    pub(crate) store: FileStore,
    pub(crate) book: Book,
    pub(crate) restarts: u64,
}

/// A run of this length shows that the task can work: the next wait is the shortest again.
const LONG_RUN: Duration = Duration::from_secs(60);

/// How often positions are made durable while a task runs.
const FLUSH_EVERY: Duration = Duration::from_secs(1);

const UNDELIVERED: &str = "a batch could not be delivered and is read again";

/// How long the input of a failed task is given to notice.
const INPUT_GRACE: Duration = Duration::from_secs(5);

impl Supervisor {
    /// Runs the task until it has ended for good. `links` are let go with the last run, so that the
    /// tasks that receive from this one end too.
    pub(crate) async fn supervise(
        mut self,
        links: TaskLinks,
        mut shutdown: Shutdown,
    ) -> TaskSummary {
        let ended = loop {
            let began = Instant::now();
            let ended = self.run(&links, shutdown.clone()).await;
            if shutdown.is_triggered() {
                // One that would have started again did not finish: it was stopped.
                let again = self.task.restart_after.is_some();
                break if again && ended == Ended::Finished { Ended::Stopped } else { ended };
            }
            let wait = match &ended {
                Ended::Finished => match self.task.restart_after {
                    Some(wait) => wait,
                    None => break ended,
                },
                Ended::Failed(reason) => {
                    let task = &*self.task.name;
                    let RestartPolicy::Backoff(backoff) = &mut self.settings.restart else {
                        tracing::error!(task, "{reason}");
                        break ended;
                    };
                    if began.elapsed() >= LONG_RUN {
                        backoff.reset();
                    }
                    let wait = backoff.wait();
                    tracing::error!(task, "{reason}; the task starts again in {wait:.1?}");
                    self.restarts += 1;
                    wait
                }
                Ended::Stopped | Ended::Interrupted => break ended,
            };
            tokio::select! {
                () = sleep(wait) => {}
                () = shutdown.triggered() => break Ended::Stopped,
            }
        };
        TaskSummary {
            name: self.task.name.clone(),
            ended,
            restarts: self.restarts,
            steps: self.book.summary(),
        }
    }

    async fn run(&self, links: &TaskLinks, shutdown: Shutdown) -> Ended {
        let assembler = Assembler {
            task: &self.task,
            plugins: &self.plugins,
            settings: &self.settings,
            links,
            book: &self.book,
            parts: Vec::new(),
            dead_letters: None,
        };
        let ended = match assembler.assemble(Box::new(self.store.clone())) {
            Ok(assembly) => Run::start(assembly).until_ended(self, shutdown).await,
            Err(failure) => Ended::Failed(failure.to_string()),
        };
        self.flush().await;
        ended
    }

    async fn flush(&self) {
        let store = self.store.clone();
        let flushed = tokio::task::spawn_blocking(move || store.flush()).await;
        let problem = match flushed {
            Ok(Ok(())) => return,
            Ok(Err(error)) => error.to_string(),
            Err(error) => error.to_string(),
        };
        tracing::error!(task = &*self.task.name, "cannot write the positions: {problem}");
    }
}

/// A task that is running.
struct Run {
    input: JoinHandle<Result<(), Error>>,
    input_step: StepInfo,
    parts: JoinSet<Result<(), Failure>>,
    /// The step of each part, to name it when it panics.
    steps: HashMap<Id, StepInfo>,
    failed_delivery: watch::Receiver<bool>,
    stop: ShutdownTrigger,
}

impl Run {
    fn start(assembly: Assembly) -> Self {
        let (stop, shutdown) = Shutdown::new();
        let failed_delivery = assembly.checkpoints.failed();
        let input = tokio::spawn(assembly.input.run(assembly.emitter, shutdown));
        let (mut parts, mut steps) = (JoinSet::new(), HashMap::new());
        for part in assembly.parts {
            steps.insert(parts.spawn(part.run).id(), part.step);
        }
        Run { input, input_step: assembly.input_step, parts, steps, failed_delivery, stop }
    }

    /// Waits until all parts have ended, and stops them when it is time.
    async fn until_ended(mut self, of: &Supervisor, mut shutdown: Shutdown) -> Ended {
        let mut flush = interval(FLUSH_EVERY);
        let mut stop_at = None;
        let mut input_result = None;
        let failure = loop {
            if input_result.is_some() && self.parts.is_empty() {
                break None;
            }
            tokio::select! {
                result = &mut self.input, if input_result.is_none() => {
                    // What was emitted before a failure is still delivered: the parts end by
                    // themselves, since nothing more can come.
                    input_result = Some(self.input_outcome(result));
                }
                Some(part) = self.parts.join_next() => {
                    if let Err(failure) = self.part_outcome(part) {
                        break Some(self.cause(failure).await);
                    }
                }
                _ = flush.tick() => of.flush().await,
                () = becomes_true(&mut self.failed_delivery), if stop_at.is_none() => {
                    break Some(UNDELIVERED.to_owned());
                }
                () = shutdown.triggered(), if stop_at.is_none() => {
                    self.stop.trigger();
                    stop_at = Some(tokio::time::Instant::now() + of.settings.shutdown_limit);
                }
                () = deadline(stop_at) => {
                    self.end(input_result.is_none()).await;
                    return Ended::Interrupted;
                }
            }
        };
        match failure {
            Some(reason) => {
                self.end(input_result.is_none()).await;
                Ended::Failed(reason)
            }
            None => match input_result {
                Some(Err(reason)) => Ended::Failed(reason),
                _ if *self.failed_delivery.borrow() => Ended::Failed(UNDELIVERED.to_owned()),
                _ if stop_at.is_some() => Ended::Stopped,
                _ => Ended::Finished,
            },
        }
    }

    fn input_outcome(&self, result: Result<Result<(), Error>, JoinError>) -> Result<(), String> {
        match result {
            Ok(Ok(())) => Ok(()),
            // The parts after the input are gone; they say why.
            Ok(Err(error)) if error.is::<Stopped>() => Ok(()),
            Ok(Err(error)) => Err(self.input_step.failed(error).to_string()),
            Err(error) => Err(joined(&self.input_step, error).to_string()),
        }
    }

    fn part_outcome(&self, part: Result<Result<(), Failure>, JoinError>) -> Result<(), Failure> {
        part.unwrap_or_else(|error| {
            let step = self.steps.get(&error.id()).unwrap_or(&self.input_step);
            Err(joined(step, error))
        })
    }

    /// A part that ended because a later one is gone is not the cause: that one is among the parts
    /// that have ended or are about to.
    async fn cause(&mut self, first: Failure) -> String {
        if !matches!(first, Failure::Gone) {
            return first.to_string();
        }
        let look = async {
            while let Some(part) = self.parts.join_next().await {
                match self.part_outcome(part) {
                    Ok(()) | Err(Failure::Gone) => {}
                    Err(failure) => return Some(failure.to_string()),
                }
            }
            None
        };
        let found = timeout(Duration::from_secs(1), look).await.ok().flatten();
        found.unwrap_or_else(|| first.to_string())
    }

    /// Ends what still runs. The acks that the parts hold are dropped with them, and so are errors.
    async fn end(mut self, input_runs: bool) {
        self.stop.trigger();
        self.parts.shutdown().await;
        // A thread cannot be ended from outside. It is waited for, so that the next run does not
        // read beside it; its next emit fails, since the parts are gone.
        if input_runs && timeout(INPUT_GRACE, &mut self.input).await.is_err() {
            let (task, step) = (&*self.input_step.task, &*self.input_step.label);
            tracing::warn!(task, step, "does not stop, and is left alone");
            self.input.abort();
        }
    }
}

async fn becomes_true(flag: &mut watch::Receiver<bool>) {
    if flag.wait_for(|value| *value).await.is_err() {
        // Nobody is left who could set it.
        std::future::pending::<()>().await;
    }
}

async fn deadline(at: Option<tokio::time::Instant>) {
    match at {
        Some(at) => {
            // Always times out.
            let _ = timeout_at(at, std::future::pending::<()>()).await;
        }
        None => std::future::pending().await,
    }
}

fn joined(step: &StepInfo, error: JoinError) -> Failure {
    match error.try_into_panic() {
        Ok(panic) => step.panicked(&*panic),
        Err(error) => step.failed(error.into()),
    }
}
