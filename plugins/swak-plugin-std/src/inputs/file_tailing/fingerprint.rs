//! Hashes by which a file's content is known again: of its beginning, and of the bytes before a
//! position.

use std::io;

use serde::{Deserialize, Serialize};

use super::read::ReadAt;

/// A hash of some bytes of a file and how many they are. Which bytes is known by the owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub(super) struct Fingerprint {
    len: u64,
    hash: Hash,
}

/// How bytes are hashed: the same on every machine and in every version, which std's hashers do not
/// promise, and byte by byte, so that it can go on after any of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hash {
    /// FNV-1a, which takes as long as reading several times as much: as positions of older versions have
    /// it.
    Fnv(u64),
    /// The bytes as the coefficients of a polynomial modulo 2^64, of which eight are added at once.
    Sum(u64),
}

impl Default for Fingerprint {
    fn default() -> Self {
        Fingerprint { len: 0, hash: Hash::Sum(1) }
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
            let mut print = self.of_nothing();
            print.add(&bytes[start..]);
            print == *self
        })
    }

    /// FNV-1a of a text, by which a path is known.
    pub(super) fn of_name(name: &[u8]) -> u64 {
        fnv(FNV, name)
    }

    /// One that hashes as this one does and covers nothing.
    pub(super) fn of_nothing(&self) -> Self {
        match self.hash {
            Hash::Fnv(_) => Fingerprint { len: 0, hash: Hash::Fnv(FNV) },
            Hash::Sum(_) => Fingerprint::default(),
        }
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
        let mut print = self.of_nothing();
        print.add(&bytes[..len]);
        Ok(print == *self)
    }

    /// Adds bytes that follow those that it covers.
    pub(super) fn add(&mut self, bytes: &[u8]) {
        self.hash = match self.hash {
            Hash::Fnv(hash) => Hash::Fnv(fnv(hash, bytes)),
            Hash::Sum(sum) => Hash::Sum(add(sum, bytes)),
        };
        self.len += bytes.len() as u64;
    }
}

/// FNV-1a of nothing.
const FNV: u64 = 0xcbf2_9ce4_8422_2325;

fn fnv(hash: u64, bytes: &[u8]) -> u64 {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
    bytes.iter().fold(hash, step)
}

/// Where the polynomial is worked out: odd, so that each byte counts. 2^64 divided by the golden ratio.
const BASE: u64 = 0x9e37_79b9_7f4a_7c15;

/// Its powers: those of eight bytes, the first one last, and that of what is before them.
const POWERS: [u64; 9] = {
    let mut powers = [1_u64; 9];
    let mut i = 1;
    while i < 9 {
        powers[i] = powers[i - 1].wrapping_mul(BASE);
        i += 1;
    }
    powers
};

/// The polynomial with more bytes at its end.
fn add(mut sum: u64, bytes: &[u8]) -> u64 {
    let (eights, rest) = bytes.as_chunks::<8>();
    for eight in eights {
        // These do not wait for each other.
        let part = |i: usize| u64::from(eight[i]).wrapping_mul(POWERS[7 - i]);
        let parts = (0..8).fold(0_u64, |parts, i| parts.wrapping_add(part(i)));
        sum = sum.wrapping_mul(POWERS[8]).wrapping_add(parts);
    }
    rest.iter().fold(sum, |sum, byte| sum.wrapping_mul(BASE).wrapping_add(u64::from(*byte)))
}

/// A fingerprint in a stored position: 64 bits as hexadecimal text, as many readers of JSON would round
/// the number.
#[derive(Serialize, Deserialize)]
struct Stored {
    len: u64,
    /// [`Hash::Fnv`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hash: Option<String>,
    /// [`Hash::Sum`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sum: Option<String>,
}

impl TryFrom<Stored> for Fingerprint {
    type Error = std::num::ParseIntError;

    fn try_from(Stored { len, hash, sum }: Stored) -> Result<Self, Self::Error> {
        let number = |text: String| u64::from_str_radix(&text, 16);
        let hash = match (hash, sum) {
            (Some(hash), _) => Hash::Fnv(number(hash)?),
            (None, sum) => Hash::Sum(number(sum.unwrap_or_default())?),
        };
        Ok(Fingerprint { len, hash })
    }
}

impl From<Fingerprint> for Stored {
    fn from(Fingerprint { len, hash }: Fingerprint) -> Self {
        let text = |number: u64| Some(format!("{number:016x}"));
        match hash {
            Hash::Fnv(hash) => Stored { len, hash: text(hash), sum: None },
            Hash::Sum(sum) => Stored { len, hash: None, sum: text(sum) },
        }
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
        assert_eq!(json, r#"{"len":3,"sum":"8a5c101691cc77b3"}"#);
        assert_eq!(serde_json::from_str::<Fingerprint>(&json).unwrap(), print);
        assert!(serde_json::from_str::<Fingerprint>(r#"{"len":3}"#).is_err());
    }

    #[test]
    fn one_of_an_older_version_goes_on_as_it_began() {
        let json = r#"{"len":3,"hash":"e71fa2190541574b"}"#;
        let mut print: Fingerprint = serde_json::from_str(json).unwrap();
        assert!(print.is_end_of(b"abc") && !print.is_end_of(b"abd"));
        assert_eq!(serde_json::to_string(&print).unwrap(), json);
        print.grow(3, b"d");
        assert!(print.is_beginning_of(&file(b"abcdef")).unwrap());
        assert_ne!(print, Fingerprint::trace(b"abcd"));
    }

    #[test]
    fn every_byte_counts_and_so_does_its_place() {
        let text: Vec<u8> = (0..40).collect();
        let print = Fingerprint::trace(&text);
        for at in 0..text.len() {
            for bit in 0..8 {
                let mut other = text.clone();
                other[at] ^= 1 << bit;
                assert_ne!(Fingerprint::trace(&other), print, "byte {at}, bit {bit}");
            }
            let mut other = text.clone();
            other.swap(at, (at + 8) % text.len());
            assert_ne!(Fingerprint::trace(&other), print, "byte {at} elsewhere");
        }
    }
}
