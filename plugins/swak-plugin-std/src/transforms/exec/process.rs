//! A process with everything it started, and what it said on standard error.

use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use swak_sdk::prelude::*;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::task::JoinHandle;

use crate::process::Family;

/// How much of what a process says on standard error is kept for messages, in bytes.
const STDERR_KEPT: usize = 4096;

/// How long standard error is read on after the process has ended: what it started may hold it open.
const STDERR_GRACE: Duration = Duration::from_millis(200);

/// A running process. Dropping it ends it, together with everything that it started.
pub(super) struct Process {
    child: Child,
    family: Family,
    stderr: Arc<Mutex<Vec<u8>>>,
    reading: JoinHandle<()>,
    name: String,
}

impl Process {
    /// Starts a process. `piped` gives it pipes for standard input and output; otherwise it has
    /// none.
    pub(super) fn start(mut command: Command, name: &str, piped: bool) -> Result<Self> {
        let pipe = || if piped { Stdio::piped() } else { Stdio::null() };
        command.stdin(pipe()).stdout(pipe()).stderr(Stdio::piped());
        let (mut child, family) = Family::start(&mut command)?;
        let stderr = Arc::default();
        let pipe = child.stderr.take().expect("standard error was asked to be a pipe");
        let reading = tokio::spawn(keep_end(pipe, Arc::clone(&stderr), name.to_owned()));
        Ok(Process { child, family, stderr, reading, name: name.to_owned() })
    }

    /// Its pipes; once.
    pub(super) fn pipes(&mut self) -> Option<(ChildStdin, ChildStdout)> {
        self.child.stdin.take().zip(self.child.stdout.take())
    }

    /// Waits until it ends. May be cut off.
    pub(super) async fn wait(&mut self) -> Result<ExitStatus> {
        self.child.wait().await.with_context(|| format!("cannot wait for `{}`", self.name))
    }

    /// Waits until it ends; any status but 0 is an error that says it, with what was said on
    /// standard error.
    pub(super) async fn succeed(&mut self) -> Result<()> {
        let status = self.wait().await?;
        if status.success() {
            return Ok(());
        }
        Err(self.failure(&status.to_string()).await)
    }

    /// The error of a process that ended or was ended, with what it said on standard error.
    pub(super) async fn failure(&mut self, what: &str) -> Error {
        if self.child.id().is_none() {
            let _ = tokio::time::timeout(STDERR_GRACE, &mut self.reading).await;
        }
        let said = self.stderr.lock().expect("no panic while standard error is locked");
        let said = String::from_utf8_lossy(&said);
        match said.trim() {
            "" => anyhow!("`{}`: {what}", self.name),
            said => anyhow!("`{}`: {what}; it said: {said}", self.name),
        }
    }

    /// Ends it and everything it started.
    pub(super) fn kill(&mut self) {
        self.family.kill();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // One that has been waited for ended in order, and what it left behind was meant to stay.
        if self.child.id().is_some() {
            self.kill();
        }
        self.reading.abort();
    }
}

/// Reads standard error to its end, so that the process never waits for it; keeps the last of it,
/// and shows it in the log.
async fn keep_end(mut pipe: impl AsyncRead + Unpin, kept: Arc<Mutex<Vec<u8>>>, name: String) {
    let mut buffer = [0; STDERR_KEPT];
    while let Ok(n @ 1..) = pipe.read(&mut buffer).await {
        let said = &buffer[..n];
        tracing::debug!(process = name, "{}", String::from_utf8_lossy(said).trim_end());
        let mut kept = kept.lock().expect("no panic while standard error is locked");
        kept.extend_from_slice(said);
        let excess = kept.len().saturating_sub(STDERR_KEPT);
        kept.drain(..excess);
    }
}
