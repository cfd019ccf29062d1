//! Signals stop an agent in order. A signal goes to a whole process, so that the agent is one of its
//! own: this test program, started again.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use std::env;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

/// Holds the recipe; only the agent that a test starts has it.
const RECIPE: &str = "SWAK_TEST_RECIPE";

/// The agent itself: nothing when it is run as a test.
#[test]
fn as_an_agent() {
    let Some(recipe) = env::var_os(RECIPE) else { return };
    let folder = Path::new(&recipe).parent().unwrap().join("data");
    let args = ["run", recipe.to_str().unwrap(), "--data-dir", folder.to_str().unwrap()];
    let answer = support::agent(&args);
    std::process::exit(answer.status.into());
}

#[test]
fn a_signal_ends_the_agent_in_order() {
    for signal in [Signal::TERM, Signal::INT] {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("out");
        let recipe = folder.path().join("my.swak");
        let text =
            format!("task(in.Lines([\"a\"], endless=True), out.Keep(\"{}\"))", out.display());
        fs::write(&recipe, text).unwrap();
        let mut agent = start(&recipe);
        while fs::metadata(&out).map_or(0, |about| about.len()) == 0 {
            assert!(agent.try_wait().unwrap().is_none(), "the agent goes on until it is stopped");
            sleep(Duration::from_millis(5));
        }
        let status = send(&mut agent, signal);
        assert_eq!(status.code(), Some(0), "{status}");
        assert!(fs::read_to_string(&out).unwrap().lines().all(|line| line == "a"));
    }
}

fn start(recipe: &Path) -> Child {
    Command::new(env::current_exe().unwrap())
        .args(["--exact", "as_an_agent", "--nocapture"])
        .env(RECIPE, recipe)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn send(agent: &mut Child, signal: Signal) -> ExitStatus {
    kill_process(Pid::from_child(agent), signal).unwrap();
    agent.wait().unwrap()
}
