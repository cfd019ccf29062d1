//! Finding the files that patterns name, again and again, without looking at each of them.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use swak_sdk::options::Glob;

use super::identify::{Identity, is_of_path};
use super::walk::{Look, Walker};
use crate::identity::{FileId, Stat};

/// A file that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) path: PathBuf,
    pub(super) id: FileId,
    /// When it was made, where that is known.
    pub(super) born: Option<i64>,
    /// When it had been written to.
    pub(super) modified: Option<i128>,
    /// Where it lies, when its path is a symbolic link.
    pub(super) target: Option<PathBuf>,
}

impl Found {
    /// The regular file that a path leads to, if it is one.
    pub(super) fn at(path: PathBuf, identity: Identity) -> io::Result<Option<Self>> {
        let stat = Stat::of_path(&path)?;
        Ok(stat.map(|stat| {
            let id = identity.id(&path, &stat);
            // What a path leads to may be made anew and be the same file.
            let born = stat.born.filter(|_| !is_of_path(id));
            Found { path, id, born, modified: stat.modified, target: None }
        }))
    }

    /// As [`Found::at`], for a path that may be a symbolic link.
    pub(super) fn through_link(path: PathBuf, identity: Identity) -> io::Result<Option<Self>> {
        let target = match path.is_symlink() {
            true => fs::canonicalize(&path).ok(),
            false => None,
        };
        Ok(Found::at(path, identity)?.map(|found| Found { target, ..found }))
    }

    /// Whether it is still at its path.
    pub(super) fn is_there(&self, identity: Identity) -> bool {
        let now = Found::at(self.path.clone(), identity);
        matches!(now, Ok(Some(now)) if now.id == self.id)
    }

    /// Whether this may be the file that had this identity when it was made at that time: an inode is
    /// used again, but not a moment.
    pub(super) fn may_be(&self, id: FileId, born: Option<i64>) -> bool {
        self.id == id && !are_different(self.born, born)
    }
}

/// Whether files that were made at these times are two.
pub(super) fn are_different(one: Option<i64>, other: Option<i64>) -> bool {
    one.zip(other).is_some_and(|(one, other)| one != other)
}

/// What is there at one moment.
#[derive(Debug, Default)]
pub(super) struct Scan {
    pub(super) files: Vec<Found>,
    /// Folders and files that could not be looked at; what is missing below them may still exist.
    unknown: Vec<PathBuf>,
    /// Those of them to which access was denied.
    denied: HashSet<PathBuf>,
}

impl Scan {
    /// Whether a file that is not here may be at this path nevertheless.
    pub(super) fn may_be_at(&self, path: &Path) -> bool {
        self.unknown.iter().any(|unknown| path.starts_with(unknown))
    }

    /// Whether the file at this path is on its way out: where it is deleted while it is open, old
    /// versions of Windows and many of its file systems keep the name until it is closed, and deny even
    /// to look at it.
    pub(super) fn is_being_deleted(&self, path: &Path) -> bool {
        cfg!(windows) && self.denied.contains(path)
    }
}

/// Finds the files of some patterns. A folder that did not change is not read again.
#[derive(Debug)]
pub(super) struct Discovery {
    walkers: Vec<Walker>,
    exclude: Vec<Glob>,
    identity: Identity,
    /// Folders and files that could not be looked at, so that each is reported once.
    unreadable: HashSet<PathBuf>,
}

impl Discovery {
    /// For files that match one of `include` and none of `exclude`.
    pub(super) fn new(include: Vec<Glob>, exclude: Vec<Glob>, identity: Identity) -> Self {
        let walkers = include.into_iter().map(Walker::new).collect();
        Discovery { walkers, exclude, identity, unreadable: HashSet::new() }
    }

    /// Looks.
    pub(super) fn scan(&mut self) -> Scan {
        let mut look = Look::new(&self.exclude, self.identity);
        for walker in &mut self.walkers {
            walker.scan(&mut look);
        }
        let Look { files, failed, .. } = look;
        let mut scan = Scan { files, ..Scan::default() };
        for (path, error) in &failed {
            if !self.unreadable.contains(path) {
                tracing::warn!(path = %path.display(), "cannot look at this: {error}");
            }
        }
        let is_denied = |error: &io::Error| error.kind() == io::ErrorKind::PermissionDenied;
        scan.denied =
            failed.iter().filter(|(_, e)| is_denied(e)).map(|(path, _)| path.clone()).collect();
        scan.unknown = failed.keys().cloned().collect();
        self.unreadable = failed.into_keys().collect();
        scan
    }

    /// The patterns as they were written.
    pub(super) fn patterns(&self) -> String {
        let patterns: Vec<&str> = self.walkers.iter().map(|w| w.glob().as_str()).collect();
        patterns.join(", ")
    }

    /// Files that are named without wildcards, whether they are there or not.
    pub(super) fn named(&self) -> impl Iterator<Item = &Path> {
        self.walkers.iter().filter_map(|walker| walker.glob().literal())
    }

    /// The folders in which files were looked for.
    pub(super) fn folders(&self) -> impl Iterator<Item = &Path> {
        self.walkers.iter().flat_map(Walker::folders)
    }

    /// Whether a pattern names this file.
    pub(super) fn is_match(&self, path: &Path) -> bool {
        let is_excluded = || self.exclude.iter().any(|glob| glob.is_match(path));
        self.walkers.iter().any(|walker| walker.glob().is_match(path)) && !is_excluded()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Tree(tempfile::TempDir);

    impl Tree {
        fn new(files: &[&str]) -> Self {
            let tree = Tree(tempfile::tempdir().unwrap());
            for file in files {
                tree.write(file);
            }
            tree
        }

        fn path(&self, name: &str) -> PathBuf {
            self.0.path().join(name)
        }

        fn write(&self, name: &str) {
            fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
            fs::write(self.path(name), name).unwrap();
        }

        fn discovery(&self, include: &[&str], exclude: &[&str]) -> Discovery {
            let globs = |patterns: &[&str]| {
                patterns
                    .iter()
                    .map(|p| Glob::new(self.path(p).to_str().unwrap()).unwrap())
                    .collect()
            };
            Discovery::new(globs(include), globs(exclude), Identity::Auto)
        }

        fn names(&self, discovery: &mut Discovery) -> Vec<String> {
            let mut names: Vec<String> = discovery
                .scan()
                .files
                .iter()
                .map(|f| {
                    f.path.strip_prefix(self.0.path()).unwrap().to_str().unwrap().replace('\\', "/")
                })
                .collect();
            names.sort();
            names
        }
    }

    #[test]
    fn every_kind_of_pattern() {
        let tree = Tree::new(&["a.log", "b.txt", "x/a.log", "x/y/b.log", "z/y/b.log", "z/y/c.txt"]);
        for (pattern, expected) in [
            ("a.log", &["a.log"][..]),
            ("*.log", &["a.log"]),
            ("*/a.log", &["x/a.log"]),
            ("*/y/*.log", &["x/y/b.log", "z/y/b.log"]),
            ("**/b.log", &["x/y/b.log", "z/y/b.log"]),
            ("**/*.log", &["a.log", "x/a.log", "x/y/b.log", "z/y/b.log"]),
            ("{x/y,z/y}/[bc].*", &["x/y/b.log", "z/y/b.log", "z/y/c.txt"]),
            ("none/*.log", &[]),
        ] {
            assert_eq!(tree.names(&mut tree.discovery(&[pattern], &[])), expected, "{pattern}");
        }
        let mut without = tree.discovery(&["**/*.log"], &["x/**", "a.log"]);
        assert_eq!(tree.names(&mut without), ["z/y/b.log"]);
    }

    #[test]
    fn folders_of_which_all_is_excluded_are_not_walked() {
        let tree = Tree::new(&["a.log", "cache/b.log", "cache/deep/c.log", "logs/d.log"]);
        for (exclude, walked) in [
            ("cache/**", 2),
            ("**/cache/**/*", 2),
            ("cache/*", 4),
            ("cache/**/*.log", 4),
            ("**", 0),
        ] {
            let mut discovery = tree.discovery(&["**/*.log"], &[exclude]);
            discovery.scan();
            assert_eq!(discovery.folders().count(), walked, "{exclude}");
        }
    }

    #[test]
    fn what_comes_goes_and_changes_is_seen() {
        let tree = Tree::new(&["a.log", "sub/b.log"]);
        let mut discovery = tree.discovery(&["**/*.log"], &[]);
        assert_eq!(tree.names(&mut discovery), ["a.log", "sub/b.log"]);
        let before = discovery.scan().files;
        assert_eq!(discovery.scan().files, before);
        tree.write("sub/new.log");
        fs::remove_file(tree.path("a.log")).unwrap();
        fs::rename(tree.path("sub/b.log"), tree.path("b.log")).unwrap();
        assert_eq!(tree.names(&mut discovery), ["b.log", "sub/new.log"]);
    }

    #[cfg(unix)]
    #[test]
    fn links_lead_to_files_and_never_in_circles() {
        use std::os::unix::fs::symlink;
        let tree = Tree::new(&["real/a.log", "other/b.log"]);
        symlink(tree.path("real/a.log"), tree.path("link.log")).unwrap();
        symlink(tree.path(""), tree.path("real/circle")).unwrap();
        let mut deep = tree.discovery(&["**/*.log"], &[]);
        assert_eq!(tree.names(&mut deep), ["link.log", "other/b.log", "real/a.log"]);
        let mut flat = tree.discovery(&["*.log"], &[]);
        let before = flat.scan().files;
        fs::remove_file(tree.path("link.log")).unwrap();
        symlink(tree.path("other/b.log"), tree.path("link.log")).unwrap();
        let after = flat.scan().files;
        assert_ne!(after[0].id, before[0].id);
        let mut through = tree.discovery(&["real/circle/other/*.log"], &[]);
        assert_eq!(tree.names(&mut through), ["real/circle/other/b.log"]);
    }

    #[test]
    fn an_inode_that_is_used_again_is_another_file() {
        let id = FileId { device: 1, inode: 2 };
        let found = Found { path: "/a".into(), id, born: Some(7), modified: None, target: None };
        assert!(found.may_be(id, Some(7)) && found.may_be(id, None));
        assert!(!found.may_be(id, Some(8)));
        assert!(!found.may_be(FileId { inode: 3, ..id }, Some(7)));
    }

    #[test]
    fn what_is_below_an_unknown_folder_may_be_there() {
        let scan = Scan { unknown: vec!["/logs/secret".into()], ..Scan::default() };
        assert!(scan.may_be_at(Path::new("/logs/secret/a.log")));
        assert!(!scan.may_be_at(Path::new("/logs/secret.log")));
    }
}
