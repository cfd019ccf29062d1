//! The JSON Schema (2020-12) of recipes in YAML, with the options of every plugin: editors complete
//! and check recipes with it. See `swak_recipe::yaml_recipe` for the spelling.

mod default;
mod flow;
mod types;

use serde_json::{Map, Value, json};
use swak_sdk::options::{DeliveryOptions, Kind, OptionSpec, PluginSpec};

use types::{field, structure, value};

/// The schema of recipes that name these plugins.
pub(crate) fn recipes(title: &str, plugins: &[&PluginSpec]) -> Value {
    let (inputs, others): (Vec<_>, Vec<_>) =
        plugins.iter().copied().partition(|spec| spec.kind == Kind::Input);
    let outputs: Vec<_> = others.iter().copied().filter(|spec| spec.kind == Kind::Output).collect();
    let mut defs = flow::definitions();
    defs.insert("first".into(), step(&inputs, &["link"]));
    defs.insert("step".into(), step(&others, &["failover", "tee", "when", "sleep", "link"]));
    defs.insert("output".into(), step(&outputs, &[]));
    for option in DeliveryOptions::specs() {
        defs.insert(common(option), field(option));
    }
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
    for option in spec.kind.common_options() {
        by_name["properties"][&*option.name] = reference(&common(option));
    }
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

/// The name of the definition of an option that every output has.
fn common(option: &OptionSpec) -> String {
    format!("delivery.{}", option.name)
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

#[cfg(test)]
mod tests {
    use swak_sdk::options::TypeSpec;

    use super::super::testing::{follow, null};
    use super::types::plain;
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
    fn an_output_takes_what_every_output_takes_and_an_input_does_not() {
        let (follow, null) = (follow(), null());
        let schema = recipes("Recipe", &[&follow, &null]);
        let properties = |path: &str| &schema["$defs"][path]["anyOf"][0]["properties"];
        assert_eq!(properties("out.Null")["workers"], reference("delivery.workers"));
        assert_eq!(properties("in.Follow")["workers"], Value::Null);
        assert_eq!(schema["$defs"]["delivery.workers"]["default"], 1);
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
}
