//! How many records, and what became of them.

use std::ops::{Add, AddAssign};

use crate::ack::Outcome;
use crate::data::Name;

/// Records, and the bytes that they had when they came in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Records.
    pub records: u64,
    /// See [`Record::weight`](crate::data::Record::weight).
    pub bytes: u64,
}

/// What became of some records. A place is a step as people see it: `2 out.Filter`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// They are where they were to go.
    Delivered,
    /// They are kept safely by a buffer.
    Stored {
        /// The buffer.
        place: Name,
    },
    /// The recipe asked to leave them out.
    Filtered {
        /// The step that did so.
        place: Name,
    },
    /// They are lost, or in the dead letters.
    Dropped {
        /// The step that gave them up.
        place: Name,
        /// Why: one of a few fixed phrases, not data.
        reason: Name,
    },
}

impl Fate {
    /// What an input hears of it.
    pub fn outcome(&self) -> Outcome {
        match self {
            Fate::Delivered | Fate::Stored { .. } | Fate::Filtered { .. } => Outcome::Delivered,
            Fate::Dropped { .. } => Outcome::Rejected,
        }
    }
}

/// Every record costs this much of a ledger's limit besides its bytes.
const RECORD_COST: u64 = 32;

impl Count {
    /// What this takes of the limit of what may be on its way.
    pub(crate) fn cost(self) -> u64 {
        self.bytes.saturating_add(self.records.saturating_mul(RECORD_COST))
    }

    /// Never below zero: a sheet that was damaged must not end the agent. Its check tells.
    pub(super) fn take(&mut self, other: Count) {
        self.records = self.records.saturating_sub(other.records);
        self.bytes = self.bytes.saturating_sub(other.bytes);
    }

    /// What there is of it in both.
    pub(super) fn least(self, other: Count) -> Count {
        Count { records: self.records.min(other.records), bytes: self.bytes.min(other.bytes) }
    }

    /// What there is more of here than there.
    pub(super) fn beyond(self, other: Count) -> Count {
        Count {
            records: self.records.saturating_sub(other.records),
            bytes: self.bytes.saturating_sub(other.bytes),
        }
    }
}

impl Add for Count {
    type Output = Count;

    fn add(self, other: Count) -> Count {
        Count {
            records: self.records.saturating_add(other.records),
            bytes: self.bytes.saturating_add(other.bytes),
        }
    }
}

impl AddAssign for Count {
    fn add_assign(&mut self, other: Count) {
        *self = *self + other;
    }
}

impl std::iter::Sum for Count {
    fn sum<I: Iterator<Item = Count>>(counts: I) -> Count {
        counts.fold(Count::default(), Add::add)
    }
}
