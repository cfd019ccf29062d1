//! What was just appended, kept for a reader that is not far behind.

use std::collections::VecDeque;

use super::Frame;
use crate::place::Place;

/// Consecutive frames, the last of them the last that was appended. When it is full it takes nothing
/// more until the reader has come to the end: what is in between must be read from disk.
#[derive(Default)]
pub(super) struct Recent {
    frames: VecDeque<Kept>,
    bytes: usize,
    limit: usize,
    /// Frames were left out behind the last one.
    has_gap: bool,
}

/// A frame and where it lies.
pub(super) struct Kept {
    pub(super) frame: Frame,
    pub(super) end: Place,
    pub(super) segment: u64,
    pub(super) end_offset: u64,
}

impl Recent {
    pub(super) fn new(limit: usize) -> Self {
        Recent { limit, ..Recent::default() }
    }

    /// Whether there is room for the next frame, of this number and length.
    pub(super) fn wants(&mut self, seq: u64, len: usize, reader: Place) -> bool {
        if self.frames.is_empty() {
            self.has_gap = reader.seq != seq;
        }
        self.has_gap |= self.bytes + len + size_of::<Kept>() > self.limit;
        !self.has_gap
    }

    /// Keeps a frame that is wanted.
    pub(super) fn keep(&mut self, kept: Kept) {
        self.bytes += kept.frame.payload.len() + size_of::<Kept>();
        self.frames.push_back(kept);
    }

    /// The frame of this number, if it is the first here. Earlier ones are let go.
    pub(super) fn take(&mut self, seq: u64) -> Option<Kept> {
        while self.frames.front().is_some_and(|kept| kept.frame.seq < seq) {
            self.pop();
        }
        match self.frames.front() {
            Some(kept) if kept.frame.seq == seq => self.pop(),
            _ => None,
        }
    }

    /// Where its first frame begins.
    pub(super) fn first_start(&self) -> Option<Place> {
        let first = self.frames.front()?;
        Some(Place {
            seq: first.frame.seq,
            records: first.end.records - first.frame.records,
            bytes: first.end.bytes - first.frame.bytes,
        })
    }

    fn pop(&mut self) -> Option<Kept> {
        let kept = self.frames.pop_front()?;
        self.bytes -= kept.frame.payload.len() + size_of::<Kept>();
        Some(kept)
    }
}
