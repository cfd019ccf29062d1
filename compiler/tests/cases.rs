//! Build configs and what the compiler says to them: one folder a case, in `tests/cases/`.
//!
//! A case is run in a copy of its folder, by the real command. `args.txt` has its arguments (left
//! out: `build.yml --check`), `stdout.txt` and `stderr.txt` what it must say; a file that is not
//! there stands for nothing said. `SWAK_BLESS=1 cargo test -p swak-makebuild` writes them anew.
//!
//! The paths are those of Unix. No case may start Cargo, and none that ends with a mistake may write anything.

#![cfg(unix)]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use support::copy;

#[test]
fn every_case_says_what_it_should() {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut names: Vec<PathBuf> = fs::read_dir(&cases)
        .expect("the cases are there")
        .map(|entry| entry.expect("readable").path())
        .collect();
    names.sort();
    assert!(names.len() > 20, "the cases are there");
    let wrong: Vec<String> = names.iter().filter_map(|case| run(case).err()).collect();
    assert!(wrong.is_empty(), "{} cases:\n\n{}", wrong.len(), wrong.join("\n\n"));
}

fn run(case: &Path) -> Result<(), String> {
    let name = case.file_name().expect("a case has a name").to_string_lossy();
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path().canonicalize().expect("it is there");
    copy(case, &root);
    let before = tree(&root);
    let arguments = fs::read_to_string(case.join("args.txt"));
    let arguments = arguments.unwrap_or_else(|_| "build.yml --check".to_owned());
    let output = Command::new(env!("CARGO_BIN_EXE_swak-makebuild"))
        .args(arguments.split_whitespace())
        .current_dir(&root)
        .env("CARGO", "no-cargo-may-be-started")
        .env_remove("SWAK_BUILD_DIR")
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_TARGET_DIR")
        .output()
        .expect("the command can be run");
    let said = |bytes: &[u8]| shown(&String::from_utf8_lossy(bytes), &root);
    let (stdout, stderr) = (said(&output.stdout), said(&output.stderr));

    if std::env::var_os("SWAK_BLESS").is_some() {
        bless(&case.join("stdout.txt"), &stdout);
        bless(&case.join("stderr.txt"), &stderr);
        return Ok(());
    }
    let expected =
        |file: &str| fs::read_to_string(case.join(file)).unwrap_or_default().replace("\r\n", "\n");
    for (file, said) in [("stdout.txt", &stdout), ("stderr.txt", &stderr)] {
        let expected = expected(file);
        if *said != expected {
            return Err(format!("{name}/{file}: expected\n{expected}\nbut it said\n{said}"));
        }
    }
    let status = if stderr.starts_with("error") || stdout.contains("\"severity\": \"error\"") {
        2
    } else {
        0
    };
    if output.status.code() != Some(status) {
        return Err(format!("{name}: {}, expected {status}", output.status));
    }
    if tree(&root) != before {
        return Err(format!("{name}: something was written: {:?}", tree(&root).keys()));
    }
    Ok(())
}

/// What is said, without what differs from one machine to the next.
fn shown(text: &str, root: &Path) -> String {
    let swak =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().expect("it is there");
    let host = swak_makebuild::target::Target::host();
    text.replace(&root.display().to_string(), "[CASE]")
        .replace(&swak.display().to_string(), "[SWAK]")
        .replace(&host.triples[0].to_string(), "[TRIPLE]")
        .replace(&host.name, "[HOST]")
}

fn bless(file: &Path, text: &str) {
    if text.is_empty() {
        drop(fs::remove_file(file));
    } else {
        fs::write(file, text).expect("writable");
    }
}

fn tree(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = BTreeMap::new();
    for entry in fs::read_dir(folder).expect("readable") {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            all.extend(tree(&path));
            all.insert(path, Vec::new());
        } else {
            let bytes = fs::read(&path).expect("readable");
            all.insert(path, bytes);
        }
    }
    all
}
