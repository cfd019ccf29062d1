//! Rotated files: whose rotations they are, by their names, and in which order they were written.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use swak_sdk::options::Glob;

use super::discover::{Discovery, Found};
use super::folders::{Folders, folder_of};
use super::identify::Identity;

/// Paths under which files are written before they are rotated.
pub(super) type Sources = BTreeSet<PathBuf>;

/// Where sources lie that are symbolic links, and their paths: a file is rotated where it lies.
pub(super) type Targets = BTreeMap<PathBuf, PathBuf>;

/// Finds rotated files.
#[derive(Debug)]
pub(super) struct Rotations {
    /// By pattern; `None` when the names that are usual say it.
    patterns: Option<Discovery>,
    exclude: Vec<Glob>,
    folders: Folders,
    identity: Identity,
}

/// The rotated files that there are.
#[derive(Debug, Default)]
pub(super) struct Rotated {
    /// With the path of their source.
    pub(super) files: Vec<(PathBuf, Found)>,
    /// Folders that could not be read.
    unknown: BTreeSet<PathBuf>,
}

impl Rotated {
    /// Whether a rotated file that is not here may be in the folder of this one nevertheless.
    pub(super) fn may_be_beside(&self, path: &Path) -> bool {
        self.unknown.contains(folder_of(path))
    }
}

impl Rotations {
    /// Named by one of the patterns; without any, a name in the folder of the source that begins with
    /// the source's name and goes on as names of rotated files do.
    pub(super) fn new(patterns: Vec<Glob>, exclude: Vec<Glob>, identity: Identity) -> Self {
        let patterns = match patterns.is_empty() {
            true => None,
            false => Some(Discovery::new(patterns, exclude.clone(), identity)),
        };
        Rotations { patterns, exclude, folders: Folders::default(), identity }
    }

    /// The rotated files of these sources, and of those that `followed` would have found if they had
    /// not been renamed before it looked.
    pub(super) fn find(
        &mut self,
        sources: &Sources,
        targets: &Targets,
        followed: &Discovery,
    ) -> Rotated {
        let mut rotated = Rotated::default();
        if let Some(patterns) = &mut self.patterns {
            for found in patterns.scan().files {
                if let Some(source) = source_by_stem(&found.path, sources, targets) {
                    rotated.files.push((source.to_owned(), found));
                }
            }
            return rotated;
        }
        // As they are spelled, which may be not at all.
        let parent = |path: &Path| path.parent().unwrap_or(Path::new("")).to_owned();
        let mut folders: BTreeMap<PathBuf, PathBuf> = BTreeMap::new();
        for source in sources.iter().chain(targets.keys()) {
            folders.entry(folder_of(source).to_owned()).or_insert_with(|| parent(source));
        }
        for folder in followed.folders() {
            folders.entry(folder.to_owned()).or_insert_with(|| folder.to_owned());
        }
        for (folder, spelled) in &folders {
            let names = match self.folders.names(folder) {
                Ok(names) => names,
                Err(_) => {
                    rotated.unknown.insert(folder.to_owned());
                    continue;
                }
            };
            for path in names.iter().map(|name| spelled.join(name)) {
                let is_source = |path: &Path| {
                    sources.contains(path) || targets.contains_key(path) || followed.is_match(path)
                };
                let Some(source) = source_by_suffix(&path, is_source) else { continue };
                let source = by_link(source, sources, targets);
                if self.exclude.iter().any(|glob| glob.is_match(&path)) {
                    continue;
                }
                // What vanishes meanwhile is not there.
                if let Ok(Some(found)) = Found::at(path, self.identity) {
                    rotated.files.push((source, found));
                }
            }
        }
        rotated
    }

    /// Of which source a path is a rotation, if it is one.
    pub(super) fn source_of(
        &self,
        path: &Path,
        sources: &Sources,
        targets: &Targets,
    ) -> Option<PathBuf> {
        if self.is_named(path) {
            return source_by_stem(path, sources, targets).map(Path::to_owned);
        }
        let is_source = |path: &Path| sources.contains(path) || targets.contains_key(path);
        source_by_suffix(path, is_source).map(|source| by_link(source, sources, targets))
    }

    /// Whether a pattern of rotated files names this one.
    pub(super) fn is_named(&self, path: &Path) -> bool {
        self.patterns.as_ref().is_some_and(|patterns| patterns.is_match(path))
    }

    /// The file in a folder that may be this one, under whatever name.
    pub(super) fn find_in_folder(
        &mut self,
        folder: &Path,
        is_it: impl Fn(&Found) -> bool,
    ) -> io::Result<Option<Found>> {
        let files = self.folders.files(folder, self.identity)?;
        Ok(files.iter().find(|found| is_it(found)).cloned())
    }

    /// Forgets what was not asked for lately.
    pub(super) fn sweep(&mut self) {
        self.folders.sweep();
    }

    /// The folders in which rotated files lie that patterns name.
    pub(super) fn folders(&self) -> impl Iterator<Item = &Path> {
        self.patterns.iter().flat_map(Discovery::folders)
    }
}

/// `app.log.1`, `app.log-20260102.gz`, `app.log.2026-01-02_03`, `app.log.old`: the source's name and
/// parts of which each is a number, or begins with one, or says that this is an old file.
fn source_by_suffix(path: &Path, is_source: impl Fn(&Path) -> bool) -> Option<PathBuf> {
    let name = path.file_name()?.to_str()?;
    let starts = name.rmatch_indices(SEPARATORS).map(|(at, _)| at).filter(|at| *at > 0);
    starts
        .take_while(|at| is_suffix(&name[*at..]))
        .map(|at| path.with_file_name(&name[..at]))
        .filter(|source| is_source(source))
        .last()
}

const SEPARATORS: [char; 3] = ['.', '-', '_'];

/// Words in names of rotated files.
const WORDS: [&str; 8] = ["old", "bak", "prev", "previous", "last", "save", "archive", "gz"];

fn is_suffix(suffix: &str) -> bool {
    suffix[1..].split(SEPARATORS).all(|part| {
        part.starts_with(|c: char| c.is_ascii_digit())
            || WORDS.iter().any(|word| part.eq_ignore_ascii_case(word))
    })
}

/// The source itself, of what may be where a link leads to.
fn by_link(found: PathBuf, sources: &Sources, targets: &Targets) -> PathBuf {
    match targets.get(&found) {
        Some(source) if !sources.contains(&found) => source.clone(),
        _ => found,
    }
}

/// The source whose name, without its ending, a file's name begins with; the longest of them. When
/// there is one source only, everything is its.
fn source_by_stem<'a>(path: &Path, sources: &'a Sources, targets: &'a Targets) -> Option<&'a Path> {
    if sources.contains(path) || targets.contains_key(path) {
        return None;
    }
    if sources.len() == 1 {
        return sources.first().map(PathBuf::as_path);
    }
    let name = path.file_name()?.to_str()?;
    let stem = |path: &PathBuf| {
        let stem = path.file_stem()?.to_str()?;
        name.starts_with(stem).then_some(stem.len())
    };
    let names = sources.iter().map(|source| (source, source)).chain(targets);
    let stems = names.filter_map(|(name, source)| Some((stem(name)?, source.as_path())));
    stems.max_by_key(|(stem, _)| *stem).map(|(_, source)| source)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sources(paths: &[&str]) -> Sources {
        paths.iter().map(PathBuf::from).collect()
    }

    #[test]
    fn usual_names_of_rotated_files_are_known() {
        let sources = sources(&["/l/app.log", "/l/app.log.2", "other", "/l/a-1.log"]);
        let source = |path: &str| source_by_suffix(Path::new(path), |path| sources.contains(path));
        for name in [
            "app.log.1",
            "app.log.1.gz",
            "app.log-20260102",
            "app.log-20260102.gz",
            "app.log.old",
            "app.log.2026-01-02_03-04-05",
            "app.log.gz",
            "app.log_7",
            "app.log.20260102T030405Z",
        ] {
            assert_eq!(source(&format!("/l/{name}")), Some("/l/app.log".into()), "{name}");
        }
        assert_eq!(source("other.1"), Some("other".into()));
        // The name that is nearest to the source's is not what counts, but the file that is rotated.
        assert_eq!(source("/l/app.log.2.1"), Some("/l/app.log".into()));
        for name in [
            "/l/app.log",
            "/l/app.log.swp",
            "/l/app.log~",
            "/l/app.log.lock",
            "/m/app.log.1",
            "/l/app.log.1.zip",
            "/l/app.logger.1",
            "/l/app-1.log",
            "/l/a-1.log",
            "/l/.1",
        ] {
            assert_eq!(source(name), None, "{name}");
        }
    }

    #[test]
    fn patterns_name_what_begins_like_a_source() {
        let both = sources(&["/l/app.log", "/l/app-web.log"]);
        let none = Targets::new();
        let source = |path: &str| source_by_stem(Path::new(path), &both, &none);
        assert_eq!(source("/old/app-2026.log"), Some(Path::new("/l/app.log")));
        assert_eq!(source("/old/app-web-2026.log"), Some(Path::new("/l/app-web.log")));
        assert_eq!(source("/old/x.log"), None);
        assert_eq!(source("/l/app.log"), None);
        let one = sources(&["/l/app.log"]);
        assert_eq!(source_by_stem(Path::new("/old/x"), &one, &none), Some(Path::new("/l/app.log")));
    }
}
