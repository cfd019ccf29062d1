use super::*;
use crate::syntax::{Expr, ExprKind};

/// The recipe as text of a fixed shape, without places.
fn show(text: &str) -> String {
    let (script, found) = parse(&SourceFile::new("a.swak", text));
    assert!(found.is_empty(), "{text:?}: {found:#?}");
    shape(&script)
}

fn shape(script: &Script) -> String {
    let lines: Vec<_> = script
        .statements
        .iter()
        .map(|s| match &s.target {
            Some(name) => format!("{} = {}", name.name, expr(&s.value)),
            None => expr(&s.value),
        })
        .collect();
    lines.join("; ")
}

fn expr(e: &Expr) -> String {
    match &e.kind {
        ExprKind::List(items) => {
            format!("[{}]", items.iter().map(expr).collect::<Vec<_>>().join(" "))
        }
        ExprKind::Dict(entries) => {
            let entries: Vec<_> =
                entries.iter().map(|(k, v)| format!("{}:{}", k.name, expr(v))).collect();
            format!("{{{}}}", entries.join(" "))
        }
        ExprKind::Name(name) => format!("<{name}>"),
        ExprKind::Call(call) => {
            let args: Vec<_> = call
                .args
                .iter()
                .map(|a| match &a.name {
                    Some(name) => format!("{}={}", name.name, expr(&a.value)),
                    None => expr(&a.value),
                })
                .collect();
            format!("{}({})", call.callee.name, args.join(" "))
        }
        ExprKind::Str(s) => format!("{s:?}"),
        ExprKind::Int(n) => n.to_string(),
        ExprKind::Float(n) => format!("{n:?}"),
        ExprKind::Bool(b) => b.to_string(),
        ExprKind::None => "none".into(),
        ExprKind::Unreadable => "?".into(),
    }
}

fn found(text: &str) -> Vec<Diagnostic> {
    let (_, found) = parse(&SourceFile::new("a.swak", text));
    for one in &found {
        assert!(one.render(false).contains(one.code));
    }
    found
}

fn codes(text: &str) -> Vec<&'static str> {
    found(text).iter().map(|d| d.code).collect()
}

#[test]
fn reads_calls_names_and_values() {
    assert_eq!(
        show("x = 1\ntask(in.A('a', b=[1, 2,], c={'d': None, \"e\": True},), x, out.B())"),
        r#"x = 1; task(in.A("a" b=[1 2] c={d:none e:true}) <x> out.B())"#
    );
    assert_eq!(show("in . A ( )"), "in.A()");
    assert_eq!(show("  a = [\n]\n  b = {}; c = (1)"), "a = []; b = {}; c = 1");
    assert_eq!(show("# nothing but comments\n"), "");
    assert_eq!(show("이름 = out.X(옵션=1)"), "이름 = out.X(옵션=1)");
}

#[test]
fn reads_numbers_as_python_does() {
    assert_eq!(
        show("[1, -2, +3, 1_000, 0x1F, 0o17, 0b101, 0, 00, 1.5, .5, 5., 1e3, -1.5E-3, 1_0.0_1]"),
        "[1 -2 3 1000 31 15 5 0 0 1.5 0.5 5.0 1000.0 -0.0015 10.01]"
    );
    assert_eq!(show("-9223372036854775808"), "-9223372036854775808");
    for bad in [
        "9223372036854775808",
        "012",
        "1__0",
        "1_",
        "0x",
        "0xg",
        "5M",
        "1.2.3",
        "1e",
        "1j",
        "1e999",
        "10.0.0.1",
        "0b2",
        "1_.5",
        "1._5",
    ] {
        assert_eq!(codes(bad), ["bad-number"], "{bad}");
    }
    assert_eq!(found("out.T(5M)")[0].help, ["put it in quotes: \"5M\""]);
}

#[test]
fn reads_strings_as_python_does() {
    let one = |text: &str| match &parse(&SourceFile::new("a", text)).0.statements[0].value.kind {
        ExprKind::Str(s) => s.clone(),
        other => panic!("{other:?}"),
    };
    assert_eq!(one(r#""a\n\t\\\"\'\x41\u00e9\U0001F600\101\0""#), "a\n\t\\\"'Aé😀A\0");
    assert_eq!(one("'it''s' \"!\""), "its!");
    assert_eq!(one("r\"\\d+\\\"\""), "\\d+\\\"");
    assert_eq!(one("R'C:\\temp'"), "C:\\temp");
    assert_eq!(one("\"\"\"a\n\"b\"\r\nc\"\"\""), "a\n\"b\"\nc");
    assert_eq!(one("'a\\\nb'"), "ab");
    assert_eq!(one("(\n'a'\n  'b' # c\n)"), "ab");
    assert_eq!(one("''"), "");
    assert_eq!(one("\"\"\"\"\"\""), "");
    assert_eq!(one(r#""\d""#), "\\d");
    assert_eq!(codes(r#""\d""#), ["unknown-escape"]);
    assert_eq!(codes(r#""C:\Users""#), ["bad-escape"]);
    assert_eq!(codes(r#""\ud800""#), ["bad-escape"]);
    assert_eq!(codes(r#""\xg""#), ["bad-escape"]);
    assert_eq!(codes("b'x'"), ["not-in-language"]);
    assert_eq!(codes("f'{x}'"), ["not-in-language"]);
    assert_eq!(codes("'a\\"), ["unclosed-string"]);
    assert_eq!(codes("\"\"\"a"), ["unclosed-string"]);
    assert_eq!(codes("'\\한"), ["unclosed-string", "unknown-escape"]);
}

#[test]
fn adjacent_strings_join_over_lines_only_inside_brackets() {
    assert_eq!(show("['a'\n'b']"), r#"["ab"]"#);
    assert_eq!(show("'a'\n'b'"), r#""a"; "b""#);
}

#[test]
fn says_what_is_no_recipe() {
    for text in [
        "for x in y:\n    task(in.A(),\n  out.B())\n",
        "import os\n",
        "from a import b\n",
        "def f():\n  return 1\n",
        "if x: task()\n",
        "x = lambda: 1\n",
        "x = f\"a\"\n",
        "x = 1 + 2\n",
        "x = a or b\n",
        "x = (1, 2)\n",
        "x = ()\n",
        "x = {1, 2, 3}\n",
        "x = a[0]\n",
        "x = 'a'.upper()\n",
        "task(*steps)\n",
        "task(**options)\n",
        "x = [a for a in b]\n",
        "x = not a\n",
        "x += 1\n",
        "@a\n",
    ] {
        assert_eq!(codes(text), ["not-in-language"], "{text}");
        let all = found(text);
        assert!(!all[0].help.is_empty(), "{text}");
    }
}

#[test]
fn several_mistakes_are_all_told() {
    let text =
        "task(in.A(5M), out.B(1 + 2), out.C('x))\ntask(in.A() out.B())\nimport os\nx = 1 2\n";
    assert_eq!(
        codes(text),
        [
            "unclosed-string",
            "bad-number",
            "not-in-language",
            "missing-comma",
            "not-in-language",
            "unexpected-token"
        ]
    );
}

#[test]
fn a_forgotten_bracket_does_not_swallow_the_next_task() {
    let text = "task(in.A(), out.B(\ntask(in.C(), out.D())\nx = task(in.E(),\n  out.F([1)\n";
    let (script, found) = parse(&SourceFile::new("a.swak", text));
    assert_eq!(script.statements.len(), 3, "{found:#?}");
    assert!(found.iter().all(|d| d.code == "unclosed-bracket"), "{found:#?}");
    assert_eq!(
        shape(&script),
        "task(in.A() out.B()); task(in.C() out.D()); x = task(in.E() out.F([1]))"
    );
}

#[test]
fn brackets_that_do_not_match() {
    assert_eq!(codes("task(]"), ["unmatched-bracket"]);
    assert_eq!(codes("task())"), ["unmatched-bracket"]);
    assert_eq!(codes(")"), ["unmatched-bracket"]);
    assert_eq!(codes("task([1)"), ["unclosed-bracket"]);
    assert_eq!(codes("task("), ["unclosed-bracket"]);
    assert_eq!(codes("task(,)"), ["unexpected-token"]);
    assert_eq!(codes("task(a=)"), ["unexpected-token"]);
    assert_eq!(codes("x ="), ["unexpected-end"]);
    assert_eq!(codes("out.()"), ["unexpected-token"]);
    assert_eq!(codes("in = 1"), ["bad-target"]);
    assert_eq!(codes("out.A() = 1"), ["bad-target"]);
    assert_eq!(codes("f(a=1, 2)"), ["positional-after-named"]);
    assert_eq!(codes("{1: 2}"), ["bad-key"]);
    assert_eq!(codes("{'a': 1, 'a': 2}"), ["duplicate-key"]);
    assert_eq!(codes("“x”"), ["unexpected-character"]);
}

#[test]
fn endless_nesting_is_one_mistake_and_no_crash() {
    for open in ["(", "[", "{", "f(", "{'a':", "[["] {
        let all = codes(&open.repeat(100_000));
        assert_eq!(all, ["too-deep"], "{open}");
    }
    assert!(codes(&")".repeat(100_000)).len() <= 100);
    assert!(codes(&"@ ".repeat(100_000)).len() <= 100);
    assert!(codes(&"$ ".repeat(100_000)).len() <= 100);
}

proptest::proptest! {
    #[test]
    fn never_panics(text in "\\PC{0,80}") {
        found(&text);
    }

    #[test]
    fn never_panics_on_near_recipes(
        words in proptest::collection::vec(
            proptest::sample::select(vec![
                "task", "(", ")", "[", "]", "{", "}", ",", ":", "=", ".", "in", "out", "A", "\n",
                " ", "\"", "'", "\\", "\"\"\"", "1", "5M", "-", "+", "for", "#", "x", "한", ";", "r",
                "\\u12", "@", "\r\n",
            ]),
            0..40,
        )
    ) {
        let text = words.concat();
        let (script, all) = parse(&SourceFile::new("a", text.clone()));
        for one in &all {
            let label = one.primary.as_ref().expect("a syntax error has a place");
            assert!(label.span.end as usize <= text.len());
            one.render(false);
        }
        for statement in &script.statements {
            assert!(statement.value.span.end as usize <= text.len());
        }
    }
}
