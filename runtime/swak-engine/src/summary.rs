//! What came of a run.

use swak_sdk::ledger::Sheet;
use swak_sdk::plugin::CountersSnapshot;

/// What came of a run.
#[derive(Clone, Debug)]
pub struct Summary {
    /// One for each task, in the order of the recipe.
    pub tasks: Vec<TaskSummary>,
}

/// What came of one task.
#[derive(Clone, Debug)]
pub struct TaskSummary {
    /// Its name.
    pub name: String,
    /// How it ended.
    pub ended: Ended,
    /// How often it was started again after a failure.
    pub restarts: u64,
    /// One for each step, in the order of the recipe.
    pub steps: Vec<StepSummary>,
    /// Its ledger, over this and all earlier runs.
    pub ledger: Sheet,
}

/// What one step has counted.
#[derive(Clone, Debug)]
pub struct StepSummary {
    /// The step as people see it: `1 in.DummyData`.
    pub step: String,
    /// The numbers.
    pub counters: CountersSnapshot,
}

/// How a task ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Its input had no more, and everything was delivered, or handed to the tasks that receive its
    /// links. A task that receives a link ends so when all that send to it have ended, however they
    /// did.
    Finished,
    /// It was told to stop, and everything was delivered, or handed on as above.
    Stopped,
    /// It was told to stop, and not everything was delivered: it could not be in time, or the task
    /// waited to be started again after a failure. What can be read again is read again after the
    /// next start.
    Interrupted,
    /// It failed for good; the reason.
    Failed(String),
}
