//! `out.MyLogParser` in a task of its own, run by the real engine.

use proptest::prelude::*;
use swak_sdk::data::Value;
use swak_test::{Bench, Ran, conformance, lines};

const LINE: &[u8] = b"2026-11-21 10:30:00.123 [INFO] web: started in 12 ms";

#[test]
fn it_keeps_what_all_plugins_promise() {
    conformance(swak_plugin_mylog::register);
    for on_error in ["keep", "drop", "dead_letter"] {
        let call = format!("out.MyLogParser(on_error=\"{on_error}\")");
        conformance::transform(swak_plugin_mylog::register, &call);
    }
}

#[test]
fn a_line_becomes_fields_and_a_time() {
    let ran = run("keep", &[LINE]);
    let expected = r#"{"level":"INFO","component":"web","message":"started in 12 ms"}"#;
    assert_eq!(ran.json(), [expected]);
    let local = ran.records()[0].time().to_jiff().to_zoned(jiff::tz::TimeZone::system());
    assert_eq!(local.strftime("%F %T%.3f").to_string(), "2026-11-21 10:30:00.123");
}

#[test]
fn marks_in_the_message_belong_to_the_message() {
    let ran = run("keep", &[b"2026-11-21 10:30:00 [WARN] db: a: [b] c: d"]);
    let expected = r#"{"level":"WARN","component":"db","message":"a: [b] c: d"}"#;
    assert_eq!(ran.json(), [expected]);
}

#[test]
fn a_message_that_is_not_utf8_is_kept_byte_for_byte() {
    let ran = run("keep", &[b"2026-11-21 10:30:00 [INFO] web: caf\xe9"]);
    let message = ran.records()[0].fields().and_then(|f| f.get("message").cloned());
    assert_eq!(message, Some(Value::Bytes(b"caf\xe9"[..].into())));
}

#[test]
fn what_cannot_be_read_goes_where_the_recipe_says() {
    let unreadable: [&[u8]; 5] = [
        b"hello",
        b"2026-13-21 10:30:00 [INFO] web: no such month",
        b"2026-11-21 10:30:00 [INFO web: no bracket",
        b"2026-11-21 10:30:00 [INFO] no component",
        b"\xff\xfe [INFO] web: no time",
    ];
    let mixed = [&unreadable[..], &[LINE]].concat();

    let kept = run("keep", &mixed);
    let records = kept.records();
    let stayed: Vec<_> = records.iter().filter_map(|r| r.line().map(|l| l.to_vec())).collect();
    assert_eq!(stayed, unreadable);
    assert_eq!((kept.counters("2").sent, kept.counters("2").errors), (6, 5));

    let dropped = run("drop", &mixed);
    assert_eq!(dropped.records().len(), 1);
    assert_eq!(dropped.counters("2").dropped["not a line of MyLog"], 5);

    let dead = run("dead_letter", &mixed);
    assert_eq!((dead.records().len(), dead.dead_letters().len()), (1, 5));
}

#[test]
fn the_example_in_the_documentation_does_what_it_says() {
    assert!(swak_test::examples(swak_plugin_mylog::register).is_empty());
}

#[test]
fn a_mistake_is_told_where_it_is() {
    let bench = Bench::new(swak_plugin_mylog::register);
    let mistakes = bench.mistakes("out.MyLogParser(on_error=\"kep\")");
    assert!(mistakes.contains("did you mean `keep`?"), "{mistakes}");
    let mistakes = bench.mistakes("out.MyLogParser(on_error=\"dead_letter\")");
    assert!(mistakes.contains("this task has no dead letter"), "{mistakes}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn the_parts_come_back_as_they_were_written(
        level in "[A-Z]{1,8}", component in "[a-z0-9.-]{1,20}", message in "[^\r\n]{0,80}",
    ) {
        let line = format!("2026-11-21 10:30:00 [{level}] {component}: {message}");
        let ran = run("keep", &[line.as_bytes()]);
        let expected =
            [("level", level), ("component", component), ("message", message)].into_iter().collect();
        let records = ran.records();
        prop_assert_eq!(&*records[0].view().to_map(), &expected);
    }
}

fn run(on_error: &str, input: &[&[u8]]) -> Ran {
    let call = format!("out.MyLogParser(on_error=\"{on_error}\")");
    Bench::new(swak_plugin_mylog::register).chain(&call, lines(input))
}
