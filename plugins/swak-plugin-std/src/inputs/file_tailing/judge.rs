//! What each new file is, and where reading of it begins.
//!
//! A new file is one of these, and is found to be the first that fits:
//! - a file that was read before, under whatever name: reading goes on;
//! - a copy of what was read, where the original is no more (truncated, compressed, moved to another
//!   disk): reading goes on in the copy;
//! - a copy of a file that is still there, or a copy in the making: it waits;
//! - a file that a pattern names, or a rotated one that was written since the agent began: it is read from
//!   its beginning;
//! - an old rotated file from before that: it is left out, and known as such from then on.

use std::collections::HashMap;
use std::path::Path;
use std::time::{Instant, SystemTime};

use super::copies;
use super::discover::Found;
use super::follow::Follower;
use super::followed::Followed;
use super::look::New;
use super::proof::Proof;
use super::rotated::oldest_first;
use super::tail::{Tail, TurnError};
use crate::identity::{FileId, Stat};

/// Copies of files that are still there.
#[derive(Default)]
pub(super) struct Waiting {
    pub(super) judged: HashMap<FileId, Judged>,
    orphans: u64,
}

/// What a copy was like when it was judged.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Judged {
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
    /// Finds out what the new files of one source are, and follows them in the order in which they
    /// were written.
    pub(super) fn take_up(&mut self, source: &Path, mut group: Vec<New>) {
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
