//! Walking the folders of a pattern, without reading again those that did not change.

use std::collections::HashMap;
use std::fs::{self, DirEntry};
use std::io;
use std::path::{Path, PathBuf};

use swak_sdk::options::Glob;

use super::discover::Found;
use super::folders::{Age, folder_of};
use super::identify::Identity;

/// One look at everything.
pub(super) struct Look<'a> {
    /// What was found.
    pub(super) files: Vec<Found>,
    /// What could not be looked at.
    pub(super) failed: HashMap<PathBuf, io::Error>,
    exclude: &'a [Glob],
    identity: Identity,
}

impl<'a> Look<'a> {
    /// Nothing is found yet.
    pub(super) fn new(exclude: &'a [Glob], identity: Identity) -> Self {
        Look { files: Vec::new(), failed: HashMap::new(), exclude, identity }
    }

    fn is_excluded(&self, path: &Path) -> bool {
        self.exclude.iter().any(|glob| glob.is_match(path))
    }

    /// Whether all that may lie below a folder is excluded.
    fn is_pruned(&self, folder: &Path) -> bool {
        let below = folder.join("x");
        self.exclude.iter().filter(|glob| names_all_below(glob)).any(|glob| glob.is_match(&below))
    }

    fn fail(&mut self, path: &Path, error: io::Error) {
        // What vanished, or was never there, is simply not there.
        if error.kind() != io::ErrorKind::NotFound {
            self.failed.insert(path.to_owned(), error);
        }
    }

    /// A file whose name may lead elsewhere by now.
    fn add_path(&mut self, path: &Path) {
        match Found::through_link(path.to_owned(), self.identity) {
            Ok(found) => self.files.extend(found),
            Err(error) => self.fail(path, error),
        }
    }
}

/// Walks the folders of one pattern.
#[derive(Debug)]
pub(super) struct Walker {
    glob: Glob,
    /// How many folders below the base a match can lie.
    depth: usize,
    folders: HashMap<PathBuf, Folder>,
}

/// What was found in a folder.
#[derive(Debug)]
struct Folder {
    age: Age,
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
    /// Nothing is walked yet.
    pub(super) fn new(glob: Glob) -> Self {
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

    /// The pattern.
    pub(super) fn glob(&self) -> &Glob {
        &self.glob
    }

    /// The folders that were walked.
    pub(super) fn folders(&self) -> impl Iterator<Item = &Path> {
        let named = self.glob.literal().map(folder_of);
        named.into_iter().chain(self.folders.keys().map(PathBuf::as_path))
    }

    /// Looks.
    pub(super) fn scan(&mut self, look: &mut Look<'_>) {
        if let Some(path) = self.glob.literal() {
            if !look.is_excluded(path) {
                look.add_path(path);
            }
            return;
        }
        let mut old = std::mem::take(&mut self.folders);
        let mut todo = vec![(self.glob.base().to_owned(), 0)];
        todo.retain(|(base, _)| !look.is_pruned(base));
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
                    Entry::Folder(path) if depth < self.depth && !look.is_pruned(path) => {
                        todo.push((path.clone(), depth + 1));
                    }
                    Entry::Folder(_) => {}
                    Entry::File(found) => look.files.push(found.clone()),
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
            if depth < self.depth && self.depth < DEEPEST && !look.is_pruned(link) {
                todo.push((link.to_owned(), depth + 1));
            }
        } else if self.glob.is_match(link) && !look.is_excluded(link) {
            look.add_path(link);
        }
    }

    /// The folder's entries: those of last time, if it is the same since.
    fn folder(&self, path: &Path, old: Option<Folder>, look: &Look<'_>) -> io::Result<Folder> {
        if let Some(old) = old
            && old.age.is_unchanged(path)?
        {
            return Ok(old);
        }
        let reading = Age::reading(path)?;
        let mut entries = Vec::new();
        for entry in fs::read_dir(path)? {
            entries.extend(self.entry(&entry?, look));
        }
        Ok(Folder { age: reading.settled(), entries })
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
        match Found::at(path.clone(), look.identity) {
            Ok(found) => found.map(Entry::File),
            // Looked at again each time, and reported there.
            Err(_) => Some(Entry::Link(path)),
        }
    }
}

/// Whether a pattern that names a file in a folder names all others below that folder too.
fn names_all_below(glob: &Glob) -> bool {
    let text = glob.as_str();
    let text = text.strip_suffix("**/*").or(text.strip_suffix("**"));
    text.is_some_and(|start| start.is_empty() || start.ends_with(is_separator))
}

fn is_separator(c: char) -> bool {
    c == '/' || (cfg!(windows) && c == '\\')
}

/// Folders below the base of a pattern with `**` are walked to this depth.
const DEEPEST: usize = 64;
