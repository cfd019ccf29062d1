//! Durations: `10s`, `5m`, `3h`, `2d`.

use std::time::Duration;

use super::quantity::{take_decimal, take_unit};
use super::{Literal, LiteralValue, OptionError, OptionErrors, OptionValue, TextKind, TypeSpec};

/// The longest duration, a hundred years: beyond it clocks overflow.
const LONGEST: Duration = Duration::from_secs(36_500 * 86_400);

const HELP: &str =
    "a duration is written 500ms, 10s, 5m, 3h, 2d, 1w or 1h30m; a bare number is seconds";

/// Written `500ms`, `10s`, `5m`, `3h`, `2d`, `1w`, `1.5h` or `1h30m`, in either letter case: `5M`
/// is five minutes. A bare number is seconds. At most a hundred years.
impl OptionValue for Duration {
    fn type_spec() -> TypeSpec {
        TypeSpec::Text(TextKind::Duration)
    }

    fn read(literal: &Literal) -> Result<Self, OptionErrors> {
        let parsed = match &literal.value {
            LiteralValue::Str(text) => parse_duration(text),
            LiteralValue::Int(n) => u64::try_from(*n)
                .map_err(|_| DurationError::NotOne)
                .map(Duration::from_secs)
                .and_then(check_length),
            LiteralValue::Float(n) if *n > LONGEST.as_secs_f64() => Err(DurationError::TooLong),
            LiteralValue::Float(n) => {
                Duration::try_from_secs_f64(*n).map_err(|_| DurationError::NotOne)
            }
            _ => Err(DurationError::NotOne),
        };
        parsed.map_err(|error| {
            match error {
                DurationError::NotOne => {
                    OptionError::expected(&Self::type_spec(), literal).with_help(HELP)
                }
                DurationError::TooLong => {
                    OptionError::new(literal.span, "this duration is longer than 36500d")
                }
            }
            .into()
        })
    }
}

/// A duration as a recipe writes it, in the largest units: `1h30m`, `2.5s`, `20ms`.
pub(crate) fn duration_text(duration: Duration) -> String {
    const UNITS: [(&str, u128); 3] = [("d", 86_400), ("h", 3_600), ("m", 60)];
    const SECOND: u128 = 1_000_000_000;
    let (mut left, mut text) = (duration.as_nanos(), String::new());
    for (unit, seconds) in UNITS {
        let nanos = seconds * SECOND;
        if left >= nanos {
            text += &format!("{}{unit}", left / nanos);
            left %= nanos;
        }
    }
    match (left / SECOND, left % SECOND) {
        (0, 0) if !text.is_empty() => {}
        (0, nanos) if nanos > 0 && nanos % 1_000_000 == 0 => {
            text += &format!("{}ms", nanos / 1_000_000);
        }
        (seconds, 0) => text += &format!("{seconds}s"),
        (seconds, nanos) => {
            text += format!("{seconds}.{nanos:09}").trim_end_matches('0');
            text.push('s');
        }
    }
    text
}

/// Why a text is not a duration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum DurationError {
    NotOne,
    TooLong,
}

fn parse_duration(text: &str) -> Result<Duration, DurationError> {
    let text = text.trim();
    let mut rest = text;
    let mut nanos: u128 = 0;
    loop {
        let (number, after) = take_decimal(rest).ok_or(DurationError::NotOne)?;
        let (unit, after) = take_unit(after);
        // Only the whole text may be a bare number: in `1h30` the unit was forgotten.
        let unit = match unit.as_str() {
            "" if rest.len() == text.len() && after.is_empty() => 1_000_000_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" => 60 * 1_000_000_000,
            "h" => 3_600 * 1_000_000_000,
            "d" => 86_400 * 1_000_000_000,
            "w" => 7 * 86_400 * 1_000_000_000,
            _ => return Err(DurationError::NotOne),
        };
        let (part, _) = number.times(unit).ok_or(DurationError::TooLong)?;
        nanos = nanos.checked_add(part).ok_or(DurationError::TooLong)?;
        if nanos > LONGEST.as_nanos() {
            return Err(DurationError::TooLong);
        }
        rest = after;
        if rest.is_empty() {
            return Ok(Duration::from_nanos_u128(nanos));
        }
    }
}

fn check_length(duration: Duration) -> Result<Duration, DurationError> {
    if duration > LONGEST { Err(DurationError::TooLong) } else { Ok(duration) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::testing::{error, int, list, read, text};
    use super::*;

    #[test]
    fn every_spelling() {
        for (written, millis) in [
            ("10s", 10_000),
            ("5m", 300_000),
            ("5M", 300_000),
            ("3H", 3 * 3_600_000),
            ("2d", 2 * 86_400_000),
            ("1w", 7 * 86_400_000),
            ("250ms", 250),
            ("250MS", 250),
            ("1.5h", 5_400_000),
            ("0.001s", 1),
            ("1h30m", 5_400_000),
            ("1m1.5s", 61_500),
            ("30", 30_000),
            ("0", 0),
            (" 2s ", 2_000),
        ] {
            let duration: Duration = read(text(written)).unwrap();
            assert_eq!(duration, Duration::from_millis(millis), "{written}");
        }
        assert_eq!(read::<Duration>(int(3)).unwrap(), Duration::from_secs(3));
        assert_eq!(
            read::<Duration>(LiteralValue::Float(0.25)).unwrap(),
            Duration::from_millis(250)
        );
    }

    #[test]
    fn what_is_not_a_duration() {
        for wrong in
            ["", "5x", "s", "m5", "5 m", "-5s", "1h30", "1..5s", "1.s", ".5s", "5s5", "５s", "5sm"]
        {
            let e = error::<Duration>(text(wrong));
            assert_eq!(e.message, format!("expected a duration, found `{wrong}`"));
            assert!(e.help.unwrap().contains("3h"));
        }
        assert_eq!(error::<Duration>(int(-5)).message, "expected a duration, found `-5`");
        assert_eq!(
            error::<Duration>(LiteralValue::Float(-0.5)).message,
            "expected a duration, found `-0.5`"
        );
        assert_eq!(error::<Duration>(list([])).message, "expected a duration, found a list");
    }

    #[test]
    fn too_long_is_an_error() {
        for wrong in [text("36501d"), text("999999999999999999w"), int(i64::MAX), text("36500d1ms")]
        {
            let e = error::<Duration>(wrong);
            assert_eq!(e.message, "this duration is longer than 36500d");
        }
        assert!(error::<Duration>(LiteralValue::Float(1e300)).message.contains("longer"));
        assert_eq!(read::<Duration>(text("36500d")).unwrap(), LONGEST);
    }

    #[test]
    fn durations_are_written_in_the_largest_units() {
        for (nanos, written) in [
            (0, "0s"),
            (1, "0.000000001s"),
            (20_000_000, "20ms"),
            (20_500_000, "0.0205s"),
            (2_500_000_000, "2.5s"),
            (60_000_000_000, "1m"),
            (60_020_000_000, "1m20ms"),
            (600_000_000_000, "10m"),
            (5_400_000_000_000, "1h30m"),
            (86_461_000_000_000, "1d1m1s"),
        ] {
            assert_eq!(duration_text(Duration::from_nanos(nanos)), written);
        }
        assert_eq!(duration_text(LONGEST), "36500d");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_as_it_was(seconds in 0..LONGEST.as_secs(), nanos in 0u32..1_000_000_000) {
            let duration = Duration::new(seconds, nanos);
            prop_assert_eq!(read::<Duration>(text(&duration_text(duration))).unwrap(), duration);
        }

        #[test]
        fn any_text_is_read_or_refused(written in "[0-9.a-zA-Z ]{0,30}") {
            let _ = read::<Duration>(text(&written));
        }

        #[test]
        fn parts_add_up(h in 0u64..1000, m in 0u64..1000, s in 0u64..1000) {
            let duration = read::<Duration>(text(&format!("{h}h{m}m{s}s"))).unwrap();
            prop_assert_eq!(duration, Duration::from_secs(h * 3600 + m * 60 + s));
        }
    }
}
