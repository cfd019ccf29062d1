//! What is counted and shown of the records on their way.

mod common;

use std::sync::{Arc, Mutex};

use common::register;
use swak_engine::{Backoff, Ended, RestartPolicy, Trace, When};
use swak_sdk::data::Chunk;
use swak_test::{Bench, Collector, Ran, fields, records};

/// Asserts that every step accounts for what it received, and gives the steps with their sums.
fn balanced(ran: &Ran) -> Vec<(String, u64)> {
    let steps = ran.summary().tasks.iter().flat_map(|task| &task.steps);
    let sum = |step: &swak_engine::StepSummary| {
        let counters = &step.counters;
        let accounted = counters.sent + counters.filtered + counters.dropped.values().sum::<u64>();
        assert_eq!(counters.received, accounted, "{}: {counters:?}", step.step);
        (step.step.clone(), counters.received)
    };
    steps.map(sum).collect()
}

#[test]
fn every_step_accounts_for_what_it_received() {
    for dead_letter in ["", ", dead_letter=out.Collected(\"dead of all\")"] {
        let bench = Bench::new(register);
        let path = |name: &str| bench.data_dir().join(name);
        let recipe = format!(
            "task(in.Numbers(100), out.Sift(), \
             when(\"message == '1'\", [out.Flaky({:?}, \"disconnect\", 1)]), \
             tee([out.Hold(), out.Flaky({:?}, \"reject_sevens\")], [link(\"x\")]), \
             failover(out.Flaky({:?}, \"retry\", 1), out.Flaky({:?}, \"disconnect\", 1), \
             out.Flaky({:?}, \"reject_sevens\")){dead_letter})\n\
             task(link(\"x\"), out.Flaky({:?}, \"retry\", 3))",
            path("1"),
            path("2"),
            path("3"),
            path("4"),
            path("5"),
            path("6"),
        );
        let ran = bench.start(&recipe).wait();
        assert_eq!(*ran.ended(), Ended::Finished);
        let received = balanced(&ran);
        let of = |step: &str| {
            let found = received.iter().find(|(name, _)| name.starts_with(step));
            found.unwrap_or_else(|| panic!("{step} in {received:?}")).1
        };
        // Of 100 numbers 10 each end in 2, 4 and 6; the `when` takes one more.
        let expected = [100, 100, 70, 1, 69, 69, 69, 69, 69];
        let steps =
            ["1 ", "2 ", "3 when", "3.then.1 ", "4 tee", "4.1.1 ", "4.1.2 ", "4.2.1 ", "5 f"];
        assert_eq!(steps.map(of), expected);
        assert_eq!(of("5.1 ") + of("5.2 ") + of("5.3 "), 69);
    }
}

#[test]
fn a_task_that_was_started_again_has_lost_nothing_uncounted() {
    let mut bench = Bench::new(register);
    let soon = std::time::Duration::from_millis(5);
    bench.settings_mut().restart = RestartPolicy::Backoff(Backoff::new(soon, soon));
    let mut out = Collector::new("after a panic");
    let ran = bench
        .start(
            "task(in.Numbers(20), out.Sift(), out.Panic(\"10\", 1, \"account\"), \
             out.Collected(\"after a panic\"))",
        )
        .wait();
    assert_eq!(ran.summary().tasks[0].restarts, 1);
    let mut numbers: Vec<u64> = out.lines().iter().map(|n| n.parse().unwrap()).collect();
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers, [1, 3, 5, 7, 8, 9, 10, 11, 13, 15, 17, 18, 19, 20]);
    // The step after the one that failed was given everything that came to it.
    let last = ran.counters("4");
    assert_eq!(last.received, last.sent);
    assert!(ran.counters("3").received > ran.counters("3").sent, "the run that failed held some");
}

#[test]
fn batches_without_records_hold_nobody_up() {
    let bench = Bench::new(register);
    let file = bench.data_dir().join("file");
    let steps = format!(
        "failover(out.Flaky({file:?}, \"retry\", 0), start_by=\"n\"), \
         when(\"n == 1\", [out.Collected(\"\")])"
    );
    let mut input = records([]);
    input.extend(fields([r#"{"n":1}"#, r#"{"n":2}"#]));
    input.extend(records([]));
    let ran = bench.chain(&steps, input);
    assert_eq!(*ran.ended(), Ended::Finished);
    assert_eq!(ran.json(), [r#"{"n":2}"#]);
}

#[derive(Default)]
struct Seen(Mutex<Vec<(String, When, usize)>>);

impl Trace for Seen {
    fn step(&self, _: &str, step: &str, when: When, chunk: &Chunk) {
        self.0.lock().expect("no panic while it is locked").push((
            step.to_owned(),
            when,
            chunk.len(),
        ));
    }
}

#[test]
fn a_trace_shows_what_the_input_emits_and_both_sides_of_each_step() {
    let mut bench = Bench::new(register);
    let seen = Arc::new(Seen::default());
    bench.settings_mut().trace = Some(seen.clone());
    bench.start("task(in.Numbers(1), out.Panic(\"\", 0, \"\"), out.Collected(\"\"))").wait();
    let (input, step, output) = ("1 in.Numbers", "2 out.Panic", "3 out.Collected");
    let expected = [
        (input, When::After),
        (step, When::Before),
        (step, When::After),
        (output, When::Before),
        (output, When::After),
    ];
    assert_eq!(*seen.0.lock().unwrap(), expected.map(|(step, when)| (step.to_owned(), when, 1)));
}
