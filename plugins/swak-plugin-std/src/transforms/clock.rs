//! Points in time out of text.

mod fast;

use std::cell::RefCell;

use jiff::Zoned;
use jiff::civil::DateTime;
use jiff::fmt::strtime::{self, BrokenDownTime};
use swak_sdk::prelude::*;

use self::fast::{Format, Zone};

/// How times are written, as the options say it.
pub(crate) struct ClockOptions {
    /// The field that becomes the record's own time.
    pub(crate) field: Option<Placed<String>>,
    /// The `strptime` format; `None` for RFC 3339.
    pub(crate) format: Option<Placed<String>>,
    /// The zone of times that name none; `None` for the system's.
    pub(crate) zone: Option<TimeZone>,
}

/// Reads times in one format.
pub(crate) struct Clock {
    format: Option<String>,
    /// The format, if it is one that can be read without a detour.
    fast: Option<Format>,
    zone: Zone,
    /// What was read last: the next line mostly has the same time.
    last: RefCell<Last>,
}

/// A text, when it was read, and what it says.
#[derive(Default)]
struct Last {
    text: Vec<u8>,
    now: Timestamp,
    at: Option<Timestamp>,
}

/// Longer texts are not remembered.
const LONGEST: usize = 64;

/// How far in the future a time without a year may lie before it is taken to be last year's: clocks
/// differ, and zones are set wrong.
const AHEAD: i64 = 24 * 3600;

/// The 29th of February comes every four years, and once in eight around a century.
const YEARS_BACK: i16 = 8;

impl Clock {
    /// A clock, unless its format is none.
    pub(crate) fn new(options: &ClockOptions) -> Result<Self> {
        let zone = options.zone.clone().unwrap_or_else(TimeZone::system);
        let format = options.format.as_ref().map(|f| f.value.clone());
        let fast = format.as_deref().and_then(Format::new);
        let clock = Clock { format, fast, zone: Zone::new(zone), last: RefCell::default() };
        if let Some(format) = &options.format {
            clock.check(format)?;
        }
        Ok(clock)
    }

    /// The time that a text says. A missing year is the one that puts it nearest before `now`.
    pub(crate) fn read(&self, text: &[u8], now: Timestamp) -> Option<Timestamp> {
        let text = text.trim_ascii();
        let mut last = self.last.borrow_mut();
        if last.at.is_some() && last.text == text && (last.now == now || self.has_year()) {
            return last.at;
        }
        let at = self.read_fast(text, now).or_else(|| self.read_any(text, now));
        if text.len() <= LONGEST {
            last.text.clear();
            last.text.extend_from_slice(text);
            (last.now, last.at) = (now, at);
        }
        at
    }

    /// Whether the text alone says the time. It is not known of all formats of which it is so.
    fn has_year(&self) -> bool {
        self.format.is_none() || self.fast.as_ref().is_some_and(|fast| fast.has_year)
    }

    /// What can be read without a detour.
    fn read_fast(&self, text: &[u8], now: Timestamp) -> Option<Timestamp> {
        match (&self.format, &self.fast) {
            (None, _) => fast::rfc3339(text, &self.zone),
            (Some(_), Some(format)) => format.read(text, now, &self.zone),
            (Some(_), None) => None,
        }
    }

    fn read_any(&self, text: &[u8], now: Timestamp) -> Option<Timestamp> {
        match &self.format {
            Some(format) => self.at(BrokenDownTime::parse(format, text).ok()?, now),
            None => {
                let text = std::str::from_utf8(text).ok()?;
                if let Ok(at) = text.parse::<jiff::Timestamp>() {
                    return Some(at.into());
                }
                self.in_zone(text.parse::<DateTime>().ok()?)
            }
        }
    }

    /// The time that a value says: text in the format, a number of seconds since 1970, a time.
    pub(crate) fn read_value(&self, value: &Value, now: Timestamp) -> Option<Timestamp> {
        match value {
            Value::Time(at) => Some(*at),
            Value::Int(seconds) => Some(Clock::of_seconds(*seconds)),
            Value::Float(seconds) => Some(Clock::of_fractional_seconds(*seconds)),
            value => self.read(value.as_bytes()?, now),
        }
    }

    /// So many seconds after 1970 began.
    pub(crate) fn of_seconds(seconds: i64) -> Timestamp {
        Timestamp::from_parts(seconds, 0)
    }

    /// So many seconds after 1970 began.
    pub(crate) fn of_fractional_seconds(seconds: f64) -> Timestamp {
        // `as` keeps to the ends of the range.
        Timestamp::from_nanos((seconds * 1e9) as i64)
    }

    fn at(&self, mut parts: BrokenDownTime, now: Timestamp) -> Option<Timestamp> {
        if let Some(at) = parts.timestamp() {
            return Some(at.into());
        }
        let year_is_missing = parts.year().is_none() && parts.iso_week_year().is_none();
        if !year_is_missing {
            return self.of_parts(&parts);
        }
        let this_year = now.to_jiff().to_zoned(self.zone.time_zone().clone()).year();
        let latest = now.seconds().saturating_add(AHEAD);
        (this_year - YEARS_BACK..=this_year + 1).rev().find_map(|year| {
            parts.set_year(Some(year)).ok()?;
            self.of_parts(&parts).filter(|at| at.seconds() <= latest)
        })
    }

    fn of_parts(&self, parts: &BrokenDownTime) -> Option<Timestamp> {
        if parts.offset().is_some() {
            return parts.to_timestamp().ok().map(Timestamp::from);
        }
        if parts.iana_time_zone().is_some() {
            return parts.to_zoned().ok().map(|at| at.timestamp().into());
        }
        match parts.to_datetime() {
            Ok(at) => self.in_zone(at),
            // A date alone is its midnight.
            Err(_) if parts.hour().is_none() => {
                self.in_zone(parts.to_date().ok()?.to_datetime(jiff::civil::Time::midnight()))
            }
            Err(_) => None,
        }
    }

    fn in_zone(&self, at: DateTime) -> Option<Timestamp> {
        self.zone.time_zone().to_timestamp(at).ok().map(Timestamp::from)
    }

    /// Writes a time in the format and reads it back, which finds every mistake there can be.
    fn check(&self, format: &Placed<String>) -> Result<()> {
        let help = "formats are those of strptime: \"%Y-%m-%d %H:%M:%S\", \"%b %d %H:%M:%S\"";
        let sample: Zoned = "2024-02-29T13:14:15.5+00:00[UTC]".parse().expect("this is a time");
        let written = strtime::format(&format.value, &sample).map_err(|error| {
            format.error(format!("`{}` is not a time format: {error}", format.value), help)
        })?;
        let parts = BrokenDownTime::parse(&format.value, &written).map_err(|error| {
            format.error(format!("nothing can be read with `{}`: {error}", format.value), help)
        })?;
        if self.at(parts, sample.timestamp().into()).is_none() {
            let message = format!("`{}` does not say a point in time", format.value);
            return Err(format
                .error(message, format!("it needs a day and a month; {help}"))
                .into());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn placed(text: &str) -> Placed<String> {
        Placed { value: text.to_owned(), span: Span::default() }
    }

    fn zone(name: &str) -> TimeZone {
        TimeZone::read(&Literal::bare(LiteralValue::Str(name.to_owned()))).unwrap()
    }

    fn clock(format: Option<&str>, name: &str) -> Result<Clock> {
        let options =
            ClockOptions { field: None, format: format.map(placed), zone: Some(zone(name)) };
        Clock::new(&options)
    }

    fn read(format: Option<&str>, zone: &str, text: &str, now: &str) -> Option<String> {
        let now = now.parse::<jiff::Timestamp>().unwrap().into();
        clock(format, zone).unwrap().read(text.as_bytes(), now).map(|t| t.to_string())
    }

    const NOW: &str = "2026-01-01T00:30:00Z";

    #[test]
    fn formats_zones_and_offsets() {
        for (format, zone, text, expected) in [
            (None, "UTC", "2016-09-28T04:30:30.5Z", "2016-09-28T04:30:30.5Z"),
            (None, "UTC", "2016-09-28T04:30:30+09:00", "2016-09-27T19:30:30Z"),
            (None, "Asia/Seoul", "2016-09-28 04:30:30", "2016-09-27T19:30:30Z"),
            (None, "+0900", "2016-09-28 04:30:30", "2016-09-27T19:30:30Z"),
            (Some("%Y-%m-%d"), "UTC", "2016-09-28", "2016-09-28T00:00:00Z"),
            (
                Some("%a %b %d %H:%M:%S %Y"),
                "-01:00",
                "Sun Dec 04 04:47:44 2005",
                "2005-12-04T05:47:44Z",
            ),
            (
                Some("%d/%b/%Y:%H:%M:%S %z"),
                "Asia/Seoul",
                "10/Oct/2000:13:55:36 -0700",
                "2000-10-10T20:55:36Z",
            ),
            (Some("%s"), "UTC", "1700000000", "2023-11-14T22:13:20Z"),
        ] {
            assert_eq!(read(format, zone, text, NOW).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn a_missing_year_is_the_nearest_in_the_past() {
        let syslog = Some("%b %d %H:%M:%S");
        for (text, expected) in [
            ("Dec 31 23:59:59", "2025-12-31T23:59:59Z"),
            ("Jan  1 00:29:59", "2026-01-01T00:29:59Z"),
            ("Jan  1 12:00:00", "2026-01-01T12:00:00Z"),
            ("Jan  3 00:00:00", "2025-01-03T00:00:00Z"),
            ("Feb 29 00:00:00", "2024-02-29T00:00:00Z"),
        ] {
            assert_eq!(read(syslog, "UTC", text, NOW).as_deref(), Some(expected), "{text}");
        }
        let eve = "2025-12-31T23:59:50Z";
        let read = read(syslog, "UTC", "Jan  1 00:00:05", eve);
        assert_eq!(read.as_deref(), Some("2026-01-01T00:00:05Z"));
    }

    #[test]
    fn what_is_no_time_is_not_read() {
        for text in ["", "yesterday", "2016-13-01T00:00:00Z", "Feb 30 00:00:00"] {
            assert_eq!(read(None, "UTC", text, NOW), None, "{text}");
            assert_eq!(read(Some("%b %d %H:%M:%S"), "UTC", text, NOW), None, "{text}");
        }
        let clock = clock(None, "UTC").unwrap();
        assert_eq!(clock.read(b"\xff", Timestamp::default()), None);
    }

    #[test]
    fn mistakes_in_the_format_are_found_early() {
        for (format, zone, message) in [
            (Some("%Y-%m-%d %~"), "UTC", "is not a time format"),
            (Some("%Y-%m-%d %Z"), "UTC", "nothing can be read with"),
            (Some("%H:%M:%S"), "UTC", "does not say a point in time"),
        ] {
            let error = clock(format, zone).map(|_| ()).unwrap_err().to_string();
            assert!(error.contains(message), "{error}");
        }
    }

    /// What stands for a directive, and what nearly does.
    fn part(directive: &str) -> BoxedStrategy<String> {
        let pattern = match directive {
            "%Y" => "19[0-9]{2}|20[0-9]{2}|[0-9]{1,5}|-[0-9]{4}",
            "%m" => "0[1-9]|1[0-3]|[0-9]",
            "%b" => "Jan|Feb|MAR|apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec|Foo",
            "%d" | "%e" => "0[0-9]|[12][0-9]|3[0-2]| ?[0-9]",
            "%a" => "Mon|Tue|wed|Thu|Fri|Sat|Sun",
            "%H" => "[01][0-9]|2[0-4]|[0-9]",
            "%M" | "%S" => "[0-5][0-9]|60|61|[0-9]",
            "%f" => "[0-9]{1,10}",
            "%.f" => "([.][0-9]{0,10})?",
            "%z" => "[+-]([01][0-9]|2[0-6])[0-6][0-9]([0-5][0-9])?|Z|[+-][0-9]{2}:?[0-9]{0,2}",
            "%:z" => "[+-]([01][0-9]|2[0-6]):[0-6][0-9](:[0-5][0-9])?|Z|z|-00:00",
            literal => return Just(literal.to_owned()).boxed(),
        };
        proptest::string::string_regex(pattern).unwrap().boxed()
    }

    /// A format of these parts and a text for it, nearly always a right one.
    fn written(parts: &[&str]) -> BoxedStrategy<(String, String)> {
        let texts: Vec<_> = parts.iter().map(|directive| part(directive)).collect();
        let format = parts.concat();
        texts.prop_map(move |texts| (format.clone(), texts.concat())).boxed()
    }

    fn formats() -> impl Strategy<Value = (String, String)> {
        prop_oneof![
            written(&["%d", "/", "%b", "/", "%Y", ":", "%H", ":", "%M", ":", "%S", " ", "%z"]),
            written(&["%b", " ", "%d", " ", "%H", ":", "%M", ":", "%S"]),
            written(&["%b", " ", "%e", " ", "%H", ":", "%M", ":", "%S", " ", "%z"]),
            written(&["%a", " ", "%b", " ", "%d", " ", "%H", ":", "%M", ":", "%S", " ", "%Y"]),
            written(&["%Y", "-", "%m", "-", "%d", "T", "%H", ":", "%M", ":", "%S", "%.f", "%:z"]),
            written(&["%Y", "-", "%m", "-", "%d", " ", "%H", ":", "%M", ":", "%S", ",", "%f"]),
            written(&["%Y", "%m", "%d", "%H", "%M", "%S"]),
            written(&["%a", " ", "%b", " ", "%d", " ", "%H", ":", "%M", ":", "%S"]),
        ]
    }

    const ZONES: [&str; 5] = ["UTC", "+09:00", "Asia/Seoul", "America/New_York", "Europe/Berlin"];

    /// The way that is fast and the one that is not must say the same.
    fn agree(format: Option<&str>, zone: &str, text: &str, now: i64) {
        let (clock, now) = (clock(format, zone).unwrap(), Timestamp::from_nanos(now));
        let text = text.as_bytes().trim_ascii();
        let (fast, any) = (clock.read_fast(text, now), clock.read_any(text, now));
        if fast.is_some() {
            assert_eq!(fast, any, "{format:?} {zone} {}", text.escape_ascii());
        }
        assert_eq!(clock.read(text, now), any);
        assert_eq!(clock.read(text, now), any, "what is remembered is what was read");
    }

    #[test]
    fn what_logs_have_is_read_without_a_detour() {
        for (format, text) in [
            (None, "2016-09-28T04:30:30.5Z"),
            (None, "2016-09-28 04:30:30"),
            (None, "2016-09-28T04:30:30.123456+09:00"),
            (Some("%d/%b/%Y:%H:%M:%S %z"), "10/Oct/2000:13:55:36 -0700"),
            (Some("%b %d %H:%M:%S"), "Jan  1 00:00:05"),
            (Some("%a %b %e %T %Y"), "Sun Dec 04 04:47:44 2005"),
            (Some("%F %T,%f"), "2016-09-28 04:30:30,123"),
        ] {
            let now = NOW.parse::<jiff::Timestamp>().unwrap().into();
            for zone in ZONES {
                let clock = clock(format, zone).unwrap();
                assert!(clock.read_fast(text.as_bytes(), now).is_some(), "{format:?} {text}");
            }
        }
    }

    #[test]
    fn what_was_read_last_counts_for_the_same_text_alone() {
        let clock = clock(Some("%b %d %H:%M:%S"), "UTC").unwrap();
        let read = |text: &str, now: &str| {
            let now = now.parse::<jiff::Timestamp>().unwrap().into();
            clock.read(text.as_bytes(), now).map(|at| at.to_string())
        };
        let first = "Jan  1 00:00:05";
        assert_eq!(read(first, NOW).as_deref(), Some("2026-01-01T00:00:05Z"));
        assert_eq!(read(first, "2025-06-01T00:00:00Z").as_deref(), Some("2025-01-01T00:00:05Z"));
        assert_eq!(read("Jan  1 00:00:06", NOW).as_deref(), Some("2026-01-01T00:00:06Z"));
        assert_eq!(read("Jan  1 00:00:66", NOW), None);
        assert_eq!(read("Jan  1 00:00:66", NOW), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(3000))]

        #[test]
        fn times_are_read_as_jiff_reads_them(
            (format, text) in formats(),
            zone in proptest::sample::select(&ZONES[..]),
            now in prop_oneof![any::<i64>(), 0..4_000_000_000_000_000_000i64],
        ) {
            agree(Some(&format), zone, &text, now);
        }

        #[test]
        fn rfc_3339_is_read_as_jiff_reads_it(
            text in "(19|20|[0-9]{2})[0-9]{2}-(0[1-9]|1[0-3])-([0-2][0-9]|3[0-2])[T t]([01][0-9]|2[0-4]):[0-6][0-9]:[0-6][0-9]([.,][0-9]{0,10})?(Z|z|[+-]([01][0-9]|2[0-6]):?[0-6][0-9](:[0-5][0-9])?)?",
            zone in proptest::sample::select(&ZONES[..]),
        ) {
            agree(None, zone, &text, 0);
        }
    }

    proptest! {
        #[test]
        fn any_format_and_any_text_are_read_or_refused(
            format in "(%[-_0^:.]?[0-9]?[a-zA-Z%]|[ :/-]|[a-z]){0,8}",
            name in "(UTC|Asia/Seoul|[+-][01][0-9]{3}|local)",
            text in r"([0-9]{1,4}|[ :/+.-]|Jan|Mon|PM){0,12}",
            now: i64,
        ) {
            let options = ClockOptions {
                field: None,
                format: Some(placed(&format)),
                zone: TimeZone::read(&Literal::bare(LiteralValue::Str(name))).ok(),
            };
            if let Ok(clock) = Clock::new(&options) {
                let _ = clock.read(text.as_bytes(), Timestamp::from_nanos(now));
            }
        }
    }
}
