//! Options that are one of a few words.

use super::suggest::known_words;
use super::{Literal, LiteralValue, OptionError, OptionErrors, OptionValue};

/// An enum of words, as an option: derive it with `#[derive(Choice)]`.
pub trait Choice: OptionValue {
    /// The word of this variant, as a recipe writes it.
    fn name(&self) -> &'static str;
}

/// What the derive macro reads a word with. Letter case does not count.
#[doc(hidden)]
pub fn read_choice<T: OptionValue, const N: usize>(
    literal: &Literal,
    words: [(&str, T); N],
) -> Result<T, OptionErrors> {
    let LiteralValue::Str(typed) = &literal.value else {
        return Err(OptionError::expected(&T::type_spec(), literal).into());
    };
    let names = words.each_ref().map(|(name, _)| *name);
    match words.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(typed)) {
        Some((_, value)) => Ok(value),
        None => Err(OptionError::new(literal.span, format!("unknown word `{typed}`"))
            .with_help(known_words(typed, "the words are", names))
            .into()),
    }
}
