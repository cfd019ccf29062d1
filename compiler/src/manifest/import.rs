//! The list of plugin crates.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};

use swak_recipe::diag::{Diagnostic, Span};
use swak_recipe::yaml::{KeyNode, Node, Value};

use super::fields::{Fields, show};
use super::{At, Found, Import, Origin, origin, values};
use crate::names::CrateName;

/// The keys of an entry that is a map.
const KEYS: &[&[&str]] = &[
    &["crate"],
    &["version"],
    &["path"],
    &["git"],
    &["rev"],
    &["tag"],
    &["branch"],
    &["features"],
    &["default-features", "default_features"],
];

/// The value of `import`.
pub(super) fn read(node: &Node, found: &mut Found<'_>) -> Vec<Import> {
    let mut imports: Vec<Import> = Vec::new();
    let mut seen: HashMap<String, Span> = HashMap::new();
    for item in values::items(node) {
        let import = match &item.value {
            Value::Str(text) => of_text(text, item.span, found),
            Value::Map(entries) => of_map(entries, item.span, found),
            _ => {
                found.add(item.expected("wrong-type", "a plugin crate").help(
                    "write `swak-plugin-x`, `swak-plugin-x@1.2` or `{crate: swak-plugin-x, …}`",
                ));
                None
            }
        };
        let Some(import) = import else { continue };
        match seen.entry(import.name.value.key()) {
            Entry::Occupied(first) => found.add(
                Diagnostic::error(
                    "duplicate-plugin",
                    format!("`{}` is imported twice", import.name.value),
                )
                .at(import.name.span, "again here")
                .label(*first.get(), "first here")
                .help("keep one of them"),
            ),
            Entry::Vacant(place) => {
                place.insert(import.name.span);
                imports.push(import);
            }
        }
    }
    imports
}

/// `swak-plugin-x` or `swak-plugin-x@1.2`
fn of_text(text: &str, span: Span, found: &mut Found<'_>) -> Option<Import> {
    let (name, version) = match text.split_once('@') {
        Some((name, version)) => (name, Some(version)),
        None => (text, None),
    };
    let name = crate_name(&At { value: name.to_owned(), span }, found);
    let origin = match version {
        Some("") => {
            found.add(
                Diagnostic::error("bad-requirement", "there is no version after the `@`")
                    .at(span, "")
                    .help("write it as in `swak-plugin-x@1.2`, or leave the `@` away"),
            );
            return None;
        }
        Some(version) => {
            Origin::Version(origin::requirement(&At { value: version.to_owned(), span }, found)?)
        }
        None => Origin::Unsaid,
    };
    Some(Import {
        name: At { value: name?, span },
        origin: At { value: origin, span },
        features: Vec::new(),
        default_features: true,
    })
}

/// `{crate: swak-plugin-x, path: ../x}`
fn of_map(entries: &[(KeyNode, Node)], span: Span, found: &mut Found<'_>) -> Option<Import> {
    // `swak-plugin-x: 1.2`, one or several: as other tools write their dependencies.
    let crates = entries.iter().filter(|(key, _)| CrateName::new(&key.name).is_ok());
    let before = found.list.len();
    for (key, value) in crates {
        let version = value.as_str().is_some_and(|v| semver::VersionReq::parse(v).is_ok())
            || matches!(value.value, Value::Int(_) | Value::Float(_));
        let version = if version { found.source.slice(value.span) } else { "1.2" };
        found.add(
            Diagnostic::error("unknown-key", format!("`{}` is not a key", key.name))
                .at(key.span, "a crate is named by a word or by the key `crate`")
                .help(format!(
                    "write `- {name}@{version}` or `- {{crate: {name}, …}}`",
                    name = key.name,
                )),
        );
    }
    if found.list.len() > before {
        return None;
    }
    let mut fields = Fields::of_map(entries, KEYS, found);
    let name = match fields.take("crate") {
        Some(node) => values::word(node, "the name of a crate", found).and_then(|text| {
            let name = crate_name(&text, found)?;
            Some(At { value: name, span: text.span })
        }),
        None => {
            found.add(
                Diagnostic::error("missing-key", "this does not say which crate")
                    .at(span, "")
                    .help("add `crate: swak-plugin-…`"),
            );
            None
        }
    };
    let origin = origin::of_fields(&mut fields, span, found);
    let features = fields.take("features").map(|node| features(node, found));
    let default_features =
        fields.take("default-features").and_then(|node| values::boolean(node, found));
    fields.finish(found);
    Some(Import {
        name: name?,
        origin: origin?,
        features: features.unwrap_or_default(),
        default_features: default_features.unwrap_or(true),
    })
}

fn crate_name(text: &At<String>, found: &mut Found<'_>) -> Option<CrateName> {
    match CrateName::new(&text.value) {
        Ok(name) => Some(name),
        Err(error) => {
            let message = format!("`{}` is not a plugin crate: {error}", show(&text.value));
            found.add(
                Diagnostic::error("bad-crate-name", message).at(text.span, "").help(error.help()),
            );
            None
        }
    }
}

fn features(node: &Node, found: &mut Found<'_>) -> Vec<String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '+' | '.');
    let mut names = BTreeSet::new();
    for text in values::words(node, "the name of a feature", found) {
        if text.value.is_empty() || !text.value.chars().all(fits) {
            found.add(
                Diagnostic::error(
                    "bad-feature",
                    format!("`{}` cannot be the name of a feature", show(&text.value)),
                )
                .at(text.span, "")
                .help("features are named by letters, digits, `_`, `-`, `+` and `.`"),
            );
        } else {
            names.insert(text.value);
        }
    }
    names.into_iter().collect()
}
