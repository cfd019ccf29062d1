//! Short ways to write literals in the tests of this folder.

use super::{Key, Literal, LiteralValue, OptionError, OptionErrors, OptionValue, Span};

pub(super) fn text(s: &str) -> LiteralValue {
    LiteralValue::Str(s.to_owned())
}

pub(super) fn int(n: i64) -> LiteralValue {
    LiteralValue::Int(n)
}

pub(super) fn list<const N: usize>(items: [LiteralValue; N]) -> LiteralValue {
    LiteralValue::List(items.into_iter().map(Literal::bare).collect())
}

pub(super) fn dict<const N: usize>(entries: [(&str, LiteralValue); N]) -> LiteralValue {
    let key = |name: &str| Key { name: name.to_owned(), span: Span::default() };
    LiteralValue::Dict(entries.into_iter().map(|(n, v)| (key(n), Literal::bare(v))).collect())
}

pub(super) fn read<T: OptionValue>(value: LiteralValue) -> Result<T, OptionErrors> {
    T::read(&Literal::bare(value))
}

/// The one mistake in it.
#[allow(clippy::needless_pass_by_value)]
pub(super) fn error<T: OptionValue>(value: LiteralValue) -> OptionError {
    match read::<T>(value.clone()) {
        Ok(_) => panic!("{value:?} was read, but is a mistake"),
        Err(OptionErrors(mut errors)) => {
            assert_eq!(errors.len(), 1, "{errors:?}");
            errors.remove(0)
        }
    }
}
