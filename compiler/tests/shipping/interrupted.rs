//! What is ended from outside, or has no room: `dist/` is as it was.

use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use crate::project::{Project, source, text};
use crate::{GOOD, assert_as_it_was, files};

const TARGETS: &str = "targets: [linux-x86_64, x86_64-unknown-linux-gnu]\npackage: [tar.gz]\n";

/// A project that was built once, and has another version of its plugin by now.
fn built_once() -> Project {
    let project = Project::new(&format!(
        "{GOOD}{TARGETS}import: [{{crate: swak-plugin-slow, path: slow}}]\n"
    ));
    project.plugin("slow", "0.1.0", &source("Slow", "Slow"));
    let output = project.run(&[]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    project.plugin("slow", "0.2.0", &source("Slow", "Slow"));
    project
}

/// A build script that does this for the second target, when the first one is compiled.
fn script(what: &str) -> String {
    format!(
        "fn main() {{\n    if std::env::var(\"TARGET\").unwrap().ends_with(\"gnu\") {{\n        \
         {what}\n    }}\n}}\n"
    )
}

#[test]
fn ctrl_c_leaves_what_was_there() {
    let project = built_once();
    let dist = project.dist();
    let wait = "std::fs::write(\"running\", \"\").unwrap();\n        \
                while std::path::Path::new(\"running\").exists() {\n            \
                std::thread::sleep(std::time::Duration::from_millis(5));\n        }";
    project.write("slow/build.rs", &script(wait));
    // A group of its own, as a terminal gives to a command.
    let mut build = project
        .command(&[])
        .process_group(0)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the command can be run");
    while !project.path("slow/running").exists() {
        assert!(build.try_wait().expect("it can be asked").is_none(), "it ended too soon");
        std::thread::sleep(Duration::from_millis(5));
    }
    let group = format!("-{}", build.id());
    let sent = Command::new("kill").args(["-INT", "--", &group]).status();
    assert!(sent.expect("there is a `kill`").success());
    let status = build.wait().expect("it ends");
    assert!(!status.success(), "{status}");
    assert_as_it_was(&dist, &project.dist());

    // And the next build goes on from there.
    drop(fs::remove_file(project.path("slow/running")));
    project.write("slow/build.rs", "fn main() {}\n");
    let output = project.run(&[]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(project.dist()["swak-x"] != dist["swak-x"], "it is the new one");
}

#[test]
fn a_cargo_that_is_killed_leaves_what_was_there() {
    let project = built_once();
    let dist = project.dist();
    // A build script is started by Cargo.
    let kill = "let cargo = std::os::unix::process::parent_id().to_string();\n        \
                std::process::Command::new(\"kill\").args([\"-KILL\", &cargo]).status().unwrap();";
    project.write("slow/build.rs", &script(kill));
    let output = project.run(&[]);
    let told = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("error[interrupted]: Cargo was ended before it was done"), "{told}");
    assert_as_it_was(&dist, &project.dist());
}

#[test]
fn a_full_disk_where_it_is_compiled_leaves_what_was_there() {
    let project = built_once();
    let dist = project.dist();
    let output = with_little_room(&project, "small", "1m", &["--build-dir", "small"]);
    let told = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("No space left on device"), "{told}");
    assert_eq!(told.matches("error[").count(), 1, "the disk is full for every target: {told}");
    assert!(told.contains("help: the disk is full: make room"), "{told}");
    assert_as_it_was(&dist, &project.dist());
}

#[test]
fn a_full_disk_where_it_is_delivered_leaves_what_was_there() {
    let project = built_once();
    let dist = project.dist();
    // Room for what is there and the half of another build.
    let size = dist.values().map(Vec::len).sum::<usize>();
    let output = with_little_room(&project, "dist", &(size + size / 2).to_string(), &[]);
    let told = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("error[file-failed]: cannot write "), "{told}");
    assert!(told.contains("No space left on device"), "{told}");
    assert!(told.contains("help: name other folders"), "{told}");
    assert_as_it_was(&dist, &files(&project.path("after")));
}

/// Builds with a disk of its own in a folder, which begins with what is in the folder; what is there
/// in the end is in `after`.
fn with_little_room(project: &Project, folder: &str, size: &str, arguments: &[&str]) -> Output {
    const SCRIPT: &str = "folder=$1 size=$2; shift 2
        mkdir -p \"$folder\" && cp -a \"$folder\" before &&
        mount -t tmpfs -o \"size=$size\" none \"$folder\" && cp -a before/. \"$folder\" || exit 99
        \"$@\"; status=$?
        cp -a \"$folder\" after; exit $status";
    let build = project.command(arguments);
    // Whoever is not root is root in there.
    let output = Command::new("unshare")
        .args(["--map-root-user", "--mount", "sh", "-c", SCRIPT, "sh", folder, size])
        .arg(build.get_program())
        .args(build.get_args())
        .current_dir(project.folder.path())
        .env_remove("SWAK_BUILD_DIR")
        .output()
        .expect("unshare can be run");
    let mounted = Path::new(&project.path("after")).is_dir();
    assert!(mounted, "a disk can be mounted: {}", text(&output.stderr));
    output
}
