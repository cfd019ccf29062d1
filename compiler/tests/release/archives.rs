//! The archives against `tar` and `unzip`.

use std::fs;
use std::path::PathBuf;

use swak_makebuild::names::AgentName;
use swak_makebuild::release::{Artifact, Format, Moment};
use swak_makebuild::resolve::Recipe;

use crate::support::{Maker, ending, names, some_graph, succeed, target, text, tool, written};

const TARGETS: [&str; 3] = ["linux-x86_64", "macos-universal", "windows-x86_64"];

fn made(maker: &Maker) -> Vec<Artifact> {
    maker.make(some_graph(), &TARGETS.map(target))
}

#[test]
fn a_tar_archive_has_one_folder_with_everything() {
    let made = made(&Maker::new(&[Format::TarGz]));
    let (folder, path) = written(ending(&made, "-linux-x86_64.tar.gz"));
    let list = text(succeed(tool("tar", "tar").args(["-tvzf"]).arg(&path).env("TZ", "UTC")));
    for (line, (mode, name)) in list.lines().zip([
        ("drwxr-xr-x", ""),
        ("-rw-r--r--", "LICENSES.txt"),
        ("-rw-r--r--", "README.md"),
        ("-rw-r--r--", "recipe.swak"),
        ("-rwxr-xr-x", "swak-My_prj"),
        ("-rw-r--r--", "swak-My_prj.service"),
    ]) {
        assert!(line.starts_with(&format!("{mode} root/root ")), "{line}");
        let end = format!("2000-01-01 00:00 swak-My_prj-1.4.0-rc.1-linux-x86_64/{name}");
        assert!(line.ends_with(&end), "{line}");
    }
    assert_eq!(list.lines().count(), 6, "{list}");
    succeed(tool("tar", "tar").arg("-xzf").arg(&path).current_dir(folder.path()));
    let agent = folder.path().join("swak-My_prj-1.4.0-rc.1-linux-x86_64/swak-My_prj");
    assert_eq!(text(succeed(std::process::Command::new(agent).arg("well"))), "it runs well\n");
}

#[test]
fn a_zip_archive_has_the_same_files() {
    let made = made(&Maker::new(&[Format::Zip]));
    for (word, executable, service) in [
        ("linux-x86_64", "swak-My_prj", "swak-My_prj.service"),
        ("macos-universal", "swak-My_prj", "swak-My_prj.plist"),
        ("windows-x86_64", "swak-My_prj.exe", "swak-My_prj.task.xml"),
    ] {
        let (folder, path) = written(ending(&made, &format!("-{word}.zip")));
        succeed(tool("unzip", "unzip").arg("-tq").arg(&path));
        succeed(tool("unzip", "unzip").arg("-q").arg(&path).current_dir(folder.path()));
        let root = folder.path().join(format!("swak-My_prj-1.4.0-rc.1-{word}"));
        for file in ["LICENSES.txt", "README.md", "recipe.swak", executable, service] {
            assert!(root.join(file).is_file(), "{word}: {file}");
        }
        let agent = fs::metadata(root.join(executable)).expect("it is there");
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(agent.permissions().mode() & 0o777, 0o755);
        let list = text(succeed(tool("unzip", "unzip").arg("-l").arg(&path)));
        assert_eq!(list.matches("2000-01-01 00:00").count(), 5, "{list}");
    }
}

#[test]
fn the_recipe_that_is_built_in_is_the_example() {
    let mut maker = Maker::new(&[Format::TarGz]);
    let recipe = "tasks: [[in.DummyData, out.Stdout]]\n";
    let path = PathBuf::from("conf/My.YML");
    maker.recipe = Some(Recipe { path, text: recipe.to_owned() });
    let made = made(&maker);
    let (folder, path) = written(ending(&made, "-linux-x86_64.tar.gz"));
    succeed(tool("tar", "tar").arg("-xzf").arg(&path).current_dir(folder.path()));
    let root = folder.path().join("swak-My_prj-1.4.0-rc.1-linux-x86_64");
    assert_eq!(fs::read_to_string(root.join("recipe.yml")).expect("it is there"), recipe);
    let unit = fs::read_to_string(root.join("swak-My_prj.service")).expect("it is there");
    assert!(unit.contains(" run /etc/swak-My_prj/recipe.yml "), "{unit}");
}

#[test]
fn the_same_input_gives_the_same_bytes_and_the_time_is_the_builders() {
    let mut maker = Maker::new(&Format::ALL);
    let first = made(&maker);
    assert_eq!(first, made(&maker));
    maker.moment = Moment::of(Some("1700000000"));
    let later = made(&maker);
    for (a, b) in first.iter().zip(&later) {
        let packed = Format::ALL.iter().any(|f| a.name.ends_with(&format!(".{}", f.name())));
        assert_eq!(a != b, packed, "{}", a.name);
    }
    let (_folder, path) = written(ending(&later, "-linux-x86_64.tar.gz"));
    let list = text(succeed(tool("tar", "tar").args(["-tvzf"]).arg(&path).env("TZ", "UTC")));
    assert_eq!(list.matches(" 2023-11-14 22:13 ").count(), 6, "{list}");
}

#[test]
fn each_target_gets_what_fits_it() {
    assert_eq!(
        names(&made(&Maker::new(&Format::ALL))),
        [
            "swak-My_prj-1.4.0-rc.1-linux-x86_64.tar.gz",
            "swak-My_prj-1.4.0-rc.1-linux-x86_64.zip",
            "swak-My_prj-1.4.0-rc.1-macos-universal.tar.gz",
            "swak-My_prj-1.4.0-rc.1-macos-universal.zip",
            "swak-My_prj-1.4.0-rc.1-windows-x86_64.tar.gz",
            "swak-My_prj-1.4.0-rc.1-windows-x86_64.zip",
            "swak-My_prj-1.4.0~rc.1-1.x86_64.rpm",
            "swak-My_prj-LICENSES.txt",
            "swak-My_prj-linux-x86_64.Dockerfile",
            "swak-My_prj-linux-x86_64.cdx.json",
            "swak-My_prj-macos-universal.cdx.json",
            "swak-My_prj-windows-x86_64.cdx.json",
            "swak-my-prj_1.4.0~rc.1_amd64.deb",
        ]
    );
    assert_eq!(Maker::new(&Format::ALL).make(some_graph(), &[]), []);
}

#[test]
fn a_name_with_two_hyphens_ends_no_comment() {
    let mut maker = Maker::new(&[Format::TarGz]);
    maker.name = AgentName::new("a--b").expect("a good name");
    let made = made(&maker);
    for (target, unit) in [("macos-universal", "plist"), ("windows-x86_64", "task.xml")] {
        let (folder, path) = written(ending(&made, &format!("-{target}.tar.gz")));
        succeed(tool("tar", "tar").arg("-xzf").arg(&path).current_dir(folder.path()));
        let unit = format!("swak-a--b-1.4.0-rc.1-{target}/swak-a--b.{unit}");
        let read = "import sys, xml.dom.minidom as m; m.parse(sys.argv[1])";
        succeed(tool("python3", "python3").args(["-c", read, &unit]).current_dir(folder.path()));
    }
}
