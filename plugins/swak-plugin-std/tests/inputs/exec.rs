//! `in.Exec` with real commands.

use std::fs;
use std::time::Duration;

use swak_sdk::prelude::*;

use crate::harness::{Call, texts};

fn shell(command: &str) -> Call {
    Call::new("Exec").arg(command).with("shell", true)
}

fn list(words: &[&str]) -> Value {
    Value::List(words.iter().map(|word| Value::from(*word)).collect())
}

#[test]
fn each_line_is_a_record_whatever_way_the_command_is_written() {
    let call = Call::new("Exec").arg(list(&["printf", "a b\\nc\\r\\n\\nlast"]));
    let (got, counters) = call.start().finish().unwrap();
    assert_eq!(texts(&got), ["a b", "c", "", "last"]);
    assert_eq!((counters.received, counters.errors), (4, 0));
    let (got, _) = Call::new("Exec").arg("echo 'a b'  c").start().finish().unwrap();
    assert_eq!(texts(&got), ["a b c"]);
    let (got, _) = shell("echo x | tr x y").start().finish().unwrap();
    assert_eq!(texts(&got), ["y"]);
}

#[test]
fn much_output_comes_whole() {
    let (got, _) = shell("seq 1 200000").start().finish().unwrap();
    assert_eq!(got.len(), 200_000);
    assert!(texts(&got).into_iter().eq((1..=200_000).map(|n: u32| n.to_string())));
}

#[test]
fn a_line_without_end_takes_no_memory() {
    let call =
        shell("head -c 200000000 /dev/zero | tr '\\0' x; echo; echo next").with("max_line", "1k");
    let before = most_memory();
    let (got, counters) = call.start().finish().unwrap();
    assert_eq!(texts(&got), ["x".repeat(1024), "next".to_owned()]);
    assert_eq!(counters.errors, 1);
    let grown = most_memory() - before;
    assert!(grown < 32 << 20, "{grown} bytes more were taken");
}

/// The most memory that this process ever had, in bytes; always 0 where the system does not tell.
fn most_memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("0 kB");
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

#[test]
fn a_bad_exit_status_is_counted_and_what_came_before_is_kept() {
    let (got, counters) = shell("echo out; echo err >&2; exit 3").start().finish().unwrap();
    assert_eq!(texts(&got), ["out"]);
    assert_eq!(counters.errors, 1);
}

#[test]
fn standard_error_can_be_taken_too() {
    let (got, counters) =
        shell("echo err >&2").with("merge_stderr", true).start().finish().unwrap();
    assert_eq!(texts(&got), ["err"]);
    assert_eq!(counters.errors, 0);
}

#[test]
fn a_command_that_is_not_there_is_an_error() {
    let error = Call::new("Exec").arg("/no/such/command").start().finish().unwrap_err();
    assert!(
        format!("{error:#}").starts_with("`/no/such/command` cannot be started: "),
        "{error:#}"
    );
}

#[test]
fn it_runs_again_after_an_interval_or_an_end() {
    for option in ["interval", "restart"] {
        let folder = tempfile::tempdir().unwrap();
        let count = folder.path().join("count");
        let command = format!("echo x >> {0}; wc -l < {0}", count.display());
        let mut running = shell(&command).with(option, "10ms").start();
        let lines = running.lines(3);
        assert_eq!(lines.iter().map(|l| l.trim()).collect::<Vec<_>>(), ["1", "2", "3"]);
        running.stop();
    }
}

#[test]
fn a_run_that_takes_too_long_is_ended_with_all_that_it_started() {
    // The child in the background ignores being asked, and outlives the shell.
    let command = "(trap '' TERM; while :; do sleep 0.01; done) & echo $!; wait";
    let (got, counters) = shell(command).with("timeout", "300ms").start().finish().unwrap();
    assert_eq!((got.len(), counters.errors), (1, 1));
    let pid = &texts(&got)[0];
    let until = std::time::Instant::now() + Duration::from_secs(30);
    while is_running(pid) {
        assert!(std::time::Instant::now() < until, "process {pid} goes on");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn is_running(pid: &str) -> bool {
    let ps = std::process::Command::new("ps").args(["-o", "stat=", "-p", pid]).output().unwrap();
    let state = String::from_utf8(ps.stdout).unwrap();
    !state.trim().is_empty() && !state.trim().starts_with('Z')
}

#[test]
fn a_stop_ends_the_command_and_keeps_its_last_words() {
    let command = "trap 'echo bye; kill $!; exit' TERM; echo hello; sleep 1000 & wait";
    let mut running = shell(command).start();
    assert_eq!(running.lines(1), ["hello"]);
    assert_eq!(texts(&running.stop()), ["hello", "bye"]);
}

#[test]
fn folder_and_environment_can_be_set() {
    let folder = tempfile::tempdir().unwrap();
    let path = fs::canonicalize(folder.path()).unwrap();
    let call = shell("pwd; echo $GREETING")
        .with("cwd", path.to_str().unwrap())
        .with("env", Value::from([("GREETING", "hello")].into_iter().collect::<Map>()));
    let (got, _) = call.start().finish().unwrap();
    assert_eq!(texts(&got), [path.to_str().unwrap(), "hello"]);
}

#[test]
fn output_that_something_else_holds_open_is_not_waited_for() {
    // The shell ends at once; what it left behind keeps the pipe.
    let mut running = shell("sleep 30 & echo done").start();
    assert_eq!(running.lines(1), ["done"]);
    let begun = std::time::Instant::now();
    running.finish().unwrap();
    assert!(begun.elapsed() < Duration::from_secs(25), "the pipe was read to its end");
}

#[test]
fn mistakes_in_options_are_said() {
    let both = shell("true").with("interval", "1s").with("restart", "1s").mistakes();
    assert_eq!(
        both,
        ["`interval` counts from a start and `restart` from an end; give one of the two"]
    );
    assert_eq!(Call::new("Exec").arg("").mistakes(), ["the command is empty"]);
    assert_eq!(
        shell("true").with("timeout", 0).mistakes(),
        ["`timeout` must be longer than nothing"]
    );
}
