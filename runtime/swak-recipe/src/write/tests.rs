use proptest::prelude::*;
use swak_sdk::options::{Key, Span};

use super::*;
use crate::syntax::{ExprKind, Statement};

fn read(text: &str, spelling: Spelling) -> Script {
    let (script, found) = parse(&SourceFile::new("a", text), spelling);
    assert!(found.is_empty(), "{text}\n{found:#?}");
    inline(&script, true, &mut Vec::new())
}

/// Without places, and with what means the same written the same.
fn normal(script: &Script) -> Script {
    let statements = script.statements.iter().map(|statement| {
        let mut value = normal_expr(&statement.value);
        // YAML has no `name = task(…)`.
        if let (Some(target), ExprKind::Call(call)) = (&statement.target, &mut value.kind) {
            let is_name = |arg: &Arg| arg.name.as_ref().is_some_and(|key| key.name == "name");
            if !call.args.iter().any(is_name) {
                let name = Expr { kind: ExprKind::Str(target.name.clone()), span: Span::default() };
                call.args.push(Arg { name: Some(key("name")), value: name });
            }
            call.args.sort_by_key(|arg| arg.name.as_ref().map(|key| key.name.clone()));
        }
        Statement { target: None, value }
    });
    let mut script = Script { statements: statements.collect() };
    for statement in &mut script.statements {
        if let ExprKind::Call(call) = &mut statement.value.kind {
            call.args.sort_by_key(|arg| arg.name.as_ref().map(|key| key.name.clone()));
        }
    }
    script
}

fn key(name: &str) -> Key {
    Key { name: name.into(), span: Span::default() }
}

fn normal_expr(expr: &Expr) -> Expr {
    let kind = match &expr.kind {
        ExprKind::List(items) => ExprKind::List(items.iter().map(normal_expr).collect()),
        ExprKind::Dict(entries) => {
            ExprKind::Dict(entries.iter().map(|(k, v)| (key(&k.name), normal_expr(v))).collect())
        }
        ExprKind::Call(call) => {
            let names: &[&str] = match call.callee.name.as_str() {
                "when" => &["condition", "then", "otherwise"],
                "sleep" => &["duration"],
                "link" => &["name"],
                "env" => &["name", "default"],
                "option" => &["path", "default"],
                _ => &[],
            };
            let args = call.args.iter().enumerate().map(|(place, arg)| {
                let known = || names.get(place).map(|name| key(name));
                let name = arg.name.as_ref().map(|k| key(&k.name)).or_else(known);
                Arg { name, value: normal_expr(&arg.value) }
            });
            ExprKind::Call(Call { callee: key(&call.callee.name), args: args.collect() })
        }
        other => other.clone(),
    };
    Expr { kind, span: Span::default() }
}

fn there_and_back(script: &Script) {
    for spelling in [Spelling::Python, Spelling::Yaml] {
        let text = write(script, spelling);
        let again = read(&text, spelling);
        assert_eq!(normal(script), normal(&again), "{spelling:?}:\n{text}");
        // What is written is written the same the second time.
        assert_eq!(write(&again, spelling), text);
    }
}

#[test]
fn both_spellings_of_one_recipe() {
    let python = "\
web = task(
    in.FileTailing([env(\"LOGS\", \"/var/log\"), \"/srv/*.log\"], max_line=\"64k\"),
    out.LinedBuffer(100),
    when(\"level == 'error'\", [link(\"errors\")], otherwise=[out.Null(), out.Stdout()]),
    failover(
        out.Fluentd(\"192.168.0.1\"),
        out.Fluentd(host=\"b\", port=option(\"fluentd.port\")),
        last=out.File(\"/tmp/failed.txt\"),
        start_by=\"ip\",
        timeout=\"5s\",
        drain_back=True,
    ),
    tee([out.Stdout()], [out.File(\"yes\")]),
    sleep(3),
    dead_letter=out.File(\"/tmp/bad.log\"),
)

task(
    link(\"errors\"),
    out.Exec(\"cmd\", environment={\"env\": \"prod\"}),
    out.Stdout(),
)
";
    let yaml = "\
tasks:
  - name: web
    dead_letter: {out.File: /tmp/bad.log}
    steps:
      - in.FileTailing:
          \"*\": [[{env: [LOGS, /var/log]}, \"/srv/*.log\"]]
          max_line: \"64k\"
      - out.LinedBuffer: 100
      - when:
          condition: \"level == 'error'\"
          then: [{link: errors}]
          otherwise: [out.Null, out.Stdout]
      - failover:
          outputs:
            - out.Fluentd: \"192.168.0.1\"
            - out.Fluentd: {host: b, port: {option: fluentd.port}}
          last: {out.File: /tmp/failed.txt}
          start_by: ip
          timeout: \"5s\"
          drain_back: true
      - tee: [[out.Stdout], [{out.File: \"yes\"}]]
      - sleep: 3
  - - link: errors
    - out.Exec: {\"*\": [cmd], environment: {dict: {env: prod}}}
    - out.Stdout
";
    let script = read(python, Spelling::Python);
    assert_eq!(write(&script, Spelling::Python), python);
    assert_eq!(write(&script, Spelling::Yaml), yaml);
    there_and_back(&script);
    there_and_back(&read(yaml, Spelling::Yaml));
}

#[test]
fn names_are_written_out() {
    let script = read("p = \"/x\"\ntask(in.A(p), out.B(p))\n", Spelling::Python);
    assert_eq!(
        write(&script, Spelling::Python),
        "task(\n    in.A(\"/x\"),\n    out.B(\"/x\"),\n)\n"
    );
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "\\PC{0,12}",
        "[ -~\\n\\t\\r]{0,12}",
        prop::sample::select(vec![
            "", "yes", "null", "1", "1.5", "0x1", "- a", "a: b", "#", "{{ x }}", "\u{85}",
            "\u{2028}", "\u{feff}", "\0", "\\", "'", "\"\"\"", "*", "&a", "\u{7f}", "~", "env",
            " a ", "\u{ffff}",
        ])
        .prop_map(str::to_owned),
    ]
}

fn value() -> impl Strategy<Value = Expr> {
    let leaf = prop_oneof![
        Just(ExprKind::None),
        any::<bool>().prop_map(ExprKind::Bool),
        any::<i64>().prop_map(ExprKind::Int),
        any::<f64>().prop_filter("finite", |n| n.is_finite()).prop_map(ExprKind::Float),
        text().prop_map(ExprKind::Str),
        text().prop_map(|name| read_call("env", vec![name])),
        (text(), text()).prop_map(|(path, default)| read_call("option", vec![path, default])),
    ]
    .prop_map(at_nothing);
    leaf.prop_recursive(4, 24, 4, |inner| {
        let word = prop_oneof![text(), Just("env".to_owned()), Just("dict".to_owned())];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(ExprKind::List),
            prop::collection::btree_map(word, inner, 0..3).prop_map(|map| {
                ExprKind::Dict(map.into_iter().map(|(k, v)| (key(&k), v)).collect())
            }),
        ]
        .prop_map(at_nothing)
    })
}

fn at_nothing(kind: ExprKind) -> Expr {
    Expr { kind, span: Span::default() }
}

fn read_call(callee: &str, args: Vec<String>) -> ExprKind {
    let args =
        args.into_iter().map(|text| Arg { name: None, value: at_nothing(ExprKind::Str(text)) });
    ExprKind::Call(Call { callee: key(callee), args: args.collect() })
}

proptest! {
    #[test]
    fn any_options_come_back(
        by_position in prop::collection::vec(value(), 0..3),
        by_name in prop::collection::btree_map("[a-z]{1,6}", value(), 0..3),
        name in text(),
    ) {
        let unnamed = by_position.into_iter().map(|value| Arg { name: None, value });
        let named = by_name.into_iter().map(|(k, value)| Arg { name: Some(key(&k)), value });
        let call = Call { callee: key("out.File"), args: unnamed.chain(named).collect() };
        let task = Call {
            callee: key("task"),
            args: vec![
                Arg { name: None, value: at_nothing(ExprKind::Call(call)) },
                Arg { name: Some(key("name")), value: at_nothing(ExprKind::Str(name)) },
            ],
        };
        let value = at_nothing(ExprKind::Call(task));
        there_and_back(&Script { statements: vec![Statement { target: None, value }] });
    }
}
