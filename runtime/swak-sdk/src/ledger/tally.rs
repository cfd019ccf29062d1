//! What became of the records of one batch.

use super::{Count, Fate};
use crate::data::Name;

/// What became of the records of one batch, while it is on its way.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Few: most batches have one fate.
    fates: Vec<(Fate, Count)>,
    pub(super) copies: Count,
    /// What buffers have taken, by their places. Where records were made of others it is not what
    /// `fates` says of those.
    pub(super) taken: Vec<(Name, Count)>,
}

impl Tally {
    pub(crate) fn note(&mut self, fate: Fate, count: Count) {
        if let Fate::Stored { place } = &fate {
            self.note_taken(place.clone(), count);
        }
        self.note_fate(fate, count);
    }

    /// Of records of which others were made: those had this fate, and of those buffers have taken so
    /// much.
    pub(crate) fn note_made(&mut self, fate: Fate, count: Count, taken: Vec<(Name, Count)>) {
        if let Fate::Stored { place } = &fate {
            // Not these, but for what follows.
            self.note_taken(place.clone(), Count::default());
        }
        for (place, count) in taken {
            self.note_taken(place, count);
        }
        if count.records > 0 {
            self.note_fate(fate, count);
        }
    }

    /// The part of what buffers have taken that stands for so many of the records that it was made of;
    /// for the last of them it is the rest.
    pub(crate) fn share_of_taken(&mut self, count: Count, is_last: bool) -> Vec<(Name, Count)> {
        if is_last {
            return std::mem::take(&mut self.taken);
        }
        let share = |(place, left): &mut (Name, Count)| {
            let share = left.least(count);
            left.take(share);
            (place.clone(), share)
        };
        self.taken.iter_mut().map(share).collect()
    }

    fn note_fate(&mut self, fate: Fate, count: Count) {
        match self.fates.iter_mut().find(|(known, _)| *known == fate) {
            Some((_, sum)) => *sum += count,
            None => self.fates.push((fate, count)),
        }
    }

    fn note_taken(&mut self, place: Name, count: Count) {
        match self.taken.iter_mut().find(|(known, _)| *known == place) {
            Some((_, sum)) => *sum += count,
            None => self.taken.push((place, count)),
        }
    }

    pub(crate) fn copied(&mut self, count: Count) {
        self.copies += count;
    }

    /// The fates, and together the bytes that came in. A step that made records anew may have lost
    /// their weights; then the fate of the most records has the rest.
    pub(super) fn with_bytes_of(mut self, count: Count) -> Vec<(Fate, Count)> {
        let mut left = count.bytes.saturating_add(self.copies.bytes);
        self.fates.sort_by_key(|(_, count)| count.records);
        let most = self.fates.len().saturating_sub(1);
        for (i, (_, count)) in self.fates.iter_mut().enumerate() {
            count.bytes = if i == most { left } else { count.bytes.min(left) };
            left -= count.bytes;
        }
        self.fates
    }

    /// The fate that counts when all records are to have one; none has none when they were left out
    /// on the way.
    pub(crate) fn worst(&self) -> Fate {
        self.fates.iter().map(|(fate, _)| fate).max().cloned().unwrap_or(Fate::Delivered)
    }

    /// The same, for another who waits for the same records.
    pub(crate) fn add(&mut self, other: &Tally) {
        self.copies += other.copies;
        for (fate, count) in &other.fates {
            self.note_fate(fate.clone(), *count);
        }
        for (place, count) in &other.taken {
            self.note_taken(place.clone(), *count);
        }
    }
}
