//! What becomes of a file after its turn.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use swak_sdk::plugin::Stopped;

use super::follow::Follower;
use super::followed::SELDOM;
use super::identify::is_of_path;
use super::position::Position;
use super::readers::{Done, Work};
use super::tail::{Tail, Turn, TurnError};

impl Follower<'_> {
    /// A reader has done with a file.
    pub(super) fn done(&mut self, done: Done) -> Result<(), Stopped> {
        let Done { number, tail, work, result, has_grown, has_lingered } = done;
        let now = Instant::now();
        let file = self.files.get_mut(&number).expect("a file stays while it is read");
        file.take_back(tail);
        file.has_lingered = has_lingered && has_grown;
        if self.waits_for.take_if(|waits_for| *waits_for == number).is_some() {
            self.next_scan = self.next_scan.min(now);
        }
        if has_grown {
            file.last_growth = now;
        }
        if has_grown != file.is_active {
            file.is_active = has_grown;
            self.active = if has_grown { self.active + 1 } else { self.active - 1 };
        }
        if is_of_path(file.id) && !matches!(result, Ok(Turn::More)) {
            // Its path may lead elsewhere by now.
            file.close();
        }
        match result {
            Ok(Turn::More) => {
                file.has_failed = false;
                self.make_ready(number);
            }
            Ok(Turn::Truncated(old)) => self.truncated(number, *old),
            Ok(Turn::Later) => {
                file.close();
                if !self.later.contains(&number) {
                    self.later.push_back(number);
                }
                // It is heard when one of this input is done, but not of others.
                self.schedule(number, now + self.pace.rescan);
            }
            Ok(Turn::End | Turn::Quiet) => {
                file.has_failed = false;
                self.at_end(number, work, has_grown);
                if let Some(waiting) = self.later.pop_front() {
                    self.make_ready(waiting);
                }
            }
            Err(TurnError::Stopped) => return Err(Stopped),
            Err(TurnError::Moved) => {
                if file.gone.is_none() {
                    self.next_scan = now;
                }
                self.failed(number, self.pace.poll);
            }
            Err(TurnError::Io(error)) => {
                if !file.has_failed {
                    tracing::warn!(path = %file.path.display(), "cannot read this file: {error}");
                    self.settings.counters.error();
                }
                file.has_failed = true;
                self.failed(number, self.pace.rescan);
            }
        }
        self.keep_budget();
        Ok(())
    }

    /// The end of a file was reached.
    pub(super) fn at_end(&mut self, number: u64, work: Work, has_grown: bool) {
        let (now, gather) = (Instant::now(), self.gather());
        let file = self.files.get_mut(&number).expect("it was there before");
        // A reader goes on waiting for more.
        let gather = if file.has_lingered { Duration::ZERO } else { gather };
        if std::mem::take(&mut file.is_stale) {
            self.make_ready(number);
            return;
        }
        if file.is_over(&self.pace, now)
            && file.tail.as_mut().is_some_and(|tail| tail.look_through_blank())
        {
            self.make_ready(number);
            return;
        }
        file.at_end = true;
        if let Some(next) = file.next.filter(|_| file.is_read()) {
            self.make_ready(next);
        }
        let file = self.files.get_mut(&number).expect("it was there before");
        if work == Work::Read
            && let Some(overdue) = file.overdue(&self.pace, now)
        {
            file.work = overdue;
            self.make_ready(number);
            return;
        }
        if file.is_over(&self.pace, now) {
            self.finish(number);
            return;
        }
        if std::mem::take(&mut file.is_hinted) {
            self.schedule(number, now + gather);
            return;
        }
        let mut is_new_watch = false;
        if !has_grown && file.gone.is_none() && !file.is_watched {
            file.is_watched = self.watch.file(number, &file.path);
            is_new_watch = file.is_watched;
        }
        if !has_grown && (is_new_watch || !file.is_watched) {
            self.quiet.push_back(number);
        }
        // What was written before the system was asked to tell of it, it does not tell.
        let wait = if is_new_watch { gather } else { file.wait(has_grown, gather, &self.pace) };
        let may_have_moved =
            file.gone.is_none() && !file.is_watched && file.pause < self.pace.rescan;
        if may_have_moved && file.tail.as_ref().is_some_and(|tail| !tail.is_at_path()) {
            self.next_scan = now;
        }
        let is_quiet = wait >= self.pace.rescan * SELDOM;
        self.schedule(number, if is_quiet { self.together(now + wait) } else { now + wait });
    }

    fn failed(&mut self, number: u64, wait: Duration) {
        let now = Instant::now();
        let file = self.files.get_mut(&number).expect("it was there before");
        if file.gone.is_some() || !self.pace.follow {
            file.at_end = true;
            if let Some(next) = file.next {
                self.make_ready(next);
            }
        }
        let file = self.files.get_mut(&number).expect("it was there before");
        if file.at_end && file.is_over(&self.pace, now) {
            self.finish(number);
        } else {
            self.schedule(number, now + wait);
        }
    }

    /// What was read of a file is no longer in it. It may be in a copy of it, which is to be read first.
    fn truncated(&mut self, number: u64, old: Position) {
        let key = self.parked.new_key();
        let file = self.files.get_mut(&number).expect("it was there before");
        tracing::info!(path = %file.path.display(), "the file was truncated; reading from its beginning");
        file.at_end = false;
        let is_head = file.path.as_os_str() == file.source.as_str();
        let is_kept = is_head || (file.gone.is_some() && !is_of_path(file.id));
        let tail = file.tail.as_mut().expect("it was given back");
        let old_key = std::mem::replace(&mut tail.key, key.clone());
        let start = tail.position();
        self.set_replaced(old_key, old);
        if is_kept {
            self.store(&key, &start);
            self.hold(number);
        } else {
            // What it is now is found out as for any other new file.
            drop(self.remove(number));
        }
        self.next_scan = Instant::now();
    }

    /// Lets a file wait for the next look, and with it those that are to be read after it, as far as they
    /// are not being read: they come after it again.
    pub(super) fn hold(&mut self, number: u64) {
        let mut all = Vec::new();
        let mut next = Some(number);
        while let Some(file) = next.and_then(|number| self.files.get_mut(&number)) {
            file.is_held = file.tail.is_some();
            all.extend(next.filter(|_| file.is_held));
            next = file.next;
        }
        all.into_iter().for_each(|number| self.unlink(number));
    }

    /// Files that wait for this look, in the order in which they were to be read.
    pub(super) fn held(&self) -> Vec<u64> {
        let held = self.files.iter().filter(|(_, file)| file.is_held);
        let mut held: Vec<(u64, u64)> = held.map(|(number, file)| (file.place, *number)).collect();
        held.sort_unstable();
        held.into_iter().map(|(_, number)| number).collect()
    }

    /// Lets files be read that waited for a look, one after the other.
    pub(super) fn release(&mut self, held: &[u64]) {
        for number in held {
            if let Some(file) = self.files.get_mut(number) {
                file.is_held = false;
                self.unlink(*number);
                self.append(*number);
            }
        }
        let sources = held.iter().filter_map(|number| Some(self.files.get(number)?.source.clone()));
        for source in sources.collect::<BTreeSet<_>>() {
            self.put_head_last(&source);
        }
    }

    /// Remembers up to where a file was read that holds something else by now.
    pub(super) fn set_replaced(&mut self, key: String, mut position: Position) {
        position.replaced = true;
        self.store(&key, &position);
        self.parked.put(key, position);
        self.waiting.new_orphans();
    }

    /// Follows a file no longer.
    fn finish(&mut self, number: u64) {
        if let Some(mut tail) = self.remove(number) {
            tail.check_end(self.settings);
            tracing::debug!(file = ?tail, "done with this file");
            self.parked.put_seen(tail.key.clone(), tail.position(), tail.seen());
            if self.pace.follow {
                self.next_scan = self.next_scan.min(Instant::now() + self.pace.rescan);
            }
        }
    }

    fn remove(&mut self, number: u64) -> Option<Box<Tail>> {
        self.unlink(number);
        let file = self.files.remove(&number)?;
        if let Some(due) = file.due {
            self.due.remove(&(due, number));
        }
        self.active -= u32::from(file.is_active);
        self.watch.forget_file(number);
        // Another file may have its identity by now.
        if self.by_id.get(&file.id) == Some(&number) {
            self.by_id.remove(&file.id);
        }
        file.tail
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inputs::file_tailing::flux::DUST;
    use crate::inputs::file_tailing::followed::Followed;
    use crate::inputs::file_tailing::harness::Still;

    /// The files of the one source, in the order in which they are read.
    fn order(follower: &Follower<'_>) -> Vec<u64> {
        let mut next = follower.files.iter().find(|(_, file)| file.after.is_none());
        let mut order = Vec::new();
        while let Some((number, file)) = next {
            order.push(*number);
            next = file.next.and_then(|next| follower.files.get_key_value(&next));
        }
        order
    }

    /// Looks until nothing is being renamed any more.
    fn look(follower: &mut Follower<'_>) {
        follower.scan();
        while follower.in_flux.is_some() {
            std::thread::sleep(DUST);
            follower.scan();
        }
    }

    /// Cuts a file before anything of it is read, so that it waits for a look.
    fn cut(still: &Still, follower: &mut Follower<'_>, number: u64, name: &str) {
        let mut away = follower.files.get_mut(&number).and_then(Followed::give_away).unwrap();
        still.write(name, "4\n");
        let turn = away.turn(follower.settings, follower.out).unwrap();
        assert!(matches!(turn, Turn::Truncated(_)), "{turn:?}");
        let (work, has_grown, has_lingered) = (Work::Read, false, false);
        let done = Done { number, tail: away, work, result: Ok(turn), has_grown, has_lingered };
        follower.done(done).unwrap();
        assert!(follower.files[&number].is_held);
    }

    /// Follows a file that is copied and cut before anything of it is read, and so waits for a look.
    fn cut_unread(still: &Still, follower: &mut Follower<'_>, copy: &str) {
        still.write("a.log", "1\n2\n3\n");
        follower.scan();
        std::fs::copy(still.path("a.log"), still.path(copy)).unwrap();
        cut(still, follower, 0, "a.log");
    }

    #[test]
    fn a_file_that_was_cut_before_anything_was_read_of_it_is_read_after_its_copy() {
        let still = Still::new();
        let mut follower = still.follower();
        cut_unread(&still, &mut follower, "a.log.1");
        look(&mut follower);
        assert_eq!(order(&follower), [1, 0]);
        assert_eq!(follower.files[&1].path, still.path("a.log.1"));
    }

    #[test]
    fn a_file_that_waited_is_read_between_those_that_are_older_and_younger() {
        let still = Still::new();
        let mut follower = still.follower();
        cut_unread(&still, &mut follower, "a.log-20260101");
        std::fs::rename(still.path("a.log"), still.path("a.log-20260102")).unwrap();
        still.write("a.log-20260103", "5\n");
        still.write("a.log", "6\n");
        look(&mut follower);
        let names = ["a.log-20260101", "a.log-20260102", "a.log-20260103", "a.log"];
        let paths: Vec<_> =
            order(&follower).iter().map(|n| follower.files[n].path.clone()).collect();
        assert_eq!(paths, names.map(|name| still.path(name)));
    }

    #[test]
    fn a_head_that_waited_is_read_after_all_that_are_older() {
        let still = Still::new();
        let mut follower = still.follower();
        still.write("a.log", "1\n2\n3\n");
        follower.scan();
        std::fs::rename(still.path("a.log"), still.path("a.log-20260102")).unwrap();
        still.write("a.log", "6\n");
        look(&mut follower);
        assert_eq!(order(&follower), [0, 1]);
        cut(&still, &mut follower, 0, "a.log-20260102");
        assert!(follower.files[&1].is_held);
        still.write("a.log-20260103", "5\n");
        look(&mut follower);
        assert_eq!(order(&follower), [0, 2, 1]);
        assert_eq!(follower.files[&2].path, still.path("a.log-20260103"));
        assert_eq!(follower.files[&1].after, Some(2));
    }

    #[test]
    fn files_that_waited_are_read_in_the_order_in_which_they_were_to_be() {
        let still = Still::new();
        let mut follower = still.follower();
        for name in ["0", "1", "2", "3"] {
            let tail = Tail::new(still.write(name, "1\n"), "a.log", name.into());
            follower.insert(tail, Some(Instant::now()));
        }
        // The one that was found first comes last.
        follower.unlink(0);
        follower.append(0);
        assert_eq!(order(&follower), [1, 2, 3, 0]);
        // One that comes later is held before.
        for number in [3, 1] {
            follower.hold(number);
        }
        assert!(follower.files.values().all(|file| file.is_held && file.after.is_none()));
        let held = follower.held();
        follower.release(&held);
        assert!(follower.held().is_empty());
        assert_eq!(order(&follower), [1, 2, 3, 0]);
    }
}
