//! `out.Stdout`: the agent's standard output.

use std::io::{self, ErrorKind, IsTerminal, Write};

use swak_sdk::prelude::*;
use tokio::task::JoinHandle;

use crate::formats::{Encoder, Format, FormatOptions, Replaced};

/// Writes records to standard output, a chunk at a time.
///
/// When the other end is closed, as by `head`, nothing can be written any more, and the task ends.
///
/// ```swak
/// task(in.DummyData("people", count=3), out.Stdout("csv", columns=["name", "city"]))
/// ```
#[derive(Options)]
#[plugin(output, name = "Stdout")]
pub(crate) struct StdoutOptions {
    /// The form in which records are written.
    #[option(positional, default = "raw")]
    format: Format,
    /// The fields of a row of `format="csv"`.
    #[option(default = [])]
    columns: Vec<FieldPath>,
    /// What stands between two cells of `format="csv"`.
    #[option(default = ",")]
    delimiter: char,
    /// Whether the first row of `format="csv"` names the columns.
    #[option(default = true)]
    header: bool,
    /// The template of `format="template"`, one line a record: `{{ host }} {{ message }}`.
    template: Option<Template>,
}

pub(crate) struct Stdout {
    encoder: Encoder,
    header: Option<Vec<u8>>,
    replaced: Replaced,
    buffer: Vec<u8>,
    /// A write that goes on in its thread although nobody waited for its end.
    writing: Option<JoinHandle<(Vec<u8>, io::Result<()>)>>,
}

impl Plugin for Stdout {
    type Options = StdoutOptions;

    fn new(options: StdoutOptions, cx: &BuildContext) -> Result<Self> {
        let StdoutOptions { format, columns, delimiter, header, template } = options;
        let encoder = Encoder::new(FormatOptions { format, columns, delimiter, template })?;
        let header = encoder.header().filter(|_| header);
        let replaced = Replaced::new(cx.counters().clone());
        Ok(Stdout { encoder, header, replaced, buffer: Vec::new(), writing: None })
    }
}

impl Output for Stdout {
    fn is_exclusive(&self) -> bool {
        true
    }

    async fn write(&mut self, chunk: &Chunk) -> Result<(), WriteError> {
        if let Some(earlier) = &mut self.writing {
            // Cut off before its end; the engine brings its chunk again, whatever comes of it.
            let _ = earlier.await;
            self.writing = None;
        }
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.clear();
        if let Some(header) = &self.header {
            buffer.extend_from_slice(header);
        }
        let encoded = self.encoder.encode(chunk).map_err(|e| WriteError::Reject(e.into()))?;
        encoded.copy_to(&mut buffer);
        let replaced = encoded.replaced();
        // In a thread of its own, as a pipe that nobody reads may block for ever.
        let writing = self.writing.insert(tokio::task::spawn_blocking(move || {
            let result = write_at_once(&buffer);
            (buffer, result)
        }));
        let done = writing.await;
        self.writing = None;
        let (buffer, result) = done?;
        self.buffer = buffer;
        match result {
            Ok(()) => {
                self.replaced.count(replaced);
                self.header = None;
                Ok(())
            }
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Err(WriteError::Fatal(
                Error::new(error).context("standard output was closed by whoever read it"),
            )),
            Err(error) => {
                Err(WriteError::Retry(Error::new(error).context("cannot write to standard output")))
            }
        }
    }
}

/// One write for the whole chunk, so that lines of several tasks do not mix.
fn write_at_once(bytes: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    // A console of Windows refuses what is not UTF-8; nothing else does.
    if cfg!(windows) && stdout.is_terminal() {
        stdout.write_all(String::from_utf8_lossy(bytes).as_bytes())?;
    } else {
        stdout.write_all(bytes)?;
    }
    stdout.flush()
}

#[cfg(test)]
mod tests;
