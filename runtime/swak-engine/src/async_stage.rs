//! A transform that waits for something, with a channel of its own.

use swak_sdk::data::Chunk;
use swak_sdk::plugin::Outlet;
use swak_sdk::plugin::erased::AnyAsyncTransform;
use tokio::sync::mpsc;

use crate::dead_letters::DeadLetters;
use crate::route::Route;
use crate::settings::When;
use crate::step::{Failure, StepInfo};

/// A transform that waits, and where its chunks go.
pub(crate) struct AsyncStage {
    pub(crate) transform: Box<dyn AnyAsyncTransform>,
    pub(crate) step: StepInfo,
    pub(crate) outlet: Outlet,
    pub(crate) dead_letters: DeadLetters,
    pub(crate) route: Route,
}

impl AsyncStage {
    /// Runs until the inbox is closed and empty, then flushes.
    pub(crate) async fn run(mut self, mut inbox: mpsc::Receiver<Chunk>) -> Result<(), Failure> {
        while let Some(chunk) = inbox.recv().await {
            self.step.counters.received(chunk.len());
            self.step.trace(When::Before, &chunk);
            let applied = self.transform.apply(chunk, &mut self.outlet).await;
            applied.map_err(|e| self.step.failed(e))?;
            self.send().await?;
        }
        self.transform.flush(&mut self.outlet).await.map_err(|e| self.step.failed(e))?;
        self.send().await
    }

    async fn send(&mut self) -> Result<(), Failure> {
        let (chunks, dead) = self.outlet.take();
        for letter in dead {
            self.dead_letters.send(letter).await;
        }
        for chunk in chunks {
            self.step.trace(When::After, &chunk);
            self.route.send(chunk).await?;
        }
        Ok(())
    }
}
