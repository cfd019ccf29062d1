//! `in.Stdin`. Standard input belongs to a whole process, so each test starts this very program
//! again, with a pipe, to run only [`child`].

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};

use crate::harness::Call;

/// What says to [`child`] that it is one, and how many records to wait for before it stops.
const CHILD: &str = "SWAK_TEST_STDIN_CHILD";

/// What says to [`child`] that the first runs of the input deliver nothing.
const AGAIN: &str = "again";

/// Prints the lines that the input gives, marked, since the test runner prints too.
#[test]
fn child() {
    let Ok(stop_after) = std::env::var(CHILD) else { return };
    let call = Call::new("Stdin").with("max_line", 100);
    if stop_after == AGAIN {
        deliver_nothing_at_first(&call);
        println!("\n>the task starts again<");
    }
    let mut running = call.start();
    let got = match stop_after.parse() {
        Ok(n) => {
            running.wait_for(n);
            running.stop()
        }
        Err(_) => running.finish().expect("the input ends in order").0,
    };
    for line in got {
        println!("\n>{}<", String::from_utf8_lossy(&line.raw()));
    }
}

/// A run whose first chunk cannot be delivered, and one that is stopped while its task fails.
fn deliver_nothing_at_first(call: &Call) {
    let mut running = call.start();
    drop(running.hold_next());
    let error = running.finish().expect_err("the input must not go on over what was lost");
    assert!(format!("{error:#}").contains("it comes again"), "{error:#}");
    call.start().stop_undelivered();
}

fn start(stop_after: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "stdin::child", "--nocapture"])
        .env(CHILD, stop_after)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn lines(child: &mut Child) -> Vec<String> {
    marked(child).collect()
}

fn marked(child: &mut Child) -> impl Iterator<Item = String> + use<> {
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let lines = lines.map(|line| line.unwrap());
    lines.filter_map(|l| Some(l.strip_prefix('>')?.strip_suffix('<')?.to_owned()))
}

#[test]
fn lines_come_until_the_end() {
    let mut child = start("end");
    let mut stdin = child.stdin.take().unwrap();
    let long = "x".repeat(150);
    write!(stdin, "one\r\ntwo\n\n{long}\n스왴 without end").unwrap();
    drop(stdin);
    assert_eq!(lines(&mut child), ["one", "two", "", &long[..100], "스왴 without end"]);
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_stop_does_not_wait_for_the_end() {
    let mut child = start("2");
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(b"one\ntwo\n").unwrap();
    stdin.flush().unwrap();
    // Standard input stays open all the time.
    assert_eq!(lines(&mut child), ["one", "two"]);
    assert!(child.wait().unwrap().success());
    drop(stdin);
}

#[test]
fn what_could_not_be_delivered_comes_again_and_no_line_breaks() {
    let mut child = start(AGAIN);
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(b"one\ntwo\nhal").unwrap();
    let mut marked = marked(&mut child);
    assert_eq!(marked.next().unwrap(), "the task starts again");
    stdin.write_all(b"f\nend").unwrap();
    drop(stdin);
    assert_eq!(marked.collect::<Vec<_>>(), ["one", "two", "half", "end"]);
    assert!(child.wait().unwrap().success());
}
