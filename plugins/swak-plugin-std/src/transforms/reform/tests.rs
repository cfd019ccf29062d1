use swak_test::{Bench, Ran, conformance, fields, lines};

fn run(options: &str, record: &str) -> String {
    one(&Bench::new(crate::register).chain(&format!("out.Reform({options})"), fields([record])))
}

fn one(ran: &Ran) -> String {
    assert_eq!(ran.json().len(), 1);
    ran.json().remove(0)
}

#[test]
fn fields_are_written_in_order() {
    let record = r#"{"host":"a","port":80,"x":{"y":[1,2]}}"#;
    assert_eq!(
        run(r#"write={"where": "{{ host }}:{{ port }}", "again": "<{{ where }}>"}"#, record),
        r#"{"host":"a","port":80,"x":{"y":[1,2]},"where":"a:80","again":"<a:80>"}"#
    );
    assert_eq!(
        run(r#"write={"x.y[0]": "{{ port + 1 }}", "host": "{{ x.y }}", "tag": "{{tag}}"}"#, record),
        r#"{"host":[1,2],"port":80,"x":{"y":[81,2]},"tag":"test"}"#
            .replace(r#""host":[1,2]"#, r#""host":[81,2]"#)
    );
    assert_eq!(
        run(r#"write={"a": 5, "b": True, "c": None, "d": [1, {"e": 0.5}], "f": "plain"}"#, "{}"),
        r#"{"a":5,"b":true,"c":null,"d":[1,{"e":0.5}],"f":"plain"}"#
    );
    assert_eq!(run(r#"write={"n": "{{ port }} "}"#, record).matches("\"80 \"").count(), 1);
}

#[test]
fn fields_are_renamed_in_place() {
    let record = r#"{"a":1,"b":{"c":2},"d":3}"#;
    assert_eq!(run(r#"rename={"a": "z"}"#, record), r#"{"z":1,"b":{"c":2},"d":3}"#);
    assert_eq!(run(r#"rename={"b.c": "c"}"#, record), r#"{"a":1,"b":{},"d":3,"c":2}"#);
    assert_eq!(run(r#"rename={"a": "b.a"}"#, record), r#"{"b":{"c":2,"a":1},"d":3}"#);
    assert_eq!(run(r#"rename={"a": "d", "nothing": "x"}"#, record), r#"{"d":1,"b":{"c":2}}"#);
    assert_eq!(run(r#"rename={"a": "d.x"}"#, record), record, "`d` is no map");
    assert_eq!(run(r#"rename={"b.c": "b.c"}"#, record), record);
}

#[test]
fn fields_are_deleted_or_kept() {
    let record = r#"{"a":1,"b":{"c":2,"d":3},"e":4}"#;
    assert_eq!(run(r#"delete=["a", "b.c", "nothing"]"#, record), r#"{"b":{"d":3},"e":4}"#);
    assert_eq!(run(r#"keep=["e", "b.c", "nothing"]"#, record), r#"{"e":4,"b":{"c":2}}"#);
    assert_eq!(run(r#"keep=["b"], delete="b.c""#, record), r#"{"b":{"d":3}}"#);
}

#[test]
fn the_order_is_rename_write_keep_delete() {
    let options = r#"delete=["b"], keep=["b", "c"], write={"c": "{{ b }}"}, rename={"a": "b"}"#;
    assert_eq!(run(options, r#"{"a":1,"x":2}"#), r#"{"c":1}"#);
}

#[test]
fn a_line_is_the_field_message() {
    let call = r#"out.Reform(write={"n": "{{ message|length }}", "l": "{{ line }}"})"#;
    let ran = Bench::new(crate::register).chain(call, lines(["hello"]));
    assert_eq!(one(&ran), r#"{"message":"hello","n":5,"l":null}"#);
}

#[test]
fn what_cannot_be_written_is_counted_and_the_record_goes_on() {
    let call = r#"out.Reform(write={"a.b": 1, "c": "{{ 1 / a }}", "d": 2})"#;
    let ran = Bench::new(crate::register).chain(call, fields([r#"{"a":0}"#]));
    assert_eq!(one(&ran), r#"{"a":0,"d":2}"#);
    assert_eq!(ran.counters("2").errors, 2);
}

#[test]
fn mistakes_are_told() {
    for (options, message) in [
        ("", "there is nothing to do"),
        (r#"write={"a..b": 1}"#, "expected a field path, found `a..b`"),
        (r#"rename={"a": "b["}"#, "expected a field path"),
        (r#"write={"a": "{{ b|uper }}"}"#, "no filter `uper`"),
        (r#"delete="a""#, ""),
    ] {
        let told = Bench::new(crate::register).mistakes(&format!("out.Reform({options})"));
        assert!(told.contains(message) && told.is_empty() == message.is_empty(), "{told}");
    }
}

#[test]
fn odd_records_are_no_trouble() {
    let call = r#"out.Reform(rename={"a": "b.c"}, write={"x.y": "{{ message }}"}, delete="f1")"#;
    conformance::transform(crate::register, call);
}
