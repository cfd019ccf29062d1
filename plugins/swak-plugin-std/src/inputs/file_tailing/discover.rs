//! Finding the files that patterns name, again and again, without looking at each of them.

use std::collections::{HashMap, HashSet};
use std::fs::{self, DirEntry};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use swak_sdk::options::Glob;

use crate::identity::{FileId, Stat};

/// A file that a pattern names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) path: PathBuf,
    pub(super) id: FileId,
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
    /// Folders and files that could not be looked at, so that each is reported once.
    unreadable: HashSet<PathBuf>,
}

impl Discovery {
    /// For files that match one of `include` and none of `exclude`.
    pub(super) fn new(include: Vec<Glob>, exclude: Vec<Glob>) -> Self {
        let walkers = include.into_iter().map(Walker::new).collect();
        Discovery { walkers, exclude, unreadable: HashSet::new() }
    }

    /// Looks.
    pub(super) fn scan(&mut self) -> Scan {
        let mut look =
            Look { scan: Scan::default(), exclude: &self.exclude, failed: HashMap::new() };
        for walker in &mut self.walkers {
            walker.scan(&mut look);
        }
        let Look { mut scan, failed, .. } = look;
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
        let patterns: Vec<&str> = self.walkers.iter().map(|w| w.glob.as_str()).collect();
        patterns.join(", ")
    }
}

/// The file of this identity in a folder: where a file is found that was renamed. `Err` when the
/// folder cannot be read, so that nothing is known.
pub(super) fn find_in_folder(folder: &Path, id: FileId) -> io::Result<Option<PathBuf>> {
    let mut files = files_in(folder)?;
    Ok(files.find(|found| found.id == id).map(|found| found.path))
}

/// The inodes of all files in a folder. `Err` when it cannot be read.
pub(super) fn inodes_in(folder: &Path) -> io::Result<HashSet<u64>> {
    Ok(files_in(folder)?.map(|found| found.id.inode).collect())
}

fn files_in(folder: &Path) -> io::Result<impl Iterator<Item = Found>> {
    let paths = match fs::read_dir(folder) {
        Ok(entries) => entries.map(|e| Ok(e?.path())).collect::<io::Result<Vec<_>>>()?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error),
    };
    // One file that cannot be looked at does not hide the others.
    let found = |path: PathBuf| match Stat::of_path(&path) {
        Ok(Some(stat)) => Some(Found { path, id: stat.id }),
        _ => None,
    };
    Ok(paths.into_iter().filter_map(found))
}

/// A folder is read again after this time although it seems unchanged: not every file system
/// keeps the time of a folder's last change.
const TRUST: Duration = Duration::from_secs(10);

/// A change this shortly before a folder was read may not be the last one of the same time stamp.
const FRESH: Duration = Duration::from_secs(2);

/// Folders below the base of a pattern with `**` are walked to this depth.
const DEEPEST: usize = 64;

/// One look at everything.
struct Look<'a> {
    scan: Scan,
    exclude: &'a [Glob],
    failed: HashMap<PathBuf, io::Error>,
}

impl Look<'_> {
    fn is_excluded(&self, path: &Path) -> bool {
        self.exclude.iter().any(|glob| glob.is_match(path))
    }

    fn fail(&mut self, path: &Path, error: io::Error) {
        // What vanished, or was never there, is simply not there.
        if error.kind() != io::ErrorKind::NotFound {
            self.failed.insert(path.to_owned(), error);
        }
    }

    /// A file whose name may lead elsewhere by now.
    fn add_path(&mut self, path: &Path) {
        match Stat::of_path(path) {
            Ok(Some(stat)) => self.scan.files.push(Found { path: path.to_owned(), id: stat.id }),
            Ok(None) => {}
            Err(error) => self.fail(path, error),
        }
    }
}

/// Walks the folders of one pattern.
#[derive(Debug)]
struct Walker {
    glob: Glob,
    /// How many folders below the base a match can lie.
    depth: usize,
    folders: HashMap<PathBuf, Folder>,
}

/// What was found in a folder.
#[derive(Debug)]
struct Folder {
    changed: Option<SystemTime>,
    read: Instant,
    entries: Vec<Entry>,
}

#[derive(Clone, Debug)]
enum Entry {
    Folder(PathBuf),
    File(Found),
    /// What it leads to can change without a change of the folder.
    Link(PathBuf),
}

impl Walker {
    fn new(glob: Glob) -> Self {
        let text = glob.as_str();
        let depth = if text.contains("**") {
            DEEPEST
        } else {
            // Too many when a separator stands within braces, which only costs time.
            let base = glob.base().to_str().unwrap_or_default();
            // The base is spelled with one kind of separator.
            let text = if cfg!(windows) { text.replace('/', "\\") } else { text.to_owned() };
            let below = text.strip_prefix(base).unwrap_or(&text);
            below.trim_start_matches(is_separator).matches(is_separator).count()
        };
        Walker { glob, depth, folders: HashMap::new() }
    }

    fn scan(&mut self, look: &mut Look<'_>) {
        if let Some(path) = self.glob.literal() {
            if !look.is_excluded(path) {
                look.add_path(path);
            }
            return;
        }
        let mut old = std::mem::take(&mut self.folders);
        let mut todo = vec![(self.glob.base().to_owned(), 0)];
        while let Some((path, depth)) = todo.pop() {
            let folder = match self.folder(&path, old.remove(&path), look) {
                Ok(folder) => folder,
                Err(error) => {
                    look.fail(&path, error);
                    continue;
                }
            };
            for entry in &folder.entries {
                match entry {
                    Entry::Folder(path) if depth < self.depth => {
                        todo.push((path.clone(), depth + 1));
                    }
                    Entry::Folder(_) => {}
                    Entry::File(found) => look.scan.files.push(found.clone()),
                    Entry::Link(link) => self.follow_link(link, depth, look, &mut todo),
                }
            }
            self.folders.insert(path, folder);
        }
    }

    fn follow_link(
        &self,
        link: &Path,
        depth: usize,
        look: &mut Look<'_>,
        todo: &mut Vec<(PathBuf, usize)>,
    ) {
        if fs::metadata(link).is_ok_and(|m| m.is_dir()) {
            // Below `**` a link to a folder could lead round in a circle.
            if depth < self.depth && self.depth < DEEPEST {
                todo.push((link.to_owned(), depth + 1));
            }
        } else if self.glob.is_match(link) && !look.is_excluded(link) {
            look.add_path(link);
        }
    }

    /// The folder's entries: those of last time, if it is the same since.
    fn folder(&self, path: &Path, old: Option<Folder>, look: &Look<'_>) -> io::Result<Folder> {
        let changed = fs::metadata(path)?.modified().ok().filter(|_| cfg!(unix));
        if let Some(old) = old
            && changed.is_some()
            && old.changed == changed
            && old.read.elapsed() < TRUST
        {
            return Ok(old);
        }
        let read = Instant::now();
        let mut entries = Vec::new();
        for entry in fs::read_dir(path)? {
            entries.extend(self.entry(&entry?, look));
        }
        let now = SystemTime::now();
        let settled = |t: &SystemTime| now.duration_since(*t).is_ok_and(|age| age > FRESH);
        Ok(Folder { changed: changed.filter(settled), read, entries })
    }

    fn entry(&self, entry: &DirEntry, look: &Look<'_>) -> Option<Entry> {
        let path = entry.path();
        // What vanishes meanwhile is not there.
        let kind = entry.file_type().ok()?;
        if kind.is_dir() {
            return (self.depth > 0).then_some(Entry::Folder(path));
        }
        if kind.is_symlink() {
            return Some(Entry::Link(path));
        }
        if !kind.is_file() || !self.glob.is_match(&path) || look.is_excluded(&path) {
            return None;
        }
        match Stat::of_path(&path) {
            Ok(stat) => stat.map(|stat| Entry::File(Found { path, id: stat.id })),
            // Looked at again each time, and reported there.
            Err(_) => Some(Entry::Link(path)),
        }
    }
}

fn is_separator(c: char) -> bool {
    c == '/' || (cfg!(windows) && c == '\\')
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
            Discovery::new(globs(include), globs(exclude))
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
    fn what_is_below_an_unknown_folder_may_be_there() {
        let scan = Scan { unknown: vec!["/logs/secret".into()], ..Scan::default() };
        assert!(scan.may_be_at(Path::new("/logs/secret/a.log")));
        assert!(!scan.may_be_at(Path::new("/logs/secret.log")));
    }

    #[test]
    fn a_renamed_file_is_found_by_its_identity() {
        let tree = Tree::new(&["a.log", "b.log"]);
        let id = Stat::of_path(&tree.path("a.log")).unwrap().unwrap().id;
        fs::rename(tree.path("a.log"), tree.path("a.log.1")).unwrap();
        assert_eq!(find_in_folder(tree.0.path(), id).unwrap(), Some(tree.path("a.log.1")));
        fs::remove_file(tree.path("a.log.1")).unwrap();
        assert_eq!(find_in_folder(tree.0.path(), id).unwrap(), None);
        assert_eq!(find_in_folder(&tree.path("none"), id).unwrap(), None);
    }
}
