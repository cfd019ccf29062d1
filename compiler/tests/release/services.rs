//! The service units and the Dockerfile, against those who read them.

use std::fs;
use std::process::Command;

use swak_makebuild::release::{Artifact, Format};

use crate::support::{Maker, ending, some_graph, succeed, target, text, tool, written};

/// A file of an archive.
fn unpacked(made: &[Artifact], word: &str, file: &str) -> Vec<u8> {
    let (folder, path) = written(ending(made, &format!("-{word}.tar.gz")));
    succeed(tool("tar", "tar").arg("-xzf").arg(&path).current_dir(folder.path()));
    let root = folder.path().join(format!("swak-My_prj-1.4.0-rc.1-{word}"));
    fs::read(root.join(file)).unwrap_or_else(|e| panic!("{file}: {e}"))
}

fn made(words: &[&str]) -> Vec<Artifact> {
    let targets: Vec<_> = words.iter().map(|word| target(word)).collect();
    Maker::new(&[Format::TarGz]).make(some_graph(), &targets)
}

#[test]
fn systemd_takes_the_unit() {
    let unit = unpacked(&made(&["linux-x86_64"]), "linux-x86_64", "swak-My_prj.service");
    let folder = tempfile::tempdir().expect("a folder");
    // `verify` wants to see what is started.
    let agent = folder.path().join("swak-My_prj");
    fs::copy("/bin/true", &agent).expect("writable");
    let unit = String::from_utf8(unit).expect("UTF-8");
    let unit = unit.replace("/usr/bin/swak-My_prj", &agent.display().to_string());
    let path = folder.path().join("swak-My_prj.service");
    fs::write(&path, unit).expect("writable");
    let mut verify = tool("systemd-analyze", "systemd");
    let output = succeed(verify.args(["verify", "--man=no"]).arg(&path));
    // What it does not know it only warns of.
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!said.contains("swak-My_prj.service"), "{said}");
}

#[test]
fn the_property_list_of_macos_is_one() {
    let made = made(&["macos-aarch64"]);
    let list = unpacked(&made, "macos-aarch64", "swak-My_prj.plist");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("x.plist");
    fs::write(&path, list).expect("writable");
    let script = "import plistlib, sys, json; \
                  print(json.dumps(plistlib.load(open(sys.argv[1], 'rb'))))";
    let read = text(succeed(tool("python3", "python3").args(["-c", script]).arg(&path)));
    let list: serde_json::Value = serde_json::from_str(&read).expect("JSON");
    assert_eq!(list["Label"], "swak-My_prj");
    assert_eq!(list["ProgramArguments"][4], "/Library/Application Support/swak-My_prj");
    assert_eq!(list["KeepAlive"]["SuccessfulExit"], false);
}

#[test]
fn the_task_of_windows_is_xml_in_its_encoding() {
    let made = made(&["windows-x86_64"]);
    let task = unpacked(&made, "windows-x86_64", "swak-My_prj.task.xml");
    assert!(task.starts_with(&[0xff, 0xfe]));
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("task.xml");
    fs::write(&path, task).expect("writable");
    let script = "import sys, xml.etree.ElementTree as e; \
                  root = e.parse(sys.argv[1]).getroot(); \
                  print(root.find('.//{*}Command').text, root.find('.//{*}Arguments').text)";
    let read = text(succeed(tool("python3", "python3").args(["-c", script]).arg(&path)));
    assert_eq!(
        read.trim(),
        "\"%ProgramFiles%\\swak-My_prj\\swak-My_prj.exe\" \
         run \"%ProgramData%\\swak-My_prj\\recipe.swak\" \
         --data-dir \"%ProgramData%\\swak-My_prj\\data\""
    );
    let readme = unpacked(&made, "windows-x86_64", "README.md");
    let readme = String::from_utf8(readme).expect("UTF-8");
    let line = "    mkdir \"%ProgramFiles%\\swak-My_prj\" \"%ProgramData%\\swak-My_prj\"";
    assert!(readme.lines().any(|l| l == line), "{readme}");
}

#[test]
fn a_dockerfile_copies_the_executable_beside_it_and_no_more() {
    let made = made(&["linux-aarch64", "linux-x86_64-gnu"]);
    let artifact = ending(&made, ".Dockerfile");
    assert_eq!(artifact.name, "swak-My_prj-linux-aarch64.Dockerfile");
    let text = String::from_utf8(artifact.bytes.clone()).expect("UTF-8");
    let lines: Vec<&str> =
        text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).collect();
    assert_eq!(lines[0], "FROM --platform=linux/arm64 scratch");
    assert!(lines.contains(&"COPY swak-My_prj-linux-aarch64 /swak-My_prj"));
    assert!(lines.contains(&"ENTRYPOINT [\"/swak-My_prj\"]"));
    assert_eq!(lines.last(), Some(&"CMD [\"run\", \"/recipe.swak\"]"));
}

/// By the agent of this repository's own plugins.
#[test]
fn the_example_has_no_mistake() {
    let made = made(&["linux-x86_64", "windows-x86_64"]);
    for word in ["linux-x86_64", "windows-x86_64"] {
        let folder = tempfile::tempdir().expect("a folder");
        let recipe = unpacked(&made, word, "recipe.swak");
        fs::write(folder.path().join("recipe.swak"), recipe).expect("writable");
        fs::write(folder.path().join("build.yml"), "name: x\nrecipe: recipe.swak\n")
            .expect("writable");
        let mut check = Command::new(env!("CARGO_BIN_EXE_swak-makebuild"));
        check.args(["build.yml", "--check"]).current_dir(folder.path());
        let said = text(succeed(&mut check));
        assert!(said.contains("no mistakes"), "{said}");
    }
}
