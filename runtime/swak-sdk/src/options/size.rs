//! Sizes in bytes: `64k`, `8m`, `1g`.

use std::fmt;

use super::quantity::{take_decimal, take_unit};
use super::{Literal, LiteralValue, OptionError, OptionErrors, OptionValue, TextKind, TypeSpec};

const HELP: &str = "a size is written 512, 64k, 8m, 1g or 1t; a bare number is bytes, k is 1024";

/// A size in bytes.
///
/// Written `64k`, `8m`, `1g`, `1t`, also with `b` or `ib` after the letter, in either case; every
/// unit is a power of 1024. A bare number is bytes. `Display` writes the shortest exact form with
/// a whole number: `8m`, `1536`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ByteSize(pub u64);

impl ByteSize {
    /// The size in bytes.
    pub fn bytes(self) -> u64 {
        self.0
    }

    /// The size as a length in memory; the largest length if it is beyond it.
    pub fn as_usize(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fits = |&(_, unit): &(&str, u64)| self.0 >= unit && self.0.is_multiple_of(unit);
        match UNITS.iter().rev().find(|unit| fits(unit)) {
            Some((letter, unit)) => write!(f, "{}{letter}", self.0 / unit),
            None => write!(f, "{}", self.0),
        }
    }
}

impl OptionValue for ByteSize {
    fn type_spec() -> TypeSpec {
        TypeSpec::Text(TextKind::Size)
    }

    fn read(literal: &Literal) -> Result<Self, OptionErrors> {
        let parsed = match &literal.value {
            LiteralValue::Str(text) => parse_size(text),
            LiteralValue::Int(n) => u64::try_from(*n).map_err(|_| SizeError::NotOne),
            _ => Err(SizeError::NotOne),
        };
        parsed.map(ByteSize).map_err(|error| {
            match error {
                SizeError::NotOne => {
                    OptionError::expected(&Self::type_spec(), literal).with_help(HELP)
                }
                SizeError::TooLarge => OptionError::new(literal.span, "this size is too large"),
                SizeError::PartOfByte => {
                    OptionError::new(literal.span, "this size is not a whole number of bytes")
                }
            }
            .into()
        })
    }
}

const UNITS: [(&str, u64); 4] = [("k", 1 << 10), ("m", 1 << 20), ("g", 1 << 30), ("t", 1 << 40)];

/// Why a text is not a size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SizeError {
    NotOne,
    TooLarge,
    PartOfByte,
}

fn parse_size(text: &str) -> Result<u64, SizeError> {
    let (number, rest) = take_decimal(text.trim()).ok_or(SizeError::NotOne)?;
    let (unit, rest) = take_unit(rest);
    if !rest.is_empty() {
        return Err(SizeError::NotOne);
    }
    let factor = match unit.as_str() {
        "" | "b" => 1,
        unit => {
            let letter = unit.strip_suffix("ib").or(unit.strip_suffix('b')).unwrap_or(unit);
            let (_, factor) =
                UNITS.iter().find(|(known, _)| *known == letter).ok_or(SizeError::NotOne)?;
            *factor
        }
    };
    let (bytes, exact) = number.times(factor).ok_or(SizeError::TooLarge)?;
    if !exact {
        return Err(SizeError::PartOfByte);
    }
    u64::try_from(bytes).map_err(|_| SizeError::TooLarge)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::testing::{error, int, read, text};
    use super::*;

    #[test]
    fn every_spelling() {
        for (written, bytes) in [
            ("0", 0),
            ("512", 512),
            ("512b", 512),
            ("64k", 65_536),
            ("64K", 65_536),
            ("64kb", 65_536),
            ("64KiB", 65_536),
            ("1.5k", 1_536),
            ("8m", 8 << 20),
            ("1g", 1 << 30),
            ("2T", 2 << 40),
        ] {
            assert_eq!(read::<ByteSize>(text(written)).unwrap(), ByteSize(bytes), "{written}");
        }
        assert_eq!(read::<ByteSize>(int(100)).unwrap().as_usize(), 100);
    }

    #[test]
    fn what_is_not_a_size() {
        for wrong in ["", "k", "5x", "5ki", "5 k", "-1k", "1k5", "1k1k", "5bb", "5ib"] {
            let e = error::<ByteSize>(text(wrong));
            assert_eq!(e.message, format!("expected a size, found `{wrong}`"));
            assert!(e.help.unwrap().contains("64k"));
        }
        assert_eq!(error::<ByteSize>(int(-1)).message, "expected a size, found `-1`");
        assert_eq!(error::<ByteSize>(text("99999999999t")).message, "this size is too large");
        assert_eq!(
            error::<ByteSize>(text("0.3k")).message,
            "this size is not a whole number of bytes"
        );
    }

    #[test]
    fn shown_as_short_as_is_exact() {
        for (bytes, shown) in [(0, "0"), (1536, "1536"), (65_536, "64k"), (1 << 30, "1g")] {
            assert_eq!(ByteSize(bytes).to_string(), shown);
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_reads_back(bytes in any::<u64>(), shift in 0u32..64) {
            let size = ByteSize(bytes >> shift << (shift / 2));
            prop_assert_eq!(read::<ByteSize>(text(&size.to_string())).unwrap(), size);
        }
    }
}
