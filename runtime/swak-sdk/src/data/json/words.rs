//! Eight bytes at a time: where a run of plain text ends.

const LOW: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// The bits of all bytes that were passed, by which it is known whether all are ASCII.
#[derive(Clone, Copy, Default)]
pub(super) struct Seen(u64);

impl Seen {
    /// Whether one is not.
    pub(super) fn beyond_ascii(self) -> bool {
        self.0 & HIGH != 0
    }
}

/// The place of the first byte at or behind `at` that cannot stand in a JSON string by itself: a quote, a
/// backslash, a control character. The end of the text when there is none.
#[inline]
pub(super) fn plain_until(text: &[u8], mut at: usize, seen: &mut Seen) -> usize {
    while let Some(eight) = text.get(at..).and_then(|rest| rest.first_chunk()) {
        let word = u64::from_le_bytes(*eight);
        let stops = equal(word, b'"') | equal(word, b'\\') | control(word);
        if stops != 0 {
            let before = stops.trailing_zeros() / 8;
            seen.0 |= word & ((1 << (before * 8)) - 1);
            return at + before as usize;
        }
        seen.0 |= word;
        at += 8;
    }
    while let Some(&byte) = text.get(at) {
        if byte < 0x20 || byte == b'"' || byte == b'\\' {
            break;
        }
        seen.0 |= u64::from(byte);
        at += 1;
    }
    at
}

/// Where in eight bytes the first one stands that is not plain ASCII text in a JSON string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stops {
    Nowhere,
    /// Behind so many.
    Before(usize),
}

/// Looks for the first byte that is not plain ASCII text.
#[inline]
pub(super) fn stops(word: u64) -> Stops {
    match equal(word, b'"') | equal(word, b'\\') | control(word) | (word & HIGH) {
        0 => Stops::Nowhere,
        stops => Stops::Before(stops.trailing_zeros() as usize / 8),
    }
}

// The lowest bit that is set is right; those above it may be wrong, because subtraction borrows.

fn equal(word: u64, byte: u8) -> u64 {
    zero(word ^ (LOW * u64::from(byte)))
}

fn zero(word: u64) -> u64 {
    word.wrapping_sub(LOW) & !word & HIGH
}

fn control(word: u64) -> u64 {
    word.wrapping_sub(LOW * 0x20) & !word & HIGH
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn slowly(text: &[u8], at: usize) -> (usize, bool) {
        let is_stop = |b: &u8| *b < 0x20 || matches!(b, b'"' | b'\\');
        let end = text[at..].iter().position(is_stop).map_or(text.len(), |n| at + n);
        (end, !text[at..end].is_ascii())
    }

    proptest! {
        #[test]
        fn finds_what_a_look_at_each_byte_finds(
            text in prop::collection::vec(
                prop_oneof![8 => 0x1fu8..=0x24, 4 => 0x5au8..=0x5e, 2 => any::<u8>(), 20 => Just(b'a')],
                0..40,
            ),
            at in any::<prop::sample::Index>(),
        ) {
            let at = at.index(text.len() + 1);
            let mut seen = Seen::default();
            let end = plain_until(&text, at, &mut seen);
            prop_assert_eq!((end, seen.beyond_ascii()), slowly(&text, at));
        }

        #[test]
        fn stops_at_what_is_no_plain_ascii(
            bytes in prop::array::uniform8(prop_oneof![8 => Just(b'a'), 2 => any::<u8>(), 1 => Just(b'"')]),
        ) {
            let is_stop = |b: &u8| !(0x20..0x80).contains(b) || matches!(b, b'"' | b'\\');
            let slowly = bytes.iter().position(is_stop).map_or(Stops::Nowhere, Stops::Before);
            prop_assert_eq!(stops(u64::from_le_bytes(bytes)), slowly);
        }
    }
}
