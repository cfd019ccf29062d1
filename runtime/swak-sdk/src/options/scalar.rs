//! Options that are plain values: bools, numbers, text, characters, paths.

use std::path::PathBuf;

use super::{
    Literal, LiteralValue, OptionError, OptionErrors, OptionValue, Ranged, TextKind, TypeSpec,
};

impl OptionValue for bool {
    fn type_spec() -> TypeSpec {
        TypeSpec::Bool
    }

    fn read(literal: &Literal) -> Result<Self, OptionErrors> {
        if let LiteralValue::Bool(b) = literal.value {
            return Ok(b);
        }
        let error = OptionError::expected(&Self::type_spec(), literal);
        Err(match &literal.value {
            LiteralValue::Str(s) if ["true", "yes", "on", "1"].contains(&&*s.to_lowercase()) => {
                error.with_help("write True, without quotes")
            }
            LiteralValue::Str(s) if ["false", "no", "off", "0"].contains(&&*s.to_lowercase()) => {
                error.with_help("write False, without quotes")
            }
            LiteralValue::Int(1) => error.with_help("write True"),
            LiteralValue::Int(0) => error.with_help("write False"),
            _ => error,
        }
        .into())
    }
}

macro_rules! whole_numbers {
    ($($int:ty),*) => {$(
        impl OptionValue for $int {
            fn type_spec() -> TypeSpec {
                // A recipe's numbers are i64: what a type holds beyond them cannot be written.
                TypeSpec::Int {
                    min: i64::try_from(<$int>::MIN).unwrap_or(i64::MIN),
                    max: i64::try_from(<$int>::MAX).unwrap_or(i64::MAX),
                }
            }

            fn read(literal: &Literal) -> Result<Self, OptionErrors> {
                if let LiteralValue::Int(n) = literal.value
                    && let Ok(n) = <$int>::try_from(n)
                {
                    return Ok(n);
                }
                let error = OptionError::expected(&Self::type_spec(), literal);
                Err(unquoted_help::<$int>(error, literal).into())
            }
        }

        impl Ranged for $int {}
    )*};
}

whole_numbers!(i8, i16, i32, i64, isize, u8, u16, u32, u64, usize);

impl OptionValue for f64 {
    fn type_spec() -> TypeSpec {
        TypeSpec::Float { min: f64::NEG_INFINITY, max: f64::INFINITY }
    }

    fn read(literal: &Literal) -> Result<Self, OptionErrors> {
        match literal.value {
            LiteralValue::Float(n) => Ok(n),
            LiteralValue::Int(n) => Ok(n as f64),
            _ => {
                let error = OptionError::expected(&Self::type_spec(), literal);
                Err(unquoted_help::<f64>(error, literal).into())
            }
        }
    }
}

impl Ranged for f64 {}

impl OptionValue for String {
    fn type_spec() -> TypeSpec {
        TypeSpec::Text(TextKind::Plain)
    }

    fn read(literal: &Literal) -> Result<Self, OptionErrors> {
        read_text(literal, TextKind::Plain).map(str::to_owned)
    }
}

impl OptionValue for char {
    fn type_spec() -> TypeSpec {
        TypeSpec::Text(TextKind::Char)
    }

    fn read(literal: &Literal) -> Result<Self, OptionErrors> {
        let mut chars = read_text(literal, TextKind::Char)?.chars();
        match (chars.next(), chars.next()) {
            (Some(c), None) => Ok(c),
            _ => Err(OptionError::expected(&Self::type_spec(), literal).into()),
        }
    }
}

impl OptionValue for PathBuf {
    fn type_spec() -> TypeSpec {
        TypeSpec::Text(TextKind::Path)
    }

    fn read(literal: &Literal) -> Result<Self, OptionErrors> {
        let text = read_text(literal, TextKind::Path)?;
        if text.is_empty() {
            return Err(
                OptionError::new(literal.span, "expected a path, found an empty string").into()
            );
        }
        if text.contains('\0') {
            return Err(
                OptionError::new(literal.span, "a path cannot hold a zero character").into()
            );
        }
        if let Some(control) = text.chars().find(|c| c.is_control()) {
            let message = format!("this path holds the control character {control:?}");
            return Err(OptionError::new(literal.span, message).with_help(BACKSLASH_HELP).into());
        }
        Ok(PathBuf::from(text))
    }
}

/// Anything, as it is written.
impl OptionValue for Literal {
    fn type_spec() -> TypeSpec {
        TypeSpec::Any
    }

    fn read(literal: &Literal) -> Result<Self, OptionErrors> {
        Ok(literal.clone())
    }
}

/// `"C:\new"` holds a line break, as in Python; no path that somebody meant does.
pub(super) const BACKSLASH_HELP: &str =
    "a backslash in quotes begins an escape: write r\"C:\\logs\\new.log\" or use /";

/// The text of a string literal; anything else is an error that names what was wanted.
pub(super) fn read_text(literal: &Literal, kind: TextKind) -> Result<&str, OptionErrors> {
    match &literal.value {
        LiteralValue::Str(text) => Ok(text),
        other => {
            let error = OptionError::expected(&TypeSpec::Text(kind), literal);
            Err(match other {
                LiteralValue::Int(_) | LiteralValue::Float(_) if kind == TextKind::Plain => {
                    error.with_help(format!("write it in quotes: \"{literal}\""))
                }
                _ => error,
            }
            .into())
        }
    }
}

/// `"5"` for `5` is the commonest mistake of those who know other config languages.
fn unquoted_help<T: std::str::FromStr>(error: OptionError, literal: &Literal) -> OptionError {
    match &literal.value {
        LiteralValue::Str(text) if text.trim().parse::<T>().is_ok() => {
            error.with_help(format!("write it without quotes: {}", text.trim()))
        }
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{error, int, read, text};
    use super::*;

    #[test]
    fn bools() {
        assert!(read::<bool>(LiteralValue::Bool(true)).unwrap());
        let e = error::<bool>(text("yes"));
        assert_eq!(e.message, "expected True or False, found `yes`");
        assert_eq!(e.help.as_deref(), Some("write True, without quotes"));
        assert_eq!(error::<bool>(int(0)).help.as_deref(), Some("write False"));
        assert_eq!(error::<bool>(int(7)).help, None);
    }

    #[test]
    fn whole_numbers_keep_their_bounds() {
        assert_eq!(read::<u8>(int(255)).unwrap(), 255);
        assert_eq!(
            error::<u8>(int(256)).message,
            "expected a whole number from 0 to 255, found `256`"
        );
        assert_eq!(
            error::<u64>(int(-1)).message,
            "expected a whole number of at least 0, found `-1`"
        );
        assert_eq!(read::<i64>(int(i64::MIN)).unwrap(), i64::MIN);
        assert_eq!(read::<usize>(int(i64::MAX)).unwrap(), i64::MAX as usize);
        let e = error::<u16>(text("80"));
        assert_eq!(e.help.as_deref(), Some("write it without quotes: 80"));
        assert_eq!(
            error::<i64>(LiteralValue::Float(1.5)).message,
            "expected a whole number, found `1.5`"
        );
    }

    #[test]
    fn floats_take_whole_numbers() {
        assert_eq!(read::<f64>(int(3)).unwrap(), 3.0);
        assert_eq!(read::<f64>(LiteralValue::Float(0.5)).unwrap(), 0.5);
        assert_eq!(error::<f64>(text("x")).message, "expected a number, found `x`");
    }

    #[test]
    fn text_characters_and_paths() {
        assert_eq!(read::<String>(text("")).unwrap(), "");
        let e = error::<String>(int(5));
        assert_eq!(e.message, "expected a string, found `5`");
        assert_eq!(e.help.as_deref(), Some("write it in quotes: \"5\""));
        assert_eq!(read::<char>(text("한")).unwrap(), '한');
        assert_eq!(error::<char>(text("ab")).message, "expected a single character, found `ab`");
        assert_eq!(error::<char>(text("")).message, "expected a single character, found ``");
        assert_eq!(read::<PathBuf>(text("/tmp/x")).unwrap(), PathBuf::from("/tmp/x"));
        assert_eq!(error::<PathBuf>(text("")).message, "expected a path, found an empty string");
        assert!(error::<PathBuf>(text("a\0b")).message.contains("zero"));
        let e = error::<PathBuf>(text("C:\temp"));
        assert_eq!(e.message, r"this path holds the control character '\t'");
        assert!(e.help.unwrap().contains(r#"r"C:\logs"#));
    }
}
