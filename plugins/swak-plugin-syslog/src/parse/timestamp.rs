//! Timestamps: RFC 3339, and the kind without year and zone.
//!
//! Busy senders write the same second again and again, so the last one of each kind is remembered: a
//! message of the same second costs a comparison.

use std::cell::Cell;

use jiff::Span;
use jiff::civil::{Date, DateTime, Time};
use swak_sdk::data::Timestamp;

use super::Clock;

/// The seconds since 1970-01-01T00:00:00Z that a text of `N` bytes was last read as.
#[derive(Clone, Debug)]
pub(super) struct Recent<const N: usize>(Cell<Option<([u8; N], i64)>>);

impl<const N: usize> Default for Recent<N> {
    fn default() -> Self {
        Recent(Cell::new(None))
    }
}

impl<const N: usize> Recent<N> {
    fn get(&self, text: &[u8; N]) -> Option<i64> {
        self.0.get().filter(|(known, _)| known == text).map(|(_, seconds)| seconds)
    }

    fn set(&self, text: &[u8; N], seconds: i64) {
        self.0.set(Some((*text, seconds)));
    }
}

/// The bytes of `2003-10-11T22:14:15`, and of `Oct 11 22:14:15`.
pub(super) const DATE_TIME: usize = 19;
pub(super) const SHORT_DATE_TIME: usize = 15;

/// `2003-10-11T22:14:15.003Z`, with up to nine digits of a second. RFC 5424 allows six, but the
/// world sends nine.
pub(super) fn rfc3339(text: &[u8], clock: &Clock) -> Option<Timestamp> {
    let (date_time, rest) = text.split_first_chunk::<DATE_TIME>()?;
    let seconds = match clock.recent.get(date_time) {
        Some(seconds) => seconds,
        None => {
            let seconds = civil_seconds(date_time)?;
            clock.recent.set(date_time, seconds);
            seconds
        }
    };
    let (nanos, rest) = fraction(rest)?;
    let seconds = seconds - offset(rest)?;
    // The last hours of the year 9999 are no points in time for `jiff`.
    (seconds <= jiff::Timestamp::MAX.as_second()).then(|| Timestamp::from_parts(seconds, nanos))
}

/// The seconds from 1970-01-01T00:00:00 to `2003-10-11T22:14:15`, in whatever zone that is.
fn civil_seconds(text: &[u8; DATE_TIME]) -> Option<i64> {
    let marks = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
    if marks.iter().any(|(at, mark)| text[*at] != *mark) {
        return None;
    }
    let part = |at: usize, len: usize| number(&text[at..at + len]).map(i64::from);
    let (year, month, day) = (part(0, 4)?, part(5, 2)?, part(8, 2)?);
    let (hour, minute, second) = (part(11, 2)?, part(14, 2)?, second(part(17, 2)?));
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days_in_month = match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap => 29,
        2 => 28,
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        _ => return None,
    };
    if !(1..=days_in_month).contains(&day) || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    // The year begins in March here, so that its leap day is its last.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    // 1970-01-01 is so many days after 0000-03-01.
    let days = year * 365 + leap_days + (153 * month + 2) / 5 + day - 1 - 719_468;
    Some(days * 86_400 + hour * 3600 + minute * 60 + second)
}

/// `Oct 11 22:14:15`, with or without a fraction of a second, and with the year that some devices
/// write after the day; and what comes after it.
pub(super) fn rfc3164<'a>(text: &'a [u8], clock: &Clock) -> Option<(Timestamp, &'a [u8])> {
    let Some((date_time, rest)) = text.split_first_chunk::<SHORT_DATE_TIME>() else {
        return any_rfc3164(text, clock);
    };
    // With a fraction it may be of another year, when it is about a month ahead.
    if let (Some(seconds), [] | [b' ' | b':', ..]) = (clock.recent_short.get(date_time), rest) {
        return Some((Timestamp::from_parts(seconds, 0), end_of_time(rest)?));
    }
    let (timestamp, after) = any_rfc3164(text, clock)?;
    // It must end just there, which one with a day of one digit does not.
    let is_whole = date_time[SHORT_DATE_TIME - 1].is_ascii_digit();
    if is_whole && end_of_time(rest).is_some_and(|rest| rest.len() == after.len()) {
        clock.recent_short.set(date_time, timestamp.seconds());
    }
    Some((timestamp, after))
}

fn any_rfc3164<'a>(text: &'a [u8], clock: &Clock) -> Option<(Timestamp, &'a [u8])> {
    const MONTHS: [&[u8; 3]; 12] = [
        b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov",
        b"Dec",
    ];
    let name = text.first_chunk::<3>()?;
    let month = MONTHS.iter().position(|m| *m == name)? as i8 + 1;
    let rest = text[3..].strip_prefix(b" ")?;
    let (day, rest) = match rest.strip_prefix(b" ") {
        Some(rest) => (number(rest.get(..1)?)?, &rest[1..]),
        None if rest.get(1) == Some(&b' ') => (number(&rest[..1])?, &rest[1..]),
        None => (number(rest.get(..2)?)?, &rest[2..]),
    };
    let rest = rest.strip_prefix(b" ")?;
    let (year, rest) = match rest.get(..5) {
        Some([digits @ .., b' ']) if number(digits).is_some() => (number(digits), &rest[5..]),
        _ => (None, rest),
    };
    let (clock_time, rest) = (rest.get(..8)?, &rest[8..]);
    if clock_time[2] != b':' || clock_time[5] != b':' {
        return None;
    }
    let part = |at: usize| number(&clock_time[at..at + 2]);
    let (nanos, rest) = fraction(rest)?;
    let time = time(part(0)?, part(3)?, part(6)?, nanos)?;
    let rest = end_of_time(rest)?;
    let date_time = match year {
        Some(year) => DateTime::from_parts(Date::new(year, month, day as i8).ok()?, time),
        None => nearest(month, day as i8, time, clock)?,
    };
    let timestamp = clock.zone.to_ambiguous_zoned(date_time).compatible().ok()?.timestamp();
    Some((timestamp.into(), rest))
}

/// What comes after a time, which ends where its word ends.
fn end_of_time(text: &[u8]) -> Option<&[u8]> {
    match text {
        [] => Some(text),
        [b' ', rest @ ..] | [b':', b' ', rest @ ..] => Some(rest),
        _ => None,
    }
}

/// The date in the year in which it came last, or comes within a month: clocks differ, and a message
/// of December may be read in January. 29 February looks back as far as the last leap years.
fn nearest(month: i8, day: i8, time: Time, clock: &Clock) -> Option<DateTime> {
    let now = clock.zone.to_datetime(clock.now.to_jiff());
    let latest = now.saturating_add(Span::new().months(1));
    let years = (now.year() - 8..=now.year().saturating_add(1)).rev();
    let dates = years.filter_map(|year| Date::new(year, month, day).ok());
    dates.map(|date| DateTime::from_parts(date, time)).find(|date_time| *date_time <= latest)
}

/// A fraction of a second if there is one, in nanoseconds, and what comes after it.
fn fraction(text: &[u8]) -> Option<(u32, &[u8])> {
    let Some(rest) = text.strip_prefix(b".") else { return Some((0, text)) };
    let digits = rest.iter().take(10).take_while(|b| b.is_ascii_digit()).count();
    if !(1..=9).contains(&digits) {
        return None;
    }
    let value = rest[..digits].iter().fold(0, |n, b| n * 10 + u32::from(b - b'0'));
    Some((value * 10u32.pow(9 - digits as u32), &rest[digits..]))
}

/// A leap second is told as the second before it: the clock that counts nanoseconds has none.
fn second<N: PartialEq + From<u8>>(second: N) -> N {
    if second == N::from(60) { N::from(59) } else { second }
}

fn time(hour: i16, minute: i16, seconds: i16, nanos: u32) -> Option<Time> {
    Time::new(hour as i8, minute as i8, second(seconds) as i8, nanos as i32).ok()
}

/// `Z`, `+01:00`, `-07:00`, in seconds.
fn offset(text: &[u8]) -> Option<i64> {
    let (sign, text) = match text {
        b"Z" => return Some(0),
        [b'+', text @ ..] => (1, text),
        [b'-', text @ ..] => (-1, text),
        _ => return None,
    };
    let [h1, h2, b':', m1, m2] = text else { return None };
    let (hours, minutes) = (number(&[*h1, *h2])?, number(&[*m1, *m2])?);
    if hours > 23 || minutes > 59 {
        return None;
    }
    Some(sign * (i64::from(hours) * 3600 + i64::from(minutes) * 60))
}

/// Up to four digits and nothing else.
fn number(digits: &[u8]) -> Option<i16> {
    let all = (1..=4).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit);
    all.then(|| digits.iter().fold(0, |n, b| n * 10 + i16::from(b - b'0')))
}

#[cfg(test)]
mod tests {
    use jiff::tz::{Offset, TimeZone};
    use proptest::prelude::*;

    use super::*;

    fn clock(now: &str, zone: &str) -> Clock {
        let now: jiff::Timestamp = now.parse().unwrap();
        Clock::new(now.into(), TimeZone::get(zone).unwrap())
    }

    fn any_clock() -> Clock {
        clock("2026-11-21T00:00:00Z", "UTC")
    }

    fn at(text: &str, clock: &Clock) -> Option<(String, String)> {
        let (time, rest) = rfc3164(text.as_bytes(), clock)?;
        Some((time.to_string(), String::from_utf8(rest.to_vec()).unwrap()))
    }

    fn time_of(text: &str, clock: &Clock) -> String {
        at(text, clock).unwrap_or_else(|| panic!("{text} is a timestamp")).0
    }

    #[test]
    fn the_examples_of_rfc_5424() {
        let time = |text: &str| rfc3339(text.as_bytes(), &any_clock()).map(|t| t.to_string());
        let is = |text: &str| Some(text.to_owned());
        assert_eq!(time("1985-04-12T23:20:50.52Z"), is("1985-04-12T23:20:50.52Z"));
        assert_eq!(time("1985-04-12T19:20:50.52-04:00"), is("1985-04-12T23:20:50.52Z"));
        assert_eq!(time("2003-10-11T22:14:15.003Z"), is("2003-10-11T22:14:15.003Z"));
        assert_eq!(time("2003-08-24T05:14:15.000003-07:00"), is("2003-08-24T12:14:15.000003Z"));
        // The RFC forbids nanoseconds; they are read all the same.
        assert_eq!(
            time("2003-08-24T05:14:15.000000003-07:00"),
            is("2003-08-24T12:14:15.000000003Z")
        );
    }

    #[test]
    fn what_is_not_rfc_3339() {
        for wrong in [
            "",
            "-",
            "2003-10-11",
            "2003-10-11T22:14:15",
            "2003-10-11 22:14:15Z",
            "2003-13-11T22:14:15Z",
            "2003-10-11T24:14:15Z",
            "2003-10-11T22:14:15.Z",
            "2003-10-11T22:14:15.0000000001Z",
            "2003-10-11T22:14:15+0700",
            "2003-10-11T22:14:15+24:00",
            "2003-10-11T22:14:15ZZ",
            "+003-10-11T22:14:15Z",
        ] {
            assert_eq!(rfc3339(wrong.as_bytes(), &any_clock()), None, "{wrong}");
        }
        assert!(rfc3339(b"2016-12-31T23:59:60Z", &any_clock()).is_some(), "a leap second");
    }

    #[test]
    fn the_year_is_the_last_in_which_it_was() {
        let (new_year, old_year) =
            (clock("2026-01-01T00:10:00Z", "UTC"), clock("2026-12-31T23:50:00Z", "UTC"));
        assert_eq!(time_of("Dec 31 23:59:59", &new_year), "2025-12-31T23:59:59Z");
        assert_eq!(time_of("Jan  1 00:00:00", &new_year), "2026-01-01T00:00:00Z");
        assert_eq!(time_of("Jan  1 00:00:00", &old_year), "2027-01-01T00:00:00Z");
        assert_eq!(time_of("Feb 29 12:00:00", &new_year), "2024-02-29T12:00:00Z");
        assert_eq!(time_of("Feb  1 00:00:00", &old_year), "2026-02-01T00:00:00Z");
        assert_eq!(time_of("Jan 30 00:00:00", &old_year), "2027-01-30T00:00:00Z");
    }

    #[test]
    fn the_zone_is_the_one_that_is_given() {
        let seoul = clock("2026-11-21T00:00:00Z", "Asia/Seoul");
        assert_eq!(time_of("Nov 21 09:00:00", &seoul), "2026-11-21T00:00:00Z");
        let berlin = clock("2026-11-21T00:00:00Z", "Europe/Berlin");
        assert_eq!(time_of("Jul  1 12:00:00", &berlin), "2026-07-01T10:00:00Z");
        // An hour that there is twice, and one that there is not.
        assert_eq!(time_of("Oct 25 02:30:00", &berlin), "2026-10-25T00:30:00Z");
        assert_eq!(time_of("Mar 29 02:30:00", &berlin), "2026-03-29T01:30:00Z");
    }

    #[test]
    fn the_variants_that_devices_write() {
        let clock = clock("2026-11-21T00:00:00Z", "UTC");
        let is = |time: &str, rest: &str| Some((time.to_owned(), rest.to_owned()));
        assert_eq!(at("Nov  5 01:02:03 host", &clock), is("2026-11-05T01:02:03Z", "host"));
        assert_eq!(at("Nov 5 01:02:03 host", &clock), is("2026-11-05T01:02:03Z", "host"));
        assert_eq!(at("Nov 05 01:02:03.25 host", &clock), is("2026-11-05T01:02:03.25Z", "host"));
        assert_eq!(at("Nov  5 2019 01:02:03: %ASA", &clock), is("2019-11-05T01:02:03Z", "%ASA"));
        for wrong in [
            "",
            "Nov",
            "Nov  5",
            "Nov 31 01:02:03",
            "nov  5 01:02:03",
            "Nov  5 1:02:03",
            "Nov  5 01:02:03x",
        ] {
            assert_eq!(at(wrong, &clock), None, "{wrong}");
        }
    }

    /// As `jiff` reads it: slower, and known to be right.
    fn by_jiff(text: &str) -> Option<Timestamp> {
        let number = |at: usize, len: usize| number(&text.as_bytes()[at..at + len]);
        let date = Date::new(number(0, 4)?, number(5, 2)? as i8, number(8, 2)? as i8).ok()?;
        let (nanos, rest) = fraction(&text.as_bytes()[DATE_TIME..])?;
        let time = time(number(11, 2)?, number(14, 2)?, number(17, 2)?, nanos)?;
        let offset = Offset::from_seconds(i32::try_from(offset(rest)?).ok()?).ok()?;
        Some(offset.to_timestamp(DateTime::from_parts(date, time)).ok()?.into())
    }

    /// Mostly a point in time, now and then none.
    fn date_time() -> impl Strategy<Value = String> {
        let date = (0..=9999u16, 0..=13u8, 0..=32u8);
        let time = (0..=24u8, 0..=60u8, 0..=61u8);
        let edges = prop::sample::select(vec![
            "9999-12-30T22:00:00",
            "9999-12-30T22:00:01",
            "9999-12-31T23:59:60",
            "0000-01-01T00:00:00",
            "1677-09-21T00:12:43",
            "2262-04-11T23:47:16",
            "1900-02-29T00:00:00",
            "2000-02-29T00:00:00",
            "1969-12-31T23:59:59",
        ]);
        prop_oneof![
            9 => (date, time).prop_map(|((y, mo, d), (h, mi, s))| {
                format!("{y:04}-{mo:02}-{d:02}T{h:02}:{mi:02}:{s:02}")
            }),
            1 => edges.prop_map(str::to_owned),
        ]
    }

    proptest! {
        #[test]
        fn rfc_3339_is_read_as_jiff_does(
            texts in prop::collection::vec(
                (date_time(), "(\\.[0-9]{1,10})?", "Z|[+-][0-2][0-9]:[0-6][0-9]"), 1..6,
            ),
            order in prop::collection::vec(any::<prop::sample::Index>(), 12),
        ) {
            // One clock for all, so that what is remembered of one meets the next.
            let clock = any_clock();
            for index in order {
                let (date_time, fraction, offset) = index.get(&texts);
                let text = format!("{date_time}{fraction}{offset}");
                prop_assert_eq!(rfc3339(text.as_bytes(), &clock), by_jiff(&text), "{}", text);
            }
        }

        #[test]
        fn what_is_remembered_changes_nothing(
            texts in prop::collection::vec(
                "(Nov|Dec|Feb) ( [15]|1|29|31)( 2019)? 0[12]:30:0[0-9](\\.5)?[: ]{0,2}x?", 1..6,
            ),
            order in prop::collection::vec(any::<prop::sample::Index>(), 12),
            zone in prop::sample::select(vec!["UTC", "Europe/Berlin"]),
        ) {
            // In a month it is the last of December: what is later is of last year.
            let fresh = || clock("2026-11-30T01:30:05.25Z", zone);
            let used = fresh();
            for index in order {
                let text = index.get(&texts).as_bytes();
                prop_assert_eq!(rfc3164(text, &used), any_rfc3164(text, &fresh()));
            }
        }
    }
}
