//! Where records go that no output can ever take.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use swak_sdk::ack::{Ack, Outcome};
use swak_sdk::data::{Batch, Chunk, Map, Record, RecordRef, Value};
use swak_sdk::ledger::Fate;
use swak_sdk::plugin::DeadLetter;
use tokio::sync::mpsc;

use crate::step::StepInfo;

/// The way of one step to the task's dead letters.
pub(crate) struct DeadLetters {
    step: StepInfo,
    sender: Option<mpsc::Sender<Chunk>>,
    told: Mutex<Option<Instant>>,
}

/// A flood of bad records is one line in the log for each of these.
const TELL_EVERY: Duration = Duration::from_secs(10);

impl DeadLetters {
    /// Without a sender, records are dropped and counted.
    pub(crate) fn new(step: StepInfo, sender: Option<mpsc::Sender<Chunk>>) -> Self {
        DeadLetters { step, sender, told: Mutex::new(None) }
    }

    /// Sends records off that were rejected, with the reason and the step.
    pub(crate) async fn send(&self, letter: DeadLetter) {
        self.send_as(letter, "rejected").await;
    }

    /// Sends records off; without a place for them they count as dropped with these fixed words.
    pub(crate) async fn send_as(&self, letter: DeadLetter, counted: &'static str) {
        let DeadLetter { batch, reason } = letter;
        let records = batch.len();
        self.tell(records, &reason);
        let Some(sender) = &self.sender else {
            self.step.counters.dropped(records, counted);
            return batch.settle_as(self.fate(counted));
        };
        if sender.send(self.envelopes(batch, &reason).into()).await.is_ok() {
            self.step.counters.dropped(records, "dead letter");
        }
        // Else the task is going down: the ack was dropped, so the records are read again.
    }

    /// The records as dead letters; once these are settled in whatever way, so are those.
    fn envelopes(&self, mut batch: Batch, reason: &str) -> Batch {
        let records = batch.iter().map(|r| self.envelope(r, reason)).collect();
        let letters =
            Batch::new(records).with_tag(batch.tag.clone()).with_source(batch.source.clone());
        let Some(ack) = batch.take_ack() else { return letters };
        let (fate, count) = (self.fate("dead letter"), batch.count());
        letters.with_ack(Ack::new(move |outcome| match outcome {
            Outcome::Errored => ack.settle(outcome),
            _ => ack.settle_as(fate, count),
        }))
    }

    fn fate(&self, reason: &str) -> Fate {
        Fate::Dropped { place: self.step.counters.place().clone(), reason: reason.into() }
    }

    fn envelope(&self, record: RecordRef<'_>, reason: &str) -> Record {
        let original = match record.line() {
            Some(line) => Value::from_slice(&line.into()),
            None => record.to_map().into_owned().into(),
        };
        let mut fields = Map::with_capacity(4);
        fields.insert("time", record.time());
        fields.insert("step", &*self.step.label);
        fields.insert("reason", reason);
        fields.insert("record", original);
        Record::from_fields(fields, record.time())
    }

    fn tell(&self, records: usize, reason: &str) {
        let mut told = self.told.lock().expect("no panic while the time is locked");
        if told.is_some_and(|last| last.elapsed() < TELL_EVERY) {
            return;
        }
        *told = Some(Instant::now());
        let fate = if self.sender.is_some() { "sent to dead letters" } else { "dropped" };
        let (task, step) = (&*self.step.task, &*self.step.label);
        tracing::warn!(task, step, records, "{fate}: {reason}");
    }
}
