//! A dependency's version stands in the root manifest once, and every crate takes the workspace's
//! lints.

use super::Check;
use crate::context::{Context, Result, none_of};
use crate::manifest::packages;

pub(super) const CHECK: Check =
    Check { name: "manifests", what: "versions and lints stand in one place", run };

fn run(cx: &Context) -> Result {
    let mut wrong = Vec::new();
    for package in packages(cx)? {
        let path = cx.root.join(&package.folder).join("Cargo.toml");
        let (shown, text) = (cx.shown(&path), cx.read(&path)?);
        wrong.extend(mistakes(&text).into_iter().map(|what| format!("{shown}: {what}")));
    }
    none_of(&wrong)
}

fn mistakes(manifest: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut section = "";
    let mut takes_lints = false;
    for line in manifest.lines().map(str::trim).filter(|line| !line.starts_with('#')) {
        if let Some(name) = line.strip_prefix('[') {
            section = name.trim_end_matches(']');
        } else if section == "lints" && line == "workspace = true" {
            takes_lints = true;
        } else if section.ends_with("dependencies")
            && let Some((name, value)) = line.split_once('=')
            && !takes_version(name.trim(), value.trim())
        {
            let name = name.trim();
            found.push(format!(
                "`{name}` has a version of its own; write `{name}.workspace = true`"
            ));
        }
    }
    if !takes_lints {
        found.push("takes no lints; write `[lints]` with `workspace = true`".to_owned());
    }
    found
}

fn takes_version(name: &str, value: &str) -> bool {
    // By path alone: what tests need of a crate that itself needs this one.
    let only_path = value.contains("path =") && !value.contains("version =");
    name.ends_with(".workspace") || value.contains("workspace = true") || only_path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_of_its_own_is_found() {
        let manifest = "[package]\nname = \"a\"\n[lints]\nworkspace = true\n\
                        [target.'cfg(unix)'.dependencies]\nb = \"1\"\nc.workspace = true\n\
                        d = { workspace = true, features = [\"x\"] }\nf = { path = \"../f\" }\n# e = \"1\"\n";
        assert_eq!(
            mistakes(manifest),
            ["`b` has a version of its own; write `b.workspace = true`"]
        );
    }

    #[test]
    fn missing_lints_are_found() {
        assert_eq!(mistakes("[package]\nname = \"a\"\n").len(), 1);
    }
}
