//! A crate in a folder: what its `Cargo.toml` says, read without Cargo.

use std::path::{Path, PathBuf};

use semver::Version;
use swak_recipe::diag::{Diagnostics, SourceFile};
use toml_edit::{DocumentMut, Item};

/// The largest `Cargo.toml` that is read, in bytes.
const MANIFEST_LIMIT: u64 = 1 << 20;

/// A library crate in a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Package {
    /// The package's name.
    pub name: String,
    /// The package's version.
    pub version: Version,
    /// The root of the library's source: `src/lib.rs`.
    pub library: PathBuf,
}

/// Why a folder holds no crate that can be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PackageError {
    /// The folder is not there.
    #[error("there is no folder `{}`", .0.display())]
    NoFolder(PathBuf),
    /// It is a file.
    #[error("`{}` is not a folder", .0.display())]
    NotAFolder(PathBuf),
    /// Without a `Cargo.toml`.
    #[error("there is no Cargo.toml in `{}`", .0.display())]
    NoManifest(PathBuf),
    /// The `Cargo.toml` cannot be read.
    #[error("{0}")]
    Unreadable(String),
    /// The `Cargo.toml` is not one of a package.
    #[error("`{}` {what}", .path.display())]
    Manifest {
        /// The file.
        path: PathBuf,
        /// What it is or lacks.
        what: String,
    },
    /// The source of a library is missing.
    #[error("there is no library: `{}` is missing", .0.display())]
    NoLibrary(PathBuf),
}

impl Package {
    /// Reads the crate in this folder.
    ///
    /// # Errors
    /// When there is none.
    pub fn read(folder: &Path) -> Result<Self, PackageError> {
        if !folder.exists() {
            return Err(PackageError::NoFolder(folder.to_owned()));
        }
        if !folder.is_dir() {
            return Err(PackageError::NotAFolder(folder.to_owned()));
        }
        let path = folder.join("Cargo.toml");
        if !path.is_file() {
            return Err(PackageError::NoManifest(folder.to_owned()));
        }
        let manifest = parse(&path)?;
        let fail =
            |what: &str| PackageError::Manifest { path: path.clone(), what: what.to_owned() };
        let package = manifest.get("package").ok_or_else(|| fail("has no [package]"))?;
        let name =
            package.get("name").and_then(Item::as_str).ok_or_else(|| fail("names no package"))?;
        let version = match package.get("version") {
            None => "0.0.0".to_owned(),
            Some(item) => match item.as_str() {
                Some(text) => text.to_owned(),
                None => workspace_version(folder)
                    .ok_or_else(|| fail("takes its version from a workspace that has none"))?,
            },
        };
        let version = Version::parse(&version).map_err(|_| fail("has a version that is none"))?;
        let library = manifest
            .get("lib")
            .and_then(|lib| lib.get("path"))
            .and_then(Item::as_str)
            .unwrap_or("src/lib.rs");
        let library = folder.join(library);
        if !library.is_file() {
            return Err(PackageError::NoLibrary(library));
        }
        Ok(Package { name: name.to_owned(), version, library })
    }
}

/// The version that the packages of the workspace around this folder share.
fn workspace_version(folder: &Path) -> Option<String> {
    folder.ancestors().find_map(|ancestor| {
        let path = ancestor.join("Cargo.toml");
        let manifest = path.is_file().then(|| parse(&path).ok()).flatten()?;
        let version = manifest.get("workspace")?.get("package")?.get("version")?;
        version.as_str().map(str::to_owned)
    })
}

fn parse(path: &Path) -> Result<DocumentMut, PackageError> {
    let source = SourceFile::read(path, MANIFEST_LIMIT)
        .map_err(|errors| PackageError::Unreadable(first_message(&errors)))?;
    source.text().parse().map_err(|error: toml_edit::TomlError| PackageError::Manifest {
        path: path.to_owned(),
        what: format!("is not TOML: {}", error.message()),
    })
}

fn first_message(errors: &Diagnostics) -> String {
    errors.iter().next().map(|e| e.message.clone()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn crate_with(manifest: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir(folder.path().join("src")).expect("writable");
        fs::write(folder.path().join("src/lib.rs"), "").expect("writable");
        fs::write(folder.path().join("Cargo.toml"), manifest).expect("writable");
        folder
    }

    #[test]
    fn a_version_can_come_from_the_workspace() {
        let folder = crate_with(
            "[workspace.package]\nversion = \"1.2.3\"\n[package]\nname = \"x\"\nversion.workspace = true\n",
        );
        let package = Package::read(folder.path()).expect("a crate");
        assert_eq!((package.name.as_str(), package.version), ("x", Version::new(1, 2, 3)));
    }

    #[test]
    fn what_is_not_a_crate_says_what_is_missing() {
        let error = |manifest: &str| {
            Package::read(crate_with(manifest).path()).expect_err("no crate").to_string()
        };
        assert!(error("[package\n").contains("is not TOML"));
        assert!(error("[workspace]\n").contains("has no [package]"));
        assert!(error("[package]\nversion = \"1.0.0\"\n").contains("names no package"));
        assert!(error("[package]\nname = \"x\"\nversion = \"one\"\n").contains("version"));
        assert!(error("[package]\nname = \"x\"\n[lib]\npath = \"y.rs\"\n").contains("y.rs"));
        let missing = Package::read(Path::new("/nowhere/at/all")).expect_err("no folder");
        assert!(matches!(missing, PackageError::NoFolder(_)));
    }
}
