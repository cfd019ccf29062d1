//! Where chunks go at the end of a stage.

use std::sync::Arc;

use swak_sdk::ack::Outcome;
use swak_sdk::data::{Batch, Chunk, RecordRef};
use swak_sdk::options::{Expr, Scope};
use swak_sdk::plugin::erased::BoxFuture;

use crate::helped::Inlet;
use crate::links::LinkSender;
use crate::step::StepInfo;

/// Where chunks go. Clones lead to the same places.
#[derive(Clone)]
pub(crate) enum Route {
    /// Into one part.
    To(Inlet),
    /// To every one of them.
    Tee(Vec<Route>),
    /// Record by record to one of two places.
    When(Arc<Choice>),
    /// To the task that receives this link.
    Link(LinkSender),
    /// Counted by a step that only routes.
    Counted(StepInfo, Box<Route>),
}

pub(crate) struct Choice {
    pub(crate) condition: Expr,
    pub(crate) then: Route,
    pub(crate) otherwise: Route,
    pub(crate) step: StepInfo,
}

/// Who would take the chunk is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gone {
    /// A later part of the task, which is going down; whoever ended it says why.
    Part,
    /// A task that receives a link, for good.
    Task,
}

impl Route {
    /// Sends a chunk, waiting while the places it goes to are full.
    pub(crate) async fn send(&self, chunk: Chunk) -> Result<(), Gone> {
        match self {
            Route::To(inlet) => inlet.send(chunk).await,
            branching => branching.send_branching(chunk).await,
        }
    }

    /// Both ways, in one: a route that ends in an output and is followed by further steps.
    pub(crate) fn and(self, other: Option<Route>) -> Route {
        match other {
            None => self,
            Some(other) => Route::Tee(vec![self, other]),
        }
    }

    /// The same way, with its records counted as this step's.
    pub(crate) fn counted(self, step: StepInfo) -> Route {
        Route::Counted(step, Box::new(self))
    }

    /// The recursion needs a future of known size; plain channels do without.
    fn send_branching(&self, chunk: Chunk) -> BoxFuture<'_, Result<(), Gone>> {
        Box::pin(async move {
            match self {
                Route::To(_) => self.send(chunk).await,
                Route::Link(link) => link.send(chunk).await,
                Route::Counted(step, route) => {
                    let records = chunk.len();
                    step.counters.received(records);
                    route.send(chunk).await?;
                    step.counters.sent(records);
                    Ok(())
                }
                Route::Tee(branches) => {
                    let Some((last, others)) = branches.split_last() else { return Ok(()) };
                    for branch in others {
                        branch.send(chunk.fork()).await?;
                    }
                    last.send(chunk).await
                }
                Route::When(choice) => {
                    let (yes, no) = choice.split(chunk);
                    if !yes.is_empty() {
                        choice.then.send(yes).await?;
                    }
                    if !no.is_empty() {
                        choice.otherwise.send(no).await?;
                    }
                    Ok(())
                }
            }
        })
    }
}

impl Choice {
    fn split(&self, chunk: Chunk) -> (Chunk, Chunk) {
        let (mut yes, mut no) = (Chunk::default(), Chunk::default());
        for mut batch in chunk {
            if batch.is_empty() {
                // Whatever was in it is accounted for; nobody else will settle it.
                batch.settle(Outcome::Delivered);
                continue;
            }
            let matches: Vec<bool> = batch.iter().map(|r| self.matches(&batch, r)).collect();
            let hits = matches.iter().filter(|m| **m).count();
            if hits == matches.len() {
                yes.push(batch);
            } else if hits == 0 {
                no.push(batch);
            } else {
                let mut matches = matches.iter();
                let others = batch.extract(|_| matches.next() == Some(&false));
                yes.push(batch);
                no.push(others);
            }
        }
        (yes, no)
    }

    /// A record for which the condition cannot be worked out does not fulfil it.
    fn matches(&self, batch: &Batch, record: RecordRef<'_>) -> bool {
        let scope = Scope { record, tag: &batch.tag, source: &batch.source };
        self.condition.matches(&scope).unwrap_or_else(|error| {
            self.step.counters.error();
            let (task, step) = (&*self.step.task, &*self.step.label);
            tracing::debug!(task, step, "cannot work out the condition: {error}");
            false
        })
    }
}
