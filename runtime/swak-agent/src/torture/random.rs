//! Chance that can be repeated: the same seed makes the same choices.

use std::ops::Range;

/// SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014): small,
/// and good enough to choose faults and moments.
#[derive(Clone, Debug)]
pub(super) struct Random(u64);

impl Random {
    /// A generator for a seed.
    pub(super) fn new(seed: u64) -> Self {
        Random(seed)
    }

    /// A seed that nobody chose.
    pub(super) fn new_seed() -> u64 {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let nanoseconds = since.map_or(0, |since| since.subsec_nanos());
        // Short enough to be typed.
        Random(u64::from(nanoseconds) ^ u64::from(std::process::id()) << 32).next() % 1_000_000
    }

    /// Another one, which does not disturb what this one gives.
    pub(super) fn fork(&mut self) -> Self {
        Random(self.next())
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number of the range, which must hold one.
    pub(super) fn within(&mut self, range: Range<u64>) -> u64 {
        let width = range.end.checked_sub(range.start).filter(|width| *width > 0);
        range.start + self.next() % width.expect("a range with a number in it")
    }

    /// True in so many of a hundred cases.
    pub(super) fn chance(&mut self, percent: u64) -> bool {
        self.next() % 100 < percent
    }

    /// One of them; there must be one.
    pub(super) fn pick<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        let place = self.within(0..all.len() as u64);
        &all[usize::try_from(place).expect("less than a length")]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same() {
        let draw = |seed| {
            let mut random = Random::new(seed);
            [random.next(), random.within(3..9), *random.pick(&[1, 2, 3]), random.fork().next()]
        };
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
    }

    #[test]
    fn numbers_stay_in_their_range() {
        let mut random = Random::new(1);
        let seen: std::collections::BTreeSet<_> = (0..200).map(|_| random.within(3..6)).collect();
        assert_eq!(seen.into_iter().collect::<Vec<_>>(), [3, 4, 5]);
        assert!((0..100).all(|_| !random.chance(0)) && (0..100).all(|_| random.chance(100)));
    }
}
