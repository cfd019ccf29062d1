//! The Rust compiler, and its standard library for a target.

use std::ffi::OsString;
use std::path::PathBuf;

use super::find::{Tools, version};
use super::need::{Fix, Need};
use super::process::ask_in;
use crate::target::{HOST, System, Triple};

/// The Rust compiler of this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rust {
    /// How it is started.
    pub rustc: PathBuf,
    /// What it calls itself: `rustc 1.95.0 (59807616e 2026-04-14)`.
    pub version: String,
    /// The folder with its libraries.
    pub sysroot: PathBuf,
    /// What the standard library's files are called in an executable: `/rustc/59807616…`.
    pub source_name: String,
    /// Where it was asked.
    folder: PathBuf,
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
    let folder = tools.folder().to_owned();
    let said = ask_in(&folder, &rustc, &["-vV"])?;
    let line = |name: &str| said.lines().find_map(|line| line.strip_prefix(name));
    let commit = line("commit-hash: ").filter(|hash| *hash != "unknown");
    let version = said.lines().next()?.to_owned();
    let source_name = format!("/rustc/{}", commit.or(line("release: "))?);
    let sysroot = PathBuf::from(ask_in(&folder, &rustc, &["--print", "sysroot"])?);
    Some(Rust { rustc, version, sysroot, source_name, folder })
}

impl Rust {
    /// Where the source of the standard library is, if it is there.
    ///
    /// While it is, the compiler writes this path into every executable, for a library that came
    /// ready as well: `--remap-path-prefix`, to [`source_name`](Self::source_name), keeps it out.
    pub fn source(&self) -> PathBuf {
        self.libraries().join("src/rust")
    }

    fn libraries(&self) -> PathBuf {
        self.sysroot.join("lib/rustlib")
    }

    fn has_library(&self, triple: &Triple) -> bool {
        // The folder of a target that was removed may be left behind, empty.
        let folder = self.libraries().join(triple.name()).join("lib");
        folder.read_dir().is_ok_and(|mut files| files.next().is_some())
    }

    /// Whether a target can be linked with nothing but what Rust brings: its linker, and the files of a
    /// C library that lie beside the standard library.
    pub(super) fn links_alone(&self, triple: &Triple) -> bool {
        let linker = format!("{HOST}/bin/rust-lld{}", std::env::consts::EXE_SUFFIX);
        let library = format!("{}/lib/self-contained/libc.a", triple.name());
        [linker, library].iter().all(|file| self.libraries().join(file).is_file())
    }

    fn has_source(&self) -> bool {
        self.source().join("library/std/Cargo.toml").is_file()
    }

    /// The oldest macOS that the standard library for a target runs on: `11.0`.
    pub(super) fn deployment_target(&self, triple: &Triple) -> Option<String> {
        if triple.system() != System::Macos {
            return None;
        }
        let arguments = ["--print", "deployment-target", "--target", triple.name()];
        let said = ask_in(&self.folder, &self.rustc, &arguments)?;
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

    /// The workspace of the standard library's source, where that is installed.
    pub fn library_manifest(&self) -> Option<PathBuf> {
        let rust = self.rust().filter(|rust| rust.has_source())?;
        Some(rust.source().join("library/Cargo.toml"))
    }

    /// Every target that rustup has the library for; `None` without a rustup.
    fn rustup_targets(&self) -> Option<&[String]> {
        let list = || {
            let said = ask_in(self.folder(), &self.program("rustup")?, &["target", "list"])?;
            // An installed one has that word after it.
            let names = said.lines().filter_map(|line| line.split_whitespace().next());
            Some(names.map(str::to_owned).collect())
        };
        self.listed.get_or_init(list).as_deref()
    }
}

/// The compiler and Cargo.
pub(super) fn needs(tools: &Tools) -> Vec<Need> {
    let install = || Fix::words("install Rust: https://rustup.rs");
    let cargo = tools.cargo_found();
    let cargo = Need::new("Cargo", "compiles every crate")
        .found(cargo.map(|c| format!("{} ({})", c.version, c.program.display())))
        .or(install());
    let Some(rust) = tools.rust() else {
        return vec![cargo, Need::new("Rust", "compiles every crate").or(install())];
    };
    if is_too_old(&rust.version) {
        let why = format!("{OLDEST} or later compiles the runtime, this is {}", rust.version);
        let update = match tools.program("rustup") {
            Some(rustup) => Fix::command(&rustup, vec!["update".into()]),
            None => install(),
        };
        return vec![cargo, Need::new("Rust", why).or(update)];
    }
    let found = format!("{}, {}", rust.version, rust.sysroot.display());
    vec![cargo, Need::new("Rust", "compiles every crate").found(Some(found))]
}

/// The oldest Rust that the runtime is written for.
const OLDEST: &str = env!("CARGO_PKG_RUST_VERSION");

fn is_too_old(said: &str) -> bool {
    let numbers = |version: &str| {
        let version = version.split('-').next().unwrap_or_default();
        let mut numbers = version.split('.').map(|n| n.parse::<u32>().unwrap_or_default());
        (numbers.next().unwrap_or_default(), numbers.next().unwrap_or_default())
    };
    // One that does not say its version is left to fail by itself.
    version(said).is_some_and(|version| numbers(&version) < numbers(OLDEST))
}

/// The standard library for a target, or its source; nothing where there is no Rust at all.
pub(super) fn library_need(tools: &Tools, triple: &Triple) -> Option<Need> {
    let rust = tools.rust()?;
    let name = triple.name();
    let ready =
        || Need::new(format!("Rust's standard library for {name}"), "every executable holds it");
    let source = || {
        let what = "rust-src, to build Rust's standard library from";
        Need::new(what, format!("nobody has it ready for {name}"))
    };
    let rustup = |words: &[&str]| {
        let program = tools.program("rustup").unwrap_or_else(|| "rustup".into());
        Fix::command(&program, words.iter().map(OsString::from).collect())
    };
    Some(match tools.library(triple) {
        Library::Installed => ready().found(Some("installed".into())),
        Library::Rustup => ready().or(rustup(&["target", "add", name])),
        Library::Source => source().found(Some(rust.source().display().to_string())),
        Library::RustupSource => source().or(rustup(&["component", "add", "rust-src"])),
        Library::Nowhere => {
            ready().or(Fix::words("install Rust with rustup, which has it: https://rustup.rs"))
        }
    })
}

/// What Cargo is told when the standard library is built from source.
///
/// Only Cargo's nightly builds it by themselves; `RUSTC_BOOTSTRAP` is what lets another one.
/// <https://doc.rust-lang.org/cargo/reference/unstable.html#build-std> Both ways to panic are built:
/// the standard library wants the one, an agent's profile may say the other.
pub(super) fn source_arguments() -> (Vec<OsString>, Vec<(OsString, OsString)>) {
    (
        vec!["-Zbuild-std=std,panic_abort,panic_unwind".into()],
        vec![("RUSTC_BOOTSTRAP".into(), "1".into())],
    )
}
