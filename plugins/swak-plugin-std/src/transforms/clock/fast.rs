//! Times in the shapes that logs have, read without a detour.
//!
//! What is read here is read as `jiff` reads it. What is not is left to `jiff`: shapes that few people
//! write, and text that is no time, about which it has the last word.

use jiff::civil::DateTime;
use swak_sdk::prelude::*;

use super::{AHEAD, YEARS_BACK};

/// A format of the directives that times are mostly written with.
pub(super) struct Format {
    items: Vec<Item>,
    /// Whether the year stands in the text, so that what it says does not depend on when it is read.
    pub(super) has_year: bool,
}

/// What stands in a text, in the order of the format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Item {
    Byte(u8),
    /// White space, or none.
    Space,
    Year,
    Month,
    MonthName,
    Day,
    WeekdayName,
    Hour,
    Minute,
    Second,
    /// Digits of a second.
    Fraction,
    /// The same after a point; or nothing.
    DotFraction,
    /// `+0900`
    Offset,
    /// `+09:00`
    ColonOffset,
}

/// The zone of times that name none.
pub(super) struct Zone {
    zone: TimeZone,
    /// Its offset from UTC in seconds, if that is always the same.
    fixed: Option<i64>,
}

/// What a text says.
#[derive(Clone, Copy, Default)]
struct Parts {
    year: Option<i64>,
    month: u32,
    day: u32,
    /// Days after Sunday.
    weekday: Option<i64>,
    hour: i64,
    minute: i64,
    second: i64,
    nanos: u32,
    /// Seconds from UTC.
    offset: Option<i64>,
}

/// Seconds.
const DAY: i64 = 86_400;

impl Format {
    /// The format, if it has only what is read here: a day and a time of the day, each part once.
    pub(super) fn new(format: &str) -> Option<Self> {
        let mut items = Vec::new();
        read_format(format.as_bytes(), &mut items)?;
        let kinds = |kinds: &[Item]| items.iter().filter(|item| kinds.contains(item)).count();
        let months = kinds(&[Item::Month, Item::MonthName]);
        let days = kinds(&[Item::Day]);
        let times = [Item::Hour, Item::Minute, Item::Second].map(|item| kinds(&[item]));
        let once = [
            kinds(&[Item::Year]),
            kinds(&[Item::WeekdayName]),
            kinds(&[Item::Fraction, Item::DotFraction]),
            kinds(&[Item::Offset, Item::ColonOffset]),
        ];
        let is_simple = (months, days, times) == (1, 1, [1; 3]) && once.iter().all(|n| *n <= 1);
        is_simple.then_some(Format { has_year: once[0] == 1, items })
    }

    /// The time that a text says, which has no white space around it.
    pub(super) fn read(&self, text: &[u8], now: Timestamp, zone: &Zone) -> Option<Timestamp> {
        let mut parts = Parts::default();
        let mut rest = text;
        for item in &self.items {
            parts.read(*item, &mut rest)?;
        }
        if !rest.is_empty() {
            return None;
        }
        match parts.year {
            Some(year) => parts.at(year, zone),
            None => parts.before(now, zone),
        }
    }
}

/// The time that a text says in RFC 3339 or the like: `2026-11-21T10:30:00.5Z`, with a space in place
/// of the `T`, with an offset in place of the `Z` or nothing.
pub(super) fn rfc3339(text: &[u8], zone: &Zone) -> Option<Timestamp> {
    let (date, mut rest) = text.split_at_checked(19)?;
    let digits = |from: usize, to: usize| digits(&date[from..to]);
    let marks = [4, 7, 10, 13, 16].map(|i| date[i]);
    if !matches!(marks, [b'-', b'-', b'T' | b' ', b':', b':']) {
        return None;
    }
    let year = digits(0, 4)?;
    let mut parts = Parts {
        month: digits(5, 7)? as u32,
        day: digits(8, 10)? as u32,
        hour: digits(11, 13)?,
        minute: digits(14, 16)?,
        second: digits(17, 19)?,
        ..Parts::default()
    };
    parts.read(Item::DotFraction, &mut rest)?;
    match rest {
        [] => {}
        b"Z" => parts.offset = Some(0),
        _ => parts.read(Item::ColonOffset, &mut rest).filter(|()| rest.is_empty())?,
    }
    parts.at(year, zone)
}

impl Zone {
    pub(super) fn new(zone: TimeZone) -> Self {
        let fixed = zone.to_fixed_offset().ok().map(|offset| offset.seconds().into());
        Zone { zone, fixed }
    }

    pub(super) fn time_zone(&self) -> &TimeZone {
        &self.zone
    }

    /// The year that it is there.
    fn year(&self, now: Timestamp) -> i64 {
        now.to_jiff().to_zoned(self.zone.clone()).year().into()
    }
}

impl Parts {
    fn read(&mut self, item: Item, text: &mut &[u8]) -> Option<()> {
        match item {
            Item::Byte(byte) => *text = text.strip_prefix(&[byte])?,
            Item::Space => *text = text.trim_ascii_start(),
            Item::Year => self.year = Some(number(text, 4)?),
            Item::Month => self.month = number(text, 2)? as u32,
            Item::MonthName => self.month = 1 + name(text, &MONTHS)?,
            Item::Day => self.day = number(text, 2)? as u32,
            Item::WeekdayName => self.weekday = Some(name(text, &WEEKDAYS)?.into()),
            Item::Hour => self.hour = number(text, 2)?,
            Item::Minute => self.minute = number(text, 2)?,
            Item::Second => self.second = number(text, 2)?,
            Item::Fraction => self.nanos = fraction(text)?,
            Item::DotFraction => {
                if let Some(digits) = text.strip_prefix(b".") {
                    *text = digits;
                    self.nanos = fraction(text)?;
                }
            }
            Item::Offset => self.offset = Some(offset(text, false)?),
            Item::ColonOffset => self.offset = Some(offset(text, true)?),
        }
        Some(())
    }

    /// The time in this year. None when there is no such time, and in years that are near the ends of
    /// what a [`Timestamp`] holds.
    fn at(&self, year: i64, zone: &Zone) -> Option<Timestamp> {
        let is_time = self.hour <= 23 && self.minute <= 59 && self.second <= 59;
        if !(1700..=2200).contains(&year) || !self.is_day_of(year) || !is_time {
            return None;
        }
        let days = days(year, self.month.into(), self.day.into());
        // 1970 began with a Thursday.
        if self.weekday.is_some_and(|weekday| weekday != (days + 4).rem_euclid(7)) {
            return None;
        }
        let seconds = days * DAY + self.hour * 3600 + self.minute * 60 + self.second;
        if let Some(offset) = self.offset.or(zone.fixed) {
            return Some(Timestamp::from_parts(seconds - offset, self.nanos));
        }
        let part = |n: i64| i8::try_from(n).expect("it was compared with what there may be");
        let at = DateTime::new(
            i16::try_from(year).expect("it was compared with what there may be"),
            part(self.month.into()),
            part(self.day.into()),
            part(self.hour),
            part(self.minute),
            part(self.second),
            self.nanos.cast_signed(),
        );
        zone.zone.to_timestamp(at.ok()?).ok().map(Timestamp::from)
    }

    /// The time in the year that puts it nearest before now.
    fn before(&self, now: Timestamp, zone: &Zone) -> Option<Timestamp> {
        let this_year = zone.year(now);
        let latest = now.seconds().saturating_add(AHEAD);
        let years = (this_year - i64::from(YEARS_BACK)..=this_year + 1).rev();
        // Years that are not read here end the search, and not only one step of it.
        let mut years = years.map_while(|year| (1700..=2200).contains(&year).then_some(year));
        years.find_map(|year| self.at(year, zone).filter(|at| at.seconds() <= latest))
    }

    fn is_day_of(&self, year: i64) -> bool {
        let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let last = match self.month {
            4 | 6 | 9 | 11 => 30,
            2 => 28 + u32::from(is_leap),
            1..=12 => 31,
            _ => return false,
        };
        (1..=last).contains(&self.day)
    }
}

/// The days from 1970-01-01 to a day; the algorithm is Howard Hinnant's `days_from_civil`.
fn days(year: i64, month: i64, day: i64) -> i64 {
    // Years that begin in March end with the leap day.
    let (year, month) = if month <= 2 { (year - 1, month + 9) } else { (year, month - 3) };
    let (era, year) = (year.div_euclid(400), year.rem_euclid(400));
    let day = (153 * month + 2) / 5 + day - 1;
    era * 146_097 + year * 365 + year / 4 - year / 100 + day - 719_468
}

fn read_format(format: &[u8], items: &mut Vec<Item>) -> Option<()> {
    let mut rest = format;
    while let [first, after @ ..] = rest {
        rest = after;
        if *first != b'%' {
            let is_space = first.is_ascii_whitespace();
            items.push(if is_space { Item::Space } else { Item::Byte(*first) });
            continue;
        }
        if let Some(after) = rest.strip_prefix(b".f") {
            (rest, _) = (after, items.push(Item::DotFraction));
            continue;
        }
        if let Some(after) = rest.strip_prefix(b":z") {
            (rest, _) = (after, items.push(Item::ColonOffset));
            continue;
        }
        let (directive, after) = rest.split_first()?;
        rest = after;
        items.push(match directive {
            b'Y' => Item::Year,
            b'm' => Item::Month,
            b'b' | b'h' => Item::MonthName,
            b'd' | b'e' => Item::Day,
            b'a' => Item::WeekdayName,
            b'H' | b'k' => Item::Hour,
            b'M' => Item::Minute,
            b'S' => Item::Second,
            b'f' => Item::Fraction,
            b'z' => Item::Offset,
            b'T' => {
                read_format(b"%H:%M:%S", items)?;
                continue;
            }
            b'F' => {
                read_format(b"%Y-%m-%d", items)?;
                continue;
            }
            _ => return None,
        });
    }
    Some(())
}

const MONTHS: [&[u8; 3]; 12] = [
    b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec",
];

const WEEKDAYS: [&[u8; 3]; 7] = [b"sun", b"mon", b"tue", b"wed", b"thu", b"fri", b"sat"];

/// Which of these names the text begins with.
fn name(text: &mut &[u8], names: &[&[u8; 3]]) -> Option<u32> {
    let (name, rest) = text.split_first_chunk::<3>()?;
    *text = rest;
    let name = name.map(|byte| byte.to_ascii_lowercase());
    (0..).zip(names).find(|(_, known)| **known == &name).map(|(i, _)| i)
}

/// A number of at most so many digits; those are taken that there are.
fn number(text: &mut &[u8], most: usize) -> Option<i64> {
    let len = text.iter().take(most).take_while(|byte| byte.is_ascii_digit()).count();
    let (number, rest) = text.split_at(len);
    *text = rest;
    (len > 0).then(|| digits(number)).flatten()
}

/// The number that these digits are, and nothing else but digits.
fn digits(digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(0, |number, byte| {
        let digit = byte.wrapping_sub(b'0');
        (digit <= 9).then_some(10 * number + i64::from(digit))
    })
}

/// One to nine digits of a second, in nanoseconds.
fn fraction(text: &mut &[u8]) -> Option<u32> {
    let before = text.len();
    let number = number(text, 9)?;
    // More digits than that are for others to refuse.
    if text.first().is_some_and(u8::is_ascii_digit) {
        return None;
    }
    let taken = (before - text.len()) as u32;
    u32::try_from(number).ok()?.checked_mul(10u32.pow(9 - taken))
}

/// Hours and minutes from UTC, in seconds. One with seconds besides is left to others.
fn offset(text: &mut &[u8], has_colon: bool) -> Option<i64> {
    let (sign, rest) = text.split_first()?;
    let sign = match sign {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let (hours, rest) = rest.split_at_checked(2)?;
    let rest = if has_colon { rest.strip_prefix(b":")? } else { rest };
    let (minutes, rest) = rest.split_at_checked(2)?;
    let (hours, minutes) = (digits(hours)?, digits(minutes)?);
    let goes_on = matches!(rest.first(), Some(b'0'..=b'9' | b':' | b'.' | b','));
    *text = rest;
    (hours <= 23 && minutes <= 59 && !goes_on).then_some(sign * (hours * 3600 + minutes * 60))
}
