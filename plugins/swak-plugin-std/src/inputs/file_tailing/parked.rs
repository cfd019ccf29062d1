//! Stored positions of files that are not followed now.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use swak_sdk::plugin::Checkpoints;

use super::discover::{find_in_folder, inodes_in};
use super::position::{Position, key};
use super::tail::Tail;
use crate::identity::FileId;

/// Stored positions of files that are not followed now: before they are found after a start, and
/// once no pattern leads to them any more.
pub(super) struct Parked<'a> {
    positions: HashMap<FileId, Position>,
    checkpoints: &'a Checkpoints,
}

/// A file that was renamed so that no pattern leads to it.
pub(super) struct Renamed {
    pub(super) path: PathBuf,
    pub(super) position: Position,
}

/// Tells a first start from one at which there were no files before.
const STARTED: &str = "started";

impl<'a> Parked<'a> {
    /// All that is stored, and whether this is the first start.
    pub(super) fn restore(checkpoints: &'a Checkpoints) -> (Self, bool) {
        let entries = checkpoints.entries();
        let first_start = entries.is_empty();
        if first_start {
            checkpoints.set(STARTED, "{}");
        }
        let positions = entries.iter().filter_map(|(_, json)| Position::from_json(json));
        let positions = positions.map(|position| (position.id(), position)).collect();
        (Parked { positions, checkpoints }, first_start)
    }

    /// The stored position of a file. Device numbers change when a machine starts anew, so the
    /// inode alone may do; what the file holds is to be compared in any case.
    pub(super) fn find(&self, id: FileId) -> Option<Position> {
        let exact = self.positions.get(&id);
        exact.or_else(|| self.positions.values().find(|p| p.inode == id.inode)).cloned()
    }

    /// A file is followed from this position on.
    pub(super) fn take(&mut self, position: &Position, tail: &Tail) {
        self.positions.remove(&position.id());
        if position.id() != tail.id {
            self.checkpoints.set(&tail.key, &tail.position().to_json());
            self.checkpoints.remove(&key(position.id()));
        }
    }

    /// A file is not followed any more, but may be there again.
    pub(super) fn put(&mut self, position: Position) {
        self.positions.insert(position.id(), position);
    }

    /// The file is no more.
    pub(super) fn forget(&mut self, position: &Position) {
        tracing::debug!(path = %position.path, "its position is forgotten");
        self.positions.remove(&position.id());
        self.checkpoints.remove(&key(position.id()));
    }

    /// Forgets files that are not in the folder any more where they were. A folder that cannot be
    /// read says nothing. `present` are files that are known to be somewhere.
    pub(super) fn forget_deleted(&mut self, present: &HashSet<FileId>) {
        let mut folders: HashMap<&Path, Option<HashSet<u64>>> = HashMap::new();
        let mut deleted = Vec::new();
        for position in self.positions.values() {
            let folder = folder_of(Path::new(&position.path));
            let inodes = folders.entry(folder).or_insert_with(|| inodes_in(folder).ok());
            let is_there = inodes.as_ref().is_none_or(|inodes| inodes.contains(&position.inode))
                || present.contains(&position.id());
            if !is_there && self.checkpoints.in_flight(&key(position.id())) == 0 {
                deleted.push(position.clone());
            }
        }
        for position in deleted {
            self.forget(&position);
        }
    }

    /// Files that are in their folders under other names, those that were written to last at the
    /// end.
    pub(super) fn renamed(&self, present: &HashSet<FileId>) -> Vec<Renamed> {
        let mut renamed = Vec::new();
        for position in self.positions.values().filter(|p| !present.contains(&p.id())) {
            let found = find_in_folder(folder_of(Path::new(&position.path)), position.id());
            if let Ok(Some(path)) = found {
                let changed = path.metadata().and_then(|m| m.modified()).ok();
                renamed.push((changed, Renamed { path, position: position.clone() }));
            }
        }
        renamed.sort_by_key(|(changed, _)| *changed);
        renamed.into_iter().map(|(_, renamed)| renamed).collect()
    }
}

/// The folder that a file lies in.
pub(super) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}
