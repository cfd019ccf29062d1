//! UTF-8 text: short ones are held in place, long ones are slices of the block that was read.

use std::borrow::{Borrow, Cow};
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;

use super::{Block, Slice};

/// Immutable UTF-8 text of 24 bytes.
///
/// Up to 22 bytes are held in place, since copying them is cheaper than counting one more user of
/// the block; longer text shares the block it was read from.
#[derive(Clone)]
pub struct Text(Repr);

#[derive(Clone)]
enum Repr {
    Inline { len: u8, bytes: [u8; INLINE] },
    Shared(Slice),
}

const INLINE: usize = 22;

impl Text {
    /// The text of a slice, or `None` when it is not UTF-8.
    pub fn from_slice(slice: &Slice) -> Option<Text> {
        std::str::from_utf8(slice).ok()?;
        Some(Text::inline(slice).unwrap_or_else(|| Text(Repr::Shared(slice.clone()))))
    }

    /// The text of a part of `block`, without copying when it is long.
    pub fn borrowed(text: &str, block: &Slice) -> Text {
        Text::inline(text.as_bytes()).unwrap_or_else(|| {
            Text(Repr::Shared(block.subset(text.as_bytes()).unwrap_or_else(|| text.into())))
        })
    }

    /// As [`Text::borrowed`], of a part of a whole block.
    pub(super) fn in_block(text: &str, block: &Block) -> Text {
        Text::inline(text.as_bytes()).unwrap_or_else(|| {
            Text(Repr::Shared(block.subset(text.as_bytes()).unwrap_or_else(|| text.into())))
        })
    }

    /// The text as `str`.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(self.as_bytes()).expect("checked when the text was made")
    }

    /// Its bytes; cheaper than [`Text::as_str`].
    pub fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Repr::Inline { len, bytes } => &bytes[..usize::from(*len)],
            Repr::Shared(slice) => slice,
        }
    }

    /// Its bytes as a slice; long text shares the block that it was read into.
    pub fn to_slice(&self) -> Slice {
        match &self.0 {
            Repr::Inline { .. } => self.as_bytes().into(),
            Repr::Shared(slice) => slice.clone(),
        }
    }

    fn inline(text: &[u8]) -> Option<Text> {
        let mut bytes = [0; INLINE];
        bytes.get_mut(..text.len())?.copy_from_slice(text);
        Some(Text(Repr::Inline { len: text.len() as u8, bytes }))
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Text::inline(text.as_bytes()).unwrap_or_else(|| Text(Repr::Shared(text.into())))
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Text::inline(text.as_bytes())
            .unwrap_or_else(|| Text(Repr::Shared(text.into_bytes().into())))
    }
}

impl From<Cow<'_, str>> for Text {
    fn from(text: Cow<'_, str>) -> Self {
        match text {
            Cow::Borrowed(text) => text.into(),
            Cow::Owned(text) => text.into(),
        }
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl Borrow<str> for Text {
    fn borrow(&self) -> &str {
        self
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for Text {}

impl PartialEq<str> for Text {
    fn eq(&self, other: &str) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Hash for Text {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_24_bytes() {
        assert_eq!(size_of::<Text>(), 24);
    }

    #[test]
    fn long_text_shares_the_block_and_short_text_does_not() {
        let line = Slice::from("a text of more than twenty-two bytes, and more");
        let whole = std::str::from_utf8(&line).unwrap();
        assert_eq!(Text::borrowed(whole, &line).as_bytes().as_ptr(), line.as_ptr());
        assert_ne!(Text::borrowed(&whole[..6], &line).as_bytes().as_ptr(), line.as_ptr());
        assert_eq!(&*Text::borrowed(&whole[..22], &line), "a text of more than tw");
        assert_eq!(Text::borrowed(whole, &line).to_slice().as_ptr(), line.as_ptr());
        assert_eq!(&*Text::borrowed(&whole[..6], &line).to_slice(), b"a text");
    }

    #[test]
    fn bytes_that_are_not_utf8_are_no_text() {
        assert!(Text::from_slice(&Slice::from(&b"caf\xe9"[..])).is_none());
    }
}
