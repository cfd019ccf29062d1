//! Reading in order.

use std::io;

use super::recent::Lies;
use super::{Frame, Next, Queue};
use crate::format::{SEGMENT_HEADER, segment_name};
use crate::frames::{Found, Frames};
use crate::layout::Segment;
use crate::place::Place;
use crate::storage::Storage;

/// Where the next frame is read.
pub(super) struct Cursor<F, K> {
    /// The next frame begins here, unless it is lost.
    pub(super) place: Place,
    /// The segment that is being read, and where it is to be read when it is not open.
    segment: Option<u64>,
    offset: u64,
    frames: Option<Frames<F>>,
    /// A frame that was read before it was known that others before it are lost.
    ahead: Option<(Frame<K>, Place)>,
    /// A segment in which something was not readable: if it turns out that frames are lost, it is the
    /// one to keep for whoever wants to look.
    pub(super) saw_damage: Option<u64>,
}

impl<F, K> Cursor<F, K> {
    pub(super) fn at(place: Place) -> Self {
        Cursor { place, segment: None, offset: 0, frames: None, ahead: None, saw_damage: None }
    }

    /// Goes on at the segment that holds this place.
    pub(super) fn go_to(&mut self, place: Place) {
        *self = Cursor::at(place);
    }

    /// Opens the file again before more is read.
    pub(super) fn close(&mut self) {
        self.frames = None;
    }

    /// Goes on at this offset of a segment, and opens its file again.
    pub(super) fn move_to(&mut self, segment: u64, offset: u64) {
        self.frames = None;
        (self.segment, self.offset) = (Some(segment), offset);
    }
}

impl<S: Storage, K: From<Vec<u8>>> Queue<S, K> {
    /// Reads what comes next; `None` at the end. Frames must be acknowledged, in any order.
    ///
    /// # Errors
    /// A segment cannot be read. Trying again may help; [`Queue::skip_segment`] gives up on it.
    #[expect(clippy::should_implement_trait, reason = "it fails, and goes on after the end")]
    pub fn next(&mut self) -> io::Result<Option<Next<K>>> {
        if let Some((frame, end)) = self.cursor.ahead.take() {
            return Ok(Some(self.hand_out(frame, end)));
        }
        loop {
            if self.cursor.place.seq >= self.next.seq {
                return Ok(None);
            }
            if let Some(kept) = self.recent.take(self.cursor.place.seq) {
                let Lies { end, segment, end_offset, .. } = kept.lies;
                self.cursor.move_to(segment, end_offset);
                return Ok(Some(self.hand_out(kept.into_frame(), end)));
            }
            let Some(found) = self.read_on()? else {
                // Nothing more on disk: what should be there is gone.
                let end = self.recent.first_start().unwrap_or(self.next);
                return Ok(Some(Next::Lost(self.lose_until(end))));
            };
            let Found::Frame { start, end, payload, is_gap } = found else {
                self.cursor.saw_damage = self.cursor.segment;
                continue;
            };
            if end.seq <= self.cursor.place.seq {
                continue;
            }
            if is_gap {
                return Ok(Some(Next::Lost(self.lose_until(end))));
            }
            let Some(payload) = payload else { continue };
            let (records, bytes) = (end.records - start.records, end.bytes - start.bytes);
            let frame = Frame { seq: start.seq, payload: payload.into(), records, bytes };
            if start.seq > self.cursor.place.seq {
                self.cursor.ahead = Some((frame, end));
                return Ok(Some(Next::Lost(self.lose_until(start))));
            }
            return Ok(Some(self.hand_out(frame, end)));
        }
    }
}

impl<S: Storage, K> Queue<S, K> {
    /// Gives up on the rest of the segment that is being read; what was in it counts as lost when the
    /// next frame is read. Its file is put aside, and not deleted, when it is done.
    pub fn skip_segment(&mut self) {
        if let Some(segment) = self.current_segment() {
            self.segments.note_damage(segment.first);
            self.cursor.move_to(segment.first, segment.len);
        }
    }

    fn hand_out(&mut self, frame: Frame<K>, end: Place) -> Next<K> {
        self.give(self.cursor.place, end, None);
        self.cursor.place = end;
        Next::Frame(frame)
    }

    /// The next thing in the segments from the cursor on; `None` behind the last.
    fn read_on(&mut self) -> io::Result<Option<Found>> {
        loop {
            let Some(segment) = self.current_segment() else { return Ok(None) };
            if self.cursor.frames.is_none() && self.cursor.offset < segment.len {
                match self.storage.open(&segment_name(segment.first), false) {
                    Ok(file) => {
                        let frames = Frames::new(file, segment.seed(), self.cursor.offset);
                        self.cursor.frames = Some(frames);
                    }
                    // Deleted behind our back.
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {
                        self.cursor.offset = segment.len;
                    }
                    Err(error) => return Err(error),
                }
            }
            let from = self.cursor.place;
            if let Some(frames) = &mut self.cursor.frames
                && let Some(found) = frames.next(segment.len, |start| start.seq >= from.seq)?
            {
                self.cursor.offset = frames.offset();
                return Ok(Some(found));
            }
            let next = self.segments.at_or_after(segment.first + 1);
            let Some(next) = next.map(|next| next.first) else { return Ok(None) };
            self.cursor.move_to(next, SEGMENT_HEADER as u64);
        }
    }

    /// The segment that the cursor reads: at first the one that holds its place.
    fn current_segment(&mut self) -> Option<Segment> {
        let wanted = match self.cursor.segment {
            // It, or if it was deleted the next one.
            Some(first) => self.segments.at_or_after(first),
            None => self.segments.holding(self.cursor.place.seq).or(self.segments.front()),
        };
        let segment = *wanted?;
        if self.cursor.segment != Some(segment.first) {
            self.cursor.move_to(segment.first, SEGMENT_HEADER as u64);
        }
        Some(segment)
    }
}
