//! Values of the build config, read with their places.

use std::path::PathBuf;

use semver::Version;
use swak_recipe::diag::Diagnostic;
use swak_recipe::yaml::{Node, Value};

use super::fields::show;
use super::{At, Found};

/// What [`boolean`] expects.
const TRUTH: &str = "true or false";

/// A word: text, or a number as it is written, so that `1.10` keeps its nought. A list of one word
/// stands for the word.
pub(super) fn word(node: &Node, what: &str, found: &mut Found<'_>) -> Option<At<String>> {
    match &node.value {
        Value::Str(text) => Some(At { value: text.clone(), span: node.span }),
        Value::Int(_) | Value::Float(_) => {
            Some(At { value: found.source.slice(node.span).to_owned(), span: node.span })
        }
        Value::List(items) => match items.as_slice() {
            [one] if !matches!(one.value, Value::List(_)) => word(one, what, found),
            _ => wrong(node, what, found),
        },
        _ => wrong(node, what, found),
    }
}

/// `true` or `false`; a list of one stands for it.
pub(super) fn boolean(node: &Node, found: &mut Found<'_>) -> Option<bool> {
    match &node.value {
        Value::Bool(value) => Some(*value),
        Value::List(items) => match items.as_slice() {
            [Node { value: Value::Bool(value), .. }] => Some(*value),
            _ => wrong(node, TRUTH, found),
        },
        _ => wrong(node, TRUTH, found),
    }
}

/// A path, not empty.
pub(super) fn path(node: &Node, found: &mut Found<'_>) -> Option<At<PathBuf>> {
    let text = word(node, "a path", found)?;
    if text.value.trim().is_empty() || text.value.contains('\0') {
        found.add(
            Diagnostic::error("bad-path", "this is not a path")
                .at(text.span, "")
                .help("write a path relative to the build config"),
        );
        return None;
    }
    Some(At { value: PathBuf::from(text.value), span: text.span })
}

/// A version: `1.4.0`.
pub(super) fn version(node: &Node, found: &mut Found<'_>) -> Option<Version> {
    let text = word(node, "a version", found)?;
    match Version::parse(&text.value) {
        Ok(version) => Some(version),
        Err(error) => {
            found.add(
                Diagnostic::error(
                    "bad-version",
                    format!("`{}` is not a version: {error}", show(&text.value)),
                )
                .at(text.span, "")
                .help("a version has three numbers: `1.4.0`"),
            );
            None
        }
    }
}

/// Words in a list; nothing at all is an empty list.
pub(super) fn words(node: &Node, what: &str, found: &mut Found<'_>) -> Vec<At<String>> {
    items(node).iter().filter_map(|item| word(item, what, found)).collect()
}

/// The items of a list; one value stands for a list of one, nothing at all for an empty list.
pub(super) fn items(node: &Node) -> &[Node] {
    match &node.value {
        Value::List(items) => items,
        Value::Null => &[],
        _ => std::slice::from_ref(node),
    }
}

fn wrong<T>(node: &Node, what: &str, found: &mut Found<'_>) -> Option<T> {
    let wrong = node.expected("wrong-type", what);
    found.add(match node.value {
        Value::Null => wrong.help("write a value, or take the key away"),
        // Words for a truth value in the YAML of old; text since.
        Value::Str(ref text) if what == TRUTH => match text.to_ascii_lowercase().as_str() {
            "yes" | "on" | "y" | "true" => wrong.help("write `true`, without quotes"),
            "no" | "off" | "n" | "false" => wrong.help("write `false`, without quotes"),
            _ => wrong.help("write `true` or `false`, without quotes"),
        },
        _ => wrong,
    });
    None
}
