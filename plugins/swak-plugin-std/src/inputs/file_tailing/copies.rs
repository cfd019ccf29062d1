//! Whether one file is a copy of another, as far as it goes.

use std::fs::File;
use std::io;
use std::path::Path;

use super::read::ReadAt;

/// Whether a file is compressed, by its name.
pub(super) fn is_packed(path: &Path) -> bool {
    path.extension().is_some_and(|e| e.eq_ignore_ascii_case("gz"))
}

/// Whether `copy` is what `original` begins with, and how long it is then. Its beginning and its end are
/// compared, so that of a compressed one no more is unpacked than tells it from others. One that is empty
/// is no copy of anything.
pub(super) fn is_beginning(
    copy: &impl Measured,
    original: &impl ReadAt,
) -> io::Result<Option<u64>> {
    let start = read(copy, 0, BEGINNING)?;
    if start.is_empty() || start != read(original, 0, start.len() as u64)? {
        return Ok(None);
    }
    if (start.len() as u64) < BEGINNING {
        return Ok(Some(start.len() as u64));
    }
    let len = copy.len(END)?;
    let end = len.saturating_sub(END);
    Ok(is_same(copy, original, end, len - end)?.then_some(len))
}

/// Bytes of which it can be said how many they are.
pub(super) trait Measured: ReadAt {
    /// How many there are. The last `back` of them will be read.
    fn len(&self, back: u64) -> io::Result<u64>;
}

impl Measured for File {
    fn len(&self, _: u64) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }
}

/// How much of the end of a copy is compared.
const END: u64 = 4 << 10;

const BEGINNING: u64 = 64 << 10;

fn is_same(one: &impl ReadAt, other: &impl ReadAt, at: u64, len: u64) -> io::Result<bool> {
    let bytes = read(one, at, len)?;
    Ok(bytes.len() as u64 == len && bytes == read(other, at, len)?)
}

fn read(file: &impl ReadAt, at: u64, len: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.read_at(&mut bytes, at, len as usize)?;
    bytes.truncate(len as usize);
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn file(content: &[u8]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(content).unwrap();
        file
    }

    #[test]
    fn a_copy_in_the_making_is_a_beginning() {
        let content: Vec<u8> = (0..200_000u32).map(|i| (i / 7) as u8).collect();
        let original = file(&content);
        for len in [1, 5_000, 100_000, 200_000] {
            let found = is_beginning(&file(&content[..len]), &original).unwrap();
            assert_eq!(found, Some(len as u64));
            let mut other = content[..len].to_vec();
            other[len - 1] ^= 1;
            assert_eq!(is_beginning(&file(&other), &original).unwrap(), None, "{len}");
        }
        let longer = [&content[..], b"more"].concat();
        assert_eq!(is_beginning(&file(&longer), &original).unwrap(), None);
        assert_eq!(is_beginning(&file(b""), &original).unwrap(), None);
    }
}
