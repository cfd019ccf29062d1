//! The Rust compiler, and its standard library for a target.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::find::Tools;
use super::need::{Fix, Need};
use super::process::ask;
use crate::target::{System, Triple};

/// The Rust compiler of this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rust {
    /// How it is started.
    pub rustc: PathBuf,
    /// What it calls itself: `rustc 1.95.0 (59807616e 2026-04-14)`.
    pub version: String,
    /// The folder with its libraries.
    pub sysroot: PathBuf,
}

/// How Rust's standard library for a target can be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Library {
    /// It is there.
    Installed,
    /// rustup has it.
    Rustup,
    /// Nobody has it, and its source is there to build it from.
    Source,
    /// Nobody has it; rustup has the source to build it from.
    RustupSource,
    /// Neither it nor its source is there, and there is no rustup to get one with.
    Nowhere,
}

pub(super) fn ask_rustc(tools: &Tools) -> Option<Rust> {
    let rustc = tools.places.rustc.clone().or_else(|| tools.program("rustc"))?;
    let version = ask(&rustc, &["--version"])?;
    let sysroot = PathBuf::from(ask(&rustc, &["--print", "sysroot"])?);
    Some(Rust { rustc, version, sysroot })
}

impl Rust {
    /// The commit that it was made from, which the names of the standard library's files begin
    /// with.
    pub fn commit(&self) -> Option<String> {
        let said = ask(&self.rustc, &["--version", "--verbose"])?;
        said.lines().find_map(|line| line.strip_prefix("commit-hash: ")).map(str::to_owned)
    }

    fn libraries(&self) -> PathBuf {
        self.sysroot.join("lib/rustlib")
    }

    fn has_library(&self, triple: &Triple) -> bool {
        // The folder of a target that was removed may be left behind, empty.
        let folder = self.libraries().join(triple.name()).join("lib");
        folder.read_dir().is_ok_and(|mut files| files.next().is_some())
    }

    fn has_source(&self) -> bool {
        self.libraries().join("src/rust/library/std/Cargo.toml").is_file()
    }

    /// The oldest macOS that the standard library for a target runs on: `11.0`.
    pub(super) fn deployment_target(&self, triple: &Triple) -> Option<String> {
        if triple.system() != System::Macos {
            return None;
        }
        let arguments = ["--print", "deployment-target", "--target", triple.name()];
        let said = ask(&self.rustc, &arguments)?;
        Some(said.strip_prefix("MACOSX_DEPLOYMENT_TARGET=").unwrap_or(&said).to_owned())
    }
}

impl Tools {
    /// How the standard library for a target can be had.
    pub fn library(&self, triple: &Triple) -> Library {
        let Some(rust) = self.rust() else { return Library::Nowhere };
        if rust.has_library(triple) {
            return Library::Installed;
        }
        match self.rustup_targets() {
            Some(list) if list.iter().any(|name| name == triple.name()) => Library::Rustup,
            _ if rust.has_source() => Library::Source,
            Some(_) => Library::RustupSource,
            None => Library::Nowhere,
        }
    }

    /// Whether the standard library for a target is built from source.
    pub fn builds_library(&self, triple: &Triple) -> bool {
        matches!(self.library(triple), Library::Source | Library::RustupSource)
    }

    /// Every target that rustup has the library for; `None` without a rustup.
    fn rustup_targets(&self) -> Option<&[String]> {
        let list = || {
            let said = ask(&self.program("rustup")?, &["target", "list"])?;
            // An installed one has that word after it.
            let names = said.lines().filter_map(|line| line.split_whitespace().next());
            Some(names.map(str::to_owned).collect())
        };
        self.listed.get_or_init(list).as_deref()
    }

    fn rustup(&self) -> PathBuf {
        self.program("rustup").unwrap_or_else(|| "rustup".into())
    }
}

/// The compiler and Cargo.
pub(super) fn needs(tools: &Tools) -> Vec<Need> {
    let place = |path: &Path| path.display().to_string();
    let cargo = tools.cargo_found();
    let rust = tools.rust();
    vec![
        Need::new("Cargo", "compiles every crate")
            .found(cargo.map(|c| format!("{} ({})", c.version, place(&c.program))))
            .or(Fix::words("install Rust: https://rustup.rs")),
        Need::new("Rust", "compiles every crate")
            .found(rust.map(|r| format!("{} ({})", r.version, place(&r.sysroot))))
            .or(Fix::words("install Rust: https://rustup.rs")),
    ]
}

/// The standard library for a target, or its source.
pub(super) fn library_need(tools: &Tools, triple: &Triple) -> Need {
    let name = triple.name();
    let need = |why| Need::new(format!("Rust's standard library for {name}"), why);
    let source = |why| Need::new("rust-src, to build the standard library from", why);
    let argument = |words: &[&str]| words.iter().map(OsString::from).collect::<Vec<_>>();
    const NO_BINARY: &str = "nobody has the standard library ready for this target";
    match tools.library(triple) {
        Library::Installed => need("every executable holds it").found(Some("installed".into())),
        Library::Rustup => need("every executable holds it")
            .or(Fix::command(&tools.rustup(), argument(&["target", "add", name]))),
        Library::Source => source(NO_BINARY).found(Some("installed".into())),
        Library::RustupSource => source(NO_BINARY)
            .or(Fix::command(&tools.rustup(), argument(&["component", "add", "rust-src"]))),
        Library::Nowhere => {
            need("every executable holds it, and there is no rustup to get it with")
                .or(Fix::words("install Rust with rustup: https://rustup.rs"))
        }
    }
}

/// What Cargo is told when the standard library is built from source.
///
/// Only Cargo's nightly builds it by themselves; `RUSTC_BOOTSTRAP` is what lets another one.
/// <https://doc.rust-lang.org/cargo/reference/unstable.html#build-std>
pub(super) fn source_arguments() -> (Vec<OsString>, Vec<(OsString, OsString)>) {
    (vec!["-Zbuild-std=std,panic_unwind".into()], vec![("RUSTC_BOOTSTRAP".into(), "1".into())])
}
