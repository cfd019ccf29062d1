//! Time zones: `UTC`, `Asia/Seoul`, `+09:00`, `local`.

use jiff::fmt::strtime::BrokenDownTime;
use jiff::tz::TimeZone;

use super::scalar::read_text;
use super::{Literal, OptionError, OptionErrors, OptionValue, TextKind, TypeSpec};

/// Written as the IANA database names it, `UTC` or `Asia/Seoul`; as an offset, `+09:00` or `-0330`;
/// or `local` for the system's.
impl OptionValue for TimeZone {
    fn type_spec() -> TypeSpec {
        TypeSpec::Text(TextKind::Plain)
    }

    fn read(literal: &Literal) -> Result<Self, OptionErrors> {
        let name = read_text(literal, TextKind::Plain)?;
        zone(name).ok_or_else(|| {
            OptionError::new(literal.span, format!("unknown time zone `{name}`"))
                .with_help("a zone is written \"UTC\", \"Asia/Seoul\", \"+09:00\" or \"local\"")
                .into()
        })
    }
}

fn zone(name: &str) -> Option<TimeZone> {
    if name.eq_ignore_ascii_case("local") {
        return Some(TimeZone::system());
    }
    if let Ok(zone) = TimeZone::get(name) {
        return Some(zone);
    }
    let offset = BrokenDownTime::parse("%:z", name).or_else(|_| BrokenDownTime::parse("%z", name));
    offset.ok()?.offset().map(TimeZone::fixed)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::testing::{error, int, read, text};
    use super::*;

    #[test]
    fn names_offsets_and_the_systems() {
        let seconds = |name: &str| {
            let zone: TimeZone = read(text(name)).unwrap();
            zone.to_offset(jiff::Timestamp::UNIX_EPOCH).seconds()
        };
        assert_eq!(seconds("UTC"), 0);
        assert_eq!(seconds("Asia/Seoul"), 9 * 3600);
        assert_eq!(seconds("+09:00"), 9 * 3600);
        assert_eq!(seconds("-0330"), -(3 * 3600 + 1800));
        assert_eq!(read::<TimeZone>(text("Local")).unwrap(), TimeZone::system());
    }

    #[test]
    fn what_is_no_zone() {
        for wrong in ["", "Seoul", "Mars/Base", "+99:00", "09:00"] {
            let error = error::<TimeZone>(text(wrong));
            assert_eq!(error.message, format!("unknown time zone `{wrong}`"));
            assert!(error.help.unwrap().contains("Asia/Seoul"));
        }
        error::<TimeZone>(int(9));
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(name in "([+-][0-9:]{0,8}|.{0,12})") {
            let _ = zone(&name);
        }
    }
}
