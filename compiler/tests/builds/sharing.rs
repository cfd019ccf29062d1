//! Build configs that share a folder, and folders that take each other's place: what is compiled
//! once is not taken for something else.

use std::fs;
use std::process::Command;

use crate::GOOD;
use crate::project::{Project, source, text};

impl Project {
    /// Builds with a build config, and gives what the agent says.
    fn built_with(&self, config: &str, arguments: &[&str]) -> String {
        let output = Command::new(env!("CARGO_BIN_EXE_swak-makebuild"))
            .args([config, "--profile", "debug", "--offline"])
            .args(arguments)
            .current_dir(self.folder.path())
            .env_remove("SWAK_BUILD_DIR")
            .output()
            .expect("the command can be run");
        assert!(output.status.success(), "{}", text(&output.stderr));
        let said = Command::new(self.agent()).output().expect("the agent can be run");
        text(&said.stderr) + &text(&said.stdout)
    }
}

/// A plugin that says something when it is registered: the value of an expression.
fn says(value: &str) -> String {
    source("Say", "Say").replacen('}', &format!("eprint!(\"{{}} \", {value});\n}}"), 1)
}

/// Puts two folders of one plugin crate into a project.
fn two_folders(project: &Project) {
    for name in ["one", "two"] {
        project.plugin(name, "0.3.0", &says(&format!("{name:?}")));
        let manifest = project.read(&format!("{name}/Cargo.toml"));
        let renamed = manifest.replace(&format!("swak-plugin-{name}"), "swak-plugin-say");
        project.write(&format!("{name}/Cargo.toml"), &renamed);
    }
}

fn config(folder: &str) -> String {
    format!("{GOOD}import: [{{crate: swak-plugin-say, path: {folder}}}]\n")
}

#[test]
fn a_plugin_from_another_folder_is_compiled_although_its_files_are_older() {
    let project = Project::new(&config("one"));
    two_folders(&project);
    assert!(project.built_with("x-build.yml", &[]).starts_with("one "));
    for folder in ["two", "one"] {
        project.write("x-build.yml", &config(folder));
        assert!(project.built_with("x-build.yml", &[]).starts_with(folder));
    }
}

#[test]
fn build_configs_with_one_name_get_each_its_own_agent() {
    let project = Project::new("");
    two_folders(&project);
    for (name, folder) in [("dev", "one"), ("prod", "two")] {
        let recipe = format!("recipe: {name}.swak\n");
        project.write(&format!("{name}.yml"), &(config(folder) + &recipe));
        project.write(&format!("{name}.swak"), "task(in.Nothing(), out.Say())\n");
    }
    for (name, folder) in [("dev", "one"), ("prod", "two"), ("dev", "one"), ("prod", "two")] {
        let said = project.built_with(&format!("{name}.yml"), &[]);
        assert_eq!(said, format!("{folder} swak-x 2.1.0 recipe {name}.swak\n"));
    }
}

#[test]
fn a_folder_of_a_configuration_file_is_not_where_crates_are_compiled() {
    let project = Project::new(&config("one"));
    two_folders(&project);
    let elsewhere = project.path("elsewhere");
    let setting = format!("[build]\nbuild-dir = '{}'\n", elsewhere.display());
    project.write(".cargo/config.toml", &setting);
    project.built_with("x-build.yml", &[]);
    assert!(!elsewhere.exists());
}

#[test]
fn a_stale_lock_is_found_without_compiling() {
    let project = Project::new(&config("one"));
    two_folders(&project);
    project.built_with("x-build.yml", &[]);
    let lock = project.read("x-build.lock");
    for stop in [&["--check"][..], &["--generate-only", "work"]] {
        let output = project.run(&[stop, &["--locked"]].concat());
        assert!(output.status.success(), "{}", text(&output.stderr));
    }
    let manifest = project.read("one/Cargo.toml");
    project.write("one/Cargo.toml", &manifest.replace("0.3.0", "0.4.0"));
    for stop in [&["--check"][..], &["--generate-only", "work"]] {
        let output = project.run(&[stop, &["--locked"]].concat());
        assert_eq!(output.status.code(), Some(2), "{stop:?}");
        let told = text(&output.stderr);
        assert!(told.contains("+ swak-plugin-say 0.4.0"), "{told}");
    }
    assert_eq!(project.read("x-build.lock"), lock);
}

#[test]
fn a_file_that_cannot_take_its_place_leaves_all_as_it_was() {
    let project = Project::new(GOOD);
    let agent = format!("dist/swak-x{}", std::env::consts::EXE_SUFFIX);
    project.write(&agent, "the last one");
    // The last of all, and after some that are not there yet.
    project.write("dist/swak-x.build.json/notes.txt", "mine");
    let output = project.run(&[]);
    assert_eq!(output.status.code(), Some(1));
    let told = text(&output.stderr);
    assert!(told.contains("error[file-failed]: cannot write "), "{told}");
    assert!(told.contains("swak-x.build.json"), "{told}");
    assert_eq!(project.read(&agent), "the last one");
    assert_eq!(project.read("dist/swak-x.build.json/notes.txt"), "mine");
    assert_eq!(fs::read_dir(project.path("dist")).expect("a folder").count(), 2);
}

#[test]
fn what_differs_is_told_in_the_one_answer_for_programs() {
    let project =
        Project::new(&format!("{GOOD}import: [{{crate: swak-plugin-clock, path: clock}}]\n"));
    project.plugin("clock", "0.3.0", &says("env!(\"TIME\")"));
    project.write(
        "clock/build.rs",
        "fn main() {\n    let time = std::time::SystemTime::now();\n    \
         let time = time.duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos();\n    \
         println!(\"cargo::rustc-env=TIME={time}\");\n}\n",
    );
    let output = project.run(&["--verify", "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).expect("one answer");
    assert_eq!(answer["errors"][0]["code"], "not-reproducible", "{answer}");
    assert_eq!(answer["name"], "swak-x");
}

#[cfg(unix)]
#[test]
fn agents_that_are_delivered_into_one_folder_wait_for_each_other() {
    use std::io::{BufRead as _, BufReader};
    use std::process::Stdio;

    let project = Project::new(GOOD);
    // What another build left that was killed, and one that is at work.
    project.write("dist/.swak-new-1/0", "half of a fi");
    let folder = fs::File::open(project.path("dist")).expect("readable");
    folder.lock().expect("the folder can be held");
    let mut build = project.command(&[]).stderr(Stdio::piped()).spawn().expect("it can be run");
    let mut said = BufReader::new(build.stderr.take().expect("it is piped")).lines();
    let waits = |line: &str| line == "waiting for another build that delivers into the same folder";
    assert!(said.any(|line| waits(&line.expect("UTF-8"))), "it ended without waiting");
    assert!(!project.agent().exists());
    let line = format!("{}  swak-other\n", "0".repeat(64));
    project.write("dist/swak-other", "other");
    project.write("dist/SHA256SUMS", &line);
    drop(folder);
    said.for_each(drop);
    assert!(build.wait().expect("it ends").success());
    assert!(project.read("dist/SHA256SUMS").contains(&line));
    assert!(project.agent().exists() && !project.path("dist/.swak-new-1").exists());
}

#[test]
fn what_is_not_made_any_more_is_not_left_to_be_taken_for_new() {
    let host = swak_makebuild::target::HOST;
    let config = format!("{GOOD}targets: [{host}]\npackage: ");
    let project = Project::new(&format!("{config}[tar.gz, zip]\n"));
    assert!(project.run(&[]).status.success());
    let alias = swak_makebuild::target::Target::host().name;
    let [tar, zip] = ["tar.gz", "zip"].map(|f| format!("dist/swak-x-2.1.0-{alias}.{f}"));
    assert!(project.path(&tar).exists() && project.path(&zip).exists());
    // Not one that a build left, as far as the sums say.
    let own = format!("dist/swak-x-{alias}.Dockerfile");
    project.write(&own, "FROM mine\n");

    project.write("x-build.yml", &format!("{config}[zip]\n"));
    assert!(project.run(&[]).status.success());
    assert!(!project.path(&tar).exists() && project.path(&zip).exists());
    assert!(!project.read("dist/SHA256SUMS").contains("tar.gz"));
    assert_eq!(project.read(&own), "FROM mine\n");
}
