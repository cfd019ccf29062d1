//! Copies of files that are still there, and such in the making: they wait, because all that they hold is
//! read in the original, unless that is truncated or deleted before.

use std::collections::HashMap;
use std::path::Path;
use std::time::{Duration, Instant};

use super::copies;
use super::discover::Found;
use super::follow::Follower;
use super::followed::Followed;
use super::parked::Seen;
use super::position::Position;
use super::proof::Proof;
use super::tail::{Likeness, Original, Tail, TurnError};
use crate::identity::FileId;

/// Copies of files that are still there.
#[derive(Default)]
pub(super) struct Waiting {
    pub(super) judged: HashMap<FileId, Judged>,
    orphans: u64,
}

/// What a copy was like when it was judged.
pub(super) struct Judged {
    seen: Seen,
    /// Since when it is so.
    since: Instant,
    /// When it was looked into.
    at: Instant,
    orphans: u64,
    copy: Copy,
}

/// What is known of a copy.
#[derive(Clone)]
enum Copy {
    /// It may be one in the making, or one of what was just truncated.
    Unknown,
    /// What it may be a copy of was being read.
    Undecided,
    /// It is what the file of this identity begins with, up to this offset in whole lines.
    Of { original: FileId, offset: u64, proof: Proof },
    /// As before, and all of that was read: it is stored.
    Read,
}

impl Waiting {
    /// What was read of some file is no longer in it: it may be in one of the copies.
    pub(super) fn new_orphans(&mut self) {
        self.orphans += 1;
    }

    /// Whether some of them may soon be something else.
    pub(super) fn is_unsettled(&self, wait: Duration) -> bool {
        self.judged.values().any(|judged| judged.since.elapsed() < wait)
    }

    /// Whether this is as it was when it was judged, and nothing happened that would make it worth looking
    /// into it once more. `wait` is how long a copy in the making may pause.
    pub(super) fn is_settled(&self, found: &Found, seen: Seen, wait: Duration) -> bool {
        let Some(judged) = self.judged.get(&found.id) else { return false };
        let is_same = judged.seen == seen && judged.orphans == self.orphans;
        let is_final = judged.since.elapsed() >= wait;
        let is_due = match judged.copy {
            Copy::Undecided => true,
            Copy::Unknown if is_final && judged.at < judged.since + wait => true,
            // To unpack a large file for it would be too much.
            _ => !copies::is_packed(&found.path) && judged.at.elapsed() >= SOMETIMES,
        };
        is_same && !is_due
    }

    /// Since when a file is as it is now.
    fn since(&self, id: FileId, seen: Seen) -> Instant {
        let before = self.judged.get(&id).filter(|judged| judged.seen == seen);
        before.map_or_else(Instant::now, |judged| judged.since)
    }
}

/// How often it is looked whether a copy that is not compressed still is one, whatever happens.
const SOMETIMES: Duration = Duration::from_secs(10);

/// What became of a copy.
pub(super) enum WasCopy {
    /// It was none.
    No,
    /// It is as it was.
    Unchanged,
    /// There is more in it than was read of its original.
    Grown(Box<Tail>),
}

impl Follower<'_> {
    /// Whether a file is a copy, as far as it goes, of one that is still there, or one in the making: it
    /// waits then, and it is remembered how it was judged. `unread` are others of the same source. An error
    /// when it cannot be told just now.
    pub(super) fn is_copy(
        &mut self,
        tail: &mut Tail,
        found: &Found,
        seen: Seen,
        source: &Path,
        unread: &[Found],
    ) -> Result<bool, TurnError> {
        let since = self.waiting.since(found.id, seen);
        let is_final = since.elapsed() >= self.pace.rotate_wait || !self.pace.follow;
        let Some(copy) = self.likeness(tail, found, source, unread, is_final)? else {
            self.waiting.judged.remove(&found.id);
            return Ok(false);
        };
        let is_undecided = matches!(copy, Copy::Undecided);
        let (at, orphans) = (Instant::now(), self.waiting.orphans);
        let judged = Judged { seen, since, at, orphans, copy };
        let before = self.waiting.judged.insert(found.id, judged);
        if before.is_none_or(|before| before.seen != seen || before.orphans != orphans) {
            self.hold_unread(source);
        }
        if is_undecided {
            return Err(TurnError::Moved);
        }
        self.note_copy(found, source);
        Ok(true)
    }

    /// What is left to read of a file that was a copy of another when it was there.
    pub(super) fn was_copy(&mut self, found: &Found, seen: Seen) -> Result<WasCopy, TurnError> {
        for (key, position) in self.parked.of_file(found) {
            if !position.copied {
                continue;
            }
            let mut tail = Tail::new(found.clone(), position.source(), key.clone());
            if !tail.resume(&position, self.settings)? {
                continue;
            }
            if position.len == Some(seen.0) {
                return Ok(WasCopy::Unchanged);
            }
            self.parked.take(&key);
            self.store(&key, &tail.position());
            return Ok(WasCopy::Grown(Box::new(tail)));
        }
        Ok(WasCopy::No)
    }

    /// Stores that all of a copy was read, once that is so: it stays known when its original is gone.
    pub(super) fn note_copy(&mut self, found: &Found, source: &Path) {
        let Some(judged) = self.waiting.judged.get_mut(&found.id) else { return };
        let Copy::Of { original, offset, proof } = judged.copy else { return };
        let followed = self.by_id.get(&original).and_then(|number| self.files.get(number));
        let name = source.to_string_lossy();
        let parked = || self.parked.others(&name).find(|p| p.id() == original).map(|p| p.offset);
        if followed.map(|file| file.offset).or_else(parked).is_none_or(|read| read < offset) {
            return;
        }
        judged.copy = Copy::Read;
        let len = judged.seen.0;
        let start = Position::new(&found.path, &name, found.id, found.born);
        let mut position = start.at(offset, proof);
        (position.copied, position.len) = (true, Some(len));
        let before = self.parked.of_file(found).into_iter().find(|(_, position)| position.copied);
        let key = before.map_or_else(|| self.parked.new_key(), |(key, _)| key);
        self.store(&key, &position);
        self.parked.put(key, position);
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

    /// As what a file has to wait. `is_final` says that it does not change any more.
    fn likeness(
        &self,
        tail: &mut Tail,
        found: &Found,
        source: &Path,
        unread: &[Found],
        is_final: bool,
    ) -> Result<Option<Copy>, TurnError> {
        if tail.file_len(self.settings)? == 0 {
            return Ok((!is_final).then_some(Copy::Unknown));
        }
        let name = source.to_string_lossy();
        let followed = self.files.values().filter(|file| file.source == name);
        let followed = followed.map(|f| {
            let (offset, proof) = f.progress.get();
            Original {
                path: &f.path,
                id: f.id,
                born: f.born,
                begun: f.begun,
                offset,
                proof,
                file: f.tail.as_ref().and_then(|tail| tail.file()),
                is_away: f.tail.is_none(),
            }
        });
        let parked = self.parked.others(&name).map(|p| Original {
            path: Path::new(&p.path),
            id: p.id(),
            born: p.born,
            begun: p.begun,
            offset: p.offset,
            proof: p.proof,
            file: None,
            is_away: false,
        });
        let unread = unread.iter().map(|found| Original {
            path: &found.path,
            id: found.id,
            born: found.born,
            begun: None,
            offset: 0,
            proof: Proof::default(),
            file: None,
            is_away: false,
        });
        let mut is_unknown = false;
        for original in followed.chain(parked).chain(unread) {
            let is_older =
                self.parked.is_clock_right() && was_written_before(found.modified, tail, &original);
            // What was made before is no copy of it either, whatever the clock says.
            let is_elder = tail.born.zip(original.born).is_some_and(|(copy, it)| copy < it);
            if is_older || is_elder || original.id == tail.id {
                continue;
            }
            match tail.compare(&original, self.settings)? {
                Likeness::None => {}
                Likeness::Unknown => is_unknown = true,
                Likeness::Holds => return Ok(Some(Copy::Unknown)),
                Likeness::Copy => {
                    let (offset, proof) = tail.last_line_end(self.settings)?;
                    return Ok(Some(Copy::Of { original: original.id, offset, proof }));
                }
            }
        }
        if is_unknown {
            return Ok(Some(Copy::Undecided));
        }
        let is_in_the_making = !is_final && tail.is_unfinished(self.settings)?;
        Ok(is_in_the_making.then_some(Copy::Unknown))
    }
}

/// Whether what was last written at this time was written before the content of another file began: it is
/// no copy of that, although both may begin with the same, the head that a program writes into each.
fn was_written_before(modified: Option<i128>, tail: &Tail, original: &Original<'_>) -> bool {
    let Some(modified) = modified else { return false };
    if let Some(begun) = original.begun {
        return modified <= begun.into();
    }
    let Some(born) = original.born.filter(|_| original.was_written_in_place()) else {
        return false;
    };
    // A copy that was made within the same tick of the clock does not have its time from elsewhere.
    let is_kept = || tail.born.is_none_or(|born| modified < born.into());
    modified < born.into() || (modified == born.into() && is_kept())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inputs::file_tailing::harness::Still;

    #[test]
    fn a_copy_is_known_by_what_is_read_of_its_original_while_that_is_read() {
        let still = Still::new();
        let mut follower = still.follower();
        let source = still.path("a.log");
        let original =
            Tail::new(still.write("a.log", "1\n2\n"), source.to_str().unwrap(), "0".into());
        follower.insert(original, None);
        let mut away = follower.files.get_mut(&0).and_then(Followed::give_away).unwrap();
        // It is copied and truncated meanwhile.
        let copy = still.write("a.log.1", "1\n2\n");
        let likeness = |follower: &Follower<'_>| {
            let mut tail = Tail::new(copy.clone(), source.to_str().unwrap(), "1".into());
            follower.likeness(&mut tail, &copy, &source, &[], true).unwrap()
        };
        assert!(matches!(likeness(&follower), Some(Copy::Of { .. })));
        std::fs::write(&source, "").unwrap();
        assert!(matches!(likeness(&follower), Some(Copy::Undecided)), "it may be read just now");
        std::fs::write(&source, "1\n2\n").unwrap();
        still.read(&mut away);
        std::fs::write(&source, "").unwrap();
        assert!(matches!(likeness(&follower), Some(Copy::Unknown)), "it was read");
        assert_eq!(follower.files[&0].offset, 0, "which is not known here");
    }
}
