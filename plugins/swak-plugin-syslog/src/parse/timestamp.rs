//! Timestamps: RFC 3339, and the kind without year and zone.

use jiff::Span;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::Offset;
use swak_sdk::data::Timestamp;

use super::Clock;

/// `2003-10-11T22:14:15.003Z`, with up to nine digits of a second. RFC 5424 allows six, but the
/// world sends nine.
pub(super) fn rfc3339(text: &[u8]) -> Option<Timestamp> {
    let (date_time, rest) = (text.get(..19)?, &text[19..]);
    let marks = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
    if marks.iter().any(|(at, mark)| date_time[*at] != *mark) {
        return None;
    }
    let part = |at: usize, len: usize| number(&date_time[at..at + len]);
    let date = Date::new(part(0, 4)?, part(5, 2)? as i8, part(8, 2)? as i8).ok()?;
    let (nanos, rest) = fraction(rest)?;
    let time = time(part(11, 2)?, part(14, 2)?, part(17, 2)?, nanos)?;
    let offset = offset(rest)?;
    let timestamp = offset.to_timestamp(DateTime::from_parts(date, time)).ok()?;
    Some(timestamp.into())
}

/// `Oct 11 22:14:15`, with or without a fraction of a second, and with the year that some devices
/// write after the day; and what comes after it.
pub(super) fn rfc3164<'a>(text: &'a [u8], clock: &Clock) -> Option<(Timestamp, &'a [u8])> {
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
    // The time ends where its word ends.
    let rest = match rest {
        [] => rest,
        [b' ', rest @ ..] => rest,
        [b':', b' ', rest @ ..] => rest,
        _ => return None,
    };
    let date_time = match year {
        Some(year) => DateTime::from_parts(Date::new(year, month, day as i8).ok()?, time),
        None => nearest(month, day as i8, time, clock)?,
    };
    let timestamp = clock.zone.to_ambiguous_zoned(date_time).compatible().ok()?.timestamp();
    Some((timestamp.into(), rest))
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
fn fraction(text: &[u8]) -> Option<(i32, &[u8])> {
    let Some(rest) = text.strip_prefix(b".") else { return Some((0, text)) };
    let digits = rest.iter().take(10).take_while(|b| b.is_ascii_digit()).count();
    if !(1..=9).contains(&digits) {
        return None;
    }
    let value = rest[..digits].iter().fold(0, |n, b| n * 10 + i32::from(b - b'0'));
    Some((value * 10i32.pow(9 - digits as u32), &rest[digits..]))
}

/// A leap second is told as the second before it: the clock that counts nanoseconds has none.
fn time(hour: i16, minute: i16, second: i16, nanos: i32) -> Option<Time> {
    let second = if second == 60 { 59 } else { second };
    Time::new(hour as i8, minute as i8, second as i8, nanos).ok()
}

/// `Z`, `+01:00`, `-07:00`
fn offset(text: &[u8]) -> Option<Offset> {
    let (sign, text) = match text {
        b"Z" => return Some(Offset::UTC),
        [b'+', text @ ..] => (1, text),
        [b'-', text @ ..] => (-1, text),
        _ => return None,
    };
    let [h1, h2, b':', m1, m2] = text else { return None };
    let (hours, minutes) = (number(&[*h1, *h2])?, number(&[*m1, *m2])?);
    if hours > 23 || minutes > 59 {
        return None;
    }
    Offset::from_seconds(sign * (i32::from(hours) * 3600 + i32::from(minutes) * 60)).ok()
}

/// Up to four digits and nothing else.
fn number(digits: &[u8]) -> Option<i16> {
    let all = (1..=4).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit);
    all.then(|| digits.iter().fold(0, |n, b| n * 10 + i16::from(b - b'0')))
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;

    fn clock(now: &str, zone: &str) -> Clock {
        let now: jiff::Timestamp = now.parse().unwrap();
        Clock { now: now.into(), zone: TimeZone::get(zone).unwrap() }
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
        let time = |text: &str| rfc3339(text.as_bytes()).map(|t| t.to_string());
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
            assert_eq!(rfc3339(wrong.as_bytes()), None, "{wrong}");
        }
        assert!(rfc3339(b"2016-12-31T23:59:60Z").is_some(), "a leap second");
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
}
