//! Outputs that stand in for each other, under every way to fail.

use std::time::Duration;

use crate::servers::{Mode, Server, State, server};
use crate::{numbers, register};
use swak_engine::{Backoff, Ended, RestartPolicy};
use swak_test::{Bench, Collector};

/// What all of these have taken, sorted: what is lost is missing, and what is doubled is there twice.
fn all_of(servers: &[&Server]) -> Vec<u64> {
    let lines = servers.iter().flat_map(|server| server.lines());
    let mut all: Vec<u64> = lines.map(|line| line.parse().expect("a number")).collect();
    all.sort_unstable();
    all
}

fn count(state: &State) -> usize {
    state.writes.iter().map(Vec::len).sum()
}

#[test]
fn another_one_takes_what_one_does_not_take_whatever_its_reason() {
    for mode in [
        Mode::Refuses,
        Mode::HangsAtConnect,
        Mode::HangsAtWrite,
        Mode::Retries,
        Mode::Disconnects,
        Mode::Fatal,
    ] {
        let names = [format!("takes over {mode:?} 1"), format!("takes over {mode:?} 2")];
        let [one, two] = [server(&names[0]), server(&names[1])];
        one.set(mode);
        let ran = Bench::new(register)
            .start(&format!(
                "task(in.Numbers(100), failover(out.Server({:?}), out.Server({:?}), \
                 timeout=\"20ms\"))",
                names[0], names[1]
            ))
            .wait();
        assert_eq!(*ran.ended(), Ended::Finished, "{mode:?}");
        assert_eq!(two.lines(), numbers(1..=100), "{mode:?}");
        assert!(one.lines().is_empty(), "{mode:?}");
        let counters = ran.counters("2");
        assert_eq!((counters.received, counters.sent), (100, 100), "{mode:?}");
        assert_eq!((ran.counters("2.1").received, ran.counters("2.2").sent), (0, 100), "{mode:?}");
    }
}

#[test]
fn what_one_took_of_a_chunk_goes_to_no_other() {
    let [one, two] = [server("takes two 1"), server("takes two 2")];
    one.set(Mode::TakesTwo);
    let ran = Bench::new(register)
        .start(
            "task(in.Numbers(10), out.Hold(), failover(out.Server(\"takes two 1\"), \
             out.Server(\"takes two 2\"), timeout=\"20ms\"))",
        )
        .wait();
    assert_eq!((one.lines(), two.lines()), (numbers(1..=2), numbers(3..=10)));
    assert_eq!((ran.counters("3.1").received, ran.counters("3.2").received), (2, 8));
    assert_eq!(*ran.ended(), Ended::Finished);
}

#[test]
fn what_one_rejects_is_at_fault_and_goes_to_no_other() {
    let [one, two] = [server("rejects 1"), server("rejects 2")];
    one.set(Mode::RejectsSevens);
    let ran = Bench::new(register)
        .start(
            "task(in.Numbers(20), failover(out.Server(\"rejects 1\"), out.Server(\"rejects 2\")))",
        )
        .wait();
    let good: Vec<_> = numbers(1..=20).into_iter().filter(|n| !n.ends_with('7')).collect();
    assert_eq!((one.lines(), two.lines().len()), (good, 0));
    assert_eq!(ran.counters("2.1").dropped["rejected"], 2);
}

#[test]
fn the_flow_goes_back_to_the_first_when_it_answers() {
    for mode in
        [Mode::Refuses, Mode::HangsAtConnect, Mode::HangsAtWrite, Mode::Retries, Mode::Disconnects]
    {
        let names = [format!("comes back {mode:?} 1"), format!("comes back {mode:?} 2")];
        let [one, two] = [server(&names[0]), server(&names[1])];
        let running = Bench::new(register).start(&format!(
            "task(in.Numbers(), failover(out.Server({:?}, timeout=\"20ms\"), out.Server({:?}), \
             timeout=\"20ms\"))",
            names[0], names[1]
        ));
        for _ in 0..2 {
            let before = (count(&one.lock()), count(&two.lock()));
            one.wait_until("the flow is at the first", |state| count(state) > before.0);
            one.set(mode);
            two.wait_until("the second takes over", |state| count(state) > before.1);
            one.set(Mode::Up);
        }
        let before = count(&one.lock());
        one.wait_until("the flow is back", |state| count(state) > before);
        let ran = running.stop();
        assert_eq!(*ran.ended(), Ended::Stopped);
        let received = ran.counters("1").received;
        assert_eq!(all_of(&[&one, &two]), (1..=received).collect::<Vec<_>>(), "{mode:?}");
    }
}

#[test]
fn no_chunk_is_risked_on_one_that_does_not_connect() {
    let [one, two] = [server("not risked 1"), server("not risked 2")];
    one.set(Mode::HangsAtConnect);
    let ran = Bench::new(register)
        .start(
            "task(in.Numbers(500), failover(out.Server(\"not risked 1\"), \
             out.Server(\"not risked 2\"), timeout=\"20ms\"))",
        )
        .wait();
    assert_eq!(two.lines().len(), 500);
    // Once in front of the first chunk, and once beside the flow, where it still hangs.
    assert!(one.lock().connects <= 2, "{}", one.lock().connects);
    assert_eq!(*ran.ended(), Ended::Finished);
}

#[test]
fn one_that_connects_and_fails_to_write_rests_before_each_chunk_that_it_is_given() {
    let [one, two] = [server("rests 1"), server("rests 2")];
    one.set(Mode::Retries);
    Bench::new(register)
        .start(
            "task(in.Numbers(500), failover(out.Server(\"rests 1\", retry_wait=\"1h\", \
             retry_max_wait=\"1h\"), out.Server(\"rests 2\")))",
        )
        .wait();
    assert_eq!(two.lines().len(), 500);
    assert_eq!(one.lock().attempts, 1);
}

#[test]
fn a_connection_that_was_closed_while_idle_is_renewed_and_the_flow_stays() {
    let [one, two] = [server("renewed 1"), server("renewed 2")];
    let running = Bench::new(register).start(
        "task(in.Numbers(), failover(out.Server(\"renewed 1\"), out.Server(\"renewed 2\")))",
    );
    one.wait_until("it begins", |state| count(state) > 0);
    one.set(Mode::DisconnectsOnce);
    one.wait_until("it is connected again", |state| state.connects == 2);
    running.stop();
    assert!(two.lines().is_empty());
}

#[test]
fn without_a_last_the_flow_waits_for_the_first_one_that_is_back() {
    let [one, two] = [server("all away 1"), server("all away 2")];
    one.set(Mode::Refuses);
    two.set(Mode::HangsAtConnect);
    let running = Bench::new(register).start(
        "task(in.Numbers(20), failover(out.Server(\"all away 1\"), \
         out.Server(\"all away 2\", timeout=\"20ms\"), timeout=\"20ms\"))",
    );
    two.wait_until("it is tried beside the flow", |state| state.connects > 2);
    two.set(Mode::Up);
    let ran = running.wait();
    assert_eq!((ran.ended(), two.lines()), (&Ended::Finished, numbers(1..=20)));
}

#[test]
fn what_the_last_took_is_sent_on_when_an_output_answers() {
    let [one, two, last] = [server("drains 1"), server("drains 2"), server("drains last")];
    one.set(Mode::Refuses);
    two.set(Mode::HangsAtConnect);
    let recipe = "task(in.Numbers(20, stay=True), failover(out.Server(\"drains 1\"), \
                  out.Server(\"drains 2\", timeout=\"20ms\"), last=out.Store(\"drains last\"), \
                  timeout=\"20ms\", drain_back=True))";
    let running = Bench::new(register).start(recipe);
    wait_for_stored(&last, 20);
    two.set(Mode::Up);
    two.wait_until("all are sent on", |state| count(state) == 20);
    let ran = running.stop();
    assert_eq!(*ran.ended(), Ended::Stopped);
    // In order, in pieces, none twice, and nothing is left.
    assert_eq!(two.lines(), numbers(1..=20));
    assert!(last.stored().is_empty(), "{:?}", last.stored());
    assert_eq!(last.lock().again, 0);
    assert_eq!((ran.counters("2.last").sent, ran.counters("2.2").sent), (20, 20));
}

#[test]
fn what_an_earlier_run_left_is_sent_on_without_live_records() {
    let [one, last] = [server("left 1"), server("left last")];
    let bench = Bench::new(register);
    let task = "task(in.Numbers(20, stay=True), failover(out.Server(\"left 1\"), \
                last=out.Store(\"left last\"), drain_back=True))";
    one.set(Mode::Refuses);
    let running = bench.start(task);
    wait_for_stored(&last, 20);
    running.stop();
    assert_eq!(last.stored(), numbers(1..=20));
    one.set(Mode::Up);
    let running = bench.start(task);
    one.wait_until("all are sent on", |state| count(state) == 20);
    running.stop();
    assert_eq!((one.lines(), last.stored().len()), (numbers(1..=20), 0));
}

#[test]
fn live_records_flow_beside_a_drain_that_fails_in_between() {
    let [one, last] = [server("between 1"), server("between last")];
    one.set(Mode::Refuses);
    let running = Bench::new(register).start(
        "task(in.Numbers(), failover(out.Server(\"between 1\", timeout=\"20ms\"), \
         last=out.Store(\"between last\", piece=1), timeout=\"20ms\", drain_back=True))",
    );
    for mode in [Mode::Refuses, Mode::HangsAtWrite, Mode::Disconnects, Mode::Retries] {
        one.set(mode);
        let stored = last.stored().len();
        wait_for_stored(&last, stored + 30);
        let before = count(&one.lock());
        one.set(Mode::Up);
        one.wait_until("some are sent on", |state| count(state) > before + 10);
    }
    wait_for_stored(&last, 0);
    let ran = running.stop();
    let received = ran.counters("1").received;
    // What is stored at the end was taken after the last look.
    let mut all = all_of(&[&one]);
    all.extend(last.stored().iter().map(|line| line.parse::<u64>().expect("a number")));
    all.sort_unstable();
    assert_eq!(all, (1..=received).collect::<Vec<_>>());
}

#[test]
fn what_is_rejected_of_what_was_stored_goes_to_the_dead_letters_and_is_removed() {
    let [one, last] = [server("bad stored 1"), server("bad stored last")];
    let mut dead = Collector::new("bad stored");
    one.set(Mode::Refuses);
    let running = Bench::new(register).start(
        "task(in.Numbers(20, stay=True), failover(out.Server(\"bad stored 1\"), \
         last=out.Store(\"bad stored last\"), drain_back=True), \
         dead_letter=out.Collected(\"bad stored\"))",
    );
    wait_for_stored(&last, 20);
    one.set(Mode::RejectsSevens);
    one.wait_until("the others are sent on", |state| count(state) == 18);
    running.stop();
    assert_eq!((dead.lines().len(), last.stored().len()), (2, 0));
}

#[test]
fn a_last_that_cannot_hand_back_is_a_mistake() {
    let bench = Bench::new(register);
    let found =
        bench.mistakes("failover(out.Server(\"a\"), last=out.Server(\"b\"), drain_back=True)");
    assert!(found.contains("error[cannot-drain-back]"), "{found}");
    assert!(found.contains("`out.Server` cannot be drained: it cannot hand back"), "{found}");
    let right = "failover(out.Server(\"a\"), last=out.Store(\"b\"), drain_back=True)";
    assert_eq!(bench.mistakes(right), "");
}

#[test]
fn members_get_no_more_at_once_than_each_can_take() {
    let [one, two] = [server("small 1"), server("small 2")];
    one.set(Mode::Refuses);
    Bench::new(register)
        .start(
            "task(in.Numbers(20), failover(out.Server(\"small 1\", batch_records=10, \
             batch_wait=\"1h\"), out.Server(\"small 2\", batch_records=4, batch_wait=\"1h\")))",
        )
        .wait();
    let sizes: Vec<_> = two.lock().writes.iter().map(Vec::len).collect();
    assert_eq!((sizes, two.lines()), (vec![4, 4, 2, 4, 4, 2], numbers(1..=20)));
}

#[test]
fn a_stop_waits_for_no_member_that_is_away() {
    let mut bench = Bench::new(register);
    bench.settings_mut().shutdown_limit = Duration::from_secs(3600);
    let [one, two] = [server("stops 1"), server("stops 2")];
    one.set(Mode::HangsAtConnect);
    let running = bench.start(
        "task(in.Numbers(), failover(out.Server(\"stops 1\"), out.Server(\"stops 2\"), \
         timeout=\"20ms\"))",
    );
    one.wait_until("it hangs beside the flow", |state| state.connects == 2);
    two.wait_until("the flow goes on", |state| count(state) > 10);
    assert_eq!(*running.stop().ended(), Ended::Stopped);
}

#[test]
fn whatever_happens_nothing_is_lost_doubled_or_out_of_order() {
    let modes = [
        Mode::Up,
        Mode::Refuses,
        Mode::HangsAtConnect,
        Mode::HangsAtWrite,
        Mode::Retries,
        Mode::Disconnects,
        Mode::DisconnectsOnce,
    ];
    for seed in 1..=4_u64 {
        let name = |i: usize| format!("chaos {seed} {i}");
        let servers = [server(&name(0)), server(&name(1)), server(&name(2))];
        let journal = server(&format!("chaos {seed} journal"));
        let outputs: Vec<_> = (0..3)
            .map(|i| {
                format!(
                    "out.Server({:?}, journal=\"chaos {seed} journal\", timeout=\"15ms\")",
                    name(i)
                )
            })
            .collect();
        let running = Bench::new(register).start(&format!(
            "task(in.Numbers(), failover({}, timeout=\"10ms\"))",
            outputs.join(", ")
        ));
        let mut random = seed;
        for _ in 0..40 {
            // Knuth's MMIX generator; its high bits are good enough here.
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let (which, mode) = ((random >> 33) as usize, (random >> 45) as usize);
            servers[which % 3].set(modes[mode % modes.len()]);
            std::thread::sleep(Duration::from_millis(5));
        }
        servers.iter().for_each(|server| server.set(Mode::Up));
        let before = count(&servers[0].lock());
        servers[0].wait_until("the flow is back", |state| count(state) > before);
        let received = running.stop().counters("1").received;
        assert_eq!(journal.lines(), numbers(1..=received), "seed {seed}");
        let [one, two, three] = &servers;
        assert_eq!(all_of(&[one, two, three]), (1..=received).collect::<Vec<_>>(), "seed {seed}");
    }
}

#[test]
fn a_panic_beside_the_flow_starts_the_task_again_and_loses_nothing() {
    let mut bench = Bench::new(register);
    let soon = Backoff::new(Duration::from_millis(5), Duration::from_millis(5));
    bench.settings_mut().restart = RestartPolicy::Backoff(soon);
    let [one, two] = [server("panics 1"), server("panics 2")];
    one.set(Mode::Refuses);
    let running = bench
        .start("task(in.Numbers(), failover(out.Server(\"panics 1\"), out.Server(\"panics 2\")))");
    two.wait_until("the flow goes on", |state| count(state) > 10);
    one.set(Mode::Panics);
    one.wait_until("the flow is back after a restart", |state| count(state) > 10);
    let ran = running.stop();
    assert_eq!((ran.ended(), ran.summary().tasks[0].restarts), (&Ended::Stopped, 1));
    let mut all = all_of(&[&one, &two]);
    all.dedup();
    assert!(all.iter().copied().eq(1..=all.len() as u64), "{all:?}");
}

fn wait_for_stored(last: &Server, records: usize) {
    for _ in 0..30_000 {
        let stored = last.stored().len();
        if (records == 0 && stored == 0) || (records > 0 && stored >= records) {
            return;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    panic!("{} are stored, and {records} should be", last.stored().len());
}
