//! A zip archive, its files compressed with Deflate.

use std::io::{Cursor, Write as _};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use super::Entry;
use crate::release::Moment;

/// The entries in one folder.
pub(super) fn zip(folder: &str, entries: &[Entry], moment: Moment) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(time(moment));
    for entry in entries {
        let options = options.unix_permissions(u32::from(entry.mode));
        writer
            .start_file(format!("{folder}/{}", entry.path), options)
            .and_then(|()| writer.write_all(&entry.bytes).map_err(Into::into))
            .expect("writing to memory does not fail");
    }
    writer.finish().expect("writing to memory does not fail").into_inner()
}

/// A time of zip's: from 1980 to 2107, in steps of two seconds, without a zone; here it is UTC.
fn time(moment: Moment) -> DateTime {
    let seconds = moment.seconds();
    let (year, month, day) = date(seconds / 86_400);
    let clock = seconds % 86_400;
    let part = |value: u32| u8::try_from(value).expect("a part of a time is below 60");
    let (hour, minute, second) = (part(clock / 3_600), part(clock / 60 % 60), part(clock % 60));
    DateTime::from_date_and_time(year, month, day, hour, minute, second).unwrap_or_default()
}

/// Year, month and day of the nth day after 1 January 1970, by the Gregorian calendar.
fn date(days: u32) -> (u16, u8, u8) {
    let is_leap = |year: u16| {
        year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
    };
    let mut rest = days;
    let mut year = 1970;
    let length = |year| if is_leap(year) { 366 } else { 365 };
    while rest >= length(year) {
        rest -= length(year);
        year += 1;
    }
    let february = if is_leap(year) { 29 } else { 28 };
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if rest < length {
            break;
        }
        rest -= length;
        month += 1;
    }
    (year, month, u8::try_from(rest + 1).expect("a month has at most 31 days"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_has_its_date() {
        assert_eq!(date(0), (1970, 1, 1));
        assert_eq!(date(Moment::FIXED.seconds() / 86_400), (2000, 1, 1));
        // `date -u -d 2024-02-29 +%s`, in days; and the day after.
        assert_eq!(date(19_782), (2024, 2, 29));
        assert_eq!(date(19_783), (2024, 3, 1));
        assert_eq!(date(u32::MAX / 86_400), (2106, 2, 7));
    }
}
