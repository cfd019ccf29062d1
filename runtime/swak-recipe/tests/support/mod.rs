//! A catalog and an environment that the tests of this crate share.

use std::borrow::Cow;
use std::collections::BTreeMap;

use swak_recipe::{Environment, SpecList};
use swak_sdk::options::{
    ChoiceSpec, Kind, Literal, LiteralValue, OptionSpec, PluginSpec, TextKind, TypeSpec,
};

/// Some of the plugins that agents usually have.
pub(crate) fn catalog() -> SpecList {
    use Kind::{Input, Output, Transform};
    let text = || TypeSpec::Text(TextKind::Plain);
    SpecList(vec![
        plugin(
            Input,
            "DummyData",
            vec![
                optional("type", choice(&["people", "nginx", "json", "syslog"])).positional(),
                optional("count", TypeSpec::Int { min: 1, max: i64::MAX }),
                optional("rate", TypeSpec::Float { min: 0.0, max: f64::INFINITY }),
            ],
        ),
        plugin(Input, "Counter", vec![]),
        plugin(
            Input,
            "FileTailing",
            vec![
                required("path", TypeSpec::List(Box::new(TypeSpec::Text(TextKind::Glob))))
                    .positional(),
                optional("max_line", TypeSpec::Text(TextKind::Size)),
                optional("from_start", TypeSpec::Bool),
            ],
        ),
        plugin(
            Input,
            "MySQLTailing",
            vec![
                required("host", TypeSpec::Text(TextKind::Address)).positional(),
                required("database", text()).positional(),
                required("table", text()).positional(),
                optional("password", text()).secret(),
            ],
        ),
        plugin(Transform, "MyLogParser", vec![]),
        plugin(
            Transform,
            "TimedBuffer",
            vec![required("every", TypeSpec::Text(TextKind::Duration)).positional()],
        ),
        plugin(
            Transform,
            "LinedBuffer",
            vec![required("lines", TypeSpec::Int { min: 1, max: i64::MAX }).positional()],
        ),
        plugin(
            Transform,
            "Exec",
            vec![
                required("command", text()).positional(),
                optional("environment", TypeSpec::Dict(Box::new(text()))),
            ],
        ),
        plugin(
            Transform,
            "Filter",
            vec![required("expression", TypeSpec::Text(TextKind::Expression)).positional()],
        ),
        plugin(
            Transform,
            "RegexParser",
            vec![required("pattern", TypeSpec::Text(TextKind::Regex)).positional()],
        ),
        plugin(Output, "Stdout", vec![]),
        plugin(Output, "Null", vec![]),
        plugin(
            Output,
            "File",
            vec![
                required("path", TypeSpec::Text(TextKind::Template)).positional(),
                optional(
                    "rotate",
                    TypeSpec::Optional(Box::new(TypeSpec::Struct(Cow::Owned(vec![
                        required("size", TypeSpec::Text(TextKind::Size)).0,
                        optional("keep", TypeSpec::Int { min: 0, max: 1000 }).0,
                    ])))),
                ),
            ],
        ),
        plugin(
            Output,
            "Fluentd",
            vec![
                required("host", TypeSpec::Text(TextKind::Address)).positional(),
                optional("port", TypeSpec::Int { min: 1, max: 65535 }),
                optional("shared_key", text()).secret(),
            ],
        ),
    ])
}

/// An environment that is the same on every machine.
#[derive(Default)]
pub(crate) struct FixedEnvironment(pub(crate) BTreeMap<&'static str, &'static str>);

impl FixedEnvironment {
    /// What the cases are run with.
    pub(crate) fn for_cases() -> Self {
        FixedEnvironment(BTreeMap::from([
            ("LOG_FOLDER", "/var/log"),
            ("LINES", "100"),
            ("WORD", "many"),
        ]))
    }
}

impl Environment for FixedEnvironment {
    fn env(&self, name: &str) -> Result<Option<String>, String> {
        match name {
            "UNREADABLE" => Err("its value is not UTF-8".into()),
            _ => Ok(self.0.get(name).map(|value| (*value).to_owned())),
        }
    }

    fn option(&self, path: &str) -> Option<Literal> {
        (path == "fluentd.port").then(|| Literal::bare(LiteralValue::Int(24224)))
    }
}

struct Draft(OptionSpec);

impl Draft {
    fn positional(mut self) -> Self {
        self.0.positional = true;
        self
    }

    fn secret(mut self) -> Self {
        self.0.secret = true;
        self
    }
}

fn required(name: &'static str, ty: TypeSpec) -> Draft {
    Draft(OptionSpec {
        name: name.into(),
        help: format!("The {name}.").into(),
        ty,
        required: true,
        positional: false,
        default: None,
        secret: false,
    })
}

fn optional(name: &'static str, ty: TypeSpec) -> Draft {
    let mut option = required(name, ty);
    option.0.required = false;
    option
}

fn choice(words: &[&'static str]) -> TypeSpec {
    let words = words.iter().map(|w| ChoiceSpec { name: (*w).into(), help: "".into() });
    TypeSpec::Choice(words.collect())
}

fn plugin(kind: Kind, name: &'static str, options: Vec<Draft>) -> PluginSpec {
    PluginSpec {
        kind,
        name: name.into(),
        summary: "".into(),
        help: "".into(),
        options: options.into_iter().map(|option| option.0).collect(),
    }
}
