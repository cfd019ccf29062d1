//! A parser for a log format of our own, and a plugin crate to learn from.
//!
//! `out.MyLogParser` turns lines such as
//!
//! ```text
//! 2026-11-21 10:30:00.123 [INFO] web: started in 12 ms
//! ```
//!
//! into the fields `level`, `component` and `message`, and the time of the line into the time of the
//! record. A plugin crate is these four parts: `register`, the options, the plugin, and what it does
//! with a batch. Your own begins with `swak-makebuild new-plugin`.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use swak_sdk::prelude::*;

/// Adds the plugins of this crate; the `main.rs` of an agent that imports it calls this.
pub fn register(plugins: &mut Plugins) {
    plugins.transform::<MyLogParser>();
}

// The options. Recipes, `desc`, the JSON Schema and the reference all follow from this struct and
// its doc comments; the first sentence here is what `list` shows.

/// Parses lines of the form `2026-11-21 10:30:00.123 [INFO] web: started in 12 ms`.
///
/// The fields are `level`, `component` and `message`; the time of the line, in the time zone of the
/// machine, becomes the time of the record.
///
/// ```example
/// out.MyLogParser()
/// < 2026-11-21 10:30:00.123 [INFO] web: started in 12 ms
/// > {"level":"INFO","component":"web","message":"started in 12 ms"}
/// ```
#[derive(Options)]
#[plugin(transform, name = "MyLogParser")]
pub struct MyLogParserOptions {
    /// What becomes of a record that is not such a line.
    #[option(default = "keep")]
    on_error: OnError,
}

/// What becomes of a record that cannot be parsed.
#[derive(Clone, Copy, PartialEq, Choice)]
enum OnError {
    /// It goes on as it is, and is counted as an error.
    Keep,
    /// It is dropped, and counted as dropped.
    Drop,
    /// It goes where the task's `dead_letter` says.
    DeadLetter,
}

/// The plugin: what it needs to do its work, and nothing else.
struct MyLogParser {
    on_error: OnError,
    zone: TimeZone,
}

impl Plugin for MyLogParser {
    type Options = MyLogParserOptions;

    // What is wrong with the options beyond their types is said here. Files, sockets and processes
    // are not touched: `check` calls this too.
    fn new(options: MyLogParserOptions, cx: &BuildContext) -> Result<Self> {
        ensure!(
            options.on_error != OnError::DeadLetter || cx.has_dead_letter(),
            "on_error=\"dead_letter\", but this task has no dead letter: \
             add task(…, dead_letter=out.File(\"dead.log\"))"
        );
        Ok(MyLogParser { on_error: options.on_error, zone: TimeZone::system() })
    }
}

impl Transform for MyLogParser {
    // Every record leaves through `out`, one way or another; so none is lost without being counted.
    fn apply(&mut self, mut batch: Batch, out: &mut Outlet) -> Result<()> {
        match self.on_error {
            OnError::Keep => {
                for record in batch.records_mut() {
                    if self.parse(record).is_none() {
                        out.error();
                    }
                }
            }
            OnError::Drop => out.drop_batch(self.take_unread(&mut batch), "not a line of MyLog"),
            OnError::DeadLetter => out.reject(self.take_unread(&mut batch), "not a line of MyLog"),
        }
        out.emit(batch);
        Ok(())
    }
}

impl MyLogParser {
    /// Parses the records of the batch, and takes out those that cannot be.
    fn take_unread(&self, batch: &mut Batch) -> Batch {
        let unread = |record: &mut Record| self.parse(record).is_none();
        let unread = batch.records_mut().extract_if(.., unread).collect();
        // `derive` shares the ack: the input hears when both batches are settled.
        batch.derive(unread)
    }

    /// Gives the record its fields and time, or leaves it as it was.
    fn parse(&self, record: &mut Record) -> Option<()> {
        let line = record.line()?;
        // The format is looked at as bytes; only the time must be text. A message that is not UTF-8
        // is kept byte for byte.
        let (time, rest) = split_once(line, b" [")?;
        let (level, rest) = split_once(rest, b"] ")?;
        let (component, message) = split_once(rest, b": ")?;
        let time: DateTime = std::str::from_utf8(time).ok()?.parse().ok()?;
        let time = self.zone.to_timestamp(time).ok()?;

        // `subset` gives a slice of the block that the line was read from: no byte is copied.
        let value = |part| line.subset(part).map(|slice| Value::from_slice(&slice));
        let mut fields = Map::with_capacity(3);
        fields.insert("level", value(level)?);
        fields.insert("component", value(component)?);
        fields.insert("message", value(message)?);
        record.set_fields(fields);
        record.set_time(time.into());
        Some(())
    }
}

/// What stands before and after the first `mark`.
fn split_once<'a>(text: &'a [u8], mark: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = memchr::memmem::find(text, mark)?;
    Some((&text[..at], &text[at + mark.len()..]))
}
