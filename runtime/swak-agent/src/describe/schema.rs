//! The JSON Schema (2020-12) of recipes in YAML, with the options of every plugin: editors complete
//! and check recipes with it. See `swak_recipe::yaml_recipe` for the spelling.

use serde_json::{Map, Value, json};
use swak_recipe::diag::SourceFile;
use swak_recipe::python;
use swak_recipe::syntax::{Expr, ExprKind};
use swak_sdk::options::{Kind, OptionSpec, PluginSpec, TextKind, TypeSpec};

/// The schema of recipes that name these plugins.
pub(crate) fn recipes(title: &str, plugins: &[&PluginSpec]) -> Value {
    let (inputs, others): (Vec<_>, Vec<_>) =
        plugins.iter().copied().partition(|spec| spec.kind == Kind::Input);
    let outputs: Vec<_> = others.iter().copied().filter(|spec| spec.kind == Kind::Output).collect();
    let mut defs = flow();
    defs.insert("first".into(), step(&inputs, &["link"]));
    defs.insert("step".into(), step(&others, &["failover", "tee", "when", "sleep", "link"]));
    defs.insert("output".into(), step(&outputs, &[]));
    for spec in plugins {
        defs.insert(spec.path(), plugin(spec));
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        "type": "object",
        "required": ["tasks"],
        "additionalProperties": false,
        "properties": {
            "tasks": {
                "description": "Each task runs on its own and fails on its own.",
                "type": "array",
                "minItems": 1,
                "items": reference("task"),
            },
        },
        "$defs": defs,
    })
}

/// What does not depend on the plugins.
fn flow() -> Map<String, Value> {
    let defs = json!({
        "task": {
            "anyOf": [
                reference("chain"),
                {
                    "type": "object",
                    "required": ["steps"],
                    "additionalProperties": false,
                    "properties": {
                        "name": described(value(&text()), "What logs and metrics call it."),
                        "dead_letter": described(
                            reference("output"),
                            "Where records go that no output can ever take.",
                        ),
                        "steps": reference("chain"),
                    },
                },
            ],
        },
        "chain": {
            "description": "An input, then steps; the last one is an output.",
            "type": "array",
            "minItems": 2,
            "prefixItems": [reference("first")],
            "items": reference("step"),
        },
        "branch": { "type": "array", "items": reference("step") },
        "outputs": { "type": "array", "minItems": 1, "items": reference("output") },
        "failover": {
            "description": "Outputs that stand in for each other.",
            "anyOf": [
                reference("outputs"),
                {
                    "type": "object",
                    "required": ["outputs"],
                    "additionalProperties": false,
                    "properties": {
                        "outputs": reference("outputs"),
                        "last": described(reference("output"), "Taken when all others fail."),
                        "start_by": described(
                            value(&text()),
                            "Which output is tried first: `first`, `ip`, `random`, or the field \
                             whose value chooses.",
                        ),
                    },
                },
            ],
        },
        "tee": {
            "description": "Branches that each get every record; each ends in an output.",
            "type": "array",
            "minItems": 1,
            "items": reference("branch"),
        },
        "when": {
            "description": "A choice by an expression.",
            "type": "object",
            "required": ["condition", "then"],
            "additionalProperties": false,
            "properties": {
                "condition": described(value(&text()), "A Jinja expression: `status >= 500`."),
                "then": reference("branch"),
                "otherwise": reference("branch"),
            },
        },
        "sleep": described(
            value(&TypeSpec::Text(TextKind::Duration)),
            "After the input has ended, start the task again after this long.",
        ),
        "link": described(
            value(&text()),
            "Joins tasks: as the first step it receives, later it sends.",
        ),
        "read": {
            "description": "A value that is read where the recipe runs.",
            "type": "object",
            "minProperties": 1,
            "maxProperties": 1,
            "additionalProperties": false,
            "properties": {
                "env": described(reference("lookup"), "An environment variable, and a default."),
                "option": described(
                    reference("lookup"),
                    "A setting of the agent's config, `path.to.setting`, and a default.",
                ),
            },
        },
        "lookup": {
            "anyOf": [
                { "type": "string" },
                {
                    "type": "array",
                    "minItems": 2,
                    "maxItems": 2,
                    "prefixItems": [{ "type": "string" }],
                },
            ],
        },
    });
    match defs {
        Value::Object(defs) => defs,
        _ => unreachable!("it is written as an object above"),
    }
}

/// A step is a name, or a map with one key: the name.
fn step(plugins: &[&PluginSpec], words: &[&str]) -> Value {
    let alone: Vec<_> = plugins
        .iter()
        .filter(|spec| spec.options.iter().all(|option| !option.required))
        .map(|spec| spec.path())
        .collect();
    let named: Map<_, _> = plugins
        .iter()
        .map(|spec| spec.path())
        .chain(words.iter().map(|word| (*word).to_owned()))
        .map(|name| (name.clone(), reference(&name)))
        .collect();
    let mut ways = vec![json!({
        "type": "object",
        "minProperties": 1,
        "maxProperties": 1,
        "additionalProperties": false,
        "properties": named,
    })];
    if !alone.is_empty() {
        ways.insert(0, json!({ "enum": alone }));
    }
    json!({ "anyOf": ways })
}

/// The options of a plugin: by name, by position, or the only one.
fn plugin(spec: &PluginSpec) -> Value {
    let positional: Vec<_> = spec.positional().collect();
    let required = |option: &&OptionSpec| option.required;
    let by_place = |option: &&OptionSpec| option.positional;
    let (at_place, by_name_only): (Vec<_>, Vec<_>) =
        spec.options.iter().filter(required).partition(by_place);
    let in_order = json!({
        "type": "array",
        "prefixItems": positional.iter().map(|option| value(&option.ty)).collect::<Vec<_>>(),
        "items": false,
    });
    let mut by_name = structure(&spec.options);
    by_name["required"] = names(&by_name_only);
    if !positional.is_empty() {
        by_name["properties"]["*"] =
            described(in_order.clone(), "Options by position, beside those by name.");
        by_name["if"] = json!({ "not": { "required": ["*"] } });
        by_name["then"] = json!({ "required": names(&at_place) });
    }
    let mut ways = vec![by_name];
    if by_name_only.is_empty() {
        if at_place.is_empty() {
            ways.push(json!({ "type": "null" }));
        }
        if let Some(first) = positional.first() {
            let mut in_order = in_order;
            in_order["minItems"] = json!(at_place.len());
            ways.push(in_order);
            if at_place.len() <= 1 {
                let not_options = json!({ "not": { "type": ["object", "array", "null"] } });
                ways.push(json!({ "allOf": [not_options, value(&first.ty)] }));
            }
        }
    }
    json!({ "description": spec.help, "anyOf": ways })
}

/// A dict with these keys.
fn structure(options: &[OptionSpec]) -> Value {
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

fn field(option: &OptionSpec) -> Value {
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
fn value(ty: &TypeSpec) -> Value {
    match ty {
        TypeSpec::Any => json!({}),
        _ => json!({ "anyOf": [plain(ty), reference("read")] }),
    }
}

fn plain(ty: &TypeSpec) -> Value {
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
        TypeSpec::Struct(options) => wrapped(&structure(options)),
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

fn text() -> TypeSpec {
    TypeSpec::Text(TextKind::Plain)
}

fn described(mut schema: Value, help: &str) -> Value {
    if !help.is_empty() {
        schema["description"] = json!(help);
    }
    schema
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/$defs/{name}") })
}

fn names(options: &[&OptionSpec]) -> Value {
    options.iter().map(|option| json!(option.name)).collect()
}

/// A default is kept as a recipe writes it: `"people"`, `True`, `[1, 2]`.
fn default_value(written: &str) -> Option<Value> {
    let source = SourceFile::new("default", format!("default = {written}"));
    let (script, found) = python::parse(&source);
    match script.statements.as_slice() {
        [only] if found.is_empty() => json_of(&only.value),
        _ => None,
    }
}

fn json_of(expr: &Expr) -> Option<Value> {
    Some(match &expr.kind {
        ExprKind::None => Value::Null,
        ExprKind::Bool(b) => json!(b),
        ExprKind::Int(n) => json!(n),
        ExprKind::Float(n) => json!(n),
        ExprKind::Str(text) => json!(text),
        ExprKind::List(items) => items.iter().map(json_of).collect::<Option<_>>()?,
        ExprKind::Dict(entries) => Value::Object(
            entries
                .iter()
                .map(|(key, value)| Some((key.name.clone(), json_of(value)?)))
                .collect::<Option<_>>()?,
        ),
        ExprKind::Name(_) | ExprKind::Call(_) | ExprKind::Unreadable => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{follow, null};
    use super::*;

    #[test]
    fn every_reference_leads_somewhere() {
        let (follow, null) = (follow(), null());
        let schema = recipes("Recipe", &[&follow, &null]);
        let defs = schema["$defs"].as_object().unwrap();
        let mut seen = 0;
        let mut todo = vec![&schema];
        while let Some(value) = todo.pop() {
            match value {
                Value::Object(object) => {
                    if let Some(Value::String(target)) = object.get("$ref") {
                        let name = target.strip_prefix("#/$defs/").unwrap();
                        assert!(defs.contains_key(name), "{name}");
                        seen += 1;
                    }
                    todo.extend(object.values());
                }
                Value::Array(items) => todo.extend(items),
                _ => {}
            }
        }
        assert!(seen > 20, "{seen}");
    }

    #[test]
    fn what_needs_no_option_may_stand_alone() {
        let (follow, null) = (follow(), null());
        let schema = recipes("Recipe", &[&follow, &null]);
        assert_eq!(schema["$defs"]["step"]["anyOf"][0], json!({ "enum": ["out.Null"] }));
        assert_eq!(schema["$defs"]["first"]["anyOf"][0]["maxProperties"], 1);
    }

    #[test]
    fn options_keep_their_defaults_and_ranges() {
        let schema = plugin(&follow());
        let by_name = &schema["anyOf"][0];
        assert_eq!(by_name["properties"]["start"]["default"], "end");
        assert_eq!(by_name["properties"]["tls"]["default"], json!({}));
        assert_eq!(by_name["required"], json!([]));
        assert_eq!(by_name["then"]["required"], json!(["path"]));
        assert_eq!(schema["anyOf"][1]["minItems"], 1);
        let port = plain(&TypeSpec::Int { min: 1, max: i64::MAX });
        assert_eq!(port, json!({ "type": "integer", "minimum": 1 }));
    }

    #[test]
    fn defaults_are_read_as_recipes_are() {
        assert_eq!(default_value("True"), Some(json!(true)));
        assert_eq!(default_value("-1"), Some(json!(-1)));
        assert_eq!(default_value("[1, 2.5, \"a\"]"), Some(json!([1, 2.5, "a"])));
        assert_eq!(default_value("None"), Some(Value::Null));
        assert_eq!(default_value("env(\"A\")"), None);
    }
}
