//! What a build config says about licences and toolchains, and what a lock says about versions.

use std::process::Output;

use crate::project::{Project, commit, source, text};
use crate::{GOOD, json};

#[test]
fn a_denied_licence_stops_a_build_before_anything_is_compiled() {
    let project = Project::new(&format!(
        "{GOOD}licenses: {{deny: [GPL-3.0]}}\n\
         import: [{{crate: swak-plugin-free, path: free}}]\n"
    ));
    project.plugin("free", "0.1.0", &source("Free", "Free"));
    let manifest = project.read("free/Cargo.toml");
    let with = |license: &str| manifest.replacen("edition", license, 1);
    project.write("free/Cargo.toml", &with("license = \"GPL-3.0-or-later\"\nedition"));
    let output = project.run(&[]);
    let told = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(told.contains("error[denied-license]"), "{told}");
    assert!(told.contains("swak-plugin-free"), "{told}");
    assert!(!told.contains("Compiling"), "{told}");
    assert!(!project.path("dist/swak-x").exists() && !project.path("x-build.lock").exists());

    // Who may choose another one is not held to it.
    project.write("free/Cargo.toml", &with("license = \"MIT OR GPL-3.0-or-later\"\nedition"));
    let output = project.run(&[]);
    assert!(output.status.success(), "{}", text(&output.stderr));
}

#[test]
fn a_toolchain_that_is_asked_for_is_used_and_the_plan_says_so() {
    let host = "x86_64-unknown-linux-musl";
    let targets = "targets: [linux-x86_64]\n";
    let plan = |project: &Project, arguments: &[&str]| {
        let output = project.run(&[&["--plan", "--json"], arguments].concat());
        let plan = json(&output.stdout);
        let chosen = &plan["toolchains"][0];
        assert_eq!(chosen["triple"], host, "{plan}");
        let text_of = |key: &str| chosen[key].as_str().expect("a text").to_owned();
        (text_of("kind"), text_of("because"))
    };
    let by_itself = Project::new(&format!("{GOOD}{targets}"));
    let (kind, because) = plan(&by_itself, &[]);
    assert_eq!(kind, "zigbuild");
    assert_ne!(because, "asked for");

    let project = Project::new(&format!("{GOOD}{targets}toolchain: cargo\n"));
    let asked = |kind: &str| (kind.to_owned(), "asked for".to_owned());
    assert_eq!(plan(&project, &[]), asked("cargo"));
    assert_eq!(plan(&project, &["--toolchain", "cross"]), asked("cross"));
    let said = text(&project.run(&["--plan"]).stdout);
    assert!(said.contains(&format!("toolchains cargo for {host} (asked for)\n")), "{said}");

    let linked_by = |project: &Project, arguments: &[&str]| {
        project.built(arguments);
        let facts = &crate::inspect(&project.path("dist/swak-x"))["facts"];
        facts["toolchain"].as_str().expect("a text").to_owned()
    };
    assert!(!linked_by(&project, &[]).contains("zig"));
    assert!(linked_by(&project, &["--toolchain", "zigbuild"]).contains("cargo-zigbuild "));
}

#[test]
fn a_newer_release_of_a_plugin_changes_nothing_until_an_update() {
    let project = Project::new("");
    let [swak, far] = project.repositories(&source("Far", "Far"));
    project.write(
        "x-build.yml",
        &format!(
            "name: x\nswak: {{git: '{swak}'}}\n\
             import: [{{crate: swak-plugin-far, git: '{far}'}}]\n"
        ),
    );
    let run = |arguments: &[&str]| -> Output {
        let mut command = project.plain(&["--profile", "debug", "--json"]);
        let output = command.args(arguments).output().expect("the command can be run");
        assert!(output.status.success(), "{}", text(&output.stdout));
        output
    };
    let version = |arguments: &[&str]| {
        let report = json(&run(arguments).stdout);
        let version = report["crates"]["swak-plugin-far"].as_str().expect("a version").to_owned();
        (version, report["targets"][0]["sha256"].clone())
    };
    let first = version(&[]);
    assert_eq!(first.0, "0.7.0");
    let lock = project.read("x-build.lock");

    let manifest = project.read("far/Cargo.toml");
    project.write("far/Cargo.toml", &manifest.replace("0.7.0", "0.8.0"));
    commit(&project.path("far"));
    assert_eq!(version(&[]), first);
    assert_eq!(version(&["--locked"]), first);
    assert_eq!(project.read("x-build.lock"), lock);
    assert_eq!(version(&["--update", "swak-plugin-far"]).0, "0.8.0");
    assert_ne!(project.read("x-build.lock"), lock);
    assert_eq!(version(&["--locked"]).0, "0.8.0");
}
