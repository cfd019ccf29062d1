//! From a checked task to the parts that run it.
//!
//! A chain is put together from its end: each step is given the route to what follows it.

use std::sync::Arc;

use swak_recipe::model::{Call, Step, Task, When as WhenStep, chain_ends};
use swak_sdk::data::{Chunk, Name};
use swak_sdk::ledger::Ledger;
use swak_sdk::options::{Expr, Kind, OptionValue as _};
use swak_sdk::plugin::erased::{AnyBuffer, AnyInput, AnyPlugin};
use swak_sdk::plugin::{
    BufferEmitter, BuildContext, Checkpoints, Counters, Emitter, Outlet, Plugins, Shutdown,
};
use swak_sdk::{Error, anyhow};
use tokio::sync::mpsc;

use crate::async_stage::AsyncStage;
use crate::buffer_stage::buffer_stage;
use crate::dead_letters::DeadLetters;
use crate::helped::{Helped, Inlet, Takes, helped};
use crate::links::TaskLinks;
use crate::route::{Choice, Route};
use crate::settings::Settings;
use crate::stage::{Stage, StageLink, forward};
use crate::step::{Failure, StepInfo};
use crate::summary::StepSummary;

/// The parts of one run of a task, ready to be started.
pub(crate) struct Assembly {
    pub(crate) input: Box<dyn AnyInput>,
    pub(crate) input_step: StepInfo,
    pub(crate) emitter: Emitter,
    pub(crate) parts: Vec<Part>,
}

/// A part of a task: a stage or a sink.
pub(crate) struct Part {
    /// The step to name when it panics; a stage of several steps knows better which it was.
    pub(crate) step: StepInfo,
    pub(crate) run: Helped,
}

/// The steps of a task with their counters, which outlive its runs. In the order of the recipe.
pub(crate) struct Book(Vec<(String, StepInfo)>);

/// What a task is put together from.
pub(crate) struct Assembler<'a> {
    pub(crate) task: &'a Task,
    pub(crate) plugins: &'a Plugins,
    pub(crate) settings: &'a Settings,
    pub(crate) links: &'a TaskLinks,
    pub(crate) book: &'a Book,
    pub(crate) checkpoints: Checkpoints,
    pub(crate) ledger: &'a Arc<Ledger>,
    /// Whether it goes on with what a run before it has not finished.
    pub(crate) resumes: bool,
    pub(crate) shutdown: Shutdown,
    pub(crate) parts: Vec<Part>,
    pub(crate) dead_letters: Option<mpsc::Sender<Chunk>>,
}

impl Assembler<'_> {
    /// Makes all plugins of the task and connects them.
    pub(crate) fn assemble(mut self) -> Result<Assembly, Failure> {
        if let Some(call) = &self.task.dead_letter {
            // Its own rejects have nowhere to go.
            self.dead_letters = Some(self.sink(call, "dead_letter")?.sender);
        }
        let (first, rest) = self.task.steps.split_first().expect("a checked task has an input");
        let step = self.book.step("1");
        let input = self.input(first, &step)?;
        let route = self.chain(rest, "", 1, None)?;
        let route = route.ok_or_else(|| step.failed(anyhow!("nothing follows the input")))?;
        let inlet = self.inlet_of(route, &step);
        let helped = inlet.part();
        let emitter = Emitter::new(
            inlet.sender,
            Name::from(self.task.name.as_str()),
            self.checkpoints.clone(),
            Arc::clone(&step.counters),
            Arc::clone(self.ledger),
        );
        let emitter = emitter.helping(helped);
        Ok(Assembly { input, input_step: step, emitter, parts: self.parts })
    }

    /// A way into a route, for what a step emits by itself.
    fn inlet_of(&mut self, route: Route, step: &StepInfo) -> Inlet {
        match route {
            Route::To(inlet) if self.settings.trace.is_none() => inlet,
            route => {
                let from = step.clone();
                self.start(step.clone(), Takes::Little, |inbox| forward(from, route, inbox))
            }
        }
    }

    fn buffer(&mut self, buffer: Box<dyn AnyBuffer>, route: Route, place: &str) -> Inlet {
        let step = self.book.step(place);
        let out = BufferEmitter::new(
            self.inlet_of(route, &step).sender,
            self.checkpoints.clone(),
            Arc::clone(&step.counters),
            Arc::clone(self.ledger),
        );
        let shutdown = self.shutdown.clone();
        self.start(step.clone(), Takes::All, |inbox| {
            buffer_stage(buffer, step, out, inbox, shutdown)
        })
    }

    fn input(&self, first: &Step, step: &StepInfo) -> Result<Box<dyn AnyInput>, Failure> {
        match first {
            Step::Link(link) => match self.links.receiver() {
                Some(input) => Ok(Box::new(input)),
                None => Err(step.failed(anyhow!("nothing is sent to link `{}`", link.name))),
            },
            Step::Plugin(call) => match self.build(call, "1")? {
                AnyPlugin::Input(input) => Ok(input),
                _ => Err(step.failed(anyhow!("{} is no input", call.path()))),
            },
            _ => Err(step.failed(anyhow!("a task begins with an input or a link"))),
        }
    }

    /// The route into a chain of steps. `place` is what stands before the number of a step, `skip`
    /// how many steps of the chain come before these.
    fn chain(
        &mut self,
        steps: &[Step],
        place: &str,
        skip: usize,
        after: Option<Route>,
    ) -> Result<Option<Route>, Failure> {
        let mut next = after;
        // Transforms that follow each other, last one first.
        let mut run = Vec::new();
        for (i, step) in steps.iter().enumerate().rev() {
            let place = format!("{place}{}", skip + i + 1);
            if let Step::Plugin(call) = step
                && call.kind == Kind::Transform
            {
                match self.build(call, &place)? {
                    AnyPlugin::Transform(transform) => {
                        let step = self.book.step(&place);
                        run.push(StageLink {
                            transform,
                            outlet: Outlet::new(Arc::clone(&step.counters)),
                            dead_letters: self.dead_letters(&step),
                            step,
                        });
                    }
                    AnyPlugin::AsyncTransform(transform) => {
                        let route = self.end_run(&mut run, next, &place)?;
                        let step = self.book.step(&place);
                        let stage = AsyncStage {
                            transform,
                            outlet: Outlet::new(Arc::clone(&step.counters)),
                            dead_letters: self.dead_letters(&step),
                            step: step.clone(),
                            route,
                        };
                        let inlet = self.start(step, Takes::Little, |inbox| stage.run(inbox));
                        next = Some(Route::To(inlet));
                    }
                    AnyPlugin::Buffer(buffer) => {
                        let route = self.end_run(&mut run, next, &place)?;
                        next = Some(Route::To(self.buffer(buffer, route, &place)));
                    }
                    _ => return Err(self.wrong_kind(call, &place)),
                }
                continue;
            }
            if !run.is_empty() {
                next = Some(self.end_run(&mut run, next, &place)?);
            }
            next = Some(self.step(step, &place, next)?);
        }
        if !run.is_empty() {
            next = Some(self.end_run(&mut run, next, place)?);
        }
        Ok(next)
    }

    /// The route into one step that is not a transform.
    fn step(&mut self, step: &Step, place: &str, next: Option<Route>) -> Result<Route, Failure> {
        Ok(match step {
            Step::Plugin(call) => Route::To(self.sink(call, place)?).and(next),
            Step::Failover(failover) => Route::To(self.failover(failover, place)?).and(next),
            Step::Tee(tee) => {
                let mut routes = Vec::new();
                for (i, branch) in tee.branches.iter().enumerate() {
                    routes.extend(self.chain(branch, &format!("{place}.{}.", i + 1), 0, None)?);
                }
                routes.extend(next);
                Route::Tee(routes).counted(self.book.step(place))
            }
            Step::When(when) => self.when(when, place, next.as_ref())?,
            Step::Link(link) => match self.links.sender(&link.name) {
                Some(sender) => Route::Link(sender).counted(self.book.step(place)).and(next),
                None => {
                    let error = anyhow!("no task receives link `{}` in this run", link.name);
                    return Err(self.book.step(place).failed(error));
                }
            },
        })
    }

    fn when(
        &mut self,
        when: &WhenStep,
        place: &str,
        next: Option<&Route>,
    ) -> Result<Route, Failure> {
        let mut way = |steps: &[Step], name: &str| {
            let after = if chain_ends(steps) { None } else { next.cloned() };
            let route = self.chain(steps, &format!("{place}.{name}."), 0, after)?;
            route.ok_or_else(|| {
                self.book.step(place).failed(anyhow!("`{name}` leads nowhere, and no step follows"))
            })
        };
        let then = way(&when.then, "then")?;
        let otherwise = way(when.otherwise.as_deref().unwrap_or_default(), "otherwise")?;
        let condition = Expr::read(&when.condition)
            .map_err(|e| self.book.step(place).failed(Error::from(e)))?;
        let step = self.book.step(place);
        let choice = Choice { condition, then, otherwise, step: step.clone() };
        Ok(Route::When(Arc::new(choice)).counted(step))
    }

    /// Closes a run of transforms: one stage in front of `next`.
    fn end_run(
        &mut self,
        run: &mut Vec<StageLink>,
        next: Option<Route>,
        place: &str,
    ) -> Result<Route, Failure> {
        let next = next.ok_or_else(|| {
            self.book.step(place).failed(anyhow!("the chain ends in a transform"))
        })?;
        let links: Vec<_> = run.drain(..).rev().collect();
        let Some(first) = links.first() else { return Ok(next) };
        let step = first.step.clone();
        let stage = Stage::new(links, next, self.ledger.pressure().watch());
        Ok(Route::To(self.start(step, Takes::Little, |inbox| stage.run(inbox))))
    }

    /// Adds a part that reads from a channel of its own.
    pub(crate) fn start<F>(
        &mut self,
        step: StepInfo,
        takes: Takes,
        part: impl FnOnce(mpsc::Receiver<Chunk>) -> F,
    ) -> Inlet
    where
        F: Future<Output = Result<(), Failure>> + Send + 'static,
    {
        let (sender, inbox) = mpsc::channel(self.settings.queue.max(1));
        let (inlet, run) = helped(sender, takes, Box::pin(part(inbox)));
        self.parts.push(Part { step, run });
        inlet
    }

    pub(crate) fn build(&self, call: &Call, place: &str) -> Result<AnyPlugin, Failure> {
        self.build_worker(call, place, 0)
    }

    pub(crate) fn build_worker(
        &self,
        call: &Call,
        place: &str,
        worker: usize,
    ) -> Result<AnyPlugin, Failure> {
        let step = self.book.step(place);
        let Some(entry) = self.plugins.get(call.kind, &call.name) else {
            return Err(step.failed(anyhow!("this agent has no plugin {}", call.path())));
        };
        let mut folder = self.settings.task_folder(&self.task.name).join(place);
        if worker > 0 {
            // What two of them keep must not meet.
            folder.push(format!("worker-{}", worker + 1));
        }
        let cx = BuildContext::new(
            &self.task.name,
            place,
            folder,
            self.dead_letters.is_some(),
            Arc::clone(&step.counters),
        )
        .resuming(self.resumes);
        step.call(|| entry.build(&call.args, &cx))
    }

    pub(crate) fn dead_letters(&self, step: &StepInfo) -> DeadLetters {
        DeadLetters::new(step.clone(), self.dead_letters.clone())
    }

    pub(crate) fn wrong_kind(&self, call: &Call, place: &str) -> Failure {
        let error = anyhow!("{} is no {} in this agent", call.path(), call.kind);
        self.book.step(place).failed(error)
    }
}

impl Book {
    /// The steps of a task, all counters at zero.
    pub(crate) fn new(task: &Task, settings: &Settings) -> Self {
        let mut places = Vec::new();
        list_places(&task.steps, "", &mut places);
        if let Some(call) = &task.dead_letter {
            places.push(("dead_letter".to_owned(), call.path()));
        }
        let name: Arc<str> = task.name.as_str().into();
        let step = |(place, path): (String, String)| {
            let label = format!("{place} {path}");
            let info = StepInfo {
                task: Arc::clone(&name),
                counters: Arc::new(Counters::at(label.as_str().into())),
                label: label.into(),
                trace: settings.trace.clone(),
            };
            (place, info)
        };
        Book(places.into_iter().map(step).collect())
    }

    /// What all steps have counted.
    pub(crate) fn summary(&self) -> Vec<StepSummary> {
        let summary = |(_, step): &(String, StepInfo)| StepSummary {
            step: step.label.to_string(),
            counters: step.counters.snapshot(),
        };
        self.0.iter().map(summary).collect()
    }

    /// The first step of the task.
    pub(crate) fn input(&self) -> StepInfo {
        self.step("1")
    }

    pub(crate) fn step(&self, place: &str) -> StepInfo {
        let found = self.0.iter().find(|(p, _)| p == place);
        found.expect("every step was listed when its task was first seen").1.clone()
    }
}

/// The places of all steps, as people see them: `2`, `3.1.2` (second step of the first branch of
/// step 3), `4.then.1`, `5.last`.
fn list_places(steps: &[Step], prefix: &str, places: &mut Vec<(String, String)>) {
    for (i, step) in steps.iter().enumerate() {
        let place = format!("{prefix}{}", i + 1);
        match step {
            Step::Plugin(call) => places.push((place, call.path())),
            Step::Link(link) => places.push((place, format!("link({:?})", link.name))),
            Step::Failover(failover) => {
                places.push((place.clone(), "failover".to_owned()));
                for (i, call) in failover.outputs.iter().enumerate() {
                    places.push((format!("{place}.{}", i + 1), call.path()));
                }
                if let Some(call) = &failover.last {
                    places.push((format!("{place}.last"), call.path()));
                }
            }
            Step::Tee(tee) => {
                places.push((place.clone(), "tee".to_owned()));
                for (i, branch) in tee.branches.iter().enumerate() {
                    list_places(branch, &format!("{place}.{}.", i + 1), places);
                }
            }
            Step::When(when) => {
                places.push((place.clone(), "when".to_owned()));
                list_places(&when.then, &format!("{place}.then."), places);
                let otherwise = when.otherwise.as_deref().unwrap_or_default();
                list_places(otherwise, &format!("{place}.otherwise."), places);
            }
        }
    }
}
