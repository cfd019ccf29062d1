//! Options that remember where they were written.

use std::ops::Deref;

use super::{Literal, OptionError, OptionErrors, OptionValue, Ranged, Span, TypeSpec};

/// A value and its place in the recipe, for mistakes that only show beside other options: they are
/// found in `Plugin::new`, and told with their place like any other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Placed<T> {
    /// The value.
    pub value: T,
    /// Where it was written; empty for a default.
    pub span: Span,
}

impl<T> Placed<T> {
    /// A mistake at this place, with what to do about it.
    pub fn error(&self, message: impl Into<String>, help: impl Into<String>) -> OptionErrors {
        OptionError::new(self.span, message).with_help(help).into()
    }
}

impl<T> Deref for Placed<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: OptionValue> OptionValue for Placed<T> {
    const SECRET: bool = T::SECRET;

    fn type_spec() -> TypeSpec {
        T::type_spec()
    }

    fn read(literal: &Literal) -> Result<Self, OptionErrors> {
        Ok(Placed { value: T::read(literal)?, span: literal.span })
    }
}

impl<T: Ranged> Ranged for Placed<T> {}

#[cfg(test)]
mod tests {
    use super::super::LiteralValue;
    use super::*;

    #[test]
    fn a_later_mistake_is_told_at_the_place_of_the_value() {
        let literal = Literal { value: LiteralValue::Int(5), span: Span::new(3, 4) };
        let placed = Placed::<u8>::read(&literal).unwrap();
        assert_eq!(*placed, 5);
        let error = &placed.error("too many for one worker", "give more workers").0[0];
        assert_eq!(
            (error.span, error.help.as_deref()),
            (Span::new(3, 4), Some("give more workers"))
        );
    }
}
