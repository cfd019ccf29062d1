//! What became of the records of one batch.

use super::{Count, Fate};

/// What became of the records of one batch, while it is on its way.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Few: most batches have one fate.
    fates: Vec<(Fate, Count)>,
    pub(super) copies: Count,
}

impl Tally {
    pub(crate) fn note(&mut self, fate: Fate, count: Count) {
        match self.fates.iter_mut().find(|(known, _)| *known == fate) {
            Some((_, sum)) => *sum += count,
            None => self.fates.push((fate, count)),
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
            self.note(fate.clone(), *count);
        }
    }
}
