//! `mode="stream"`: one process that lives long and answers each line with a line.

use std::time::Duration;

use swak_sdk::prelude::*;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{ChildStdin, ChildStdout};

use super::command::Program;
use super::process::Process;
use super::result::split_lines;
use crate::formats::{Encoded, Encoder};

/// How long a process that closed its pipes has to end by itself, so that its exit status is known.
const ENDING: Duration = Duration::from_millis(500);

/// Talks to one process, which is started when it is needed.
pub(super) struct LongLived {
    pub(super) program: Program,
    pub(super) encoder: Encoder,
    pub(super) timeout: Duration,
    pub(super) max_output: usize,
    pub(super) running: Option<Running>,
}

/// A process with its pipes.
pub(super) struct Running {
    process: Process,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

impl LongLived {
    /// The process's answers to the records of a chunk, one line for each, in order.
    ///
    /// A process that had answered before and is gone now is started anew, and asked once more.
    pub(super) async fn run(&mut self, chunk: &Chunk) -> Result<Batch> {
        let questions = self.encoder.encode(chunk)?;
        loop {
            // Held here and not in `self`: should this be cut off, the process is ended, since
            // nobody would know which of its answers are to which questions.
            let (mut running, known) = match self.running.take() {
                Some(running) => (running, true),
                None => (Running::start(&self.program)?, false),
            };
            let asked = running.ask(&questions, chunk.len(), self.max_output);
            match tokio::time::timeout(self.timeout, asked).await {
                Ok(Ok(answers)) => {
                    self.running = Some(running);
                    return Ok(split_lines(answers));
                }
                Ok(Err(broken)) => {
                    let error = running.end(broken).await;
                    if !known {
                        return Err(error);
                    }
                    tracing::warn!("the process is started anew: {error:#}");
                }
                Err(_) => {
                    running.process.kill();
                    let _ = running.process.wait().await;
                    let what = format!("ended because it took longer than {:?}", self.timeout);
                    return Err(running.process.failure(&what).await);
                }
            }
        }
    }

    /// Lets the process end: it reads the end of its standard input.
    pub(super) async fn finish(&mut self) {
        let Some(Running { mut process, stdin, stdout }) = self.running.take() else { return };
        drop((stdin, stdout));
        // All that it was asked is answered, so nothing is lost however it ends.
        match tokio::time::timeout(self.timeout, process.succeed()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!("at the end: {error:#}"),
            Err(_) => {
                let name = self.program.name();
                tracing::warn!("`{name}` did not end in time when its input did, and was ended");
            }
        }
    }
}

impl Running {
    fn start(program: &Program) -> Result<Self> {
        let mut process = Process::start(program.command(None), &program.name(), true)?;
        let (stdin, stdout) = process.pipes().expect("pipes were asked for and not taken yet");
        Ok(Running { process, stdin, stdout: BufReader::with_capacity(64 * 1024, stdout) })
    }

    /// Writes and reads at the same time: a process may answer before it has read everything.
    async fn ask(&mut self, questions: &Encoded<'_>, n: usize, max: usize) -> Result<Vec<u8>> {
        let Running { stdin, stdout, .. } = self;
        let write = async {
            for slice in questions.slices() {
                stdin.write_all(slice).await.context("it reads no more lines")?;
            }
            stdin.flush().await.context("it reads no more lines")
        };
        let ((), answers) = tokio::try_join!(write, read_lines(stdout, n, max))?;
        ensure!(stdout.buffer().is_empty(), "it wrote more than one line for each line");
        Ok(answers)
    }

    /// Ends a process that did not keep to the rules, and says what is known of it.
    async fn end(mut self, broken: Error) -> Error {
        let status = tokio::time::timeout(ENDING, self.process.wait()).await;
        let what = match status {
            Ok(Ok(status)) => format!("{status}, when {broken:#}"),
            _ => {
                self.process.kill();
                let _ = self.process.wait().await;
                format!("ended because {broken:#}")
            }
        };
        self.process.failure(&what).await
    }
}

/// Reads so many lines and not a byte more.
async fn read_lines(stdout: &mut BufReader<ChildStdout>, n: usize, max: usize) -> Result<Vec<u8>> {
    let (mut lines, mut found) = (Vec::new(), 0);
    while found < n {
        let read = stdout.fill_buf().await.context("its answers cannot be read")?;
        ensure!(!read.is_empty(), "it had answered {found} of {n} lines");
        let last = memchr::memchr_iter(b'\n', read).nth(n - found - 1);
        let used = match last {
            Some(end) => {
                found = n;
                end + 1
            }
            None => {
                found += memchr::memchr_iter(b'\n', read).count();
                read.len()
            }
        };
        ensure!(lines.len() + used <= max, "its answers are longer than `max_output`");
        lines.extend_from_slice(&read[..used]);
        stdout.consume(used);
    }
    Ok(lines)
}
