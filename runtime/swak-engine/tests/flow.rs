//! Failover, tee, when, sleep and links.

mod common;

use std::fs;
use std::time::Duration;

use common::register;
use swak_engine::{Backoff, Ended, RestartPolicy};
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
    // The branches run side by side, so nothing is said of the order between them.
    let mut lines = ran.lines();
    lines.sort();
    assert_eq!(lines, [r#"{"n":1}"#, r#"{"n":2}"#]);
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
fn failover_goes_on_without_an_output_that_can_never_write_again() {
    let mut bench = Bench::new(register);
    bench.settings_mut().restart =
        RestartPolicy::Backoff(Backoff::new(Duration::from_millis(5), Duration::from_millis(5)));
    let file = bench.data_dir().join("file");
    let members = [
        format!("out.Flaky(\"/no\", \"fatal\"), out.Flaky({file:?}, \"retry\", 0)"),
        format!("out.Flaky(\"/no\", \"fatal\"), last=out.Flaky({file:?}, \"retry\", 0)"),
    ];
    for members in members {
        let _ = fs::remove_file(&file);
        let recipe = format!("task(in.Numbers(20, resume=False), failover({members}))");
        let ran = bench.start(&recipe).wait();
        assert_eq!((ran.ended(), ran.summary().tasks[0].restarts), (&Ended::Finished, 0));
        assert_eq!(fs::read_to_string(&file).unwrap().lines().count(), 20, "{members}");
    }
    let ran = bench
        .start(
            "task(in.Numbers(20, resume=False), \
             failover(out.Flaky(\"/no\", \"fatal\"), last=out.Flaky(\"/no\", \"fatal\")))",
        )
        .wait();
    assert_eq!(*ran.ended(), Ended::Failed("step 2.1 out.Flaky: closed".into()));
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
    std::thread::sleep(Duration::from_millis(20));
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
        std::thread::sleep(Duration::from_millis(1));
    }
    let ran = running.stop();
    // Each round is flushed before the next begins.
    assert_eq!(seen[..9], ["1", "2", "3", "1", "2", "3", "1", "2", "3"]);
    assert_eq!(*ran.ended(), Ended::Stopped);
    assert_eq!(ran.summary().tasks[0].restarts, 0);
}

#[test]
fn a_position_is_kept_though_its_task_ended_before_the_receiver_did() {
    let bench = Bench::new(register);
    let recipe = "task(in.Numbers(20), link(\"x\"))\n\
                  task(link(\"x\"), out.Hold(), out.Collected(\"late\"))";
    for expected in [20, 0] {
        let ran = bench.start(recipe).wait();
        assert_eq!(ran.summary().tasks[0].steps[0].counters.received, expected);
    }
}

#[test]
fn a_receiver_delivers_what_a_sender_that_failed_had_sent_and_finishes() {
    let mut all = Collector::new("of a failed sender");
    let ran = Bench::new(register)
        .start(
            "task(in.Numbers(20, fail_after=7), link(\"x\"))\n\
             task(link(\"x\"), out.Hold(), out.Collected(\"of a failed sender\"), sleep(0.001))",
        )
        .wait();
    let ended: Vec<_> = ran.summary().tasks.iter().map(|task| &task.ended).collect();
    let reason = "step 1 in.Numbers: the source broke after 7";
    assert_eq!(ended, [&Ended::Failed(reason.into()), &Ended::Finished]);
    assert_eq!(all.lines().len(), 7);
}

#[test]
fn a_sender_ends_with_its_receiver() {
    let mut bench = Bench::new(register);
    bench.settings_mut().restart =
        RestartPolicy::Backoff(Backoff::new(Duration::from_millis(5), Duration::from_millis(5)));
    let ran = bench
        .start(
            "task(in.Numbers(), link(\"x\"))\n\
             task(link(\"x\"), out.Flaky(\"/no\", \"fatal\"))",
        )
        .wait();
    let ended: Vec<_> = ran.summary().tasks.iter().map(|task| &task.ended).collect();
    let reason = "a task that it sends to has ended for good";
    let receiver = "step 2 out.Flaky: closed";
    assert_eq!(ended, [&Ended::Failed(reason.into()), &Ended::Failed(receiver.into())]);
}

#[test]
fn a_sender_is_interrupted_with_its_receiver() {
    let mut bench = Bench::new(register);
    bench.settings_mut().shutdown_limit = Duration::from_millis(50);
    bench.settings_mut().queue = 1;
    let mut sent = Collector::new("to a dead receiver");
    let running = bench.start(
        "task(in.Numbers(), out.Collected(\"to a dead receiver\"), link(\"x\"))\n\
         task(link(\"x\"), out.Flaky(\"/no\", \"hang\"))",
    );
    // The output, its queue, the input and its queue hold one each: the sender holds the fifth.
    let mut count = 0;
    while count < 5 {
        count += sent.lines().len();
        std::thread::sleep(Duration::from_millis(1));
    }
    let ran = running.stop();
    let ended: Vec<_> = ran.summary().tasks.iter().map(|task| &task.ended).collect();
    assert_eq!(ended, [&Ended::Interrupted, &Ended::Interrupted]);
}
