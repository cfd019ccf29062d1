//! Transforms that follow each other, run as one: no hop between them.

use std::time::Instant;

use swak_sdk::data::Chunk;
use swak_sdk::plugin::Outlet;
use swak_sdk::plugin::erased::AnyTransform;
use tokio::sync::mpsc;
use tokio::time::sleep_until;

use crate::dead_letters::DeadLetters;
use crate::route::Route;
use crate::settings::When;
use crate::step::{Failure, StepInfo};

/// Transforms that follow each other, and where their chunks go.
pub(crate) struct Stage {
    links: Vec<StageLink>,
    route: Route,
}

/// One transform with what belongs to it.
pub(crate) struct StageLink {
    pub(crate) transform: Box<dyn AnyTransform>,
    pub(crate) step: StepInfo,
    pub(crate) outlet: Outlet,
    pub(crate) dead_letters: DeadLetters,
}

/// Hands on what the input emits, where it goes more than one way or is looked at.
pub(crate) async fn forward(
    input: StepInfo,
    route: Route,
    mut inbox: mpsc::Receiver<Chunk>,
) -> Result<(), Failure> {
    while let Some(chunk) = inbox.recv().await {
        input.trace(When::After, &chunk);
        route.send(chunk).await?;
    }
    Ok(())
}

impl Stage {
    pub(crate) fn new(links: Vec<StageLink>, route: Route) -> Self {
        Stage { links, route }
    }

    /// Runs until the inbox is closed and empty, then flushes the transforms in order.
    pub(crate) async fn run(mut self, mut inbox: mpsc::Receiver<Chunk>) -> Result<(), Failure> {
        loop {
            let wake = self.links.iter().filter_map(|l| l.transform.next_wake()).min();
            let alarm = async {
                match wake {
                    Some(at) => sleep_until(at.into()).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                chunk = inbox.recv() => match chunk {
                    Some(chunk) => self.feed(0, vec![chunk]).await?,
                    None => break,
                },
                () = alarm => self.wake().await?,
            }
        }
        for i in 0..self.links.len() {
            let link = &mut self.links[i];
            link.step.call(|| link.transform.flush(&mut link.outlet))?;
            let made = link.collect().await;
            self.feed(i + 1, made).await?;
        }
        Ok(())
    }

    async fn wake(&mut self) -> Result<(), Failure> {
        for i in 0..self.links.len() {
            let link = &mut self.links[i];
            if link.transform.next_wake().is_some_and(|at| at <= Instant::now()) {
                link.step.call(|| link.transform.wake(&mut link.outlet))?;
                let made = link.collect().await;
                self.feed(i + 1, made).await?;
            }
        }
        Ok(())
    }

    /// Takes chunks through the transforms from the given one on, and sends what comes out.
    async fn feed(&mut self, first: usize, mut chunks: Vec<Chunk>) -> Result<(), Failure> {
        for link in &mut self.links[first..] {
            for chunk in chunks {
                link.step.counters.received(chunk.len());
                link.step.trace(When::Before, &chunk);
                link.step.call(|| {
                    chunk.into_iter().try_for_each(|b| link.transform.apply(b, &mut link.outlet))
                })?;
                link.outlet.end_chunk();
            }
            chunks = link.collect().await;
        }
        for chunk in chunks {
            self.route.send(chunk).await?;
        }
        Ok(())
    }
}

impl StageLink {
    /// What the transform has made; what it gave up goes to the dead letters.
    async fn collect(&mut self) -> Vec<Chunk> {
        let (chunks, dead) = self.outlet.take();
        for letter in dead {
            self.dead_letters.send(letter).await;
        }
        for chunk in &chunks {
            self.step.trace(When::After, chunk);
        }
        chunks
    }
}
