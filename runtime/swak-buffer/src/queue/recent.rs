//! What was just appended, kept for a reader that is not far behind.

use std::collections::VecDeque;

use super::Frame;
use crate::place::{Count, Place};

/// Consecutive frames, the last of them the last that was appended. When it is full it takes nothing
/// more until the reader has come to the end: what is in between must be read from disk.
pub(super) struct Recent<K> {
    frames: VecDeque<Kept<K>>,
    bytes: usize,
    limit: usize,
    /// Frames were left out behind the last one.
    has_gap: bool,
}

/// A frame and where it lies.
pub(super) struct Kept<K> {
    content: K,
    size: usize,
    pub(super) lies: Lies,
}

/// Where a frame lies.
#[derive(Clone, Copy)]
pub(super) struct Lies {
    pub(super) start: Place,
    pub(super) end: Place,
    pub(super) segment: u64,
    pub(super) end_offset: u64,
}

impl<K> Kept<K> {
    pub(super) fn into_frame(self) -> Frame<K> {
        let Lies { start, end, .. } = self.lies;
        let count = end.since(start);
        let Count { records, bytes, .. } = count;
        Frame { seq: start.seq, payload: self.content, records, bytes }
    }
}

impl<K> Recent<K> {
    pub(super) fn new(limit: usize) -> Self {
        Recent { frames: VecDeque::new(), bytes: 0, limit, has_gap: false }
    }

    /// Keeps the frame that was appended last, which takes so much memory, if there is room.
    pub(super) fn keep(
        &mut self,
        lies: Lies,
        size: usize,
        reader: Place,
        content: impl FnOnce() -> K,
    ) {
        let size = size + size_of::<Kept<K>>();
        // The one that comes next here: behind the last one, or where the reader stands.
        let next = self.frames.back().map_or(reader, |last| last.lies.end);
        self.has_gap &= !self.frames.is_empty();
        self.has_gap |= next.seq != lies.start.seq || self.bytes + size > self.limit;
        if !self.has_gap {
            self.bytes += size;
            self.frames.push_back(Kept { content: content(), size, lies });
        }
    }

    /// The frame of this number, if it is the first here. Earlier ones are let go.
    pub(super) fn take(&mut self, seq: u64) -> Option<Kept<K>> {
        while self.frames.front().is_some_and(|kept| kept.lies.start.seq < seq) {
            self.pop();
        }
        match self.frames.front() {
            Some(kept) if kept.lies.start.seq == seq => self.pop(),
            _ => None,
        }
    }

    /// Where its first frame begins.
    pub(super) fn first_start(&self) -> Option<Place> {
        self.frames.front().map(|first| first.lies.start)
    }

    fn pop(&mut self) -> Option<Kept<K>> {
        let kept = self.frames.pop_front()?;
        self.bytes -= kept.size;
        Some(kept)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lies(seq: u64) -> Lies {
        let at = |seq| Place { seq, records: seq * 2, bytes: seq * 10 };
        Lies { start: at(seq), end: at(seq + 1), segment: 0, end_offset: 0 }
    }

    /// Of frames that take so many bytes, the numbers of those that are kept.
    fn kept(recent: &mut Recent<u64>, size: usize, reader: u64, seqs: &[u64]) -> Vec<u64> {
        for seq in seqs {
            recent.keep(lies(*seq), size, lies(reader).start, || *seq);
        }
        let kept = seqs.iter().filter_map(|seq| recent.take(*seq)).map(Kept::into_frame);
        kept.inspect(|frame| assert_eq!((frame.seq, frame.bytes), (frame.payload, 10)))
            .map(|frame| frame.seq)
            .collect()
    }

    #[test]
    fn what_follows_on_the_reader_is_kept_while_there_is_room() {
        let mut recent = Recent::new(3 * (1000 + size_of::<Kept<u64>>()));
        assert_eq!(kept(&mut recent, 1000, 5, &[5, 6, 7]), [5, 6, 7]);
        // Too many, and then none until the reader is there again.
        assert_eq!(kept(&mut recent, 1001, 8, &[8, 9, 10]), [8, 9]);
        assert_eq!(kept(&mut recent, 1000, 10, &[11]), []);
        assert_eq!(kept(&mut recent, 1000, 12, &[12, 14, 15]), [12]);
        assert_eq!(kept(&mut recent, 1000, 16, &[16]), [16]);
        assert_eq!(recent.bytes, 0);
    }
}
