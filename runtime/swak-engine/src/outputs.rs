//! Outputs of a checked task: with their workers, or in a failover.

use std::time::Duration;

use swak_recipe::model::{Call, Failover as FailoverStep};
use swak_sdk::anyhow;
use swak_sdk::options::DeliveryOptions;
use swak_sdk::plugin::erased::{AnyOutput, AnyPlugin};

use crate::Backoff;
use crate::assemble::Assembler;
use crate::batching::{Batcher, Limits};
use crate::failover::{Drain, Failover, Setup, Start};
use crate::helped::{Inlet, Takes};
use crate::port::Port;
use crate::sink::Sink;
use crate::step::Failure;
use crate::workers::spread;

impl Assembler<'_> {
    /// The way into outputs that stand in for each other.
    pub(crate) fn failover(
        &mut self,
        failover: &FailoverStep,
        place: &str,
    ) -> Result<Inlet, Failure> {
        let member = |call: &Call, place: &str| -> Result<_, Failure> {
            let delivery = self.delivery(call, place)?;
            let mut port = self.port(call, place, &delivery, 0)?;
            port.limits = delivery.limits;
            Ok((port, delivery.retry))
        };
        let place_of = |i: usize| format!("{place}.{}", i + 1);
        let outputs = failover.outputs.iter().enumerate();
        let members: Vec<(Port, Backoff)> =
            outputs.map(|(i, call)| member(call, &place_of(i))).collect::<Result<_, _>>()?;
        let last = failover.last.as_ref().map(|call| member(call, &format!("{place}.last")));
        let (last, retry) = match last.transpose()? {
            Some((mut port, retry)) => {
                if failover.drain_back {
                    port.output.expect_take_back();
                }
                (Some(port), retry)
            }
            None => (None, self.settings.retry),
        };
        let step = self.book.step(place);
        let setup = Setup {
            start: Start::new(&failover.start_by, members.len()).map_err(|e| step.failed(e))?,
            timeout: failover.timeout,
            batcher: Batcher::new(
                Limits::widest(members.iter().filter_map(|(port, _)| port.limits)),
                self.ledger.pressure().watch(),
            ),
            retry,
            drain: (last.as_ref().filter(|_| failover.drain_back))
                .map(|last| Drain::new(last.step.clone(), retry)),
            members,
            last,
            step: step.clone(),
        };
        let failover = Failover::new(setup);
        Ok(self.start(step, Takes::All, |inbox| failover.run(inbox)))
    }

    /// The way into an output by itself.
    pub(crate) fn sink(&mut self, call: &Call, place: &str) -> Result<Inlet, Failure> {
        let delivery = self.delivery(call, place)?;
        let mut workers = Vec::new();
        for worker in 0..delivery.workers {
            let port = self.port(call, place, &delivery, worker)?;
            let batcher = Batcher::new(delivery.limits, self.ledger.pressure().watch());
            let sink = Sink::new(port, batcher, delivery.retry, delivery.retries);
            workers.push(self.start(self.book.step(place), Takes::All, |inbox| sink.run(inbox)));
        }
        match workers.len() {
            1 => Ok(workers.remove(0)),
            _ => {
                let workers = workers.into_iter().map(|worker| worker.sender).collect();
                let step = self.book.step(place);
                Ok(self.start(step, Takes::All, |inbox| spread(workers, inbox)))
            }
        }
    }

    /// What the call says of its delivery, and the settings where it says nothing.
    fn delivery(&self, call: &Call, place: &str) -> Result<Delivery, Failure> {
        let step = self.book.step(place);
        let Some(entry) = self.plugins.get(call.kind, &call.name) else {
            return Err(step.failed(anyhow!("this agent has no plugin {}", call.path())));
        };
        let options = entry.delivery(&call.args).map_err(|e| step.failed(e.into()))?;
        let given = |name| DeliveryOptions::given(&call.args, name).is_some();
        Ok(Delivery {
            limits: Limits::new(&options),
            workers: *options.workers,
            timeout: match given("timeout") {
                true => *options.timeout,
                false => self.settings.write_timeout,
            },
            retries: options.retries,
            retry: match given("retry_wait") || given("retry_max_wait") {
                true => Backoff::new(*options.retry_wait, *options.retry_max_wait),
                false => self.settings.retry,
            },
        })
    }

    /// One instance of an output; each worker has its own.
    fn port(
        &self,
        call: &Call,
        place: &str,
        delivery: &Delivery,
        worker: usize,
    ) -> Result<Port, Failure> {
        let step = self.book.step(place);
        let output: Box<dyn AnyOutput> = match self.build_worker(call, place, worker)? {
            AnyPlugin::Output(output) => output,
            _ => return Err(self.wrong_kind(call, place)),
        };
        Ok(Port {
            progress: output.progress().unwrap_or_default(),
            output,
            dead_letters: self.dead_letters(&step),
            step,
            timeout: delivery.timeout,
            limits: None,
            connected: false,
        })
    }
}

/// How records are to reach one output.
struct Delivery {
    limits: Option<Limits>,
    workers: usize,
    timeout: Duration,
    retries: Option<u32>,
    retry: Backoff,
}
