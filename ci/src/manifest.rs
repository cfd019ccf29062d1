//! What Cargo knows of the workspace's packages.

use serde_json::Value;

use crate::context::{Context, Result};

/// A package of the workspace.
pub(crate) struct Package {
    pub(crate) name: String,
    /// Its folder from the root: `runtime/swak-sdk`.
    pub(crate) folder: String,
    /// The value of `links`.
    pub(crate) links: Option<String>,
    pub(crate) dependencies: Vec<Dependency>,
}

/// One dependency of a package.
pub(crate) struct Dependency {
    pub(crate) name: String,
    pub(crate) kind: DependencyKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DependencyKind {
    /// For the crate itself, or for its build script.
    Build,
    /// For tests, examples and benchmarks.
    Dev,
}

/// All packages of the workspace, ordered by name.
pub(crate) fn packages(cx: &Context) -> Result<Vec<Package>> {
    let text = cx.cargo_output(&["metadata", "--format-version=1", "--no-deps", "--quiet"])?;
    let metadata: Value = serde_json::from_str(&text)
        .map_err(|error| format!("`cargo metadata` wrote no JSON: {error}"))?;
    let mut packages: Vec<_> = list(&metadata["packages"]).map(|one| package(one, cx)).collect();
    packages.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(packages)
}

fn package(value: &Value, cx: &Context) -> Package {
    let manifest = std::path::PathBuf::from(text(&value["manifest_path"]));
    let folder = manifest.parent().unwrap_or(&cx.root);
    Package {
        name: text(&value["name"]),
        folder: cx.shown(folder).replace('\\', "/"),
        links: value["links"].as_str().map(str::to_owned),
        dependencies: list(&value["dependencies"])
            .map(|dependency| Dependency {
                name: text(&dependency["name"]),
                kind: match dependency["kind"].as_str() {
                    Some("dev") => DependencyKind::Dev,
                    _ => DependencyKind::Build,
                },
            })
            .collect(),
    }
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
