//! Batches that are held with their acks.

use std::time::Instant;

use swak_sdk::data::LineRange;
use swak_sdk::prelude::*;

/// Batches that are held with their acks.
#[derive(Default)]
pub(super) struct Held {
    chunk: Chunk,
    records: usize,
    size: usize,
    besides: usize,
    since: Option<Instant>,
}

impl Held {
    /// How many records are held.
    pub(super) fn records(&self) -> usize {
        self.records
    }

    /// How many bytes they are.
    pub(super) fn size(&self) -> usize {
        self.size
    }

    /// Whether as much is held as may be: `max_size` bytes of records, or as much memory besides
    /// them. Records may be so small, empty lines even, that they hardly add to the size.
    pub(super) fn is_full(&self, max_size: usize) -> bool {
        self.size >= max_size || self.besides >= max_size.max(LEAST_BESIDES)
    }

    /// Since when something is held.
    pub(super) fn since(&self) -> Option<Instant> {
        self.since
    }

    /// Holds a batch.
    pub(super) fn push(&mut self, batch: Batch) {
        if batch.is_empty() {
            batch.settle(Outcome::Delivered);
            return;
        }
        let size = batch.size();
        self.since.get_or_insert_with(Instant::now);
        self.records += batch.len();
        self.size += size;
        self.besides += BATCH + batch.len() * each_besides(&batch);
        self.chunk.push(compact(batch, size));
    }

    /// Lets go of everything, as one chunk.
    pub(super) fn release(&mut self, out: &mut Outlet) {
        let held = std::mem::take(self);
        if held.records > 0 {
            out.emit_chunk(held.chunk);
        }
    }
}

/// About how much a batch takes besides its records: itself, its block, its ack.
const BATCH: usize = 256;

/// Memory besides the records that is never too much, however small the size that is asked for.
const LEAST_BESIDES: usize = 64 << 20;

/// How much each record takes besides its bytes.
fn each_besides(batch: &Batch) -> usize {
    if batch.lines().is_some() { size_of::<LineRange>() } else { size_of::<Record>() }
}

/// Cuts a batch after its `first` records, and then after `each` more.
pub(super) fn cut(mut batch: Batch, first: usize, each: usize) -> Vec<Batch> {
    let mut pieces = Vec::new();
    if batch.len() > first {
        // From the end, so that no record is moved more than once.
        for i in (0..=(batch.len() - first) / each).rev() {
            let at = first + i * each;
            if at < batch.len() {
                pieces.push(batch.split_off(at));
            }
        }
    }
    pieces.push(batch);
    pieces.reverse();
    pieces
}

/// Copies a few lines out of a large block, which would be held as a whole with them: what a filter
/// left of a megabyte must not keep that megabyte.
fn compact(mut batch: Batch, size: usize) -> Batch {
    let Some((block, lines)) = batch.lines() else { return batch };
    if size >= block.len() / 4 {
        return batch;
    }
    let mut data = Vec::with_capacity(size);
    let ranges = lines
        .iter()
        .map(|line| {
            let start = data.len() as u32;
            data.extend_from_slice(&block[line.start as usize..line.end as usize]);
            LineRange { start, end: data.len() as u32 }
        })
        .collect();
    let time = batch.get(0).time();
    let copy = Batch::from_lines(data.into(), ranges, time)
        .with_tag(batch.tag.clone())
        .with_source(batch.source.clone());
    match batch.take_ack() {
        Some(ack) => copy.with_ack(ack),
        None => copy,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_cut_into_pieces() {
        for (n, first, each, expected) in [
            (0, 3, 5, vec![0]),
            (3, 3, 5, vec![3]),
            (4, 3, 5, vec![3, 1]),
            (13, 3, 5, vec![3, 5, 5]),
            (14, 3, 5, vec![3, 5, 5, 1]),
            (3, usize::MAX, usize::MAX, vec![3]),
        ] {
            let record = |i: i32| Record::from_line(i.to_string().as_str(), Timestamp::default());
            let batch = Batch::new((0..n).map(record).collect());
            let pieces = cut(batch, first, each);
            assert_eq!(pieces.iter().map(Batch::len).collect::<Vec<_>>(), expected);
            let lines: Vec<_> = pieces.iter().flat_map(Batch::iter).collect();
            assert!(
                lines.iter().zip(0..n).all(|(r, i)| r.line() == Some(i.to_string().as_bytes()))
            );
        }
    }

    #[test]
    fn records_without_bytes_are_not_held_without_end() {
        let empty = || {
            let line = LineRange { start: 0, end: 0 };
            Batch::from_lines(Vec::new().into(), vec![line], Timestamp::default())
        };
        let mut held = Held::default();
        let most = LEAST_BESIDES / BATCH;
        let pushed = (0..=most).take_while(|_| {
            held.push(empty());
            !held.is_full(1000)
        });
        assert!((most / 2..most).contains(&pushed.count()));
        assert_eq!(held.size(), 0);
    }

    #[test]
    fn few_lines_of_a_large_block_are_copied() {
        for (kept, copied) in [(1, true), (90, false)] {
            let text = "0123456789".repeat(100);
            let lines = (0..kept).map(|i| LineRange { start: i * 10, end: i * 10 + 10 });
            let (ack, mut outcome) = Ack::channel();
            let batch = Batch::from_lines(
                text.into_bytes().into(),
                lines.collect(),
                Timestamp::from_nanos(7),
            )
            .with_source("file".into())
            .with_ack(ack);
            let size = batch.size();
            let batch = compact(batch, size);
            assert_eq!(batch.lines().unwrap().0.len() < 1000, copied);
            assert_eq!(batch.len(), kept as usize);
            assert!(batch.iter().all(|r| r.line() == Some(b"0123456789")));
            assert_eq!((batch.get(0).time(), &*batch.source), (Timestamp::from_nanos(7), "file"));
            batch.settle(Outcome::Delivered);
            assert_eq!(outcome.peek(), Some(Outcome::Delivered));
        }
    }
}
