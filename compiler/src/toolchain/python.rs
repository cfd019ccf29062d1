//! Python, and the environment that Swak's own tools are in.

use std::path::PathBuf;

use super::find::Tools;
use super::need::Fix;
use super::places::{CARGO_ZIGBUILD, ZIG};

/// Python 3.
pub(super) fn find(tools: &Tools) -> Option<PathBuf> {
    let names: &[&str] = if cfg!(windows) { &["python", "python3"] } else { &["python3"] };
    names.iter().find_map(|name| tools.program(name))
}

/// What installs zig and cargo-zigbuild, in the versions that were tested.
///
/// An environment of its own, because the distributions refuse packages in the system's Python
/// (<https://peps.python.org/pep-0668/>).
pub(super) fn install(tools: &Tools) -> Option<Fix> {
    let python = find(tools)?;
    let folder = tools.places.tools.clone()?;
    let own = tools.places.tools_bin()?.join(if cfg!(windows) { "python.exe" } else { "python" });
    let words = |words: &[&str]| words.iter().map(Into::into).collect::<Vec<std::ffi::OsString>>();
    let mut make = words(&["-m", "venv"]);
    make.push(folder.into());
    let zig = format!("ziglang=={ZIG}");
    let zigbuild = format!("cargo-zigbuild=={CARGO_ZIGBUILD}");
    let get = words(&["-m", "pip", "install", "--disable-pip-version-check", &zig, &zigbuild]);
    Some(Fix::commands(vec![(python, make), (own, get)]))
}
