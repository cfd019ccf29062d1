//! A folder for one test with an agent in it, and the agent while it runs. Recipes name files from
//! this folder, so that they are the same on every machine.

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Output, Stdio};
use std::sync::mpsc::Receiver;
use std::time::Instant;

use crate::built;
use crate::machine::Machine;
use crate::waiting::{self, PATIENCE, lines_of, wait_until};
use crate::wine;

/// A folder with an agent.
pub(crate) struct Place {
    folder: tempfile::TempDir,
    machine: Machine,
}

impl Place {
    /// A new folder with the agent of a machine.
    pub(crate) fn on(machine: Machine) -> Self {
        let place = Place { folder: built::folder(), machine };
        machine.furnish(place.folder.path());
        place
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        fs::write(self.path(name), text).expect("a file can be written");
    }

    /// Adds lines to a file, which is made when it is not there.
    pub(crate) fn append(&self, name: &str, lines: impl IntoIterator<Item = String>) {
        let mut file = fs::OpenOptions::new().append(true).create(true).open(self.path(name));
        let text: String = lines.into_iter().map(|line| line + "\n").collect();
        file.as_mut().expect("a file").write_all(text.as_bytes()).expect("written");
    }

    /// The lines of a file; none while it is not there.
    pub(crate) fn lines(&self, name: &str) -> Vec<String> {
        waiting::lines_in(&self.path(name))
    }

    /// Waits until a file has so many lines.
    pub(crate) fn wait_for_lines(&self, name: &str, count: usize) -> Vec<String> {
        waiting::wait_for_lines(&self.path(name), count)
    }

    /// Runs the agent to its end.
    pub(crate) fn run(&self, args: &[&str]) -> Output {
        let mut command = self.machine.agent(self.folder.path());
        command.args(args).stdin(Stdio::null());
        command.output().unwrap_or_else(|why| panic!("{:?} cannot run: {why}", self.machine))
    }

    /// Runs the agent to its end, which must be a good one, and gives its standard output.
    pub(crate) fn succeed(&self, args: &[&str]) -> String {
        let ran = self.run(args);
        let said = String::from_utf8_lossy(&ran.stderr);
        assert!(ran.status.success(), "{args:?} on {:?}: {}\n{said}", self.machine, ran.status);
        String::from_utf8(ran.stdout).expect("it speaks UTF-8")
    }

    /// Starts the agent with a recipe of this folder and waits until it is at work.
    pub(crate) fn start(&self, recipe: &str) -> Running {
        let folder = self.folder.path();
        let mut command = match self.machine {
            Machine::Wine => wine::on_a_leash(folder, self.machine.executable()),
            _ => self.machine.agent(folder),
        };
        command.args(["run", recipe, "--data-dir", "data"]);
        let running = Running::start(command, self.machine);
        running.wait_for_log("starts");
        running
    }
}

/// An agent that runs. It is killed when the test is done with it.
pub(crate) struct Running {
    child: Child,
    /// What it says in its log.
    log: Receiver<String>,
    /// What orders go through to an agent under Wine.
    leash: Option<ChildStdin>,
}

/// How an agent came to its end.
#[derive(Debug)]
pub(crate) struct Ended {
    /// Its exit status; none after a signal.
    pub(crate) status: Option<i32>,
    /// What it said in its log since the last look.
    pub(crate) log: String,
}

impl Running {
    fn start(mut command: Command, machine: Machine) -> Self {
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        command.stdin(match machine {
            Machine::Wine => Stdio::piped(),
            _ => Stdio::null(),
        });
        let mut child = command.spawn().expect("the agent can be started");
        let log = lines_of(child.stderr.take().expect("it is piped"));
        Running { leash: child.stdin.take(), child, log }
    }

    /// Waits for a line in its log that holds this text.
    pub(crate) fn wait_for_log(&self, text: &str) {
        let until = Instant::now() + PATIENCE;
        let mut seen = Vec::new();
        while let Ok(line) = self.log.recv_timeout(until - Instant::now()) {
            if line.contains(text) {
                return;
            }
            seen.push(line);
        }
        panic!("`{text}` did not come in the log:\n{}", seen.join("\n"));
    }

    /// Asks it to stop, by SIGTERM or Ctrl-Break, and waits for its end.
    pub(crate) fn stop(mut self) -> Ended {
        match &mut self.leash {
            Some(leash) => leash.write_all(wine::BREAK).expect("it listens"),
            None => {
                let pid = self.child.id().to_string();
                let sent = Command::new("kill").args(["-s", "TERM", &pid]).status();
                assert!(sent.expect("kill can be run").success(), "cannot send SIGTERM");
            }
        }
        self.wait()
    }

    /// Ends it with no chance to do anything.
    pub(crate) fn kill(mut self) -> Ended {
        self.end();
        self.wait()
    }

    fn end(&mut self) {
        match self.leash.take() {
            // What was started for it ends it when nobody is there any more to give orders.
            Some(leash) => drop(leash),
            // Only what still runs can be killed; what does not is what is wanted.
            None => drop(self.child.kill()),
        }
    }

    fn wait(&mut self) -> Ended {
        let status = wait_until("the end of an agent", || {
            self.child.try_wait().expect("a child of this test")
        });
        // The stream ends with the process.
        let log: Vec<_> = self.log.iter().collect();
        Ended { status: status.code(), log: log.join("\n") }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end();
        let _ = self.child.wait();
    }
}
