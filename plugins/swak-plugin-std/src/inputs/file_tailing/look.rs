//! Looking at the folders: which files are new, which are gone, and what each new one is.
//!
//! A new file is one of these, and is found to be the first that fits:
//! - a file that was read before, under whatever name: reading goes on;
//! - a copy of what was read, where the original is no more (truncated, compressed, moved to another
//!   disk): reading goes on in the copy;
//! - a copy of a file that is still there, or a copy in the making: it waits;
//! - a file that a pattern names, or a rotated one that was written since the agent began: it is read from
//!   its beginning;
//! - an old rotated file from before that: it is left out, and known as such from then on.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use super::copies;
use super::discover::{Found, Scan, are_different};
use super::folders::folder_of;
use super::follow::Follower;
use super::followed::Followed;
use super::identify::Identity;
use super::position::Position;
use super::proof::Proof;
use super::rotated::{Rotated, Sources, oldest_first};
use super::tail::{Tail, TurnError};
use crate::identity::{FileId, Stat};

/// Copies of files that are still there.
#[derive(Default)]
pub(super) struct Waiting {
    judged: HashMap<FileId, Judged>,
    orphans: u64,
}

/// What a copy was like when it was judged.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Judged {
    len: u64,
    modified: Option<i128>,
    orphans: u64,
}

impl Waiting {
    /// What was read of some file is no longer in it: it may be in one of the copies.
    pub(super) fn new_orphans(&mut self) {
        self.orphans += 1;
    }

    fn judged(&self, stat: &Stat) -> Judged {
        Judged { len: stat.len, modified: stat.modified, orphans: self.orphans }
    }

    /// Whether nothing changed that would make it worth unpacking a compressed file once more.
    fn is_settled(&self, found: &Found) -> bool {
        copies::is_packed(&found.path)
            && self.judged.get(&found.id).is_some_and(|judged| {
                Stat::of_path(&found.path)
                    .ok()
                    .flatten()
                    .is_some_and(|s| self.judged(&s) == *judged)
            })
    }
}

/// A file that is not followed.
#[derive(Clone)]
struct New {
    found: Found,
    /// A pattern names it.
    is_named: bool,
    /// Whose rotation it is, where that was found with it.
    source: Option<PathBuf>,
}

/// Which files there are.
#[derive(Default)]
struct Present {
    /// All that were found, with the times when they were made.
    files: HashMap<FileId, Option<i64>>,
    /// Those that patterns name.
    named: HashMap<FileId, Option<i64>>,
    new: Vec<New>,
}

impl Present {
    /// Whether a file was found that may be this one.
    fn has(files: &HashMap<FileId, Option<i64>>, id: FileId, born: Option<i64>) -> bool {
        files.get(&id).is_some_and(|found| !are_different(*found, born))
    }
}

/// What a new file is.
enum Verdict {
    /// What the position says was read of it.
    Known(Box<Tail>),
    /// Unread.
    Unread,
    /// Old history.
    Skipped,
    /// It is not known yet, or there is nothing to be done.
    Nothing,
}

/// In which order files of one source are read.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Turn {
    Known,
    Unread,
    Head,
}

impl Follower<'_> {
    /// Looks which files there are.
    pub(super) fn scan(&mut self) {
        let started = SystemTime::now();
        let scan = self.discovery.scan();
        let mut present = Present::default();
        for found in &scan.files {
            // The same file by two names is followed once.
            if present.files.insert(found.id, found.born).is_none() {
                present.named.insert(found.id, found.born);
                self.meet(found, None, &mut present.new);
            }
        }
        let sources = self.sources(&present.new);
        let rotated = self.rotations.find(&sources, &self.discovery);
        for (source, found) in &rotated.files {
            if present.files.insert(found.id, found.born).is_none() {
                self.meet(found, Some(source), &mut present.new);
            }
        }
        self.note_gone(&scan, &present);
        self.look_for_parked(&scan, &rotated, &mut present);
        let held: Vec<u64> =
            self.files.iter().filter(|(_, file)| file.is_held).map(|(number, _)| *number).collect();
        let mut groups: BTreeMap<PathBuf, Vec<New>> = BTreeMap::new();
        for new in present.new {
            let named = || self.rotations.source_of(&new.found.path, &sources);
            let source = new.source.clone().or_else(named).unwrap_or_else(|| {
                match self.parked.of_file(&new.found).first() {
                    Some((_, position)) => PathBuf::from(position.source()),
                    None => new.found.path.clone(),
                }
            });
            groups.entry(source).or_default().push(new);
        }
        let identity = self.settings.identity;
        let is_in_flux =
            groups.iter().any(|(source, group)| is_in_flux(source, group, started, identity));
        let since = *self.in_flux.get_or_insert_with(Instant::now);
        if is_in_flux && since.elapsed() < MOST_FLUX && self.pace.follow {
            self.next_scan = Instant::now() + DUST;
            return;
        }
        self.in_flux = None;
        for (source, group) in groups {
            self.take_up(&source, group);
        }
        for number in held {
            if let Some(file) = self.files.get_mut(&number) {
                file.is_held = false;
                self.append(number);
            }
        }
        // Without following, there is no other look.
        let wait = if self.pace.follow { self.pace.rotate_wait } else { Duration::ZERO };
        self.parked.expire(wait);
        self.waiting.judged.retain(|id, _| present.files.contains_key(id));
        self.rotations.sweep();
        self.known.extend(sources);
        (self.scanned, self.is_first_start) = (true, false);
        let folders = self.discovery.folders().chain(self.rotations.folders());
        let sources = self.known.iter().map(|source| folder_of(source));
        let is_watched = self.watch.folders(folders.chain(sources));
        let is_unsettled = self.parked.has_orphans() || !self.waiting.judged.is_empty();
        let is_held = self.files.values().any(|file| file.is_held);
        let wait = if is_held { self.pace.gather } else { self.rescan(is_watched, is_unsettled) };
        self.next_scan = Instant::now() + wait;
    }

    /// A file that was found: followed already, or new. `source` is whose rotation it is, when no pattern
    /// names it.
    fn meet(&mut self, found: &Found, source: Option<&PathBuf>, new: &mut Vec<New>) {
        let is_named = source.is_none();
        let number = self.by_id.get(&found.id).copied();
        if let Some(number) = number
            && let Some(file) = self.files.get_mut(&number)
        {
            if found.may_be(file.id, file.born) {
                file.path.clone_from(&found.path);
                if is_named {
                    file.gone = None;
                }
                return;
            }
            // Its inode was used again: it was deleted.
            self.by_id.remove(&found.id);
        }
        new.push(New { found: found.clone(), is_named, source: source.cloned() });
    }

    /// The paths under which files are written.
    fn sources(&self, new: &[New]) -> Sources {
        let mut sources: Sources = self.discovery.named().map(Path::to_owned).collect();
        sources.extend(self.parked.sources().map(PathBuf::from));
        sources.extend(self.files.values().map(|file| PathBuf::from(&file.source)));
        let mut all = sources.clone();
        all.extend(new.iter().filter(|new| new.is_named).map(|new| new.found.path.clone()));
        for new in new.iter().filter(|new| new.is_named) {
            if self.rotations.source_of(&new.found.path, &all).is_none() {
                sources.insert(new.found.path.clone());
            }
        }
        sources
    }

    /// Files to which no pattern leads any more are read to their ends.
    fn note_gone(&mut self, scan: &Scan, present: &Present) {
        let mut gone = Vec::new();
        for (number, file) in self.files.iter().filter(|(_, file)| file.gone.is_none()) {
            let is_being_deleted = || file.is_open && scan.is_being_deleted(&file.path);
            let is_named = Present::has(&present.named, file.id, file.born);
            if !is_named && (!scan.may_be_at(&file.path) || is_being_deleted()) {
                gone.push(*number);
            }
        }
        for number in gone {
            let Some(file) = self.files.get_mut(&number) else { continue };
            tracing::debug!(path = %file.path.display(), "renamed or deleted; reading what is left");
            file.gone = Some(Instant::now());
            file.read_again();
            let (id, born) = (file.id, file.born);
            if !file.is_open && !Present::has(&present.files, id, born) {
                // It can only be read under its new name.
                let folder = folder_of(&file.path).to_owned();
                let found = self.rotations.find_in_folder(&folder, |f| f.may_be(id, born));
                if let Ok(Some(found)) = found {
                    file.path = found.path;
                }
            }
            self.make_ready(number);
        }
    }

    /// Finds those that are not followed under names that nothing leads to, or knows that they are no
    /// more.
    fn look_for_parked(&mut self, scan: &Scan, rotated: &Rotated, present: &mut Present) {
        let is_first = !self.scanned;
        let rotations = &mut self.rotations;
        let mut elsewhere = Vec::new();
        let is_new = self.parked.look(
            |id, born| Present::has(&present.files, id, born),
            |position| {
                let path = Path::new(&position.path);
                let folder = folder_of(path);
                if scan.may_be_at(path) || rotated.may_be_beside(path) {
                    return true;
                }
                let is_it = |found: &Found| found.may_be(position.id(), position.born);
                match rotations.find_in_folder(folder, is_it) {
                    Ok(Some(found)) => {
                        elsewhere.push(New { found, is_named: false, source: None });
                        true
                    }
                    Ok(None) => is_unmounted(folder, position),
                    Err(_) => true,
                }
            },
        );
        if is_new {
            self.waiting.new_orphans();
        }
        if is_first {
            for new in elsewhere {
                present.files.insert(new.found.id, new.found.born);
                present.new.push(new);
            }
        }
    }

    /// Finds out what the new files of one source are, and follows them in the order in which they
    /// were written.
    fn take_up(&mut self, source: &Path, mut group: Vec<New>) {
        let mut rotated: Vec<Found> = group
            .iter()
            .map(|new| &new.found)
            .filter(|found| found.path != source)
            .cloned()
            .collect();
        oldest_first(&mut rotated, source);
        let place = |found: &Found| rotated.iter().position(|r| r.path == found.path);
        group.sort_by_cached_key(|new| place(&new.found).unwrap_or(usize::MAX));
        // Those that are what they were first: what is left is looked for among the others.
        let mut taken = Vec::new();
        let mut others = Vec::new();
        for (place, new) in group.into_iter().enumerate() {
            if !new.is_named && self.parked.is_seen(&new.found) {
                continue;
            }
            match self.known(&new) {
                Ok(Some(verdict)) => taken.push((Turn::Known, place, new, verdict)),
                Ok(None) => others.push((place, new)),
                Err(error) => self.cannot_read(new.found.id, &new.found.path, &error),
            }
        }
        // An original before what may be a copy of it.
        others
            .sort_by_key(|(_, new)| (new.found.path != source, copies::is_packed(&new.found.path)));
        let mut unread = Vec::new();
        for (place, new) in others {
            match self.judge(&new, source, &unread) {
                Ok(verdict @ Verdict::Known(_)) => taken.push((Turn::Known, place, new, verdict)),
                Ok(verdict) => {
                    unread.push(new.found.clone());
                    taken.push((Turn::Unread, place, new, verdict));
                }
                Err(error) => self.cannot_read(new.found.id, &new.found.path, &error),
            }
        }
        taken.sort_by_key(|(turn, place, new, verdict)| match verdict {
            _ if new.found.path == source => (Turn::Head, *place),
            // Its name says more than that it was once seen.
            Verdict::Known(tail) if tail.read_up_to().0 == 0 => (Turn::Unread, *place),
            _ => (*turn, *place),
        });
        for (_, _, new, verdict) in taken {
            self.follow(new, source, verdict);
        }
    }

    /// What a file is that was read before, if it is such.
    fn known(&mut self, new: &New) -> Result<Option<Verdict>, TurnError> {
        for (key, position) in self.parked.of_file(&new.found) {
            if position.skipped && new.is_named {
                // A pattern that was added since names it.
                continue;
            }
            let mut tail = Tail::new(new.found.clone(), position.source(), key.clone());
            if position.skipped && copies::is_packed(&new.found.path) {
                return Ok(Some(Verdict::Nothing));
            }
            if tail.resume(&position, self.settings)? {
                if position.skipped {
                    return Ok(Some(Verdict::Nothing));
                }
                self.parked.take(&key);
                if position.id() != new.found.id
                    || position.path != new.found.path.to_string_lossy()
                {
                    self.store(&key, &tail.position());
                }
                return Ok(Some(Verdict::Known(Box::new(tail))));
            }
            if position.id() == new.found.id {
                tracing::info!(path = %new.found.path.display(), "not the file that it was");
                self.set_replaced(key, position);
            }
        }
        Ok(None)
    }

    /// What a file is that was not read before. `unread` are others of the same source.
    fn judge(&mut self, new: &New, source: &Path, unread: &[Found]) -> Result<Verdict, TurnError> {
        let found = &new.found;
        if found.path == source {
            return Ok(Verdict::Unread);
        }
        if self.waiting.is_settled(found) {
            return Ok(Verdict::Nothing);
        }
        let name = source.to_string_lossy();
        let mut orphans = self.parked.orphans(&name);
        orphans.sort_by_key(|(_, position)| (position.skipped, std::cmp::Reverse(position.offset)));
        let mut tail = Tail::new(found.clone(), &name, String::new());
        for (key, position) in orphans.into_iter().filter(|(_, position)| position.offset > 0) {
            if !tail.resume(&position, self.settings)? {
                continue;
            }
            self.parked.take(&key);
            tail.key.clone_from(&key);
            let mut copy = tail.position();
            copy.skipped = position.skipped;
            self.store(&key, &copy);
            if position.skipped {
                self.parked.put(key, copy);
                return Ok(Verdict::Nothing);
            }
            tracing::info!(path = %found.path.display(), "going on in a copy of what was read");
            return Ok(Verdict::Known(Box::new(tail)));
        }
        if self.is_copy(&mut tail, &name, unread)? {
            if let Ok(Some(stat)) = Stat::of_path(&found.path) {
                let judged = self.waiting.judged(&stat);
                if self.waiting.judged.insert(found.id, judged) != Some(judged) {
                    self.hold_unread(source);
                }
            }
            return Ok(Verdict::Nothing);
        }
        self.waiting.judged.remove(&found.id);
        let is_unread = new.is_named || self.is_since_start(source, found);
        Ok(if is_unread { Verdict::Unread } else { Verdict::Skipped })
    }

    /// Lets a file that is being copied away wait for the next look, if nothing of it was read: when it
    /// is truncated meanwhile, what comes then must not be read before the copy.
    fn hold_unread(&mut self, source: &Path) {
        let is_it =
            |file: &Followed| file.path == source && file.offset == 0 && file.tail.is_some();
        let unread = self.files.iter().find(|(_, file)| is_it(file)).map(|(number, _)| *number);
        if let Some(number) = unread {
            self.unlink(number);
            if let Some(file) = self.files.get_mut(&number) {
                file.is_held = true;
            }
        }
    }

    /// Whether a file is a copy, as far as it goes, of one that is still there, or one in the making.
    fn is_copy(&self, tail: &mut Tail, source: &str, unread: &[Found]) -> Result<bool, TurnError> {
        if tail.file_len(self.settings)? == 0 || tail.is_unfinished(self.settings)? {
            return Ok(true);
        }
        let followed = self.files.values().filter(|file| file.source == source);
        let followed = followed.map(|f| (&*f.path, f.id, f.born, f.offset, &f.proof));
        let parked = self.parked.others(source);
        let parked = parked.map(|p| (Path::new(&p.path), p.id(), p.born, p.offset, &p.proof));
        let nothing = Proof::default();
        let unread = unread.iter().map(|f| (&*f.path, f.id, f.born, 0, &nothing));
        for (path, id, born, offset, proof) in followed.chain(parked).chain(unread) {
            // What was made before is no copy of it.
            let is_older = tail.born.zip(born).is_some_and(|(copy, original)| copy < original);
            if is_older || id == tail.id {
                continue;
            }
            if (offset > 0 && tail.holds(proof, offset, self.settings)?)
                || tail.is_beginning_of(path, id, self.settings)?
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether a rotated file was written since this input was started for the first time.
    fn is_since_start(&self, source: &Path, found: &Found) -> bool {
        if self.known.contains(source) {
            return true;
        }
        let modified = std::fs::metadata(&found.path).and_then(|m| m.modified()).ok();
        let since = modified.and_then(|at| at.duration_since(SystemTime::UNIX_EPOCH).ok());
        !self.is_first_start && self.parked.is_since_start(since.map_or(0, |since| since.as_secs()))
    }

    /// Begins to follow a new file, or to know that it is left out.
    fn follow(&mut self, new: New, source: &Path, verdict: Verdict) {
        let gone = (!new.is_named).then(Instant::now);
        let name = source.to_string_lossy();
        let mut tail = match verdict {
            Verdict::Nothing => return,
            Verdict::Known(tail) => {
                self.unreadable.remove(&tail.id);
                tracing::debug!(file = ?tail, "following");
                self.insert(*tail, gone);
                self.keep_budget();
                return;
            }
            Verdict::Unread | Verdict::Skipped => {
                Tail::new(new.found, &name, self.parked.new_key())
            }
        };
        let is_skipped = matches!(verdict, Verdict::Skipped);
        if let Err(error) = self.begin(&mut tail, is_skipped) {
            self.cannot_read(tail.id, &tail.path, &error);
            return;
        }
        self.unreadable.remove(&tail.id);
        let mut position = tail.position();
        position.skipped = is_skipped;
        // From here on it is known that this source is followed, whatever is delivered.
        self.store(&tail.key, &position);
        if is_skipped {
            self.parked.put(tail.key, position);
        } else {
            tracing::debug!(file = ?tail, "following");
            self.insert(tail, gone);
            self.keep_budget();
        }
    }

    /// Sets a new file to where reading begins.
    fn begin(&mut self, tail: &mut Tail, is_skipped: bool) -> Result<(), TurnError> {
        if is_skipped {
            return match copies::is_packed(&tail.path) {
                true => Ok(()),
                false => tail.skip_to_end(self.settings),
            };
        }
        if self.is_first_start && self.pace.skip_present {
            return tail.skip_to_end(self.settings);
        }
        tail.open_now(self.settings)
    }

    /// It will be found again by the next look.
    fn cannot_read(&mut self, id: FileId, path: &Path, error: &TurnError) {
        if let TurnError::Io(error) = error
            && self.unreadable.insert(id)
        {
            tracing::warn!(path = %path.display(), "cannot read this file: {error}");
            self.settings.counters.error();
        }
    }
}

/// Whether files are being renamed just now, so that what was found is no picture of any one moment, and
/// the order of rotated files cannot be told from it.
fn is_in_flux(source: &Path, group: &[New], started: SystemTime, identity: Identity) -> bool {
    let mut rotated = group.iter().map(|new| &new.found).filter(|found| found.path != source);
    rotated.any(|found| {
        let folder = std::fs::metadata(folder_of(&found.path)).and_then(|m| m.modified());
        // A clock that jumped holds us up for a few looks at the most.
        let is_fresh = |changed| started.duration_since(changed).map_or(true, |age| age < DUST);
        folder.is_ok_and(is_fresh) || !found.is_there(identity)
    })
}

/// How long it takes until all renames of one rotation are done.
const DUST: Duration = Duration::from_millis(20);

/// How long is waited for renames to be done.
const MOST_FLUX: Duration = Duration::from_millis(500);

/// Whether a folder may be where a file system is mounted at other times: it is empty, and not on the
/// device of the file.
fn is_unmounted(folder: &Path, position: &Position) -> bool {
    let is_empty = std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none());
    is_empty && FileId::of_path(folder).is_ok_and(|id| id.device != position.id().device)
}
