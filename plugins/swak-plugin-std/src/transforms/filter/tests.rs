use swak_test::{Bench, Ran, conformance, fields, lines};

fn run(options: &str) -> Ran {
    let input = fields([r#"{"n":1}"#, r#"{"n":0}"#, r#"{"n":-1}"#, r#"{"m":1}"#]);
    Bench::new(crate::register).chain(&format!("out.Filter({options})"), input)
}

#[test]
fn what_matches_stays() {
    let ran = run("\"n >= 0\"");
    assert_eq!(ran.json(), [r#"{"n":1}"#, r#"{"n":0}"#]);
    assert_eq!((ran.counters("2").filtered, ran.counters("2").sent), (2, 2));
    assert_eq!(run("\"n > 5\"").json(), [""; 0]);
    assert_eq!(run("\"tag == 'test'\"").json().len(), 4);
}

#[test]
fn lines_stay_lines() {
    let ran = Bench::new(crate::register)
        .chain("out.Filter(\"'o' in line\")", lines(["one", "three", "two"]));
    assert_eq!(ran.lines(), ["one", "two"]);
    assert!(ran.records().iter().all(|record| record.line().is_some()));
}

#[test]
fn what_has_no_value_goes_where_it_should() {
    let kept = run("\"1 / n > 0\"");
    assert_eq!(kept.json()[..2], [r#"{"n":1}"#, r#"{"n":0}"#]);
    assert!(kept.counters("2").errors >= 1);
    let dropped = run("\"1 / n > 0\", on_error=\"drop\"");
    assert_eq!(dropped.json(), [r#"{"n":1}"#]);
    let counters = dropped.counters("2");
    assert_eq!(counters.dropped["the expression has no value"] + counters.filtered, 3);
    let dead = run("\"1 / n > 0\", on_error=\"dead_letter\"");
    assert_eq!(dead.json(), [r#"{"n":1}"#]);
    assert!(dead.dead_letters()[0].contains("has no value"), "{:?}", dead.dead_letters());
}

#[test]
fn mistakes_are_told() {
    let told = Bench::new(crate::register).mistakes("out.Filter(\"n >\")");
    assert!(told.contains("not an expression"), "{told}");
}

#[test]
fn odd_records_are_no_trouble() {
    for policy in ["keep", "drop", "dead_letter"] {
        let call = format!(r#"out.Filter("message + 1 > a", on_error="{policy}")"#);
        conformance::transform(crate::register, &call);
    }
}
