//! `out.Exec`: another program changes the records.

pub(crate) mod command;
mod file;
mod process;
mod result;
mod stream;

use std::time::Duration;

use swak_sdk::prelude::*;

use self::command::{CommandLine, Program};
use self::file::PerChunk;
use self::result::ResultFormat;
use self::stream::LongLived;
use super::unreadable::no_dead_letter;
use crate::formats::{Encoder, Format, FormatOptions, Replaced};

/// Gives records to another program and goes on with what it makes of them.
///
/// With `mode="file"` the program is started for each chunk, so a buffer before it says how many
/// records it sees at once. They are in the file that its last but one argument names; it writes its
/// results, one a line, to the file that its last argument names. Where the command says `{input}`
/// and `{output}`, the names stand there instead. It may write as many lines as it likes. The records
/// count as delivered when its results are.
///
/// With `mode="stream"` the program is started once. It reads records as lines on standard input and
/// answers each with one line on standard output, in order, without waiting for more: a program that
/// keeps its answers in a buffer of its own must be told not to (`python -u`, `sed -u`, `grep
/// --line-buffered`). A result takes the time, tag and source of the record that it answers. A
/// program that ended is started again when there are records, and asked once more. So is one that
/// wrote a line too many after its answers had gone on, which is counted as an error.
///
/// A program that cannot be started, ends with another exit status than 0, takes too long or breaks
/// these rules has failed for the whole chunk; the error says how it ended and what it last said on
/// standard error.
///
/// ```example
/// out.LinedBuffer(1000), out.Exec("sort -u -o {output} {input}")
/// < pear
/// < apple
/// < pear
/// > apple
/// > pear
/// ```
///
/// ```example
/// out.Exec("while read -r n; do echo $((n * 2)); done", shell=True, mode="stream")
/// < 4
/// < 21
/// > 8
/// > 42
/// ```
#[derive(Options)]
#[plugin(transform, name = "Exec")]
pub(crate) struct ExecOptions {
    /// The program and its arguments, as a list or as one string, which is taken apart at spaces
    /// and quotes as a shell does it.
    #[option(positional)]
    command: CommandLine,
    /// Whether the command is a line for the system's shell: `sh -c`, or `cmd /C` on Windows.
    #[option(default = false)]
    shell: bool,
    /// How the program gets records.
    #[option(default = "file")]
    mode: Mode,
    /// The form in which it gets them: any with `mode="file"`, raw or json with `mode="stream"`.
    #[option(default = "raw")]
    format: Format,
    /// The fields of a row of `format="csv"`, whose first row names them.
    #[option(default = [])]
    columns: Vec<FieldPath>,
    /// What stands between two cells of `format="csv"`.
    #[option(default = ",")]
    delimiter: char,
    /// The template of `format="template"`.
    template: Option<Template>,
    /// How its results are read.
    #[option(default = "lines")]
    result: ResultFormat,
    /// The longest that a chunk may take. Then the program is ended with all that it started.
    #[option(default = "60s")]
    timeout: Duration,
    /// The largest result of one chunk.
    #[option(default = "64m")]
    max_output: ByteSize,
    /// What becomes of a chunk for which the program failed.
    #[option(default = "retry")]
    on_error: Placed<OnFailure>,
}

/// How a program gets records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Choice)]
enum Mode {
    /// Started for each chunk, with the name of a file to read and of a file to write.
    File,
    /// Started once, with lines on standard input and output.
    Stream,
}

/// What becomes of a chunk for which the program failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Choice)]
enum OnFailure {
    /// The task ends with the error and starts again with back-off; an input that knows its position
    /// reads the records again.
    Retry,
    /// Its records go to the task's `dead_letter`.
    DeadLetter,
    /// Its records are dropped, and counted as dropped.
    Drop,
}

pub(crate) struct Exec {
    runner: Runner,
    result: ResultFormat,
    on_error: OnFailure,
}

enum Runner {
    File(Box<PerChunk>),
    Stream(Box<LongLived>),
}

impl Plugin for Exec {
    type Options = ExecOptions;

    fn new(options: ExecOptions, cx: &BuildContext) -> Result<Self> {
        let ExecOptions { command, shell, mode, format, timeout, max_output, .. } = options;
        if *options.on_error == OnFailure::DeadLetter && !cx.has_dead_letter() {
            return Err(no_dead_letter(&options.on_error, "on_error").into());
        }
        ensure!(!timeout.is_zero(), "`timeout` is 0, so no program could answer in time");
        ensure!(
            mode == Mode::File || matches!(format, Format::Raw | Format::Json | Format::Record),
            "mode=\"stream\" knows one line a record, but format=\"{}\" may need more: \
             use format=\"raw\" or format=\"json\"",
            format.name()
        );
        let program = Program::new(command, shell)?;
        let encoder = Encoder::new(FormatOptions {
            format,
            columns: options.columns,
            delimiter: options.delimiter,
            template: options.template,
        })?;
        let replaced = Replaced::new(cx.counters().clone());
        // What is read becomes one block.
        let max_output = max_output.as_usize().min(Block::MAX);
        let runner = match mode {
            Mode::File => {
                let max_output = max_output as u64;
                let process = PerChunk { program, encoder, replaced, timeout, max_output };
                Runner::File(Box::new(process))
            }
            Mode::Stream => {
                let running = None;
                let process =
                    LongLived { program, encoder, replaced, timeout, max_output, running };
                Runner::Stream(Box::new(process))
            }
        };
        Ok(Exec { runner, result: options.result, on_error: *options.on_error })
    }
}

impl AsyncTransform for Exec {
    async fn apply(&mut self, mut chunk: Chunk, out: &mut Outlet) -> Result<()> {
        if let Runner::Stream(_) = self.runner {
            reject_broken_lines(&mut chunk, out);
        }
        if chunk.is_empty() {
            chunk.settle(Outcome::Delivered);
            return Ok(());
        }
        let results = match &mut self.runner {
            Runner::File(process) => process.run(&chunk).await,
            Runner::Stream(process) => process.run(&chunk, out).await,
        };
        match results {
            Ok(results) => {
                match &self.runner {
                    Runner::File(_) => self.emit_all(chunk, results, out),
                    Runner::Stream(_) => self.emit_each(chunk, &results, out),
                }
                Ok(())
            }
            Err(error) => self.fail(chunk, error, out),
        }
    }

    async fn flush(&mut self, out: &mut Outlet) -> Result<()> {
        if let Runner::Stream(process) = &mut self.runner {
            process.finish(out).await;
        }
        Ok(())
    }
}

impl Exec {
    /// Hands on results that stem from the chunk as a whole. Whatever the program left out, the recipe
    /// asked it to.
    fn emit_all(&self, chunk: Chunk, mut results: Batch, out: &mut Outlet) {
        if results.is_empty() {
            chunk.into_iter().for_each(|batch| out.filter_out(batch));
            return;
        }
        self.result.read(&mut results, out);
        out.counters().filtered(chunk.len().saturating_sub(results.len()));
        let results = std::mem::take(results.records_mut());
        out.emit(Batch::made_of(results, chunk.into_iter().collect()));
    }

    /// Hands on results of which each answers one record.
    fn emit_each(&self, chunk: Chunk, results: &Batch, out: &mut Outlet) {
        let (block, lines) = results.lines().expect("answers are read as lines");
        let mut lines = lines.iter();
        for mut batch in chunk {
            let line = |(record, range): (RecordRef<'_>, &LineRange)| {
                let line = block.slice(range.start as usize, range.end as usize);
                let mut answer = Record::from_line(line, record.time());
                answer.set_weight(record.weight());
                answer
            };
            let answers: Vec<_> = batch.iter().zip(lines.by_ref()).map(line).collect();
            let mut answers =
                Batch::new(answers).with_tag(batch.tag.clone()).with_source(batch.source.clone());
            if let Some(ack) = batch.take_ack() {
                answers = answers.with_ack(ack);
            }
            self.result.read(&mut answers, out);
            out.emit(answers);
        }
    }

    fn fail(&self, chunk: Chunk, error: Error, out: &mut Outlet) -> Result<()> {
        if self.on_error == OnFailure::Retry {
            // The chunk is dropped unsettled, which tells its input that it was not delivered.
            return Err(error);
        }
        tracing::error!(records = chunk.len(), "{error:#}");
        for batch in chunk {
            match self.on_error {
                OnFailure::DeadLetter => out.reject(batch, format!("{error:#}")),
                OnFailure::Retry | OnFailure::Drop => out.drop_batch(batch, "the program failed"),
            }
        }
        Ok(())
    }
}

/// Takes out lines that hold a line break: a program would answer them with more than one line.
fn reject_broken_lines(chunk: &mut Chunk, out: &mut Outlet) {
    let is_broken = |line: Option<&[u8]>| line.is_some_and(|l| memchr::memchr(b'\n', l).is_some());
    for batch in chunk.batches_mut() {
        if batch.iter().any(|record| is_broken(record.line())) {
            let broken = |record: &mut Record| is_broken(record.line().map(|line| &**line));
            let broken = batch.records_mut().extract_if(.., broken).collect();
            out.reject(batch.derive(broken), "a line break within a record, with mode=\"stream\"");
        }
    }
}

#[cfg(test)]
mod tests;
