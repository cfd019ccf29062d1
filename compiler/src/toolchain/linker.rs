//! The linkers that plain Cargo finds.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use toml_edit::DocumentMut;

use super::find::Tools;
use super::need::{Fix, Need};
use crate::target::{HOST, Triple};

/// Build scripts and procedural macros run here, whatever they are built for.
pub(super) fn of_this_machine(tools: &Tools) -> Need {
    let need = Need::new("a linker for this machine", "build scripts and macros run here");
    if HOST.ends_with("-msvc") {
        // Rust asks Windows itself where Visual Studio is.
        return need.found(Some("Visual Studio's, found by Rust".to_owned()));
    }
    let name = mingw(HOST).unwrap_or_else(|| "cc".to_owned());
    let found = tools.program(&name).map(|cc| cc.display().to_string());
    need.found(found.or_else(|| configured(tools, HOST))).or(Fix::words(
        if cfg!(target_os = "macos") {
            "xcode-select --install"
        } else {
            "install a C compiler: `apt-get install gcc`, `dnf install gcc`"
        },
    ))
}

/// The linker of a target that is not this machine's: somebody has to have told Cargo about it,
/// but for MinGW's, whose name Rust knows.
pub(super) fn of_target(tools: &Tools, triple: &Triple) -> Need {
    let what = format!("a linker for {triple}");
    if let Some(minor) = triple.glibc() {
        let why = format!("plain Cargo links against this machine's glibc, not 2.{minor}");
        return Need::new(what, why).or(Fix::words("use `toolchain: zigbuild`, or leave it out"));
    }
    let mingw = mingw(triple.name()).and_then(|name| tools.program(&name));
    let found = mingw.map(|gcc| gcc.display().to_string());
    let variable = variable(triple.name());
    Need::new(what, "plain Cargo links for this machine")
        .found(found.or_else(|| configured(tools, triple.name())))
        .or(Fix::words(format!("set {variable}, or leave `toolchain: cargo` out")))
}

/// What makes Rust link a target with the linker that it brings, where it also brings all that is linked:
/// for musl.
///
/// That linker packs relative relocations into bits, of which musl makes addresses when it starts (a
/// twentieth of the executable), and keeps functions of the same code once. zig does neither.
/// See `ld.lld(1)` and <https://groups.google.com/g/generic-abi/c/bX460iggiKg>.
pub(super) fn flags_of_rusts_own(tools: &Tools, triple: &Triple) -> Vec<OsString> {
    if !triple.is_musl() || !tools.rust().is_some_and(|rust| rust.links_alone(triple)) {
        return Vec::new();
    }
    let flags = [
        "-Clinker=rust-lld",
        "-Clinker-flavor=ld.lld",
        "-Clink-arg=--pack-dyn-relocs=relr",
        "-Clink-arg=--icf=all",
    ];
    flags.map(OsString::from).to_vec()
}

/// The same, unless somebody told Cargo which linker to take.
pub(super) fn flags_unless_configured(tools: &Tools, triple: &Triple) -> Vec<OsString> {
    match configured(tools, triple.name()) {
        Some(_) => Vec::new(),
        None => flags_of_rusts_own(tools, triple),
    }
}

/// The variable of Cargo's that names the linker of a target.
pub(super) fn variable(triple: &str) -> String {
    format!("CARGO_TARGET_{}_LINKER", triple.replace(['-', '.'], "_").to_ascii_uppercase())
}

/// Where Cargo is told the linker of a target: a variable, or a file.
fn configured(tools: &Tools, triple: &str) -> Option<String> {
    let variable = variable(triple);
    if env::var_os(&variable).is_some_and(|value| !value.is_empty()) {
        return Some(variable);
    }
    let file = files(tools).find(|file| names_linker(file, triple))?;
    Some(format!("as {} says", file.display()))
}

/// Cargo's configuration files for the current folder.
/// <https://doc.rust-lang.org/cargo/reference/config.html#hierarchical-structure>
fn files(tools: &Tools) -> impl Iterator<Item = PathBuf> {
    let here = env::current_dir().unwrap_or_default();
    let mut folders: Vec<_> = here.ancestors().map(|folder| folder.join(".cargo")).collect();
    let home = tools.places.cargo_bin.as_deref().and_then(Path::parent);
    folders.extend(home.map(Path::to_owned));
    folders.into_iter().flat_map(|folder| [folder.join("config.toml"), folder.join("config")])
}

fn names_linker(file: &Path, triple: &str) -> bool {
    let Ok(text) = fs::read_to_string(file) else { return false };
    let Ok(config) = text.parse::<DocumentMut>() else { return false };
    let target = config.get("target").and_then(|targets| targets.get(triple));
    target.is_some_and(|target| target.get("linker").is_some())
}

/// `x86_64-w64-mingw32-gcc`, which Rust starts for Windows where nothing else is said.
fn mingw(triple: &str) -> Option<String> {
    let processor = triple.strip_suffix("-pc-windows-gnu")?;
    Some(format!("{processor}-w64-mingw32-gcc"))
}

#[cfg(test)]
mod tests {
    use super::super::places::Places;
    use super::*;

    #[test]
    fn a_configuration_file_names_the_linker_of_its_target_alone() {
        let home = tempfile::tempdir().expect("a folder");
        let file = home.path().join("config.toml");
        fs::write(&file, "[target.s390x-unknown-linux-gnu]\nlinker = \"s390x-gcc\"\n")
            .expect("written");
        let cargo_bin = Some(home.path().join("bin"));
        let tools = Tools::within(Places { cargo_bin, ..Places::default() });
        let told = configured(&tools, "s390x-unknown-linux-gnu").expect("it is named");
        assert!(told.contains("config.toml"), "{told}");
        assert_eq!(configured(&tools, "sparc64-unknown-linux-gnu"), None);
        fs::write(&file, "not [ toml").expect("written");
        assert_eq!(configured(&tools, "s390x-unknown-linux-gnu"), None);
    }

    #[test]
    fn the_variable_is_called_as_cargo_calls_it() {
        assert_eq!(variable("x86_64-pc-windows-gnu"), "CARGO_TARGET_X86_64_PC_WINDOWS_GNU_LINKER");
    }
}
