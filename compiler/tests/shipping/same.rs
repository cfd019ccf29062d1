//! The same input gives the same bytes.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use flate2::read::GzDecoder;
use serde_json::Value;

use crate::project::{Project, source, text};
use crate::support::copy;
use crate::{GOOD, json, names};

const TARGETS: &str =
    "targets: [linux-x86_64, linux-x86_64-gnu.2.17, windows-x86_64, macos-aarch64]";

/// A plugin that has every way for a path to get into an executable: a panic of its own, one of a
/// crate from the registry, and the name of its file.
const TALKATIVE: &str = r#"
pub fn register(plugins: &mut swak_sdk::Plugins) {
    plugins.register("out.Talk");
    let n = std::env::args().count();
    if n > 1000 {
        let many: smallvec::SmallVec<[u8; 4]> = smallvec::SmallVec::with_capacity(n << 40);
        println!("{} {}", file!(), many.len());
        println!("{}", many[n]);
    }
}
"#;

impl Project {
    fn talkative() -> Self {
        let project = Project::new(&format!(
            "{GOOD}{TARGETS}\nimport: [{{crate: swak-plugin-talk, path: talk}}]\n\
             package: [tar.gz, zip, deb, rpm]\ncontainer: true\n"
        ));
        project.plugin("talk", "0.3.0", TALKATIVE);
        let manifest = project.read("talk/Cargo.toml");
        project.write("talk/Cargo.toml", &format!("{manifest}smallvec = \"1\"\n"));
        project
    }
}

#[test]
fn another_folder_another_home_and_another_umask_give_the_same_bytes() {
    let one = Project::talkative();
    let other = Project::new("");
    let far = other.path("somewhere/else, far away/in a längerer folder/project");
    copy(one.folder.path(), &far);
    one.built(&[]);

    // The same project, far below, with Cargo's home behind another name.
    fs::copy(one.path("x-build.lock"), far.join("x-build.lock")).expect("writable");
    let home = other.path("another-home");
    fs::create_dir(&home).expect("writable");
    let registry = cargo_home().join("registry").canonicalize().expect("Cargo fetched crates");
    symlink(registry, home.join("registry")).expect("writable");
    let again = std::process::Command::new("sh")
        .args(["-c", "umask 077 && exec \"$0\" x-build.yml --offline --locked"])
        .arg(env!("CARGO_BIN_EXE_swak-makebuild"))
        .current_dir(&far)
        .env_remove("SWAK_BUILD_DIR")
        .envs([("TZ", "Asia/Tokyo"), ("LC_ALL", "C"), ("USER", "somebody")])
        .env("CARGO_HOME", &home)
        .env("TMPDIR", &home)
        .output()
        .expect("the command can be run");
    assert!(again.status.success(), "{}", text(&again.stderr));

    let (first, second) = (one.dist(), crate::files(&far.join("dist")));
    assert_eq!(names(&first), names(&second));
    for (name, bytes) in &first {
        if name == "swak-x.build.json" {
            assert_eq!(without_times(json(bytes)), without_times(json(&second[name])));
        } else {
            assert!(*bytes == second[name], "{name} differs");
        }
    }
    let places = [one.folder.path().to_owned(), other.folder.path().to_owned(), cargo_home()];
    let machine = places.into_iter().chain(std::env::home_dir());
    let machine: Vec<_> = machine.map(|place| place.display().to_string()).collect();
    for files in [&first, &second] {
        assert_eq!(places_in(files, &machine), Vec::<String>::new());
    }
    // What was looked for could have been found: the name of the file is there.
    assert!(holds(&first["swak-x"], "smallvec-1."), "the crate from the registry is in it");
}

#[test]
fn a_plugin_in_another_corner_of_the_disk_leaves_no_path_either() {
    let project = Project::new("");
    let elsewhere = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let plugin = elsewhere.path().canonicalize().expect("it is there").join("far");
    let config = format!(
        "{GOOD}targets: [linux-x86_64]\n\
         import: [{{crate: swak-plugin-talk, path: '{}'}}]\n",
        plugin.display()
    );
    project.write("x-build.yml", &config);
    project.plugin("talk", "0.3.0", TALKATIVE);
    copy(&project.path("talk"), &plugin);
    let manifest = project.read("talk/Cargo.toml");
    let sdk = project.path("swak/runtime/swak-sdk").canonicalize().expect("it is there");
    // As `new-plugin` writes it, and as a person may: all that the two folders share is the root.
    let up = "../".repeat(plugin.components().count() - 1);
    let relative = format!("{up}{}", sdk.strip_prefix("/").expect("it is absolute").display());
    for path in [sdk.display().to_string(), relative] {
        let manifest = manifest.replace("../swak/runtime/swak-sdk", &path);
        fs::write(plugin.join("Cargo.toml"), format!("{manifest}smallvec = \"1\"\n"))
            .expect("writable");
        project.built(&[]);
        let machine = [project.folder.path(), elsewhere.path()];
        // Neither the whole path, nor what a link to the root would leave of it.
        let machine = machine.map(|place| place.display().to_string().split_off(1));
        assert_eq!(places_in(&project.dist(), &machine), Vec::<String>::new());
        assert!(holds(&project.dist()["swak-x"], "/crates/far/src/lib.rs"));
    }
}

#[test]
fn a_build_config_in_the_folder_of_its_plugin_gives_the_same_bytes_elsewhere() {
    let [one, other] = ["talk", "talk and more"].map(|folder| {
        let project = Project::new("");
        project.plugin("talk", "0.3.0", TALKATIVE);
        let manifest = project.read("talk/Cargo.toml");
        let sdk = "{ path = \"../swak/runtime/swak-sdk\" }";
        let manifest = manifest.replace(sdk, "\"0.1\"") + "smallvec = \"1\"\n";
        project.write("talk/Cargo.toml", &manifest);
        // Cargo looks at every file of such a crate.
        project.write("talk/build.rs", "fn main() {}\n");
        let config = GOOD.replace("{path: swak}", "{path: ../swak}");
        let import = "import: [{crate: swak-plugin-talk, path: .}]\n";
        project.write("talk/x-build.yml", &format!("{config}targets: [linux-x86_64]\n{import}"));
        fs::rename(project.path("talk"), project.path(folder)).expect("writable");
        let built = project.plain(&["--offline"]).current_dir(project.path(folder)).output();
        let built = built.expect("the command can be run");
        assert!(built.status.success(), "{}", text(&built.stderr));
        crate::files(&project.path(&format!("{folder}/dist")))
    });
    assert!(one["swak-x"] == other["swak-x"], "the executables differ");
    assert!(one["swak-x-linux-x86_64.cdx.json"] == other["swak-x-linux-x86_64.cdx.json"]);
}

#[test]
fn a_second_build_that_gives_the_same_bytes_is_taken_and_another_is_not() {
    let host = "x86_64-unknown-linux-gnu";
    let project = Project::new(&format!(
        "{GOOD}targets: [linux-x86_64, {host}]\n\
         import: [{{crate: swak-plugin-clock, path: clock}}]\n"
    ));
    project.plugin("clock", "0.3.0", &source("Clock", "Clock"));
    let output = project.run(&["--verify"]);
    assert!(output.status.success(), "{}", text(&output.stderr));

    // For one target, a build script writes the time into the code.
    let plain = source("Clock", "Clock");
    let told = "#[cfg(target_env = \"musl\")]\n    plugins.register(env!(\"TIME\"));\n}";
    project.write("clock/src/lib.rs", &plain.replacen('}', told, 1));
    project.write(
        "clock/build.rs",
        "fn main() {\n    let time = std::time::SystemTime::now();\n    \
         let time = time.duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos();\n    \
         println!(\"cargo::rustc-env=TIME=out.At{time}\");\n}\n",
    );
    let output = project.run(&["--verify"]);
    assert_eq!(output.status.code(), Some(1));
    let told = text(&output.stderr);
    assert!(told.contains("error[not-reproducible]: a second build gives other bytes"), "{told}");
    assert!(told.contains("  linux-x86_64: from byte "), "{told}");
    assert!(!told.contains(&format!("  {host}: ")), "{told}");
    // Of the second build, nothing is left.
    for folder in ["", ".swak"] {
        let left = fs::read_dir(project.path(folder)).expect("readable");
        let left = left.map(|e| e.expect("readable").file_name().to_string_lossy().into_owned());
        let left: Vec<_> = left.filter(|name| name.contains("verify")).collect();
        assert!(left.is_empty(), "{left:?}");
    }
}

fn cargo_home() -> PathBuf {
    let named = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    named.unwrap_or_else(|| std::env::home_dir().expect("there is one").join(".cargo"))
}

fn without_times(mut record: Value) -> Value {
    let object = |value: &mut Value| {
        value.as_object_mut().expect("an object").remove("seconds").expect("it has a time");
    };
    object(&mut record);
    record["targets"].as_array_mut().expect("a list").iter_mut().for_each(object);
    record
}

/// Where one of these folders is named, in a file or in what is packed into it.
fn places_in(files: &BTreeMap<String, Vec<u8>>, machine: &[String]) -> Vec<String> {
    let mut found = Vec::new();
    for (name, bytes) in files {
        for (what, bytes) in unpacked(name, bytes) {
            let here = machine.iter().filter(|place| holds(&bytes, place));
            found.extend(here.map(|place| format!("{place} in {name}{what}")));
        }
    }
    found
}

/// Whether a text is in a file, in UTF-8 or UTF-16.
fn holds(bytes: &[u8], text: &str) -> bool {
    let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    [text.as_bytes(), &wide].iter().any(|text| memchr::memmem::find(bytes, text).is_some())
}

/// A file, and all that is packed in it: the files of a ZIP archive, and every stream of gzip, which
/// is what the other packages are made of.
fn unpacked(name: &str, bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut all = vec![(String::new(), bytes.to_owned())];
    if name.ends_with(".zip") {
        let mut archive = zip::ZipArchive::new(std::io::Cursor::new(bytes)).expect("an archive");
        for i in 0..archive.len() {
            let mut file = archive.by_index(i).expect("a file");
            let mut unpacked = Vec::new();
            file.read_to_end(&mut unpacked).expect("readable");
            all.push((format!("/{i}"), unpacked));
        }
        assert!(all.len() > 2, "{name} holds files");
    }
    if [".gz", ".deb", ".rpm"].iter().any(|end| name.ends_with(end)) {
        for at in memchr::memmem::find_iter(bytes, b"\x1f\x8b\x08") {
            let mut unpacked = Vec::new();
            // What only looks like the beginning of a stream is none.
            if GzDecoder::new(&bytes[at..]).read_to_end(&mut unpacked).is_ok() {
                all.push((format!(" at {at}"), unpacked));
            }
        }
        assert!(all.len() > 1, "{name} holds files");
    }
    all
}
