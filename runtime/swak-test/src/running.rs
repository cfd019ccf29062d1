//! A task that runs while the test goes on.

use std::sync::Arc;
use std::time::Duration;

use swak_engine::{StartError, Summary};
use swak_sdk::plugin::ShutdownTrigger;
use swak_sdk::prelude::*;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::Ran;
use crate::collect::{Collected, raw};

/// A task that runs while the test goes on. Waiting is bounded: what does not come within
/// [`Running::PATIENCE`] fails the test.
pub struct Running {
    /// Dropped before the runtime, which waits for the threads of its tasks.
    trigger: StopWhenDropped,
    runtime: Runtime,
    ended: JoinHandle<Result<Summary, StartError>>,
    arriving: UnboundedReceiver<Vec<(Name, Name, Record)>>,
    dying: UnboundedReceiver<Vec<(Name, Name, Record)>>,
    collected: Collected,
    /// The task writes to it for as long as it runs, even when the bench is gone.
    _data: Arc<TempDir>,
}

impl Running {
    /// How long to wait for anything. Far longer than anything takes on a slow, busy machine.
    pub const PATIENCE: Duration = Duration::from_secs(60);

    pub(crate) fn new(
        runtime: Runtime,
        trigger: ShutdownTrigger,
        ended: JoinHandle<Result<Summary, StartError>>,
        arriving: UnboundedReceiver<Vec<(Name, Name, Record)>>,
        dying: UnboundedReceiver<Vec<(Name, Name, Record)>>,
        data: Arc<TempDir>,
    ) -> Self {
        let trigger = StopWhenDropped(trigger);
        Running { trigger, runtime, ended, arriving, dying, collected: Vec::new(), _data: data }
    }

    /// Waits until this many records have come out since the start, and gives all that have.
    ///
    /// # Panics
    /// If they do not come.
    pub fn wait_for(&mut self, records: usize) -> Vec<Record> {
        while self.collected.iter().map(Vec::len).sum::<usize>() < records {
            let next = self
                .runtime
                .block_on(async { timeout(Self::PATIENCE, self.arriving.recv()).await });
            match next {
                Ok(Some(chunk)) => self.collected.push(chunk),
                Ok(None) => panic!("the task ended before {records} records came"),
                Err(_) => panic!("{records} records did not come: {:?}", self.collected),
            }
        }
        self.collected.iter().flatten().map(|(_, _, record)| record.clone()).collect()
    }

    /// What has come out since the start, without waiting.
    pub fn arrived(&mut self) -> Vec<Record> {
        while let Ok(chunk) = self.arriving.try_recv() {
            self.collected.push(chunk);
        }
        self.collected.iter().flatten().map(|(_, _, record)| record.clone()).collect()
    }

    /// Waits until this many records have come out since the start, and gives them as lines.
    ///
    /// # Panics
    /// If they do not come.
    pub fn wait_for_lines(&mut self, records: usize) -> Vec<String> {
        self.wait_for(records).iter().map(raw).collect()
    }

    /// Stops the task in order and waits for its end.
    ///
    /// # Panics
    /// If it does not end.
    pub fn stop(self) -> Ran {
        self.trigger.0.trigger();
        self.wait()
    }

    /// Waits until the task ends by itself.
    ///
    /// # Panics
    /// If it does not, or if its ledger does not account for every record.
    pub fn wait(mut self) -> Ran {
        let summary = self.outcome().unwrap_or_else(|error| panic!("{error}"));
        for task in &summary.tasks {
            let held = task.ledger.check();
            held.unwrap_or_else(|error| panic!("task {}: {error}: {:#?}", task.name, task.ledger));
        }
        while let Ok(chunk) = self.arriving.try_recv() {
            self.collected.push(chunk);
        }
        let dead = std::iter::from_fn(|| self.dying.try_recv().ok()).collect();
        self.runtime.shutdown_timeout(Self::PATIENCE);
        Ran { collected: self.collected, dead, summary }
    }

    pub(crate) fn outcome(&mut self) -> Result<Summary, StartError> {
        let ended = self.runtime.block_on(async { timeout(Self::PATIENCE, &mut self.ended).await });
        ended.expect("the task ends in time").expect("the engine does not panic")
    }
}

/// A test that fails must not wait for a task that nobody stops.
struct StopWhenDropped(ShutdownTrigger);

impl Drop for StopWhenDropped {
    fn drop(&mut self) {
        self.0.trigger();
    }
}
