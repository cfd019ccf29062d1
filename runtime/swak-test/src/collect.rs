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
        let copy = |batch: &Batch| {
            let (tag, source) = (batch.tag.clone(), batch.source.clone());
            let mut fork = batch.fork();
            let records = std::mem::take(fork.records_mut());
            fork.settle(Outcome::Delivered);
            records.into_iter().map(move |r| (tag.clone(), source.clone(), r)).collect::<Vec<_>>()
        };
        let records = chunk.batches().iter().flat_map(copy).collect();
        let collectors = collectors().lock().expect("no panic while collectors are listed");
        if let Some(sender) = collectors.get(&self.0.id) {
            // A test that no longer looks does not want it.
            let _ = sender.send(records);
        }
        Ok(())
    }
}
