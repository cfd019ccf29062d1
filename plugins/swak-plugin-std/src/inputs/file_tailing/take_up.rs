//! Taking up the new files of a source: each is judged, and then they are followed in the order in which they
//! were written, with those that waited for that.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::copies;
use super::discover::Found;
use super::follow::Follower;
use super::followed::Followed;
use super::judge::{Begun, State, Verdict, len_of};
use super::look::New;
use super::parked::number_of;
use super::position::Position;
use super::serial::{Since, oldest_first};
use super::tail::Tail;

/// In which order files of one source are read.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Turn {
    Known,
    Unread,
    Head,
}

/// What is done for the files of one source, one after the other.
enum Step {
    /// A new one is followed; whether a pattern names it.
    Follow(Begun, bool),
    /// One that waited is let go.
    Release(u64),
}

impl Follower<'_> {
    /// Finds out what the new files of one source are, and follows them in the order in which they
    /// were written, with those rotated ones of `held` that waited for this, which are taken out of it.
    /// With `may_wait` that is left to the next look, and this gives `false`, when one of them is no longer
    /// there: it may be on its way to another name.
    pub(super) fn take_up(
        &mut self,
        source: &Path,
        mut group: Vec<New>,
        held: &mut Vec<u64>,
        may_wait: bool,
    ) -> bool {
        let all: Vec<Found> = group.iter().map(|new| new.found.clone()).collect();
        let waited: Vec<(u64, Option<Found>)> =
            held.iter().filter_map(|number| self.held_rotation(*number, source)).collect();
        let places =
            self.places(source, &all, waited.iter().filter_map(|(_, found)| found.clone()));
        let place = |found: &Found| places.get(&found.path).copied().unwrap_or(usize::MAX);
        group.sort_by_cached_key(|new| place(&new.found));
        // Those that are what they were first: what is left is looked for among the others.
        let mut are_there = true;
        let mut taken = Vec::new();
        let mut others = Vec::new();
        for new in group {
            let place = place(&new.found);
            self.parked.is_at(&new.found);
            if !new.is_named && self.parked.is_seen(&new.found) {
                continue;
            }
            match self.known(&new) {
                Ok(Some(verdict)) => taken.push((Turn::Known, place, new, verdict)),
                Ok(None) => others.push((place, new)),
                Err(error) => are_there &= self.cannot_read(&new.found, &error),
            }
        }
        // An original before what may be a copy of it.
        others
            .sort_by_key(|(_, new)| (new.found.path != source, copies::is_packed(&new.found.path)));
        let mut unread = Vec::new();
        for (place, new) in others {
            match self.judge(&new, source, &unread, &all) {
                Ok(verdict @ Verdict::Known(_)) => taken.push((Turn::Known, place, new, verdict)),
                Ok(verdict) => {
                    unread.push(new.found.clone());
                    taken.push((Turn::Unread, place, new, verdict));
                }
                Err(error) => are_there &= self.cannot_read(&new.found, &error),
            }
        }
        let turn_of = |turn, new: &New, verdict: &Verdict| match verdict {
            _ if new.found.path == source => Turn::Head,
            // Its name says more than that it was once seen.
            Verdict::Known(tail) if tail.read_up_to().0 == 0 => Turn::Unread,
            _ => turn,
        };
        taken.sort_by_key(|(turn, place, new, verdict)| (turn_of(*turn, new, verdict), *place));
        let mut steps = Vec::new();
        for (turn, place, new, verdict) in taken {
            let turn = turn_of(turn, &new, &verdict);
            match self.begin(&new, source, verdict) {
                Ok(Some(file)) => steps.push((turn, Some(place), Step::Follow(file, new.is_named))),
                Ok(None) => {}
                Err(error) => are_there &= self.cannot_read(&new.found, &error),
            }
        }
        if !are_there && may_wait {
            for (_, _, step) in steps {
                if let Step::Follow(Begun { tail, state: State::Known }, _) = step {
                    self.parked.put(tail.key.clone(), tail.position());
                }
            }
            return false;
        }
        held.retain(|number| waited.iter().all(|(waited, _)| waited != number));
        for (number, found) in waited {
            // One that is deleted by now, and has no place, was older than what is there.
            let place = found.map(|found| place(&found));
            steps.push((Turn::Unread, place, Step::Release(number)));
        }
        steps.sort_by_key(|(turn, place, _)| (*turn, *place));
        for (_, _, step) in steps {
            match step {
                Step::Follow(file, is_named) => self.follow(file, is_named),
                Step::Release(number) => self.release(&[number]),
            }
        }
        self.put_head_last(&source.to_string_lossy());
        true
    }

    /// The places of the rotated files of a source, the oldest first: of those that are new, and of those that
    /// waited.
    fn places(
        &self,
        source: &Path,
        new: &[Found],
        waited: impl Iterator<Item = Found>,
    ) -> HashMap<PathBuf, usize> {
        let new = new.iter().filter(|found| found.path != source).cloned();
        let new: Vec<Found> = new.collect();
        let mut rotated: Vec<Found> = new.iter().cloned().chain(waited).collect();
        // Those that were read whole and stayed as they were are not read any more.
        let is_any_read = rotated.len() > new.len() || !new.iter().all(|f| self.parked.is_seen(f));
        if rotated.len() > 1 && is_any_read {
            let links = self.targets.iter().filter(|(_, link)| *link == source);
            let names: Vec<&Path> = links.map(|(target, _)| &**target).chain([source]).collect();
            let known = || self.known_since(source, &new);
            oldest_first(&mut rotated, &names, known, self.parked.is_clock_right());
        }
        rotated.into_iter().zip(0..).map(|(found, place)| (found.path, place)).collect()
    }

    /// A rotated file of this source that waits for a look, and where it is.
    fn held_rotation(&self, number: u64, source: &Path) -> Option<(u64, Option<Found>)> {
        let file = self.files.get(&number)?;
        let is_one = Path::new(&file.source) == source && file.path != source;
        is_one.then(|| (number, self.at_its_path(file)))
    }

    /// A followed file, if it is where it was seen last.
    fn at_its_path(&self, file: &Followed) -> Option<Found> {
        let found = Found::at(file.path.clone(), self.settings.identity).ok().flatten();
        found.filter(|found| found.may_be(file.id, file.born))
    }

    /// Since when it is known what rotated files of a source hold: those that are new, and those that are
    /// followed. One that was truncated since it was read, or of which nothing was read, may be younger than
    /// what is new, its copy.
    fn known_since(&self, source: &Path, new: &[Found]) -> Vec<(PathBuf, Since)> {
        let name = source.to_string_lossy();
        let followed = self.in_order(&name).map(|(_, file)| file);
        // One that is deleted was renamed before that, nobody knows to what.
        let is_there = |file: &Followed| {
            let len = self.at_its_path(file).and_then(|found| len_of(&found).ok());
            file.path != source && file.offset > 0 && len.is_some_and(|len| len >= file.offset)
        };
        let followed = followed.filter(|file| is_there(file));
        let followed = followed.map(|file| (file.path.clone(), Since::Followed(file.place)));
        let is_kept = |found: &Found, position: &Position| {
            let mut tail = Tail::new(found.clone(), position.source(), String::new());
            // What is compressed is not truncated, and dear to look into.
            copies::is_packed(&found.path)
                || tail.resume(position, self.settings).is_ok_and(|is_it| is_it)
        };
        let new = new.iter().filter_map(|found| match self.parked.first_of_file(found) {
            // It was not read, and is as old as what it is a copy of.
            Some((_, position)) if position.copied || position.offset == 0 => None,
            Some((key, position)) => {
                let since = Since::Before(number_of(key)?);
                is_kept(found, position).then(|| (found.path.clone(), since))
            }
            None => Some((found.path.clone(), Since::Now)),
        });
        followed.chain(new).collect()
    }
}

#[cfg(test)]
mod tests;
