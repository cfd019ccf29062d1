//! What fuzzing holds against what it promises: both spellings of a recipe, the checker, and writing
//! recipes.

use std::borrow::Cow;

use swak_sdk::options::{ChoiceSpec, Kind, OptionSpec, PluginSpec, TextKind, TypeSpec};

use crate::check::{Later, SpecList, check_as};
use crate::diag::{Diagnostics, SourceFile};
use crate::graph::{Format, graph};
use crate::syntax::Spelling;
use crate::write::convert;

#[cfg(test)]
#[path = "../../../fuzz/replay.rs"]
mod replay;

/// A recipe in the Python spelling; see [`yaml`].
pub fn python(data: &[u8]) {
    recipe(data, Spelling::Python);
}

/// A recipe in the YAML spelling is refused with places that are in it, or written in both spellings
/// and read again is the same recipe.
pub fn yaml(data: &[u8]) {
    recipe(data, Spelling::Yaml);
}

fn recipe(data: &[u8], spelling: Spelling) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let source = SourceFile::new("a", text);
    let catalog = catalog();
    let recipe = match check_as(&source, spelling, &catalog, &Later) {
        Ok(recipe) => recipe,
        Err(found) => {
            assert!(found.has_errors(), "refused for warnings alone");
            can_be_told(&found, source.text());
            return;
        }
    };
    for format in [Format::Dot, Format::Mermaid] {
        assert!(!graph(&recipe, &catalog, format).is_empty());
    }
    if let Some(warnings) = Diagnostics::from_vec(recipe.warnings) {
        can_be_told(&warnings, source.text());
    }
    let written = |source: &SourceFile, from, to| match convert(source, from, to, &catalog) {
        Ok(text) => SourceFile::new("b", text),
        Err(found) => panic!("{}\nis refused: {}", source.text(), found.render(false)),
    };
    let yaml = written(&source, spelling, Spelling::Yaml);
    let python = written(&source, spelling, Spelling::Python);
    assert_eq!(written(&yaml, Spelling::Yaml, Spelling::Yaml), yaml);
    assert_eq!(written(&python, Spelling::Python, Spelling::Python), python);
    assert_eq!(written(&python, Spelling::Python, Spelling::Yaml), yaml);
    let back = written(&yaml, Spelling::Yaml, Spelling::Python);
    assert_eq!(written(&back, Spelling::Python, Spelling::Yaml), yaml);
}

fn can_be_told(found: &Diagnostics, text: &str) {
    for one in found {
        for label in one.primary.iter().chain(&one.secondary) {
            assert!(text.get(label.span.range()).is_some(), "{one:?} has no place in the text");
        }
    }
    assert!(!found.render(false).is_empty());
}

/// A plugin of each kind, and an option of each type.
fn catalog() -> SpecList {
    let text = |kind| TypeSpec::Text(kind);
    let words = ["people", "nginx"];
    let words = words.map(|word| ChoiceSpec { name: word.into(), help: "".into() });
    let rotate = vec![option("size", text(TextKind::Size), true)];
    SpecList(vec![
        plugin(
            Kind::Input,
            "DummyData",
            vec![
                option("type", TypeSpec::Choice(words.to_vec().into()), false),
                option("count", TypeSpec::Int { min: 1, max: i64::MAX }, false),
                option("rate", TypeSpec::Float { min: 0.0, max: f64::INFINITY }, false),
            ],
        ),
        plugin(
            Kind::Input,
            "FileTailing",
            vec![
                option("path", TypeSpec::List(Box::new(text(TextKind::Glob))), true),
                option("from_start", TypeSpec::Bool, false),
            ],
        ),
        plugin(Kind::Transform, "MyLogParser", vec![]),
        plugin(
            Kind::Transform,
            "TimedBuffer",
            vec![option("every", text(TextKind::Duration), true)],
        ),
        plugin(
            Kind::Transform,
            "Filter",
            vec![option("expression", text(TextKind::Expression), true)],
        ),
        plugin(
            Kind::Transform,
            "RegexParser",
            vec![option("pattern", text(TextKind::Regex), true)],
        ),
        plugin(
            Kind::Transform,
            "Exec",
            vec![
                option("command", text(TextKind::Plain), true),
                option("env", TypeSpec::Dict(Box::new(text(TextKind::Plain))), false),
            ],
        ),
        plugin(Kind::Output, "Stdout", vec![]),
        plugin(
            Kind::Output,
            "File",
            vec![
                option("path", text(TextKind::Template), true),
                option(
                    "rotate",
                    TypeSpec::Optional(Box::new(TypeSpec::Struct(Cow::Owned(rotate)))),
                    false,
                ),
            ],
        ),
        plugin(
            Kind::Output,
            "Fluentd",
            vec![
                option("host", text(TextKind::Address), true),
                option("port", TypeSpec::Int { min: 1, max: 65535 }, false),
                OptionSpec { secret: true, ..option("shared_key", text(TextKind::Plain), false) },
            ],
        ),
    ])
}

fn plugin(kind: Kind, name: &'static str, options: Vec<OptionSpec>) -> PluginSpec {
    let options = options.into();
    PluginSpec { kind, name: name.into(), summary: "".into(), help: "".into(), options }
}

/// An option; one that must be given may be given by position.
fn option(name: &'static str, ty: TypeSpec, required: bool) -> OptionSpec {
    OptionSpec {
        name: name.into(),
        help: "".into(),
        ty,
        required,
        positional: required,
        default: None,
        secret: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fuzzing_found_stays_found() {
        replay::replay("recipe_python", python);
        replay::replay("recipe_yaml", yaml);
    }
}
