//! `out.Collected`: an output that gives a test what reached it.

use std::collections::HashMap;
use std::sync::{Mutex, OnceLock};

use swak_sdk::prelude::*;
use tokio::sync::mpsc;

/// The chunks that reach an `out.Collected`, each with the tag and source of its records' batches.
pub(crate) type Collected = Vec<Vec<(Name, Name, Record)>>;

type Senders = HashMap<String, mpsc::UnboundedSender<Vec<(Name, Name, Record)>>>;

fn collectors() -> &'static Mutex<Senders> {
    static COLLECTORS: OnceLock<Mutex<Senders>> = OnceLock::new();
    COLLECTORS.get_or_init(Mutex::default)
}

/// What reaches the `out.Collected` of one name in a recipe of the test's own.
pub struct Collector(mpsc::UnboundedReceiver<Vec<(Name, Name, Record)>>);

impl Collector {
    /// Begins to collect. Names are shared by all tests of a process: make them unique.
    pub fn new(name: &str) -> Self {
        Collector(collect(name))
    }

    /// What has come since the last call, each record as the output format `raw` writes it.
    pub fn lines(&mut self) -> Vec<String> {
        let mut lines = Vec::new();
        while let Ok(chunk) = self.0.try_recv() {
            lines.extend(chunk.iter().map(|(_, _, record)| raw(record)));
        }
        lines
    }
}

/// A record as the output format `raw` writes it.
pub(crate) fn raw(record: &Record) -> String {
    let mut out = Vec::new();
    record.view().write_raw(&mut out);
    String::from_utf8_lossy(&out).into_owned()
}

/// What reaches the `out.Collected` of this name.
pub(crate) fn collect(id: &str) -> mpsc::UnboundedReceiver<Vec<(Name, Name, Record)>> {
    let (sender, receiver) = mpsc::unbounded_channel();
    collectors().lock().expect("no panic while collectors are listed").insert(id.into(), sender);
    receiver
}

/// Gives what reaches it to the test that waits for it.
#[derive(Options)]
#[plugin(output, name = "Collected")]
pub(crate) struct CollectedOptions {
    /// The name under which the test waits.
    #[option(positional)]
    id: String,
    /// What becomes of the records.
    #[option(default = "delivered")]
    outcome: Fate,
}

/// What becomes of the records that are collected.
#[derive(Choice, Clone, Copy)]
pub(crate) enum Fate {
    /// They are where they were to go.
    Delivered,
    /// They can never be delivered.
    Rejected,
    /// They cannot be delivered now: the task fails.
    Errored,
}

impl Fate {
    /// The name in a recipe of what leads to this outcome.
    pub(crate) fn of(outcome: Outcome) -> &'static str {
        match outcome {
            Outcome::Delivered => "delivered",
            Outcome::Rejected => "rejected",
            Outcome::Errored => "errored",
        }
    }
}

pub(crate) struct Collect(CollectedOptions);

impl Plugin for Collect {
    type Options = CollectedOptions;

    fn new(options: CollectedOptions, _: &BuildContext) -> Result<Self> {
        Ok(Collect(options))
    }
}

impl Output for Collect {
    async fn write(&mut self, chunk: &Chunk) -> Result<(), WriteError> {
        if matches!(self.0.outcome, Fate::Rejected) && chunk.len() > 1 {
            // The records come again one by one.
            return Err(WriteError::Reject(anyhow!("the test says so")));
        }
        let copy = |batch: &Batch| {
            let (tag, source) = (batch.tag.clone(), batch.source.clone());
            let record = |r: RecordRef<'_>| (tag.clone(), source.clone(), r.to_record());
            batch.iter().map(record).collect::<Vec<_>>()
        };
        let records = chunk.batches().iter().flat_map(copy).collect();
        let collectors = collectors().lock().expect("no panic while collectors are listed");
        if let Some(sender) = collectors.get(&self.0.id) {
            // A test that no longer looks does not want it.
            let _ = sender.send(records);
        }
        match self.0.outcome {
            Fate::Delivered => Ok(()),
            Fate::Rejected => Err(WriteError::Reject(anyhow!("the test says so"))),
            Fate::Errored => Err(WriteError::Fatal(anyhow!("the test says so"))),
        }
    }
}
