//! Batches that are handed on together.

use super::{Batch, RecordRef};
use crate::ack::Outcome;
use crate::ledger::{Count, Fate};

/// What a buffer hands to an output at once.
#[derive(Debug, Default)]
pub struct Chunk {
    batches: Vec<Batch>,
}

impl Chunk {
    /// A chunk of these batches.
    pub fn new(batches: Vec<Batch>) -> Self {
        Chunk { batches }
    }

    /// Adds a batch at the end.
    pub fn push(&mut self, batch: Batch) {
        self.batches.push(batch);
    }

    /// The batches in order.
    pub fn batches(&self) -> &[Batch] {
        &self.batches
    }

    /// The batches in order, to change them.
    pub fn batches_mut(&mut self) -> &mut Vec<Batch> {
        &mut self.batches
    }

    /// The records of all batches in order.
    pub fn iter(&self) -> impl Iterator<Item = RecordRef<'_>> {
        self.batches.iter().flat_map(Batch::iter)
    }

    /// How many records there are.
    pub fn len(&self) -> usize {
        self.batches.iter().map(Batch::len).sum()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.batches.iter().all(Batch::is_empty)
    }

    /// About how many bytes the records take.
    pub fn size(&self) -> usize {
        self.batches.iter().map(Batch::size).sum()
    }

    /// Cuts the chunk in two: this one keeps the first `at` records, the other has the rest.
    ///
    /// # Panics
    /// If there are fewer than `at` records.
    #[must_use]
    pub fn split_off(&mut self, at: usize) -> Chunk {
        let mut left = at;
        let whole = self.batches.iter().position(|batch| {
            let fits = batch.len() <= left;
            left -= if fits { batch.len() } else { 0 };
            !fits
        });
        let Some(i) = whole else {
            assert_eq!(left, 0, "the chunk has fewer than {at} records");
            return Chunk::default();
        };
        let mut rest = self.batches.split_off(i);
        if left > 0 {
            let second = rest[0].split_off(left);
            self.batches.push(std::mem::replace(&mut rest[0], second));
        }
        Chunk { batches: rest }
    }

    /// A second chunk of the same records; both must be delivered before the acks are.
    #[must_use]
    pub fn fork(&self) -> Chunk {
        Chunk { batches: self.batches.iter().map(Batch::fork).collect() }
    }

    /// The records as the ledger counts them.
    pub fn count(&self) -> Count {
        self.batches.iter().map(Batch::count).sum()
    }

    /// Says what became of the records.
    pub fn settle(self, outcome: Outcome) {
        for batch in self.batches {
            batch.settle(outcome);
        }
    }

    /// Says what became of the records, for the ledger too.
    pub fn settle_as(self, fate: &Fate) {
        for batch in self.batches {
            batch.settle_as(fate.clone());
        }
    }
}

impl From<Batch> for Chunk {
    fn from(batch: Batch) -> Self {
        Chunk { batches: vec![batch] }
    }
}

impl IntoIterator for Chunk {
    type Item = Batch;
    type IntoIter = std::vec::IntoIter<Batch>;

    fn into_iter(self) -> Self::IntoIter {
        self.batches.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Record, Timestamp};

    fn lines(lines: &[&str]) -> Batch {
        let record = |line: &&str| Record::from_line(*line, Timestamp::default());
        Batch::new(lines.iter().map(record).collect())
    }

    fn texts(batch: &Batch) -> String {
        batch.iter().map(|r| String::from_utf8_lossy(r.line().unwrap()).into_owned()).collect()
    }

    #[test]
    fn a_chunk_is_cut_between_and_within_batches() {
        for at in 0..=5 {
            let mut first =
                Chunk::new(vec![lines(&["a", "b"]), lines(&[]), lines(&["c", "d", "e"])]);
            let rest = first.split_off(at);
            let texts = |chunk: &Chunk| chunk.batches().iter().map(texts).collect::<String>();
            assert_eq!((texts(&first).as_str(), texts(&rest).as_str()), "abcde".split_at(at));
        }
    }
}
