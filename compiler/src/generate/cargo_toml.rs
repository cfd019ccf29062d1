//! The generated `Cargo.toml`.

use std::path::{Component, Path, PathBuf};

use toml_edit::{Array, DocumentMut, InlineTable, Value};

use super::templates::{self, Values};
use crate::resolve::{GitReference, Plan, Plugin, Source, Trees};

/// Writes the manifest for a workspace in this folder.
pub(super) fn generate(plan: &Plan, folder: &Path) -> String {
    let place = &Place { trees: (folder == plan.workspace).then_some(&plan.trees), folder };
    let plugins: Vec<_> = plan
        .plugins
        .iter()
        .map(|plugin| {
            serde_json::json!({
                "name": plugin.name.as_str(),
                "dependency": plugin_dependency(plugin, place).to_string(),
            })
        })
        .collect();
    let config = plan.config.file_name().map(|n| n.to_string_lossy()).unwrap_or_default();

    let mut values = Values::new();
    values.insert("config".into(), config.into());
    values.insert("package".into(), plan.name.package().into());
    values.insert("version".into(), plan.version.to_string().into());
    let description = format!("The Swak agent {}.", plan.name.package());
    values.insert("description".into(), description.into());
    let runtime = runtime_crate(&plan.runtime.source, "swak-agent", place);
    values.insert("runtime".into(), runtime.to_string().into());
    values.insert("plugins".into(), plugins.into());
    let patch = patched_sdk(plan, place).map_or_else(String::new, |t| t.to_string());
    values.insert("patch".into(), patch.into());

    values.insert("fast".into(), fast(plan).into());

    let text = templates::fill("workspace/Cargo.toml", &values);
    check(&text, plan);
    text
}

/// The crates whose code runs for each record, or for its bytes: the plugins, what holds records, what
/// searches, packs and sums them. Every agent has them.
fn fast(plan: &Plan) -> Vec<&str> {
    let plugins = plan.plugins.iter().map(|plugin| plugin.name.as_str());
    plugins
        .chain(["swak-sdk", "crc32fast", "memchr", "regex-automata", "wide", "zlib-rs"])
        .collect()
}

/// Where the manifest stands, and the links that stand beside it.
struct Place<'a> {
    folder: &'a Path,
    trees: Option<&'a Trees>,
}

impl Place<'_> {
    /// A folder as the manifest says it: behind a link, or as it is found from there.
    fn path_to(&self, to: &Path) -> PathBuf {
        let behind = self.trees.and_then(|trees| trees.inside(to));
        behind.unwrap_or_else(|| path_from(self.folder, to))
    }
}

/// A path as the manifest says it: relative to the workspace where the two share a folder other
/// than the root, so that a project that is moved or copied whole goes on to build.
fn path_from(folder: &Path, to: &Path) -> PathBuf {
    let named = |p: &Path| p.components().filter(|c| matches!(c, Component::Normal(_))).count();
    let mut shared = PathBuf::new();
    for (a, b) in folder.components().zip(to.components()) {
        if a != b {
            break;
        }
        shared.push(a);
    }
    if named(&shared) == 0 {
        return to.to_owned();
    }
    let up = folder.strip_prefix(&shared).map_or(0, named);
    let down = to.strip_prefix(&shared).unwrap_or(to);
    std::iter::repeat_n(Path::new(".."), up).chain([down]).collect()
}

fn plugin_dependency(plugin: &Plugin, place: &Place<'_>) -> InlineTable {
    let mut table = source_table(&plugin.source, place);
    if !plugin.default_features {
        table.insert("default-features", false.into());
    }
    if !plugin.features.is_empty() {
        let features: Array = plugin.features.iter().map(String::as_str).collect();
        table.insert("features", features.into());
    }
    table
}

/// A crate of the runtime, which in a source tree lies in a folder of its name.
fn runtime_crate(source: &Source, name: &str, place: &Place<'_>) -> InlineTable {
    match source {
        Source::Path { path } => {
            source_table(&Source::Path { path: path.join("runtime").join(name) }, place)
        }
        other => source_table(other, place),
    }
}

/// When the runtime does not come from the registry but a plugin may ask the registry for
/// `swak-sdk`, the registry's is replaced by the runtime's own.
fn patched_sdk(plan: &Plan, place: &Place<'_>) -> Option<InlineTable> {
    let runtime = &plan.runtime.source;
    if matches!(runtime, Source::Registry { .. }) {
        return None;
    }
    let beside = |plugin: &Plugin| match (&plugin.source, runtime) {
        (Source::Path { path }, Source::Path { path: root }) => path.starts_with(root),
        (source, runtime) => source == runtime,
    };
    let foreign = plan.plugins.iter().any(|p| !beside(p));
    foreign.then(|| runtime_crate(&plan.runtime.source, "swak-sdk", place))
}

fn source_table(source: &Source, place: &Place<'_>) -> InlineTable {
    let mut table = InlineTable::new();
    match source {
        Source::Path { path } => {
            // Cargo reads `/` on every system, and a manifest should not differ by the machine.
            let path = place.path_to(path).to_string_lossy().into_owned();
            let path = if cfg!(windows) { path.replace('\\', "/") } else { path };
            table.insert("path", path.into());
        }
        Source::Git { url, reference } => {
            table.insert("git", url.into());
            let mut say = |key: &str, value: &str| table.insert(key, Value::from(value));
            match reference {
                GitReference::Head => None,
                GitReference::Branch(name) => say("branch", name),
                GitReference::Tag(name) => say("tag", name),
                GitReference::Rev(name) => say("rev", name),
            };
        }
        Source::Registry { version } => {
            table.insert("version", version.to_string().into());
        }
    }
    table
}

/// Reads the manifest again: it must be TOML, and depend on exactly what the plan names.
fn check(text: &str, plan: &Plan) {
    let document: DocumentMut = text.parse().expect("the generated Cargo.toml is TOML");
    let mut expected: Vec<_> = plan.plugins.iter().map(|p| p.name.as_str()).collect();
    expected.push("swak-agent");
    expected.sort_unstable();
    let mut found: Vec<_> = document["dependencies"]
        .as_table()
        .expect("the generated Cargo.toml has dependencies")
        .iter()
        .map(|(name, _)| name)
        .collect();
    found.sort_unstable();
    assert_eq!(found, expected, "the generated Cargo.toml depends on what the plan names");
    assert_eq!(document["package"]["name"].as_str(), Some(plan.name.package().as_str()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_relative_where_a_folder_is_shared() {
        let from = |a: &str, b: &str| path_from(Path::new(a), Path::new(b)).display().to_string();
        assert_eq!(from("/home/a/proj/.swak/x", "/home/a/y"), "../../../y");
        assert_eq!(from("/home/a/proj", "/home/a/proj/plugins/y"), "plugins/y");
        assert_eq!(from("/tmp/out", "/home/a/y"), "/home/a/y");
    }
}
