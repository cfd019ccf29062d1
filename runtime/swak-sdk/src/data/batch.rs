//! Records that travel together.

use std::ops::Range;
use std::sync::Arc;

use super::json::places::Places;
use super::json::{Alike, JsonReader};
use super::ranges::Ranges;
use super::{Block, LineRange, Name, Record, RecordRef, Rows, Timestamp};
use crate::ack::{Ack, Outcome};
use crate::ledger::{Count, Fate};

/// Records that travel together, with one tag, one source and at most one [`Ack`].
///
/// Order within a batch, and of the batches of one source, is kept. Dropping a batch that nobody
/// settled tells its input that it was not delivered; a stage that is done with one says so with
/// [`Batch::settle`].
#[derive(Debug)]
pub struct Batch {
    /// What kind of records these are, for routing; the task's name unless the input knows better.
    pub tag: Name,
    /// Where they came from: a file's path, a peer's address.
    pub source: Name,
    records: Records,
    ack: Option<Ack>,
}

/// Lines stay ranges of the block that was read until somebody wants to change a record.
#[derive(Clone, Debug)]
enum Records {
    Lines(Lines),
    Rows(Rows),
    List(Vec<Record>),
}

#[derive(Clone, Debug)]
struct Lines {
    block: Block,
    ranges: Ranges,
    time: Timestamp,
    /// Each of them is a JSON object, of which this is known.
    json: Option<Arc<Places>>,
}

impl Lines {
    /// The line, which was the `near`th when all were there.
    #[inline]
    fn view(&self, line: LineRange, near: usize) -> RecordRef<'_> {
        match &self.json {
            None => RecordRef::in_block(&self.block, line, self.time),
            Some(places) => {
                RecordRef::json_in_block(&self.block, line, self.time, Some((places, near)))
            }
        }
    }

    fn ranges(&self) -> &[LineRange] {
        self.ranges.get(&self.block)
    }

    fn to_records(&self) -> Vec<Record> {
        let mut near = 0;
        let record = |line: &LineRange| {
            // Others may have been taken out; which one it was is found once and for all.
            near = self.json.as_ref().map_or(0, |places| places.near(line.start, near));
            self.view(*line, near).to_record()
        };
        self.ranges().iter().map(record).collect()
    }

    fn retain(&mut self, mut keep: impl FnMut(RecordRef<'_>) -> bool) {
        let mut lines = self.ranges.take(&self.block);
        let mut places = 0..;
        lines.retain(|line| keep(self.view(*line, places.next().unwrap_or(0))));
        self.ranges = lines.into();
    }

    fn extract(&mut self, mut wanted: impl FnMut(RecordRef<'_>) -> bool) -> Lines {
        let mut lines = self.ranges.take(&self.block);
        let (mut taken, mut kept) = (Vec::with_capacity(lines.len()), 0);
        for i in 0..lines.len() {
            let line = lines[i];
            if wanted(self.view(line, i)) {
                taken.push(line);
            } else {
                lines[kept] = line;
                kept += 1;
            }
        }
        lines.truncate(kept);
        self.ranges = lines.into();
        self.with(taken)
    }

    fn split_off(&mut self, at: usize) -> Lines {
        let mut lines = self.ranges.take(&self.block);
        let rest = lines.split_off(at);
        self.ranges = lines.into();
        self.with(rest)
    }

    fn with(&self, lines: Vec<LineRange>) -> Lines {
        Lines {
            block: self.block.clone(),
            ranges: lines.into(),
            time: self.time,
            json: self.json.clone(),
        }
    }
}

impl Batch {
    /// Records.
    pub fn new(records: Vec<Record>) -> Self {
        Batch::with(Records::List(records))
    }

    /// The lines of a block that was read at this time; the cheapest batch there is.
    ///
    /// # Panics
    /// If a range does not lie in the block.
    pub fn from_lines(block: Block, lines: Vec<LineRange>, time: Timestamp) -> Self {
        let fits = |l: &LineRange| l.start <= l.end && l.end as usize <= block.len();
        assert!(lines.iter().all(fits), "a line lies outside of its block");
        let ranges = lines.into();
        Batch::with(Records::Lines(Lines { block, ranges, time, json: None }))
    }

    /// The lines that stand in this part of a block, each with a line feed after it, which was read at this
    /// time. They are only counted, until somebody looks at one of them.
    ///
    /// # Panics
    /// If the part does not lie in the block, or its last byte is no line feed.
    pub fn from_run(block: Block, run: Range<usize>, time: Timestamp) -> Self {
        let ranges = Ranges::of_run(&block, run);
        Batch::with(Records::Lines(Lines { block, ranges, time, json: None }))
    }

    fn with(records: Records) -> Self {
        Batch { tag: Name::default(), source: Name::default(), records, ack: None }
    }

    /// With this tag.
    #[must_use]
    pub fn with_tag(mut self, tag: Name) -> Self {
        self.tag = tag;
        self
    }

    /// With this source.
    #[must_use]
    pub fn with_source(mut self, source: Name) -> Self {
        self.source = source;
        self
    }

    /// These records, made of all those of other batches: when they are settled, so are those, and
    /// the ledger counts those. They have the tag and the source of the first.
    #[must_use]
    pub fn made_of(records: Vec<Record>, mut batches: Vec<Batch>) -> Batch {
        let mut made = Batch::new(records);
        if let Some(first) = batches.first() {
            (made.tag, made.source) = (first.tag.clone(), first.source.clone());
        }
        let taken = |batch: &mut Batch| batch.ack.take().map(|ack| (ack, batch.count()));
        let taken: Vec<_> = batches.iter_mut().filter_map(taken).collect();
        if taken.is_empty() {
            return made;
        }
        made.with_ack(Ack::tallied(move |outcome, mut tally| {
            let last = taken.len() - 1;
            for (i, (ack, count)) in taken.into_iter().enumerate() {
                match outcome {
                    Outcome::Errored => ack.settle(outcome),
                    _ => {
                        let share = tally.share_of_taken(count, i == last);
                        ack.settle_made(tally.worst(), count, share);
                    }
                }
            }
        }))
    }

    /// The same records on their way to another task, which has a ledger of its own: in this one they
    /// are delivered as soon as that one has settled them, whatever it did with them.
    #[must_use]
    pub fn handed_over(mut self) -> Batch {
        let Some(ack) = self.ack.take() else { return self };
        let count = self.count();
        self.with_ack(Ack::new(move |outcome| match outcome {
            Outcome::Errored => ack.settle(outcome),
            _ => ack.settle_as(Fate::Delivered, count),
        }))
    }

    /// With this ack. One that was there before is settled together with it.
    #[must_use]
    pub fn with_ack(mut self, ack: Ack) -> Self {
        self.add_ack(ack);
        self
    }

    /// Adds an ack. One that was there before is settled together with it.
    pub fn add_ack(&mut self, ack: Ack) {
        self.ack = Some(match self.ack.take() {
            Some(old) => Ack::join(vec![old, ack]),
            None => ack,
        });
    }

    /// How many records there are.
    pub fn len(&self) -> usize {
        match &self.records {
            Records::Lines(lines) => lines.ranges.len(),
            Records::Rows(rows) => rows.len(),
            Records::List(records) => records.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// About how many bytes the records take.
    pub fn size(&self) -> usize {
        match &self.records {
            Records::Lines(lines) => lines.ranges.bytes(),
            Records::Rows(rows) => rows.size(),
            Records::List(records) => records.iter().map(|r| r.view().size()).sum(),
        }
    }

    /// How many bytes the records had when they came in: see [`Record::weight`].
    pub fn weight(&self) -> u64 {
        match &self.records {
            Records::Lines(lines) => lines.ranges.bytes() as u64,
            Records::Rows(rows) => rows.size() as u64,
            Records::List(records) => records.iter().map(|r| u64::from(r.weight())).sum(),
        }
    }

    /// The records as the ledger counts them.
    pub fn count(&self) -> Count {
        Count { records: self.len() as u64, bytes: self.weight() }
    }

    /// Weighs the records that came in just now, but for those that know their weight.
    pub(crate) fn weigh(&mut self) {
        if let Records::List(records) = &mut self.records {
            for record in records.iter_mut().filter(|record| record.weight() == 0) {
                record.set_weight(record.view().size().try_into().unwrap_or(u32::MAX));
            }
        }
    }

    /// The records in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = RecordRef<'_>> + Clone {
        (0..self.len()).map(|i| self.get(i))
    }

    /// The record at a position.
    ///
    /// # Panics
    /// If there are not that many.
    pub fn get(&self, i: usize) -> RecordRef<'_> {
        match &self.records {
            Records::Lines(lines) => lines.view(lines.ranges()[i], i),
            Records::Rows(rows) => rows.get(i),
            Records::List(records) => records[i].view(),
        }
    }

    /// The block and the ranges, while these are untouched lines: for outputs that write them as
    /// they were read.
    pub fn lines(&self) -> Option<(&Block, &[LineRange])> {
        match &self.records {
            Records::Lines(lines) if lines.json.is_none() => Some((&lines.block, lines.ranges())),
            _ => None,
        }
    }

    /// All untouched lines with their line feeds, when they still stand in their block as they were read,
    /// whether they are known to be JSON objects or not.
    pub fn run(&self) -> Option<&[u8]> {
        match &self.records {
            Records::Lines(lines) => lines.ranges.run().map(|run| &lines.block[run]),
            _ => None,
        }
    }

    /// The block and the ranges, while all records are lines that are known to be JSON objects.
    pub fn json_lines(&self) -> Option<(&Block, &[LineRange])> {
        match &self.records {
            Records::Lines(lines) if lines.json.is_some() => Some((&lines.block, lines.ranges())),
            _ => None,
        }
    }

    /// About how much memory lines take, in bytes: the block that they stand in, and what is known of
    /// them. `None` when a record is no line.
    pub fn lines_memory(&self) -> Option<usize> {
        let Records::Lines(lines) = &self.records else { return None };
        let noted = lines.json.as_ref().map_or(0, |places| places.memory());
        // Lines that nobody has looked at are not looked for now, either.
        Some(lines.block.memory() + lines.ranges.len() * size_of::<LineRange>() + noted)
    }

    /// When untouched lines were read, of which all have the same time.
    pub fn lines_time(&self) -> Option<Timestamp> {
        match &self.records {
            Records::Lines(lines) => Some(lines.time),
            _ => None,
        }
    }

    /// Appends each record as one JSON object on a line of its own. Gives back how many values held bytes that
    /// had to be replaced, as they are not UTF-8.
    pub fn write_json_lines(&self, out: &mut Vec<u8>) -> usize {
        match &self.records {
            Records::Rows(rows) => rows.write_json_lines(out),
            _ => {
                let mut alike = Alike::default();
                self.iter().map(|record| record.write_json_line(out, &mut alike)).sum()
            }
        }
    }

    /// Says of untouched lines that each is a JSON object on one line, whose fields are the record's from
    /// now on. `false`, and nothing is changed, when one is none, or these are no untouched lines.
    pub fn read_json_lines(&mut self, reader: &mut JsonReader) -> bool {
        let Records::Lines(lines) = &mut self.records else { return false };
        if lines.json.is_none() {
            lines.json = match lines.ranges.unseen_run() {
                Some((run, n)) => {
                    let read = reader.read_run(&lines.block, run, n);
                    read.map(|(found, places)| {
                        lines.ranges.set(found);
                        places
                    })
                }
                None => reader.read(&lines.block, lines.ranges.get(&lines.block)),
            };
        }
        lines.json.is_some()
    }

    /// Puts what a parser found in their lines in the place of the records.
    pub fn set_rows(&mut self, rows: Rows) {
        self.records = Records::Rows(rows);
    }

    /// The records, to change, add or remove them.
    pub fn records_mut(&mut self) -> &mut Vec<Record> {
        let made = match &self.records {
            Records::Lines(lines) => Some(lines.to_records()),
            Records::Rows(rows) => Some(rows.to_records()),
            Records::List(_) => None,
        };
        if let Some(made) = made {
            self.records = Records::List(made);
        }
        match &mut self.records {
            Records::List(records) => records,
            _ => unreachable!("all were turned into records above"),
        }
    }

    /// Keeps the records for which the function says so. How many went is given back.
    pub fn retain(&mut self, mut keep: impl FnMut(RecordRef<'_>) -> bool) -> usize {
        let before = self.len();
        match &mut self.records {
            Records::Lines(lines) => lines.retain(keep),
            Records::Rows(rows) => rows.retain(keep),
            Records::List(records) => records.retain(|r| keep(r.view())),
        }
        before - self.len()
    }

    /// Cuts the batch in two: this one keeps the first `at` records, the other has the rest. Both
    /// must be delivered before the ack is.
    ///
    /// # Panics
    /// If there are fewer than `at` records.
    #[must_use]
    pub fn split_off(&mut self, at: usize) -> Batch {
        let records = match &mut self.records {
            Records::Lines(lines) => Records::Lines(lines.split_off(at)),
            Records::Rows(rows) => Records::Rows(rows.split_off(at)),
            Records::List(records) => Records::List(records.split_off(at)),
        };
        self.sibling(records)
    }

    /// Takes out the records for which the function says so, in their order and without copying them.
    /// Both batches must be delivered before the ack is; either may have no records.
    #[must_use]
    pub fn extract(&mut self, mut wanted: impl FnMut(RecordRef<'_>) -> bool) -> Batch {
        let records = match &mut self.records {
            Records::Lines(lines) => Records::Lines(lines.extract(wanted)),
            Records::Rows(rows) => Records::Rows(rows.extract(wanted)),
            Records::List(records) => {
                Records::List(records.extract_if(.., |r| wanted(r.view())).collect())
            }
        };
        self.sibling(records)
    }

    /// A batch of other records that stem from this one: same tag and source, and both must be
    /// delivered before the ack is.
    #[must_use]
    pub fn derive(&self, records: Vec<Record>) -> Batch {
        self.sibling(Records::List(records))
    }

    /// A second copy of the same records, which the ledger counts as one; both must be delivered
    /// before the ack is.
    #[must_use]
    pub fn fork(&self) -> Batch {
        Batch {
            tag: self.tag.clone(),
            source: self.source.clone(),
            records: self.records.clone(),
            ack: self.ack.as_ref().map(|ack| ack.of_copy(self.count())),
        }
    }

    /// The same records once more, without an ack.
    #[must_use]
    pub fn without_ack(&self) -> Batch {
        let (tag, source, records) = (self.tag.clone(), self.source.clone(), self.records.clone());
        Batch { tag, source, records, ack: None }
    }

    /// Whether the input is known to give these records again when they are not delivered: see
    /// [`Ack::comes_again`].
    pub fn comes_again(&self) -> bool {
        self.ack.as_ref().is_some_and(Ack::comes_again)
    }

    fn sibling(&self, records: Records) -> Batch {
        Batch { tag: self.tag.clone(), source: self.source.clone(), records, ack: self.ack.clone() }
    }

    /// Takes the ack out, to carry it elsewhere.
    pub fn take_ack(&mut self) -> Option<Ack> {
        self.ack.take()
    }

    /// Says what became of the records.
    pub fn settle(mut self, outcome: Outcome) {
        match outcome {
            Outcome::Delivered => self.settle_as(Fate::Delivered),
            Outcome::Rejected => {
                let reason = Name::from("rejected");
                self.settle_as(Fate::Dropped { place: Name::default(), reason });
            }
            Outcome::Errored => {
                if let Some(ack) = self.ack.take() {
                    ack.settle(outcome);
                }
            }
        }
    }

    /// Says what became of the records, for the ledger too.
    pub fn settle_as(mut self, fate: Fate) {
        if let Some(ack) = self.ack.take() {
            ack.settle_as(fate, self.count());
        }
    }
}

#[cfg(test)]
mod tests;
