//! The books at one moment.

use std::collections::BTreeMap;

use super::{Count, Fate};
use crate::data::Name;

/// The books of a task at one moment, over all its runs.
///
/// received + copies + found = read again + delivered + filtered + dropped + buffered + in flight.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sheet {
    /// What the input has emitted.
    pub received: Count,
    /// What a `tee` made of it: each branch but one has a copy.
    pub copies: Count,
    /// What buffers held after a kill although it had not been written down here yet.
    pub found: Count,
    /// What was given back to the input, which reads it again and so receives it once more.
    pub again: Count,
    /// What outputs have written.
    pub delivered: Count,
    /// What the recipe asked to leave out, by step.
    pub filtered: BTreeMap<Name, Count>,
    /// What was lost or went to the dead letters, by step and reason.
    pub dropped: BTreeMap<(Name, Name), Count>,
    /// What buffers keep, by step.
    pub buffered: BTreeMap<Name, Count>,
    /// How much of what buffers say to have given up is among the dropped, by step.
    pub given_up: BTreeMap<Name, GivenUp>,
    /// What is on its way and can be read again.
    pub in_flight: Count,
    /// What is on its way and is lost in a crash: nobody can be asked for it again.
    pub in_flight_once: Count,
}

/// What a buffer has given up of what it had stored. The buffer keeps this with its read position, and the
/// ledger how much of it is in the books: after a kill the two may differ, and what is missing here is not
/// taken for delivered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GivenUp {
    /// A number that the buffer has made up: when it has another one, it began to count anew.
    pub since: u64,
    /// All that was given up since then, by reason.
    pub counts: BTreeMap<Name, Count>,
}

/// What a ledger says of itself that does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{records:+} records ({bytes:+} bytes) are not accounted for")]
pub struct Unbalanced {
    /// Records that came in and are nowhere; below zero when there are too many.
    pub records: i128,
    /// The same in bytes.
    pub bytes: i128,
}

impl Sheet {
    /// Everything that was filtered.
    pub fn all_filtered(&self) -> Count {
        self.filtered.values().copied().sum()
    }

    /// Everything that was dropped.
    pub fn all_dropped(&self) -> Count {
        self.dropped.values().copied().sum()
    }

    /// Everything that buffers keep.
    pub fn all_buffered(&self) -> Count {
        self.buffered.values().copied().sum()
    }

    /// Whether every record is accounted for.
    ///
    /// # Errors
    /// What is missing.
    pub fn check(&self) -> Result<(), Unbalanced> {
        let came = self.received + self.copies + self.found;
        let went = self.again
            + self.delivered
            + self.all_filtered()
            + self.all_dropped()
            + self.all_buffered()
            + self.in_flight
            + self.in_flight_once;
        let missing = Unbalanced {
            records: i128::from(came.records) - i128::from(went.records),
            bytes: i128::from(came.bytes) - i128::from(went.bytes),
        };
        if came == went { Ok(()) } else { Err(missing) }
    }

    pub(super) fn note(&mut self, fate: Fate, count: Count) {
        *match fate {
            Fate::Delivered => &mut self.delivered,
            Fate::Stored { place } => self.buffered.entry(place).or_default(),
            Fate::Filtered { place } => self.filtered.entry(place).or_default(),
            Fate::Dropped { place, reason } => self.dropped.entry((place, reason)).or_default(),
        } += count;
    }

    /// Takes records off a buffer's account, and gives what was not on it.
    pub(super) fn unbuffer(&mut self, place: &Name, count: Count) -> Count {
        let buffered = self.buffered.entry(place.clone()).or_default();
        let missing = count.beyond(*buffered);
        buffered.take(count);
        missing
    }
}
