//! Numbers at places in bytes; a place that is not there gives `None`.

/// `N` bytes from `at` on.
pub(super) fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at.checked_add(N)?)?.try_into().ok()
}

/// A little-endian number of two bytes.
pub(super) fn u16_le(bytes: &[u8], at: usize) -> Option<u16> {
    array(bytes, at).map(u16::from_le_bytes)
}

/// A little-endian number of four bytes.
pub(super) fn u32_le(bytes: &[u8], at: usize) -> Option<u32> {
    array(bytes, at).map(u32::from_le_bytes)
}

/// A little-endian number of eight bytes.
pub(super) fn u64_le(bytes: &[u8], at: usize) -> Option<u64> {
    array(bytes, at).map(u64::from_le_bytes)
}

/// A big-endian number of four bytes.
pub(super) fn u32_be(bytes: &[u8], at: usize) -> Option<u32> {
    array(bytes, at).map(u32::from_be_bytes)
}

/// A big-endian number of eight bytes.
pub(super) fn u64_be(bytes: &[u8], at: usize) -> Option<u64> {
    array(bytes, at).map(u64::from_be_bytes)
}

/// `length` bytes from `at` on, both as a file says them.
pub(super) fn range(
    bytes: &[u8],
    at: impl TryInto<usize>,
    length: impl TryInto<usize>,
) -> Option<&[u8]> {
    let at = at.try_into().ok()?;
    bytes.get(at..at.checked_add(length.try_into().ok()?)?)
}

/// A name that ends with a zero byte, or with the bytes. Names longer than [`MAX_NAME`] are cut:
/// no library is called like that.
pub(super) fn name(bytes: &[u8]) -> String {
    let bytes = &bytes[..bytes.len().min(MAX_NAME)];
    let end = memchr::memchr(0, bytes).unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end]).into_owned()
}

/// The longest name that is read, in bytes.
pub(super) const MAX_NAME: usize = 4096;

/// The most names of one kind that are read from a file: a file with more is damaged.
pub(super) const MAX_NAMES: usize = 4096;

/// Puts bytes in the place of others.
///
/// # Panics
/// When the place is not there: it was read before.
pub(super) fn put(bytes: &mut [u8], at: usize, new: &[u8]) {
    bytes[at..at + new.len()].copy_from_slice(new);
}

/// The next multiple of `to`, which is a power of two; `None` when there is none.
pub(super) fn align(number: u64, to: u64) -> Option<u64> {
    debug_assert!(to.is_power_of_two());
    Some(number.checked_add(to - 1)? & !(to - 1))
}
