//! The plan: all that a build config comes to, computed whole before anything runs.

use std::path::{Path, PathBuf};

use semver::{Version, VersionReq};
use serde::Serialize;

use super::Trees;
use crate::names::{AgentName, CrateName};
use crate::release::Wanted;
use crate::target::{Target, Triple};
use crate::toolchain::{Chosen, Kind};

/// What will be built, from what, and where it goes.
#[derive(Clone, Debug, Serialize)]
pub struct Plan {
    /// The agent's name.
    pub name: AgentName,
    /// The agent's version.
    pub version: Version,
    /// The build config, as the file was named.
    pub config: PathBuf,
    /// Where the runtime comes from.
    pub runtime: Runtime,
    /// The plugin crates, ordered by name.
    pub plugins: Vec<Plugin>,
    /// The recipe that is built in.
    pub recipe: Option<Recipe>,
    /// What it is built for.
    pub targets: Vec<Planned>,
    /// What compiles and links, if a person said so.
    #[serde(skip)]
    pub toolchain: Option<Kind>,
    /// What compiles and links each triple, in the order that they are built.
    pub toolchains: Vec<Chosen>,
    /// How it is compiled.
    pub profile: Profile,
    /// What is made beside the executables.
    #[serde(flatten)]
    pub wanted: Wanted,
    /// Pins every crate; beside the build config.
    pub lock: PathBuf,
    /// The hash of the build config, in hexadecimal digits.
    pub config_sha256: String,
    /// The hash of the lock, once that is known.
    #[serde(skip)]
    pub lock_sha256: Option<String>,
    /// The folder of all that is generated and compiled.
    pub build_dir: PathBuf,
    /// The generated workspace.
    pub workspace: PathBuf,
    /// The folders outside of the workspace that it builds from.
    pub trees: Trees,
    /// Cargo's target folder, shared by the build configs of one folder.
    pub target_dir: PathBuf,
    /// The folder for what the build leaves behind.
    pub out: PathBuf,
}

impl Plan {
    /// The first of its folders and files whose name is not UTF-8: Cargo is told all of them, and
    /// takes nothing else.
    pub fn not_utf8(&self) -> Option<&Path> {
        let own = [&self.config, &self.lock, &self.build_dir, &self.out];
        let own = own.into_iter().chain(self.recipe.iter().map(|recipe| &recipe.path));
        let sources =
            self.plugins.iter().map(|plugin| &plugin.source).chain([&self.runtime.source]);
        let folders = sources.filter_map(|source| match source {
            Source::Path { path } => Some(path),
            _ => None,
        });
        let all = own.chain(folders).chain(self.trees.iter().map(|tree| &tree.root));
        all.map(PathBuf::as_path).find(|path| path.to_str().is_none())
    }
}

/// One target of a plan, and where its executable goes.
#[derive(Clone, Debug, Serialize)]
pub struct Planned {
    /// The target.
    #[serde(flatten)]
    pub target: Target,
    /// Its file.
    pub file: PathBuf,
    /// The same file again, under the agent's own name: the target runs on this machine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub also: Option<PathBuf>,
}

/// Where the runtime comes from.
#[derive(Clone, Debug, Serialize)]
pub struct Runtime {
    /// A source tree (its root folder), a repository, or the registry.
    pub source: Source,
    /// Why: said in the build config, or found.
    pub because: &'static str,
    /// Its version, where that is known before Cargo resolves.
    pub version: Option<Version>,
}

/// One plugin crate of the plan.
#[derive(Clone, Debug, Serialize)]
pub struct Plugin {
    /// The crate.
    #[serde(rename = "crate")]
    pub name: CrateName,
    /// Where its source is.
    pub source: Source,
    /// Its version, where that is known before Cargo resolves.
    pub version: Option<Version>,
    /// Cargo features that are turned on.
    pub features: Vec<String>,
    /// Whether the crate's default features stay on.
    pub default_features: bool,
    /// Linked because every agent has the standard plugins, not because it was imported.
    pub standard: bool,
}

/// Where a crate's source is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase", tag = "from")]
pub enum Source {
    /// A folder.
    Path {
        /// The folder, absolute.
        path: PathBuf,
    },
    /// A Git repository.
    Git {
        /// Its address.
        url: String,
        /// Which commit.
        #[serde(flatten)]
        reference: GitReference,
    },
    /// The registry that Cargo is set up with.
    Registry {
        /// Which versions fit; `*` is the newest that fits the runtime.
        version: VersionReq,
    },
}

/// Which commit of a repository.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum GitReference {
    /// The newest one of the default branch.
    #[default]
    Head,
    /// The newest one of a branch.
    Branch(String),
    /// A tag.
    Tag(String),
    /// A commit.
    Rev(String),
}

/// The recipe that is built into the agent.
#[derive(Clone, Debug, Serialize)]
pub struct Recipe {
    /// The file, as the build config names it from the current folder.
    pub path: PathBuf,
    /// What is in it.
    #[serde(skip)]
    pub text: String,
}

/// How the agent is compiled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// Fast to run: what is shipped.
    #[default]
    Release,
    /// Small on disk, at the cost of some speed.
    Small,
    /// Fast to compile, with line numbers in a backtrace.
    Debug,
}

impl Profile {
    /// As Cargo is told: `dev` is Cargo's word for debug.
    pub fn cargo_name(self) -> &'static str {
        match self {
            Profile::Release => "release",
            Profile::Small => "small",
            Profile::Debug => "dev",
        }
    }

    /// The folder in Cargo's target folder.
    pub fn folder(self) -> &'static str {
        match self {
            Profile::Release => "release",
            Profile::Small => "small",
            Profile::Debug => "debug",
        }
    }
}

impl Plan {
    /// The plan for people.
    pub fn to_text(&self) -> String {
        let mut lines = vec![
            format!("agent      {} {}", self.name.package(), self.version),
            format!("runtime    {} ({})", self.runtime.source, self.runtime.because),
        ];
        for (i, plugin) in self.plugins.iter().enumerate() {
            let head = if i == 0 { "plugins" } else { "" };
            lines.push(format!("{head:<10} {plugin}"));
        }
        if self.plugins.is_empty() {
            lines.push("plugins    none".to_owned());
        }
        match &self.recipe {
            Some(recipe) => lines.push(format!("recipe     {}", recipe.path.display())),
            None => lines.push("recipe     none built in".to_owned()),
        }
        for (i, planned) in self.targets.iter().enumerate() {
            let head = if i == 0 { "targets" } else { "" };
            lines.push(format!("{head:<10} {}", planned.target));
        }
        for (i, chosen) in self.toolchains.iter().enumerate() {
            let head = if i == 0 { "toolchains" } else { "" };
            let library = if chosen.build_std { ", the standard library from source" } else { "" };
            let Chosen { triple, kind, because, .. } = chosen;
            lines.push(format!("{head:<10} {kind} for {triple} ({because}){library}"));
        }
        lines.push(format!("profile    {}", self.profile.folder()));
        let beside = self.wanted.lines(&self.built());
        lines.extend(beside.into_iter().map(|(head, text)| format!("{head:<10} {text}")));
        let pinned = if self.lock.is_file() { "" } else { " (will be written)" };
        lines.push(format!("lock       {}{pinned}", self.lock.display()));
        lines.push(format!("workspace  {}", self.workspace.display()));
        for (i, output) in self.files().enumerate() {
            let head = if i == 0 { "output" } else { "" };
            lines.push(format!("{head:<10} {}", output.display()));
        }
        lines.push(String::new());
        lines.join("\n")
    }

    /// The targets, without their files.
    pub fn built(&self) -> Vec<Target> {
        self.targets.iter().map(|planned| planned.target.clone()).collect()
    }

    /// Where the executable of a target goes.
    ///
    /// # Panics
    /// When it is none of the plan's targets.
    pub fn planned(&self, target: &Target) -> &Planned {
        self.targets.iter().find(|p| p.target == *target).expect("it is one of the plan's")
    }

    /// Every executable that is left behind.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        self.targets
            .iter()
            .flat_map(|t| [Some(&t.file), t.also.as_ref()])
            .flatten()
            .map(PathBuf::as_path)
    }

    /// What is compiled, each triple once, in the order of the targets.
    pub fn triples(&self) -> Vec<&Triple> {
        let mut triples = Vec::new();
        for triple in self.targets.iter().flat_map(|t| &t.target.triples) {
            if !triples.contains(&triple) {
                triples.push(triple);
            }
        }
        triples
    }

    /// The plugin crates whose source only Cargo can fetch.
    pub fn remote_plugins(&self) -> impl Iterator<Item = &Plugin> {
        self.plugins.iter().filter(|p| !matches!(p.source, Source::Path { .. }))
    }
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Source::Path { path } => write!(f, "{}", path.display()),
            Source::Git { url, reference } => {
                write!(f, "{url}")?;
                match reference {
                    GitReference::Head => Ok(()),
                    GitReference::Branch(name) => write!(f, " branch {name}"),
                    GitReference::Tag(name) => write!(f, " tag {name}"),
                    GitReference::Rev(name) => write!(f, " rev {name}"),
                }
            }
            Source::Registry { version } if *version == VersionReq::STAR => {
                f.write_str("registry, newest that fits the runtime")
            }
            Source::Registry { version } => write!(f, "registry, version {version}"),
        }
    }
}

impl std::fmt::Display for Plugin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.name)?;
        if let Some(version) = &self.version {
            write!(f, " {version}")?;
        }
        write!(f, " ({})", self.source)?;
        if !self.features.is_empty() {
            write!(f, " with {}", self.features.join(", "))?;
        }
        if !self.default_features {
            f.write_str(" without default features")?;
        }
        if self.standard {
            f.write_str(", standard")?;
        }
        Ok(())
    }
}
