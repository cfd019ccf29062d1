//! Where the runtime comes from, and which plugin crates live beside it.

use std::path::{Path, PathBuf};

use semver::{Comparator, Op, Version, VersionReq};
use swak_recipe::diag::Diagnostic;

use super::{Package, Runtime, Source, real};
use crate::manifest::{BuildConfig, Origin};

/// The plugin crates of the runtime's own repository. In a folder they are found by looking; in a
/// Git repository this list says which crates are there.
pub(super) const BESIDE: [&str; 4] =
    ["swak-plugin-fluentd", "swak-plugin-mylog", "swak-plugin-std", "swak-plugin-syslog"];

/// The source tree that this compiler was built from, while that is there.
pub fn built_from() -> Option<PathBuf> {
    let root = real(&Path::new(env!("CARGO_MANIFEST_DIR")).join(".."));
    is_source_tree(&root).then_some(root)
}

/// Whether a folder is the root of Swak's source.
pub fn is_source_tree(root: &Path) -> bool {
    root.join("runtime/swak-agent/Cargo.toml").is_file()
}

/// Finds the runtime.
pub(super) fn locate(config: &BuildConfig, folder: &Path) -> Result<Runtime, Box<Diagnostic>> {
    let Some(said) = &config.runtime else { return Ok(found()) };
    let because = "as the build config says";
    let source = match &said.value {
        Origin::Version(version) => Source::Registry { version: version.clone() },
        Origin::Git { url, reference } => {
            Source::Git { url: url.clone(), reference: reference.clone() }
        }
        Origin::Path(path) => {
            let root = real(&folder.join(path));
            if !is_source_tree(&root) {
                let message = format!("`{}` does not hold the source of Swak", root.display());
                let found = Diagnostic::error("not-a-runtime", message)
                    .at(said.span, "no `runtime/swak-agent` in it")
                    .help("name the root of the repository, or leave `swak` out");
                return Err(Box::new(found));
            }
            Source::Path { path: root }
        }
        Origin::Unsaid => return Ok(found()),
    };
    Ok(from(source, because))
}

/// The source tree that this compiler was built from, else the registry at its own version.
pub(super) fn found() -> Runtime {
    match built_from() {
        Some(path) => {
            from(Source::Path { path }, "the source tree that this compiler was built from")
        }
        None => {
            let version = exactly(&own_version());
            from(Source::Registry { version }, "this compiler's own version")
        }
    }
}

fn from(source: Source, because: &'static str) -> Runtime {
    let version = match &source {
        Source::Path { path } => Package::read(&path.join("runtime/swak-agent")).ok(),
        _ => None,
    };
    Runtime { source, because, version: version.map(|package| package.version) }
}

fn own_version() -> Version {
    Version::parse(env!("CARGO_PKG_VERSION")).expect("Cargo checked the version of this package")
}

fn exactly(version: &Version) -> VersionReq {
    let comparator = Comparator {
        op: Op::Exact,
        major: version.major,
        minor: Some(version.minor),
        patch: Some(version.patch),
        pre: version.pre.clone(),
    };
    VersionReq { comparators: vec![comparator] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_crates_beside_the_runtime_are_all_listed() {
        let Some(root) = built_from() else { return };
        let mut names: Vec<_> = std::fs::read_dir(root.join("plugins"))
            .expect("a folder")
            .map(|entry| entry.expect("readable").file_name().into_string().expect("ASCII"))
            .collect();
        names.sort();
        assert_eq!(names, BESIDE);
    }

    #[test]
    fn the_registry_gives_exactly_this_version() {
        assert_eq!(exactly(&Version::new(1, 2, 3)).to_string(), "=1.2.3");
    }
}
