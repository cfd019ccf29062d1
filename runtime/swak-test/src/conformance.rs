//! What all plugins promise.

use std::panic::{AssertUnwindSafe, catch_unwind};

use swak_engine::Ended;
use swak_sdk::plugin::PluginEntry;
use swak_sdk::prelude::*;

use crate::{Bench, records};

/// Holds every plugin of a crate to what can be asked without running it: names and docs as the
/// reference needs them, options that refuse what they do not know, and no panic on any literal.
///
/// # Panics
/// If a plugin breaks a promise; the message says which.
pub fn conformance(register: fn(&mut Plugins)) {
    let mut plugins = Plugins::new();
    register(&mut plugins);
    assert!(plugins.iter().next().is_some(), "the crate registers no plugin");
    for entry in plugins.iter() {
        check_spec(&entry.spec);
        check_unknown_option(entry);
        check_literals(entry);
    }
}

/// Runs a transform, written as in a recipe, over records that are odd in every way that records can
/// be. It must not panic or fail, must account for every record, and settle every batch.
///
/// # Panics
/// If it breaks a promise; the message says which.
pub fn transform(register: fn(&mut Plugins), call: &str) {
    let input = odd_records();
    let given = input.iter().map(Batch::len).sum::<usize>() as u64;
    let ran = Bench::new(register).chain(call, input);
    assert_eq!(*ran.ended(), Ended::Finished, "{call} does not get through odd records");
    let counters = ran.counters("2");
    assert_eq!(counters.received, given, "{call} was not given every record");
    let dropped = counters.dropped.values().sum::<u64>();
    let came_out = ran.records().len() as u64;
    assert_eq!(counters.sent, came_out, "{call} counts what it sends");
    assert!(
        came_out + counters.filtered + dropped >= given,
        "{call} does not account for every record: {counters:?}"
    );
}

fn check_spec(spec: &PluginSpec) {
    let path = spec.path();
    let camel = spec.name.starts_with(|c: char| c.is_ascii_uppercase())
        && spec.name.chars().all(|c| c.is_ascii_alphanumeric());
    assert!(camel, "{path}: a plugin's name is written like FileTailing");
    assert!(spec.summary.ends_with('.'), "{path}: the first sentence of its doc ends with a stop");
    for option in spec.options.iter() {
        let snake = option.name.starts_with(|c: char| c.is_ascii_lowercase())
            && option.name.chars().all(|c| matches!(c, 'a'..='z' | '0'..='9' | '_'));
        assert!(snake, "{path}: option `{}` is written like max_line", option.name);
        assert!(!option.help.trim().is_empty(), "{path}: option `{}` has no doc", option.name);
        let repeated = spec.options.iter().filter(|o| o.name == option.name).count();
        assert_eq!(repeated, 1, "{path}: option `{}` is there twice", option.name);
    }
}

fn check_unknown_option(entry: &PluginEntry) {
    let args = named("no_such_option", LiteralValue::None);
    let errors = validate(entry, &args).expect_err("an unknown option is refused");
    let told = errors.0.iter().any(|e| e.message.contains("no_such_option"));
    assert!(told, "{}: the error does not name the unknown option", entry.spec.path());
}

fn check_literals(entry: &PluginEntry) {
    for option in entry.spec.options.iter() {
        for literal in odd_literals() {
            // Refused or not: it must not panic.
            let _ = validate(entry, &named(&option.name, literal));
        }
    }
}

fn validate(entry: &PluginEntry, args: &Args) -> Result<(), OptionErrors> {
    catch_unwind(AssertUnwindSafe(|| entry.validate(args, true))).unwrap_or_else(|_| {
        let (key, value) = &args.named[0];
        panic!("{} panics on {}={value}", entry.spec.path(), key.name)
    })
}

fn named(name: &str, value: LiteralValue) -> Args {
    let key = Key { name: name.to_owned(), span: Span::default() };
    Args { named: vec![(key, Literal::bare(value))], ..Args::default() }
}

fn odd_literals() -> Vec<LiteralValue> {
    use LiteralValue::{Bool, Dict, Float, Int, List, None, Str};
    let text = |s: &str| Str(s.to_owned());
    let mut literals = vec![None, Bool(true), Int(0), Int(-1), Int(i64::MIN), Int(i64::MAX)];
    literals.extend([Float(0.0), Float(-0.5), Float(1e300), Float(f64::NAN), Float(f64::INFINITY)]);
    literals.extend(
        [
            "",
            " ",
            "\0",
            "x",
            "1",
            "-1",
            "99999999999999999999d",
            "a.b[0]",
            "[",
            "(",
            "{{",
            "{{ x",
            "{% for %}",
            "{{ 1/0 }}",
            "**/[",
            "%Q",
            "../..",
            "é한\u{202e}",
            "\u{feff}",
        ]
        .map(text),
    );
    literals.push(Str("[".repeat(10_000)));
    literals.push(List(vec![]));
    literals.push(List(vec![Literal::bare(None), Literal::bare(List(vec![]))]));
    literals.push(Dict(vec![]));
    let key = Key { name: "é \"".to_owned(), span: Span::default() };
    literals.push(Dict(vec![(key, Literal::bare(Int(1)))]));
    literals
}

fn odd_records() -> Vec<Batch> {
    let now = Timestamp::now();
    let line = |bytes: &[u8]| Record::from_line(bytes, now);
    let deep = (0..100).fold(Value::Null, |inner, _| vec![inner].into());
    let wide: Map = (0..200).map(|i| (format!("f{i}"), i)).collect();
    let fields =
        |name: &str, value: Value| Record::from_fields([(name, value)].into_iter().collect(), now);
    let mut batches = records([
        line(b""),
        line(b" "),
        line(b"\0\xff\xfe\r"),
        line("é한 \"quoted\", with: 'all' {kinds} [of] <things>".as_bytes()),
        line(br#"{"a":1,"a":2,"b":{"c":[null,1e999]}}"#),
        line(&b"x".repeat(100_000)),
    ]);
    batches.extend(records([
        Record::from_fields(Map::new(), now),
        Record::from_fields(wide, Timestamp::from_nanos(i64::MAX)),
        fields("", deep),
        fields("message", Value::Null),
        fields("message", Value::Bytes(b"\xff".as_slice().into())),
        fields("message", Value::Float(f64::NAN)),
        fields("time", Timestamp::from_nanos(i64::MIN).into()),
    ]));
    batches.extend(records([]));
    batches
}
