//! `out.MyLogParser` as the engine calls it: made from the arguments of a recipe, given batches.

use proptest::prelude::*;
use swak_sdk::ack::{Ack, Outcome};
use swak_sdk::data::{Batch, Record, Timestamp};
use swak_sdk::options::{Args, Key, Kind, Literal, LiteralValue, Span};
use swak_sdk::plugin::erased::{AnyPlugin, AnyTransform};
use swak_sdk::plugin::{BuildContext, CountersSnapshot, Outlet, Plugins};

const LINE: &str = "2026-11-21 10:30:00.123 [INFO] web: started in 12 ms";

#[test]
fn a_line_becomes_fields_and_a_time() {
    let (records, counters) = run("keep", &[LINE.as_bytes()]);
    assert_eq!(
        json(&records[0]),
        r#"{"level":"INFO","component":"web","message":"started in 12 ms"}"#
    );
    let local = records[0].time().to_jiff().to_zoned(jiff::tz::TimeZone::system());
    assert_eq!(local.strftime("%F %T%.3f").to_string(), "2026-11-21 10:30:00.123");
    assert_eq!((counters.sent, counters.errors), (1, 0));
}

#[test]
fn marks_in_the_message_belong_to_the_message() {
    let (records, _) = run("keep", &[b"2026-11-21 10:30:00 [WARN] db: a: [b] c: d"]);
    assert_eq!(json(&records[0]), r#"{"level":"WARN","component":"db","message":"a: [b] c: d"}"#);
}

#[test]
fn a_message_that_is_not_utf8_is_kept_byte_for_byte() {
    let (records, _) = run("keep", &[b"2026-11-21 10:30:00 [INFO] web: caf\xe9"]);
    let message = records[0].view().get("message").map(|m| m.as_bytes().map(<[u8]>::to_vec));
    assert_eq!(message, Some(Some(b"caf\xe9".to_vec())));
}

#[test]
fn what_cannot_be_read_is_kept_as_it_is_and_counted() {
    let unreadable: [&[u8]; 6] = [
        b"",
        b"hello",
        b"2026-13-21 10:30:00 [INFO] web: no such month",
        b"2026-11-21 10:30:00 [INFO web: no bracket",
        b"2026-11-21 10:30:00 [INFO] no component",
        b"\xff\xfe [INFO] web: no time",
    ];
    let (records, counters) = run("keep", &unreadable);
    let lines: Vec<_> = records.iter().map(|r| r.line().map(|l| l.to_vec())).collect();
    assert_eq!(lines, unreadable.map(|line| Some(line.to_vec())));
    assert_eq!((counters.sent, counters.errors), (6, 6));
}

#[test]
fn what_cannot_be_read_can_be_dropped_and_is_counted() {
    let (records, counters) = run("drop", &[b"hello", LINE.as_bytes(), b"bye"]);
    assert_eq!(records.len(), 1);
    assert_eq!((counters.sent, counters.errors), (1, 0));
    assert_eq!(counters.dropped.values().sum::<u64>(), 2);
}

proptest! {
    #[test]
    fn no_line_is_lost_and_none_panics(lines in prop::collection::vec(any::<Vec<u8>>(), 0..20)) {
        let lines: Vec<&[u8]> = lines.iter().map(Vec::as_slice).collect();
        let (records, _) = run("keep", &lines);
        prop_assert_eq!(records.len(), lines.len());
    }

    #[test]
    fn the_parts_come_back_as_they_were_written(
        level in "[A-Z]{1,8}", component in "[a-z0-9.-]{1,20}", message in ".{0,80}",
    ) {
        let line = format!("2026-11-21 10:30:00 [{level}] {component}: {message}");
        let (records, _) = run("keep", &[line.as_bytes()]);
        let field = |name| records[0].view().get(name).map(|v| v.as_str().map(str::to_owned));
        prop_assert_eq!(field("level"), Some(Some(level)));
        prop_assert_eq!(field("component"), Some(Some(component)));
        prop_assert_eq!(field("message"), Some(Some(message)));
    }
}

/// Sends the lines through `out.MyLogParser(on_error=…)`, and checks that the input hears of them.
fn run(on_error: &str, lines: &[&[u8]]) -> (Vec<Record>, CountersSnapshot) {
    let cx = BuildContext::for_check();
    let mut parser = parser(on_error, &cx);
    let mut out = Outlet::new(cx.counters().clone());
    let (ack, delivery) = Ack::channel();
    let records = lines.iter().map(|l| Record::from_line(*l, Timestamp::default())).collect();
    parser.apply(Batch::new(records).with_ack(ack), &mut out).expect("it always goes on");

    let (chunks, dead) = out.take();
    assert!(dead.is_empty());
    let mut records = Vec::new();
    for mut batch in chunks.into_iter().flatten() {
        records.append(batch.records_mut());
        batch.settle(Outcome::Delivered);
    }
    let counters = cx.counters().snapshot();
    let expected = if counters.dropped.is_empty() { Outcome::Delivered } else { Outcome::Rejected };
    assert_eq!(delivery.peek(), Some(expected));
    (records, counters)
}

fn parser(on_error: &str, cx: &BuildContext) -> Box<dyn AnyTransform> {
    let mut plugins = Plugins::new();
    swak_plugin_mylog::register(&mut plugins);
    let name = Key { name: "on_error".to_owned(), span: Span::default() };
    let value = Literal::bare(LiteralValue::Str(on_error.to_owned()));
    let args = Args { named: vec![(name, value)], ..Args::default() };
    let entry = plugins.get(Kind::Transform, "MyLogParser").expect("it is registered");
    match entry.build(&args, cx) {
        Ok(AnyPlugin::Transform(parser)) => parser,
        _ => panic!("out.MyLogParser is a transform"),
    }
}

fn json(record: &Record) -> String {
    let mut out = Vec::new();
    record.view().write_json(&mut out);
    String::from_utf8(out).expect("JSON is UTF-8")
}
