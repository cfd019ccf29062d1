//! What the parts of a running task know of the step that they run.

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use swak_sdk::{Error, anyhow};

use swak_sdk::data::Chunk;
use swak_sdk::plugin::Counters;

use crate::route::Gone;
use crate::settings::{Trace, When};

/// One step of a running task.
#[derive(Clone)]
pub(crate) struct StepInfo {
    /// The task's name.
    pub(crate) task: Arc<str>,
    /// The step as people see it: `2 out.Filter`.
    pub(crate) label: Arc<str>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) trace: Option<Arc<dyn Trace>>,
}

impl StepInfo {
    pub(crate) fn trace(&self, when: When, chunk: &Chunk) {
        if let Some(trace) = &self.trace {
            trace.step(&self.task, &self.label, when, chunk);
        }
    }

    /// Runs a call into a plugin; its error or its panic is this step's failure.
    pub(crate) fn call<T>(&self, plugin: impl FnOnce() -> Result<T, Error>) -> Result<T, Failure> {
        // What the plugin left half done is dropped with the task; nobody looks at it again.
        match catch_unwind(AssertUnwindSafe(plugin)) {
            Ok(result) => result.map_err(|e| self.failed(e)),
            Err(panic) => Err(self.panicked(&*panic)),
        }
    }

    /// The failure that a panic is.
    pub(crate) fn panicked(&self, panic: &(dyn Any + Send)) -> Failure {
        let message = panic
            .downcast_ref::<&str>()
            .copied()
            .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
            .unwrap_or("no message");
        self.failed(anyhow!("panicked: {message}"))
    }

    /// The failure after which the task is not started again.
    pub(crate) fn ended(&self, error: Error) -> Failure {
        Failure::Final { label: Arc::clone(&self.label), error }
    }

    pub(crate) fn failed(&self, error: Error) -> Failure {
        Failure::Step { label: Arc::clone(&self.label), error }
    }
}

/// Why a part of a running task ended early.
#[derive(Debug)]
pub(crate) enum Failure {
    /// A step failed.
    Step { label: Arc<str>, error: Error },
    /// A step can never work again.
    Final { label: Arc<str>, error: Error },
    /// A batch could not be delivered, and no step says why.
    Undelivered,
    /// A later part is gone; that part says why.
    Gone,
    /// A task that receives a link has ended for good.
    NoReceiver,
}

impl Failure {
    /// Whether starting the task again is of no use. What was sent to the other branches would be
    /// sent again each time.
    pub(crate) fn is_final(&self) -> bool {
        matches!(self, Failure::Final { .. } | Failure::NoReceiver)
    }

    /// Whether it is only the consequence of what happened elsewhere: in another part, or in a task
    /// that receives a link.
    pub(crate) fn is_consequence(&self) -> bool {
        matches!(self, Failure::Undelivered | Failure::Gone | Failure::NoReceiver)
    }
}

impl From<Gone> for Failure {
    fn from(gone: Gone) -> Self {
        match gone {
            Gone::Part => Failure::Gone,
            Gone::Task => Failure::NoReceiver,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Step { label, error } | Failure::Final { label, error } => {
                write!(f, "step {label}: {error:#}")
            }
            Failure::Undelivered => {
                f.write_str("a batch could not be delivered, and is read again")
            }
            Failure::Gone => f.write_str("a part of it ended early"),
            Failure::NoReceiver => f.write_str("a task that it sends to has ended for good"),
        }
    }
}
