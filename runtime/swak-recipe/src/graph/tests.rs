use std::borrow::Cow;

use swak_sdk::options::{Kind, OptionSpec, PluginSpec, TextKind, TypeSpec};

use super::*;
use crate::check::{Later, SpecList, check};
use crate::diag::SourceFile;

fn option(name: &'static str, ty: TypeSpec, secret: bool) -> OptionSpec {
    OptionSpec {
        name: name.into(),
        help: "".into(),
        ty,
        required: false,
        positional: true,
        default: None,
        secret,
    }
}

fn catalog() -> SpecList {
    let text = || TypeSpec::Text(TextKind::Plain);
    let login = TypeSpec::Struct(Cow::Owned(vec![
        option("user", text(), false),
        option("password", text(), true),
    ]));
    let spec = |kind, name: &'static str| PluginSpec {
        kind,
        name: name.into(),
        summary: "".into(),
        help: "".into(),
        options: Cow::Owned(vec![
            option("to", text(), false),
            option("key", text(), true),
            option("login", TypeSpec::Optional(Box::new(login.clone())), false),
        ]),
    };
    SpecList(vec![spec(Kind::Input, "A"), spec(Kind::Transform, "B"), spec(Kind::Output, "C")])
}

fn draw(text: &str, format: Format) -> String {
    let source = SourceFile::new("a.swak", text);
    let recipe = check(&source, &catalog(), &Later).unwrap_or_else(|e| panic!("{e}"));
    graph(&recipe, &catalog(), format)
}

const RECIPE: &str = r#"
web = task(
    in.A("x\"y", "hunter2"),
    when("a > 1", [out.B(), link("next")], otherwise=[out.B(env("TO"))]),
    failover(out.C("1"), out.C("2"), last=out.C("3"), start_by="ip", drain_back=True),
    tee([out.C(login={"user": "me", "password": "hunter2"})], [out.C()]),
    dead_letter=out.C("bad", key=env("KEY", "hunter2")),
)
task(link("next"), out.C())
"#;

#[test]
fn dot() {
    let text = draw(RECIPE, Format::Dot);
    assert_eq!(
        text,
        r#"digraph recipe {
  rankdir=LR;
  node [shape=box, style=rounded, fontname="sans-serif"];
  subgraph cluster_0 {
    label="web";
    n0 [label="in.A\n\"x\\\"y\"\n***", shape=cds, style=solid];
    n1 [label="when\na > 1", shape=diamond, style=solid];
    n2 [label="out.B"];
    n3 [label="link next", shape=ellipse, style=solid];
    n4 [label="out.B\nenv(\"TO\")"];
    n5 [label="failover\nstart by ip\ndrains back", shape=ellipse, style=solid];
    n6 [label="out.C\n\"1\"", shape=cylinder, style=solid];
    n7 [label="out.C\n\"2\"", shape=cylinder, style=solid];
    n8 [label="out.C\n\"3\"", shape=cylinder, style=solid];
    n9 [label="tee", shape=ellipse, style=solid];
    n10 [label="out.C\nlogin={\"user\": \"me\", \"password\": \"***\"}", shape=cylinder, style=solid];
    n11 [label="out.C", shape=cylinder, style=solid];
    n12 [label="out.C\n\"bad\"\nkey=***", shape=cylinder, style=solid];
  }
  subgraph cluster_1 {
    label="task-2";
    n13 [label="link next", shape=ellipse, style=solid];
    n14 [label="out.C", shape=cylinder, style=solid];
  }
  n0 -> n1;
  n1 -> n2 [label="yes"];
  n2 -> n3;
  n1 -> n4 [label="no"];
  n4 -> n5;
  n5 -> n6 [label="1"];
  n5 -> n7 [label="2"];
  n5 -> n8 [label="last"];
  n5 -> n9;
  n9 -> n10;
  n9 -> n11;
  n0 -> n12 [label="dead letter", style=dotted];
  n13 -> n14;
  n3 -> n13 [style=dashed];
}
"#
    );
}

#[test]
fn secrets_are_in_no_picture() {
    for format in [Format::Dot, Format::Mermaid] {
        assert!(!draw(RECIPE, format).contains("hunter2"));
    }
}

#[test]
fn mermaid() {
    let text = draw("task(in.A(\"<b>|#\"), out.C())\n", Format::Mermaid);
    assert_eq!(
        text,
        "flowchart LR
  subgraph t0 [\"task-1\"]
    n0>\"in.A<br/>#34;#60;b#62;#124;#35;#34;\"]
    n1[(\"out.C\")]
  end
  n0 --> n1
"
    );
}
