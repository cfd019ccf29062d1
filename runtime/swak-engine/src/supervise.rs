//! One task over its life: run, fail, wait, run again.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use swak_recipe::model::{Step, Task};
use swak_sdk::Error;
use swak_sdk::plugin::{Checkpoints, Plugins, Shutdown, ShutdownTrigger, Stopped};
use tokio::sync::watch;
use tokio::task::{Id, JoinError, JoinHandle, JoinSet};
use tokio::time::{Sleep, sleep, timeout};

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
    /// Whether the next run goes on with what the one before it has not finished.
    pub(crate) resumes: bool,
    /// Whether the last run has emitted a batch that could not be delivered.
    pub(crate) failed_delivery: watch::Receiver<bool>,
}

/// A run of this length shows that the task can work: the next wait is the shortest again.
const LONG_RUN: Duration = Duration::from_secs(60);

/// How long to look for the part that failed, when others were first to notice.
const CAUSE_WAIT: Duration = Duration::from_millis(200);

/// How long the input of a failed task is given to notice.
const INPUT_GRACE: Duration = Duration::from_secs(5);

impl Supervisor {
    /// Runs the task until it has ended for good. `links` are let go with the last run, so that the
    /// tasks that receive from this one end too.
    pub(crate) async fn supervise(
        mut self,
        mut links: TaskLinks,
        mut shutdown: Shutdown,
    ) -> TaskSummary {
        let ended = loop {
            let began = Instant::now();
            links.begin();
            let mut result = self.run(&mut links, shutdown.clone()).await;
            links.end();
            if matches!(result, Ok(Ended::Finished)) {
                // Those that receive from it may still fail.
                tokio::select! {
                    delivered = self.delivered() => result = delivered,
                    () = shutdown.triggered() => {}
                }
            }
            let (wait, when_stopped) = match result {
                _ if shutdown.is_triggered() => break self.ended_at_shutdown(result),
                Ok(Ended::Finished) => match self.restart_after() {
                    Some(wait) => {
                        self.resumes = false;
                        (wait, Ended::Stopped)
                    }
                    None if links.sends_again().await => {
                        self.resumes = true;
                        continue;
                    }
                    None => break Ended::Finished,
                },
                Ok(ended) => break ended,
                Err(failure) => {
                    let task = &*self.task.name;
                    let backoff = match &mut self.settings.restart {
                        RestartPolicy::Backoff(backoff) if !failure.is_final() => backoff,
                        // Told now, while the other tasks go on.
                        RestartPolicy::Backoff(_) => {
                            tracing::error!(task, "{failure}; the task has ended for good");
                            break Ended::Failed(failure.to_string());
                        }
                        // Whoever wants no restarts waits for the summary, which tells.
                        RestartPolicy::Never => break Ended::Failed(failure.to_string()),
                    };
                    if began.elapsed() >= LONG_RUN {
                        backoff.reset();
                    }
                    let wait = backoff.wait();
                    tracing::error!(task, "{failure}; the task starts again in {wait:.1?}");
                    self.restarts += 1;
                    self.resumes = true;
                    (wait, Ended::Interrupted)
                }
            };
            tokio::select! {
                // Those that receive from it may have stopped by now.
                biased;
                () = shutdown.triggered() => break when_stopped,
                () = sleep(wait) => {}
            }
        };
        TaskSummary {
            name: self.task.name.clone(),
            ended,
            restarts: self.restarts,
            steps: self.book.summary(),
            ledger: self.store.ledger().sheet(),
        }
    }

    /// Waits until everything that a run has sent on has arrived, or something has not.
    async fn delivered(&mut self) -> Result<Ended, Failure> {
        self.store.ledger().quiet().await;
        match *self.failed_delivery.borrow() {
            true => Err(Failure::Undelivered),
            false => Ok(Ended::Finished),
        }
    }

    /// When to start a task that has finished again. A link that has ended stays so.
    fn restart_after(&self) -> Option<Duration> {
        self.task.restart_after.filter(|_| !matches!(self.task.steps.first(), Some(Step::Link(_))))
    }

    /// One that would have started again did not finish: it was stopped.
    fn ended_at_shutdown(&self, result: Result<Ended, Failure>) -> Ended {
        match result {
            Ok(Ended::Finished) if self.restart_after().is_some() => Ended::Stopped,
            Ok(ended) => ended,
            // Who receives a link ran out of time, and says so.
            Err(failure) if failure.is_consequence() => Ended::Interrupted,
            Err(failure) => {
                tracing::error!(task = &*self.task.name, "{failure}");
                Ended::Failed(failure.to_string())
            }
        }
    }

    async fn run(&mut self, links: &mut TaskLinks, shutdown: Shutdown) -> Result<Ended, Failure> {
        let (stop, when_stopped) = Shutdown::new();
        let checkpoints = Checkpoints::new(Box::new(self.store.clone()));
        self.failed_delivery = checkpoints.failed();
        let assembler = Assembler {
            task: &self.task,
            plugins: &self.plugins,
            settings: &self.settings,
            links,
            book: &self.book,
            checkpoints,
            ledger: self.store.ledger(),
            resumes: self.resumes,
            shutdown: when_stopped.clone(),
            parts: Vec::new(),
            dead_letters: None,
        };
        let assembly = assembler.assemble()?;
        let run = Run::start(assembly, self.failed_delivery.clone(), stop, when_stopped);
        run.until_ended(self.settings.shutdown_limit, shutdown, links).await
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
    fn start(
        assembly: Assembly,
        failed_delivery: watch::Receiver<bool>,
        stop: ShutdownTrigger,
        shutdown: Shutdown,
    ) -> Self {
        let input = tokio::spawn(assembly.input.run(assembly.emitter, shutdown));
        let (mut parts, mut steps) = (JoinSet::new(), HashMap::new());
        for part in assembly.parts {
            steps.insert(parts.spawn(part.run).id(), part.step);
        }
        Run { input, input_step: assembly.input_step, parts, steps, failed_delivery, stop }
    }

    /// Waits until all parts have ended, and stops them when it is time.
    async fn until_ended(
        mut self,
        shutdown_limit: Duration,
        mut shutdown: Shutdown,
        links: &mut TaskLinks,
    ) -> Result<Ended, Failure> {
        let mut deadline = None;
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
                        break Some(self.cause(failure, &mut input_result).await);
                    }
                    if self.parts.is_empty() {
                        // The input may wait for what those hold that receive from this task.
                        links.end();
                    }
                }
                () = becomes_true(&mut self.failed_delivery), if deadline.is_none() => {
                    break Some(self.cause(Failure::Undelivered, &mut input_result).await);
                }
                () = shutdown.triggered(), if deadline.is_none() => {
                    self.stop.trigger();
                    deadline = Some(Box::pin(sleep(shutdown_limit)));
                }
                () = reached(&mut deadline) => {
                    // The limit is the limit: an input that has not noticed by now is not waited for.
                    self.end(Duration::ZERO, shutdown, Duration::ZERO).await;
                    return Ok(Ended::Interrupted);
                }
            }
        };
        if let Some(failure) = failure {
            let grace = match input_result {
                None => INPUT_GRACE.min(shutdown_limit),
                Some(_) => Duration::ZERO,
            };
            self.end(grace, shutdown, shutdown_limit).await;
            return Err(failure);
        }
        match input_result {
            Some(Err(failure)) => Err(failure),
            _ if *self.failed_delivery.borrow() => Err(Failure::Undelivered),
            _ if deadline.is_some() => Ok(Ended::Stopped),
            _ => Ok(Ended::Finished),
        }
    }

    fn input_outcome(&self, result: Result<Result<(), Error>, JoinError>) -> Result<(), Failure> {
        match result {
            Ok(Ok(())) => Ok(()),
            // The parts after the input are gone; they say why.
            Ok(Err(error)) if error.is::<Stopped>() => Ok(()),
            Ok(Err(error)) => Err(self.input_step.failed(error)),
            Err(error) => Err(joined(&self.input_step, error)),
        }
    }

    fn part_outcome(&self, part: Result<Result<(), Failure>, JoinError>) -> Result<(), Failure> {
        part.unwrap_or_else(|error| {
            let step = self.steps.get(&error.id()).unwrap_or(&self.input_step);
            Err(joined(step, error))
        })
    }

    /// A part that ended because a later one is gone is not the cause, nor is a batch that it held:
    /// the part that failed, or the input, is among those that have ended or are about to.
    async fn cause(
        &mut self,
        first: Failure,
        input_result: &mut Option<Result<(), Failure>>,
    ) -> Failure {
        if !matches!(first, Failure::Undelivered | Failure::Gone) {
            return first;
        }
        let look = async {
            loop {
                if let Some(Err(_)) = input_result {
                    return input_result.replace(Ok(())).and_then(Result::err);
                }
                tokio::select! {
                    result = &mut self.input, if input_result.is_none() => {
                        *input_result = Some(self.input_outcome(result));
                    }
                    Some(part) = self.parts.join_next() => match self.part_outcome(part) {
                        Ok(()) | Err(Failure::Gone) => {}
                        Err(failure) => return Some(failure),
                    },
                    else => return None,
                }
            }
        };
        timeout(CAUSE_WAIT, look).await.ok().flatten().unwrap_or(first)
    }

    /// Ends what still runs. The acks that the parts hold are dropped with them, and so are errors.
    async fn end(mut self, input_grace: Duration, shutdown: Shutdown, limit: Duration) {
        self.stop.trigger();
        self.parts.abort_all();
        self.parts_ended(shutdown, limit).await;
        if input_grace.is_zero() {
            self.input.abort();
            return;
        }
        // A thread cannot be ended from outside. It is waited for, so that the next run does not
        // read beside it; its next emit fails, since the parts are gone.
        if timeout(input_grace, &mut self.input).await.is_err() {
            let (task, step) = (&*self.input_step.task, &*self.input_step.label);
            tracing::warn!(task, step, "does not stop, and is left alone");
            self.input.abort();
        }
    }

    /// Waits for parts that were told to end. One in the middle of a system call cannot be: it is waited
    /// for, so that the next run does not write beside it, but not beyond an agent's stop.
    async fn parts_ended(&mut self, mut shutdown: Shutdown, limit: Duration) {
        let task = &*self.input_step.task;
        let ended = async { while self.parts.join_next().await.is_some() {} };
        let patience = async {
            sleep(INPUT_GRACE.min(limit)).await;
            if !limit.is_zero() {
                tracing::warn!(task, "a step does not end; the task waits for it");
            }
            shutdown.triggered().await;
            sleep(limit).await;
        };
        tokio::select! {
            biased;
            () = ended => {}
            () = patience => tracing::warn!(task, "a step does not end, and is left alone"),
        }
    }
}

async fn becomes_true(flag: &mut watch::Receiver<bool>) {
    if flag.wait_for(|value| *value).await.is_err() {
        // Nobody is left who could set it.
        std::future::pending::<()>().await;
    }
}

async fn reached(deadline: &mut Option<Pin<Box<Sleep>>>) {
    match deadline {
        Some(deadline) => deadline.await,
        None => std::future::pending().await,
    }
}

fn joined(step: &StepInfo, error: JoinError) -> Failure {
    match error.try_into_panic() {
        Ok(panic) => step.panicked(&*panic),
        Err(error) => step.failed(error.into()),
    }
}
