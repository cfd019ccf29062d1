use super::*;

fn read(text: &str) -> Node {
    parse(&SourceFile::new("a.yml", text)).unwrap_or_else(|e| panic!("{e}"))
}

fn codes(text: &str) -> Vec<&'static str> {
    let found = parse(&SourceFile::new("a.yml", text)).map(|_| ()).expect_err("must be refused");
    // Rendering must hold up for every mistake too.
    assert!(found.render(false).contains("error["));
    found.iter().map(|d| d.code).collect()
}

/// The tree with the text that each place covers.
fn show(source: &str, node: &Node) -> String {
    let at = &source[node.span.range()];
    match &node.value {
        Value::List(items) => {
            let items: Vec<_> = items.iter().map(|n| show(source, n)).collect();
            format!("[{}]@{at:?}", items.join(" "))
        }
        Value::Map(entries) => {
            let entries: Vec<_> = entries
                .iter()
                .map(|(k, v)| {
                    format!("{}@{:?}={}", k.name, &source[k.span.range()], show(source, v))
                })
                .collect();
            format!("{{{}}}@{at:?}", entries.join(" "))
        }
        other => format!("{other:?}@{at:?}"),
    }
}

#[test]
fn every_value_and_key_knows_its_bytes() {
    let text = "# c\nname: 한글\nlist:\n  - a\n  - {b: [1, 2.5]}\nlast:\n";
    assert_eq!(
        show(text, &read(text)),
        "{name@\"name\"=Str(\"한글\")@\"한글\" \
         list@\"list\"=[Str(\"a\")@\"a\" {b@\"b\"=[Int(1)@\"1\" Float(2.5)@\"2.5\"]@\"[1, 2.5]\"}\
         @\"{b: [1, 2.5]}\"]@\"- a\\n  - {b: [1, 2.5]}\" last@\"last\"=Null@\"last\"}\
         @\"name: 한글\\nlist:\\n  - a\\n  - {b: [1, 2.5]}\\nlast\""
    );
}

#[test]
fn quoted_and_block_text() {
    let text = "a: \"x\\ty\"\nb: |\n  one\n  two\nc: 'it''s'\n";
    let node = read(text);
    assert_eq!(node.get("a").and_then(Node::as_str), Some("x\ty"));
    assert_eq!(node.get("b").and_then(Node::as_str), Some("one\ntwo\n"));
    assert_eq!(node.get("c").and_then(Node::as_str), Some("it's"));
    assert!(text[node.get("b").expect("b").span.range()].ends_with("two"));
}

#[test]
fn plain_words_follow_the_core_schema() {
    let is = |text: &str, value: Value| assert_eq!(scalar::plain(text), value, "{text}");
    for text in [
        "yes",
        "no",
        "on",
        "off",
        "3m",
        "1_000",
        "inf",
        "nan",
        "+",
        "-",
        ".",
        "e",
        "1e",
        "0x",
        "-0x1f",
        "0b1",
        "1.2.3",
        "1-2",
        "99999999999999999999",
        "12:30:45",
        "TrUe",
    ] {
        is(text, Value::Str(text.into()));
    }
    is("true", Value::Bool(true));
    is("False", Value::Bool(false));
    is("~", Value::Null);
    is("-12", Value::Int(-12));
    is("+7", Value::Int(7));
    is("0x1F", Value::Int(31));
    is("0o17", Value::Int(15));
    is("017", Value::Int(17));
    is("1.10", Value::Float(1.1));
    is(".5", Value::Float(0.5));
    is("-1e3", Value::Float(-1000.0));
    is("-.inf", Value::Float(f64::NEG_INFINITY));
}

#[test]
fn all_doubled_keys_are_found() {
    assert_eq!(codes("a: 1\na: 2\nb: {c: 1, c: 2}\n\"a\": 3\n"), ["yaml-duplicate-key"; 3]);
    let source = SourceFile::new("a.yml", "a: 1\na: 2\n");
    let found = parse(&source).expect_err("doubled");
    assert_eq!(
        found.render(false),
        "\
error[yaml-duplicate-key]: the key `a` stands here twice
 --> a.yml:2:1
  |
1 | a: 1
  | - first here
2 | a: 2
  | ^ again here
  |
  = help: keep one of them
"
    );
}

#[test]
fn anchors_and_aliases_are_refused_however_many() {
    assert_eq!(codes("a: &x [1]\nb: *x\n"), ["yaml-anchor", "yaml-alias"]);
    assert_eq!(codes("a: *nowhere\n"), ["yaml-alias"]);
    assert_eq!(codes("path: *.log\n"), ["yaml-alias"]);
    let mut bomb = String::from("a0: &a0 [lol]\n");
    for i in 1..2000 {
        let before = format!("*a{}", i - 1);
        bomb.push_str(&format!("a{i}: &a{i} [{}]\n", vec![before; 10].join(", ")));
    }
    assert_eq!(codes(&bomb).len(), 100);
}

#[test]
fn depth_is_bounded() {
    assert_eq!(codes(&"[".repeat(100_000)), ["yaml-too-deep"]);
    assert_eq!(codes(&"{a: ".repeat(100_000)), ["yaml-too-deep"]);
    assert_eq!(codes(&"- ".repeat(1_000)), ["yaml-too-deep"]);
    let half = format!("{}{}{}", "- ".repeat(80), "[".repeat(80), "]".repeat(80));
    assert_eq!(codes(&half), ["yaml-too-deep"]);
    read(&format!("{}{}", "[".repeat(MAX_DEPTH), "]".repeat(MAX_DEPTH)));
}

#[test]
fn what_is_not_one_plain_document_is_refused() {
    assert_eq!(codes("a: 1\n---\nb: 2\n"), ["yaml-documents"]);
    assert_eq!(codes("# only this\n"), ["yaml-empty"]);
    assert_eq!(codes("---\n"), ["yaml-empty"]);
    assert_eq!(codes("? [a]\n: 1\n"), ["yaml-key"]);
    assert_eq!(codes("a: {{ host }}\n"), ["yaml-key"]);
    assert_eq!(codes("a: !mine 1\n"), ["yaml-tag"]);
    assert_eq!(codes("a: !!set {}\n"), ["yaml-tag"]);
    assert_eq!(read("--- \na: !!str 1\n...\n").get("a").and_then(Node::as_str), Some("1"));
}

#[test]
fn syntax_errors_have_a_place() {
    for text in [
        "a: [1, 2",
        "a: {b: 1",
        "a: \"x",
        "a: b: c",
        "a:\n\t- b",
        "a: 1\n b: 2\n",
        "a: @x",
        "a: [1}",
        "- a\nb: 1\n",
        "a: 1\nb\n",
        "%YAML 9.9\n---\na: 1\n",
        "a: 'x' y\n",
    ] {
        assert_eq!(codes(text), ["yaml-syntax"], "{text:?}");
    }
    let found = parse(&SourceFile::new("a.yml", "a:\n\t- b\n")).expect_err("a tab");
    assert!(found.render(false).contains("a.yml:2:1\n"), "{found}");
    assert!(found.render(false).contains("indent with spaces"), "{found}");
}

proptest::proptest! {
    #[test]
    fn never_panics_and_places_are_in_the_text(text in "[ \\na-c:\\-\\[\\]{},\"'#&*!|>%@\t한0-9.]{0,60}") {
        let source = SourceFile::new("a.yml", text.clone());
        match parse(&source) {
            Ok(node) => { show(&text, &node); }
            Err(found) => { found.render(false); found.to_json(); }
        }
    }
}
