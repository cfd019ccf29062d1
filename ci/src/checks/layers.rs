//! The arrows between crates: who may depend on whom.

use super::Check;
use crate::context::{Context, Result, none_of};
use crate::manifest::{DependencyKind, Package, packages};

pub(super) const CHECK: Check =
    Check { name: "layers", what: "crates depend only on the layers below them", run };

/// What a crate may depend on among the crates of this repository.
struct Layer {
    /// The crate, or with a `*` at its end all crates that begin so.
    name: &'static str,
    build: &'static [&'static str],
    /// In addition, for tests and examples.
    dev: &'static [&'static str],
}

/// From the bottom to the top. Plugins meet only in generated agents, and in `swak-ci`,
/// which writes their reference and tries their examples; engine, agent and compiler know none of them.
const LAYERS: &[Layer] = &[
    Layer { name: "swak-macros", build: &[], dev: &["swak-sdk"] },
    Layer { name: "swak-sdk", build: &["swak-macros"], dev: &[] },
    Layer { name: "swak-buffer", build: &[], dev: &[] },
    Layer { name: "swak-recipe", build: &["swak-sdk"], dev: &[] },
    Layer {
        name: "swak-engine",
        build: &["swak-sdk", "swak-buffer", "swak-recipe"],
        dev: &["swak-test"],
    },
    Layer {
        name: "swak-agent",
        build: &["swak-sdk", "swak-buffer", "swak-recipe", "swak-engine"],
        dev: &[],
    },
    Layer { name: "swak-test", build: &["swak-sdk", "swak-recipe", "swak-engine"], dev: &[] },
    Layer { name: "swak-plugin-std", build: &["swak-sdk", "swak-buffer"], dev: &["swak-test"] },
    Layer { name: "swak-plugin-*", build: &["swak-sdk"], dev: &["swak-test"] },
    Layer { name: "swak-makebuild", build: &["swak-sdk", "swak-recipe"], dev: &[] },
    Layer {
        name: "swak-ci",
        build: &[],
        dev: &["swak-sdk", "swak-agent", "swak-test", "swak-plugin-*"],
    },
];

/// Crates that register plugins behind the linker's back: what is only listed in `Cargo.toml` they
/// silently leave out.
const LINKER_TRICKS: [&str; 3] = ["inventory", "linkme", "ctor"];

fn run(cx: &Context) -> Result {
    let packages = packages(cx)?;
    none_of(&packages.iter().flat_map(mistakes).collect::<Vec<_>>())
}

fn mistakes(package: &Package) -> Vec<String> {
    let name = &package.name;
    let mut found = Vec::new();
    let Some(layer) = LAYERS.iter().find(|layer| fits(layer.name, name)) else {
        return vec![format!("`{name}` has no layer: give it one in ci/src/checks/layers.rs")];
    };
    for dependency in &package.dependencies {
        let on = dependency.name.as_str();
        if LINKER_TRICKS.contains(&on) {
            found.push(format!("`{name}` depends on `{on}`: plugins are registered by name"));
        }
        if !on.starts_with("swak-") {
            continue;
        }
        let in_list = |list: &[&str]| list.iter().any(|pattern| fits(pattern, on));
        let allowed = match dependency.kind {
            DependencyKind::Build => in_list(layer.build),
            DependencyKind::Dev => in_list(layer.build) || in_list(layer.dev),
        };
        if !allowed {
            let tests = match dependency.kind {
                DependencyKind::Build => "",
                DependencyKind::Dev => ", not even in tests",
            };
            found.push(format!("`{name}` must not depend on `{on}`{tests}"));
        }
    }
    // Two incompatible versions of the SDK in one agent are refused while Cargo resolves.
    if name == "swak-sdk" && package.links.as_deref() != Some("swak-sdk") {
        found.push("`swak-sdk` must carry `links = \"swak-sdk\"`".to_owned());
    }
    if let Some((group @ ("runtime" | "plugins"), folder)) = package.folder.split_once('/')
        && folder != name
    {
        found.push(format!("the folder of `{name}` must be {group}/{name}, not {group}/{folder}"));
    }
    found
}

fn fits(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => pattern == name,
    }
}

#[cfg(test)]
mod tests {
    use crate::manifest::Dependency;

    use super::*;

    fn package(name: &str, dependencies: &[(&str, DependencyKind)]) -> Package {
        Package {
            name: name.into(),
            folder: format!("plugins/{name}"),
            links: None,
            dependencies: dependencies
                .iter()
                .map(|&(name, kind)| Dependency { name: name.into(), kind })
                .collect(),
        }
    }

    #[test]
    fn a_plugin_knows_the_sdk_and_in_tests_the_harness() {
        use DependencyKind::{Build, Dev};
        let good = [("swak-sdk", Build), ("tokio", Build), ("swak-test", Dev)];
        assert!(mistakes(&package("swak-plugin-a", &good)).is_empty());
        let bad = [
            ("swak-engine", Build),
            ("swak-test", Build),
            ("swak-agent", Dev),
            ("swak-plugin-b", Dev),
            ("inventory", Build),
        ];
        assert_eq!(mistakes(&package("swak-plugin-a", &bad)).len(), 5);
    }

    #[test]
    fn the_sdk_keeps_its_links_key_and_every_crate_has_a_layer() {
        let mut sdk = package("swak-sdk", &[]);
        sdk.folder = "runtime/sdk".into();
        assert_eq!(mistakes(&sdk).len(), 2);
        assert_eq!(mistakes(&package("swak-other", &[])).len(), 1);
    }
}
