//! Whole builds with toolchains that are not plain Cargo, and without those that a target takes.
//! The runtime is the miniature in `tests/mini/`.

#![cfg(unix)]

mod support;

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

use support::copy;

/// A project beside the miniature, and a folder of programs that comes before all others.
struct Project {
    folder: TempDir,
}

impl Project {
    fn new(targets: &str) -> Self {
        let project = Project { folder: tempfile::tempdir().expect("a folder") };
        copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mini"), &project.path("swak"));
        let config = format!("name: x\nswak: {{path: swak}}\ntargets: [{targets}]\n");
        fs::write(project.path("swak/Cargo.lock"), "version = 4\n").expect("written");
        fs::write(project.path("x-build.yml"), config).expect("written");
        fs::create_dir(project.path("bin")).expect("made");
        project
    }

    /// Without what the machine's own links lead to.
    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().canonicalize().expect("it is there").join(name)
    }

    /// Written by another process: while this one has the file open, a thread beside it that starts
    /// something hands that on, and the file cannot be run.
    fn program(&self, name: &str, script: &str) {
        let written = Command::new("/bin/sh")
            .args(["-c", "printf '#!/bin/sh\\n%s\\n' \"$1\" > \"$0\" && chmod 755 \"$0\""])
            .arg(self.path("bin").join(name))
            .arg(script)
            .status();
        assert!(written.expect("there is a shell").success());
    }

    fn build(&self, path: OsString, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_swak-makebuild"))
            .args(["x-build.yml", "--profile", "debug", "--offline"])
            .args(arguments)
            .current_dir(self.folder.path())
            .env_remove("SWAK_BUILD_DIR")
            .env("SWAK_TOOLS", self.path("tools"))
            .env("CARGO_HOME", self.path("home"))
            .env("RUSTC", sysroot().join("bin/rustc"))
            .env("PATH", path)
            .output()
            .expect("the command can be run")
    }
}

/// The path of this machine, with a folder before it.
fn path_after(folder: PathBuf) -> OsString {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(folder).chain(std::env::split_paths(&path));
    std::env::join_paths(folders).expect("no folder has the separator in it")
}

fn sysroot() -> PathBuf {
    let said = Command::new("rustc").args(["--print", "sysroot"]).output().expect("it is there");
    PathBuf::from(text(&said.stdout).trim())
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The triple of the machine.
fn host() -> String {
    let said = Command::new("rustc").arg("-vV").output().expect("it is there");
    let said = text(&said.stdout);
    let host = said.lines().find_map(|line| line.strip_prefix("host: "));
    host.expect("it says so").to_owned()
}

/// A stand-in for cross writes down how it was called, and is plain Cargo but for the name that the
/// container has for the target folder. No container is run.
#[test]
fn cross_builds_the_agent_in_its_own_folders() {
    let project = Project::new(&host());
    let cargo = sysroot().join("bin/cargo");
    let log = project.path("log");
    let target_dir = project.path(".swak/target");
    project.program("docker", "echo 20.10");
    project.program("rustup", "exit 0");
    project.program(
        "cross",
        &format!(
            "case $1 in --version) echo 'cross 0.2.5'; exit;; esac\n\
             {{ pwd; echo \"$*\"; echo \"$CROSS_CONTAINER_OPTS\"; \
             echo \"$CROSS_BUILD_ENV_PASSTHROUGH\"; }} > '{}'\n\
             '{}' \"$@\" > out; status=$?; sed 's|{}|/target|g' out; exit $status",
            log.display(),
            cargo.display(),
            target_dir.display(),
        ),
    );
    let built = project.build(path_after(project.path("bin")), &["--toolchain", "cross", "--json"]);
    assert!(built.status.success(), "{}{}", text(&built.stdout), text(&built.stderr));

    let log = fs::read_to_string(log).expect("it was called");
    let [folder, arguments, options, passed] = log.lines().collect::<Vec<_>>()[..] else {
        panic!("four lines: {log}");
    };
    assert!(Path::new(folder).join("Cargo.toml").is_file(), "the workspace: {folder}");
    assert!(arguments.starts_with(&format!("build --target {} --locked", host())), "{arguments}");
    let target_dir = format!("--target-dir {}", target_dir.display());
    assert!(arguments.contains(&target_dir) && arguments.contains("--offline"), "{arguments}");
    assert!(!arguments.contains("--manifest-path"), "it has another path inside: {arguments}");
    let swak = project.path("swak").display().to_string();
    assert!(options.contains(&format!("--volume={swak}")), "{options}");
    assert!(passed.contains("SWAK_PROFILE"), "{passed}");
    let agent = Command::new(project.path("dist/swak-x")).output().expect("it can be run");
    assert!(agent.status.success(), "{}", text(&agent.stderr));
}

/// What is missing for one target leaves the others alone.
#[test]
fn a_target_that_lacks_its_tools_fails_with_the_command_and_the_others_are_made() {
    let foreign = "s390x-unknown-linux-gnu";
    let project = Project::new(&format!("{}, {foreign}", host()));
    // All that this machine's own target takes, and no zig.
    let path = std::env::var_os("PATH").unwrap_or_default();
    for name in ["cc", "ld", "as", "ar"] {
        let found = std::env::split_paths(&path).map(|f| f.join(name)).find(|file| file.is_file());
        if let Some(program) = found {
            std::os::unix::fs::symlink(program, project.path("bin").join(name)).expect("linked");
        }
    }
    let cargo = sysroot().join("bin/cargo");
    std::os::unix::fs::symlink(cargo, project.path("bin/cargo")).expect("linked");

    let built = project.build(project.path("bin").into(), &[]);
    let told = text(&built.stderr);
    assert_eq!(built.status.code(), Some(1), "{told}");
    assert!(told.contains("error[toolchain-missing]"), "{told}");
    let cannot = format!("{foreign} cannot be built here: ");
    assert!(told.contains(&cannot) && told.contains("zig"), "{told}");
    assert!(told.contains(&format!("swak-makebuild doctor --target {foreign}")), "{told}");
    let agent = Command::new(project.path("dist/swak-x")).output().expect("it can be run");
    assert!(agent.status.success(), "{}", text(&agent.stderr));
    let files: Vec<_> = fs::read_dir(project.path("dist"))
        .expect("it is there")
        .map(|entry| entry.expect("readable").file_name().to_string_lossy().into_owned())
        .collect();
    assert!(!files.iter().any(|file| file.contains("s390x")), "{files:?}");
}
