//! Positions of files that are not followed now.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use serde::{Deserialize, Serialize};
use swak_sdk::plugin::Checkpoints;

use super::discover::{Found, are_different};
use super::identify::is_of_path;
use super::position::Position;
use crate::identity::{FileId, Stat};

/// Positions of files that are not followed now: before they are found after a start, once no pattern
/// leads to them any more, and when what was read is no longer where it was.
pub(super) struct Parked<'a> {
    /// By key.
    positions: BTreeMap<String, Entry>,
    /// The keys by inode: there may be thousands of files.
    keys: HashMap<u64, BTreeSet<String>>,
    checkpoints: &'a Checkpoints,
    next_key: u64,
    started: Started,
    /// When it was looked last, by the clock and truly.
    clock: (SystemTime, Instant),
}

struct Entry {
    position: Position,
    /// Since when it is known that no file has this identity and this content.
    orphan: Option<Instant>,
    /// What the file was like when all of it had been read.
    seen: Option<Seen>,
}

/// How long a file is and when it was written to.
pub(super) type Seen = (u64, Option<i128>);

impl Entry {
    fn new(position: Position) -> Self {
        let orphan = position.replaced.then(Instant::now);
        Entry { position, orphan, seen: None }
    }
}

/// When this input was started for the first time, in seconds since 1970.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Started {
    #[serde(default)]
    at: u64,
    /// The clock was set back since.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    set_back: bool,
}

impl Started {
    fn store(self, checkpoints: &Checkpoints) {
        let json = serde_json::to_string(&self).expect("a number is JSON");
        checkpoints.set(STARTED, &json);
    }
}

/// Whether a file is where it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Presence {
    /// It is, or may be.
    There,
    /// It may lie on a file system that is mounted at other times.
    Unmounted,
    Gone,
}

/// So long it is remembered what was read of files on a file system that is not mounted.
const UNMOUNTED: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// A clock that is corrected by less was not set back.
const JUMP: Duration = Duration::from_secs(1);

/// Tells a first start from one at which there were no files before.
const STARTED: &str = "started";

impl<'a> Parked<'a> {
    /// All that is stored, and whether this is the first start.
    pub(super) fn restore(checkpoints: &'a Checkpoints) -> (Self, bool) {
        let mut entries = checkpoints.entries();
        let started = checkpoints.get(STARTED);
        entries.retain(|(key, _)| key != STARTED);
        let is_first = started.is_none() && entries.is_empty() && !checkpoints.were_lost();
        let started = match started {
            Some(json) => serde_json::from_str(&json).unwrap_or_default(),
            None => {
                let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
                let now = now.map_or(0, |since| since.as_secs());
                // When that was, was lost.
                let at = if checkpoints.were_lost() { 0 } else { now };
                let started = Started { at, set_back: false };
                started.store(checkpoints);
                started
            }
        };
        let last = entries.iter().filter_map(|(key, _)| number_of(key)).max();
        let position = |(key, json): (String, String)| {
            let position = Position::from_json(&json);
            if position.is_none() {
                tracing::warn!(
                    "the stored position `{key}` is damaged; what it was for is read again"
                );
                checkpoints.remove(&key);
            }
            Some((key, Entry::new(position?)))
        };
        let next_key = last.map_or(1, |last| last.saturating_add(1));
        let (positions, keys) = (BTreeMap::new(), HashMap::new());
        let clock = (SystemTime::now(), Instant::now());
        let mut parked = Parked { positions, keys, checkpoints, next_key, started, clock };
        for (key, entry) in entries.into_iter().filter_map(position) {
            parked.insert(key, entry);
        }
        (parked, is_first)
    }

    /// A key that was never used.
    pub(super) fn new_key(&mut self) -> String {
        let key = format!("{KEY}{}", self.next_key);
        self.next_key += 1;
        key
    }

    /// The paths of which something was read before.
    pub(super) fn sources(&self) -> impl Iterator<Item = &str> {
        self.positions.values().map(|entry| entry.position.source())
    }

    /// Where files of sources lie that are symbolic links.
    pub(super) fn targets(&self) -> impl Iterator<Item = (PathBuf, &Path)> {
        let positions = self.positions.values().map(|entry| &entry.position);
        positions.filter_map(|p| Some((p.target.clone()?.into(), Path::new(p.source()))))
    }

    /// Positions in what may be this file, the last ones first. Device numbers change when a machine
    /// starts anew, so the inode alone may do; what the file holds is to be compared in any case.
    pub(super) fn of_file(&self, found: &Found) -> Vec<(String, Position)> {
        let positions = self.all_of_file(found).map(|(key, p)| (key.to_owned(), p.clone()));
        let mut positions: Vec<_> = positions.collect();
        positions.sort_by_key(|(_, position)| rank(position, found));
        positions
    }

    /// The first of those.
    pub(super) fn first_of_file(&self, found: &Found) -> Option<(&str, &Position)> {
        self.all_of_file(found).min_by_key(|(_, position)| rank(position, found))
    }

    fn all_of_file(&self, found: &Found) -> impl Iterator<Item = (&str, &Position)> {
        let is_it = |position: &Position| {
            let is_same_device = position.id().device == found.id.device;
            position.inode == found.id.inode
                && (is_same_device || !is_of_path(position.id()) && !is_of_path(found.id))
                && !are_different(position.born, found.born)
        };
        let entries = self.of_inode(found.id.inode).filter(|(_, entry)| entry.orphan.is_none());
        let positions = entries.map(|(key, entry)| (key, &entry.position));
        positions.filter(move |(_, position)| is_it(position))
    }

    /// Positions of a source for which there is no file, in the order of their keys.
    pub(super) fn orphans(&self, source: &str) -> Vec<(String, Position)> {
        let is_one = |entry: &Entry| {
            let position = &entry.position;
            entry.orphan.is_some() && !position.copied && position.source() == source
        };
        let orphans = self.positions.iter().filter(|(_, entry)| is_one(entry));
        orphans.map(|(key, entry)| (key.clone(), entry.position.clone())).collect()
    }

    /// Positions of a source whose files are there, but are not followed.
    pub(super) fn others(&self, source: &str) -> impl Iterator<Item = &Position> {
        let is_one = move |entry: &&Entry| entry.orphan.is_none();
        let others = self.positions.values().filter(is_one).map(|entry| &entry.position);
        others.filter(move |position| position.source() == source)
    }

    /// A file is followed from this position on.
    pub(super) fn take(&mut self, key: &str) {
        self.remove(key);
    }

    /// A file is not followed any more, but may be there again; or what was read of it may, when it holds
    /// something else by now.
    pub(super) fn put(&mut self, key: String, position: Position) {
        self.insert(key, Entry::new(position));
    }

    /// As [`Parked::put`], for a file that was read to its end as it is now.
    pub(super) fn put_seen(&mut self, key: String, position: Position, seen: Option<Seen>) {
        self.insert(key, Entry { seen, ..Entry::new(position) });
    }

    /// Remembers where a file lies now that is not followed.
    pub(super) fn is_at(&mut self, found: &Found) {
        let path = found.path.to_string_lossy();
        for key in self.keys.get(&found.id.inode).into_iter().flatten() {
            if let Some(entry) = self.positions.get_mut(key)
                && entry.orphan.is_none()
                && entry.position.path != path
                && found.may_be(entry.position.id(), entry.position.born)
            {
                entry.position.rename(path.clone().into_owned());
            }
        }
    }

    /// Whether this is a file that was read to its end and did not change since.
    pub(super) fn is_seen(&self, found: &Found) -> bool {
        let mut seen = self.in_file(found).filter_map(|entry| entry.seen);
        let now = || Stat::of_path(&found.path).ok().flatten().map(|s| (s.len, s.modified));
        seen.any(|seen| now() == Some(seen))
    }

    /// Compares with which files there are; gives whether there are new orphans. `is_there` is asked
    /// for those that are not present.
    pub(super) fn look(
        &mut self,
        is_present: impl Fn(FileId, Option<i64>) -> bool,
        mut is_there: impl FnMut(&Position) -> Presence,
    ) -> bool {
        let mut is_new = false;
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let now = now.map_or(0, |since| since.as_secs());
        for (key, entry) in self.positions.iter_mut().filter(|(_, entry)| entry.orphan.is_none()) {
            let position = &mut entry.position;
            let presence = match is_present(position.id(), position.born) {
                true => Presence::There,
                false => is_there(position),
            };
            let is_gone = match presence {
                Presence::There => false,
                Presence::Gone => true,
                Presence::Unmounted => {
                    let since = position.missing.unwrap_or(now);
                    now.saturating_sub(since) >= UNMOUNTED.as_secs()
                }
            };
            let is_marked = position.missing.is_some();
            let is_missing = presence == Presence::Unmounted;
            // Before all that was read of it is delivered, this would be stored as if it were.
            if !is_gone && is_marked != is_missing && self.checkpoints.in_flight(key) == 0 {
                position.missing = is_missing.then_some(now);
                self.checkpoints.set(key, &position.to_json());
            }
            if is_gone {
                entry.orphan = Some(Instant::now());
                is_new = true;
            }
        }
        is_new
    }

    /// Whether there are orphans.
    pub(super) fn has_orphans(&self) -> bool {
        self.positions.values().any(|entry| entry.orphan.is_some())
    }

    /// Forgets orphans for which no copy appeared in this time, and in a look that began after they were
    /// known to be such.
    pub(super) fn expire(&mut self, wait: Duration, looked: Instant) {
        let is_over = |entry: &Entry| {
            entry
                .orphan
                .is_some_and(|since| since.elapsed() >= wait && (since <= looked || wait.is_zero()))
        };
        let over: Vec<String> = self
            .positions
            .iter()
            .filter(|(key, entry)| is_over(entry) && self.checkpoints.in_flight(key) == 0)
            .map(|(key, _)| key.clone())
            .collect();
        for key in over {
            if let Some(entry) = self.remove(&key) {
                tracing::debug!(path = %entry.position.path, "its position is forgotten");
            }
            self.checkpoints.remove(&key);
        }
    }

    /// Looks whether the clock was set back. It says nothing of what was before the first start then.
    pub(super) fn check_clock(&mut self) {
        let (wall, real) = (SystemTime::now(), Instant::now());
        let before = std::mem::replace(&mut self.clock, (wall, real));
        let is_back = wall + JUMP < before.0 + (real - before.1);
        let since = wall.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
        if !self.started.set_back && (is_back || since < self.started.at) {
            self.started.set_back = true;
            self.started.store(self.checkpoints);
        }
    }

    /// Whether the clock never was set back since the first start.
    pub(super) fn is_clock_right(&self) -> bool {
        !self.started.set_back
    }

    /// Whether a rotated file that was modified at this time, in seconds since 1970, may have been
    /// written since this input was started for the first time.
    pub(super) fn is_since_start(&self, modified: u64) -> bool {
        // The clock of files is a little behind, and both were rounded.
        modified.saturating_add(2) >= self.started.at
    }

    fn insert(&mut self, key: String, entry: Entry) {
        self.remove(&key);
        self.keys.entry(entry.position.inode).or_default().insert(key.clone());
        self.positions.insert(key, entry);
    }

    fn remove(&mut self, key: &str) -> Option<Entry> {
        let entry = self.positions.remove(key)?;
        if let Some(keys) = self.keys.get_mut(&entry.position.inode) {
            keys.remove(key);
            if keys.is_empty() {
                self.keys.remove(&entry.position.inode);
            }
        }
        Some(entry)
    }

    fn of_inode(&self, inode: u64) -> impl Iterator<Item = (&str, &Entry)> {
        let keys = self.keys.get(&inode).into_iter().flatten();
        keys.filter_map(|key| Some((key.as_str(), self.positions.get(key)?)))
    }

    fn in_file(&self, found: &Found) -> impl Iterator<Item = &Entry> {
        let entries = self.of_inode(found.id.inode).map(|(_, entry)| entry);
        entries.filter(|entry| {
            let position = &entry.position;
            entry.orphan.is_none() && found.may_be(position.id(), position.born)
        })
    }
}

/// That of this very file first, and of these the one that was read farthest.
fn rank(position: &Position, found: &Found) -> (bool, Reverse<u64>) {
    (position.id() != found.id, Reverse(position.offset))
}

/// The key of a position begins so, and goes on with a number.
const KEY: &str = "file-";

/// The number of a key: a greater one was given later.
pub(super) fn number_of(key: &str) -> Option<u64> {
    key.strip_prefix(KEY)?.parse().ok()
}

#[cfg(test)]
mod tests;
