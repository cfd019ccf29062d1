//! Points in time.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

/// Nanoseconds since 1970-01-01T00:00:00Z, without leap seconds; from 1677 to 2262.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

impl Timestamp {
    /// Now, by the system's clock.
    pub fn now() -> Self {
        let nanos = match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(after) => i64::try_from(after.as_nanos()).unwrap_or(i64::MAX),
            Err(before) => {
                i64::try_from(before.duration().as_nanos()).map_or(i64::MIN, std::ops::Neg::neg)
            }
        };
        Timestamp(nanos)
    }

    /// From nanoseconds since the epoch.
    pub const fn from_nanos(nanos: i64) -> Self {
        Timestamp(nanos)
    }

    /// From seconds and nanoseconds since the epoch; held at the ends of the range.
    pub fn from_parts(seconds: i64, nanos: u32) -> Self {
        let total = i128::from(seconds) * 1_000_000_000 + i128::from(nanos);
        let limit = if seconds < 0 { i64::MIN } else { i64::MAX };
        Timestamp(i64::try_from(total).unwrap_or(limit))
    }

    /// Nanoseconds since the epoch.
    pub const fn as_nanos(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1_000_000_000)
    }

    /// The nanoseconds within the second.
    pub const fn subsec_nanos(self) -> u32 {
        self.0.rem_euclid(1_000_000_000) as u32
    }

    /// As `jiff` knows it, for zones and formats.
    pub fn to_jiff(self) -> jiff::Timestamp {
        jiff::Timestamp::from_nanosecond(self.0.into()).expect("64 bits of nanoseconds fit")
    }
}

impl From<jiff::Timestamp> for Timestamp {
    /// Held at the ends of the range.
    fn from(time: jiff::Timestamp) -> Self {
        let nanos = time.as_nanosecond();
        let limit = if nanos < 0 { i64::MIN } else { i64::MAX };
        Timestamp(i64::try_from(nanos).unwrap_or(limit))
    }
}

/// RFC 3339 in UTC, with as many digits of a second as it has: `2026-11-21T10:30:00.5Z`.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.to_jiff(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_written_as_rfc_3339() {
        assert_eq!(Timestamp::from_parts(0, 500_000_000).to_string(), "1970-01-01T00:00:00.5Z");
        assert_eq!(Timestamp::from_nanos(-1).to_string(), "1969-12-31T23:59:59.999999999Z");
    }

    #[test]
    fn the_ends_of_the_range_hold() {
        for end in [i64::MIN, i64::MAX] {
            let time = Timestamp::from_nanos(end);
            assert_eq!(Timestamp::from(time.to_jiff()), time);
            assert_eq!(Timestamp::from_parts(time.seconds(), time.subsec_nanos()), time);
        }
        assert_eq!(Timestamp::from_parts(i64::MAX, 0).as_nanos(), i64::MAX);
    }
}
