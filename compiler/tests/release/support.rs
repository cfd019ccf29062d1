//! A workspace whose crates are all in folders, and the graph that Cargo makes of it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use cargo_metadata::MetadataCommand;
use semver::Version;
use swak_makebuild::names::AgentName;
use swak_makebuild::release::graph::{Edges, Graph, Trees, tree_arguments};
use swak_makebuild::release::{Artifact, Format, Made, Moment, Release, Wanted};
use swak_makebuild::resolve::Recipe;
use swak_makebuild::target::{HOST, Target, Triple};

/// Crates: their folders, what their manifests say beside name and edition.
const CRATES: &[(&str, &str)] = &[
    (
        "swak-mini",
        "version = \"1.4.0\"\n\
         [dependencies]\n\
         linked = {path = \"../linked\"}\n\
         words = {path = \"../words\"}\n\
         [target.'cfg(windows)'.dependencies]\n\
         windows-only = {path = \"../windows-only\"}\n\
         [build-dependencies]\n\
         helper = {path = \"../helper\"}\n\
         [dev-dependencies]\n\
         tester = {path = \"../tester\"}\n",
    ),
    (
        "linked",
        "version = \"1.2.3-rc.1+b\"\nlicense = \"MIT/Apache-2.0\"\nauthors = [\"A <a@b.c>\"]\n\
         description = \"Two\\nlines.\"\nrepository = \"https://example.com/linked\"\n\
         [dependencies]\n\
         optional = {path = \"../optional\", optional = true}\n\
         copyleft = {path = \"../copyleft\"}\n\
         [features]\n\
         more = [\"dep:optional\"]\n",
    ),
    ("copyleft", "version = \"2.0.0\"\nlicense = \"GPL-3.0+\"\n"),
    ("optional", "version = \"0.1.0\"\nlicense-file = \"OWN.txt\"\n"),
    (
        "windows-only",
        "version = \"0.1.0\"\nlicense = \"Zlib OR GPL-2.0-only\"\n\
         [dependencies]\n\
         linked = {path = \"../linked\", features = [\"more\"]}\n",
    ),
    (
        "words",
        "version = \"0.1.0\"\nlicense = \"MIT\"\n[lib]\nproc-macro = true\n\
         [dependencies]\nhelper = {path = \"../helper\"}\n",
    ),
    ("helper", "version = \"0.1.0\"\nlicense = \"AGPL-3.0-only\"\n"),
    ("tester", "version = \"0.1.0\"\nlicense = \"GPL-3.0-only\"\n"),
];

/// A folder with the crates in it.
pub(crate) struct Workspace {
    folder: tempfile::TempDir,
}

impl Workspace {
    pub(crate) fn new() -> Self {
        let workspace = Workspace { folder: tempfile::tempdir().expect("a folder") };
        for (name, manifest) in CRATES {
            let own = if *name == "swak-mini" { "[workspace]\n" } else { "" };
            let text = format!("{own}[package]\nname = \"{name}\"\nedition = \"2024\"\n{manifest}");
            workspace.write(&format!("{name}/Cargo.toml"), &text);
            let source = if *name == "swak-mini" { "main.rs" } else { "lib.rs" };
            workspace.write(&format!("{name}/src/{source}"), "fn main() {}\n");
        }
        workspace.write("swak-mini/build.rs", "fn main() {}\n");
        workspace.write("optional/OWN.txt", "You may do as you like.\n");
        workspace.write("linked/LICENSE-MIT", "Permission is granted, \r\nby A.\r\n");
        workspace.write("linked/NOTICE", "Made by A.\n");
        workspace.write("windows-only/COPYING", "Permission is\ngranted, by A.");
        workspace
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().expect("in a folder")).expect("writable");
        fs::write(path, text).expect("writable");
    }

    /// The agent's own folder.
    pub(crate) fn root(&self) -> PathBuf {
        self.folder.path().join("swak-mini")
    }

    pub(crate) fn graph(&self, target: &Target) -> Graph {
        graph(&self.root(), target)
    }
}

/// Asks Cargo about a package, as a build does.
pub(crate) fn graph(package: &Path, target: &Target) -> Graph {
    let of = |triple: &Triple| {
        let mut platforms = Vec::new();
        for name in [triple.name(), HOST] {
            platforms.extend(["--filter-platform".to_owned(), name.to_owned()]);
        }
        platforms.push("--offline".to_owned());
        let metadata = MetadataCommand::new()
            .manifest_path(package.join("Cargo.toml"))
            .other_options(platforms)
            .exec()
            .expect("Cargo answers");
        let ask = |edges| {
            let mut command = Command::new(env!("CARGO"));
            command.args(tree_arguments(triple, edges)).arg("--offline").current_dir(package);
            text(succeed(&mut command))
        };
        let (linked, all) = (ask(Edges::Linked), ask(Edges::All));
        let lock = metadata.workspace_root.join("Cargo.lock");
        let lock = fs::read_to_string(lock).expect("Cargo wrote it");
        let trees = Trees { linked: &linked, all: &all };
        Graph::of(&metadata, &lock, &trees).expect("the answers fit together")
    };
    Graph::union(target.triples.iter().map(of)).expect("a target has a triple")
}

pub(crate) fn target(word: &str) -> Target {
    Target::parse(word).expect("a target")
}

/// What makes the artifacts of these targets; every executable is this one.
pub(crate) struct Maker {
    pub(crate) name: AgentName,
    pub(crate) version: Version,
    pub(crate) recipe: Option<Recipe>,
    pub(crate) wanted: Wanted,
    pub(crate) moment: Moment,
    pub(crate) executable: Vec<u8>,
}

impl Maker {
    pub(crate) fn new(formats: &[Format]) -> Self {
        Maker {
            name: AgentName::new("My_prj").expect("a good name"),
            version: Version::parse("1.4.0-rc.1").expect("a version"),
            recipe: None,
            wanted: Wanted { packages: formats.to_vec(), container: true, ..Wanted::default() },
            moment: Moment::FIXED,
            executable: b"#!/bin/sh\necho it runs \"$@\"\n".to_vec(),
        }
    }

    pub(crate) fn make(&self, graph: &Graph, targets: &[Target]) -> Vec<Artifact> {
        let release = Release {
            name: &self.name,
            version: &self.version,
            recipe: self.recipe.as_ref(),
            standard: true,
            wanted: &self.wanted,
            moment: self.moment,
        };
        let made: Vec<_> = targets
            .iter()
            .map(|target| Made { target, executable: &self.executable, graph })
            .collect();
        release.artifacts(&made)
    }
}

/// One graph for the tests that look at none.
pub(crate) fn some_graph() -> &'static Graph {
    static GRAPH: OnceLock<Graph> = OnceLock::new();
    GRAPH.get_or_init(|| Workspace::new().graph(&Target::host()))
}

/// The one artifact whose name ends so.
pub(crate) fn ending<'a>(artifacts: &'a [Artifact], end: &str) -> &'a Artifact {
    let mut found = artifacts.iter().filter(|a| a.name.ends_with(end));
    match (found.next(), found.next()) {
        (Some(one), None) => one,
        _ => panic!("one file ends in {end}: {:?}", names(artifacts)),
    }
}

pub(crate) fn names(artifacts: &[Artifact]) -> Vec<&str> {
    artifacts.iter().map(|a| a.name.as_str()).collect()
}

/// A folder with the artifact in it, and its path.
pub(crate) fn written(artifact: &Artifact) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(&artifact.name);
    fs::write(&path, &artifact.bytes).expect("writable");
    (folder, path)
}

/// A tool that other people wrote, and the package of Debian that it is in.
pub(crate) fn tool(program: &str, package: &str) -> Command {
    let there = std::env::var_os("PATH").is_some_and(|path| {
        // Debian keeps some in folders that only root has in its path.
        let folders = std::env::split_paths(&path);
        folders.chain(["/usr/sbin", "/sbin"].map(PathBuf::from)).any(|f| f.join(program).is_file())
    });
    assert!(there, "{program} is missing: apt-get install {package}");
    Command::new(program)
}

/// Runs it; a failure shows what it said.
pub(crate) fn succeed(command: &mut Command) -> Output {
    let output = command.output().unwrap_or_else(|e| panic!("{command:?}: {e}"));
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (stdout, stderr) = (said(&output.stdout), said(&output.stderr));
    assert!(output.status.success(), "{command:?}: {}\n{stdout}\n{stderr}", output.status);
    output
}

/// What it said on standard output.
pub(crate) fn text(output: Output) -> String {
    String::from_utf8(output.stdout).expect("it speaks UTF-8")
}
