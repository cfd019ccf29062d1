//! What becomes of records when outputs and tasks fail.

mod common;

use std::fs;
use std::path::Path;
use std::time::Duration;

use common::register;
use swak_engine::{Backoff, Ended, RestartPolicy};
use swak_sdk::ack::Outcome;
use swak_test::{Bench, Collector, Ran, lines};

fn numbers(range: std::ops::RangeInclusive<u64>) -> Vec<String> {
    range.map(|n| n.to_string()).collect()
}

fn file_lines(path: &Path) -> Vec<String> {
    fs::read_to_string(path).unwrap_or_default().lines().map(str::to_owned).collect()
}

/// Runs `task(in.Numbers(20), out.Flaky(file, …))` and gives what the file holds.
fn flaky(behaviour: &str, times: &str) -> (Ran, Vec<String>) {
    let bench = Bench::new(register);
    let file = bench.data_dir().join("out.txt");
    let recipe = format!("task(in.Numbers(20), out.Flaky({file:?}, {behaviour:?}, {times}))");
    let ran = bench.start(&recipe).wait();
    (ran, file_lines(&file))
}

#[test]
fn an_output_that_fails_is_tried_again_and_order_is_kept() {
    for behaviour in ["retry", "disconnect"] {
        let (ran, written) = flaky(behaviour, "5");
        assert_eq!(written, numbers(1..=20), "{behaviour}");
        assert_eq!(*ran.ended(), Ended::Finished);
        let counters = ran.counters("2");
        assert_eq!((counters.received, counters.sent, counters.errors), (20, 20, 5));
    }
}

#[test]
fn what_is_rejected_is_counted_and_the_position_moves_on() {
    let bench = Bench::new(register);
    let file = bench.data_dir().join("out.txt");
    let recipe = format!("task(in.Numbers(20), out.Flaky({file:?}, \"reject\", 2))");
    let ran = bench.start(&recipe).wait();
    assert_eq!(file_lines(&file), numbers(3..=20));
    assert_eq!(ran.counters("2").dropped["rejected"], 2);
    // A second run has nothing left to do.
    let again = bench.start(&recipe).wait();
    assert_eq!(again.counters("1").received, 0);
}

#[test]
fn what_is_rejected_goes_to_the_dead_letters_with_the_reason() {
    let bench = Bench::new(register);
    let file = bench.data_dir().join("out.txt");
    let mut dead = Collector::new("dead of rejects");
    let recipe = format!(
        "task(in.Numbers(3), out.Flaky({file:?}, \"reject\", 1), \
         dead_letter=out.Collected(\"dead of rejects\"))"
    );
    bench.start(&recipe).wait();
    let letters = dead.lines();
    assert_eq!(letters.len(), 1);
    assert!(letters[0].contains(r#""reason":"never","record":"1""#), "{}", letters[0]);
    assert_eq!(file_lines(&file), numbers(2..=3));
}

#[test]
fn of_a_rejected_chunk_only_the_records_at_fault_are_lost() {
    let bench = Bench::new(register);
    let file = bench.data_dir().join("out.txt");
    // `Hold` makes one chunk of all.
    let recipe =
        format!("task(in.Numbers(40), out.Hold(), out.Flaky({file:?}, \"reject_sevens\"))");
    let ran = bench.start(&recipe).wait();
    let good: Vec<_> = numbers(1..=40).into_iter().filter(|n| !n.ends_with('7')).collect();
    assert_eq!(file_lines(&file), good);
    assert_eq!(ran.counters("3").dropped["rejected"], 4);
    assert_eq!(ran.counters("3").sent, 36);
}

#[test]
fn an_output_that_can_never_write_again_ends_its_task_for_good() {
    let mut bench = Bench::new(register);
    bench.settings_mut().restart =
        RestartPolicy::Backoff(Backoff::new(Duration::from_millis(5), Duration::from_millis(5)));
    let ran = bench.start("task(in.Numbers(), out.Flaky(\"/no\", \"fatal\"))").wait();
    assert_eq!(*ran.ended(), Ended::Failed("step 2 out.Flaky: closed".into()));
    assert_eq!(ran.summary().tasks[0].restarts, 0);
}

#[test]
fn an_input_that_fails_goes_on_from_where_it_was() {
    let mut bench = Bench::new(register);
    bench.settings_mut().restart =
        RestartPolicy::Backoff(Backoff::new(Duration::from_millis(5), Duration::from_millis(5)));
    let file = bench.data_dir().join("out.txt");
    let recipe = format!("task(in.Numbers(20, fail_after=7), out.Flaky({file:?}, \"retry\", 0))");
    let ran = bench.start(&recipe).wait();
    assert_eq!(file_lines(&file), numbers(1..=20));
    assert_eq!((ran.ended(), ran.summary().tasks[0].restarts), (&Ended::Finished, 1));
}

#[test]
fn a_run_after_a_failure_knows_what_it_goes_on_with() {
    let mut bench = Bench::new(register);
    bench.settings_mut().restart =
        RestartPolicy::Backoff(Backoff::new(Duration::from_millis(5), Duration::from_millis(5)));
    let file = bench.data_dir().join("out.txt");
    let steps = format!("out.Resumes(), out.Flaky({file:?}, \"retry\", 0)");
    bench.start(&format!("task(in.Numbers(3, fail_after=2), {steps})")).wait();
    let found = file_lines(&file);
    // Its counters are those of the run before.
    let others = found[0].strip_prefix("false ").expect("the first run goes on with nothing");
    assert_eq!(found[1..], [format!("false {others}"), format!("true {others}")]);
}

#[test]
fn a_task_that_panics_is_started_again_while_the_others_go_on() {
    let mut bench = Bench::new(register);
    bench.settings_mut().restart =
        RestartPolicy::Backoff(Backoff::new(Duration::from_millis(5), Duration::from_millis(5)));
    let (mut bad, mut good) = (Collector::new("panics"), Collector::new("goes on"));
    let ran = bench
        .start(
            "task(in.Numbers(20), out.Panic(\"10\", 3, \"thrice\"), out.Collected(\"panics\"))\n\
             task(in.Numbers(20), out.Collected(\"goes on\"))",
        )
        .wait();
    assert_eq!(good.lines(), numbers(1..=20));
    assert_eq!(ran.summary().tasks[0].restarts, 3);
    assert_eq!(ran.summary().tasks[1].restarts, 0);
    // At least once, in order: after a restart some come again, and none is missing.
    let mut seen = bad.lines();
    seen.sort_by_key(|n| n.parse::<u64>().unwrap());
    seen.dedup();
    assert_eq!(seen, numbers(1..=20));
}

#[test]
fn a_failure_says_which_step_and_why() {
    let ran = Bench::new(register).chain("out.Panic(\"b\", 1, \"once\")", lines(["a", "b"]));
    let reason = "step 2 out.Panic: panicked: line b came";
    assert_eq!(*ran.ended(), Ended::Failed(reason.into()));
    let ran = Bench::new(register)
        .start("task(in.Numbers(20, fail_after=7), out.Collected(\"\"))")
        .wait();
    let reason = "step 1 in.Numbers: the source broke after 7";
    assert_eq!(*ran.ended(), Ended::Failed(reason.into()));
}

#[test]
fn what_is_held_is_let_go_at_an_orderly_stop() {
    let bench = Bench::new(register);
    let mut all = Collector::new("held");
    let mut running = bench.input("in.Numbers(), out.Collected(\"held\"), out.Hold()");
    // The first output shows that records are on their way; the second gets them from the flush.
    while all.lines().is_empty() {
        std::thread::sleep(Duration::from_millis(1));
    }
    assert!(running.arrived().is_empty());
    let ran = running.stop();
    assert_eq!(*ran.ended(), Ended::Stopped);
    let received = ran.counters("1").received;
    assert_eq!(ran.lines(), numbers(1..=received));
}

#[test]
fn a_stop_does_not_wait_for_a_dead_output_for_ever_and_nothing_is_lost() {
    for behaviour in ["retry", "hang"] {
        let mut bench = Bench::new(register);
        bench.settings_mut().shutdown_limit = Duration::from_millis(50);
        let file = bench.data_dir().join("out.txt");
        let name = format!("before a dead output: {behaviour}");
        let mut on_their_way = Collector::new(&name);
        let task = |times: &str| {
            format!(
                "task(in.Numbers(20), out.Collected({name:?}), \
                 out.Flaky({file:?}, {behaviour:?}{times}))"
            )
        };
        let running = bench.start(&task(""));
        while on_their_way.lines().is_empty() {
            std::thread::sleep(Duration::from_millis(1));
        }
        let ran = running.stop();
        assert_eq!(*ran.ended(), Ended::Interrupted, "{behaviour}");
        let ran = bench.start(&task(", 0")).wait();
        assert_eq!(*ran.ended(), Ended::Finished);
        assert_eq!(file_lines(&file), numbers(1..=20), "{behaviour}");
    }
}

#[test]
fn a_dead_output_does_not_hold_up_another_task() {
    let mut bench = Bench::new(register);
    bench.settings_mut().shutdown_limit = Duration::from_millis(50);
    let mut good = Collector::new("beside a dead one");
    let running = bench.start(
        "task(in.Numbers(), out.Flaky(\"/never\", \"hang\"))\n\
         task(in.Numbers(1000), out.Collected(\"beside a dead one\"))",
    );
    let mut seen = Vec::new();
    while seen.len() < 1000 {
        seen.extend(good.lines());
        std::thread::sleep(Duration::from_millis(1));
    }
    running.stop();
    assert_eq!(seen, numbers(1..=1000));
}

#[test]
fn two_engines_do_not_share_a_folder() {
    let bench = Bench::new(register);
    let mut running = bench.input("in.Numbers()");
    running.wait_for(1);
    let error = bench.start_error("task(in.Numbers(1), out.Collected(\"\"))");
    assert!(error.contains("is used by another running agent"), "{error}");
    running.stop();
}

#[test]
fn an_output_that_cannot_be_closed_starts_nothing_again() {
    let mut bench = Bench::new(register);
    bench.settings_mut().restart =
        RestartPolicy::Backoff(Backoff::new(Duration::from_millis(5), Duration::from_millis(5)));
    let file = bench.data_dir().join("out.txt");
    let recipe = format!("task(in.Numbers(20, resume=False), out.Flaky({file:?}, \"close\"))");
    let ran = bench.start(&recipe).wait();
    assert_eq!((ran.ended(), ran.summary().tasks[0].restarts), (&Ended::Finished, 0));
    assert_eq!(file_lines(&file), numbers(1..=20));
    assert_eq!(ran.counters("2").errors, 1);
}

#[test]
fn a_task_that_waits_to_start_again_was_not_stopped_in_order() {
    let mut bench = Bench::new(register);
    let hour = Duration::from_secs(3600);
    bench.settings_mut().restart = RestartPolicy::Backoff(Backoff::new(hour, hour));
    let mut passed = Collector::new("before a panic");
    let running = bench.start(
        "task(in.Numbers(), out.Collected(\"before a panic\"), \
         out.Panic(\"50\", 1, \"waits\"), out.Collected(\"\"))",
    );
    // So many do not fit into the queue before the collector: it has taken some by then.
    while passed.lines().is_empty() {
        std::thread::sleep(Duration::from_millis(1));
    }
    // Long enough for the task to fail and to begin its wait; stopped before, it has failed.
    std::thread::sleep(Duration::from_millis(500));
    let ran = running.stop();
    assert!(matches!(ran.ended(), Ended::Interrupted | Ended::Failed(_)), "{:?}", ran.ended());
}

#[test]
fn nothing_is_started_when_one_task_cannot_be() {
    let bench = Bench::new(register);
    fs::create_dir_all(bench.data_dir().join("two/state")).unwrap();
    let mut one = Collector::new("beside one that cannot start");
    let error = bench.start_error(
        "task(in.Numbers(), out.Collected(\"beside one that cannot start\"), name=\"one\")\n\
         task(in.Numbers(), out.Collected(\"\"), name=\"two\")",
    );
    assert!(error.contains("two"), "{error}");
    assert!(one.lines().is_empty());
}

#[test]
fn a_task_may_have_any_name() {
    let bench = Bench::new(register);
    for name in ["lock", ".lock", "..", "a/b"] {
        let recipe = format!("task(in.Numbers(1), out.Collected(\"\"), name={name:?})");
        assert_eq!(*bench.start(&recipe).wait().ended(), Ended::Finished, "{name}");
        assert_eq!(bench.start(&recipe).wait().counters("1").received, 0, "{name}");
    }
}

#[test]
fn settings_at_their_ends_work() {
    let mut bench = Bench::new(register);
    bench.settings_mut().queue = 0;
    bench.settings_mut().shutdown_limit = Duration::MAX;
    bench.settings_mut().write_timeout = Duration::MAX;
    let mut running = bench.input("in.Numbers()");
    running.wait_for(3);
    assert_eq!(*running.stop().ended(), Ended::Stopped);
}

#[test]
fn what_even_the_dead_letters_reject_is_counted() {
    let bench = Bench::new(register);
    let ran = bench
        .start(
            "task(in.Numbers(20), out.Flaky(\"/no\", \"reject\"), \
             dead_letter=out.Flaky(\"/no\", \"reject\"))",
        )
        .wait();
    assert_eq!(*ran.ended(), Ended::Finished);
    assert_eq!(ran.counters("2").dropped["dead letter"], 20);
    assert_eq!(ran.counters("dead_letter").dropped["rejected"], 20);
}

#[test]
fn a_dead_output_for_dead_letters_loses_nothing_and_holds_no_stop_up() {
    let mut bench = Bench::new(register);
    bench.settings_mut().shutdown_limit = Duration::from_millis(50);
    bench.settings_mut().queue = 1;
    let file = bench.data_dir().join("dead.txt");
    let mut taken = Collector::new("before dead dead letters");
    let task = |behaviour: &str| {
        format!(
            "task(in.Numbers(20), out.Collected(\"before dead dead letters\"), \
             out.Flaky(\"/no\", \"reject\"), dead_letter=out.Flaky({file:?}, {behaviour}))"
        )
    };
    let running = bench.start(&task("\"hang\""));
    // One is written, one waits, one is given up and cannot be put down: more than that comes.
    let mut count = 0;
    while count < 4 {
        count += taken.lines().len();
        std::thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(*running.stop().ended(), Ended::Interrupted);
    let ran = bench.start(&task("\"retry\", 0")).wait();
    assert_eq!(*ran.ended(), Ended::Finished);
    assert_eq!(file_lines(&file).len(), 20);
}

#[test]
fn an_input_hears_what_became_of_its_records() {
    let bench = Bench::new(register);
    let ran = bench.input_settled("in.Numbers(3)", Outcome::Errored).wait();
    assert_eq!(*ran.ended(), Ended::Failed("step 2 out.Collected: the test says so".into()));
    // Nothing was delivered: the next run begins where this one did.
    let ran = bench.input_settled("in.Numbers(3)", Outcome::Rejected).wait();
    assert_eq!((ran.counters("1").received, ran.dead_letters().len()), (3, 3));
    let ran = bench.input("in.Numbers(3)").wait();
    assert_eq!(ran.counters("1").received, 0);
}

#[test]
fn an_input_that_gives_up_a_batch_says_why() {
    let ran = Bench::new(register)
        .start("task(in.Numbers(impatient=True), out.Flaky(\"/no\", \"hang\"))")
        .wait();
    let reason = "step 1 in.Numbers: deadline has elapsed";
    assert_eq!(*ran.ended(), Ended::Failed(reason.into()));
}

#[test]
fn a_sender_that_has_finished_sends_again_what_its_receiver_lost() {
    let mut bench = Bench::new(register);
    let soon = Duration::from_millis(5);
    bench.settings_mut().restart = RestartPolicy::Backoff(Backoff::new(soon, soon));
    let mut out = Collector::new("after a receiver failed");
    // The receiver holds everything until the sender has finished, and fails then.
    let ran = bench
        .start(
            "task(in.Numbers(20), link(\"x\"), name=\"sender\")\n\
             task(link(\"x\"), out.Hold(), link(\"y\"))\n\
             task(link(\"y\"), out.Hold(), out.Panic(\"10\", 2, \"receiver\"), \
             out.Collected(\"after a receiver failed\"))",
        )
        .wait();
    let tasks = &ran.summary().tasks;
    assert!(tasks.iter().all(|task| task.ended == Ended::Finished), "{tasks:#?}");
    assert_eq!((tasks[0].restarts, tasks[2].restarts), (2, 2));
    assert_eq!(out.lines(), numbers(1..=20));
    assert_eq!((tasks[0].ledger.delivered.records, tasks[0].ledger.again.records), (20, 40));
}

#[test]
fn a_task_that_sleeps_waits_for_what_it_sent_before_it_starts_again() {
    let bench = Bench::new(register);
    let mut out = Collector::new("over a link, again and again");
    let mut running = bench.start(
        "task(in.Numbers(20), link(\"x\"), sleep(\"1ms\"))\n\
         task(link(\"x\"), out.Hold(), out.Collected(\"over a link, again and again\"))",
    );
    let mut lines = Vec::new();
    while lines.len() < 20 {
        lines.extend(out.lines());
        std::thread::sleep(Duration::from_millis(1));
    }
    // Some further runs, which find nothing new.
    std::thread::sleep(Duration::from_millis(50));
    let _ = running.arrived();
    let ran = running.stop();
    lines.extend(out.lines());
    assert_eq!(lines, numbers(1..=20));
    assert_eq!(ran.summary().tasks[0].ledger.received.records, 20);
}

#[test]
fn little_may_be_on_its_way_and_everything_gets_through() {
    let mut bench = Bench::new(register);
    bench.settings_mut().unacked = 2000;
    let mut out = Collector::new("a few at a time");
    let ran = bench.start("task(in.Numbers(500), out.Collected(\"a few at a time\"))").wait();
    assert_eq!((ran.ended(), out.lines()), (&Ended::Finished, numbers(1..=500)));
}

#[test]
fn no_more_is_on_its_way_than_may_be_where_positions_cannot_be_stored() {
    let mut bench = Bench::new(register);
    bench.settings_mut().unacked = 2000;
    let mut out = Collector::new("without positions");
    let running = bench.start("task(in.Numbers(), out.Collected(\"without positions\"))");
    let mut arrived = Vec::new();
    while arrived.is_empty() {
        arrived.extend(out.lines());
        std::thread::sleep(Duration::from_millis(1));
    }
    // Nobody can write to a folder that is a file.
    let folder = bench.data_dir().join("task-1");
    let aside = bench.data_dir().join("aside");
    while fs::rename(&folder, &aside).is_err() {
        std::thread::sleep(Duration::from_millis(1));
    }
    fs::write(&folder, "").expect("a file");
    // A record is a number a millisecond, and each costs more than 32 bytes.
    let mut still = 0;
    while still < 50 && arrived.len() < 5000 {
        let new = out.lines();
        still = if new.is_empty() { still + 1 } else { 0 };
        arrived.extend(new);
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(arrived.len() < 5000, "it goes on for ever");
    let so_far = arrived.len();
    fs::remove_file(&folder).expect("the file");
    while arrived.len() < so_far + 200 {
        arrived.extend(out.lines());
        std::thread::sleep(Duration::from_millis(1));
    }
    let ran = running.stop();
    arrived.extend(out.lines());
    assert_eq!(ran.ended(), &Ended::Stopped);
    assert_eq!(arrived, numbers(1..=arrived.len() as u64));
}
