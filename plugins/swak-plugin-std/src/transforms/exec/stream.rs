//! `mode="stream"`: one process that lives long and answers each line with a line.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use swak_sdk::prelude::*;
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{ChildStdin, ChildStdout};

use super::command::Program;
use super::process::Process;
use super::result::split_lines;
use crate::formats::{Encoded, Encoder, Replaced};

/// How long a process that closed its pipes has to end by itself, so that its exit status is known.
const ENDING: Duration = Duration::from_millis(500);

/// What a process did that answers a line with more than one.
const SURPLUS: &str = "it wrote more than one line for each line";

/// Talks to one process, which is started when it is needed.
pub(super) struct LongLived {
    pub(super) program: Program,
    pub(super) encoder: Encoder,
    pub(super) replaced: Replaced,
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
    /// A process that had answered before and is gone now is started anew, and asked once more. So is
    /// one that has since written a line too many, which would be taken for an answer to this chunk:
    /// that is an error, since those before may not have got their own answers.
    pub(super) async fn run(&mut self, chunk: &Chunk, out: &mut Outlet) -> Result<Batch> {
        let questions = self.encoder.encode(chunk)?;
        self.replaced.count(questions.replaced());
        if let Some(running) = &mut self.running
            && running.wrote_more().await
        {
            let running = self.running.take().expect("it is there");
            report_surplus(&running.end(anyhow!(SURPLUS)).await, out);
        }
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
    pub(super) async fn finish(&mut self, out: &mut Outlet) {
        let Some(Running { mut process, stdin, mut stdout }) = self.running.take() else { return };
        drop(stdin);
        let end = async {
            tokio::select! {
                // What it started may hold the pipe open: the end of that is not waited for.
                ended = process.succeed() => (ended, has_bytes(&mut stdout).await),
                read = stdout.fill_buf() => {
                    let surplus = read.is_ok_and(|bytes| !bytes.is_empty());
                    // One that writes without end is told that nobody reads it.
                    drop(stdout);
                    (process.succeed().await, surplus)
                }
            }
        };
        // All that it was asked is answered, so nothing is lost however it ends.
        match tokio::time::timeout(self.timeout, end).await {
            Ok((ended, surplus)) => {
                if surplus {
                    report_surplus(&anyhow!("`{}`: {SURPLUS}", self.program.name()), out);
                }
                if let Err(error) = ended {
                    tracing::warn!("at the end: {error:#}");
                }
            }
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
        ensure!(!self.wrote_more().await, SURPLUS);
        Ok(answers)
    }

    /// Whether it has written more than it was asked for, as far as that is known by now.
    async fn wrote_more(&mut self) -> bool {
        has_bytes(&mut self.stdout).await
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

/// Tells of lines too many that came when those before them had been handed on.
fn report_surplus(error: &Error, out: &mut Outlet) {
    out.error();
    tracing::error!("{error:#}; results before this may stand at other records than their own");
}

/// Whether there is something to read now.
async fn has_bytes(stdout: &mut BufReader<ChildStdout>) -> bool {
    // The system is asked what has come in while others have their turn.
    tokio::task::yield_now().await;
    let mut stdout = Pin::new(stdout);
    poll_fn(|cx| {
        let read = stdout.as_mut().poll_fill_buf(cx);
        Poll::Ready(matches!(read, Poll::Ready(Ok(bytes)) if !bytes.is_empty()))
    })
    .await
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

#[cfg(all(test, unix))]
mod tests {
    use super::super::command::CommandLine;
    use super::*;
    use crate::formats::{Format, FormatOptions};
    use std::sync::Arc;
    use swak_sdk::plugin::Counters;

    fn long_lived(script: &str) -> LongLived {
        let command = CommandLine::Words(["sh", "-c", script].map(str::to_owned).into());
        let format = FormatOptions {
            format: Format::Raw,
            columns: Vec::new(),
            delimiter: ',',
            template: None,
        };
        LongLived {
            program: Program::new(command, false).expect("a list is a command"),
            encoder: Encoder::new(format).expect("raw needs nothing"),
            replaced: Replaced::new(Arc::default()),
            timeout: Duration::from_secs(60),
            max_output: 1000,
            running: None,
        }
    }

    async fn answer(process: &mut LongLived, line: &str, out: &mut Outlet) -> Vec<String> {
        let record = Record::from_line(line.as_bytes(), Timestamp::default());
        let answers = process.run(&Batch::new(vec![record]).into(), out).await;
        let answers = answers.expect("the process answers");
        let text = |r: RecordRef<'_>| String::from_utf8_lossy(r.line().unwrap_or(b"")).into_owned();
        answers.iter().map(text).collect()
    }

    #[tokio::test]
    async fn a_line_too_many_is_never_taken_for_the_next_answer() {
        let folder = tempfile::tempdir().expect("a folder");
        let (answered, late) = (folder.path().join("answered"), folder.path().join("late"));
        // The first that is run writes one line too many, after its answer was taken.
        let script = format!(
            "read a; echo $a; if ! test -e {late}; then \
             while ! test -e {answered}; do sleep 0.01; done; echo late; touch {late}; fi; cat",
            answered = answered.display(),
            late = late.display(),
        );
        let counters = Arc::<Counters>::default();
        let (mut process, mut out) = (long_lived(&script), Outlet::new(Arc::clone(&counters)));
        assert_eq!(answer(&mut process, "one", &mut out).await, ["one"]);
        std::fs::write(&answered, "").expect("a file can be written");
        for _ in 0..6000 {
            if late.exists() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert_eq!(answer(&mut process, "two", &mut out).await, ["two"]);
        assert_eq!(counters.snapshot().errors, 1, "it is told");
        assert_eq!(answer(&mut process, "three", &mut out).await, ["three"]);
        process.finish(&mut out).await;
        assert_eq!(counters.snapshot().errors, 1);
    }
}
