//! Several targets in one run.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::project::{Project, text};
use crate::{GOOD, assert_as_it_was, files, inspect, json};

/// Each target, its file, and the triples that are compiled for it.
const TARGETS: [(&str, &str, &[&str]); 5] = [
    ("linux-x86_64", "swak-x-linux-x86_64", &["x86_64-unknown-linux-musl"]),
    ("linux-x86_64-gnu.2.17", "swak-x-linux-x86_64-gnu.2.17", &["x86_64-unknown-linux-gnu.2.17"]),
    ("linux-aarch64", "swak-x-linux-aarch64", &["aarch64-unknown-linux-musl"]),
    ("windows-x86_64", "swak-x-windows-x86_64.exe", &["x86_64-pc-windows-gnu"]),
    ("macos-universal", "swak-x-macos-universal", &["x86_64-apple-darwin", "aarch64-apple-darwin"]),
];

#[test]
fn one_run_leaves_all_that_is_shipped_for_every_target() {
    let names = TARGETS.map(|(name, ..)| name).join(", ");
    let project = Project::new(&format!(
        "{GOOD}targets: [{names}]\npackage: [tar.gz, zip, deb, rpm]\ncontainer: true\n"
    ));
    let report = json(&project.built(&["--json"]).stdout);

    // What is listed is there, under its name, and the sums say so, too.
    let listed = report["targets"].as_array().expect("a list");
    assert_eq!(listed.len(), TARGETS.len());
    for ((name, file, triples), one) in TARGETS.iter().zip(listed) {
        let path = project.path("dist").canonicalize().expect("it is there").join(file);
        assert_eq!(one["name"], *name);
        assert_eq!(one["triples"], serde_json::json!(triples));
        assert_eq!(one["file"], path.display().to_string());
        assert_eq!(one["bytes"], fs::metadata(&path).expect("it is there").len());
        let hash = one["sha256"].as_str().expect("a text");
        let line = format!("{hash}  {file}\n");
        assert!(project.read("dist/SHA256SUMS").contains(&line), "{line}");
        has_the_facts(&project, name, file, triples);
    }
    assert!(report.get("errors").is_none(), "{report}");
    let dist = project.dist();
    assert!(dist["swak-x"] == dist["swak-x-linux-x86_64"], "the one that runs here");
    the_sums_are_right(&project);
    // A file for every target of what there is one for each.
    for (name, ..) in TARGETS {
        for file in [format!("swak-x-{name}.cdx.json"), format!("swak-x-2.1.0-{name}.tar.gz")] {
            assert!(dist.contains_key(&file), "{file}: {:?}", dist.keys());
        }
        let static_linux = matches!(name, "linux-x86_64" | "linux-aarch64");
        assert_eq!(dist.contains_key(&format!("swak-x-{name}.Dockerfile")), static_linux, "{name}");
    }
    for file in ["swak-x-LICENSES.txt", "swak-x_2.1.0_amd64.deb", "swak-x-2.1.0-1.aarch64.rpm"] {
        assert!(dist.contains_key(file), "{file}");
    }
    let record = json(&dist["swak-x.build.json"]);
    let recorded = record["targets"].as_array().expect("a list").iter();
    let recorded: Vec<_> = recorded.map(|t| (&t["name"], &t["sha256"])).collect();
    let wanted: Vec<_> = listed.iter().map(|t| (&t["name"], &t["sha256"])).collect();
    assert_eq!(recorded, wanted);

    // What the agent says of itself is what is read from its file.
    let agent = Command::new(project.path("dist/swak-x")).arg("facts").output();
    let said = text(&agent.expect("it runs here").stdout);
    let said = said.trim().strip_prefix("<swak-facts 1>").expect("its opening tag");
    let said = said.strip_suffix("</swak-facts>").expect("its closing tag");
    assert_eq!(inspect(&project.path("dist/swak-x"))["facts"], json(said.as_bytes()));
    let exe = inspect(&project.path("dist/swak-x-windows-x86_64.exe"));
    let info = &exe["parts"][0]["version_info"];
    assert_eq!(info["ProductVersion"], "2.1.0");
    assert_eq!(info["OriginalFilename"], "swak-x.exe");
    let old = inspect(&project.path("dist/swak-x-linux-x86_64-gnu.2.17"));
    assert_eq!(old["parts"][0]["linkage"], "dynamic");

    only_what_is_asked_for_is_made_again(&project, &dist);
}

/// Every part of a file has the facts of its own triple.
fn has_the_facts(project: &Project, name: &str, file: &str, triples: &[&str]) {
    let found = inspect(&project.path("dist").join(file));
    let parts = found["parts"].as_array().expect("a list");
    assert_eq!(parts.len(), triples.len(), "{name}");
    for (part, triple) in parts.iter().zip(triples) {
        let processor = triple.split('-').next().expect("a first word");
        assert_eq!(part["processor"], processor, "{name}");
        let facts = &part["facts"];
        let target = facts["target"].as_str().expect("a text");
        // The glibc is Cargo's neither to know nor to say.
        assert!(triple.starts_with(target), "{name}: {facts}");
        assert_eq!(facts["name"], "swak-x");
        assert_eq!(facts["version"], "2.1.0");
        assert_eq!(facts["profile"], "release");
        let linked_by_zig = facts["toolchain"].as_str().is_some_and(|t| t.contains("zig "));
        assert!(linked_by_zig, "{facts}");
        let record = json(project.read("dist/swak-x.build.json").as_bytes());
        for hash in ["config_sha256", "lock_sha256"] {
            assert_eq!(facts[hash], record[hash], "{name}");
        }
    }
}

#[test]
fn a_glibc_beside_the_plain_target_is_a_build_of_its_own() {
    let [plain, old, newer] =
        ["", ".2.17", ".2.28"].map(|glibc| format!("linux-x86_64-gnu{glibc}"));
    let project = Project::new(&format!("{GOOD}targets: [{plain}, {old}, {newer}]\n"));
    project.built(&[]);
    let linked_by_zig = |name: &str| {
        let facts = &inspect(&project.path(&format!("dist/swak-x-{name}")))["facts"];
        facts["toolchain"].as_str().is_some_and(|tools| tools.contains("zig "))
    };
    assert!(!linked_by_zig(&plain));
    assert!(linked_by_zig(&old) && linked_by_zig(&newer));
    let dist = project.dist();
    let file = |name: &str| &dist[&format!("swak-x-{name}")];
    assert!(file(&old) != file(&newer));
    // They do not take turns in one folder, where each would be compiled again.
    let again = project.built(&[]);
    assert!(!text(&again.stderr).contains("Compiling"), "{}", text(&again.stderr));
}

/// As a person would find out.
fn the_sums_are_right(project: &Project) {
    let dist = project.path("dist");
    let checked = Command::new("sha256sum")
        .args(["--check", "--strict", "--quiet", "SHA256SUMS"])
        .current_dir(&dist)
        .output()
        .expect("sha256sum can be run");
    assert!(checked.status.success(), "{}{}", text(&checked.stdout), text(&checked.stderr));
    // The sums have all but themselves, and the record, which has times in it.
    let sums = project.read("dist/SHA256SUMS");
    let summed: Vec<_> = sums.lines().filter_map(|line| Some(line.split_once("  ")?.1)).collect();
    let all = files(&dist);
    let all = all.keys().filter(|name| !["SHA256SUMS", "swak-x.build.json"].contains(&&***name));
    assert_eq!(summed, all.collect::<Vec<_>>());
}

/// `--target` narrows: the files of the other targets stay.
fn only_what_is_asked_for_is_made_again(project: &Project, dist: &BTreeMap<String, Vec<u8>>) {
    fs::remove_file(project.path("dist/swak-x-windows-x86_64.exe")).expect("it is there");
    // By the triple as well as by the alias.
    let report = json(&project.built(&["--json", "--target", "x86_64-pc-windows-gnu"]).stdout);
    let names: Vec<_> = report["targets"].as_array().expect("a list").iter().collect();
    let names: Vec<_> = names.into_iter().map(|target: &Value| &target["name"]).collect();
    assert_eq!(names, ["windows-x86_64"]);
    // What is about all that one run makes is about this one now.
    let of_the_run = ["SHA256SUMS", "swak-x.build.json", "swak-x-LICENSES.txt"];
    let others = |(name, _): &(String, Vec<u8>)| {
        let packed = name.contains("2.1.0-windows-x86_64");
        !packed && !of_the_run.contains(&name.as_str())
    };
    let before = dist.clone().into_iter().filter(others).collect();
    let after = project.dist().into_iter().filter(others).collect();
    assert_as_it_was(&before, &after);
    the_sums_are_right(project);
}
