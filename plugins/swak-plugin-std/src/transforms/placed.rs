//! An option that knows where it was written, for mistakes that only show beside other options.

use std::ops::Deref;

use swak_sdk::options::{Literal, OptionError, OptionErrors, OptionValue, Span, TypeSpec};

/// A value and its place in the recipe.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Placed<T> {
    pub(crate) value: T,
    pub(crate) span: Span,
}

impl<T> Placed<T> {
    /// A mistake at this place.
    pub(crate) fn error(
        &self,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> OptionErrors {
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
