//! What a build for shipping promises, with real toolchains and a miniature runtime: several targets
//! in one run, the same bytes for the same input, one target that fails, a disk that is full.
//!
//! `swak-makebuild doctor --fix` gets what this takes, as `cargo ci setup` does.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

mod failing;
mod interrupted;
mod policy;
#[path = "../support/project.rs"]
mod project;
mod same;
mod several;
mod speed;
#[path = "../support/mod.rs"]
mod support;
mod vendored;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use project::{Project, text};

/// The top of a build config.
const GOOD: &str = "name: x\nversion: 2.1.0\nswak: {path: swak}\n";

impl Project {
    /// A build as it is shipped: optimised. What zig compiles for a target it compiles once for all
    /// of these tests.
    fn release(&self, arguments: &[&str]) -> Output {
        let built = self.plain(&["--offline"]).args(arguments).output();
        let built = built.expect("the command can be run");
        let told = format!("{}{}", text(&built.stdout), text(&built.stderr));
        let missing = told.contains("toolchain-missing");
        assert!(!missing, "type `swak-makebuild doctor --fix`, then run this again:\n{told}");
        built
    }

    /// A build that succeeds.
    fn built(&self, arguments: &[&str]) -> Output {
        let built = self.release(arguments);
        assert!(built.status.success(), "{}{}", text(&built.stdout), text(&built.stderr));
        built
    }

    /// Every file of `dist/`, by its name.
    fn dist(&self) -> BTreeMap<String, Vec<u8>> {
        files(&self.path("dist"))
    }
}

/// The files of a folder, by their names; those that hide as well.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    entries
        .map(|entry| {
            let path = entry.expect("readable").path();
            let name = path.file_name().expect("it has a name").to_string_lossy().into_owned();
            let bytes = fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
            (name, bytes)
        })
        .collect()
}

/// The names in a folder, without the bytes: what a test that fails can show.
fn names(files: &BTreeMap<String, Vec<u8>>) -> Vec<&str> {
    files.keys().map(String::as_str).collect()
}

/// That nothing in `dist/` was changed, nothing was added, and nothing is gone.
#[track_caller]
fn assert_as_it_was(before: &BTreeMap<String, Vec<u8>>, after: &BTreeMap<String, Vec<u8>>) {
    assert_eq!(names(after), names(before));
    for (name, bytes) in before {
        assert!(after[name] == *bytes, "{name} was changed");
    }
}

fn json(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap_or_else(|e| panic!("{e}: {}", text(bytes)))
}

/// What `inspect` reads from an executable.
fn inspect(file: &Path) -> Value {
    let mut command = Command::new(env!("CARGO_BIN_EXE_swak-makebuild"));
    let output = command.arg("inspect").arg(file).arg("--json").output().expect("it can be run");
    assert!(output.status.success(), "{}", text(&output.stdout));
    json(&output.stdout)
}
