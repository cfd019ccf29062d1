//! Build configs that are hardly files: huge, bombs, pipes.

use std::fs;
use std::path::Path;
use std::process::Command;

/// The first line that is said about this file; the exit status must be 2.
fn told(folder: &Path) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_swak-makebuild"))
        .arg("build.yml")
        .current_dir(folder)
        .env("CARGO", "no-cargo-may-be-started")
        .output()
        .expect("the command can be run");
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert_eq!(fs::read_dir(folder).expect("readable").count(), 1, "nothing was written");
    text.lines().next().unwrap_or_default().to_owned()
}

fn told_of(text: &[u8]) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("build.yml"), text).expect("writable");
    told(folder.path())
}

#[test]
fn a_file_of_50_megabytes_is_refused() {
    let line = b"# a comment that goes on and on and on\n";
    let said = told_of(&line.repeat(50_000_000 / line.len()));
    assert!(said.starts_with("error[file-too-large]"), "{said}");
}

#[test]
fn a_file_that_stands_for_an_endless_one_is_refused() {
    let mut bomb = String::from("a0: &a0 [lol]\n");
    for i in 1..1_000 {
        let before = vec![format!("*a{}", i - 1); 10].join(", ");
        bomb.push_str(&format!("a{i}: &a{i} [{before}]\n"));
    }
    let said = told_of(bomb.as_bytes());
    assert!(said.starts_with("error[yaml-anchor]"), "{said}");
}

#[test]
fn deep_nesting_and_many_mistakes_come_to_an_end() {
    let said = told_of("[".repeat(1_000_000).as_bytes());
    assert!(said.starts_with("error[yaml-too-deep]"), "{said}");
    let many = format!("import:\n{}", "  - serde\n".repeat(100_000));
    let said = told_of(many.as_bytes());
    assert!(said.starts_with("error[bad-crate-name]"), "{said}");
    let many: String = (0..20_000).map(|i| format!("key{i}: x\n")).collect();
    let said = told_of(many.as_bytes());
    assert!(said.starts_with("error[unknown-key]"), "{said}");
    let many: String = (0..20_000).map(|i| format!("  - swak-plugin-x{i}\n")).collect();
    let said = told_of(format!("name: a/b\nimport:\n{many}").as_bytes());
    assert!(said.starts_with("error[bad-name]"), "{said}");
}

#[test]
fn a_file_with_no_text_in_it_is_refused() {
    for bytes in
        [&b"\0\0\0\0"[..], b"\xff\xfen\0a\0m\0e\0", b"\x7fELF\x02\x01\x01\0", b"\r\n \t\r\n"]
    {
        let said = told_of(bytes);
        assert!(said.starts_with("error["), "{bytes:?}: {said}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_folder_whose_name_is_not_utf_8_is_refused() {
    use std::os::unix::ffi::OsStrExt as _;

    let folder = tempfile::tempdir().expect("a folder");
    let odd = folder.path().join(std::ffi::OsStr::from_bytes(b"x\xff"));
    fs::create_dir(&odd).expect("made");
    fs::write(odd.join("build.yml"), "name: x\n").expect("writable");
    let said = told(&odd);
    assert!(said.starts_with("error[path-not-utf-8]: the name of `"), "{said}");
    let json = Command::new(env!("CARGO_BIN_EXE_swak-makebuild"))
        .args(["build.yml", "--plan", "--json"])
        .current_dir(&odd)
        .output()
        .expect("the command can be run");
    assert_eq!(json.status.code(), Some(2));
    let answer: serde_json::Value = serde_json::from_slice(&json.stdout).expect("JSON");
    assert_eq!(answer["errors"][0]["code"], "path-not-utf-8");
}
