//! Where the fields that are looked up stand in the lines of a batch, noted while the lines are checked.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::data::LineRange;

/// The most names whose places are noted.
const MOST: usize = 8;

/// The names that were looked up in lines of one reader: it notes where they stand in those that it reads
/// from then on.
#[derive(Debug, Default)]
pub(super) struct Asked {
    names: Mutex<Vec<Box<str>>>,
    count: AtomicUsize,
}

impl Asked {
    /// How many there are; they never become fewer.
    pub(super) fn count(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    pub(super) fn names(&self) -> Arc<[Box<str>]> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner).as_slice().into()
    }

    fn add(&self, name: &str) {
        if self.count() == MOST {
            return;
        }
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        if names.len() < MOST && names.iter().all(|known| **known != *name) {
            names.push(name.into());
            self.count.store(names.len(), Ordering::Relaxed);
        }
    }
}

/// Where the value of a field stands in a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place(LineRange);

impl Place {
    /// There is no such field: no value is empty.
    const MISSING: Place = Place(LineRange { start: 0, end: 0 });
    /// It was not looked for.
    const UNKNOWN: Place = Place(LineRange { start: u32::MAX, end: u32::MAX });
}

/// Where the fields that are asked for stand in the lines of a batch.
#[derive(Debug, Default)]
pub(in crate::data) struct Places {
    asked: Arc<Asked>,
    names: Arc<[Box<str>]>,
    /// Where the lines begin, in order, when there are names.
    starts: Vec<u32>,
    /// As many for each line as there are names.
    places: Vec<Place>,
}

impl Places {
    /// Those of so many lines, none of which was read yet.
    pub(super) fn new(asked: Arc<Asked>, names: Arc<[Box<str>]>, lines: usize) -> Self {
        let lines = if names.is_empty() { 0 } else { lines };
        let places = Vec::with_capacity(lines * names.len());
        Places { asked, names, starts: Vec::with_capacity(lines), places }
    }

    /// How much memory they take, in bytes.
    pub(in crate::data) fn memory(&self) -> usize {
        size_of_val(&self.starts[..]) + size_of_val(&self.places[..])
    }

    /// The next line, none of whose fields is noted yet.
    #[inline]
    pub(super) fn begin(&mut self, start: u32) {
        if !self.names.is_empty() {
            self.starts.push(start);
            self.places.resize(self.places.len() + self.names.len(), Place::MISSING);
        }
    }

    /// Notes where the value of a field of the last line begins.
    #[inline]
    pub(super) fn note_start(&mut self, slot: usize, at: u32) {
        if let Some(Place(value)) = self.last(slot) {
            value.start = at;
        }
    }

    /// Notes where it ends.
    #[inline]
    pub(super) fn note_end(&mut self, slot: usize, at: u32) {
        if let Some(Place(value)) = self.last(slot) {
            value.end = at;
        }
    }

    fn last(&mut self, slot: usize) -> Option<&mut Place> {
        let first = self.places.len() - self.names.len();
        self.places.get_mut(first + slot)
    }

    /// Says of the last line that it is not known where its fields stand.
    pub(super) fn give_up(&mut self) {
        let n = self.places.len() - self.names.len();
        self.places[n..].fill(Place::UNKNOWN);
    }

    /// Where the value of a field of a line stands, which was the `near`th once; `None` when it was not
    /// noted, which it will be in the lines that are read next.
    #[inline]
    pub(in crate::data) fn find(
        &self,
        line: LineRange,
        near: usize,
        name: &str,
    ) -> Option<Option<LineRange>> {
        let Some(slot) = self.names.iter().position(|known| **known == *name) else {
            self.asked.add(name);
            return None;
        };
        let row = match self.starts.get(near) {
            Some(start) if *start == line.start => near,
            _ => self.starts.binary_search(&line.start).ok()?,
        };
        match self.places[row * self.names.len() + slot] {
            Place::UNKNOWN => None,
            Place::MISSING => Some(None),
            Place(value) => Some((value.end <= line.end).then_some(value)),
        }
    }
}
