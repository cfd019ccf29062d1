//! Transforms that follow each other, run as one: no hop between them.

use std::time::Instant;

use swak_sdk::data::Chunk;
use swak_sdk::plugin::Outlet;
use swak_sdk::plugin::erased::AnyTransform;
use tokio::sync::{mpsc, watch};
use tokio::time::sleep_until;

use crate::dead_letters::DeadLetters;
use crate::route::Route;
use crate::settings::When;
use crate::step::{Failure, StepInfo};

/// Transforms that follow each other, and where their chunks go.
pub(crate) struct Stage {
    links: Vec<StageLink>,
    route: Route,
    pressure: watch::Receiver<usize>,
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
    /// `pressure` says how many wait for what is held here.
    pub(crate) fn new(
        links: Vec<StageLink>,
        route: Route,
        pressure: watch::Receiver<usize>,
    ) -> Self {
        Stage { links, route, pressure }
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
            let mut is_waited_for = false;
            tokio::select! {
                chunk = inbox.recv() => match chunk {
                    Some(chunk) => {
                        self.feed(0, vec![chunk]).await?;
                        is_waited_for = *self.pressure.borrow() > 0;
                    }
                    None => break,
                },
                Ok(()) = self.pressure.changed() => is_waited_for = *self.pressure.borrow() > 0,
                () = alarm => self.call_each(wake_if_due).await?,
            }
            if is_waited_for {
                self.call_each(|transform, out| transform.relieve(out)).await?;
            }
        }
        self.call_each(|transform, out| transform.flush(out)).await
    }

    /// Calls each transform in order, and takes what it lets go through those after it.
    async fn call_each(
        &mut self,
        call: impl Fn(&mut dyn AnyTransform, &mut Outlet) -> swak_sdk::Result<()>,
    ) -> Result<(), Failure> {
        for i in 0..self.links.len() {
            let link = &mut self.links[i];
            link.step.call(|| call(&mut *link.transform, &mut link.outlet))?;
            let made = link.collect().await;
            self.feed(i + 1, made).await?;
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

fn wake_if_due(transform: &mut dyn AnyTransform, out: &mut Outlet) -> swak_sdk::Result<()> {
    match transform.next_wake() {
        Some(at) if at <= Instant::now() => transform.wake(out),
        _ => Ok(()),
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
