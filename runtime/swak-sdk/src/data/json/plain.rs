//! Where a run of plain text ends, sixteen bytes at a time.
//!
//! Names and values are short: what costs is not the bytes but each step, so that one that takes sixteen of
//! them is more than twice as fast as one that takes eight.

use std::ops::BitOrAssign;

use wide::{i8x16, u8x16};

/// The bytes that are looked at together.
pub(super) const WIDTH: usize = 16;

/// The place of the first byte at or behind `at` that cannot stand in a JSON string by itself: a quote, a
/// backslash, a control character. The end of the text when there is none.
#[inline]
pub(super) fn plain_until(text: &[u8], mut at: usize) -> usize {
    let Some(mut rest) = text.get(at..) else { return text.len() };
    while let Some((bytes, behind)) = rest.split_first_chunk() {
        let before = plain(bytes);
        at += before;
        if before < WIDTH {
            return at;
        }
        rest = behind;
    }
    let mut last = [b'"'; WIDTH];
    last[..rest.len()].copy_from_slice(rest);
    at + plain(&last)
}

/// The place behind a string that goes on from `at`, if it is shorter than what is looked at together and
/// has no escapes, as most do; else how far it is plain for sure.
#[inline(always)]
pub(super) fn short_string(text: &[u8], at: usize) -> Result<usize, usize> {
    let Some(bytes) = text.get(at..).and_then(<[u8]>::first_chunk) else { return Err(at) };
    let n = plain(bytes);
    if bytes.get(n) == Some(&b'"') { Ok(at + n + 1) } else { Err(at + n) }
}

/// How many of these bytes come before the first that cannot stand in a JSON string by itself; all of them
/// when each can.
#[inline]
fn plain(bytes: &[u8; WIDTH]) -> usize {
    (stops(bytes) | (1 << WIDTH)).trailing_zeros() as usize
}

/// Which of sixteen bytes are no plain ASCII: one that cannot stand in a JSON string by itself, or is beyond
/// ASCII.
#[derive(Clone, Copy)]
pub(super) struct Stops(i8x16);

impl Stops {
    /// None of them.
    #[inline]
    pub(super) fn none() -> Self {
        Stops(i8x16::splat(0))
    }

    #[inline]
    pub(super) fn of(bytes: &[u8; WIDTH]) -> Self {
        let bytes = u8x16::new(*bytes).cast_signed();
        let is = |byte: u8| bytes.simd_eq(i8x16::splat(byte.cast_signed()));
        // What is beyond ASCII is negative.
        Stops(bytes.simd_lt(i8x16::splat(0x20)) | is(b'"') | is(b'\\'))
    }

    /// One bit for each byte, the lowest for the first.
    #[inline]
    pub(super) fn mask(self) -> u32 {
        self.0.to_bitmask()
    }
}

impl BitOrAssign for Stops {
    #[inline]
    fn bitor_assign(&mut self, other: Self) {
        self.0 = self.0 | other.0;
    }
}

/// One bit for each byte that is a digit, the lowest for the first.
#[inline]
pub(super) fn digits(bytes: &[u8; WIDTH]) -> u32 {
    let distance = u8x16::new(*bytes) - u8x16::splat(b'0');
    distance.min(u8x16::splat(9)).simd_eq(distance).to_bitmask()
}

/// Not zero when one of these bytes is beyond ASCII.
#[inline(always)]
pub(super) fn high(bytes: &[u8; 4 * WIDTH]) -> u32 {
    let (parts, _) = bytes.as_chunks();
    parts.iter().fold(u8x16::ZERO, |all, part| all | u8x16::new(*part)).to_bitmask()
}

/// One bit for each byte that cannot stand in a JSON string by itself, the lowest for the first.
#[inline(always)]
pub(super) fn stops(bytes: &[u8; WIDTH]) -> u32 {
    let bytes = u8x16::new(*bytes);
    let is = |byte| bytes.simd_eq(u8x16::splat(byte));
    let is_control = bytes.min(u8x16::splat(0x1f)).simd_eq(bytes);
    (is(b'"') | is(b'\\') | is_control).to_bitmask()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn is_stop(byte: &u8) -> bool {
        *byte < 0x20 || matches!(byte, b'"' | b'\\')
    }

    fn byte() -> impl Strategy<Value = u8> {
        prop_oneof![20 => Just(b'a'), 1 => 0x1fu8..=0x24, 1 => 0x5au8..=0x5e, 2 => any::<u8>()]
    }

    proptest! {
        #[test]
        fn finds_what_a_look_at_each_byte_finds(
            text in prop::collection::vec(byte(), 0..60),
            at in any::<prop::sample::Index>(),
        ) {
            let at = at.index(text.len() + 1);
            let end = plain_until(&text, at);
            let slowly = text[at..].iter().position(is_stop).map_or(text.len(), |n| at + n);
            prop_assert_eq!(end, slowly);
            prop_assert_eq!(plain_until(&text, text.len() + 1), text.len());
        }

        #[test]
        fn stops_at_what_is_no_plain_ascii(
            bytes in prop::array::uniform16(byte()),
            others in prop::array::uniform16(byte()),
        ) {
            let first = bytes.iter().position(is_stop).unwrap_or(WIDTH);
            prop_assert_eq!(plain(&bytes), first);
            let is_stop = |i: &usize| [bytes, others].iter().any(|b| is_stop(&b[*i]) || !b[*i].is_ascii());
            let expected: u32 = (0..WIDTH).filter(is_stop).map(|i| 1 << i).sum();
            let mut stops = Stops::none();
            stops |= Stops::of(&bytes);
            stops |= Stops::of(&others);
            prop_assert_eq!(stops.mask(), expected);
        }

        #[test]
        fn knows_digits(bytes in prop::array::uniform16(0x2fu8..=0x3a)) {
            let is_digit = |i: usize| digits(&bytes) & 1 << i != 0;
            for (i, byte) in bytes.iter().enumerate() {
                prop_assert_eq!(is_digit(i), byte.is_ascii_digit());
            }
        }
    }
}
