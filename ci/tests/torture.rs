//! A short torture of each kind; `cargo ci torture` is the long one.
//!
//! The agent is the example with every plugin, which Cargo builds for tests as it builds them.

#![cfg(unix)]

use std::env::consts::EXE_SUFFIX;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// `target/debug/examples/reference`, beside `target/debug/deps` with this test.
fn agent() -> PathBuf {
    let test = std::env::current_exe().expect("a test is a file");
    let folder = test.parent().and_then(Path::parent).expect("it lies in target/debug/deps");
    folder.join("examples").join(format!("reference{EXE_SUFFIX}"))
}

fn torture(recipe: &str, args: &[&str]) -> Output {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut command = Command::new(agent());
    command.arg("torture").arg(root.join(format!("torture/{recipe}.swak")));
    command.args(args).args(["--minutes", "0", "--json"]);
    command.output().expect("the example can be run")
}

/// Runs a torture in which the contract must hold, and gives its report.
fn held(recipe: &str, faults: &str) -> Value {
    let output = torture(recipe, &["--faults", faults, "--rate", "500", "--outage", "1s"]);
    let said = String::from_utf8_lossy(&output.stdout);
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{words}");
    let report: Value = serde_json::from_str(&said).expect("a report in JSON");
    assert_eq!(report["ok"], true);
    for source in report["sources"].as_array().expect("a list") {
        assert_eq!(source["lost"], 0);
        assert!(source["written"].as_u64().expect("a number") > 0);
    }
    report
}

fn times(report: &Value, fault: &str) -> u64 {
    let all = report["faults"].as_array().expect("a list");
    let one = all.iter().find(|one| one["fault"] == fault);
    one.and_then(|one| one["times"].as_u64()).unwrap_or(0)
}

#[test]
fn the_seeds_recipe_loses_nothing() {
    let report = held("seed", "kill=4,stop=1,rename=2,dead=1,cut=1,lie=1");
    assert!(times(&report, "kill") >= 4 && times(&report, "dead") >= 1, "{report}");
}

/// What the last output has taken comes out late, and nothing else does.
#[test]
fn what_is_drained_back_comes_after_newer_lines() {
    let report = held("drain", "kill=3,stop=1,dead=2,cut=1");
    assert_eq!(report["sources"][0]["out_of_order"], 0, "{report}");
}

#[test]
fn rotations_lose_nothing() {
    let report = held("files", "rename=6,copytruncate=3,stopped-rotate=3,freeze=1,clock=1,kill=1");
    assert!(times(&report, "copytruncate") >= 2, "{report}");
}

#[test]
fn a_buffer_on_disk_loses_nothing() {
    held("buffer", "kill=4,stop=1,dead=1,hang=1,slow=1");
}

/// Where only root can mount a disk, it is left out, and everything else holds.
#[test]
fn a_full_disk_loses_nothing() {
    held("disk", "disk-full=1,kill=1,stop=1");
}

#[test]
fn what_listens_is_sent_to() {
    held("listen", "kill=2,stop=2");
}

/// Nobody answers there: only what an agent that goes down has not read may be lost.
#[test]
fn what_takes_lines_is_sent_lines() {
    let report = held("syslog", "kill=2,stop=2,freeze=1");
    assert_eq!(report["sources"].as_array().map(Vec::len), Some(2), "{report}");
}

#[test]
fn damaged_state_files_lose_nothing() {
    let report = held("files", "damage=8");
    assert!(times(&report, "damage") >= 8, "{report}");
}

#[test]
fn a_recipe_that_cannot_be_tortured_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let recipe = folder.path().join("my.swak");
    let refused = |text: &str, args: &[&str]| {
        std::fs::write(&recipe, text).expect("a recipe");
        let output = Command::new(agent()).arg("torture").arg(&recipe).args(args).output();
        let output = output.expect("the example can be run");
        assert_eq!(output.status.code(), Some(2));
        String::from_utf8(output.stderr).expect("words")
    };
    let said = refused("task(in.DummyData(), out.Stdout())", &[]);
    assert!(said.contains("error[cannot-torture]"), "{said}");
    assert!(said.contains("`in.DummyData` reads no files"), "{said}");
    let keep = folder.path().to_str().expect("a name");
    let said = refused("task(in.FileTailing(\"a\"), out.Stdout())", &["--keep", keep]);
    assert!(said.contains("error[folder-not-empty]"), "{said}");
}
