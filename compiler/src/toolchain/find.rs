//! What this machine has to build with.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::container::{self, Engine};
use super::places::Places;
use super::process::{ask, ask_in};
use super::rust::{self, Rust};
use super::zig::{self, Found};

/// What this machine has, each thing looked up once and only when it is asked for. Look again with
/// a new one.
#[derive(Debug, Default)]
pub struct Tools {
    pub(super) places: Places,
    /// Where Rust's programs are asked; `None` is the current folder.
    folder: Option<PathBuf>,
    rust: OnceLock<Option<Rust>>,
    pub(super) listed: OnceLock<Option<Vec<String>>>,
    zig: OnceLock<Option<Found>>,
    zigbuild: OnceLock<Option<Found>>,
    cross: OnceLock<Option<Found>>,
    engine: OnceLock<Result<Engine, Option<PathBuf>>>,
    cargo: OnceLock<Option<Found>>,
}

impl Tools {
    /// What the environment of this program leads to: `PATH`, Cargo's home, the folder for tools.
    pub fn find() -> Self {
        Self::within(Places::of_this_machine())
    }

    /// As [`Tools::find`], for a build in a folder, or in one that is to be made there. rustup has
    /// another Rust for some folders: where a file `rust-toolchain.toml` or an override says so.
    pub fn find_in(folder: &Path) -> Self {
        let there = folder.ancestors().find(|folder| folder.is_dir());
        Tools { folder: there.map(Path::to_owned), ..Tools::find() }
    }

    pub(super) fn within(places: Places) -> Self {
        Tools { places, ..Tools::default() }
    }

    /// Where Rust's programs are asked.
    pub(super) fn folder(&self) -> &Path {
        self.folder.as_deref().unwrap_or(Path::new("."))
    }

    /// The Rust compiler; `None` when there is none that answers.
    pub fn rust(&self) -> Option<&Rust> {
        self.rust.get_or_init(|| rust::ask_rustc(self)).as_ref()
    }

    /// Cargo as it is started: what the environment names, else what is in the path.
    pub fn cargo(&self) -> PathBuf {
        self.places
            .cargo
            .clone()
            .or_else(|| self.program("cargo"))
            .unwrap_or_else(|| "cargo".into())
    }

    /// Cargo, if it answers.
    pub(super) fn cargo_found(&self) -> Option<&Found> {
        let look = || {
            let program = self.places.cargo.clone().or_else(|| self.program("cargo"))?;
            let version = version(&ask_in(self.folder(), &program, &["--version"])?)?;
            Some(Found { program, version })
        };
        self.cargo.get_or_init(look).as_ref()
    }

    /// The zig that links: Swak's own, the one in the path, or the one that Python has.
    pub fn zig_program(&self) -> Option<&Path> {
        self.zig().map(|zig| zig.program.as_path())
    }

    /// zig, and its version.
    pub(super) fn zig(&self) -> Option<&Found> {
        self.zig.get_or_init(|| zig::find(self)).as_ref()
    }

    /// cargo-zigbuild: Swak's own, or the one in the path or among Cargo's programs.
    pub(super) fn zigbuild(&self) -> Option<&Found> {
        let look = || {
            let own = self.places.tools_bin().and_then(|bin| in_folder(&bin, "cargo-zigbuild"));
            let programs = own.into_iter().chain(self.program("cargo-zigbuild"));
            programs.into_iter().find_map(|program| {
                let version = version(&ask(&program, &["--version"])?)?;
                Some(Found { program, version })
            })
        };
        self.zigbuild.get_or_init(look).as_ref()
    }

    /// cross.
    pub(super) fn cross(&self) -> Option<&Found> {
        let look = || {
            let program = self.program("cross")?;
            // Its first line is its own version, the second one Cargo's.
            let version = version(ask(&program, &["--version"])?.lines().next()?)?;
            Some(Found { program, version })
        };
        self.cross.get_or_init(look).as_ref()
    }

    /// The container engine that answers; else the one that is there and does not.
    pub(super) fn engine(&self) -> Result<&Engine, Option<&Path>> {
        let found = self.engine.get_or_init(|| container::find(self));
        found.as_ref().map_err(|silent| silent.as_deref())
    }

    /// A program in the path, or among Cargo's own.
    pub(super) fn program(&self, name: &str) -> Option<PathBuf> {
        let folders = self.places.path.iter().chain(&self.places.cargo_bin);
        folders.into_iter().find_map(|folder| in_folder(folder, name))
    }
}

/// The version in `cargo-zigbuild 0.24.0` and `cargo 1.95.0 (f2d3ce0bd 2026-03-21)`.
pub(super) fn version(said: &str) -> Option<String> {
    let number = |word: &&str| word.starts_with(|c: char| c.is_ascii_digit());
    said.split_whitespace().find(number).map(str::to_owned)
}

/// A program of a folder.
pub(super) fn in_folder(folder: &Path, name: &str) -> Option<PathBuf> {
    if cfg!(windows) {
        let with = |ext: &str| folder.join(format!("{name}.{ext}"));
        ["exe", "bat", "cmd"].map(with).into_iter().find(|p| p.is_file())
    } else {
        Some(folder.join(name)).filter(|p| is_program(p))
    }
}

#[cfg(unix)]
fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    path.metadata().is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_program(path: &Path) -> bool {
    path.is_file()
}
