//! What only a process of its own can show: signals, and what goes to its standard error. The agent
//! is this test program, started again.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

/// Holds the command line, an argument a line; only the agent that a test starts has it.
const ARGS: &str = "SWAK_TEST_ARGS";

/// The agent itself: nothing when it is run as a test.
#[test]
fn as_an_agent() {
    let Ok(args) = env::var(ARGS) else { return };
    let answer = support::agent(&args.lines().collect::<Vec<_>>());
    eprint!("{}", answer.stderr);
    std::process::exit(answer.status.into());
}

#[test]
fn a_signal_ends_the_agent_in_order() {
    for signal in [Signal::TERM, Signal::INT] {
        let trial = Trial::new("task(in.Lines([\"a\"], endless=True), out.Keep(\"HERE/out\"))");
        let mut agent = trial.start(&["run", "my.swak", "--data-dir", "data"]);
        trial.wait_for("out", &mut agent);
        kill(&agent, signal);
        let output = agent.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        assert!(stderr(&output).contains("stopped: 1 in.Lines "), "{}", stderr(&output));
        assert!(trial.text("out").lines().all(|line| line == "a"));
    }
}

#[test]
fn a_service_goes_on_when_it_is_told_that_files_were_rotated() {
    let trial = Trial::new("task(in.Lines([\"a\"], endless=True), out.Keep(\"HERE/out\"))");
    let mut agent = trial.start(&["run", "my.swak", "--data-dir", "data"]);
    trial.wait_for("out", &mut agent);
    kill(&agent, Signal::HUP);
    // What it writes from here on shows that the signal was taken and did not end it.
    for _ in 0..2 {
        fs::rename(trial.path("out"), trial.path("rotated")).unwrap();
        trial.wait_for("out", &mut agent);
    }
    kill(&agent, Signal::TERM);
    let output = agent.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stderr(&output).contains("SIGHUP: files"), "{}", stderr(&output));
}

#[test]
fn a_second_signal_ends_the_agent_at_once() {
    let trial =
        Trial::new("task(in.Lines([\"a\"], endless=True), out.Keep(\"HERE/out\", hangs=True))");
    let mut agent =
        trial.start(&["run", "my.swak", "--data-dir", "data", "--shutdown-timeout", "1d"]);
    trial.wait_for("out", &mut agent);
    kill(&agent, Signal::INT);
    // The first signal must have been taken before the second one, or both are one.
    while agent.try_wait().unwrap().is_none() {
        sleep(Duration::from_millis(20));
        kill(&agent, Signal::TERM);
    }
    let output = agent.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(143), "{}", stderr(&output));
}

#[test]
fn a_stop_takes_no_longer_than_it_may() {
    let trial =
        Trial::new("task(in.Lines([\"a\"], endless=True), out.Keep(\"HERE/out\", hangs=True))");
    let mut agent =
        trial.start(&["run", "my.swak", "--data-dir", "data", "--shutdown-timeout", "100ms"]);
    trial.wait_for("out", &mut agent);
    kill(&agent, Signal::TERM);
    let output = agent.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stderr(&output).contains("stopped before all was delivered"), "{}", stderr(&output));
}

#[test]
fn a_trace_shows_each_record_before_and_after_each_step_and_no_secret() {
    let trial = Trial::new(
        "task(in.Lines([\"a\"]), out.Shout(), out.Keep(\"HERE/out\", password=\"hunter2\"))",
    );
    let agent = trial.start(&["test", "my.swak", "--trace"]);
    let output = agent.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let text = stderr(&output);
    let shown: Vec<_> = text.lines().filter(|line| line.starts_with(['→', '←'])).collect();
    assert_eq!(
        shown,
        [
            "← after 1 in.Lines  1 record",
            "→ before 2 out.Shout  1 record",
            "← after 2 out.Shout  1 record",
            "→ before 3 out.Keep  1 record",
            "← after 3 out.Keep  1 record",
        ]
    );
    assert!(text.contains("  a\n") && text.contains("  A\n"), "{text}");
    assert!(!text.contains("hunter2"), "{text}");
}

#[test]
fn logs_are_json_when_asked_and_silent_when_told() {
    let trial = Trial::new("task(in.Lines([\"a\"]), out.Keep(\"HERE/out\"))");
    let command = ["run", "my.swak", "--data-dir", "data", "--log-format", "json"];
    let output = trial.start(&command).wait_with_output().unwrap();
    let text = stderr(&output);
    assert!(text.lines().count() >= 2, "{text}");
    for line in text.lines() {
        let event: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(event["message"].is_string(), "{line}");
    }
    let quiet = ["run", "my.swak", "--data-dir", "data", "--quiet"];
    let output = trial.start(&quiet).wait_with_output().unwrap();
    assert_eq!(stderr(&output), "");
}

/// A folder with the recipe `my.swak`; the agent runs in it.
struct Trial {
    folder: tempfile::TempDir,
}

impl Trial {
    fn new(recipe: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().to_str().unwrap();
        fs::write(folder.path().join("my.swak"), recipe.replace("HERE", place)).unwrap();
        Trial { folder }
    }

    fn start(&self, args: &[&str]) -> Child {
        Command::new(env::current_exe().unwrap())
            .args(["--exact", "as_an_agent", "--nocapture"])
            .env(ARGS, args.join("\n"))
            .env_remove("SWAK_LOG")
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    }

    /// Waits until something is in a file that the agent writes.
    fn wait_for(&self, name: &str, agent: &mut Child) {
        while fs::metadata(self.path(name)).map_or(0, |about| about.len()) == 0 {
            assert!(agent.try_wait().unwrap().is_none(), "the agent goes on until it is stopped");
            sleep(Duration::from_millis(5));
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }
}

fn kill(agent: &Child, signal: Signal) {
    kill_process(Pid::from_child(agent), signal).unwrap();
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}
