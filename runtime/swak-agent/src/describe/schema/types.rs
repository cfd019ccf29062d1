//! The types of options as JSON Schema.

use serde_json::{Map, Value, json};
use swak_sdk::options::{OptionSpec, TextKind, TypeSpec, alone};

use super::default::default_value;
use super::{described, names, reference};

/// A dict with these keys.
pub(super) fn structure(options: &[OptionSpec]) -> Value {
    let properties: Map<_, _> =
        options.iter().map(|option| (option.name.to_string(), field(option))).collect();
    let required: Vec<_> = options.iter().filter(|option| option.required).collect();
    json!({
        "type": "object",
        "additionalProperties": false,
        "properties": properties,
        "required": names(&required),
    })
}

pub(super) fn field(option: &OptionSpec) -> Value {
    let mut schema = described(value(&option.ty), &option.help);
    if let Some(default) = option.default.as_deref().and_then(default_value) {
        schema["default"] = default;
    }
    if option.secret {
        schema["writeOnly"] = json!(true);
    }
    schema
}

/// A value of this type, or what is read for it where the recipe runs.
pub(super) fn value(ty: &TypeSpec) -> Value {
    match ty {
        TypeSpec::Any => json!({}),
        _ => json!({ "anyOf": [plain(ty), reference("read")] }),
    }
}

/// A value of this type as it is written.
pub(super) fn plain(ty: &TypeSpec) -> Value {
    match ty {
        TypeSpec::Any => json!({}),
        TypeSpec::Bool => json!({ "type": "boolean" }),
        TypeSpec::Int { min, max } => {
            let mut schema = json!({ "type": "integer" });
            if *min != i64::MIN {
                schema["minimum"] = json!(min);
            }
            if *max != i64::MAX {
                schema["maximum"] = json!(max);
            }
            schema
        }
        TypeSpec::Float { min, max } => {
            let mut schema = json!({ "type": "number" });
            if min.is_finite() {
                schema["minimum"] = json!(min);
            }
            if max.is_finite() {
                schema["maximum"] = json!(max);
            }
            schema
        }
        TypeSpec::Text(kind) => described(text_of(*kind), kind.noun()),
        TypeSpec::Choice(words) => {
            let names: Vec<_> = words.iter().map(|word| &word.name).collect();
            let helps = words.iter().filter(|word| !word.help.is_empty());
            let help: Vec<_> = helps.map(|w| format!("`{}`: {}", w.name, w.help)).collect();
            described(json!({ "enum": names }), &help.join("\n\n"))
        }
        // A single element may stand for a list of one.
        TypeSpec::List(inner) => json!({
            "anyOf": [{ "type": "array", "items": value(inner) }, plain(inner)],
        }),
        TypeSpec::Dict(inner) => {
            wrapped(&json!({ "type": "object", "additionalProperties": value(inner) }))
        }
        TypeSpec::Struct(options) => match alone(options) {
            Some(field) => json!({ "anyOf": [wrapped(&structure(options)), plain(&field.ty)] }),
            None => wrapped(&structure(options)),
        },
        TypeSpec::Optional(inner) => json!({ "anyOf": [plain(inner), { "type": "null" }] }),
    }
}

/// A dict that would be taken for `{env: …}` is written `{dict: {env: …}}`.
fn wrapped(dict: &Value) -> Value {
    let inside = json!({
        "type": "object",
        "required": ["dict"],
        "additionalProperties": false,
        "properties": { "dict": dict },
    });
    json!({ "anyOf": [dict, inside] })
}

fn text_of(kind: TextKind) -> Value {
    match kind {
        TextKind::Duration => json!({ "type": ["string", "number"] }),
        TextKind::Size => json!({ "type": ["string", "integer"] }),
        TextKind::Char => json!({ "type": "string", "minLength": 1, "maxLength": 1 }),
        _ => json!({ "type": "string" }),
    }
}
