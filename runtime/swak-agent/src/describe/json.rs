//! Plugins for programs.

use serde_json::{Value, json};
use swak_sdk::options::{OptionSpec, PluginSpec, TextKind, TypeSpec};
use swak_sdk::plugin::CrateInfo;

/// `plugin`, `kind`, `summary`, `crate` and `version`.
pub(crate) fn brief(spec: &PluginSpec, from: Option<&CrateInfo>) -> Value {
    json!({
        "plugin": spec.path(),
        "kind": spec.kind.as_str(),
        "summary": spec.summary,
        "crate": from.map(|c| c.name.as_str()),
        "version": from.map(|c| c.version.as_str()),
    })
}

/// As [`brief`], with `help`, `options`, and the `common_options` of every plugin of its kind.
pub(crate) fn plugin(spec: &PluginSpec, from: Option<&CrateInfo>) -> Value {
    let mut object = brief(spec, from);
    object["help"] = json!(spec.help);
    object["options"] = options(&spec.options);
    object["common_options"] = options(spec.kind.common_options());
    object
}

fn options(specs: &[OptionSpec]) -> Value {
    specs
        .iter()
        .map(|option| {
            json!({
                "name": option.name,
                "help": option.help,
                "type": type_of(&option.ty),
                "required": option.required,
                "positional": option.positional,
                // As a recipe writes it; null when there is none.
                "default": option.default,
                "secret": option.secret,
            })
        })
        .collect()
}

/// `is`, `text` (what a person calls it), and what belongs to that type.
fn type_of(ty: &TypeSpec) -> Value {
    let mut object = match ty {
        TypeSpec::Any => json!({ "is": "any" }),
        TypeSpec::Bool => json!({ "is": "bool" }),
        TypeSpec::Int { min, max } => json!({ "is": "int", "min": min, "max": max }),
        // JSON has no infinity: an open end is null.
        TypeSpec::Float { min, max } => json!({ "is": "float", "min": min, "max": max }),
        TypeSpec::Text(kind) => json!({ "is": "text", "meaning": meaning(*kind) }),
        TypeSpec::Choice(words) => json!({
            "is": "choice",
            "words": words
                .iter()
                .map(|word| json!({ "name": word.name, "help": word.help }))
                .collect::<Vec<_>>(),
        }),
        TypeSpec::List(inner) => json!({ "is": "list", "of": type_of(inner) }),
        TypeSpec::Dict(inner) => json!({ "is": "dict", "of": type_of(inner) }),
        TypeSpec::Struct(inner) => json!({ "is": "struct", "options": options(inner) }),
        TypeSpec::Optional(inner) => json!({ "is": "optional", "of": type_of(inner) }),
    };
    object["text"] = json!(ty.noun());
    object
}

fn meaning(kind: TextKind) -> &'static str {
    match kind {
        TextKind::Plain => "plain",
        TextKind::Char => "char",
        TextKind::Path => "path",
        TextKind::Glob => "glob",
        TextKind::Duration => "duration",
        TextKind::Size => "size",
        TextKind::FieldPath => "field-path",
        TextKind::Template => "template",
        TextKind::Expression => "expression",
        TextKind::Regex => "regex",
        TextKind::Address => "address",
        TextKind::Encoding => "encoding",
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{follow, krate, null};
    use super::*;

    #[test]
    fn a_program_finds_everything() {
        let found = plugin(&follow(), Some(&krate()));
        assert_eq!(found["plugin"], "in.Follow");
        assert_eq!(found["crate"], "swak-plugin-demo");
        let options = &found["options"];
        assert_eq!(options[0]["required"], true);
        assert_eq!(options[0]["default"], Value::Null);
        assert_eq!(
            options[0]["type"],
            json!({
                "is": "list",
                "of": { "is": "text", "meaning": "glob", "text": "a glob pattern" },
                "text": "a list of: a glob pattern",
            })
        );
        assert_eq!(options[1]["type"]["words"][0]["name"], "begin");
        assert_eq!(options[1]["default"], "\"end\"");
        assert_eq!(options[2]["secret"], true);
        assert_eq!(options[3]["type"]["options"][0]["name"], "on");
        assert_eq!(found["common_options"], json!([]));
        assert_eq!(plugin(&null(), None)["common_options"][3]["name"], "workers");
    }

    #[test]
    fn an_open_end_is_null() {
        let open = TypeSpec::Float { min: 0.0, max: f64::INFINITY };
        assert_eq!(
            type_of(&open),
            json!({ "is": "float", "min": 0.0, "max": null, "text": "a number of at least 0" })
        );
    }
}
