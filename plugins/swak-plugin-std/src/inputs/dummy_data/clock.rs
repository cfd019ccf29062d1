//! The time in made-up logs: it begins in the same moment always, so that the same seed gives the
//! same text.

/// 2026-01-01T00:00:00Z, in milliseconds since 1970.
const BEGINNING: u64 = 1_767_225_600_000;

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// A clock that is moved by hand. The date is only worked out when the day changes.
#[derive(Clone, Debug)]
pub(super) struct Clock {
    millis: u64,
    day: u64,
    year: i64,
    month: u8,
    day_of_month: u8,
}

impl Clock {
    pub(super) fn new() -> Self {
        let day = BEGINNING / DAY;
        let (year, month, day_of_month) = date(day);
        Clock { millis: BEGINNING, day, year, month, day_of_month }
    }

    /// Moves it on.
    pub(super) fn advance(&mut self, millis: u64) {
        self.millis += millis;
        let day = self.millis / DAY;
        if day != self.day {
            self.day = day;
            (self.year, self.month, self.day_of_month) = date(day);
        }
    }

    /// `2026-01-01T00:00:00.000Z`
    pub(super) fn rfc3339(&self, out: &mut Vec<u8>) {
        self.date(out);
        out.push(b'T');
        self.time(out);
        out.push(b'.');
        let millis = self.millis % 1000;
        out.push(b'0' + (millis / 100) as u8);
        two(out, millis % 100);
        out.push(b'Z');
    }

    /// `2026-01-01`
    pub(super) fn date(&self, out: &mut Vec<u8>) {
        number(out, self.year);
        out.push(b'-');
        two(out, self.month.into());
        out.push(b'-');
        two(out, self.day_of_month.into());
    }

    /// `01/Jan/2026:00:00:00 +0000`
    pub(super) fn common_log(&self, out: &mut Vec<u8>) {
        two(out, self.day_of_month.into());
        out.push(b'/');
        out.extend_from_slice(self.month_name().as_bytes());
        out.push(b'/');
        number(out, self.year);
        out.push(b':');
        self.time(out);
        out.extend_from_slice(b" +0000");
    }

    /// `Jan  1 00:00:00`
    pub(super) fn bsd_syslog(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.month_name().as_bytes());
        out.push(b' ');
        if self.day_of_month < 10 {
            out.extend_from_slice(&[b' ', b'0' + self.day_of_month]);
        } else {
            two(out, self.day_of_month.into());
        }
        out.push(b' ');
        self.time(out);
    }

    fn month_name(&self) -> &'static str {
        MONTHS[usize::from(self.month) - 1]
    }

    fn time(&self, out: &mut Vec<u8>) {
        let seconds = self.millis / 1000 % 86_400;
        two(out, seconds / 3600);
        out.push(b':');
        two(out, seconds / 60 % 60);
        out.push(b':');
        two(out, seconds % 60);
    }
}

/// Appends a whole number.
pub(super) fn number(out: &mut Vec<u8>, n: impl itoa::Integer) {
    out.extend_from_slice(itoa::Buffer::new().format(n).as_bytes());
}

const DAY: u64 = 86_400_000;

fn two(out: &mut Vec<u8>, n: u64) {
    out.extend_from_slice(&[b'0' + (n / 10) as u8, b'0' + (n % 10) as u8]);
}

/// Year, month and day of a day since 1970. Years are counted from March, so that the leap day is
/// the last of a year.
fn date(day: u64) -> (i64, u8, u8) {
    let shifted = day + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = (year_of_era + era * 400) as i64 + i64::from(month <= 2);
    (year, month as u8, (day_of_year - (153 * from_march + 2) / 5 + 1) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn every_format() {
        let mut clock = Clock::new();
        assert_eq!(text(|o| clock.rfc3339(o)), "2026-01-01T00:00:00.000Z");
        assert_eq!(text(|o| clock.bsd_syslog(o)), "Jan  1 00:00:00");
        clock.advance(45 * DAY + 3_723_042);
        assert_eq!(text(|o| clock.rfc3339(o)), "2026-02-15T01:02:03.042Z");
        assert_eq!(text(|o| clock.bsd_syslog(o)), "Feb 15 01:02:03");
        assert_eq!(text(|o| clock.common_log(o)), "15/Feb/2026:01:02:03 +0000");
    }

    #[test]
    fn dates_are_those_of_the_calendar() {
        for day in 0..60_000 {
            let expected = jiff::Timestamp::from_second((day * 86_400) as i64)
                .unwrap()
                .to_zoned(jiff::tz::TimeZone::UTC)
                .date();
            let (year, month, day_of_month) = date(day);
            assert_eq!(
                (year, i64::from(month), i64::from(day_of_month)),
                (expected.year().into(), expected.month().into(), expected.day().into())
            );
        }
    }
}
