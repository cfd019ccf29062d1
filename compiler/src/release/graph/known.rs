//! Reading what Cargo says: the metadata, the lock, the lines of a tree.

use std::collections::{BTreeSet, HashMap};

use cargo_metadata::{Metadata, Package};
use toml_edit::DocumentMut;

use super::{Crate, CrateSource, GraphError};

/// The crates of the metadata, in their order.
pub(super) struct Known {
    pub(super) crates: Vec<Crate>,
    by_name: HashMap<(String, String), Vec<usize>>,
}

/// A tree, in places of [`Known`].
#[derive(Default)]
pub(super) struct Tree {
    pub(super) root: Option<usize>,
    pub(super) crates: BTreeSet<usize>,
    pub(super) edges: BTreeSet<(usize, usize)>,
}

impl Known {
    /// Those of `cargo metadata`, with what `Cargo.lock` adds.
    pub(super) fn of(metadata: &Metadata, lock: &str) -> Result<Self, GraphError> {
        let checksums = checksums(lock)?;
        let mut crates: Vec<_> = metadata.packages.iter().map(|p| read(p, &checksums)).collect();
        crates.sort_by_cached_key(Crate::key);
        let mut by_name: HashMap<_, Vec<usize>> = HashMap::new();
        for (at, one) in crates.iter().enumerate() {
            by_name.entry((one.name.clone(), one.version.to_string())).or_default().push(at);
        }
        Ok(Known { crates, by_name })
    }

    /// Lines such as `2memchr v2.8.3`: how deep, and who. One that was shown before has `(*)`
    /// behind it, and what is below it is not repeated.
    pub(super) fn read(&self, text: &str) -> Result<Tree, GraphError> {
        let mut tree = Tree::default();
        let mut above: Vec<usize> = Vec::new();
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            let malformed = || GraphError::Line(line.to_owned());
            let digits = line.bytes().take_while(u8::is_ascii_digit).count();
            let (depth, rest) = line.split_at(digits);
            let depth: usize = depth.parse().map_err(|_| malformed())?;
            let (name, rest) = rest.split_once(" v").ok_or_else(malformed)?;
            let (version, origin) = rest.split_once(' ').unwrap_or((rest, ""));
            let key = (name.to_owned(), version.to_owned());
            let found = self.by_name.get(&key).map(Vec::as_slice).unwrap_or_default();
            let place = match found {
                [] => return Err(GraphError::Unknown(format!("{name} {version}"))),
                [one] => *one,
                several => self.from(several, origin),
            };
            if depth > above.len() {
                return Err(malformed());
            }
            above.truncate(depth);
            match above.last() {
                None => {
                    tree.root.get_or_insert(place);
                }
                Some(parent) => {
                    tree.edges.insert((*parent, place));
                }
            }
            tree.crates.insert(place);
            above.push(place);
        }
        Ok(tree)
    }

    /// Of crates that share name and version, the one from where the line says: nothing or
    /// `(registry …)`, `(https://…)` or a folder.
    fn from(&self, several: &[usize], origin: &str) -> usize {
        let fits = |at: &&usize| match &self.crates[**at].source {
            // The line has the first digits of the commit.
            CrateSource::Git(source) => origin
                .strip_prefix('(')
                .and_then(|said| said.split(')').next())
                .filter(|said| said.contains("://"))
                .is_some_and(|said| source.trim_start_matches("git+").starts_with(said)),
            CrateSource::Path => origin.starts_with('(') && !origin.contains("://"),
            CrateSource::Registry(_) => {
                !origin.starts_with('(')
                    || ["(registry", "(*)", "(proc-macro)"].iter().any(|w| origin.starts_with(w))
            }
        };
        // A registry's crate is taken before a folder's: `(*)` reads as both.
        let registry = |at: &&usize| !matches!(self.crates[**at].source, CrateSource::Registry(_));
        *several.iter().filter(fits).min_by_key(registry).unwrap_or(&several[0])
    }
}

fn read(package: &Package, checksums: &HashMap<LockKey, String>) -> Crate {
    let source = package.source.as_ref().map(|s| s.repr.as_str());
    let name = package.name.to_string();
    let key = (name, package.version.to_string(), source.unwrap_or_default().to_owned());
    let checksum = checksums.get(&key).cloned();
    Crate {
        name: key.0,
        version: package.version.clone(),
        source: match source {
            None => CrateSource::Path,
            Some(git) if git.starts_with("git+") => CrateSource::Git(git.to_owned()),
            Some(index) => CrateSource::Registry(index.to_owned()),
        },
        license: package.license.clone(),
        license_file: package.license_file().map(Into::into),
        authors: package.authors.clone(),
        description: package.description.clone(),
        repository: package.repository.clone(),
        checksum,
        folder: package.manifest_path.parent().map(Into::into).unwrap_or_default(),
        linked: false,
        dependencies: BTreeSet::new(),
        links: BTreeSet::new(),
    }
}

/// Name, version and source.
type LockKey = (String, String, String);

fn checksums(lock: &str) -> Result<HashMap<LockKey, String>, GraphError> {
    let document: DocumentMut = lock.parse()?;
    let packages = document.get("package").and_then(|p| p.as_array_of_tables());
    let entry = |table: &toml_edit::Table| {
        let text = |key: &str| table.get(key).and_then(|v| v.as_str()).map(str::to_owned);
        Some(((text("name")?, text("version")?, text("source")?), text("checksum")?))
    };
    Ok(packages.into_iter().flatten().filter_map(entry).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crate_of_two_repositories_is_the_one_that_the_line_names() {
        let sources =
            ["https://example.com/a?rev=1#1111aaaa22", "https://example.com/b#3333bbbb44"];
        let crates = sources
            .map(|source| Crate::from_somewhere("x", CrateSource::Git(format!("git+{source}"))));
        let by_name = HashMap::from([(("x".to_owned(), "1.0.0".to_owned()), vec![0, 1])]);
        let known = Known { crates: crates.into(), by_name };
        let text = "0x v1.0.0 (https://example.com/b#3333bbbb)\n\
                    1x v1.0.0 (https://example.com/a?rev=1#1111aaaa) (*)\n";
        let tree = known.read(text).expect("as Cargo writes it");
        assert_eq!((tree.root, tree.edges), (Some(1), BTreeSet::from([(1, 0)])));
    }
}
