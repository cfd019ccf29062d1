//! A universal file: executables for several processors in one, of which macOS takes its own.

use super::super::bytes::{align, range, u32_be, u64_be};
use super::layout::Layout;
use super::{CPU_ARM64, MachoError};

/// `FAT_MAGIC` and `FAT_MAGIC_64`. The first is that of Java's classes too.
const MAGIC: u32 = 0xcafe_babe;
const MAGIC_64: u32 = 0xcafe_babf;
/// Where a universal file has its number of parts, a class has its version: 45 or more.
const MAX_PARTS: u32 = 30;
/// Every part begins at a page of Apple's processors: 2^14 bytes.
const ALIGNMENT_BITS: u32 = 14;

/// Whether a file begins as a universal one.
pub fn is_universal(bytes: &[u8]) -> bool {
    let magic = u32_be(bytes, 0);
    (magic == Some(MAGIC) || magic == Some(MAGIC_64))
        && u32_be(bytes, 4).is_some_and(|parts| parts <= MAX_PARTS)
}

/// The executables in a universal file, in their order.
///
/// # Errors
/// When it is none, or names a part that is not in the file.
pub fn parts(bytes: &[u8]) -> Result<Vec<&[u8]>, MachoError> {
    if !is_universal(bytes) {
        return Err(MachoError::NotMacho);
    }
    let long = u32_be(bytes, 0) == Some(MAGIC_64);
    let count = u32_be(bytes, 4).unwrap_or_default() as usize;
    let part = |index: usize| {
        if long {
            let at = 8 + index * 32;
            range(bytes, u64_be(bytes, at + 8)?, u64_be(bytes, at + 16)?)
        } else {
            let at = 8 + index * 20;
            range(bytes, u32_be(bytes, at + 8)?, u32_be(bytes, at + 12)?)
        }
    };
    let parts: Option<Vec<_>> = (0..count).map(part).collect();
    parts.ok_or(MachoError::Damaged("one of its parts is not in the file"))
}

/// Puts executables for different processors into one file, in the order of Apple's `lipo`: that
/// for Apple's own processors comes last. Signatures stay valid.
///
/// # Errors
/// When one is no Mach-O file of 64 bits, when two are for one processor, when there is none, or
/// when all together are larger than 4 GiB.
pub fn join<P: AsRef<[u8]>>(parts: &[P]) -> Result<Vec<u8>, MachoError> {
    let mut sorted = Vec::with_capacity(parts.len());
    for part in parts {
        let part = part.as_ref();
        sorted.push((Layout::read(part)?, part));
    }
    sorted.sort_by_key(|(part, _)| (part.cpu == CPU_ARM64, part.cpu, part.cpu_subtype));
    if sorted.is_empty() {
        return Err(MachoError::Empty);
    }
    if let Some(pair) = sorted.windows(2).find(|pair| pair[0].0.cpu == pair[1].0.cpu) {
        return Err(MachoError::Twice(pair[0].0.processor()));
    }
    let mut file = Vec::new();
    let mut word = |word: u32| file.extend_from_slice(&word.to_be_bytes());
    word(MAGIC);
    word(sorted.len() as u32);
    let mut end = 8 + 20 * sorted.len() as u64;
    let mut places = Vec::with_capacity(sorted.len());
    for (layout, part) in &sorted {
        let start = align(end, 1 << ALIGNMENT_BITS).ok_or(MachoError::TooLarge)?;
        end = start + part.len() as u64;
        if end > u64::from(u32::MAX) {
            return Err(MachoError::TooLarge);
        }
        places.push(start as usize);
        word(layout.cpu);
        word(layout.cpu_subtype);
        word(start as u32);
        word(part.len() as u32);
        word(ALIGNMENT_BITS);
    }
    for (start, (_, part)) in places.into_iter().zip(&sorted) {
        file.resize(start, 0);
        file.extend_from_slice(part);
    }
    Ok(file)
}
