//! Where each plugin crate comes from.

use std::path::Path;

use semver::{Version, VersionReq};
use swak_recipe::diag::Diagnostic;

use super::runtime::BESIDE;
use super::{Package, Plugin, Source, real};
use crate::manifest::{BuildConfig, Import, Origin};
use crate::names::CrateName;

/// The crate of the standard plugins.
pub(crate) const STANDARD: &str = "swak-plugin-std";

/// Finds every plugin crate; ordered by name.
pub(super) fn locate(
    config: &BuildConfig,
    folder: &Path,
    runtime: &Source,
    found: &mut Vec<Diagnostic>,
) -> Vec<Plugin> {
    let mut plugins: Vec<Plugin> = config
        .imports
        .iter()
        .filter_map(|import| match locate_one(import, folder, runtime) {
            Ok(plugin) => Some(plugin),
            Err(error) => {
                found.push(*error);
                None
            }
        })
        .collect();
    let standard = CrateName::new(STANDARD).expect("a good name");
    let imported = config.imports.iter().any(|i| i.name.value.key() == standard.key());
    if config.standard && !imported {
        plugins.push(standard_plugins(standard, runtime));
    }
    plugins.sort_by(|a, b| a.name.cmp(&b.name));
    plugins
}

fn locate_one(import: &Import, folder: &Path, runtime: &Source) -> Result<Plugin, Box<Diagnostic>> {
    let name = &import.name.value;
    let mut version = None;
    let source = match &import.origin.value {
        Origin::Path(path) => {
            let path = real(&folder.join(path));
            version = Some(check_folder(import, &path)?);
            Source::Path { path }
        }
        Origin::Git { url, reference } => {
            Source::Git { url: url.clone(), reference: reference.clone() }
        }
        Origin::Version(requirement) => match beside(name, Some(requirement), runtime) {
            Some((source, its)) => {
                version = its;
                source
            }
            None => Source::Registry { version: requirement.clone() },
        },
        Origin::Unsaid => match beside(name, None, runtime) {
            Some((source, its)) => {
                version = its;
                source
            }
            None => Source::Registry { version: VersionReq::STAR },
        },
    };
    Ok(Plugin {
        name: name.clone(),
        source,
        version,
        features: import.features.clone(),
        default_features: import.default_features,
        standard: false,
    })
}

/// The crate, when it lives beside the runtime in a version that fits.
fn beside(
    name: &CrateName,
    requirement: Option<&VersionReq>,
    runtime: &Source,
) -> Option<(Source, Option<Version>)> {
    match runtime {
        Source::Path { path } => {
            let path = path.join("plugins").join(name.as_str());
            let package = Package::read(&path).ok().filter(|p| p.name == name.as_str())?;
            let fits = requirement.is_none_or(|r| r.matches(&package.version));
            fits.then_some((Source::Path { path }, Some(package.version)))
        }
        // Which version a repository holds is not known before it was fetched.
        git @ Source::Git { .. } => {
            let here = BESIDE.contains(&name.as_str()) && requirement.is_none();
            here.then(|| (git.clone(), None))
        }
        Source::Registry { .. } => None,
    }
}

fn standard_plugins(name: CrateName, runtime: &Source) -> Plugin {
    let (source, version) = match beside(&name, None, runtime) {
        Some(place) => place,
        // They are published together with the runtime.
        None => match runtime {
            Source::Registry { version } => (Source::Registry { version: version.clone() }, None),
            _ => (Source::Registry { version: VersionReq::STAR }, None),
        },
    };
    Plugin { name, source, version, features: Vec::new(), default_features: true, standard: true }
}

/// The folder that an entry names must hold the crate that it names.
fn check_folder(import: &Import, path: &Path) -> Result<Version, Box<Diagnostic>> {
    let name = &import.name.value;
    let at = import.origin.span;
    match Package::read(path) {
        Ok(package) if package.name == name.as_str() => Ok(package.version),
        Ok(package) => {
            let message = format!("`{}` holds the crate `{}`", path.display(), package.name);
            let mut found = Diagnostic::error("wrong-crate", message)
                .at(at, format!("not `{name}`"))
                .label(import.name.span, "");
            if CrateName::new(&package.name).is_ok() {
                found =
                    found.help(format!("write `crate: {}`, or name another folder", package.name));
            } else {
                found = found.help("name the folder of the plugin crate");
            }
            Err(Box::new(found))
        }
        Err(error) => Err(Box::new(
            Diagnostic::error("no-plugin-crate", error.to_string())
                .at(at, format!("`{name}` should be here"))
                .help("name the folder that holds the crate's Cargo.toml, relative to this file"),
        )),
    }
}
