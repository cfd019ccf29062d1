//! What the system tells of files and folders: hints that make us look sooner, and nothing more. What
//! they miss is found by looking seldom.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
use linux as platform;

#[cfg(not(target_os = "linux"))]
mod others;
#[cfg(not(target_os = "linux"))]
use others as platform;

use std::collections::{HashMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};

use super::folders::folder_of;
use crate::identity::FileId;
use platform::System;

/// Something may have happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hint {
    /// The file of this number was written to. It is not watched any more.
    File(u64),
    /// Something came, went or was renamed.
    Folder,
}

/// What may have happened, as the system tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "nothing tells of it there"))]
pub(super) enum Event {
    /// Something at what this watches.
    At(Id),
    /// This watches nothing any more.
    Ended(Id),
    /// More than could be told.
    Lost,
}

/// What happened since it was told last.
pub(super) type Told = Vec<Event>;

/// What a watch is known by.
type Id = i32;

/// What is watched.
pub(super) struct Watch {
    /// `None` where nothing tells us.
    system: Option<System>,
    targets: HashMap<Id, Target>,
    /// What the paths of folders led to when they were watched.
    folders: HashMap<PathBuf, FileId>,
    /// Watches of files that were not told of yet.
    files: HashMap<u64, Id>,
    /// Folders of which the system does not tell.
    deaf: HashSet<PathBuf>,
    was_limit_reported: bool,
}

/// Which folders the system tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Watched {
    /// All that are wanted.
    pub(super) all: bool,
    /// Some of which it did not tell before.
    pub(super) anew: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Target {
    File(u64),
    Folder(PathBuf),
}

impl Watch {
    /// Tells nothing.
    pub(super) fn none() -> Self {
        Watch {
            system: None,
            targets: HashMap::new(),
            folders: HashMap::new(),
            files: HashMap::new(),
            deaf: HashSet::new(),
            was_limit_reported: false,
        }
    }

    /// Calls `tell`, from elsewhere, with what [`Watch::hints`] understands, until it gives `false`.
    pub(super) fn new(tell: impl FnMut(Told) -> bool + Send + 'static) -> Self {
        let system = match System::new(tell) {
            Ok(system) => system,
            Err(error) => {
                tracing::warn!(
                    "the system does not tell of changed files, so they are looked at: {error}"
                );
                None
            }
        };
        Watch { system, ..Watch::none() }
    }

    /// Whether nothing is told at all.
    pub(super) fn is_deaf(&self) -> bool {
        self.folders.is_empty()
    }

    /// Whether the system tells when a file at this path is written to.
    pub(super) fn hears_of(&self, path: &Path) -> bool {
        self.folders.contains_key(folder_of(path))
    }

    /// Watches these folders, and no others.
    pub(super) fn folders<'p>(&mut self, wanted: impl Iterator<Item = &'p Path>) -> Watched {
        let mut watched = Watched { all: self.system.is_some(), anew: false };
        if self.system.is_none() {
            return watched;
        }
        let wanted: HashSet<&Path> = wanted.collect();
        self.deaf.retain(|folder| wanted.contains(&**folder));
        // A folder that was renamed is watched under its old name, where another one may be by now.
        let is_it =
            |folder: &Path, id: &FileId| FileId::of_path(folder).is_ok_and(|now| now == *id);
        let old = self.folders.iter().filter(|(f, id)| !wanted.contains(&***f) || !is_it(f, id));
        let old: Vec<PathBuf> = old.map(|(folder, _)| folder.clone()).collect();
        for folder in old {
            self.forget(&folder);
        }
        for folder in wanted {
            if self.folders.contains_key(folder) {
                continue;
            }
            let is_new = !self.deaf.contains(folder) && self.add_folder(folder);
            watched.all &= is_new;
            watched.anew |= is_new;
        }
        watched
    }

    /// Asks to be told once when a file is written to. `false` when it has to be looked at.
    pub(super) fn file(&mut self, number: u64, path: &Path) -> bool {
        if !self.hears_of(path) {
            return false;
        }
        let Some(system) = &mut self.system else { return false };
        match system.file(path) {
            Ok(Some(id)) => {
                self.targets.insert(id, Target::File(number));
                self.files.insert(number, id);
                true
            }
            Ok(None) => false,
            Err(error) => {
                self.report(path, &error);
                false
            }
        }
    }

    /// Asks no longer to be told of a file.
    pub(super) fn forget_file(&mut self, number: u64) {
        let Some(id) = self.files.remove(&number) else { return };
        if self.targets.get(&id) == Some(&Target::File(number)) {
            self.targets.remove(&id);
            if let Some(system) = &mut self.system {
                system.forget(id);
            }
        }
    }

    /// What was told.
    pub(super) fn hints(&mut self, told: Told) -> Vec<Hint> {
        let mut hints = Vec::new();
        for event in told {
            match event {
                Event::Lost => {
                    // Nobody knows which: all are looked at.
                    let files =
                        self.targets.extract_if(|_, target| matches!(target, Target::File(_)));
                    hints.extend(files.filter_map(|(_, target)| match target {
                        Target::File(number) => Some(Hint::File(number)),
                        Target::Folder(_) => None,
                    }));
                    self.files.clear();
                    hints.push(Hint::Folder);
                }
                Event::At(id) => match self.targets.get(&id) {
                    Some(&Target::File(number)) => {
                        self.targets.remove(&id);
                        self.files.remove(&number);
                        hints.push(Hint::File(number));
                    }
                    Some(Target::Folder(_)) => hints.push(Hint::Folder),
                    None => {}
                },
                Event::Ended(id) => match self.targets.remove(&id) {
                    Some(Target::Folder(folder)) => {
                        self.folders.remove(&folder);
                        hints.push(Hint::Folder);
                    }
                    Some(Target::File(number)) => drop(self.files.remove(&number)),
                    None => {}
                },
            }
        }
        hints
    }

    fn add_folder(&mut self, folder: &Path) -> bool {
        let Some(system) = &mut self.system else { return false };
        let watched = FileId::of_path(folder).and_then(|is| Ok((is, system.folder(folder)?)));
        match watched.map(|(is, id)| id.map(|id| (is, id))) {
            Ok(Some((is, id))) => {
                self.targets.insert(id, Target::Folder(folder.to_owned()));
                self.folders.insert(folder.to_owned(), is);
                true
            }
            Ok(None) => {
                tracing::debug!(
                    folder = %folder.display(),
                    "nothing tells of changes on a network drive; its files are looked at"
                );
                self.deaf.insert(folder.to_owned());
                false
            }
            // It is tried again with the next look.
            Err(error) if error.kind() == io::ErrorKind::NotFound => false,
            Err(error) => {
                self.report(folder, &error);
                false
            }
        }
    }

    fn forget(&mut self, folder: &Path) {
        self.folders.remove(folder);
        let is_it = |target: &Target| matches!(target, Target::Folder(path) if path == folder);
        let id = self.targets.iter().find(|(_, target)| is_it(target)).map(|(id, _)| *id);
        if let (Some(id), Some(system)) = (id, &mut self.system) {
            self.targets.remove(&id);
            system.forget(id);
        }
    }

    fn report(&mut self, path: &Path, error: &io::Error) {
        if error.kind() != io::ErrorKind::NotFound && !self.was_limit_reported {
            self.was_limit_reported = true;
            tracing::warn!(
                path = %path.display(),
                "{error}: the system tells of no more files, so the others are looked at as often as \
                 `rescan` says{}",
                platform::HELP
            );
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::fs;
    use std::sync::mpsc::channel;
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_folder_that_was_renamed_is_watched_no_more_and_the_one_in_its_place_is() {
        let place = tempfile::tempdir().unwrap();
        let (folder, other) = (place.path().join("a"), place.path().join("b"));
        fs::create_dir(&folder).unwrap();
        let (sender, told) = channel();
        let mut watch = Watch::new(move |events| sender.send(events).is_ok());
        assert_eq!(
            watch.folders([folder.as_path()].into_iter()),
            Watched { all: true, anew: true }
        );
        fs::rename(&folder, &other).unwrap();
        fs::create_dir(&folder).unwrap();
        assert_eq!(
            watch.folders([folder.as_path()].into_iter()),
            Watched { all: true, anew: true }
        );
        fs::write(folder.join("new"), "").unwrap();
        // Also the end of the first watch is told.
        let limit = Duration::from_secs(30);
        let next = || told.recv_timeout(limit).expect("the system tells of the new folder");
        while !next().iter().any(|e| matches!(e, Event::At(id) if watch.targets.contains_key(id))) {
        }
        assert_eq!((watch.targets.len(), watch.folders.len()), (1, 1));
    }

    #[test]
    fn a_file_that_is_followed_no_more_is_not_watched() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("a");
        fs::write(&file, "").unwrap();
        let mut watch = Watch::new(|_| true);
        assert!(watch.folders([place.path()].into_iter()).all && watch.file(7, &file));
        watch.forget_file(7);
        assert_eq!((watch.targets.len(), watch.files.len()), (1, 0));
    }
}
