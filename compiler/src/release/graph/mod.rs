//! The crates that Cargo resolved for one target: which, from where, under which licence, and
//! whether they are in the executable.
//!
//! `cargo metadata` knows everything about a crate, but its graph has features turned on for all
//! targets at once, so that it names crates which a build for one target never sees. `cargo tree`
//! knows the graph as it is built. Both are asked: the tree says which crates there are and who
//! depends on whom, the metadata and `Cargo.lock` what they are.

mod known;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::path::PathBuf;

use cargo_metadata::Metadata;
use semver::Version;

use crate::target::Triple;
use known::Known;

/// The crates of an agent for one target. The same input gives the same graph, whatever the
/// order that Cargo named the crates in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Graph {
    /// By name, version and source; the agent itself is among them.
    crates: Vec<Crate>,
    root: usize,
}

/// One crate of a [`Graph`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crate {
    /// Its name, as in its `Cargo.toml`.
    pub name: String,
    /// Its version.
    pub version: Version,
    /// Where its source is from.
    pub source: CrateSource,
    /// What it says of its licence: an SPDX expression, if its author wrote one.
    pub license: Option<String>,
    /// The file with its licence, when the author names one: absolute.
    pub license_file: Option<PathBuf>,
    /// Who wrote it, as they say it.
    pub authors: Vec<String>,
    /// What it is, in its author's words.
    pub description: Option<String>,
    /// The address of its repository, as its author says it.
    pub repository: Option<String>,
    /// The SHA-256 of its archive, in hexadecimal; only what is from a registry has one.
    pub checksum: Option<String>,
    /// The folder of its source. It differs from machine to machine: nothing that is delivered may
    /// hold it.
    pub folder: PathBuf,
    /// It is in the executable; else it is only used while building (a procedural macro, a build
    /// script's helper).
    pub linked: bool,
    /// What it needs, as places in [`Graph::crates`].
    pub dependencies: BTreeSet<usize>,
    /// Those of its dependencies that are linked in with it.
    links: BTreeSet<usize>,
}

/// The index of crates.io, as `Cargo.lock` says it.
pub(super) const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Where a crate's source is from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CrateSource {
    /// A registry; its index, as Cargo calls it (`registry+https://…`).
    Registry(String),
    /// A repository with a commit: `git+https://…?rev=…#…`.
    Git(String),
    /// A folder.
    Path,
}

impl CrateSource {
    /// The address that it is from, fit to be handed on: without a name and a password in it. `None`
    /// of a folder or a repository on this machine, which is nobody else's business.
    pub fn address(&self) -> Option<String> {
        let address = match self {
            CrateSource::Registry(index) => index.split_once('+').map_or(index.as_str(), |i| i.1),
            CrateSource::Git(source) => {
                let address = source.strip_prefix("git+").unwrap_or(source);
                address.split(['?', '#']).next().unwrap_or_default()
            }
            CrateSource::Path => return None,
        };
        let (scheme, rest) = address.split_once("://")?;
        let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let (user, host) = host.rsplit_once('@').unwrap_or(("", host));
        // The name alone is no secret with SSH, and belongs to the address: `ssh://git@…`.
        let user = match user.split(':').next() {
            Some(name) if scheme == "ssh" && !name.is_empty() => format!("{name}@"),
            _ => String::new(),
        };
        (scheme != "file").then(|| format!("{scheme}://{user}{host}{path}"))
    }
}

/// What `cargo tree` said about one triple, for [`Edges::Linked`] and for [`Edges::All`].
#[derive(Clone, Copy, Debug)]
pub struct Trees<'a> {
    /// Of what is linked in.
    pub linked: &'a str,
    /// Of everything.
    pub all: &'a str,
}

/// Which dependencies a tree has. Those for tests are in none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edges {
    /// Of what is linked into the executable.
    Linked,
    /// Of everything that takes part in the build.
    All,
}

/// Why there is no graph: Cargo's answers do not fit together.
#[derive(Debug, thiserror::Error)]
pub enum GraphError {
    /// A line of the tree that is not as Cargo writes it.
    #[error("`cargo tree` said `{0}`, which is no crate with a version")]
    Line(String),
    /// A crate that only the tree has.
    #[error("`cargo tree` names `{0}`, which `cargo metadata` does not")]
    Unknown(String),
    /// A tree without a crate.
    #[error("`cargo tree` names no crate")]
    Empty,
    /// The lock is not TOML.
    #[error("`Cargo.lock` cannot be read: {0}")]
    Lock(#[from] toml_edit::TomlError),
}

/// The arguments for `cargo`, run in the generated workspace, whose answer [`Trees`] wants. Add
/// `--locked` or `--offline` as the build has them.
pub fn tree_arguments(triple: &Triple, edges: Edges) -> Vec<String> {
    let edges = match edges {
        Edges::Linked => "normal,no-proc-macro",
        Edges::All => "normal,build",
    };
    let words = ["tree", "--color=never", "--prefix=depth", "--format={p}", "--target"];
    words.into_iter().chain([triple.name(), "--edges", edges]).map(str::to_owned).collect()
}

impl Graph {
    /// Puts Cargo's answers together.
    ///
    /// `metadata` must have been asked for with `--filter-platform` for this triple and for the
    /// host (build scripts run there), or without; that it knows more crates does not matter.
    /// `lock` is the text of `Cargo.lock`.
    ///
    /// # Errors
    /// When the answers are not of one workspace.
    pub fn of(metadata: &Metadata, lock: &str, trees: &Trees<'_>) -> Result<Self, GraphError> {
        let known = Known::of(metadata, lock)?;
        let all = known.read(trees.all)?;
        let linked = known.read(trees.linked)?;
        let root = all.root.ok_or(GraphError::Empty)?;
        let mut edges: BTreeMap<usize, (BTreeSet<usize>, BTreeSet<usize>)> = BTreeMap::new();
        for from in all.crates.iter().chain(&linked.crates) {
            edges.entry(*from).or_default();
        }
        for (from, to) in all.edges.iter().chain(&linked.edges) {
            edges.entry(*from).or_default().0.insert(*to);
        }
        for (from, to) in &linked.edges {
            edges.entry(*from).or_default().1.insert(*to);
        }
        let places: HashMap<usize, usize> =
            edges.keys().enumerate().map(|(place, known)| (*known, place)).collect();
        let moved = |set: &BTreeSet<usize>| set.iter().map(|known| places[known]).collect();
        let crates = edges
            .iter()
            .map(|(at, (dependencies, links))| Crate {
                linked: linked.crates.contains(at),
                dependencies: moved(dependencies),
                links: moved(links),
                ..known.crates[*at].clone()
            })
            .collect();
        Ok(Graph { crates, root: places[&root] })
    }

    /// The graph of a file that holds the executables of several triples. `None` of none.
    pub fn union(graphs: impl IntoIterator<Item = Graph>) -> Option<Self> {
        let graphs: Vec<Graph> = graphs.into_iter().collect();
        let mut crates: BTreeMap<Key, Crate> = BTreeMap::new();
        for graph in &graphs {
            for one in &graph.crates {
                let held = crates.entry(one.key()).or_insert_with(|| one.alone());
                held.linked |= one.linked;
            }
        }
        let places: HashMap<Key, usize> =
            crates.keys().cloned().enumerate().map(|(place, key)| (key, place)).collect();
        let mut crates: Vec<Crate> = crates.into_values().collect();
        for graph in &graphs {
            let moved = |set: &BTreeSet<usize>| {
                set.iter().map(|at| places[&graph.crates[*at].key()]).collect::<Vec<_>>()
            };
            for one in &graph.crates {
                let held = &mut crates[places[&one.key()]];
                held.dependencies.extend(moved(&one.dependencies));
                held.links.extend(moved(&one.links));
            }
        }
        let root = places[&graphs.first()?.root().key()];
        Some(Graph { crates, root })
    }

    /// Every crate, the agent among them, ordered by name and version.
    pub fn crates(&self) -> &[Crate] {
        &self.crates
    }

    /// The agent's own crate.
    pub fn root(&self) -> &Crate {
        &self.crates[self.root]
    }

    /// Every crate but the agent's own.
    pub fn dependencies(&self) -> impl Iterator<Item = &Crate> {
        let others = self.crates.iter().enumerate().filter(|(at, _)| *at != self.root);
        others.map(|(_, one)| one)
    }

    /// One of the shortest ways from the agent to a crate along what is linked in, both ends
    /// included; only the crate itself when no way leads to it.
    pub fn way_to<'a>(&'a self, wanted: &'a Crate) -> Vec<&'a Crate> {
        let mut before: HashMap<usize, usize> = HashMap::new();
        let mut queue = VecDeque::from([self.root]);
        while let Some(at) = queue.pop_front() {
            if self.crates[at].key() == wanted.key() {
                let mut way = vec![&self.crates[at]];
                let mut at = at;
                while let Some(from) = before.get(&at) {
                    way.push(&self.crates[*from]);
                    at = *from;
                }
                way.reverse();
                return way;
            }
            for next in &self.crates[at].links {
                if *next != self.root && !before.contains_key(next) {
                    before.insert(*next, at);
                    queue.push_back(*next);
                }
            }
        }
        vec![wanted]
    }
}

/// What tells a crate from every other one.
type Key = (String, Version, CrateSource);

impl Crate {
    /// What tells it from every other crate.
    pub fn key(&self) -> (String, Version, CrateSource) {
        (self.name.clone(), self.version.clone(), self.source.clone())
    }

    fn alone(&self) -> Self {
        Crate { dependencies: BTreeSet::new(), links: BTreeSet::new(), ..self.clone() }
    }
}

#[cfg(test)]
impl Crate {
    /// Version 1.0.0 of a crate of which nothing else is known.
    pub(super) fn from_somewhere(name: &str, source: CrateSource) -> Self {
        Crate {
            name: name.to_owned(),
            version: Version::new(1, 0, 0),
            source,
            license: None,
            license_file: None,
            authors: Vec::new(),
            description: None,
            repository: None,
            checksum: None,
            folder: PathBuf::new(),
            linked: true,
            dependencies: BTreeSet::new(),
            links: BTreeSet::new(),
        }
    }
}

/// `serde 1.0.2`
impl std::fmt::Display for Crate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.name, self.version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_no_secret_and_no_folder() {
        let git = |source: &str| CrateSource::Git(format!("git+{source}?rev=1#12ab")).address();
        let is = |address: &str| Some(address.to_owned());
        assert_eq!(git("https://me:secret@example.com/x"), is("https://example.com/x"));
        assert_eq!(git("https://token@example.com:8443/x@y"), is("https://example.com:8443/x@y"));
        assert_eq!(git("ssh://git@example.com/x.git"), is("ssh://git@example.com/x.git"));
        assert_eq!(git("ssh://me:secret@example.com"), is("ssh://me@example.com"));
        assert_eq!(git("file:///home/me/x"), None);
        let index = CrateSource::Registry("sparse+https://a:b@example.com/index/".to_owned());
        assert_eq!(index.address(), is("https://example.com/index/"));
        assert_eq!(CrateSource::Path.address(), None);
    }
}
