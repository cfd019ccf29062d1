//! The segments of an open queue, and how large they are together.

use std::collections::VecDeque;

use crate::layout::Segment;

/// In order of their numbers; frames are appended to the last one.
#[derive(Default)]
pub(super) struct Segments {
    list: VecDeque<Segment>,
    /// Of all of them, in bytes.
    size: u64,
}

impl Segments {
    pub(super) fn new(list: Vec<Segment>) -> Self {
        let size = list.iter().map(|segment| segment.len).sum();
        Segments { list: list.into(), size }
    }

    pub(super) fn len(&self) -> usize {
        self.list.len()
    }

    pub(super) fn size(&self) -> u64 {
        self.size
    }

    pub(super) fn get(&self, i: usize) -> Option<&Segment> {
        self.list.get(i)
    }

    pub(super) fn front(&self) -> Option<&Segment> {
        self.list.front()
    }

    pub(super) fn back(&self) -> Option<&Segment> {
        self.list.back()
    }

    pub(super) fn push(&mut self, segment: Segment) {
        self.size += segment.len;
        self.list.push_back(segment);
    }

    pub(super) fn pop_front(&mut self) {
        self.size -= self.list.pop_front().map_or(0, |segment| segment.len);
    }

    pub(super) fn pop_back(&mut self) {
        self.size -= self.list.pop_back().map_or(0, |segment| segment.len);
    }

    /// Something was appended to the last one.
    pub(super) fn grow(&mut self, by: u64) {
        if let Some(last) = self.list.back_mut() {
            last.len += by;
            self.size += by;
        }
    }

    /// The first one whose number is this or greater.
    pub(super) fn at_or_after(&self, first: u64) -> Option<&Segment> {
        self.list.get(self.list.partition_point(|segment| segment.first < first))
    }

    /// The one that holds this frame: the last one whose number is not greater.
    pub(super) fn holding(&self, seq: u64) -> Option<&Segment> {
        let behind = self.list.partition_point(|segment| segment.first <= seq);
        behind.checked_sub(1).and_then(|i| self.list.get(i))
    }

    /// Something that was stored in this one cannot be read.
    pub(super) fn note_damage(&mut self, first: u64) {
        let i = self.list.partition_point(|segment| segment.first < first);
        if let Some(segment) = self.list.get_mut(i).filter(|segment| segment.first == first) {
            segment.has_losses = true;
        }
    }
}
