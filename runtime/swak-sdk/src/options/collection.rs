//! Options made of other options: `Option`, lists and dicts.

use std::collections::BTreeMap;

use super::{Literal, LiteralValue, OptionError, OptionErrors, OptionValue, Ranged, TypeSpec};

/// A dict that keeps the order in which it was written.
#[derive(Clone, Debug, PartialEq)]
pub struct Dict<T>(Vec<(String, T)>);

impl<T> Dict<T> {
    /// The number of entries.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no entries.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value of that name.
    pub fn get(&self, name: &str) -> Option<&T> {
        self.0.iter().find(|(n, _)| n == name).map(|(_, value)| value)
    }

    /// The entries in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &T)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// The entries in order; names are unique.
    pub fn into_entries(self) -> Vec<(String, T)> {
        self.0
    }
}

impl<T> Default for Dict<T> {
    fn default() -> Self {
        Dict(Vec::new())
    }
}

impl<T> IntoIterator for Dict<T> {
    type Item = (String, T);
    type IntoIter = std::vec::IntoIter<(String, T)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// `None` when it is written or left out.
impl<T: OptionValue> OptionValue for Option<T> {
    const SECRET: bool = T::SECRET;

    fn type_spec() -> TypeSpec {
        TypeSpec::Optional(Box::new(T::type_spec()))
    }

    fn read(literal: &Literal) -> Result<Self, OptionErrors> {
        match literal.value {
            LiteralValue::None => Ok(None),
            _ => T::read(literal).map(Some),
        }
    }
}

impl<T: Ranged> Ranged for Option<T> {}

/// A list; a single element stands for a list of one.
impl<T: OptionValue> OptionValue for Vec<T> {
    const SECRET: bool = T::SECRET;

    fn type_spec() -> TypeSpec {
        TypeSpec::List(Box::new(T::type_spec()))
    }

    fn read(literal: &Literal) -> Result<Self, OptionErrors> {
        match &literal.value {
            LiteralValue::List(items) => gather(items.iter().map(T::read)),
            LiteralValue::None => Err(OptionError::expected(&Self::type_spec(), literal)
                .with_help("write [] for an empty list")
                .into()),
            _ => T::read(literal).map(|one| vec![one]),
        }
    }
}

impl<T: Ranged> Ranged for Vec<T> {}

impl<T: OptionValue> OptionValue for Dict<T> {
    const SECRET: bool = T::SECRET;

    fn type_spec() -> TypeSpec {
        TypeSpec::Dict(Box::new(T::type_spec()))
    }

    fn read(literal: &Literal) -> Result<Self, OptionErrors> {
        let LiteralValue::Dict(entries) = &literal.value else {
            return Err(OptionError::expected(&Self::type_spec(), literal)
                .with_help("a dict is written {\"name\": value}")
                .into());
        };
        gather(entries.iter().map(|(key, value)| Ok((key.name.clone(), T::read(value)?)))).map(Dict)
    }
}

/// A dict, sorted by name.
impl<T: OptionValue> OptionValue for BTreeMap<String, T> {
    const SECRET: bool = T::SECRET;

    fn type_spec() -> TypeSpec {
        Dict::<T>::type_spec()
    }

    fn read(literal: &Literal) -> Result<Self, OptionErrors> {
        Dict::read(literal).map(|dict| dict.into_iter().collect())
    }
}

/// All values, or all mistakes.
fn gather<T>(
    results: impl Iterator<Item = Result<T, OptionErrors>>,
) -> Result<Vec<T>, OptionErrors> {
    let (mut values, mut errors) = (Vec::new(), Vec::new());
    for result in results {
        match result {
            Ok(value) => values.push(value),
            Err(OptionErrors(more)) => errors.extend(more),
        }
    }
    if errors.is_empty() { Ok(values) } else { Err(OptionErrors(errors)) }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{dict, error, int, list, read, text};
    use super::*;

    #[test]
    fn none_or_a_value() {
        assert_eq!(read::<Option<u8>>(LiteralValue::None).unwrap(), None);
        assert_eq!(read::<Option<u8>>(int(5)).unwrap(), Some(5));
        assert!(read::<Option<u8>>(int(-5)).is_err());
    }

    #[test]
    fn one_element_stands_for_a_list() {
        assert_eq!(read::<Vec<String>>(text("a")).unwrap(), ["a"]);
        assert_eq!(read::<Vec<u8>>(list([int(1), int(2)])).unwrap(), [1, 2]);
        assert_eq!(read::<Vec<u8>>(list([])).unwrap(), [0u8; 0]);
        assert_eq!(
            error::<Vec<u8>>(LiteralValue::None).help.as_deref(),
            Some("write [] for an empty list")
        );
    }

    #[test]
    fn every_mistake_in_a_list_is_found() {
        let errors = read::<Vec<u8>>(list([int(1), text("x"), int(300)])).unwrap_err();
        assert_eq!(errors.0.len(), 2);
    }

    #[test]
    fn dicts_keep_order_or_sort() {
        let literal = dict([("b", int(1)), ("a", int(2))]);
        let ordered = read::<Dict<u8>>(literal.clone()).unwrap();
        assert_eq!(ordered.iter().collect::<Vec<_>>(), [("b", &1), ("a", &2)]);
        assert_eq!(ordered.get("a"), Some(&2));
        let sorted = read::<BTreeMap<String, u8>>(literal).unwrap();
        assert_eq!(
            sorted.into_iter().collect::<Vec<_>>(),
            [("a".to_owned(), 2), ("b".to_owned(), 1)]
        );
        assert_eq!(
            error::<Dict<u8>>(int(1)).message,
            "expected a dict of: a whole number from 0 to 255, found `1`"
        );
    }
}
