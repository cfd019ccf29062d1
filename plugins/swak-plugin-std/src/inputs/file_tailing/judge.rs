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

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use super::copies;
use super::discover::Found;
use super::fingerprint::Fingerprint;
use super::follow::Follower;
use super::identify::is_of_path;
use super::look::New;
use super::position::Position;
use super::tail::{Tail, TurnError};
use super::waiting::WasCopy;
use crate::identity::{FileId, Stat};

/// What a new file is.
pub(super) enum Verdict {
    /// What the position says was read of it.
    Known(Box<Tail>),
    /// Unread.
    Unread,
    /// Old history.
    Skipped,
    /// It is not known yet, or there is nothing to be done.
    Nothing,
}

/// A new file that can be followed.
pub(super) struct Begun {
    pub(super) tail: Box<Tail>,
    pub(super) state: State,
}

/// What is known of one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// It was read before.
    Known,
    /// It was not.
    Unread,
    /// It is left out.
    Skipped,
}

impl Follower<'_> {
    /// What a file is that was read before, if it is such.
    pub(super) fn known(&mut self, new: &New) -> Result<Option<Verdict>, TurnError> {
        for (key, position) in self.parked.of_file(&new.found) {
            if position.copied || (position.skipped && new.is_named) {
                // It is judged once more, or a pattern that was added since names it.
                continue;
            }
            let mut tail = Tail::new(new.found.clone(), position.source(), key.clone());
            let is_packed = position.skipped && copies::is_packed(&new.found.path);
            if is_packed && position.len == Some(len_of(&new.found)?) {
                return Ok(Some(Verdict::Nothing));
            }
            // Of one that was left out nothing was read that it could be known by.
            let is_another = is_packed && position.offset == 0;
            if !is_another && tail.resume(&position, self.settings)? {
                let len = position.len.unwrap_or(u64::MAX);
                if position.skipped && tail.file_len(self.settings)? <= len {
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
                let begun = new.found.modified.and_then(|modified| i64::try_from(modified).ok());
                self.begun_anew.insert(new.found.id, begun);
            }
        }
        Ok(None)
    }

    /// What a file is that was not read before. `all` are the new files of its source, and `unread` those
    /// of them that nothing was read of.
    pub(super) fn judge(
        &mut self,
        new: &New,
        source: &Path,
        unread: &[Found],
        all: &[Found],
    ) -> Result<Verdict, TurnError> {
        let found = &new.found;
        if found.path == source {
            return Ok(Verdict::Unread);
        }
        let seen = match Stat::of_path(&found.path) {
            Ok(Some(stat)) => (stat.len, stat.modified),
            _ => return Err(TurnError::Moved),
        };
        if self.waiting.is_settled(found, seen, self.pace.rotate_wait) {
            self.note_copy(found, source);
            return Ok(Verdict::Nothing);
        }
        let name = source.to_string_lossy();
        let mut orphans = self.parked.orphans(&name);
        // Nothing was read of one that is gone: this may be it, compressed, or moved to another disk.
        let is_owed = orphans.iter().any(|(_, position)| position.offset == 0 && !position.skipped);
        let is_unread = new.is_named || self.is_since_start(source, found, is_owed);
        if !is_unread && orphans.is_empty() && is_old(found) {
            // Nothing of it has to be read for this.
            return Ok(Verdict::Skipped);
        }
        orphans.sort_by_key(|(_, position)| (position.skipped, std::cmp::Reverse(position.offset)));
        let mut tail = Tail::new(found.clone(), &name, String::new());
        let is_plain = tail.is_plain(self.settings)?;
        for (key, position) in orphans.into_iter().filter(|(_, position)| position.offset > 0) {
            if !tail.resume(&position, self.settings)? {
                continue;
            }
            if is_plain && proves_little(&position, found) && self.is_common(&position, found, all)
            {
                continue;
            }
            self.parked.take(&key);
            tail.key.clone_from(&key);
            let mut copy = tail.position();
            copy.skipped = position.skipped;
            copy.len = position.skipped.then_some(seen.0);
            self.store(&key, &copy);
            if position.skipped {
                self.parked.put(key, copy);
                return Ok(Verdict::Nothing);
            }
            tracing::info!(path = %found.path.display(), "going on in a copy of what was read");
            return Ok(Verdict::Known(Box::new(tail)));
        }
        if self.is_copy(&mut tail, found, seen, source, unread)? {
            return Ok(Verdict::Nothing);
        }
        match self.was_copy(found, seen)? {
            WasCopy::No => {}
            WasCopy::Unchanged => return Ok(Verdict::Nothing),
            WasCopy::Grown(tail) => return Ok(Verdict::Known(tail)),
        }
        Ok(if is_unread { Verdict::Unread } else { Verdict::Skipped })
    }

    /// Whether what was read of a file that is gone is what several of its source begin with: the head that
    /// a program writes into each of them.
    fn is_common(&self, position: &Position, found: &Found, all: &[Found]) -> bool {
        let followed = self.files.values().filter(|file| file.source == position.source());
        let followed = followed.map(|file| (file.path.clone(), file.id, file.born));
        let parked = self.parked.others(position.source());
        let parked = parked.map(|p| (PathBuf::from(&p.path), p.id(), p.born));
        let all = all.iter().map(|found| (found.path.clone(), found.id, found.born));
        let holds = |(path, id, born): (PathBuf, FileId, Option<i64>)| {
            let found = Found { path, id, born, modified: None, target: None };
            let mut tail = Tail::new(found, position.source(), String::new());
            tail.resume(position, self.settings).unwrap_or(false)
        };
        let others = all.chain(followed).chain(parked);
        others.filter(|(path, id, _)| *id != found.id && !copies::is_packed(path)).any(holds)
    }

    /// Whether a rotated file was written since this input was started for the first time, or, with
    /// `is_owed`, was there then and may be one of which nothing was read.
    fn is_since_start(&self, source: &Path, found: &Found, is_owed: bool) -> bool {
        let Ok(metadata) = std::fs::metadata(&found.path) else { return false };
        let modified = metadata.modified().ok();
        let since = modified.and_then(|at| at.duration_since(SystemTime::UNIX_EPOCH).ok());
        if self.parked.is_since_start(since.map_or(0, |since| since.as_secs())) {
            return !self.is_first_start || self.known.contains_key(source);
        }
        // What was written to before it was made was written elsewhere, and restored or unpacked here;
        // or the clock was set back while it was written.
        let was_restored = modified
            .zip(metadata.created().ok())
            .is_some_and(|(modified, made)| modified + RESTORED < made);
        let is_history = was_restored && self.parked.is_clock_right() && !is_owed;
        self.known.contains_key(source) && !is_history
    }

    /// Opens a new file, and sets it to where reading begins.
    pub(super) fn begin(
        &mut self,
        new: &New,
        source: &Path,
        verdict: Verdict,
    ) -> Result<Option<Begun>, TurnError> {
        let state = match verdict {
            Verdict::Nothing => return Ok(None),
            Verdict::Known(tail) => {
                return Ok(Some(Begun { tail, state: State::Known }));
            }
            Verdict::Unread => State::Unread,
            Verdict::Skipped => State::Skipped,
        };
        let found = new.found.clone();
        let tail = Tail::new(found, &source.to_string_lossy(), self.parked.new_key());
        let mut tail = Box::new(tail);
        tail.begun = self.begun_anew.get(&tail.id).copied().flatten();
        let is_skipped = state == State::Skipped;
        if is_skipped && copies::is_packed(&tail.path) {
            // Nothing of it has to be read for this.
        } else if is_skipped || (self.is_first_start && self.pace.skip_present) {
            tail.skip_to_end(self.settings)?;
        } else {
            tail.open_now(self.settings)?;
        }
        Ok(Some(Begun { tail, state }))
    }

    /// Begins to follow a file, or to know that it is left out.
    pub(super) fn follow(&mut self, file: Begun, is_named: bool) {
        let Begun { tail, state } = file;
        self.unreadable.remove(&tail.id);
        self.begun_anew.remove(&tail.id);
        if state != State::Known {
            let mut position = tail.position();
            if state == State::Skipped {
                let stat = Stat::of_path(&tail.path).ok().flatten();
                (position.skipped, position.len) = (true, stat.map(|stat| stat.len));
            }
            // From here on it is known that this source is followed, whatever is delivered.
            self.store(&tail.key, &position);
            if state == State::Skipped {
                self.parked.put(tail.key, position);
                return;
            }
        }
        tracing::debug!(file = ?tail, "following");
        self.insert(*tail, (!is_named).then(Instant::now));
        self.keep_budget();
    }

    /// It will be found again by the next look. Whether it is still there.
    pub(super) fn cannot_read(&mut self, found: &Found, error: &TurnError) -> bool {
        if let TurnError::Io(error) = error
            && self.unreadable.insert(found.id)
        {
            tracing::warn!(path = %found.path.display(), "cannot read this file: {error}");
            self.settings.counters.error();
        }
        !matches!(error, TurnError::Moved)
    }
}

/// How many bytes the file at this path has, compressed or not, without opening it.
pub(super) fn len_of(found: &Found) -> Result<u64, TurnError> {
    match Stat::of_path(&found.path) {
        Ok(Some(stat)) => Ok(stat.len),
        _ => Err(TurnError::Moved),
    }
}

/// A file that was written to so long ago is no copy that somebody is making.
const OLD: Duration = Duration::from_secs(60);

/// Bytes that are restored from a backup, or unpacked, are younger by more than this than they say.
const RESTORED: Duration = Duration::from_secs(2);

/// Whether nobody has written to this file lately.
fn is_old(found: &Found) -> bool {
    let modified = std::fs::metadata(&found.path).and_then(|metadata| metadata.modified());
    modified.is_ok_and(|modified| modified.elapsed().is_ok_and(|age| age >= OLD))
}

/// Whether what was read of a file that is gone is too little to know a copy by, where nobody would make
/// one: on the same disk a file is renamed, and what is compressed is not this one.
fn proves_little(position: &Position, found: &Found) -> bool {
    let is_same_device = position.id().device == found.id.device && !is_of_path(found.id);
    !position.replaced && is_same_device && position.offset < Fingerprint::HEAD
}
