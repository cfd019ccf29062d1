//! Text that is shown nowhere.

use std::fmt;

use super::scalar::read_text;
use super::{Literal, OptionErrors, OptionValue, TextKind, TypeSpec};

/// A password or token: `Debug` and `Display` show `***`, whatever prints the struct around it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Keeps a text from being shown.
    pub fn new(text: impl Into<String>) -> Self {
        Secret(text.into())
    }

    /// The text itself, for the one place that sends it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl OptionValue for Secret {
    const SECRET: bool = true;

    fn type_spec() -> TypeSpec {
        TypeSpec::Text(TextKind::Plain)
    }

    fn read(literal: &Literal) -> Result<Self, OptionErrors> {
        read_text(literal, TextKind::Plain).map(Secret::new)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{read, text};
    use super::*;

    #[test]
    fn a_secret_is_not_shown() {
        let secret: Option<Secret> = read(text("hunter2")).unwrap();
        assert_eq!(format!("{secret:?}"), "Some(***)");
        let secret = secret.unwrap();
        assert_eq!(secret.to_string(), "***");
        assert_eq!(secret.reveal(), "hunter2");
        const { assert!(<Vec<Secret> as OptionValue>::SECRET) };
    }
}
