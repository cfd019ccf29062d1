//! What every output can be told: batching, workers, retries, time-outs.

use crate::servers::{Mode, State, server};
use crate::{numbers, register};
use swak_engine::Ended;
use swak_test::{Bench, Collector};

#[test]
fn chunks_are_gathered_up_to_the_limit_and_flushed_at_the_end() {
    let out = server("gathered");
    let ran = Bench::new(register)
        .start("task(in.Numbers(10), out.Server(\"gathered\", batch_records=4, batch_wait=\"1h\"))")
        .wait();
    let sizes: Vec<_> = out.lock().writes.iter().map(Vec::len).collect();
    assert_eq!((sizes, out.lines()), (vec![4, 4, 2], numbers(1..=10)));
    assert_eq!(*ran.ended(), Ended::Finished);
    assert_eq!((ran.counters("2").received, ran.counters("2").sent), (10, 10));
}

#[test]
fn a_large_chunk_is_cut() {
    let out = server("cut");
    // `Hold` makes one chunk of all.
    Bench::new(register)
        .start("task(in.Numbers(10), out.Hold(), out.Server(\"cut\", batch_records=3))")
        .wait();
    let sizes: Vec<_> = out.lock().writes.iter().map(Vec::len).collect();
    assert_eq!((sizes, out.lines()), (vec![3, 3, 3, 1], numbers(1..=10)));
}

#[test]
fn what_was_taken_of_a_chunk_that_failed_is_not_written_again() {
    for limit in ["", ", batch_records=3"] {
        let name = format!("takes two{limit}");
        let out = server(&name);
        out.set(Mode::TakesTwo);
        let ran = Bench::new(register)
            .start(&format!(
                "task(in.Numbers(9), out.Hold(), out.Server({name:?}, timeout=\"20ms\"{limit}))"
            ))
            .wait();
        assert_eq!(*ran.ended(), Ended::Finished);
        assert_eq!(out.lines(), numbers(1..=9), "{limit}");
        assert_eq!((ran.counters("3").received, ran.counters("3").sent), (9, 9), "{limit}");
    }
}

#[test]
fn what_waits_for_others_is_written_when_its_time_is_up() {
    let out = server("waits");
    let running = Bench::new(register).start(
        "task(in.Numbers(5, stay=True), \
         out.Server(\"waits\", batch_records=1000, batch_wait=\"10ms\"))",
    );
    out.wait_until("all are written", |state| state.writes.iter().flatten().count() == 5);
    assert_eq!(out.lines(), numbers(1..=5));
    running.stop();
}

#[test]
fn workers_keep_the_order_of_each_source_and_have_connections_of_their_own() {
    let out = server("workers");
    let ran = Bench::new(register)
        .start(
            "task(in.Numbers(400, sources=[\"a\", \"b\", \"c\", \"d\", \"e\", \"f\", \"g\", \"h\"]), \
             out.Server(\"workers\", workers=4))",
        )
        .wait();
    assert_eq!(*ran.ended(), Ended::Finished);
    for (i, source) in ["a", "b", "c", "d", "e", "f", "g", "h"].iter().enumerate() {
        let own = (1..=400).filter(|n| n % 8 == i).map(|n| n.to_string()).collect::<Vec<_>>();
        assert_eq!(out.lines_of(source), own, "{source}");
    }
    let connects = out.lock().connects;
    assert!((2..=4).contains(&connects), "{connects} workers were used");
    assert_eq!((ran.counters("2").received, ran.counters("2").sent), (400, 400));
}

#[test]
fn a_slow_source_does_not_stop_the_others_until_its_queue_is_full() {
    let mut bench = Bench::new(register);
    bench.settings_mut().queue = 1000;
    bench.settings_mut().shutdown_limit = std::time::Duration::from_millis(50);
    let out = server("slow source");
    out.set(Mode::HangsFor("a"));
    let running = bench.start(
        "task(in.Numbers(400, sources=[\"a\", \"b\", \"c\", \"d\", \"e\", \"f\", \"g\", \"h\"]), \
         out.Server(\"slow source\", workers=8))",
    );
    // Those that do not share a worker with the slow one come through whole.
    out.wait_until("another source comes through", |state| {
        let of = |source: &str| state.writes.iter().flatten().filter(|(s, _)| s == source).count();
        ["b", "c", "d", "e", "f", "g", "h"].iter().any(|source| of(source) == 50)
    });
    assert!(out.lines_of("a").is_empty());
    running.stop();
    // And nothing of it is lost.
    out.set(Mode::Up);
    bench
        .start(
            "task(in.Numbers(400, sources=[\"a\", \"b\", \"c\", \"d\", \"e\", \"f\", \"g\", \"h\"]), \
             out.Server(\"slow source\", workers=8))",
        )
        .wait();
    assert_eq!(out.lines_of("a").len(), 50);
}

#[test]
fn where_only_one_may_write_workers_are_a_mistake() {
    let found = Bench::new(register).mistakes("out.Store(\"x\", workers=2)");
    assert!(found.contains("only one worker can write there at a time"), "{found}");
    assert!(found.contains("`workers` of `out.Store`"), "{found}");
}

#[test]
fn what_failed_too_often_goes_to_the_dead_letters() {
    for (mode, reason) in [
        (Mode::Retries, "gave up after 2 retries: not now"),
        (Mode::Disconnects, "gave up after 2 retries: gone"),
        (Mode::Refuses, "gave up after 2 retries: connection refused"),
        (Mode::HangsAtWrite, "gave up after 2 retries: the write took longer than 20ms"),
        (Mode::HangsAtConnect, "gave up after 2 retries: the connect took longer than 20ms"),
    ] {
        let name = format!("gives up {mode:?}");
        let out = server(&name);
        out.set(mode);
        let mut dead = Collector::new(&name);
        let ran = Bench::new(register)
            .start(&format!(
                "task(in.Numbers(2), out.Server({name:?}, retries=2, timeout=\"20ms\"), \
                 dead_letter=out.Collected({name:?}))"
            ))
            .wait();
        let letters = dead.lines();
        assert_eq!(letters.len(), 2, "{mode:?}");
        assert!(letters.iter().all(|letter| letter.contains(reason)), "{letters:?}");
        assert_eq!(*ran.ended(), Ended::Finished);
        let counters = ran.counters("2");
        assert_eq!((counters.received, counters.sent, counters.errors), (2, 0, 6), "{mode:?}");
        let State { connects, attempts, .. } = *out.lock();
        assert_eq!(connects.max(attempts), 6, "{mode:?}");
    }
}

#[test]
fn retries_count_from_the_last_time_that_a_part_of_a_chunk_came_through() {
    // Thirty tries. With waits that go on doubling, the last would be later than in a week.
    const RETRIES: &str = "retries=2, retry_wait=\"1ms\", retry_max_wait=\"30d\"";
    let out = server("in small pieces");
    out.set(Mode::TakesTwo);
    let mut dead = Collector::new("in small pieces");
    let ran = Bench::new(register)
        .start(&format!(
            "task(in.Numbers(60), out.Hold(), \
             out.Server(\"in small pieces\", timeout=\"20ms\", {RETRIES}), \
             dead_letter=out.Collected(\"in small pieces\"))"
        ))
        .wait();
    assert_eq!(*ran.ended(), Ended::Finished);
    assert_eq!((out.lines(), dead.lines()), (numbers(1..=60), Vec::new()));
    assert_eq!(ran.counters("3").sent, 60);
}

#[test]
fn a_server_that_stops_taking_pieces_is_tried_as_often_as_any_other() {
    let out = server("stops");
    out.set(Mode::TakesTwo);
    let mut dead = Collector::new("stops");
    let running = Bench::new(register).start(
        "task(in.Numbers(5000), out.Hold(), \
         out.Server(\"stops\", timeout=\"20ms\", retries=2, retry_wait=\"1ms\"), \
         dead_letter=out.Collected(\"stops\"))",
    );
    out.wait_until("some pieces were taken", |state| state.writes.len() > 3);
    out.set(Mode::HangsAtWrite);
    let ran = running.wait();
    assert_eq!(*ran.ended(), Ended::Finished);
    let (taken, letters) = (out.lines().len(), dead.lines());
    assert_eq!(taken + letters.len(), 5000);
    assert!(letters.iter().all(|letter| letter.contains("gave up after 2 retries")));
    let State { attempts, ref writes, .. } = *out.lock();
    assert_eq!(attempts, writes.len() + 2, "the last piece, and two tries more");
}

#[test]
fn what_is_tried_again_soon_enough_is_delivered() {
    let out = server("soon enough");
    out.set(Mode::Refuses);
    let mut dead = Collector::new("soon enough");
    let running = Bench::new(register).start(
        "task(in.Numbers(20), out.Server(\"soon enough\", retries=4000000000), \
         dead_letter=out.Collected(\"soon enough\"))",
    );
    out.wait_until("it was tried", |state| state.connects > 3);
    out.set(Mode::Up);
    let ran = running.wait();
    assert_eq!(out.lines(), numbers(1..=20));
    assert!(dead.lines().is_empty());
    assert_eq!(ran.counters("2").sent, 20);
}

#[test]
fn a_write_that_hangs_is_written_again_over_a_new_connection() {
    let out = server("hangs once");
    out.set(Mode::HangsAtWrite);
    let running = Bench::new(register)
        .start("task(in.Numbers(20), out.Server(\"hangs once\", timeout=\"20ms\"))");
    out.wait_until("it hung", |state| state.attempts >= 2);
    out.set(Mode::Up);
    let ran = running.wait();
    assert_eq!(*ran.ended(), Ended::Finished);
    assert_eq!(out.lines(), numbers(1..=20));
    assert!(out.lock().connects >= 3);
}
