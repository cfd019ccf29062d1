use proptest::prelude::*;
use swak_test::{Bench, Ran, conformance, fields, lines};

use super::Rows;

fn run<const N: usize>(options: &str, input: [&str; N]) -> Ran {
    Bench::new(crate::register).chain(&format!("out.CsvParser({options})"), lines(input))
}

fn mistakes(options: &str) -> String {
    Bench::new(crate::register).mistakes(&format!("out.CsvParser({options})"))
}

#[test]
fn cells_become_fields() {
    let ran = run(r#"["a", "b"]"#, ["1,two", r#""x,y","say ""hi""""#, ",", "한글, b ", "1,2\r"]);
    assert_eq!(
        ran.json(),
        [
            r#"{"a":"1","b":"two"}"#,
            r#"{"a":"x,y","b":"say \"hi\""}"#,
            r#"{"a":"","b":""}"#,
            r#"{"a":"한글","b":" b "}"#,
            r#"{"a":"1","b":"2"}"#,
        ]
    );
}

#[test]
fn types_delimiter_quote_and_time() {
    let options = r#"["n", "", "on", "at"], types={"n": "int", "on": "bool"}, delimiter=";",
        quote="'", time="at", time_format="%Y-%m-%d", time_zone="UTC""#;
    let ran = run(options, ["7;left out;YES;2020-01-02", "x;';';no;never"]);
    assert_eq!(
        ran.json(),
        [
            r#"{"n":7,"on":true,"at":"2020-01-02T00:00:00Z"}"#,
            r#"{"n":"x","on":false,"at":"never"}"#
        ]
    );
    assert_eq!(ran.records()[0].time().to_string(), "2020-01-02T00:00:00Z");
    assert_eq!(ran.counters("2").errors, 2, "`x` is no number and `never` is no time");
}

#[test]
fn rows_of_another_width_go_where_they_should() {
    let input = ["1,2", "1,2,3", "", "1"];
    let kept = run(r#"["a", "b"]"#, input);
    assert_eq!(kept.lines(), [r#"{"a":"1","b":"2"}"#, "1,2,3", "", "1"]);
    assert_eq!(kept.counters("2").errors, 3);
    let dropped = run(r#"["a", "b"], on_error="drop""#, input);
    assert_eq!(dropped.lines(), [r#"{"a":"1","b":"2"}"#]);
    assert_eq!(dropped.counters("2").dropped["not a row of these columns"], 3);
    let dead = run(r#"["a", "b"], on_error="dead_letter""#, input);
    assert_eq!((dead.lines().len(), dead.dead_letters().len()), (1, 3));
    assert!(dead.dead_letters()[0].contains("3 cells in the row, but 2 columns"));
}

#[test]
fn a_record_of_two_rows_is_not_a_row() {
    let two = fields([r#"{"message":"1,2\n3,4"}"#]);
    let ran = Bench::new(crate::register).chain(r#"out.CsvParser(["a", "b"])"#, two);
    assert_eq!(ran.json(), [r#"{"message":"1,2\n3,4"}"#]);
}

#[test]
fn the_header_can_be_left_out() {
    let input = ["a,b", "1,2", "a,b", "b,a"];
    let ran = run(r#"["a", "b"], skip_header=True"#, input);
    assert_eq!(ran.json(), [r#"{"a":"1","b":"2"}"#, r#"{"a":"b","b":"a"}"#]);
    assert_eq!(ran.counters("2").filtered, 2);
}

#[test]
fn field_target_and_keep() {
    let input = fields([r#"{"row":"1,2","x":0}"#]);
    let call = r#"out.CsvParser(["a", "b"], field="row", target="p.q", keep=True)"#;
    let ran = Bench::new(crate::register).chain(call, input);
    assert_eq!(ran.json(), [r#"{"row":"1,2","x":0,"p":{"q":{"a":"1","b":"2"}}}"#]);
}

#[test]
fn mistakes_are_told() {
    for (options, message) in [
        ("[]", "there are no columns"),
        (r#"["a", "a"]"#, "two columns are named `a`"),
        (r#"["a"], types={"b": "int"}"#, "there is no field `b` here"),
        (r#"["status"], time="statsu""#, "did you mean `status`?"),
        (r#"["a"], delimiter="\n""#, "`delimiter`"),
        (r#"["a"], delimiter=";", quote=";""#, "must differ"),
        (r#"["a"], quote="é""#, "`quote`"),
        (r#"["a"], types={"a": "integer"}"#, "integer"),
    ] {
        let told = mistakes(options);
        assert!(told.contains(message), "{options}:\n{told}");
    }
}

#[test]
fn odd_records_are_no_trouble() {
    for policy in ["keep", "drop", "dead_letter"] {
        let call = format!(r#"out.CsvParser(["a", "b"], on_error="{policy}", skip_header=True)"#);
        conformance::transform(crate::register, &call);
    }
}

proptest! {
    #[test]
    fn what_was_written_is_read(cells in prop::collection::vec("[a,\" é]{0,6}", 2..6)) {
        let quoted = |cell: &String| format!("\"{}\"", cell.replace('"', "\"\""));
        let row = cells.iter().map(quoted).collect::<Vec<_>>().join(",");
        let mut rows = Rows::new(b',', b'"');
        let (text, ends) = rows.read(row.as_bytes());
        let starts = std::iter::once(0).chain(ends.iter().copied());
        let read: Vec<_> = starts.zip(ends).map(|(s, e)| text[s..*e].to_vec()).collect();
        prop_assert_eq!(read, cells.iter().map(|c| c.as_bytes().to_vec()).collect::<Vec<_>>());
    }

    #[test]
    fn any_bytes_are_a_row_or_not(row in prop::collection::vec(any::<u8>(), 0..100)) {
        let mut rows = Rows::new(b',', b'"');
        let (text, ends) = rows.read(&row);
        prop_assert!(ends.iter().all(|end| *end <= text.len()));
    }
}
