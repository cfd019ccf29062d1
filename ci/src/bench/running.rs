//! A contestant at work: started, looked at until the work is done, ended in order.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

use super::meter::{self, Usage};

/// How often to look whether something came out.
const LOOK: Duration = Duration::from_micros(500);

/// After how long without anything new a run is given up.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long an orderly end may take.
const END: Duration = Duration::from_secs(30);

/// A process that is killed when nobody ends it.
pub(crate) struct Running {
    child: Child,
    started: Instant,
    said: PathBuf,
}

/// How far the output is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Seen {
    /// How much there is: lines, bytes or records.
    pub(crate) count: u64,
    /// Whether this is all that is to come.
    pub(crate) complete: bool,
}

/// What a run came to.
pub(crate) struct Finished {
    /// From the start of the process to the last of the output.
    pub(crate) wall: Duration,
    /// From the start of the process to the first of the output.
    pub(crate) first: Duration,
    /// What was used until the last of the output was there.
    pub(crate) usage: Usage,
}

impl Running {
    /// Starts a command; what it says on standard error is kept in a folder.
    pub(crate) fn start(command: &mut Command, folder: &Path) -> Result<Running> {
        let said = folder.join("stderr");
        command.stderr(Stdio::from(File::create(&said)?));
        let started = Instant::now();
        let child = command
            .spawn()
            .with_context(|| format!("cannot start `{}`", command.get_program().display()))?;
        Ok(Running { child, started, said })
    }

    /// What it has used up to now.
    pub(crate) fn usage(&self) -> Usage {
        meter::usage(self.child.id())
    }

    /// How long it has been running.
    pub(crate) fn age(&self) -> Duration {
        self.started.elapsed()
    }

    /// Waits until all output is there. What looks is told how long the process has been running.
    ///
    /// # Errors
    /// When the process ends before, or nothing comes for a minute.
    pub(crate) fn finish(
        &mut self,
        look: &mut dyn FnMut(Duration) -> Result<Seen>,
    ) -> Result<Finished> {
        let mut last = Seen::default();
        let (mut grown, mut first) = (Instant::now(), None);
        loop {
            let seen = look(self.age())?;
            let now = Instant::now();
            if seen.count > 0 {
                first.get_or_insert(now - self.started);
            }
            if seen.complete {
                let (wall, usage) = (now - self.started, self.usage());
                return Ok(Finished { wall, first: first.unwrap_or(wall), usage });
            }
            if seen.count != last.count {
                (last, grown) = (seen, now);
            }
            if grown.elapsed() > PATIENCE {
                bail!("nothing came out for a minute, after {}{}", last.count, self.words());
            }
            self.alive()?;
            thread::sleep(LOOK);
        }
    }

    /// # Errors
    /// When the process has ended.
    pub(crate) fn alive(&mut self) -> Result<()> {
        match self.child.try_wait()? {
            Some(status) => bail!("it ended with {status}{}", self.words()),
            None => Ok(()),
        }
    }

    /// Asks it to end and waits until it has.
    ///
    /// # Errors
    /// When it does not end in half a minute, and is killed.
    pub(crate) fn end(mut self) -> Result<()> {
        kill_process(Pid::from_child(&self.child), Signal::TERM)?;
        let asked = Instant::now();
        while self.child.try_wait()?.is_none() {
            if asked.elapsed() > END {
                bail!("it does not end when it is asked to{}", self.words());
            }
            thread::sleep(Duration::from_millis(1));
        }
        Ok(())
    }

    /// The last of what it said on standard error.
    fn words(&self) -> String {
        let said = fs::read(&self.said).unwrap_or_default();
        let said = String::from_utf8_lossy(&said);
        let lines: Vec<_> = said.lines().rev().take(10).collect();
        lines.into_iter().rev().map(|line| format!("\n      {line}")).collect()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // One that has ended is not killed again.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
