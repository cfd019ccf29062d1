//! What has come out, counted for each record.

use super::mark::Mark;
use super::rewrite::Sink;

/// What has come out.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// By unit and source.
    units: Vec<Vec<Counts>>,
    /// By sink.
    sinks: Vec<SinkTally>,
    /// Units whose order is not judged.
    without_order: Vec<usize>,
    /// Marks that were cut or changed: what a kill leaves of a line.
    pub(super) torn: u64,
    /// Marks of no line of this run.
    pub(super) strange: u64,
    /// All marks that came.
    pub(super) arrived: u64,
}

#[derive(Debug, Default)]
struct Counts {
    /// How often each line came, by its number.
    copies: Vec<u16>,
    /// One more than the greatest number that came in this life of the agent.
    reached: u64,
    /// By the number of a line: whether the last output of the unit has stored it, to be sent on.
    stored: Vec<bool>,
}

#[derive(Debug)]
struct SinkTally {
    unit: usize,
    /// By source: one more than the greatest number that came.
    reached: Vec<u64>,
    /// Lines that came for the first time after a later one of their source had come.
    late: Vec<Mark>,
}

/// No run writes more lines to a source; what says so is no mark of ours.
const MOST_LINES: u64 = 1 << 32;

impl Tally {
    pub(super) fn new(units: usize, sources: usize, sinks: &[Sink]) -> Self {
        let counts = || (0..sources).map(|_| Counts::default()).collect();
        let sink = |sink: &Sink| SinkTally {
            unit: sink.unit,
            reached: vec![0; sources],
            late: Vec::new(),
        };
        Tally {
            units: (0..units).map(|_| counts()).collect(),
            sinks: sinks.iter().map(sink).collect(),
            ..Tally::default()
        }
    }

    /// A line came out at a sink.
    pub(super) fn arrive(&mut self, sink: usize, mark: Mark) {
        let sink = &mut self.sinks[sink];
        let Some(counts) = self.units[sink.unit].get_mut(mark.source) else {
            self.strange += 1;
            return;
        };
        if mark.sequence >= MOST_LINES {
            self.strange += 1;
            return;
        }
        self.arrived += 1;
        let place = usize::try_from(mark.sequence).expect("it is less than the most lines");
        if counts.copies.len() <= place {
            counts.copies.resize(place + 1, 0);
        }
        let copies = &mut counts.copies[place];
        if *copies == 0 && mark.sequence < sink.reached[mark.source] {
            sink.late.push(mark);
        }
        *copies = copies.saturating_add(1);
        let next = mark.sequence + 1;
        sink.reached[mark.source] = sink.reached[mark.source].max(next);
        counts.reached = counts.reached.max(next);
    }

    /// The last output of a unit has stored a line, to be sent on after newer ones.
    #[cfg(any(unix, test))]
    pub(super) fn store(&mut self, unit: usize, mark: Mark) {
        let Some(counts) = self.units[unit].get_mut(mark.source) else { return };
        if mark.sequence >= MOST_LINES {
            return;
        }
        let place = usize::try_from(mark.sequence).expect("it is less than the most lines");
        if counts.stored.len() <= place {
            counts.stored.resize(place + 1, false);
        }
        counts.stored[place] = true;
    }

    /// Judges no order in a unit.
    pub(super) fn leave_order(&mut self, unit: usize) {
        self.without_order.push(unit);
    }

    /// How often a line came out in a unit.
    pub(super) fn copies(&self, unit: usize, mark: Mark) -> u16 {
        let copies = &self.units[unit][mark.source].copies;
        usize::try_from(mark.sequence)
            .ok()
            .and_then(|place| copies.get(place).copied())
            .unwrap_or(0)
    }

    /// One more than the greatest number of a source that ever came out anywhere.
    pub(super) fn greatest(&self, source: usize) -> u64 {
        let greatest = self.sinks.iter().map(|sink| sink.reached[source]).max();
        greatest.unwrap_or(0)
    }

    /// The agent begins again, from these lines of each source or from later ones: what had come out
    /// after them is not acked.
    pub(super) fn begin_again(&mut self, first: &[u64]) {
        for sources in &mut self.units {
            for (counts, first) in sources.iter_mut().zip(first) {
                counts.reached = *first;
            }
        }
    }

    /// One more than the greatest number that came out since the agent began, of all units and
    /// sources, those of a unit beside each other.
    pub(super) fn all_reached(&self) -> Vec<u64> {
        self.units.iter().flatten().map(|counts| counts.reached).collect()
    }

    /// Lines that came more than once in a unit, with how often too often.
    pub(super) fn doubled(&self) -> impl Iterator<Item = (usize, Mark, u16)> {
        self.units.iter().enumerate().flat_map(|(unit, sources)| {
            sources.iter().enumerate().flat_map(move |(source, counts)| {
                let copies = counts.copies.iter().zip(0..).filter(|(copies, _)| **copies > 1);
                copies.map(move |(copies, sequence)| (unit, Mark { source, sequence }, copies - 1))
            })
        })
    }

    /// Lines that came out of order. Where outputs stand in for each other nobody saw which of two
    /// copies was the first, so that only lines are judged that came once; what the last of them had
    /// stored comes late by design.
    pub(super) fn late(&self) -> Vec<Mark> {
        let mut all = Vec::new();
        for sink in &self.sinks {
            let alone = self.sinks.iter().filter(|other| other.unit == sink.unit).count() == 1;
            let is_stored = |mark: &Mark| {
                let stored = &self.units[sink.unit][mark.source].stored;
                usize::try_from(mark.sequence).is_ok_and(|place| stored.get(place) == Some(&true))
            };
            if self.without_order.contains(&sink.unit) {
                continue;
            }
            let judged =
                |mark: &&Mark| (alone || self.copies(sink.unit, **mark) == 1) && !is_stored(mark);
            all.extend(sink.late.iter().filter(judged));
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::super::rewrite::SinkKind;
    use super::*;

    fn tally(units: &[usize]) -> Tally {
        let sink =
            |unit: &usize| Sink { name: "out.X".into(), unit: *unit, kind: SinkKind::StandIn };
        let sinks: Vec<_> = units.iter().map(sink).collect();
        Tally::new(units.iter().max().unwrap() + 1, 2, &sinks)
    }

    fn mark(sequence: u64) -> Mark {
        Mark { source: 1, sequence }
    }

    #[test]
    fn copies_are_counted_over_outputs_that_stand_in_for_each_other() {
        let mut tally = tally(&[0, 0]);
        for (sink, sequence) in [(0, 0), (0, 1), (1, 1), (1, 2)] {
            tally.arrive(sink, mark(sequence));
        }
        let copies: Vec<_> = (0..4).map(|n| tally.copies(0, mark(n))).collect();
        assert_eq!(copies, [1, 2, 1, 0]);
        assert_eq!(tally.doubled().collect::<Vec<_>>(), [(0, mark(1), 1)]);
        assert_eq!(tally.all_reached(), [0, 3]);
        tally.begin_again(&[0, 1]);
        assert_eq!(tally.all_reached(), [0, 1]);
        tally.arrive(0, mark(1));
        assert_eq!(tally.all_reached(), [0, 2]);
    }

    #[test]
    fn only_a_first_copy_can_be_late() {
        let mut tally = tally(&[0]);
        for sequence in [0, 1, 0, 1, 2, 4, 3] {
            tally.arrive(0, mark(sequence));
        }
        assert_eq!(tally.late(), [mark(3)]);
    }

    #[test]
    fn where_outputs_stand_in_only_what_came_once_is_judged() {
        let mut tally = tally(&[0, 0]);
        // 5 was delivered by the second one; the copy that hung in the first comes after all.
        for (sink, sequence) in [(0, 6), (0, 5), (1, 5), (0, 4)] {
            tally.arrive(sink, mark(sequence));
        }
        assert_eq!(tally.late(), [mark(4)]);
    }

    #[test]
    fn what_was_stored_may_come_late() {
        let mut tally = tally(&[0, 0, 0]);
        [1, 2].into_iter().for_each(|sequence| tally.store(0, mark(sequence)));
        for sequence in [0, 5, 1, 2, 3, 6] {
            tally.arrive(0, mark(sequence));
        }
        assert_eq!(tally.late(), [mark(3)]);
        tally.leave_order(0);
        assert_eq!(tally.late(), []);
    }

    #[test]
    fn what_no_source_wrote_is_strange() {
        let mut tally = tally(&[0]);
        tally.arrive(0, Mark { source: 2, sequence: 0 });
        tally.arrive(0, mark(u64::MAX));
        assert_eq!((tally.strange, tally.arrived), (2, 0));
    }
}
