//! Whole numbers as text, without a division or a branch for each digit.

/// The greatest number of eight digits, and one.
const LIMIT: u32 = 100_000_000;

/// The digits of a number below 10⁸ from the first byte on, and how many there are. What is behind them is of
/// no meaning.
#[inline]
pub(super) fn short(n: u64) -> Option<([u8; 8], usize)> {
    let n = u32::try_from(n).ok().filter(|n| *n < LIMIT)?;
    // All parts are divided at once: two halves of four digits, then four of two, then eight of one. A
    // division is a multiplication that is exact for numbers that small.
    let (high, low) = (u64::from(n / 10_000), u64::from(n % 10_000));
    let fours = high | low << 32;
    let hundreds = ((fours * 10_486) >> 20) & 0x0000_007f_0000_007f;
    let twos = hundreds | (fours - 100 * hundreds) << 16;
    let tens = ((twos * 103) >> 10) & 0x000f_000f_000f_000f;
    let ones = tens | (twos - 10 * tens) << 8;
    // The first digit is the lowest byte.
    let zeros = (ones.trailing_zeros() / 8).min(7);
    let text = (ones | 0x3030_3030_3030_3030) >> (8 * zeros);
    Some((text.to_le_bytes(), 8 - zeros as usize))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(n: u64) -> Option<String> {
        let (digits, len) = short(n)?;
        Some(String::from_utf8(digits[..len].to_vec()).unwrap())
    }

    #[test]
    fn every_short_number_is_written() {
        let mut numbers: Vec<u64> = (0..=10_000).collect();
        numbers.extend((4..8).flat_map(|e| [10u64.pow(e) - 1, 10u64.pow(e), 10u64.pow(e) + 1]));
        numbers.push(99_999_999);
        for n in numbers {
            assert_eq!(text(n), Some(n.to_string()));
        }
        for n in [100_000_000, u64::from(u32::MAX) + 1, u64::MAX] {
            assert_eq!(text(n), None);
        }
    }

    proptest! {
        #[test]
        fn is_written_as_the_standard_library_writes_it(n in 0..u64::from(LIMIT)) {
            prop_assert_eq!(text(n), Some(n.to_string()));
        }
    }
}
