//! Hashes by which a file's content is known again: of its beginning, and of the bytes before a
//! position.

use std::io;

use serde::{Deserialize, Serialize};

use super::read::ReadAt;

/// A hash of some bytes of a file and how many they are. Which bytes is known by the owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Fingerprint {
    len: u64,
    #[serde(with = "hex")]
    hash: u64,
}

/// FNV-1a: the same on every machine and in every version, which std's hashers do not promise.
impl Default for Fingerprint {
    fn default() -> Self {
        Fingerprint { len: 0, hash: 0xcbf2_9ce4_8422_2325 }
    }
}

impl Fingerprint {
    /// How much of a beginning is hashed.
    pub(super) const HEAD: u64 = 64 << 10;

    /// How much before a position is hashed.
    pub(super) const TRACE: usize = 1024;

    /// Adds bytes of a file that begin at `offset` to the hash of its beginning, which grows until
    /// it covers 64 KiB. Bytes that it covers already, or that do not follow, change nothing.
    pub(super) fn grow(&mut self, offset: u64, bytes: &[u8]) {
        if self.len >= Self::HEAD || offset > self.len {
            return;
        }
        let skip = usize::try_from(self.len - offset).unwrap_or(usize::MAX);
        let Some(new) = bytes.get(skip..) else { return };
        let room = (Self::HEAD - self.len) as usize;
        self.add(&new[..new.len().min(room)]);
    }

    /// The hash of the last bytes of what was read.
    pub(super) fn trace(bytes: &[u8]) -> Self {
        let mut print = Fingerprint::default();
        print.add(&bytes[bytes.len().saturating_sub(Self::TRACE)..]);
        print
    }

    /// Whether a file still begins with these bytes.
    pub(super) fn is_beginning_of(&self, file: &impl ReadAt) -> io::Result<bool> {
        self.is_at(file, 0)
    }

    /// Whether these bytes stand before an offset of the file.
    pub(super) fn ends_at(&self, file: &impl ReadAt, offset: u64) -> io::Result<bool> {
        match offset.checked_sub(self.len) {
            Some(start) => self.is_at(file, start),
            None => Ok(false),
        }
    }

    /// The hash of the bytes before an offset.
    pub(super) fn before(file: &impl ReadAt, offset: u64) -> io::Result<Self> {
        let (len, mut bytes) = (offset.min(Self::TRACE as u64), Vec::new());
        file.read_at(&mut bytes, offset - len, len as usize)?;
        bytes.truncate(len as usize);
        Ok(Fingerprint::trace(&bytes))
    }

    /// Whether these bytes end with those that it covers.
    pub(super) fn is_end_of(&self, bytes: &[u8]) -> bool {
        let start = usize::try_from(self.len).ok().and_then(|len| bytes.len().checked_sub(len));
        start.is_some_and(|start| {
            let mut print = Fingerprint::default();
            print.add(&bytes[start..]);
            print == *self
        })
    }

    /// The hash alone.
    pub(super) fn hash(&self) -> u64 {
        self.hash
    }

    /// Whether it covers nothing.
    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    fn is_at(&self, file: &impl ReadAt, start: u64) -> io::Result<bool> {
        if self.len == 0 {
            return Ok(true);
        }
        // More than this was never hashed; a damaged position must not make us read gigabytes.
        if self.len > Self::HEAD {
            return Ok(false);
        }
        let (len, mut bytes) = (self.len as usize, Vec::new());
        if file.read_at(&mut bytes, start, len)? < len {
            return Ok(false);
        }
        let mut print = Fingerprint::default();
        print.add(&bytes[..len]);
        Ok(print == *self)
    }

    /// Adds bytes that follow those that it covers.
    pub(super) fn add(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.hash = (self.hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        self.len += bytes.len() as u64;
    }
}

/// 64 bits as hexadecimal text: many readers of JSON would round the number.
mod hex {
    use serde::{Deserialize, Deserializer, Serializer, de};

    pub(super) fn serialize<S: Serializer>(hash: &u64, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&format_args!("{hash:016x}"))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<u64, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(from)?;
        u64::from_str_radix(&text, 16).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use proptest::prelude::*;

    use super::*;

    fn file(content: &[u8]) -> File {
        use std::io::Write;
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(content).unwrap();
        file
    }

    proptest! {
        #[test]
        fn the_beginning_grows_the_same_in_any_pieces(
            len in 0usize..70_000,
            salt in any::<u8>(),
            cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..8),
        ) {
            let content: Vec<u8> = (0..len).map(|i| (i / 199) as u8 ^ i as u8 ^ salt).collect();
            let mut cuts: Vec<usize> = cuts.iter().map(|c| c.index(content.len() + 1)).collect();
            cuts.push(content.len());
            cuts.sort_unstable();
            let (mut head, mut start) = (Fingerprint::default(), 0);
            for end in cuts {
                head.grow(start as u64, &content[start..end]);
                start = end;
            }
            prop_assert!(head.is_beginning_of(&file(&content)).unwrap());
            prop_assert_eq!(head.len, content.len().min(64 << 10) as u64);
            let trace = Fingerprint::before(&file(&content), content.len() as u64).unwrap();
            prop_assert_eq!(trace, Fingerprint::trace(&content));
            prop_assert!(trace.is_end_of(&content));
        }
    }

    #[test]
    fn another_content_is_noticed() {
        let mut head = Fingerprint::default();
        head.grow(0, b"first line\n");
        assert!(head.is_beginning_of(&file(b"first line\nsecond")).unwrap());
        assert!(!head.is_beginning_of(&file(b"First line\nsecond")).unwrap());
        assert!(!head.is_beginning_of(&file(b"first")).unwrap());
        let trace = Fingerprint::trace(b"first line\n");
        assert!(trace.ends_at(&file(b"first line\nmore"), 11).unwrap());
        assert!(!trace.ends_at(&file(b"other line\nmore"), 11).unwrap());
        assert!(!trace.ends_at(&file(b"first line\n"), 5).unwrap());
    }

    #[test]
    fn is_written_as_text_that_reads_back() {
        let print = Fingerprint::trace(b"abc");
        let json = serde_json::to_string(&print).unwrap();
        assert_eq!(json, r#"{"len":3,"hash":"e71fa2190541574b"}"#);
        assert_eq!(serde_json::from_str::<Fingerprint>(&json).unwrap(), print);
    }
}
