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

    /// Appends it in RFC 3339 in UTC, with as many digits of a second as it has:
    /// `2026-11-21T10:30:00.5Z`.
    pub fn write_rfc3339(self, out: &mut Vec<u8>) {
        let mut text = [0; LONGEST];
        let len = self.rfc3339(&mut text);
        out.extend_from_slice(&text[..len]);
    }

    /// Writes it in RFC 3339, and gives back how long that is.
    pub(super) fn rfc3339(self, text: &mut [u8; LONGEST]) -> usize {
        let seconds = self.seconds();
        let (year, month, day) = civil(seconds.div_euclid(DAY));
        let second = seconds.rem_euclid(DAY) as u32;
        *text = *b"0000-00-00T00:00:00.000000000Z";
        let parts =
            [year / 100, year % 100, month, day, second / 3600, second / 60 % 60, second % 60];
        for (place, part) in [0, 2, 5, 8, 11, 14, 17].into_iter().zip(parts) {
            text[place] = b'0' + (part / 10) as u8;
            text[place + 1] = b'0' + (part % 10) as u8;
        }
        let mut nanos = self.subsec_nanos();
        let mut end = 19;
        if nanos != 0 {
            for digit in text[20..29].iter_mut().rev() {
                *digit = b'0' + (nanos % 10) as u8;
                nanos /= 10;
            }
            end = 29;
            while text[end - 1] == b'0' {
                end -= 1;
            }
        }
        text[end] = b'Z';
        end + 1
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
        let mut text = [0; LONGEST];
        let len = self.rfc3339(&mut text);
        f.pad(std::str::from_utf8(&text[..len]).expect("digits and marks are ASCII"))
    }
}

/// The bytes of the longest time in RFC 3339.
const LONGEST: usize = 30;

/// Seconds.
const DAY: i64 = 86_400;

/// The year, month and day of a day that is counted from 1970-01-01, in the years that a
/// [`Timestamp`] reaches; the algorithm is Howard Hinnant's `civil_from_days`.
fn civil(days: i64) -> (u32, u32, u32) {
    // Counted from the first of March of the year 0, with which a cycle of 400 years begins.
    let days = (days + 719_468) as u32;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let year = year + 400 * era + u32::from(month >= 10);
    (year, if month < 10 { month + 3 } else { month - 9 }, day - (153 * month + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn is_written_as_rfc_3339() {
        assert_eq!(Timestamp::from_parts(0, 500_000_000).to_string(), "1970-01-01T00:00:00.5Z");
        assert_eq!(Timestamp::from_nanos(-1).to_string(), "1969-12-31T23:59:59.999999999Z");
    }

    proptest! {
        #[test]
        fn is_written_as_jiff_writes_it(nanos: i64, places in 0u32..10) {
            let unit = 10i64.pow(places);
            for nanos in [nanos, nanos / unit * unit] {
                let time = Timestamp::from_nanos(nanos);
                let mut text = Vec::new();
                time.write_rfc3339(&mut text);
                let text = String::from_utf8(text).unwrap();
                prop_assert_eq!(&text, &time.to_jiff().to_string());
                prop_assert_eq!(text, time.to_string());
            }
        }

        #[test]
        fn every_day_is_the_right_one(day in -106_751i64..106_751) {
            let time = Timestamp::from_parts(day * DAY, 0);
            prop_assert_eq!(time.to_string(), time.to_jiff().to_string());
        }
    }

    #[test]
    fn the_ends_of_the_range_hold() {
        for end in [i64::MIN, i64::MAX] {
            let time = Timestamp::from_nanos(end);
            assert_eq!(Timestamp::from(time.to_jiff()), time);
            assert_eq!(time.to_string(), time.to_jiff().to_string());
            assert_eq!(Timestamp::from_parts(time.seconds(), time.subsec_nanos()), time);
        }
        assert_eq!(Timestamp::from_parts(i64::MAX, 0).as_nanos(), i64::MAX);
    }
}
