//! Tasks and flow words: what does not depend on the plugins.

use serde_json::{Map, Value, json};
use swak_sdk::options::{TextKind, TypeSpec};

use super::types::value;
use super::{described, reference};

/// The definitions of tasks, chains and flow words.
pub(super) fn definitions() -> Map<String, Value> {
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
                        "unacked": described(
                            value(&TypeSpec::Text(TextKind::Size)),
                            "How much may be read and not delivered yet: 64m when left out.",
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
                        "timeout": described(
                            value(&TypeSpec::Text(TextKind::Duration)),
                            "How long a chunk waits for one output before it goes to the next: \
                             10s when left out.",
                        ),
                        "drain_back": described(
                            value(&TypeSpec::Bool),
                            "Whether what `last` took is sent on once an output answers.",
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

fn text() -> TypeSpec {
    TypeSpec::Text(TextKind::Plain)
}
