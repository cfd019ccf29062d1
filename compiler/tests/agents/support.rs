//! Building agents once, and running them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::Receiver;
use std::time::Instant;

use crate::waiting::{self, lines_of};
pub(crate) use crate::waiting::{PATIENCE, root, wait_until};

/// The agent of `build-configs/NAME-build.yml`. Built when it is not there or not up to date; all
/// tests share what is compiled.
pub(crate) fn agent(config: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("agents");
    let built = Command::new(env!("CARGO_BIN_EXE_swak-makebuild"))
        .arg(root().join(format!("build-configs/{config}-build.yml")))
        .args(["--profile", "debug", "--json", "--build-dir"])
        .arg(folder.join("build"))
        .arg("--out")
        .arg(folder.join("dist"))
        .output()
        .expect("the compiler can be run");
    let said = String::from_utf8_lossy(&built.stderr);
    assert!(built.status.success(), "{config} cannot be built:\n{said}");
    let name = if config == "swak" { "swak".to_owned() } else { format!("swak-{config}") };
    folder.join("dist").join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
}

/// A folder for one test, with what an agent keeps.
pub(crate) struct Place(tempfile::TempDir);

impl Place {
    pub(crate) fn new() -> Self {
        Place(tempfile::tempdir().expect("a folder"))
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        fs::write(self.path(name), text).expect("a file can be written");
        self.path(name)
    }

    /// The lines of a file; none while it is not there.
    pub(crate) fn lines(&self, name: &str) -> Vec<String> {
        waiting::lines_in(&self.path(name))
    }

    /// Waits until a file has so many lines.
    pub(crate) fn wait_for_lines(&self, name: &str, count: usize) -> Vec<String> {
        waiting::wait_for_lines(&self.path(name), count)
    }

    /// Runs an agent to its end.
    pub(crate) fn run(&self, agent: &Path, args: &[&str]) -> Output {
        self.command(agent, args).output().expect("the agent can be run")
    }

    /// Starts an agent.
    pub(crate) fn start(&self, agent: &Path, args: &[&str]) -> Running {
        let mut command = self.command(agent, args);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).stdin(Stdio::null());
        let mut child = command.spawn().expect("the agent can be started");
        let stdout = lines_of(child.stdout.take().expect("it is piped"));
        let stderr = lines_of(child.stderr.take().expect("it is piped"));
        Running { child, stdout, stderr }
    }

    /// Starts an agent with a recipe that lies in this place, and a data folder of the recipe's.
    pub(crate) fn start_recipe(&self, agent: &Path, name: &str, recipe: &str) -> Running {
        let file = self.write(name, recipe);
        let data = self.path(&format!("{name}.data"));
        let running = self
            .start(agent, &["run", &file.to_string_lossy(), "--data-dir", &data.to_string_lossy()]);
        running.wait_for_log("starts");
        running
    }

    fn command(&self, agent: &Path, args: &[&str]) -> Command {
        let mut command = Command::new(agent);
        command.args(args).current_dir(self.0.path()).env_remove("SWAK_LOG");
        // What is left behind there can be seen.
        command.env("TMPDIR", self.0.path());
        command
    }
}

/// An agent that runs. It is killed when the test is done with it.
pub(crate) struct Running {
    child: Child,
    pub(crate) stdout: Receiver<String>,
    stderr: Receiver<String>,
}

impl Running {
    /// Waits for a line in its log that holds this text.
    pub(crate) fn wait_for_log(&self, text: &str) {
        let until = Instant::now() + PATIENCE;
        let mut seen = Vec::new();
        while let Ok(line) = self.stderr.recv_timeout(until - Instant::now()) {
            if line.contains(text) {
                return;
            }
            seen.push(line);
        }
        panic!("`{text}` did not come in the log:\n{}", seen.join("\n"));
    }

    /// Asks it to stop, as a service manager does, and waits for its end.
    #[cfg(unix)]
    pub(crate) fn stop(mut self) -> ExitStatus {
        self.signal("TERM");
        self.wait()
    }

    /// Sends it a signal by its name.
    #[cfg(unix)]
    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &pid]).status();
        assert!(sent.expect("kill can be run").success(), "cannot send SIG{name}");
    }

    /// Waits for its end.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        wait_until("the end of an agent", || self.child.try_wait().expect("a child of this test"))
    }

    /// Ends it with no chance to do anything.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("it runs");
        self.wait();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Only what still runs can be killed, and then the test has failed already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
