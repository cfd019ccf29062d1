//! Acknowledging: the read position moves over what is done, and segments behind it go.

use std::io;

use super::{Discarded, Given, Queue};
use crate::format::{SEGMENT_HEADER, segment_name};
use crate::place::{Count, Place};
use crate::storage::Storage;

impl<S: Storage> Queue<S> {
    /// Says that a frame is done. The read position moves over all that is done from its beginning;
    /// it is stored by [`Queue::save_position`]. Numbers that are not waited for are ignored.
    pub fn ack(&mut self, seq: u64) {
        let Ok(i) = self.given.binary_search_by_key(&seq, |given| given.start.seq) else { return };
        self.given[i].is_done = true;
        self.advance();
    }

    /// Writes the read position: it survives the end of this process. Deletes the segments that are
    /// done.
    ///
    /// # Errors
    /// The position is not stored; nothing else has changed.
    pub fn save_position(&mut self) -> io::Result<()> {
        self.position.write(self.current_position())?;
        self.delete_done()
    }

    /// Makes the read position durable. Deletes the segments that are done.
    ///
    /// # Errors
    /// The position is not stored; nothing else has changed.
    pub fn sync_position(&mut self) -> io::Result<()> {
        self.position.sync(self.current_position())?;
        self.delete_done()
    }

    /// Discards the oldest segment with all that is in it, to make room. `None` when nothing is held.
    ///
    /// # Errors
    /// Nothing was discarded.
    pub fn discard_oldest(&mut self) -> io::Result<Option<Discarded>> {
        // One that was discarded before and could not be deleted makes room as well.
        self.delete_done()?;
        if self.read.seq == self.next.seq {
            return Ok(None);
        }
        if self.segments.len() == 1 {
            self.roll()?;
        }
        let end = match self.segments.get(1) {
            Some(second) => second.start,
            None => self.next,
        };
        let unread = end.since(self.cursor.place);
        self.read = self.read.max(end);
        self.given.retain(|given| given.end.seq > end.seq);
        self.advance();
        if self.cursor.place.seq < end.seq {
            self.cursor.go_to(end);
        }
        // It is discarded whether or not this works now: the position on disk may have moved.
        let _ = self.delete_done();
        Ok(Some(Discarded { unread, before: end.seq }))
    }

    /// Deletes every segment if all that is in them is done, also the one that is written to. `false`
    /// when something is not done, or nothing would be gained.
    ///
    /// # Errors
    /// Some of them may be deleted; all of them are done.
    pub(super) fn delete_all_done(&mut self) -> io::Result<bool> {
        if self.read.seq != self.next.seq || self.size() <= SEGMENT_HEADER as u64 {
            return Ok(false);
        }
        self.position.sync_twice(self.current_position())?;
        self.tail = None;
        self.cursor.close();
        while let Some(first) = self.segments.front().map(|segment| segment.first) {
            match self.storage.remove(&segment_name(first)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            self.segments.pop_front();
        }
        Ok(true)
    }

    fn advance(&mut self) {
        while let Some(first) = self.given.pop_front_if(|given| given.is_done) {
            self.read = first.end;
        }
    }

    /// Lost frames are done as soon as they are told of.
    pub(super) fn give(&mut self, start: Place, end: Place, is_done: bool) {
        if is_done && self.given.is_empty() {
            self.read = end;
        } else {
            self.given.push_back(Given { start, end, is_done });
        }
    }

    pub(super) fn lose_until(&mut self, place: Place) -> Count {
        let start = self.cursor.place;
        self.cursor.place = place;
        self.give(start, place, true);
        place.since(start)
    }

    /// Deletes segments of which every frame is done. The position is made durable before: one that
    /// points before the first segment would make the deleted ones look lost.
    pub(super) fn delete_done(&mut self) -> io::Result<()> {
        while let Some(second) = self.segments.get(1)
            && second.first <= self.read.seq
        {
            self.position.sync_twice(self.current_position())?;
            let first = self.segments[0].first;
            match self.storage.remove(&segment_name(first)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            self.segments.pop_front();
        }
        Ok(())
    }
}
