//! Dicts whose keys are field paths: `{"user.name": "…"}`.

use super::FieldPath;
use crate::options::{
    Dict, Literal, LiteralValue, OptionError, OptionErrors, OptionValue, TypeSpec,
};

/// A dict from field paths to values, in the order in which it was written. A key that is no path
/// is a mistake at that key.
#[derive(Clone, Debug, PartialEq)]
pub struct PathDict<T>(Vec<(FieldPath, T)>);

impl<T> PathDict<T> {
    /// Whether there are no entries.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The entries in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&FieldPath, &T)> {
        self.0.iter().map(|(path, value)| (path, value))
    }

    /// The entries in order.
    pub fn into_entries(self) -> Vec<(FieldPath, T)> {
        self.0
    }
}

impl<T> Default for PathDict<T> {
    fn default() -> Self {
        PathDict(Vec::new())
    }
}

impl<T: OptionValue> OptionValue for PathDict<T> {
    const SECRET: bool = T::SECRET;

    fn type_spec() -> TypeSpec {
        Dict::<T>::type_spec()
    }

    fn read(literal: &Literal) -> Result<Self, OptionErrors> {
        let LiteralValue::Dict(entries) = &literal.value else {
            return Err(OptionError::expected(&Self::type_spec(), literal)
                .with_help("a dict is written {\"field.path\": value}")
                .into());
        };
        let (mut read, mut errors) = (Vec::new(), Vec::new());
        for (key, value) in entries {
            let name = Literal { value: LiteralValue::Str(key.name.clone()), span: key.span };
            match (FieldPath::read(&name), T::read(value)) {
                (Ok(path), Ok(value)) => read.push((path, value)),
                (path, value) => {
                    errors.extend(path.err().into_iter().flat_map(|e| e.0));
                    errors.extend(value.err().into_iter().flat_map(|e| e.0));
                }
            }
        }
        if errors.is_empty() { Ok(PathDict(read)) } else { Err(OptionErrors(errors)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::testing::{dict, error, int, read, text};

    #[test]
    fn keys_are_paths_in_their_order() {
        let read = read::<PathDict<u8>>(dict([("b.c", int(1)), ("a[0]", int(2))])).unwrap();
        let shown: Vec<_> = read.iter().map(|(path, n)| (path.to_string(), *n)).collect();
        assert_eq!(shown, [("b.c".to_owned(), 1), ("a[0]".to_owned(), 2)]);
    }

    #[test]
    fn mistakes_in_keys_and_values_come_together() {
        let mistakes = dict([("b..c", int(1000)), ("ok", int(1)), ("x", text("y"))]);
        assert_eq!(read::<PathDict<u8>>(mistakes).unwrap_err().0.len(), 3);
        assert!(error::<PathDict<u8>>(int(1)).help.unwrap().contains("field.path"));
    }
}
