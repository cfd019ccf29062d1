//! An `out.Fluentd` that the test calls itself.

use swak_sdk::data::{Batch, Chunk, Record, Timestamp};
use swak_sdk::options::{Args, Key, Kind, Literal, LiteralValue};
use swak_sdk::plugin::erased::{AnyOutput, AnyPlugin};
use swak_sdk::plugin::{BuildContext, Plugins};
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

use super::input::text;

/// Options by name; `True` is the word, everything else is text.
pub(crate) type Options<'a> = &'a [(&'a str, &'a str)];

type Written = (Box<dyn AnyOutput>, Result<(), String>);

pub(crate) struct Sender {
    output: Option<Box<dyn AnyOutput>>,
    under_way: Option<JoinHandle<Written>>,
    cx: BuildContext,
    runtime: Runtime,
}

impl Sender {
    /// Sends to this port.
    pub(crate) fn new(port: u16, options: Options<'_>) -> Self {
        let mut plugins = Plugins::new();
        swak_plugin_fluentd::register(&mut plugins);
        let mut args = Args::default();
        args.positional.push(Literal::bare(text(&format!("127.0.0.1:{port}"))));
        let limits = [("connect_timeout", "10s"), ("ack_timeout", "10s")];
        let given = |name| options.iter().any(|(given, _)| *given == name);
        let limits = limits.iter().filter(|(name, _)| !given(*name));
        for (name, value) in options.iter().chain(limits) {
            let key = Key { name: (*name).to_owned(), span: Default::default() };
            let value = match *value {
                "True" => LiteralValue::Bool(true),
                value => text(value),
            };
            args.named.push((key, Literal::bare(value)));
        }
        let cx = BuildContext::for_check();
        let entry = plugins.get(Kind::Output, "Fluentd").expect("it is registered");
        let Ok(AnyPlugin::Output(output)) = entry.build(&args, &cx) else {
            panic!("out.Fluentd is an output, and its options are good");
        };
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime can be made");
        Sender { output: Some(output), under_way: None, cx, runtime }
    }

    /// Sends a chunk of a line, and waits for what comes of it.
    pub(crate) fn write(&mut self) -> Result<(), String> {
        self.start_write();
        self.written()
    }

    /// Begins to send a chunk of a line.
    pub(crate) fn start_write(&mut self) {
        let mut output = self.output.take().expect("nothing is under way");
        self.under_way = Some(self.runtime.spawn(async move {
            let line = Record::from_line(&b"one"[..], Timestamp::now());
            let chunk = Chunk::from(Batch::new(vec![line]));
            let written = output.write(&chunk).await.map_err(|error| error.to_string());
            (output, written)
        }));
    }

    /// What came of it.
    pub(crate) fn written(&mut self) -> Result<(), String> {
        let under_way = self.under_way.take().expect("something was begun");
        let (output, written) = self.runtime.block_on(under_way).expect("no panic");
        self.output = Some(output);
        written
    }

    /// How many errors it has counted by itself, without those that it returned.
    pub(crate) fn errors(&self) -> u64 {
        self.cx.counters().snapshot().errors
    }
}
