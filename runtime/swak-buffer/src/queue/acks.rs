//! Acknowledging: the read position moves over what is done, and segments behind it go.

use std::io;

use super::{Discarded, Given, Queue};
use crate::aside;
use crate::error::is_full;
use crate::format::{SEGMENT_HEADER, segment_name};
use crate::gone::Cause;
use crate::place::{Count, Place};
use crate::storage::Storage;

impl<S: Storage, K> Queue<S, K> {
    /// Says that a frame is done. The read position moves over all that is done from its beginning;
    /// it is stored by [`Queue::save_position`]. Numbers that are not waited for are ignored.
    ///
    /// Gives what it was counted with when it was discarded while it was on its way: it is not lost
    /// after all.
    pub fn ack(&mut self, seq: u64) -> Option<(Cause, Count)> {
        if let Some((cause, count)) = self.discarded.remove(&seq) {
            self.gone.take(cause, count);
            return Some((cause, count));
        }
        self.done(seq, None);
        None
    }

    /// Gives up a frame that was read and cannot be used: it is done, and counts as lost.
    pub fn lose(&mut self, seq: u64, cause: Cause) {
        self.done(seq, Some(cause));
    }

    fn done(&mut self, seq: u64, lost: Option<Cause>) {
        let Ok(i) = self.given.binary_search_by_key(&seq, |given| given.start.seq) else { return };
        let given = &mut self.given[i];
        if !given.is_done {
            (given.is_done, given.lost) = (true, lost);
        }
        self.advance();
    }

    /// Writes the read position: it survives the end of this process. Deletes the segments that are
    /// done.
    ///
    /// # Errors
    /// The position is not stored, or a segment is not deleted; nothing else has changed.
    pub fn save_position(&mut self) -> io::Result<()> {
        self.make_room_for_position()?;
        self.position.write(&self.storage, self.current_position())?;
        self.delete_done()
    }

    /// Makes the read position durable. Deletes the segments that are done.
    ///
    /// # Errors
    /// The position is not stored, or a segment is not deleted; nothing else has changed.
    pub fn sync_position(&mut self) -> io::Result<()> {
        self.make_room_for_position()?;
        self.position.sync(&self.storage, self.current_position())?;
        self.delete_done()
    }

    /// Discards the oldest segment with all that is in it, to make room. `None` when nothing is held.
    /// Of a single one it keeps what is written from now on apart; on a disk without room for another file
    /// all goes that is held.
    ///
    /// # Errors
    /// Nothing was discarded.
    pub fn discard_oldest(&mut self, cause: Cause) -> io::Result<Option<Discarded>> {
        // One that was discarded before and could not be deleted makes room as well.
        self.delete_done()?;
        if self.read.seq == self.next.seq {
            return Ok(None);
        }
        let mut has_no_room = false;
        if self.segments.len() == 1 {
            match self.roll() {
                Err(error) if is_full(&error) && !self.broken => has_no_room = true,
                result => result?,
            }
        }
        let end = match self.segments.get(1) {
            Some(second) => second.start,
            None => self.next,
        };
        let before = self.gone;
        for i in 0..self.given.len() {
            let given = self.given[i];
            if given.start.seq >= end.seq {
                break;
            }
            let upto = if given.end.seq > end.seq { end } else { given.end };
            let count = upto.since(given.start.max(self.read));
            match (given.lost, given.is_done) {
                (Some(cause), _) => self.gone.add(cause, count),
                (None, true) => {}
                (None, false) => {
                    self.gone.add(cause, count);
                    self.discarded.insert(given.start.seq, (cause, count));
                }
            }
        }
        self.gone.add(cause, end.since(self.cursor.place.max(self.read)));
        self.read = self.read.max(end);
        self.given.retain(|given| given.end.seq > end.seq);
        self.advance();
        if self.cursor.place.seq < end.seq {
            self.cursor.go_to(end);
        }
        // It is discarded whether or not this works now: the position on disk may have moved.
        let _ = if has_no_room { self.delete_all() } else { self.delete_done() };
        let lost = self.gone.of(cause).beyond(before.of(cause));
        Ok(Some(Discarded { lost, before: end.seq }))
    }

    /// Deletes what is not needed, because the disk is full: first what was put aside, then every segment
    /// if all that is in them is done, also the one that is written to. `false` when nothing would be
    /// gained.
    ///
    /// # Errors
    /// Some of it may be deleted; all of it was done.
    pub(super) fn make_room_on_disk(&mut self) -> io::Result<bool> {
        if aside::clear(&self.storage)? {
            return Ok(true);
        }
        if self.read.seq != self.next.seq || self.size() <= SEGMENT_HEADER as u64 {
            return Ok(false);
        }
        self.delete_all()?;
        Ok(true)
    }

    /// Deletes every segment, of which all is done, also the one that is written to.
    fn delete_all(&mut self) -> io::Result<()> {
        self.keep_position()?;
        (self.tail, self.has_remnant) = (None, false);
        self.cursor.close();
        while let Some(first) = self.segments.front().map(|segment| segment.first) {
            remove(&self.storage, &segment_name(first))?;
            self.segments.pop_front();
        }
        Ok(())
    }

    /// Makes the position durable before segments are deleted: one that points before the first segment
    /// would make the deleted ones look lost.
    fn keep_position(&mut self) -> io::Result<()> {
        match self.position.sync_twice(&self.storage, self.current_position()) {
            // There is none, and a buffer without one begins at its first segment.
            Err(error) if is_full(&error) && self.position.is_absent() => Ok(()),
            result => result,
        }
    }

    /// Where the disk has had no room for a position so far, what is done may be all that fills it.
    fn make_room_for_position(&mut self) -> io::Result<()> {
        if self.position.is_absent() { self.delete_done() } else { Ok(()) }
    }

    fn advance(&mut self) {
        while let Some(first) = self.given.pop_front_if(|given| given.is_done) {
            if let Some(cause) = first.lost {
                self.gone.add(cause, first.end.since(self.read));
            }
            self.read = first.end;
        }
    }

    /// Something was read; what is lost is done as soon as it is told of.
    pub(super) fn give(&mut self, start: Place, end: Place, lost: Option<Cause>) {
        self.given.push_back(Given { start, end, is_done: lost.is_some(), lost });
        self.advance();
    }

    pub(super) fn lose_until(&mut self, place: Place) -> Count {
        if let Some(first) = self.cursor.saw_damage.take() {
            self.segments.note_damage(first);
        }
        let start = self.cursor.place;
        self.cursor.place = place;
        self.give(start, place, Some(Cause::Damaged));
        place.since(start)
    }

    /// Deletes segments of which every frame is done, and puts those aside in which something was lost.
    pub(super) fn delete_done(&mut self) -> io::Result<()> {
        while let Some(second) = self.segments.get(1)
            && second.first <= self.read.seq
        {
            self.keep_position()?;
            let first = self.segments.get(0).expect("there is one before the second");
            let name = segment_name(first.first);
            if first.has_losses {
                match aside::put_aside(&self.storage, &name) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                    _ => aside::prune(&self.storage, self.settings.max_size / 4)?,
                }
            } else {
                remove(&self.storage, &name)?;
            }
            self.segments.pop_front();
        }
        Ok(())
    }
}

/// Removes a file, if it is there.
pub(super) fn remove<S: Storage>(storage: &S, name: &str) -> io::Result<()> {
    match storage.remove(name) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}
