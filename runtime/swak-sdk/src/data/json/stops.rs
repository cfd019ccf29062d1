//! Where strings may end in a text, found for all of it at once.
//!
//! To look at sixteen bytes anew for each string costs more than to look at all bytes once and to write down
//! what was seen: one bit for each.

use super::plain::{WIDTH, high, stops};

/// The bytes of a text of which each has a bit in one word.
const WORD: usize = u64::BITS as usize;

/// The places of the bytes that cannot stand in a JSON string by themselves: quotes, backslashes and control
/// characters. It is used again for one text after the other.
#[derive(Debug, Default)]
pub(super) struct Stops {
    words: Vec<Word>,
}

#[derive(Clone, Copy, Debug)]
struct Word {
    /// One bit for each byte, the lowest for the first.
    stops: u64,
    /// Not zero when one of the bytes is beyond ASCII.
    high: u32,
}

impl Stops {
    /// Those of another text.
    pub(super) fn find(&mut self, text: &[u8]) {
        let (words, rest) = text.as_chunks();
        self.words.clear();
        self.words.reserve(words.len() + 1);
        self.words.extend(words.iter().map(Word::of));
        if !rest.is_empty() {
            // What is behind the end stops too.
            let mut last = [0; WORD];
            last[..rest.len()].copy_from_slice(rest);
            self.words.push(Word::of(&last));
        }
    }

    /// The first at this place or behind it; a place behind the end when there is none.
    #[inline(always)]
    pub(super) fn next(&self, at: usize) -> usize {
        match self.words.get(at / WORD) {
            Some(word) if word.stops >> (at % WORD) != 0 => {
                at + (word.stops >> (at % WORD)).trailing_zeros() as usize
            }
            _ => self.next_word(at / WORD + 1),
        }
    }

    /// The first in this word or behind it.
    #[inline]
    fn next_word(&self, word: usize) -> usize {
        let rest = self.words.get(word..).unwrap_or_default();
        let empty = rest.iter().take_while(|word| word.stops == 0).count();
        let bit = rest.get(empty).map_or(0, |word| word.stops.trailing_zeros() as usize);
        (word + empty) * WORD + bit
    }

    /// Whether the bytes of a part of the text are ASCII for sure.
    #[inline]
    pub(super) fn is_ascii(&self, start: usize, end: usize) -> bool {
        let words = self.words.get(start / WORD..end.div_ceil(WORD));
        words.is_some_and(|words| words.iter().fold(0, |high, word| high | word.high) == 0)
    }
}

impl Word {
    #[inline(always)]
    fn of(bytes: &[u8; WORD]) -> Word {
        let (parts, _) = bytes.as_chunks::<WIDTH>();
        let each = parts.iter().enumerate();
        let stops = each.fold(0, |all, (i, part)| all | u64::from(stops(part)) << (i * WIDTH));
        Word { stops, high: high(bytes) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn byte() -> impl Strategy<Value = u8> {
        prop_oneof![60 => Just(b'a'), 1 => 0x1fu8..=0x24, 1 => 0x5au8..=0x5e, 1 => any::<u8>()]
    }

    proptest! {
        #[test]
        fn each_is_found(
            first in prop::collection::vec(byte(), 0..300),
            text in prop::collection::vec(byte(), 0..300),
            at in any::<prop::sample::Index>(),
            to in any::<prop::sample::Index>(),
        ) {
            let mut stops = Stops::default();
            stops.find(&first);
            stops.find(&text);
            let is_stop = |byte: &u8| *byte < 0x20 || matches!(byte, b'"' | b'\\');
            let at = at.index(text.len() + 1);
            let next = stops.next(at);
            match text[at..].iter().position(is_stop) {
                Some(n) => prop_assert_eq!(next, at + n),
                None => prop_assert!(next >= text.len()),
            }
            let end = at + to.index(text.len() - at + 1);
            prop_assert!(!stops.is_ascii(at, end) || text[at..end].is_ascii());
            let around = at / WORD * WORD..(end.div_ceil(WORD) * WORD).min(text.len());
            if let Some(around) = text.get(around) {
                prop_assert_eq!(stops.is_ascii(at, end), around.is_ascii());
            }
            prop_assert!(stops.next(text.len() + 1000) >= text.len());
        }
    }
}
