//! Where the fields that are looked up stand in the lines of a batch, noted while the lines are checked.

use std::ops::Range;
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::data::LineRange;

/// The most names whose places are noted.
const MOST: usize = 8;

/// In how many lines of a batch one look at a field is rare: to search for it then costs less than to note
/// where it stands in all of them.
const RARE: usize = 16;

/// The names that were looked up in lines of one reader: it notes where they stand in those that it reads
/// from then on.
#[derive(Debug)]
pub(super) struct Asked {
    /// No other has it.
    id: u64,
    names: Mutex<Vec<Box<str>>>,
    count: AtomicUsize,
}

impl Default for Asked {
    fn default() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        Asked { id, names: Mutex::default(), count: AtomicUsize::new(0) }
    }
}

impl Asked {
    /// How many there are; they never become fewer, and each keeps its place.
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

/// The place of a name among those that are noted, as it was when it was last looked for: that of one reader,
/// whose id stands before it.
#[derive(Debug, Default)]
pub(super) struct KnownSlot(AtomicU64);

/// How much room the place takes behind the id, in bits.
const SLOT_BITS: u32 = 8;

impl KnownSlot {
    #[inline]
    fn get(&self, id: u64) -> Option<usize> {
        let known = self.0.load(Ordering::Relaxed);
        (known >> SLOT_BITS == id).then_some((known & ((1 << SLOT_BITS) - 1)) as usize)
    }

    fn set(&self, id: u64, slot: usize) {
        self.0.store(id << SLOT_BITS | slot as u64, Ordering::Relaxed);
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
#[derive(Debug)]
pub(in crate::data) struct Places {
    asked: Arc<Asked>,
    id: u64,
    names: Arc<[Box<str>]>,
    /// Where the lines begin, in order, when there are names.
    starts: Vec<u32>,
    /// As many for each line as there are names.
    places: Vec<Place>,
    /// Where those of the last line begin.
    row: usize,
    /// How many lines there are.
    lines: usize,
    /// How often a field was looked up that is not noted.
    missed: AtomicU32,
}

impl Default for Places {
    fn default() -> Self {
        Places::new(Arc::default(), Arc::default(), 0)
    }
}

impl Places {
    /// Those of so many lines, none of which was read yet.
    pub(super) fn new(asked: Arc<Asked>, names: Arc<[Box<str>]>, lines: usize) -> Self {
        let noted = if names.is_empty() { 0 } else { lines };
        Places {
            id: asked.id,
            asked,
            starts: Vec::with_capacity(noted),
            places: vec![Place::MISSING; noted * names.len()],
            names,
            row: 0,
            lines,
            missed: AtomicU32::new(0),
        }
    }

    /// How much memory they take, in bytes.
    pub(in crate::data) fn memory(&self) -> usize {
        size_of_val(&self.starts[..]) + size_of_val(&self.places[..])
    }

    /// The next line, none of whose fields is noted yet.
    #[inline]
    pub(super) fn begin(&mut self, start: u32) {
        if !self.names.is_empty() {
            self.row = self.starts.len() * self.names.len();
            self.starts.push(start);
        }
    }

    /// Notes where the value of a field of the last line stands.
    #[inline]
    pub(super) fn note(&mut self, slot: usize, start: u32, end: u32) {
        if let Some(place) = self.last(slot) {
            *place = Place(LineRange { start, end });
        }
    }

    /// Notes where it begins.
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

    #[inline]
    fn last(&mut self, slot: usize) -> Option<&mut Place> {
        self.places.get_mut(self.row + slot)
    }

    /// Says of the last line that it is not known where its fields stand.
    pub(super) fn give_up(&mut self) {
        let n = self.names.len();
        if let Some(places) = self.places.get_mut(self.row..self.row + n) {
            places.fill(Place::UNKNOWN);
        }
    }

    /// The slot of a name, in which its places are noted; `None` when they are not, which they will be in the
    /// lines that are read next, if they are not asked for rarely.
    pub(in crate::data) fn slot(&self, name: &str) -> Option<usize> {
        let slot = self.names.iter().position(|known| **known == *name);
        if slot.is_none() {
            self.miss(name);
        }
        slot
    }

    /// The same of a name that is looked for again and again.
    #[inline]
    pub(super) fn slot_of(&self, name: &str, known: &KnownSlot) -> Option<usize> {
        match known.get(self.id) {
            Some(slot) if slot < self.names.len() => Some(slot),
            _ => {
                let slot = self.slot(name)?;
                known.set(self.id, slot);
                Some(slot)
            }
        }
    }

    #[cold]
    fn miss(&self, name: &str) {
        // A count that is lost when two look at once does no harm.
        let missed = self.missed.load(Ordering::Relaxed).saturating_add(1);
        self.missed.store(missed, Ordering::Relaxed);
        if missed as usize * RARE > self.lines {
            self.asked.add(name);
        }
    }

    /// Where the value of a field stands in its line, which begins here in the block and was the `near`th
    /// once; `None` when it was not noted.
    #[inline]
    pub(super) fn place(&self, line: u32, near: u32, slot: usize) -> Option<Option<Range<usize>>> {
        let row = match self.starts.get(near as usize) {
            Some(start) if *start == line => near as usize,
            _ => self.starts.binary_search(&line).ok()?,
        };
        let Place(LineRange { start, end }) = *self.places.get(row * self.names.len() + slot)?;
        if start == Place::UNKNOWN.0.start {
            return None;
        }
        // No value ends where the block begins.
        let is_there = end != Place::MISSING.0.end;
        let place = start.wrapping_sub(line) as usize..end.wrapping_sub(line) as usize;
        Some(is_there.then_some(place))
    }

    /// Which line the one is that begins here: this one or one behind it, when those are looked at in order.
    #[inline]
    pub(in crate::data) fn near(&self, line: u32, from: usize) -> usize {
        let rest = self.starts.get(from..).unwrap_or_default();
        from + rest.iter().take_while(|start| **start < line).count()
    }
}
