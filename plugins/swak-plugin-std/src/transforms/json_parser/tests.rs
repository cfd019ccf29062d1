use swak_test::{Bench, Ran, conformance, fields, lines};

fn run<const N: usize>(options: &str, input: [&str; N]) -> Ran {
    Bench::new(crate::register).chain(&format!("out.JsonParser({options})"), lines(input))
}

#[test]
fn objects_become_fields_and_are_written_back_as_they_were() {
    let odd = r#" { "a" : 1.0, "b":"\u00e9" } "#;
    let ran = run("", [odd]);
    assert_eq!(ran.json(), [odd]);
    let fields = ran.records()[0].fields().unwrap().into_owned();
    assert_eq!(fields.get("b").and_then(|b| b.as_str().map(str::to_owned)).as_deref(), Some("é"));
}

#[test]
fn what_is_no_object_goes_where_it_should() {
    let input = [r#"{"a":1}"#, "[1]", "{", ""];
    let kept = run("", input);
    assert_eq!(kept.lines(), input);
    assert_eq!(kept.counters("2").errors, 3);
    let dropped = run(r#"on_error="drop""#, input);
    assert_eq!(dropped.lines(), [r#"{"a":1}"#]);
    assert_eq!(dropped.counters("2").dropped["not a JSON object"], 3);
    let dead = run(r#"on_error="dead_letter""#, input);
    assert_eq!(dead.lines(), [r#"{"a":1}"#]);
    assert!(dead.dead_letters()[0].contains("expected an object, found list"));
}

#[test]
fn field_target_and_keep() {
    assert_eq!(run("keep=True", [r#"{"a":1}"#]).json(), [r#"{"message":"{\"a\":1}","a":1}"#]);
    assert_eq!(run(r#"target="p""#, [r#"{"a":1}"#]).json(), [r#"{"p":{"a":1}}"#]);
    let input = fields([r#"{"log":"{\"a\":1}","x":0}"#]);
    let ran = Bench::new(crate::register).chain(r#"out.JsonParser(field="log")"#, input);
    assert_eq!(ran.json(), [r#"{"x":0,"a":1}"#]);
    let blocked = fields([r#"{"message":"{\"a\":1}","x":0}"#]);
    let ran = Bench::new(crate::register).chain(r#"out.JsonParser(target="x.y")"#, blocked);
    assert_eq!(ran.json(), [r#"{"message":"{\"a\":1}","x":0}"#]);
    assert_eq!(ran.counters("2").errors, 1);
}

#[test]
fn an_object_on_several_lines_is_written_on_one() {
    let input = fields([r#"{"message":"{\n\"a\": 1\n}"}"#]);
    let ran = Bench::new(crate::register).chain("out.JsonParser()", input);
    assert_eq!(ran.json(), [r#"{"a":1}"#]);
}

#[test]
fn a_field_becomes_the_time_of_the_record() {
    let options = r#"time="at.t", time_format="%Y-%m-%d %H:%M", time_zone="Asia/Seoul""#;
    let input = [
        r#"{"at":{"t":"2020-01-02 12:00"}}"#,
        r#"{"at":{"t":1700000000}}"#,
        r#"{"at":{"t":0.5}}"#,
        r#"{"at":{"t":"never"}}"#,
        r#"{"at":{}}"#,
    ];
    let ran = run(options, input);
    assert_eq!(ran.json(), input, "the fields stay as they are");
    let times: Vec<_> = ran.records().iter().map(|r| r.time().to_string()).collect();
    let expected = ["2020-01-02T03:00:00Z", "2023-11-14T22:13:20Z", "1970-01-01T00:00:00.5Z"];
    assert_eq!(times[..3], expected);
    assert_eq!(ran.counters("2").errors, 2);
    let told = Bench::new(crate::register).mistakes("out.JsonParser(time_zone=\"Mars/Base\")");
    assert!(told.contains("unknown time zone"), "{told}");
}

#[test]
fn a_dead_letter_needs_a_place_to_go() {
    let told = Bench::new(crate::register).mistakes(r#"out.JsonParser(on_error="dead_letter")"#);
    assert!(told.contains("this task has no dead letter"), "{told}");
}

#[test]
fn odd_records_are_no_trouble() {
    for policy in ["keep", "drop", "dead_letter"] {
        conformance::transform(crate::register, &format!("out.JsonParser(on_error=\"{policy}\")"));
    }
}
