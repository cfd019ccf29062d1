//! One run of a command: its two streams, its end, and the ends that are put to it.

use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use swak_sdk::prelude::*;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, ChildStderr, ChildStdout, Command};
use tokio::time::{Instant, sleep_until};

use crate::inputs::stream_lines::{READ, StreamLines};
use crate::process::Family;

/// A running command. Dropping it kills it, together with everything that it started.
pub(super) struct Process {
    child: Child,
    stdout: Stream<ChildStdout>,
    stderr: Stream<ChildStderr>,
    deadline: Option<Instant>,
    family: Family,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// With status 0.
    Well,
    /// With another status; `said` is the last of its standard error.
    Badly { status: ExitStatus, said: String },
    /// It was ended for taking too long.
    TooLong,
    /// It was ended because the task is stopping.
    Stopped,
}

/// How long a command that was asked to end may take before it is killed.
const GRACE: Duration = Duration::from_secs(3);

/// How long its output is still read after it has ended: what it started may hold it open for ever.
const LINGER: Duration = Duration::from_secs(1);

/// How much of standard error is kept for a message, in bytes.
const SAID: usize = 2048;

impl Process {
    /// Starts it.
    pub(super) fn start(mut command: Command, timeout: Option<Duration>) -> Result<Self> {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let (mut child, family) = Family::start(&mut command)?;
        let stdout = child.stdout.take().expect("standard output was asked to be a pipe");
        let stderr = child.stderr.take().expect("standard error was asked to be a pipe");
        Ok(Process {
            child,
            family,
            stdout: Stream::new(stdout),
            stderr: Stream::new(stderr),
            deadline: timeout.map(|timeout| Instant::now() + timeout),
        })
    }

    /// Reads it to its end and emits its lines: those of standard output, and those of standard
    /// error if there is something to cut them with.
    pub(super) async fn read(
        mut self,
        mut lines: StreamLines,
        mut stderr_lines: Option<StreamLines>,
        source: &Name,
        out: &Emitter,
        shutdown: &mut Shutdown,
    ) -> Result<Ended> {
        let mut said = Vec::new();
        let mut status = None;
        // Why it was asked to end, and when it is killed or given up.
        let (mut asked, mut limit) = (None, self.deadline);
        while status.is_none() || self.stdout.is_open() || self.stderr.is_open() {
            let batch = tokio::select! {
                () = shutdown.triggered(), if asked != Some(Ended::Stopped) => {
                    asked = Some(Ended::Stopped);
                    if status.is_none() {
                        self.family.end();
                        limit = Some(Instant::now() + GRACE);
                    }
                    None
                }
                () = sleep_until(limit.unwrap_or_else(Instant::now)), if limit.is_some() => {
                    if status.is_some() {
                        break;
                    }
                    if asked.is_none() {
                        asked = Some(Ended::TooLong);
                        self.family.end();
                        limit = Some(Instant::now() + GRACE);
                    } else {
                        self.family.kill();
                        limit = None;
                    }
                    None
                }
                ended = self.child.wait(), if status.is_none() => {
                    status = Some(ended.context("cannot wait for the command")?);
                    limit = Some(Instant::now() + LINGER);
                    None
                }
                bytes = self.stdout.read() => bytes.and_then(|bytes| lines.push(bytes)),
                bytes = self.stderr.read() => match (bytes, &mut stderr_lines) {
                    (Some(bytes), Some(lines)) => lines.push(bytes),
                    (Some(bytes), None) => {
                        keep_last(&mut said, bytes, source);
                        None
                    }
                    (None, _) => None,
                },
            };
            if let Some(batch) = batch
                && out.emit(batch.with_source(source.clone())).await == Err(Stopped)
            {
                return Ok(Ended::Stopped);
            }
        }
        if asked.is_some() {
            // What the command started and did not take along.
            self.family.kill();
        }
        let last = [lines.finish(), stderr_lines.and_then(|mut lines| lines.finish())];
        for batch in last.into_iter().flatten() {
            // Stopped or not: this was the last one.
            let _ = out.emit(batch.with_source(source.clone())).await;
        }
        Ok(match (asked, status) {
            (Some(asked), _) => asked,
            (None, Some(status)) if !status.success() => {
                let said = String::from_utf8_lossy(&said).trim().to_owned();
                Ended::Badly { status, said }
            }
            (None, _) => Ended::Well,
        })
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Without a number it has been waited for, and what it left behind was meant to stay.
        if self.child.id().is_some() {
            self.family.kill();
        }
    }
}

/// A pipe that is read until it ends.
struct Stream<R> {
    pipe: Option<R>,
    buffer: Vec<u8>,
}

impl<R: AsyncRead + Unpin> Stream<R> {
    fn new(pipe: R) -> Self {
        Stream { pipe: Some(pipe), buffer: vec![0; READ] }
    }

    fn is_open(&self) -> bool {
        self.pipe.is_some()
    }

    /// What comes next; `None` once, at its end, and never again. May be broken off.
    async fn read(&mut self) -> Option<&[u8]> {
        let Some(pipe) = &mut self.pipe else { return std::future::pending().await };
        match pipe.read(&mut self.buffer).await {
            Ok(n @ 1..) => Some(&self.buffer[..n]),
            // A pipe that cannot be read has nothing more to say.
            Ok(0) | Err(_) => {
                self.pipe = None;
                None
            }
        }
    }
}

/// Shows what a command says on standard error in the log, and keeps the last of it.
fn keep_last(said: &mut Vec<u8>, bytes: &[u8], process: &str) {
    tracing::warn!(process, "{}", String::from_utf8_lossy(bytes).trim_end());
    said.extend_from_slice(bytes);
    if said.len() > SAID {
        said.drain(..said.len() - SAID);
    }
}
