//! Crates that were collected, and a machine without a network.

use std::fs;
use std::process::Command;

use crate::project::{Project, source, text};
use crate::{GOOD, files};

#[test]
fn collected_crates_build_without_a_network_and_give_the_same_bytes() {
    let project = Project::new(&format!(
        "{GOOD}targets: [linux-x86_64]\nimport: [{{crate: swak-plugin-num, path: num}}]\n"
    ));
    let plain = source("Num", "Num");
    let uses = "eprintln!(\"{}\", itoa::Buffer::new().format(std::env::args().count()));\n}";
    project.plugin("num", "0.3.0", &plain.replacen('}', uses, 1));
    let manifest = project.read("num/Cargo.toml");
    project.write("num/Cargo.toml", &format!("{manifest}itoa = \"1\"\ncfg-if = \"1\"\n"));
    project.built(&[]);
    let without = project.dist();

    let refused = project.release(&["--vendor", "crates"]);
    let told = text(&refused.stderr);
    assert_eq!(refused.status.code(), Some(2), "{told}");
    assert!(told.contains("error[not-vendored]"), "{told}");
    assert!(told.contains("help: run it once without `--offline`, which fills it"), "{told}");

    // Cargo itself does not ask the network for what it has.
    let mut filling = project.plain(&["--vendor", "crates"]);
    let filled = filling.env("CARGO_NET_OFFLINE", "true").output().expect("it can be run");
    assert!(filled.status.success(), "{}", text(&filled.stderr));
    let collected = fs::read_dir(project.path("crates")).expect("a folder");
    let collected: Vec<_> = collected
        .map(|entry| entry.expect("readable").file_name().to_string_lossy().into_owned())
        .collect();
    for name in ["itoa-1.", "cfg-if-1."] {
        assert!(collected.iter().any(|c| c.starts_with(name)), "{name}: {collected:?}");
    }
    assert!(project.dist()["swak-x"] == without["swak-x"], "the same bytes");

    // Another place, a Cargo that has nothing, and no network at all.
    fs::create_dir(project.path("moved")).expect("writable");
    fs::rename(project.path("crates"), project.path("moved/crates")).expect("writable");
    for made in ["dist", ".swak"] {
        fs::remove_dir_all(project.path(made)).expect("it was made");
    }
    let alone = Command::new("unshare")
        .args(["--map-root-user", "--net", env!("CARGO_BIN_EXE_swak-makebuild"), "x-build.yml"])
        .args(["--vendor", "moved/crates", "--offline", "--locked"])
        .current_dir(project.folder.path())
        .env_remove("SWAK_BUILD_DIR")
        .env("CARGO_HOME", project.path("empty"))
        .output()
        .expect("unshare can be run");
    assert!(alone.status.success(), "{}", text(&alone.stderr));
    let moved = files(&project.path("dist"));
    for (name, bytes) in without.iter().filter(|(name, _)| *name != "swak-x.build.json") {
        assert!(moved[name] == *bytes, "{name} differs");
    }
}

#[test]
fn a_folder_of_somebody_else_is_not_filled() {
    let project = Project::new(GOOD);
    project.write("mine/notes.txt", "mine");
    let fill = |folder: &str| {
        let mut filling = project.plain(&["--profile", "debug", "--vendor", folder]);
        filling.env("CARGO_NET_OFFLINE", "true").output().expect("it can be run")
    };
    for folder in ["mine", "."] {
        let refused = fill(folder);
        assert_eq!(refused.status.code(), Some(2));
        let told = text(&refused.stderr);
        assert!(told.contains("error[folder-occupied]"), "{told}");
        assert!(told.contains("help: name a folder that is empty or new"), "{told}");
    }
    assert_eq!(project.read("mine/notes.txt"), "mine");
    // Its own it fills again.
    for _ in 0..2 {
        let filled = fill("crates");
        assert!(filled.status.success(), "{}", text(&filled.stderr));
    }
}
