//! Where the source of each crate is, as Cargo resolved it.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;

use cargo_metadata::{Metadata, MetadataCommand, Package, PackageId, TargetKind};
use semver::Version;

use super::cargo::{self, Words};
use super::error::BuildError;
use super::{Options, Progress};
use crate::names::CrateName;
use crate::resolve::{self, Plan, Source};
use crate::target::HOST;

/// The crate of the runtime that an agent depends on.
pub(super) const RUNTIME: &str = "swak-agent";

/// Every crate of a build.
pub(super) struct Crates {
    by_name: HashMap<String, Found>,
    names: HashMap<PackageId, String>,
    metadata: Metadata,
}

/// One crate as it was resolved.
pub(super) struct Found {
    pub(super) version: Version,
    /// The root of its library's source.
    pub(super) library: Option<PathBuf>,
}

impl Crates {
    /// A crate by its name.
    pub(super) fn get(&self, name: &str) -> Option<&Found> {
        self.by_name.get(name)
    }

    /// `serde 1.0.2`
    pub(super) fn describe(&self, id: &PackageId) -> Option<&str> {
        self.names.get(id).map(String::as_str)
    }

    /// What Cargo resolved, for all targets together.
    pub(super) fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// The folders of crates from a registry.
    pub(super) fn of_registries(&self) -> impl Iterator<Item = &Path> {
        self.packages().filter(|p| comes_from(p, "registry")).filter_map(folder_of)
    }

    /// The folders of crates from repositories, each with `name-version`.
    pub(super) fn of_repositories(&self) -> BTreeMap<String, &Path> {
        let named = |p: &'_ Package| format!("{}-{}", p.name, p.version);
        let git = self.packages().filter(|p| comes_from(p, "git"));
        git.filter_map(|p| Some((named(p), folder_of(p)?))).collect()
    }

    /// The folders of crates that are where a person has them: as the compiler names them, which is
    /// from the workspace for those behind a link in it.
    pub(super) fn of_folders(&self, workspace: &Path) -> impl Iterator<Item = &Path> {
        let local = self.packages().filter(|p| p.source.is_none()).filter_map(folder_of);
        // The workspace itself is the agent's.
        let others = local.filter(move |folder| *folder != workspace);
        others.map(move |f| f.strip_prefix(workspace).unwrap_or(f))
    }

    fn packages(&self) -> impl Iterator<Item = &Package> {
        self.metadata.packages.iter()
    }
}

/// The libraries of the plugins that are in folders.
pub(super) fn local(plan: &Plan) -> BTreeMap<CrateName, PathBuf> {
    let library = |source: &Source| match source {
        Source::Path { path } => resolve::Package::read(path).ok().map(|p| p.library),
        _ => None,
    };
    let plugins = plan.plugins.iter();
    plugins.filter_map(|p| Some((p.name.clone(), library(&p.source)?))).collect()
}

/// Asks Cargo. It fetches what is not there yet, and writes the lock of the workspace.
pub(super) fn resolve(
    plan: &Plan,
    options: &Options,
    folder: &Path,
    progress: &mut dyn Progress,
) -> Result<Crates, BuildError> {
    let mut asked = MetadataCommand::new();
    asked.manifest_path(folder.join("Cargo.toml"));
    // Build scripts and macros are for this machine.
    let names: BTreeSet<_> = plan.triples().iter().map(|t| t.name()).chain([HOST]).collect();
    let filters = names.iter().flat_map(|name| ["--filter-platform", name]);
    asked.other_options(filters.map(str::to_owned).collect::<Vec<_>>());
    let mut command = cargo::command(folder);
    command.args(asked.cargo_command().get_args()).args(options.for_cargo());
    let (ok, answer, words) = run(command, progress)?;
    if !ok {
        let words = plan.trees.told_truly(&words, folder);
        return Err(BuildError::Resolve { words, offline: options.offline });
    }
    let metadata =
        MetadataCommand::parse(answer.trim()).map_err(|e| BuildError::Answer(e.to_string()))?;
    Ok(Crates::of(metadata, plan))
}

impl Crates {
    fn of(metadata: Metadata, plan: &Plan) -> Self {
        let nodes = || metadata.resolve.iter().flat_map(|r| &r.nodes);
        let used: HashSet<_> = nodes().map(|node| &node.id).collect();
        // A plugin may bring another version of one that is imported: only what the agent itself
        // depends on is what was asked for.
        let root = metadata.resolve.as_ref().and_then(|r| r.root.as_ref());
        let root = nodes().find(|node| Some(&node.id) == root);
        let direct: HashSet<_> = root.iter().flat_map(|node| &node.dependencies).collect();
        let (mut by_name, mut names) = (HashMap::new(), HashMap::new());
        for package in &metadata.packages {
            if used.contains(&package.id) {
                let described = format!("{} {}", package.name, package.version);
                names.insert(package.id.clone(), described);
            }
            let name = package.name.as_str();
            let wanted = name == RUNTIME || plan.plugins.iter().any(|p| p.name.as_str() == name);
            if wanted && direct.contains(&package.id) {
                let is_library = |t: &&cargo_metadata::Target| t.is_kind(TargetKind::Lib);
                let library = package.targets.iter().find(is_library);
                let found = Found {
                    version: package.version.clone(),
                    library: library.map(|t| t.src_path.clone().into_std_path_buf()),
                };
                by_name.insert(name.to_owned(), found);
            }
        }
        Crates { by_name, names, metadata }
    }
}

fn comes_from(package: &Package, kind: &str) -> bool {
    package.source.as_ref().is_some_and(|source| source.repr.starts_with(kind))
}

fn folder_of(package: &Package) -> Option<&Path> {
    package.manifest_path.parent().map(AsRef::as_ref)
}

/// Takes the newer version of one crate, if that was asked for.
pub(super) fn update(
    plan: &Plan,
    options: &Options,
    folder: &Path,
    progress: &mut dyn Progress,
) -> Result<(), BuildError> {
    let super::Update::Crate(name) = &options.update else { return Ok(()) };
    // Without a lock, every crate is taken in its newest version anyway.
    if !folder.join("Cargo.lock").is_file() {
        return Ok(());
    }
    let mut command = cargo::command(folder);
    command.args(["update", "--manifest-path"]).arg(folder.join("Cargo.toml"));
    // After `--package=`, a word that begins with a dash is no option.
    command.arg(format!("--package={name}"));
    if options.offline {
        command.arg("--offline");
    }
    let (ok, _, words) = run(command, progress)?;
    if ok {
        return Ok(());
    }
    let words = plan.trees.told_truly(&words, folder);
    Err(BuildError::Update { krate: name.clone(), words })
}

/// Runs Cargo to its end; shows what it says on the way. Gives whether it went well, what it
/// answered, and what it said.
pub(super) fn run(
    command: std::process::Command,
    progress: &mut dyn Progress,
) -> Result<(bool, String, String), BuildError> {
    let mut child = cargo::start(command)?;
    let stdout = child.stdout.take().expect("standard output is piped");
    let stderr = child.stderr.take().expect("standard error is piped");
    let (send, lines) = mpsc::channel();
    let saying = thread::spawn(move || {
        // The other end waits for this thread, so that it is there for every line.
        cargo::each_line(stderr, |line| drop(send.send(line)));
    });
    let answering = thread::spawn(move || {
        let mut answer = String::new();
        cargo::each_line(stdout, |line| {
            answer.push_str(&line);
            answer.push('\n');
        });
        answer
    });
    let mut words = Words::default();
    for line in lines {
        progress.cargo_says(&line);
        words.add(&line);
    }
    saying.join().expect("reading lines does not panic");
    let answer = answering.join().expect("reading lines does not panic");
    let status = child.wait().map_err(|e| BuildError::Answer(e.to_string()))?;
    if status.code().is_none() {
        return Err(BuildError::Interrupted);
    }
    Ok((status.success(), answer, words.text().to_owned()))
}
