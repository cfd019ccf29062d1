//! Whether one file is a copy of another, as far as it goes.

use std::io;
use std::path::Path;

use super::read::ReadAt;

/// How much of the end of a copy is compared.
pub(super) const END: u64 = 4 << 10;

/// Whether a file is compressed, by its name.
pub(super) fn is_packed(path: &Path) -> bool {
    path.extension().is_some_and(|e| e.eq_ignore_ascii_case("gz"))
}

/// Whether `copy`, of `len` bytes, is what `original` begins with. The beginning and the end are
/// compared.
pub(super) fn is_beginning(
    copy: &impl ReadAt,
    len: u64,
    original: &impl ReadAt,
) -> io::Result<bool> {
    let end = len.saturating_sub(END);
    Ok(is_same(copy, original, 0, len.min(BEGINNING))? && is_same(copy, original, end, len - end)?)
}

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
    use std::fs::File;
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
            assert!(is_beginning(&file(&content[..len]), len as u64, &original).unwrap(), "{len}");
            let mut other = content[..len].to_vec();
            other[len - 1] ^= 1;
            assert!(!is_beginning(&file(&other), len as u64, &original).unwrap(), "{len}");
        }
        let longer = [&content[..], b"more"].concat();
        assert!(!is_beginning(&file(&longer), longer.len() as u64, &original).unwrap());
    }
}
