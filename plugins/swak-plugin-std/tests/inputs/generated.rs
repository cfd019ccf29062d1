//! `in.DummyData` and `in.Counter`.

use crate::harness::{Call, texts};

fn all(call: &Call) -> Vec<String> {
    texts(&call.start().finish().expect("the input ends in order").0)
}

#[test]
fn the_same_seed_gives_the_same_and_no_seed_goes_on() {
    for kind in ["people", "nginx", "json", "syslog", "syslog_bsd"] {
        let seeded = || Call::new("DummyData").with("type", kind).with("seed", 42).with("count", 5);
        let first = all(&seeded());
        assert_eq!(first.len(), 5);
        assert_eq!(all(&seeded()), first, "{kind}");
        let unseeded = || Call::new("DummyData").arg(kind);
        let first = all(&unseeded());
        assert_eq!(first.len(), 10);
        assert_ne!(all(&unseeded()), first, "{kind}");
    }
}

#[test]
fn a_rate_without_count_goes_on_until_it_is_stopped() {
    let mut running = Call::new("DummyData").with("rate", 20_000).start();
    running.wait_for(500);
    assert!(running.stop().len() >= 500);
    let counted = Call::new("DummyData").with("rate", 50_000).with("count", 1234);
    assert_eq!(all(&counted).len(), 1234);
}

#[test]
fn a_counter_counts() {
    let call = Call::new("Counter").arg(10).arg(-3).arg(4);
    assert_eq!(
        all(&call),
        [r#"{"count":10}"#, r#"{"count":7}"#, r#"{"count":4}"#, r#"{"count":1}"#]
    );
    assert_eq!(all(&Call::new("Counter").with("count", 2500)).len(), 2500);
    assert_eq!(all(&Call::new("Counter").with("count", 0)).len(), 0);
    let slow = Call::new("Counter").with("count", 3).with("interval", "5ms");
    assert_eq!(all(&slow), [r#"{"count":1}"#, r#"{"count":2}"#, r#"{"count":3}"#]);
}

#[test]
fn a_counter_ends_with_the_numbers_and_stops_when_told() {
    let call = Call::new("Counter").with("start", i64::MAX - 1);
    assert_eq!(all(&call).len(), 2);
    let mut endless = Call::new("Counter").start();
    endless.wait_for(10);
    endless.stop();
}

#[test]
fn mistakes_in_options_are_said() {
    let mistakes = Call::new("DummyData").arg("peple").with("rate", 0).mistakes();
    assert_eq!(mistakes[0], "unknown word `peple`");
    assert_eq!(mistakes.len(), 2);
}
