//! A task that runs while the test goes on.

use std::time::Duration;

use swak_engine::{StartError, Summary};
use swak_sdk::plugin::ShutdownTrigger;
use swak_sdk::prelude::*;
use tokio::runtime::Runtime;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::Ran;
use crate::collect::Collected;

/// A task that runs while the test goes on. Waiting is bounded: what does not come within
/// [`Running::PATIENCE`] fails the test.
pub struct Running {
    runtime: Runtime,
    trigger: ShutdownTrigger,
    ended: JoinHandle<Result<Summary, StartError>>,
    arriving: UnboundedReceiver<Vec<(Name, Name, Record)>>,
    dying: UnboundedReceiver<Vec<(Name, Name, Record)>>,
    collected: Collected,
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
    ) -> Self {
        Running { runtime, trigger, ended, arriving, dying, collected: Vec::new() }
    }

    /// Waits until this many records have come out since the start, and gives all that have.
    ///
    /// # Panics
    /// If they do not come.
    pub fn wait_for(&mut self, records: usize) -> Vec<Record> {
        while self.collected.iter().map(Vec::len).sum::<usize>() < records {
            let next = self.runtime.block_on(timeout(Self::PATIENCE, self.arriving.recv()));
            match next {
                Ok(Some(chunk)) => self.collected.push(chunk),
                Ok(None) => panic!("the task ended before {records} records came"),
                Err(_) => panic!("{records} records did not come: {:?}", self.collected),
            }
        }
        self.collected.iter().flatten().map(|(_, _, record)| record.clone()).collect()
    }

    /// Waits until this many records have come out since the start, and gives them as lines.
    ///
    /// # Panics
    /// If they do not come.
    pub fn wait_for_lines(&mut self, records: usize) -> Vec<String> {
        let raw = |record: Record| {
            let mut out = Vec::new();
            record.view().write_raw(&mut out);
            String::from_utf8_lossy(&out).into_owned()
        };
        self.wait_for(records).into_iter().map(raw).collect()
    }

    /// Stops the task in order and waits for its end.
    ///
    /// # Panics
    /// If it does not end.
    pub fn stop(self) -> Ran {
        self.trigger.trigger();
        self.wait()
    }

    /// Waits until the task ends by itself.
    ///
    /// # Panics
    /// If it does not.
    pub fn wait(mut self) -> Ran {
        let ended = self.runtime.block_on(timeout(Self::PATIENCE, &mut self.ended));
        let ended = ended.expect("the task ends in time").expect("the engine does not panic");
        let summary = ended.expect("the engine can start");
        while let Ok(chunk) = self.arriving.try_recv() {
            self.collected.push(chunk);
        }
        let dead = std::iter::from_fn(|| self.dying.try_recv().ok()).collect();
        self.runtime.shutdown_timeout(Self::PATIENCE);
        Ran { collected: self.collected, dead, summary }
    }
}
