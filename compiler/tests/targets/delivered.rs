//! What lies in `dist/` after a build for every target.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::built::{NAME, TARGETS, dist, dist_folder};

/// What is found in an executable for one processor without running it.
pub(crate) fn inspect(file: &Path) -> Value {
    let ran = Command::new(env!("CARGO_BIN_EXE_swak-makebuild"))
        .args(["inspect", "--json"])
        .arg(file)
        .output()
        .expect("the compiler can be run");
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{} cannot be looked at:\n{said}", file.display());
    let said: Value = serde_json::from_slice(&ran.stdout).expect("JSON");
    said["parts"][0].clone()
}

#[test]
fn everything_is_there_and_nothing_else() {
    let mut expected: BTreeSet<String> = ["SHA256SUMS".to_owned(), NAME.to_owned()].into();
    expected.extend(["LICENSES.txt"].map(|end| format!("{NAME}-{end}")));
    expected.insert(format!("{NAME}.build.json"));
    for target in TARGETS {
        let exe = if target.starts_with("windows") { ".exe" } else { "" };
        expected.insert(format!("{NAME}-{target}{exe}"));
        expected.insert(format!("{NAME}-{target}.cdx.json"));
    }
    expected.extend(["linux-x86_64", "linux-aarch64"].map(|t| format!("{NAME}-{t}.Dockerfile")));
    let there: BTreeSet<_> = fs::read_dir(dist_folder())
        .expect("dist/ can be read")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    assert_eq!(there, expected);
}

#[test]
fn the_one_without_a_target_in_its_name_is_the_one_that_runs_here() {
    let read = |file| fs::read(file).expect("it is there");
    assert!(read(dist_folder().join(NAME)) == read(dist("linux-x86_64")));
}

#[test]
fn the_sums_are_right() {
    let mut check = Command::new("sha256sum");
    check.args(["--check", "--strict", "SHA256SUMS"]).current_dir(dist_folder());
    let ran = check.output().expect("sha256sum can be run");
    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success(), "{said}");
    for target in TARGETS {
        assert!(said.contains(&format!("{NAME}-{target}")), "{target} has no sum:\n{said}");
    }
}

#[test]
fn every_executable_says_what_it_was_built_for() {
    let triples = [
        "x86_64-unknown-linux-musl",
        "aarch64-unknown-linux-musl",
        "x86_64-pc-windows-gnu",
        "x86_64-apple-darwin",
        "aarch64-apple-darwin",
    ];
    for (target, triple) in TARGETS.iter().zip(triples) {
        let exe = if target.starts_with("windows") { ".exe" } else { "" };
        let seen = inspect(&dist(&format!("{target}{exe}")));
        assert_eq!(seen["facts"]["target"], triple, "{target}");
        assert_eq!(seen["facts"]["name"], NAME, "{target}");
    }
}
