//! Runs one input by itself, with a store of positions that outlives it, and settles what it emits.

use std::sync::Arc;
use std::time::Duration;

use swak_sdk::options::{Args, Key, Kind, Literal, LiteralValue, Span};
use swak_sdk::plugin::erased::AnyPlugin;
use swak_sdk::plugin::{Checkpoints, Counters, CountersSnapshot, ShutdownTrigger};
use swak_sdk::prelude::*;
use swak_test::InMemory;
use tokio::runtime::Runtime;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::error::Elapsed;
use tokio::time::timeout;

/// Far longer than anything takes on a slow, busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// An input as a recipe names it.
pub(crate) struct Call {
    name: &'static str,
    args: Args,
}

impl Call {
    pub(crate) fn new(name: &'static str) -> Self {
        Call { name, args: Args::default() }
    }

    /// A value by position.
    pub(crate) fn arg(mut self, value: impl Into<Value>) -> Self {
        self.args.positional.push(literal(value.into()));
        self
    }

    /// A value by name.
    pub(crate) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        let key = Key { name: name.to_owned(), span: Span::default() };
        self.args.named.push((key, literal(value.into())));
        self
    }

    /// The mistakes that `check` would show.
    pub(crate) fn mistakes(&self) -> Vec<String> {
        let plugins = plugins();
        let entry = plugins.get(Kind::Input, self.name).expect("the input is registered");
        match entry.validate(&self.args, true) {
            Ok(()) => Vec::new(),
            Err(errors) => errors.0.into_iter().map(|e| e.message).collect(),
        }
    }

    /// Runs it with positions that nobody needs afterwards.
    pub(crate) fn start(&self) -> Running {
        self.start_with(&InMemory::default())
    }

    /// Runs it from the positions of a store, and writes to it.
    pub(crate) fn start_with(&self, store: &InMemory) -> Running {
        let plugins = plugins();
        let entry = plugins.get(Kind::Input, self.name).expect("the input is registered");
        let counters = Arc::<Counters>::default();
        let cx = BuildContext::new("test", "1", "", false, Arc::clone(&counters));
        let Ok(AnyPlugin::Input(input)) = entry.build(&self.args, &cx) else {
            panic!("the options make an input");
        };
        let runtime = Runtime::new().expect("a runtime can be made");
        let (sender, chunks) = mpsc::channel(4);
        let checkpoints = Checkpoints::new(Box::new(store.clone()));
        let ledger = Arc::default();
        let out = Emitter::new(sender, "test".into(), checkpoints, Arc::clone(&counters), ledger);
        let (trigger, shutdown) = Shutdown::new();
        let ended = runtime.spawn(input.run(out, shutdown));
        Running { runtime: Some(runtime), chunks, trigger, ended, counters, got: Vec::new() }
    }
}

/// A running input.
pub(crate) struct Running {
    /// `None` once it is being dropped.
    runtime: Option<Runtime>,
    chunks: mpsc::Receiver<Chunk>,
    trigger: ShutdownTrigger,
    ended: JoinHandle<Result<()>>,
    counters: Arc<Counters>,
    got: Vec<Got>,
}

impl Drop for Running {
    /// A test that fails must not wait for an input that nobody stops.
    fn drop(&mut self) {
        self.trigger.trigger();
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// A record that came, and whence.
#[derive(Clone, Debug)]
pub(crate) struct Got {
    pub(crate) source: String,
    pub(crate) record: Record,
}

impl Got {
    /// As the output format `raw` writes it.
    pub(crate) fn raw(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.record.view().write_raw(&mut out);
        out
    }
}

impl Running {
    /// Waits until this many records have come since the start; delivers them.
    pub(crate) fn wait_for(&mut self, records: usize) -> &[Got] {
        while self.got.len() < records {
            match self.next() {
                Ok(Some(chunk)) => self.take(chunk),
                Ok(None) => panic!("the input ended before {records} records: {}", self.last()),
                Err(_) => panic!("{records} records did not come: {}", self.last()),
            }
        }
        &self.got
    }

    /// The records so far, as text.
    pub(crate) fn lines(&mut self, records: usize) -> Vec<String> {
        texts(self.wait_for(records))
    }

    /// Takes the next chunk without saying what becomes of it.
    pub(crate) fn hold_next(&mut self) -> Chunk {
        self.next().expect("a chunk comes").expect("the input goes on")
    }

    /// Waits for something that the input does besides emitting.
    pub(crate) fn wait_until(&mut self, what: &str, mut is_so: impl FnMut() -> bool) {
        let until = std::time::Instant::now() + PATIENCE;
        while !is_so() {
            assert!(std::time::Instant::now() < until, "{what} did not happen");
            if let Ok(chunk) = self.chunks.try_recv() {
                self.take(chunk);
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Stops it and gives all records.
    pub(crate) fn stop(self) -> Vec<Got> {
        self.trigger.trigger();
        self.finish().expect("the input stops in order").0
    }

    /// Stops it, and delivers nothing of what it gives.
    pub(crate) fn stop_undelivered(mut self) {
        self.trigger.trigger();
        while self.next().expect("the input ends").is_some() {}
    }

    /// Waits until it ends by itself and gives all records, and what was counted.
    pub(crate) fn finish(mut self) -> Result<(Vec<Got>, CountersSnapshot)> {
        while let Some(chunk) = self.next().expect("the input ends") {
            self.take(chunk);
        }
        let runtime = self.runtime.as_ref().expect("it is there until it is dropped");
        let ended = runtime.block_on(async { timeout(PATIENCE, &mut self.ended).await });
        ended.expect("the input ends").expect("the input does not panic")?;
        Ok((std::mem::take(&mut self.got), self.counters.snapshot()))
    }

    fn last(&self) -> String {
        let last = &self.got[self.got.len().saturating_sub(10)..];
        format!("{} came, at last {last:?}", self.got.len())
    }

    fn next(&mut self) -> Result<Option<Chunk>, Elapsed> {
        let runtime = self.runtime.as_ref().expect("it is there until it is dropped");
        runtime.block_on(async { timeout(PATIENCE, self.chunks.recv()).await })
    }

    fn take(&mut self, chunk: Chunk) {
        for mut batch in chunk {
            let source = batch.source.to_string();
            for record in batch.records_mut().drain(..) {
                self.got.push(Got { source: source.clone(), record });
            }
            batch.settle(Outcome::Delivered);
        }
    }
}

/// Records as text.
pub(crate) fn texts(got: &[Got]) -> Vec<String> {
    got.iter()
        .map(|g| String::from_utf8(g.raw()).expect("the text of this test is UTF-8"))
        .collect()
}

/// Compares long lists of lines; shows where they part.
#[track_caller]
pub(crate) fn assert_same(got: &[String], expected: &[String], what: &str) {
    let first = got.iter().zip(expected).position(|(a, b)| a != b);
    let first = first.unwrap_or(got.len().min(expected.len()));
    let around =
        |lines: &[String]| lines[first.saturating_sub(2)..lines.len().min(first + 5)].to_vec();
    let (one, other) = (around(got), around(expected));
    assert!(
        got == expected,
        "{what}: {} lines came of {}; from line {first} on {one:?} and not {other:?}",
        got.len(),
        expected.len()
    );
}

fn plugins() -> Plugins {
    let mut plugins = Plugins::new();
    swak_plugin_std::register(&mut plugins);
    plugins
}

fn literal(value: Value) -> Literal {
    Literal::bare(match value {
        Value::Bool(b) => LiteralValue::Bool(b),
        Value::Int(n) => LiteralValue::Int(n),
        Value::Float(n) => LiteralValue::Float(n),
        Value::Text(text) => LiteralValue::Str(text.to_string()),
        Value::List(items) => LiteralValue::List(items.into_iter().map(literal).collect()),
        Value::Map(map) => LiteralValue::Dict(
            map.into_iter()
                .map(|(name, value)| {
                    let key = Key { name: name.to_string(), span: Span::default() };
                    (key, literal(value))
                })
                .collect(),
        ),
        other => panic!("no test gives {other:?}"),
    })
}
