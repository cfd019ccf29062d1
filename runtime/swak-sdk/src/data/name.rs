//! Short texts that many batches share.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// A short text that many batches share: a tag, or the name of where records came from.
///
/// The empty name takes no memory: every batch begins with two.
#[derive(Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name(Option<Arc<str>>);

impl From<&str> for Name {
    fn from(name: &str) -> Self {
        Name((!name.is_empty()).then(|| name.into()))
    }
}

impl From<String> for Name {
    fn from(name: String) -> Self {
        Name((!name.is_empty()).then(|| name.into()))
    }
}

impl Deref for Name {
    type Target = str;

    fn deref(&self) -> &str {
        self.0.as_deref().unwrap_or_default()
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_name_is_the_default() {
        assert_eq!((Name::from(""), Name::from(String::new())), Default::default());
        assert_eq!((&*Name::default(), &*Name::from("a")), ("", "a"));
    }
}
