//! Whole builds, with Cargo. The runtime is a miniature of a few lines, in `tests/mini/`, so that a
//! build takes a second; what the real one comes to is tested by building `build-configs/`.

#[path = "support/project.rs"]
mod project;
#[path = "builds/sharing.rs"]
mod sharing;
mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use project::{Project, source, text};
use support::copy;

const GOOD: &str = "name: x\nversion: 2.1.0\nswak: {path: swak}\n";

impl Project {
    fn agent(&self) -> PathBuf {
        self.path(&format!("dist/swak-x{}", std::env::consts::EXE_SUFFIX))
    }
}

#[test]
fn a_build_leaves_an_agent_and_a_lock_and_can_be_repeated() {
    let project = Project::new(&format!(
        "{GOOD}import: [{{crate: swak-plugin-shout, path: shout}}]\nrecipe: 'my recipe.swak'\n"
    ));
    project.plugin("shout", "0.3.0", &source("Shout", "Shout"));
    project.write("my recipe.swak", "task(in.Nothing(), out.Shout())\n");

    let output = project.run(&[]);
    let (said, told) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{told}");
    assert!(said.starts_with("dist/swak-x"), "{said}");
    assert!(said.contains("2 plugins from 2 crates"), "{said}");
    let agent = Command::new(project.agent()).output().expect("the agent can be run");
    assert_eq!(text(&agent.stdout), "swak-x 2.1.0 recipe my recipe.swak\n");
    let lock = project.read("x-build.lock");
    assert!(lock.starts_with("# Pins every crate"), "{lock}");
    assert!(lock.contains("name = \"swak-plugin-shout\"\nversion = \"0.3.0\""), "{lock}");

    let again = project.run(&["--locked", "--json"]);
    assert!(again.status.success(), "{}", text(&again.stderr));
    let report: serde_json::Value = serde_json::from_slice(&again.stdout).expect("JSON");
    assert_eq!(report["name"], "swak-x");
    assert_eq!(report["crates"]["swak-plugin-shout"], "0.3.0");
    let seconds = |key: &str| report[key].as_f64().unwrap_or_else(|| panic!("{key}: {report}"));
    assert!(seconds("resolving_seconds") + seconds("compiling_seconds") <= seconds("seconds"));
    let target = &report["targets"][0];
    assert_eq!(target["checked"], "run");
    assert_eq!(target["bytes"], fs::metadata(project.agent()).expect("it is there").len());
    assert_eq!(project.read("x-build.lock"), lock);
    assert!(!text(&again.stderr).contains("Compiling"), "{}", text(&again.stderr));

    // Another version of a plugin: the lock does not fit any more, and the difference is shown.
    project.plugin("shout", "0.4.0", &project.read("shout/src/lib.rs"));
    let stale = project.run(&["--locked"]);
    assert_eq!(stale.status.code(), Some(2));
    let told = text(&stale.stderr);
    assert!(told.contains("error[lock-stale]"), "{told}");
    assert!(told.contains("- swak-plugin-shout 0.3.0"), "{told}");
    assert!(told.contains("+ swak-plugin-shout 0.4.0"), "{told}");
    assert_eq!(project.read("x-build.lock"), lock);
}

#[test]
fn a_crate_that_does_not_compile_is_named_first_and_the_last_agent_stays() {
    let project = Project::new(&format!("{GOOD}import: [{{crate: swak-plugin-bad, path: bad}}]\n"));
    let agent = format!("dist/swak-x{}", std::env::consts::EXE_SUFFIX);
    project.plugin("bad", "0.1.0", "pub fn register(_: &mut swak_sdk::Plugins) { nonsense }\n");
    project.write(&agent, "the last one");
    let output = project.run(&[]);
    assert_eq!(output.status.code(), Some(1));
    let told = text(&output.stderr);
    let error = told.find("error[compile-failed]: `swak-plugin-bad 0.1.0` does not compile");
    let words = told.find("cannot find value `nonsense`");
    assert!(error.is_some() && error < words, "{told}");
    assert_eq!(fs::read_to_string(project.agent()).expect("it is there"), "the last one");
    assert!(!project.path("x-build.lock").exists());
}

#[test]
fn crates_in_repositories_are_fetched_and_their_plugins_checked() {
    let project = Project::new("");
    let [swak, far] = project.repositories(&source("Far", "Far"));
    project.write(
        "x-build.yml",
        &format!(
            "name: x\nswak: {{git: '{swak}'}}\nrecipe: my.swak\n\
             import: [{{crate: swak-plugin-far, git: '{far}'}}]\n"
        ),
    );
    let run = || {
        let mut command = project.plain(&["--profile", "debug"]);
        command.output().expect("the command can be run")
    };
    // What is wrong is told once the source is there, before anything is compiled.
    project.write("my.swak", "task(in.Nothing(), out.Fra())\n");
    let output = run();
    let told = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(told.contains("error[unknown-plugin]: there is no plugin `out.Fra`"), "{told}");
    assert!(told.contains("did you mean `out.Far`?"), "{told}");
    assert!(!told.contains("Compiling"), "{told}");

    project.write("my.swak", "task(in.Nothing(), out.Far())\n");
    let output = run();
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("2 plugins from 2 crates"), "{}", text(&output.stdout));
    // The plan knows now what the lock has.
    let plan = project.run(&["--plan"]);
    assert!(
        text(&plan.stdout).contains("swak-plugin-far 0.7.0 (file://"),
        "{}",
        text(&plan.stdout)
    );
}

#[test]
fn a_plugin_that_is_not_registered_is_found_out() {
    let project = Project::new(&format!("{GOOD}import: [{{crate: swak-plugin-shy, path: shy}}]\n"));
    project.plugin("shy", "0.1.0", &source("Shy", "Bold"));
    let output = project.run(&[]);
    assert_eq!(output.status.code(), Some(1));
    let told = text(&output.stderr);
    assert!(told.contains("error[agent-differs]"), "{told}");
    assert!(told.contains("`out.Shy` of `swak-plugin-shy` is missing"), "{told}");
    assert!(!project.agent().exists());
}

#[test]
fn a_second_runtime_is_refused_while_resolving() {
    let project = Project::new(&format!("{GOOD}import: [{{crate: swak-plugin-old, path: old}}]\n"));
    project.plugin("old", "0.1.0", &source("Old", "Old"));
    let mini = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mini/runtime/swak-sdk");
    copy(&mini, &project.path("old-sdk"));
    let manifest = project.read("old-sdk/Cargo.toml");
    project.write("old-sdk/Cargo.toml", &manifest.replace("0.1.0", "0.0.9"));
    let manifest = project.read("old/Cargo.toml");
    project.write("old/Cargo.toml", &manifest.replace("../swak/runtime/swak-sdk", "../old-sdk"));
    let output = project.run(&[]);
    assert_eq!(output.status.code(), Some(1));
    let told = text(&output.stderr);
    assert!(told.contains("error[resolve-failed]"), "{told}");
    for word in ["links", "swak-plugin-old", "swak-agent"] {
        assert!(told.contains(word), "{word} is not in {told}");
    }
    assert!(!told.contains("Compiling"), "{told}");
}

#[test]
fn a_plugin_that_asks_the_registry_for_the_sdk_gets_the_runtimes_own() {
    let project = Project::new(&format!("{GOOD}import: [{{crate: swak-plugin-far, path: far}}]\n"));
    project.plugin("far", "0.1.0", &source("Far", "Far"));
    let manifest = project.read("far/Cargo.toml");
    let local = "{ path = \"../swak/runtime/swak-sdk\" }";
    project.write("far/Cargo.toml", &manifest.replace(local, "\"0.1\""));
    let output = project.run(&[]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let lock = project.read("x-build.lock");
    assert_eq!(lock.matches("name = \"swak-sdk\"").count(), 1, "{lock}");
    assert!(!lock.contains("registry+"), "{lock}");
}

#[test]
fn a_crate_that_a_plugin_brings_along_is_not_taken_for_the_imported_one() {
    let project = Project::new(&format!(
        "{GOOD}import: [{{crate: swak-plugin-a, path: a}}, {{crate: swak-plugin-b, path: b}}]\n"
    ));
    project.plugin("a", "0.3.0", &source("A", "A"));
    project.plugin("b", "0.1.0", &source("B", "B"));
    project.plugin("z", "0.9.0", &source("A", "A"));
    // Another `swak-plugin-a`, newer than the imported one.
    let other = project.read("z/Cargo.toml").replace("swak-plugin-z", "swak-plugin-a");
    project.write("z/Cargo.toml", &other);
    let manifest = project.read("b/Cargo.toml");
    project.write("b/Cargo.toml", &format!("{manifest}swak-plugin-a = {{ path = \"../z\" }}\n"));
    let output = project.run(&["--json"]);
    assert!(output.status.success(), "{}", text(&output.stdout));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(report["crates"]["swak-plugin-a"], "0.3.0");
}

#[test]
fn where_the_agent_cannot_be_put_is_told_before_cargo_starts() {
    let project = Project::new(GOOD);
    let agent = format!("taken/swak-x{}", std::env::consts::EXE_SUFFIX);
    project.write(&format!("{agent}/notes.txt"), "mine");
    for out in ["x-build.yml", "x-build.yml/below", "taken"] {
        let output = project
            .command(&["--out", out])
            .env("CARGO", "no-such-cargo")
            .output()
            .expect("the command can be run");
        assert_eq!(output.status.code(), Some(1));
        let told = text(&output.stderr);
        assert!(told.contains("error[file-failed]"), "{out}: {told}");
        assert!(told.contains("help: name other folders"), "{out}: {told}");
    }
    assert_eq!(fs::read_dir(project.path("taken")).expect("a folder").count(), 1);
}

#[test]
fn a_lock_that_cannot_be_kept_leaves_the_last_agent() {
    let project = Project::new(GOOD);
    project.write("x-build.lock/notes.txt", "a folder in the lock's place");
    let agent = format!("dist/swak-x{}", std::env::consts::EXE_SUFFIX);
    project.write(&agent, "the last one");
    let output = project.run(&["--update"]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    assert_eq!(project.read(&agent), "the last one");
}

#[test]
fn a_build_script_that_fails_names_its_crate() {
    let project = Project::new(&format!("{GOOD}import: [{{crate: swak-plugin-bad, path: bad}}]\n"));
    project.plugin("bad", "0.1.0", &source("Bad", "Bad"));
    project.write("bad/build.rs", "fn main() { panic!(\"no tool\") }\n");
    let output = project.run(&[]);
    assert_eq!(output.status.code(), Some(1));
    let told = text(&output.stderr);
    assert!(told.contains("`swak-plugin-bad 0.1.0` does not compile"), "{told}");
    assert!(told.contains("no tool"), "{told}");
}

#[test]
fn the_environment_changes_nothing() {
    let project = Project::new(GOOD);
    let triple = swak_makebuild::target::Target::host().triples[0]
        .to_string()
        .to_uppercase()
        .replace('-', "_");
    let flags_of_the_target = format!("CARGO_TARGET_{triple}_RUSTFLAGS");
    let output = project
        .command(&[])
        .env("RUSTFLAGS", "-C no-such-flag")
        .env("CARGO_TARGET_DIR", "elsewhere")
        .env("CARGO_BUILD_TARGET", "no-such-target")
        .env("CARGO_PROFILE_DEV_PANIC", "abort")
        .env(&flags_of_the_target, "-C no-such-flag")
        .output()
        .expect("the command can be run");
    let told = text(&output.stderr);
    assert!(output.status.success(), "{told}");
    let dropped = format!(
        "warning: CARGO_BUILD_TARGET, CARGO_PROFILE_DEV_PANIC, CARGO_TARGET_DIR, \
         {flags_of_the_target}, RUSTFLAGS are set and not used"
    );
    assert!(told.contains(&dropped), "{told}");
    assert!(!project.path("elsewhere").exists());
    assert!(project.agent().is_file());
}

#[test]
fn without_cargo_it_says_so() {
    let project = Project::new(GOOD);
    let output = project
        .command(&[])
        .env("CARGO", "no-such-cargo")
        .output()
        .expect("the command can be run");
    assert_eq!(output.status.code(), Some(1));
    let told = text(&output.stderr);
    assert!(told.contains("error[no-cargo]: cannot start Cargo (`no-such-cargo`)"), "{told}");
}

#[test]
fn two_builds_at_once_do_not_disturb_each_other() {
    let project = Project::new(GOOD);
    project.write("y-build.yml", "name: y\nswak: {path: swak}\n");
    let builds: Vec<_> = ["x-build.yml", "y-build.yml", "x-build.yml"]
        .map(|file| {
            Command::new(env!("CARGO_BIN_EXE_swak-makebuild"))
                .args([file, "--profile", "debug", "--offline"])
                .current_dir(project.folder.path())
                .env_remove("SWAK_BUILD_DIR")
                .stdout(std::process::Stdio::piped())
                .stderr(std::process::Stdio::piped())
                .spawn()
                .expect("the command can be run")
        })
        .into();
    for build in builds {
        let output = build.wait_with_output().expect("it ends");
        assert!(output.status.success(), "{}", text(&output.stderr));
    }
    for name in ["x", "y"] {
        let file = project.path(&format!("dist/swak-{name}{}", std::env::consts::EXE_SUFFIX));
        let agent = Command::new(file).output().expect("the agent can be run");
        assert!(text(&agent.stdout).starts_with(&format!("swak-{name} ")));
    }
    let left = fs::read_dir(project.path("dist")).expect("a folder");
    let left = left.map(|e| e.expect("readable").file_name().to_string_lossy().into_owned());
    let unfinished: Vec<_> = left.filter(|name| name.starts_with('.')).collect();
    assert!(unfinished.is_empty(), "{unfinished:?}");
    let sums = project.read("dist/SHA256SUMS");
    for name in ["x", "y"] {
        let line = format!("  swak-{name}{}\n", std::env::consts::EXE_SUFFIX);
        assert!(sums.contains(&line), "{sums}");
    }
}

#[cfg(unix)]
#[test]
fn a_generated_workspace_builds_by_its_script() {
    let project = Project::new(GOOD);
    let output = project.run(&["--generate-only", "work"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("work/x-build.sh"), "{}", text(&output.stdout));
    assert!(!project.path(".swak").exists() && !project.path("x-build.lock").exists());
    let script = Command::new(project.path("work/x-build.sh"))
        .arg("--offline")
        .output()
        .expect("the script can be run");
    assert!(script.status.success(), "{}", text(&script.stderr));
    // An argument that leads Cargo elsewhere does not bring the last one for a new one.
    let elsewhere = Command::new(project.path("work/x-build.sh"))
        .args(["--offline", "--target", swak_makebuild::target::HOST])
        .output()
        .expect("the script can be run");
    assert_eq!(elsewhere.status.code(), Some(1));
    let told = text(&elsewhere.stderr);
    assert!(told.contains("error: target/debug/swak-x was not made"), "{told}");
    let agent = Command::new(project.path("work/dist/swak-x")).output().expect("it can be run");
    assert_eq!(text(&agent.stdout), "swak-x 2.1.0 recipe none\n");
    // The same folder again, and a folder of somebody else.
    assert!(project.run(&["--generate-only", "work"]).status.success());
    project.write("mine/notes.txt", "mine");
    let refused = project.run(&["--generate-only", "mine"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stderr).contains("error[folder-occupied]"), "{}", text(&refused.stderr));
}

#[cfg(unix)]
#[test]
fn a_build_that_is_killed_leaves_the_last_agent() {
    let project =
        Project::new(&format!("{GOOD}import: [{{crate: swak-plugin-slow, path: slow}}]\n"));
    project.plugin("slow", "0.1.0", "pub fn register(_: &mut swak_sdk::Plugins) {}\n");
    // Tells that it runs, then waits until its folder is gone.
    project.write(
        "slow/build.rs",
        "fn main() {\n    std::fs::write(\"running\", \"\").unwrap();\n    \
         while std::path::Path::new(\"running\").exists() {\n        \
         std::thread::sleep(std::time::Duration::from_millis(5));\n    }\n}\n",
    );
    project.write("dist/swak-x", "the last one");
    let mut build = project
        .command(&[])
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("the command can be run");
    while !project.path("slow/running").exists() {
        assert!(build.try_wait().expect("it can be asked").is_none(), "it ended too soon");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    build.kill().expect("it runs");
    build.wait().expect("it ends");
    assert_eq!(project.read("dist/swak-x"), "the last one");
    assert_eq!(fs::read_dir(project.path("dist")).expect("a folder").count(), 1);
    // The next build waits for no one: the lock went with the process that held it.
    fs::remove_file(project.path("slow/running")).expect("it is there");
    project.write("slow/build.rs", "fn main() {}\n");
    let output = project.run(&[]);
    assert!(output.status.success(), "{}", text(&output.stderr));
}

#[test]
fn an_unknown_crate_cannot_be_updated() {
    let project = Project::new(GOOD);
    assert!(project.run(&[]).status.success());
    let output = project.run(&["--update", "swak-sdc"]);
    assert_eq!(output.status.code(), Some(2));
    let told = text(&output.stderr);
    assert!(told.contains("error[unknown-crate]"), "{told}");
    assert!(told.contains("did you mean `swak-sdk`?"), "{told}");
    assert!(project.run(&["--update", "swak-sdk"]).status.success());
    assert!(project.run(&["--update"]).status.success());
}
