//! Places in the stream of frames, and how much lies between two of them.

use std::ops::{Add, AddAssign};

/// Frames, records and bytes: of some frames, or lost with them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Frames.
    pub frames: u64,
    /// Records in them, as the caller counted them.
    pub records: u64,
    /// Bytes of these records, as the caller weighed them; not what they take on disk.
    pub bytes: u64,
}

impl Count {
    /// Whether there is nothing.
    pub fn is_zero(self) -> bool {
        self == Count::default()
    }

    /// What there is more of here than there.
    pub(crate) fn beyond(self, other: Count) -> Count {
        Count {
            frames: self.frames.saturating_sub(other.frames),
            records: self.records.saturating_sub(other.records),
            bytes: self.bytes.saturating_sub(other.bytes),
        }
    }
}

impl Add for Count {
    type Output = Count;

    fn add(self, other: Count) -> Count {
        Count {
            frames: self.frames.saturating_add(other.frames),
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

/// A place in the stream: all that was ever appended before it.
///
/// Every frame carries the place where it begins, so the distance between any two frames that are
/// still readable says exactly what was lost between them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The sequence number of the frame that begins here: the number of frames before it.
    pub seq: u64,
    /// Records before it.
    pub records: u64,
    /// Bytes of these records.
    pub bytes: u64,
}

impl Place {
    /// The place behind a frame of so many records that begins here.
    pub(crate) fn after(self, records: u64, bytes: u64) -> Place {
        Place {
            seq: self.seq.saturating_add(1),
            records: self.records.saturating_add(records),
            bytes: self.bytes.saturating_add(bytes),
        }
    }

    /// What lies between an earlier place and this one; nothing if that is not earlier.
    pub fn since(self, earlier: Place) -> Count {
        Count {
            frames: self.seq.saturating_sub(earlier.seq),
            records: self.records.saturating_sub(earlier.records),
            bytes: self.bytes.saturating_sub(earlier.bytes),
        }
    }

    /// The later one.
    pub(crate) fn max(self, other: Place) -> Place {
        if other.seq > self.seq { other } else { self }
    }
}
