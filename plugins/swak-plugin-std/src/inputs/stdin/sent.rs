//! What was read and is not known to be delivered: it is kept, for it cannot be read again.

use std::collections::VecDeque;

use swak_sdk::prelude::*;

/// Batches in the order in which they were read. They share the memory of those that are on their
/// way, so that this holds little that is not held anyway.
#[derive(Default)]
pub(super) struct Sent(VecDeque<One>);

struct One {
    /// Without an ack.
    batch: Batch,
    /// Whether it is a line whose end had not been read when the task was told to stop.
    is_begun: bool,
    /// `None` while it is not on its way.
    delivery: Option<Delivery>,
}

impl Sent {
    /// Adds a batch that is to be handed on.
    pub(super) fn add(&mut self, batch: Batch, is_begun: bool) {
        self.0.push_back(One { batch, is_begun, delivery: None });
    }

    /// At the beginning of a run: forgets what is delivered, and sees to it that what an earlier run
    /// could not deliver is handed on again. A line without an end that stood last is given back: its
    /// end may come now.
    pub(super) fn take_back(&mut self) -> Option<Vec<u8>> {
        self.0.retain_mut(|one| !one.is_settled());
        for one in &mut self.0 {
            if one.outcome() == Some(Outcome::Errored) {
                one.delivery = None;
            }
        }
        let last = self.0.pop_back_if(|one| one.is_begun && one.delivery.is_none())?;
        last.batch.iter().next().and_then(|record| record.line().map(<[u8]>::to_vec))
    }

    /// Hands on all that is not on its way. What was not taken stays, however this ends.
    pub(super) async fn hand_on(&mut self, out: &Emitter) -> Result<(), Stopped> {
        while self.0.front_mut().is_some_and(One::is_settled) {
            self.0.pop_front();
        }
        let source = Name::from("stdin");
        for one in self.0.iter_mut().filter(|one| one.delivery.is_none()) {
            let batch = one.batch.fork().with_source(source.clone());
            one.delivery = Some(out.emit_tracked(batch).await?);
        }
        Ok(())
    }

    /// Waits until one of the batches could not be delivered. May be broken off.
    pub(super) async fn failed(&mut self) -> Error {
        match self.delivered().await {
            Err(error) => error,
            Ok(()) => std::future::pending().await,
        }
    }

    /// Waits until all batches that are on their way are delivered. May be broken off.
    pub(super) async fn delivered(&mut self) -> Result<()> {
        while let Some(first) = self.0.front_mut()
            && let Some(delivery) = &mut first.delivery
        {
            if delivery.await == Outcome::Errored {
                first.delivery = None;
                bail!("what was read could not be delivered; it comes again");
            }
            self.0.pop_front();
        }
        Ok(())
    }
}

impl One {
    fn outcome(&mut self) -> Option<Outcome> {
        self.delivery.as_mut().and_then(Delivery::peek)
    }

    fn is_settled(&mut self) -> bool {
        self.outcome().is_some_and(|outcome| outcome != Outcome::Errored)
    }
}
