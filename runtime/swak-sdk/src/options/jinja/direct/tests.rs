use proptest::prelude::*;
use proptest::sample::select;

use super::{Direct, Pieces};
use crate::data::{Batch, JsonReader, Map, Record, RecordRef, Slice, Timestamp, Value};
use crate::options::{Expr, Scope, Template};

/// A record with a value of every kind.
fn record() -> Record {
    let mut inner = Map::new();
    inner.insert("x", "y");
    inner.insert("deep", [("z", 7i64)].into_iter().collect::<Map>());
    let mut map = Map::new();
    map.insert("status", 503);
    map.insert("code", "503");
    map.insert("method", "POST");
    map.insert("ratio", 0.25);
    map.insert("ok", true);
    map.insert("nothing", Value::Null);
    map.insert("raw", Value::Bytes(Slice::from(&b"caf\xe9"[..])));
    map.insert("at", Timestamp::from_parts(1_700_000_000, 0));
    map.insert("list", vec!["a", "b"].into_iter().map(Value::from).collect::<Vec<_>>());
    map.insert("a", inner);
    Record::from_fields(map, Timestamp::from_parts(1_700_000_000, 0))
}

#[test]
fn what_filters_are_made_of_is_answered_directly() {
    let record = record();
    let scope = Scope { record: record.view(), tag: "web", source: "/var/log/x" };
    for (text, expected) in [
        ("status >= 500 and method == 'POST'", true),
        ("status >= 500 and method == 'GET'", false),
        ("not (status < 500 or code != 503)", true),
        ("500 <= status < 600", true),
        ("method in ['GET', 'POST']", true),
        ("method not in ('GET', \"PUT\",)", true),
        ("code in [500, 503]", true),
        ("status in []", false),
        ("'OS' in method and 'z' not in method", true),
        ("'b' in list and 'x' in a and 'y' not in a", true),
        ("tag in 'web.access'", true),
        ("a.x == 'y' and a['deep'].z == 7 and record.a.x == 'y'", true),
        ("list[0] == 'a' and list[-1] == 'b' and list[5] is undefined", true),
        ("missing.deeper == 1 or missing < 5", false),
        ("missing is not defined and nothing is none", true),
        ("method is startingwith('PO') and method is endingwith('ST')", true),
        ("method is match('P.S') and method is not match('OS') and method is search('OS')", true),
        ("status is number and method is string and a is mapping", true),
        ("status * 2 + 1 == 1007 and status % 10 == 3 and -status // 100 == -6", true),
        ("ratio * 4 == 1 and status / 2 > 251", true),
        ("time > '2023-01-01T00:00:00Z' and at < '2024-01-01T00:00:00Z'", true),
        ("source == '/var/log/x' and line is undefined", true),
        ("ok and raw and list and a", true),
    ] {
        let direct = Direct::new(text).unwrap_or_else(|| panic!("`{text}` is left to Jinja"));
        assert_eq!(direct.matches(&scope), Some(expected), "{text}");
        assert_same(text, &scope);
    }
}

#[test]
fn what_is_not_known_is_left_to_jinja() {
    for text in [
        "method|lower == 'post'",
        "status if ok else 5",
        "a ~ b",
        "2 ** status",
        "record",
        "{'a': 1}",
        "[1, 2]",
        "('a', 'b') == a",
        "a < b in list",
        "x in [1] and y in [z]",
        "x in [1][0]",
        "x is defined - 1",
        "x is divisibleby(3)",
        "x is match(y)",
        "x is match('(')",
        "x is match('(?-u:.)')",
        "x == 'it\\'s'",
        "x == 1e5",
        "x == 0x10",
        "x == 1_000",
        "x == 9223372036854775807",
        "x.0",
        "x[1:2]",
        "x[y]",
        "tag.x",
        "time()",
        "a.b()",
        "'a' 'b'",
    ] {
        assert!(Direct::new(text).is_none(), "{text}");
    }
    for text in ["{{- a }}", "{{ a -}}", "{% if a %}{% endif %}", "{# a #}", "{{ a|upper }}"] {
        assert!(Pieces::new(text).is_none(), "{text}");
    }
}

#[test]
fn what_has_no_direct_answer_is_asked_of_jinja() {
    let record = record();
    let scope = Scope::bare(record.view());
    for text in ["status / 0", "method + 1", "raw == raw", "list == list", "5 in method", "-method"]
    {
        let direct = Direct::new(text).unwrap_or_else(|| panic!("`{text}` is left to Jinja"));
        assert_eq!(direct.eval(&scope), None, "{text}");
        assert_same(text, &scope);
    }
    let text = "<{{ status }}{{ list }}>";
    let mut out = b"kept".to_vec();
    assert_eq!(Pieces::new(text).unwrap().render(&scope, &mut out), None);
    assert_eq!(out, b"kept");
    assert_eq!(Template::new(text).unwrap().render(&scope).as_deref(), Ok("<503['a', 'b']>"));
}

#[test]
fn simple_templates_are_rendered_in_pieces() {
    let record = record();
    let scope = Scope { record: record.view(), tag: "web", source: "" };
    for (text, expected) in [
        ("{{ method }}:{{ status }}", "POST:503"),
        ("{ {{a.x}} }\n", "{ y }\n"),
        ("{{ status + 1 }} {{ ok }} {{ status == 5 }} {{ ratio }}", "504 True False 0.25"),
        ("{{ missing }}{{ nothing }}{{ a.b.c }}|{{ raw }}|{{ tag }}", "|caf\u{fffd}|web"),
        ("{{ time }}{{ status * 1.0 }}", "2023-11-14T22:13:20Z503.0"),
    ] {
        let pieces = Pieces::new(text).unwrap_or_else(|| panic!("`{text}` is left to Jinja"));
        let mut out = Vec::new();
        assert_eq!(pieces.render(&scope, &mut out), Some(()), "{text}");
        assert_eq!(String::from_utf8(out).unwrap(), expected);
        assert_same_text(text, &scope);
    }
}

#[test]
fn many_fields_have_a_slot_each() {
    let names: Vec<_> = (0..40).map(|i| format!("f{i}")).collect();
    let fields: Map = names.iter().map(|name| (name.as_str(), 1)).collect();
    let record = Record::from_fields(fields, Timestamp::default());
    let mut json = Vec::new();
    record.view().write_json(&mut json);
    let json = Record::from_json(&*json, Timestamp::default()).unwrap();
    for n in [1, 2, 3, 8, 9, 40] {
        let sum = format!("{} == {n} and missing is undefined", names[..n].join(" + "));
        let direct = Direct::new(&sum).unwrap();
        for record in [&record, &json] {
            assert_eq!(direct.matches(&Scope::bare(record.view())), Some(true), "{sum}");
        }
    }
}

#[test]
fn fields_are_found_in_json_as_in_a_map() {
    let text = r#"{"a":1, "b\u0063" : "x", "a":"last", "d":{"x":"y"}, "e":"\u0041", "f":-0.5}"#;
    let record = Record::from_json(text, Timestamp::default()).unwrap();
    assert!(record.view().json().is_some());
    let map = Record::from_fields(record.fields().unwrap().into_owned(), Timestamp::default());
    for (text, expected) in [
        ("a == 'last' and bc == 'x' and d.x == 'y' and e == 'A' and f < 0", true),
        ("a.x is undefined and a is defined", true),
        ("bc == 'y' or missing", false),
    ] {
        let direct = Direct::new(text).unwrap();
        for record in [&record, &map] {
            assert_eq!(direct.matches(&Scope::bare(record.view())), Some(expected), "{text}");
            assert_same(text, &Scope::bare(record.view()));
        }
    }
}

/// What an expression gives is what Jinja gives.
fn assert_same(text: &str, scope: &Scope<'_>) {
    let expr = Expr::new(text).unwrap_or_else(|e| panic!("`{text}`: {e}"));
    let jinja = expr.by_jinja().unwrap_or_else(|| panic!("`{text}` is left to Jinja"));
    // By what is shown: a number that is none is not equal to itself.
    let shown = |expr: &Expr| format!("{:?} {:?}", expr.matches(scope), expr.eval(scope));
    assert_eq!(shown(&expr), shown(&jinja), "{text} of {scope:?}");
}

fn assert_same_text(text: &str, scope: &Scope<'_>) {
    let template = Template::new(text).unwrap_or_else(|e| panic!("`{text}`: {e}"));
    let jinja = template.by_jinja().unwrap_or_else(|| panic!("`{text}` is left to Jinja"));
    assert_eq!(template.render(scope), jinja.render(scope), "{text} of {scope:?}");
}

const FIELDS: [&str; 16] = [
    "a",
    "b",
    "c",
    "d",
    "a.x",
    "b.x.y",
    "a[0]",
    "b[-1]",
    "record.c",
    "d['odd name']",
    "record['odd name']",
    "time",
    "tag",
    "source",
    "line",
    "message",
];

const TEXTS: [&str; 12] = [
    "",
    "a",
    "ab",
    "5",
    " 5.0 ",
    "-7e2",
    "inf",
    "9007199254740993",
    "2023-11-14T22:13:20Z",
    "x",
    "a longer text than can be held in place",
    "é",
];

fn text() -> impl Strategy<Value = String> {
    prop_oneof![select(&TEXTS[..]).prop_map(String::from), "[ab.]{0,3}"]
}

fn constant() -> impl Strategy<Value = String> {
    prop_oneof![
        (0u64..1 << 53).prop_map(|n| n.to_string()),
        (0u64..8).prop_map(|n| n.to_string()),
        (0u32..9, 0u32..1000).prop_map(|(whole, part)| format!("{whole}.{part}")),
        text().prop_map(|text| format!("'{text}'")),
        select(&["none", "true", "false", "None", "True", "-1", "-0.5"][..]).prop_map(String::from),
    ]
}

fn operand() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        3 => select(&FIELDS[..]).prop_map(String::from),
        2 => constant()
    ];
    leaf.prop_recursive(2, 6, 2, |inner| {
        let operators = select(&["+", "-", "*", "/", "//", "%"][..]);
        prop_oneof![
            (inner.clone(), operators, inner.clone())
                .prop_map(|(a, op, b)| format!("{a} {op} {b}")),
            inner.clone().prop_map(|a| format!("({a})")),
            inner.prop_map(|a| format!("-({a})")),
        ]
    })
}

fn condition() -> impl Strategy<Value = String> {
    let compare = || select(&["==", "!=", "<", "<=", ">", ">="][..]);
    let is_in = || select(&["in", "not in"][..]);
    let is = || select(&["is", "is not"][..]);
    let plain = &[
        "defined",
        "undefined",
        "none",
        "boolean",
        "true",
        "false",
        "number",
        "integer",
        "float",
        "string",
        "mapping",
    ][..];
    let with_text = &["startingwith", "endingwith", "match", "search"][..];
    let leaf = prop_oneof![
        operand(),
        (operand(), compare(), operand()).prop_map(|(a, op, b)| format!("{a} {op} {b}")),
        (operand(), compare(), operand(), compare(), operand())
            .prop_map(|(a, op, b, op2, c)| format!("{a} {op} {b} {op2} {c}")),
        (operand(), is_in(), prop::collection::vec(constant(), 0..4))
            .prop_map(|(a, op, items)| format!("{a} {op} [{}]", items.join(","))),
        (operand(), is_in(), prop::collection::vec(constant(), 1..4))
            .prop_map(|(a, op, items)| format!("{a} {op} ({},)", items.join(", "))),
        (operand(), is_in(), operand()).prop_map(|(a, op, b)| format!("{a} {op} {b}")),
        (operand(), is(), select(plain)).prop_map(|(a, is, test)| format!("({a}) {is} {test}")),
        (operand(), is(), select(with_text), "[ab.]{0,3}")
            .prop_map(|(a, is, test, of)| format!("({a}) {is} {test}('{of}')")),
    ];
    leaf.prop_recursive(3, 12, 3, move |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a} and {b}")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a} or {b}")),
            inner.clone().prop_map(|a| format!("not {a}")),
            (inner.clone(), compare(), operand()).prop_map(|(a, op, b)| format!("({a}) {op} {b}")),
            inner.prop_map(|a| format!("({a})")),
        ]
    })
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        (-8i64..8).prop_map(Value::Int),
        any::<f64>().prop_map(Value::Float),
        select(&[0.0, -0.0, 5.0, f64::NAN, f64::INFINITY, 9007199254740992.0, 9.3e18][..])
            .prop_map(Value::Float),
        text().prop_map(Value::from),
        text().prop_map(Value::from),
        prop::collection::vec(any::<u8>(), 0..3)
            .prop_map(|bytes| Value::Bytes(Slice::from(&bytes[..]))),
        any::<i64>().prop_map(|nanos| Value::Time(Timestamp::from_nanos(nanos))),
        Just(Value::Time(Timestamp::from_parts(1_700_000_000, 0))),
    ];
    leaf.prop_recursive(2, 8, 3, |inner| {
        let name = select(&["x", "y", "odd name", "a"][..]);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::List),
            prop::collection::vec((name, inner), 0..3)
                .prop_map(|fields| fields.into_iter().collect::<Map>().into()),
        ]
    })
}

fn any_record() -> impl Strategy<Value = Record> {
    let name = select(&["a", "b", "c", "d", "odd name", "time"][..]);
    let fields = prop::collection::vec((name, value()), 0..6);
    let time = Timestamp::from_parts(1_700_000_000, 0);
    let of_fields = (fields, any::<bool>()).prop_map(move |(fields, as_json)| {
        let record = Record::from_fields(fields.into_iter().collect(), time);
        if !as_json {
            return record;
        }
        let mut json = Vec::new();
        record.view().write_json(&mut json);
        Record::from_json(&*json, time).expect("what is written can be read")
    });
    prop_oneof![
        8 => of_fields,
        1 => text().prop_map(move |line| Record::from_line(line.as_str(), time)),
        1 => Just(Record::from_line(&b"caf\xe9"[..], time)),
    ]
}

fn scope(record: RecordRef<'_>) -> Scope<'_> {
    Scope { record, tag: "a.b", source: "" }
}

proptest! {
    #[test]
    fn direct_answers_are_those_of_jinja(
        text in condition(),
        records in prop::collection::vec(any_record(), 4),
    ) {
        for record in &records {
            assert_same(&text, &scope(record.view()));
        }
    }

    #[test]
    fn direct_texts_are_those_of_jinja(
        parts in prop::collection::vec(("[a{} \n]{0,3}", operand()), 1..4),
        record in any_record(),
    ) {
        let of_part = |(before, operand): &(String, String)| {
            let safe = before.replace("{", "").replace("}", "");
            let operand = if operand.contains(['\'', '[']) { "a.x" } else { operand };
            format!("{safe}{{{{ {operand} }}}}")
        };
        let text: String = parts.iter().map(of_part).collect();
        assert_same_text(&text, &scope(record.view()));
    }
}

proptest! {
    #[test]
    fn conditions_hold_of_json_as_of_fields(
        values in prop::collection::vec(
            (select(vec!["a", "b"]), select(vec![
                "1", "-2", "0", "-0", "1.0", "1e0", "\"1\"", "\"x\"", "\"\\u0078\"", "\"\\\\\"", "\"\"",
                "null", "true", "[1]", "{\"a\":1}", "123456789012345678", "1234567890123456789",
            ])),
            0..4,
        ),
        parts in prop::collection::vec(
            (
                select(vec!["a", "b", "c", "a.a"]),
                select(vec!["==", "!=", "<", "<=", ">", ">="]),
                select(vec!["1", "0", "-2", "123456789012345678", "'x'", "'1'", "''", "'\\\\'", "true"]),
            ),
            1..3,
        ),
    ) {
        let members: Vec<_> = values.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
        let line = format!("{{{}}}\n", members.join(","));
        let parts: Vec<_> = parts.iter().map(|(a, how, b)| format!("{a} {how} {b}")).collect();
        let expr = Expr::new(&parts.join(" and ")).unwrap();
        let record = Record::from_json(line.trim(), Timestamp::default()).unwrap();
        let fields = Record::from_fields(record.fields().unwrap().into_owned(), record.time());
        let expected = expr.matches(&Scope::bare(fields.view()));
        let mut reader = JsonReader::new();
        for _ in 0..2 {
            let block = line.clone().into_bytes().into();
            let mut batch = Batch::from_run(block, 0..line.len(), Timestamp::default());
            prop_assert!(batch.read_json_lines(&mut reader));
            prop_assert_eq!(&expr.matches(&Scope::bare(batch.get(0))), &expected, "{} of {}", expr, line);
        }
    }
}
