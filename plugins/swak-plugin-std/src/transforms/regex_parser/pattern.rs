//! A regular expression that names what it finds.

use swak_sdk::options::{
    Literal, OptionError, OptionErrors, OptionValue, Pattern, TextKind, TypeSpec,
};

/// A regular expression over bytes with at least one named group.
#[derive(Clone, Debug)]
pub(crate) struct NamedPattern {
    pub(super) regex: Pattern,
    /// The named groups in the order in which they stand, each with its number.
    pub(super) groups: Vec<(usize, String)>,
}

impl OptionValue for NamedPattern {
    fn type_spec() -> TypeSpec {
        TypeSpec::Text(TextKind::Regex)
    }

    fn read(literal: &Literal) -> Result<Self, OptionErrors> {
        let regex = Pattern::read(literal)?;
        let names = regex.capture_names().enumerate();
        let groups: Vec<_> = names.filter_map(|(i, n)| Some((i, n?.to_owned()))).collect();
        if groups.is_empty() {
            let help = "name what becomes a field: r\"(?<status>\\d+)\"";
            return Err(OptionError::new(literal.span, "this pattern has no named group")
                .with_help(help)
                .into());
        }
        Ok(NamedPattern { regex, groups })
    }
}
