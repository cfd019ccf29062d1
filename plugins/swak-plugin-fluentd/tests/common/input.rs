//! An `in.Fluentd` whose batches the test takes and settles itself.

use std::sync::Arc;
use std::time::Duration;

use swak_sdk::data::{Chunk, Name};
use swak_sdk::options::{Args, Key, Kind, Literal, LiteralValue};
use swak_sdk::plugin::erased::AnyPlugin;
use swak_sdk::plugin::{BuildContext, Checkpoints, Emitter, Plugins, Shutdown, ShutdownTrigger};
use swak_test::InMemory;
use tokio::runtime::Runtime;
use tokio::sync::mpsc;

use super::free_port;

pub(crate) struct Input {
    pub(crate) port: u16,
    pub(crate) cx: BuildContext,
    pub(crate) chunks: mpsc::Receiver<Chunk>,
    pub(crate) shutdown: ShutdownTrigger,
    pub(crate) runtime: Runtime,
}

impl Input {
    /// Listens on a free port.
    pub(crate) fn start(options: &[(&str, &str)]) -> Self {
        let options: Vec<_> = options.iter().map(|(name, value)| (*name, text(value))).collect();
        Input::start_at(free_port(), options)
    }

    /// Listens on this port.
    pub(crate) fn start_at(port: u16, options: Vec<(&str, LiteralValue)>) -> Self {
        let mut plugins = Plugins::new();
        swak_plugin_fluentd::register(&mut plugins);
        let listen = Literal::bare(text(&format!("127.0.0.1:{port}")));
        let mut args = Args { positional: vec![listen], ..Args::default() };
        for (name, value) in options {
            let key = Key { name: name.to_owned(), span: Default::default() };
            args.named.push((key, Literal::bare(value)));
        }
        let cx = BuildContext::for_check();
        let entry = plugins.get(Kind::Input, "Fluentd").expect("it is registered");
        let Ok(AnyPlugin::Input(input)) = entry.build(&args, &cx) else {
            panic!("in.Fluentd is an input, and its options are good");
        };
        let (sender, chunks) = mpsc::channel(16);
        let checkpoints = Checkpoints::new(Box::new(InMemory::default()));
        let (counters, ledger) = (Arc::clone(cx.counters()), Arc::default());
        let out = Emitter::new(sender, Name::from("test"), checkpoints, counters, ledger);
        let (trigger, shutdown) = Shutdown::new();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime can be made");
        runtime.spawn(input.run(out, shutdown));
        Input { port, cx, chunks, shutdown: trigger, runtime }
    }

    /// The next batch.
    pub(crate) fn next(&mut self) -> Chunk {
        self.next_within(Duration::from_secs(60)).expect("a batch comes")
    }

    /// The next batch, if one comes in time.
    pub(crate) fn next_within(&mut self, limit: Duration) -> Option<Chunk> {
        let next =
            self.runtime.block_on(async { tokio::time::timeout(limit, self.chunks.recv()).await });
        next.ok().map(|chunk| chunk.expect("the input runs"))
    }

    /// How many errors it has counted.
    pub(crate) fn errors(&self) -> u64 {
        self.cx.counters().snapshot().errors
    }

    /// Ends at once: nothing is flushed, nobody is answered.
    pub(crate) fn kill(self) {
        // Its port is free when this returns.
        self.runtime.shutdown_timeout(Duration::from_secs(60));
    }
}

pub(crate) fn text(text: &str) -> LiteralValue {
    LiteralValue::Str(text.to_owned())
}
