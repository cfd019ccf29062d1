//! What a plugin knows of where it runs.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Counters;

/// What a plugin knows of where it runs, when it is made.
#[derive(Clone, Debug)]
pub struct BuildContext {
    task: String,
    step: String,
    data_dir: PathBuf,
    dead_letter: bool,
    resumes: bool,
    counters: Arc<Counters>,
}

impl BuildContext {
    /// The context of one step.
    ///
    /// `step` is the place in the task as people see it (`2`; `3.1.2` for the second step of the
    /// first branch of step 3), `data_dir` a folder that
    /// is this step's alone and need not exist, `dead_letter` whether the task says where rejected
    /// records go.
    pub fn new(
        task: impl Into<String>,
        step: impl Into<String>,
        data_dir: impl Into<PathBuf>,
        dead_letter: bool,
        counters: Arc<Counters>,
    ) -> Self {
        let (task, step, data_dir) = (task.into(), step.into(), data_dir.into());
        BuildContext { task, step, data_dir, dead_letter, resumes: false, counters }
    }

    /// With this as whether the run goes on with what the one before it has not finished.
    #[must_use]
    pub fn resuming(mut self, resumes: bool) -> Self {
        self.resumes = resumes;
        self
    }

    /// A context without a task: for tests that only make a plugin.
    pub fn for_check() -> Self {
        BuildContext::for_check_in(true)
    }

    /// A context for `check`, which makes a plugin and never runs it.
    pub(crate) fn for_check_in(task_has_dead_letter: bool) -> Self {
        BuildContext::new("check", "0", "", task_has_dead_letter, Arc::default())
    }

    /// The name of the task.
    pub fn task(&self) -> &str {
        &self.task
    }

    /// The place in the task, as people see it: `2`, `3.1.2`.
    pub fn step(&self) -> &str {
        &self.step
    }

    /// A folder for what this step must keep across restarts. It is made by whoever writes to it.
    pub fn data_dir(&self) -> &Path {
        &self.data_dir
    }

    /// Whether the task has a place for rejected records. Without one they are dropped and counted.
    pub fn has_dead_letter(&self) -> bool {
        self.dead_letter
    }

    /// Whether this run of the task goes on with what the one before it has not finished, since that
    /// failed while the agent ran. What that one has delivered does not come again.
    pub fn resumes(&self) -> bool {
        self.resumes
    }

    /// What is counted for this step, in all runs of its task.
    pub fn counters(&self) -> &Arc<Counters> {
        &self.counters
    }
}
