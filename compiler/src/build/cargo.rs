//! Starting Cargo.

use std::ffi::{OsStr, OsString};
use std::io::{BufRead as _, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::error::BuildError;

/// How much of what Cargo says is kept for a message, in bytes.
const KEPT: usize = 256 << 10;

/// The variables of the environment that a person set, that change what is compiled, and that are
/// therefore not handed on: what is built depends on the build config and its lock. By name.
pub fn dropped_variables() -> Vec<String> {
    let set = std::env::vars_os().filter(|(_, value)| !value.is_empty());
    let mut names: Vec<_> = set
        .filter_map(|(name, _)| name.into_string().ok())
        .filter(|name| changes_the_build(name))
        .collect();
    names.sort_unstable();
    names
}

/// Cargo, in a folder, with the environment of [`clean`].
pub(super) fn command(folder: &Path) -> Command {
    clean(&program(), folder)
}

/// A program in a folder, with an environment that holds nothing of another build: neither what an
/// outer Cargo set for the program that it runs, nor what changes what is compiled.
pub(super) fn clean(program: &OsStr, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(folder).stdin(Stdio::null());
    for (name, _) in std::env::vars_os() {
        if is_foreign(&name) {
            command.env_remove(name);
        }
    }
    command
}

/// Starts a program, with both of its outputs to be read.
pub(super) fn start(mut command: Command) -> Result<Child, BuildError> {
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().map_err(|source| {
        BuildError::NoCargo {
            program: command.get_program().to_string_lossy().into_owned(),
            source,
        }
    })
}

/// Calls a function for each line; bytes that are not UTF-8 are replaced.
pub(super) fn each_line(reader: impl Read, mut line: impl FnMut(String)) {
    let mut reader = BufReader::new(reader);
    let mut bytes = Vec::new();
    // A reader that fails has no more lines.
    while reader.read_until(b'\n', &mut bytes).is_ok_and(|n| n > 0) {
        line(String::from_utf8_lossy(&bytes).trim_end().to_owned());
        bytes.clear();
    }
}

/// What Cargo said, as much of its end as is kept.
#[derive(Default)]
pub(super) struct Words {
    text: String,
}

impl Words {
    pub(super) fn add(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
        if self.text.len() > 2 * KEPT {
            let from = self.text.ceil_char_boundary(self.text.len() - KEPT);
            self.text.drain(..from);
        }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }
}

/// The Cargo that runs this compiler, if one does, else the one in the path.
pub(super) fn program() -> OsString {
    std::env::var_os("CARGO").filter(|c| !c.is_empty()).unwrap_or_else(|| "cargo".into())
}

fn is_foreign(name: &OsStr) -> bool {
    let Some(name) = name.to_str() else { return false };
    const NAMES: [&str; 14] = [
        "SWAK_PROFILE",
        "SWAK_LINKED_BY",
        "RUSTDOCFLAGS",
        "RUSTC_WORKSPACE_WRAPPER",
        "OUT_DIR",
        "MAKEFLAGS",
        "CARGO_MAKEFLAGS",
        "CARGO_INCREMENTAL",
        "CARGO_MANIFEST_DIR",
        "CARGO_MANIFEST_PATH",
        "CARGO_MANIFEST_LINKS",
        "CARGO_PRIMARY_PACKAGE",
        "CARGO_CRATE_NAME",
        "CARGO_RUSTC_CURRENT_DIR",
    ];
    let prefixes = ["CARGO_PKG_", "CARGO_BIN_", "CARGO_FEATURE_", "CARGO_CFG_"];
    changes_the_build(name) || NAMES.contains(&name) || prefixes.iter().any(|p| name.starts_with(p))
}

/// Cargo's own settings of what is compiled; Cargo sets none of them for what it runs.
fn changes_the_build(name: &str) -> bool {
    // `CARGO_BUILD_JOBS` says how, not what.
    let build = name.starts_with("CARGO_BUILD_") && name != "CARGO_BUILD_JOBS";
    // `CARGO_TARGET_<TRIPLE>_LINKER` and `_RUNNER` say with which tool.
    let flags = name.starts_with("CARGO_TARGET_") && name.ends_with("_RUSTFLAGS");
    build
        || flags
        || name.starts_with("CARGO_PROFILE_")
        || matches!(
            name,
            // With the last one, build scripts find features that are not for everyone.
            "RUSTFLAGS" | "CARGO_ENCODED_RUSTFLAGS" | "CARGO_TARGET_DIR" | "RUSTC_BOOTSTRAP"
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_another_build_set_is_dropped_and_the_rest_stays() {
        let foreign = |name: &str| is_foreign(OsStr::new(name));
        for name in [
            "RUSTFLAGS",
            "CARGO_PKG_NAME",
            "CARGO_BUILD_TARGET",
            "CARGO_PROFILE_DEV_DEBUG",
            "RUSTC_BOOTSTRAP",
            "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUSTFLAGS",
        ] {
            assert!(foreign(name), "{name}");
        }
        for name in [
            "PATH",
            "CARGO_HOME",
            "CARGO_NET_OFFLINE",
            "CARGO_REGISTRIES_MINE_TOKEN",
            "CARGO_BUILD_JOBS",
            "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER",
            "RUSTC_WRAPPER",
        ] {
            assert!(!foreign(name), "{name}");
        }
    }

    #[test]
    fn the_end_of_what_was_said_is_kept() {
        let mut words = Words::default();
        for n in 0..100_000 {
            words.add(&format!("line {n} 스왴"));
        }
        assert!(words.text().len() <= 2 * KEPT);
        assert!(words.text().ends_with("line 99999 스왴\n"));
    }
}
