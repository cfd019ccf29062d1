//! The agents that torture starts: this executable, once more.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::clock;

/// How an agent is started.
#[derive(Clone, Debug)]
pub(super) struct Launch {
    /// After the executable.
    pub(super) args: Vec<OsString>,
    /// In addition to what this process has.
    pub(super) environment: Vec<(OsString, OsString)>,
    /// Where what it says is appended to.
    pub(super) log: PathBuf,
}

/// An agent that runs. It ends with this value, and, since it watches its standard input, with this
/// process.
#[derive(Debug)]
pub(super) struct Agent {
    child: Child,
    log: PathBuf,
    /// Where in the log this run begins.
    begins: u64,
}

/// An agent says this when it is about to run its tasks.
const READY: &str = " starts";

/// How often something is looked at that is waited for.
const LOOK: Duration = Duration::from_millis(5);

impl Launch {
    /// Starts the agent.
    ///
    /// # Errors
    /// As the system says.
    pub(super) fn start(&self) -> io::Result<Agent> {
        let log = OpenOptions::new().create(true).append(true).open(&self.log)?;
        let begins = log.metadata()?.len();
        let mut command = Command::new(std::env::current_exe()?);
        // A signal from the terminal is for the torture alone.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let child = command
            .args(&self.args)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .env_remove("SWAK_LOG")
            .env_remove("SWAK_DATA_DIR")
            .env("NO_COLOR", "1")
            .stdin(Stdio::piped())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        Ok(Agent { child, log: self.log.clone(), begins })
    }
}

impl Agent {
    /// Whether it has said that its tasks are about to run.
    pub(super) fn is_ready(&self) -> bool {
        self.said().contains(READY)
    }

    /// What it said in this run.
    pub(super) fn said(&self) -> String {
        read_from(&self.log, self.begins).unwrap_or_default()
    }

    /// How it ended, if it did.
    pub(super) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Ends it with no chance to do anything.
    pub(super) fn kill(&mut self) {
        // It can only have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        // It may not have had the time to.
        clock::forget(self.child.id());
    }

    /// Asks it to stop. `None` when it does not in so long a time; then it is killed.
    pub(super) fn stop(&mut self, limit: Duration) -> Option<ExitStatus> {
        self.signal(Signal::Stop);
        let until = Instant::now() + limit;
        while Instant::now() < until {
            if let Some(status) = self.ended() {
                return Some(status);
            }
            sleep(LOOK);
        }
        self.kill();
        None
    }

    /// Lets it stand still, or go on.
    pub(super) fn freeze(&self, still: bool) {
        self.signal(if still { Signal::Freeze } else { Signal::GoOn });
    }

    #[cfg(unix)]
    fn signal(&self, signal: Signal) {
        use rustix::process::{Pid, Signal as Number, kill_process};
        let number = match signal {
            Signal::Stop => Number::TERM,
            Signal::Freeze => Number::STOP,
            Signal::GoOn => Number::CONT,
        };
        // It can only have ended already.
        let _ = kill_process(Pid::from_child(&self.child), number);
    }

    /// Faults that need a signal are left out here, see `session`.
    #[cfg(not(unix))]
    fn signal(&self, _: Signal) {}
}

impl Drop for Agent {
    fn drop(&mut self) {
        self.kill();
    }
}

#[derive(Clone, Copy)]
#[cfg_attr(not(unix), allow(dead_code, reason = "there are no signals"))]
enum Signal {
    Stop,
    Freeze,
    GoOn,
}

/// Ends this process when whoever started it is gone: what a hidden agent does.
pub(super) fn end_with_parent() {
    std::thread::spawn(|| {
        // The parent writes nothing; the pipe ends with it.
        let _ = io::copy(&mut io::stdin(), &mut io::sink());
        std::process::exit(1);
    });
}

fn read_from(path: &Path, offset: u64) -> io::Result<String> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(offset))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
