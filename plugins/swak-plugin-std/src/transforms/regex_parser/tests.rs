use swak_sdk::prelude::*;
use swak_test::{Bench, Ran, conformance, fields, lines};

fn run<T: AsRef<[u8]>>(options: &str, input: impl IntoIterator<Item = T>) -> Ran {
    Bench::new(crate::register).chain(&format!("out.RegexParser({options})"), lines(input))
}

#[test]
fn groups_become_fields_in_their_order() {
    let ran =
        run(r#"r"^(?<b>\S+) (?:(?<a>\d+)|-) (?P<rest>.*)$""#, ["x 12 the rest", "y - ", "nothing"]);
    assert_eq!(
        ran.lines(),
        [r#"{"b":"x","a":"12","rest":"the rest"}"#, r#"{"b":"y","rest":""}"#, "nothing"]
    );
    assert_eq!(ran.counters("2").errors, 1);
}

#[test]
fn the_first_pattern_that_matches_counts() {
    let options =
        r#"[r"^(?<word>[a-z]+)$", r"^(?<number>\d+)$", r"(?<other>.)"], types={"number": "int"}"#;
    let ran = run(options, ["12", "ab", "A"]);
    assert_eq!(ran.json(), [r#"{"number":12}"#, r#"{"word":"ab"}"#, r#"{"other":"A"}"#]);
}

#[test]
fn lines_and_records_of_them_are_read_alike() {
    let input = [
        &b"7 GET /a 0.5"[..],
        b"x GET /b -",
        b"",
        b"caf\xe9 GET /c 1",
        b"8 a \"quote\" and \\ ",
        b"no",
    ];
    for options in [
        r#"r"^(?<n>\S+) GET (?<path>\S+) (?:(?<f>[\d.]+)|-)$", types={"n": "int", "f": "float"}"#,
        r#"[r"GET (?<path>.*)", r"^(?<n>\d+) (?<rest>.*)"], types={"n": "int"}"#,
        r#"[r"GET (?<a>\S+) (?<b>.*)", r"^(?<b>\d+) (?<a>.*)"]"#,
        r#"[r"^(?-u:(?<all>[^ ]*)) GET ", r"(?<no>o)$"], on_mismatch="drop""#,
        r#"r"^(?<n>\d+)", time="n", types={"n": "int"}, on_mismatch="dead_letter""#,
        r#"r"^(?<n>\d+)", keep=True"#,
        r#"r"^(?<n>\d+)", target="found""#,
        r#"r"^(?<n>\d+)", field="other""#,
    ] {
        let of_lines = run(options, input);
        let records = input.map(|line| Record::from_line(line, Timestamp::now()));
        let call = format!("out.RegexParser({options})");
        let of_records = Bench::new(crate::register).chain(&call, swak_test::records(records));
        assert_eq!(of_lines.json(), of_records.json(), "{options}");
        assert_eq!(of_lines.dead_letters().len(), of_records.dead_letters().len(), "{options}");
        let counted = |ran: &Ran| {
            let counters = ran.counters("2");
            (counters.errors, counters.dropped.get("no pattern matches").copied())
        };
        assert_eq!(counted(&of_lines), counted(&of_records), "{options}");
    }
}

#[test]
fn every_type() {
    let options = r#"r"^(?<i>.*?) (?<f>.*?) (?<b>.*?) (?<s>.*?) (?<t>.*)$",
        types={"i": "int", "f": "float", "b": "bool", "s": "text", "t": "time"}, time_zone="UTC""#;
    let ran = run(options, ["-7 1.5e3 Off 007 2020-01-02T03:04:05Z", "x inf maybe 1 now"]);
    assert_eq!(
        ran.json(),
        [
            r#"{"i":-7,"f":1500.0,"b":false,"s":"007","t":"2020-01-02T03:04:05Z"}"#,
            r#"{"i":"x","f":"inf","b":"maybe","s":"1","t":"now"}"#
        ]
    );
    assert_eq!(ran.counters("2").errors, 4);
}

#[test]
fn a_field_becomes_the_time_of_the_record() {
    let options = r#"r"^\[(?<at>[^]]+)\] (?<message>.*)$", time="at",
        time_format="%a %b %d %H:%M:%S %Y", time_zone="Asia/Seoul""#;
    let ran = run(options, ["[Sun Dec 04 04:47:44 2005] hello"]);
    assert_eq!(ran.records()[0].time().to_string(), "2005-12-03T19:47:44Z");
    assert_eq!(ran.json(), [r#"{"at":"2005-12-03T19:47:44Z","message":"hello"}"#]);
    let as_text = options.replace("time=\"at\"", "time=\"at\", types={\"at\": \"text\"}");
    let ran = run(&as_text, ["[Sun Dec 04 04:47:44 2005] hello"]);
    assert_eq!(ran.records()[0].time().to_string(), "2005-12-03T19:47:44Z");
    assert_eq!(ran.json(), [r#"{"at":"Sun Dec 04 04:47:44 2005","message":"hello"}"#]);
}

#[test]
fn a_number_is_a_time_in_seconds() {
    let options = r#"r"^(?<at>\S+)$", time="at", types={"at": "float"}"#;
    let ran = run(options, ["1700000000.5", "x"]);
    assert_eq!(ran.records()[0].time().to_string(), "2023-11-14T22:13:20.5Z");
    assert_eq!(ran.counters("2").errors, 1, "one thing that went wrong is counted once");
}

#[test]
fn lines_that_are_not_utf8_keep_their_bytes() {
    let ran = run(r#"r"^(?<a>\S+) (?-u:(?<b>.*))$""#, [b"one caf\xe9".as_slice()]);
    let record = &ran.records()[0];
    let fields = record.fields().unwrap();
    assert_eq!(fields.get("b"), Some(&Value::Bytes(b"caf\xe9"[..].into())));
}

#[test]
fn long_text_is_a_slice_of_the_line() {
    let long = "a text that is longer than what fits in place";
    let text = Slice::from(format!("x {long}").as_str());
    let literal = Literal::bare(LiteralValue::Str("^x (?<rest>.*)$".to_owned()));
    let pattern = super::NamedPattern::read(&literal).unwrap();
    let mut parser = super::Pattern::new(&pattern, &["rest"]);
    let types = Placed { value: Dict::default(), span: Span::default() };
    let clock = super::ClockOptions { field: None, format: None, zone: None };
    let typing = super::Typing::new(["rest"], &types, &clock).unwrap();
    let mut out = Outlet::new(Default::default());
    let (now, mut time) = (Timestamp::default(), Timestamp::default());
    let fields = parser.fields(&text, &typing, now, &mut time, &mut out).unwrap();
    let found = fields.get("rest").and_then(Value::as_bytes).unwrap();
    assert_eq!(found.as_ptr(), text[2..].as_ptr());
}

#[test]
fn what_does_not_match_goes_where_it_should() {
    let pattern = r#"r"^(?<n>\d+)$", on_mismatch="#;
    let dropped = run(&format!("{pattern}\"drop\""), ["1", "x", "y"]);
    assert_eq!(dropped.lines(), [r#"{"n":"1"}"#]);
    assert_eq!(dropped.counters("2").dropped["no pattern matches"], 2);
    let dead = run(&format!("{pattern}\"dead_letter\""), ["1", "x", "y"]);
    assert_eq!((dead.lines().len(), dead.dead_letters().len()), (1, 2));
    assert!(dead.dead_letters()[1].contains('y'), "{:?}", dead.dead_letters());
    let all = run(&format!("{pattern}\"drop\""), ["x"]);
    assert_eq!(all.lines(), [""; 0]);
}

#[test]
fn a_dead_letter_needs_a_place_to_go() {
    let told = Bench::new(crate::register)
        .mistakes(r#"out.RegexParser("(?<a>.)", on_mismatch="dead_letter")"#);
    assert!(told.contains("this task has no dead letter"), "{told}");
}

#[test]
fn field_target_and_keep() {
    let input = || fields([r#"{"text":"a=1","x":0}"#]);
    let run = |options: &str| {
        let call = format!(r#"out.RegexParser("(?<k>.)=(?<v>.)", {options})"#);
        Bench::new(crate::register).chain(&call, input()).json().remove(0)
    };
    assert_eq!(run(r#"field="text""#), r#"{"x":0,"k":"a","v":"1"}"#);
    assert_eq!(
        run(r#"field="text", target="p", keep=True"#),
        r#"{"text":"a=1","x":0,"p":{"k":"a","v":"1"}}"#
    );
    assert_eq!(run(r#"field="nothing""#), r#"{"text":"a=1","x":0}"#);
}

#[test]
fn mistakes_are_told_at_their_place() {
    for (options, message) in [
        ("[]", "there is no pattern"),
        (r#"r"\d+""#, "this pattern has no named group"),
        (r#"["(?<a>.)", "(?<b>."]"#, "unclosed group"),
        (r#""(?<a>.)", types={"b": "int"}"#, "there is no field `b` here"),
        (r#""(?<a>.)", types={"a": "number"}"#, "number"),
        (r#""(?<a>.)", time="b""#, "there is no field `b` here"),
        (r#""(?<a>.)", time="a", time_format="%H:%M""#, "does not say a point in time"),
        (r#""(?<a>.)", time="a", time_zone="Mars/Base""#, "unknown time zone `Mars/Base`"),
        (r#""(?<a>.)", on_mismatch="skip""#, "skip"),
    ] {
        let told = Bench::new(crate::register).mistakes(&format!("out.RegexParser({options})"));
        assert!(told.contains(message), "{options}:\n{told}");
    }
}

#[test]
fn odd_records_are_no_trouble() {
    for policy in ["keep", "drop", "dead_letter"] {
        let call = format!(r#"out.RegexParser("(?<a>[a-z]+)", on_mismatch="{policy}")"#);
        conformance::transform(crate::register, &call);
    }
}

#[test]
fn times_of_real_logs_are_read() {
    let syslog = (r"^(?<at>\w{3} [ \d]\d \S+) ", "%b %d %H:%M:%S");
    let apache = (r"^\[(?<at>[^]]+)\]", "%a %b %d %H:%M:%S %Y");
    let windows = (r"^(?<at>\S+ \S+),", "%Y-%m-%d %H:%M:%S");
    for ((pattern, format), line, time) in [
        (apache, "[Sun Dec 04 04:47:44 2005] [notice] workerEnv.init() ok", "2005-12-04T04:47:44Z"),
        (syslog, "Jun 14 15:16:01 combo sshd(pam_unix)[19939]: failure", "-06-14T15:16:01Z"),
        (syslog, "Jul  1 09:00:55 host kernel[0]: text", "-07-01T09:00:55Z"),
        (windows, "2016-09-28 04:30:30, Info            CBS    Loaded", "2016-09-28T04:30:30Z"),
    ] {
        let options = format!("r'{pattern}', time='at', time_format='{format}', time_zone='UTC'");
        let ran = run(&options, [line]);
        let read = ran.records()[0].time().to_string();
        assert!(read.ends_with(time), "{line}: {read}");
        assert_eq!(ran.counters("2").errors, 0);
    }
}
