//! Failover, tee, when, sleep and links.

mod common;

use std::fs;

use common::register;
use swak_engine::Ended;
use swak_test::{Bench, Collector, fields, lines};

#[test]
fn an_output_in_the_middle_hands_records_on() {
    let mut first = Collector::new("middle");
    let ran = Bench::new(register).chain("out.Collected(\"middle\")", lines(["a", "b"]));
    assert_eq!((first.lines(), ran.lines()), (vec!["a".into(), "b".into()], ran.lines()));
    assert_eq!(ran.lines(), ["a", "b"]);
}

#[test]
fn tee_gives_every_branch_every_record() {
    let (mut one, mut two) = (Collector::new("tee 1"), Collector::new("tee 2"));
    let ran = Bench::new(register).chain(
        "tee([out.Collected(\"tee 1\")], [out.Hold(), out.Collected(\"tee 2\")])",
        lines(["a", "b"]),
    );
    assert_eq!(one.lines(), ["a", "b"]);
    assert_eq!(two.lines(), ["a", "b"]);
    assert_eq!(ran.lines(), ["a", "b"]);
    assert_eq!(*ran.ended(), Ended::Finished);
}

#[test]
fn when_parts_records_and_joins_what_no_branch_has_taken() {
    let mut bad = Collector::new("when bad");
    let ran = Bench::new(register).chain(
        "when(\"status >= 500\", [out.Collected(\"when bad\")])",
        fields([r#"{"status":200}"#, r#"{"status":503}"#, r#"{"n":1}"#, r#"{"status":500}"#]),
    );
    assert_eq!(bad.lines(), [r#"{"status":503}"#, r#"{"status":500}"#]);
    assert_eq!(ran.lines(), [r#"{"status":200}"#, r#"{"n":1}"#]);
    assert_eq!(ran.counters("2").received, 4);
}

#[test]
fn both_ways_of_when_can_go_on() {
    let ran = Bench::new(register).chain(
        "when(\"n == 1\", [out.Panic(\"\", 0, \"\")], otherwise=[out.Hold()])",
        fields([r#"{"n":2}"#, r#"{"n":1}"#]),
    );
    // The held one comes at the end.
    assert_eq!(ran.lines(), [r#"{"n":1}"#, r#"{"n":2}"#]);
}

#[test]
fn failover_takes_the_next_one_and_comes_back() {
    let bench = Bench::new(register);
    let (one, two) = (bench.data_dir().join("1"), bench.data_dir().join("2"));
    let recipe = format!(
        "task(in.Numbers(20), \
         failover(out.Flaky({one:?}, \"disconnect\", 1), out.Flaky({two:?}, \"retry\", 0)))"
    );
    let ran = bench.start(&recipe).wait();
    let count = |p| fs::read_to_string(p).unwrap_or_default().lines().count();
    assert_eq!(count(&one) + count(&two), 20);
    assert!(count(&two) >= 1);
    assert_eq!(*ran.ended(), Ended::Finished);
}

#[test]
fn failover_takes_the_last_when_all_fail() {
    let bench = Bench::new(register);
    let last = bench.data_dir().join("last");
    let recipe = format!(
        "task(in.Numbers(20), failover(out.Flaky(\"/no\", \"retry\"), \
         out.Flaky(\"/no\", \"disconnect\"), last=out.Flaky({last:?}, \"retry\", 0), \
         start_by=\"ip\"))"
    );
    let ran = bench.start(&recipe).wait();
    let written = fs::read_to_string(&last).unwrap();
    assert_eq!(written.lines().count(), 20);
    let counters = ran.counters("2");
    assert_eq!((counters.received, counters.sent), (20, 20));
    assert_eq!(*ran.ended(), Ended::Finished);
}

#[test]
fn failover_by_a_field_sends_equal_values_to_one_output() {
    let bench = Bench::new(register);
    let files: Vec<_> = (0..3).map(|i| bench.data_dir().join(i.to_string())).collect();
    let outputs: Vec<_> = files.iter().map(|f| format!("out.Flaky({f:?}, \"retry\", 0)")).collect();
    let records: Vec<_> = (0..60).map(|i| format!(r#"{{"user":{},"i":{i}}}"#, i % 6)).collect();
    bench.chain(&format!("failover({}, start_by=\"user\")", outputs.join(", ")), fields(records));
    let mut homes = std::collections::BTreeMap::new();
    let mut total = 0;
    for (home, file) in files.iter().enumerate() {
        for line in fs::read_to_string(file).unwrap_or_default().lines() {
            total += 1;
            let user = line.split([':', ',']).nth(1).unwrap().to_owned();
            assert_eq!(*homes.entry(user).or_insert(home), home, "{line}");
        }
    }
    assert_eq!((total, homes.len()), (60, 6));
}

#[test]
fn links_join_tasks_and_end_with_their_senders() {
    let mut all = Collector::new("linked");
    let ran = Bench::new(register)
        .start(
            "task(in.Numbers(10), link(\"x\"))\n\
             task(in.Numbers(10), out.Hold(), link(\"x\"))\n\
             task(link(\"x\"), out.Collected(\"linked\"))",
        )
        .wait();
    assert_eq!(all.lines().len(), 20);
    assert!(ran.summary().tasks.iter().all(|t| t.ended == Ended::Finished));
}

#[test]
fn a_link_is_flushed_at_an_orderly_stop() {
    let mut all = Collector::new("stopped link");
    let running = Bench::new(register).start(
        "task(in.Numbers(), out.Hold(), link(\"x\"))\n\
         task(link(\"x\"), out.Collected(\"stopped link\"))",
    );
    std::thread::sleep(std::time::Duration::from_millis(20));
    let ran = running.stop();
    let sent = ran.summary().tasks[0].steps[0].counters.received;
    assert_eq!(all.lines().len() as u64, sent);
}

#[test]
fn sleep_starts_the_task_again() {
    let mut all = Collector::new("again");
    let running = Bench::new(register).start(
        "task(in.Numbers(3, resume=False), out.Hold(), out.Collected(\"again\"), sleep(0.001))",
    );
    let mut seen = Vec::new();
    while seen.len() < 9 {
        seen.extend(all.lines());
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    let ran = running.stop();
    // Each round is flushed before the next begins.
    assert_eq!(seen[..9], ["1", "2", "3", "1", "2", "3", "1", "2", "3"]);
    assert_eq!(*ran.ended(), Ended::Stopped);
    assert_eq!(ran.summary().tasks[0].restarts, 0);
}
