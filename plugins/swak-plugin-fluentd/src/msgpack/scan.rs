//! Finds where a value ends while its bytes are still coming in.

use super::MAX_SCAN_DEPTH;
use super::head::{Head, NoHead};

/// Finds the end of one value.
///
/// Each byte is looked at once however often more of them come, and the memory it takes is that of
/// the depth: a peer that announces four billion items costs nothing.
#[derive(Debug, Default)]
pub(crate) struct Scanner {
    /// Where the next head is.
    at: usize,
    /// How many values are still to come in each open list and map.
    open: Vec<u64>,
    /// Nothing is to come but the content of the last value.
    closed: bool,
}

/// Why bytes are no value that would be accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ScanError {
    #[error("a byte that MessagePack never uses")]
    Reserved,
    #[error("more than {MAX_SCAN_DEPTH} lists and maps in each other")]
    TooDeep,
    #[error("larger than `max_message` allows")]
    TooLong,
}

impl Scanner {
    /// Goes on in a value that begins at the first byte of `bytes`, and is given all of it again
    /// with each call. `Some` is its length; the scanner is then ready for another value. `None`
    /// when more bytes are needed.
    pub(crate) fn advance(&mut self, bytes: &[u8], max: usize) -> Result<Option<usize>, ScanError> {
        while !self.closed {
            // An announced length may lie beyond the bytes that are here.
            let Some(rest) = bytes.get(self.at..) else { return Ok(None) };
            let (head, len) = match Head::read(rest) {
                Ok(found) => found,
                Err(NoHead::Incomplete) => return Ok(None),
                Err(NoHead::Reserved) => return Err(ScanError::Reserved),
            };
            self.at = self.at.saturating_add(len).saturating_add(head.content());
            let items = head.items();
            // Each value to come takes a byte at least.
            if (self.at as u64).saturating_add(items) > max as u64 {
                return Err(ScanError::TooLong);
            }
            if items == 0 {
                self.closed = self.close();
            } else if self.open.len() == MAX_SCAN_DEPTH {
                return Err(ScanError::TooDeep);
            } else {
                self.open.push(items);
            }
        }
        if self.at > bytes.len() {
            return Ok(None);
        }
        self.closed = false;
        Ok(Some(std::mem::take(&mut self.at)))
    }

    /// Counts one value as complete, and with it what it completes; `true` when nothing is open.
    fn close(&mut self) -> bool {
        while let Some(left) = self.open.last_mut() {
            *left -= 1;
            if *left > 0 {
                return false;
            }
            self.open.pop();
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// `[1, {"a": "xyz"}, [], bin 300]`
    fn sample() -> Vec<u8> {
        let mut bytes = vec![0x94, 1, 0x81, 0xa1, b'a', 0xa3, b'x', b'y', b'z', 0x90, 0xc5, 1, 44];
        bytes.extend_from_slice(&[7; 300]);
        bytes
    }

    #[test]
    fn the_end_is_found_whatever_the_pieces() {
        let bytes = sample();
        let mut scanner = Scanner::default();
        for end in 0..bytes.len() {
            assert_eq!(scanner.advance(&bytes[..end], 1000), Ok(None), "after {end} bytes");
        }
        let mut more = bytes.clone();
        more.extend_from_slice(b"rest");
        assert_eq!(scanner.advance(&more, 1000), Ok(Some(bytes.len())));
        assert_eq!(scanner.advance(&bytes, 1000), Ok(Some(bytes.len())), "it begins anew");
    }

    #[test]
    fn what_is_too_long_is_refused_before_it_is_here() {
        let of = |bytes: &[u8]| Scanner::default().advance(bytes, 1000);
        assert_eq!(of(&[0xdd, 0xff, 0xff, 0xff, 0xff]), Err(ScanError::TooLong), "array");
        assert_eq!(of(&[0xdf, 0, 0, 1, 0xf4]), Err(ScanError::TooLong), "map of 500 entries");
        assert_eq!(of(&[0xc6, 0xff, 0xff, 0xff, 0xff]), Err(ScanError::TooLong), "bin");
        assert_eq!(of(&[0xc5, 3, 0xe5]), Ok(None), "997 bytes and their head");
        assert_eq!(of(&[0xc5, 3, 0xe6]), Err(ScanError::TooLong));
    }

    #[test]
    fn depth_is_bounded() {
        let nested = |depth: usize| {
            let mut bytes = vec![0x91; depth];
            bytes.push(0);
            Scanner::default().advance(&bytes, 5000)
        };
        assert_eq!(nested(MAX_SCAN_DEPTH), Ok(Some(MAX_SCAN_DEPTH + 1)));
        assert_eq!(nested(MAX_SCAN_DEPTH + 1), Err(ScanError::TooDeep));
    }

    #[test]
    fn the_byte_that_is_never_used_is_refused() {
        assert_eq!(Scanner::default().advance(&[0x91, 0xc1], 1000), Err(ScanError::Reserved));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic_and_pieces_change_nothing(
            bytes in prop::collection::vec(any::<u8>(), 0..200), cut in 0..200usize,
        ) {
            let whole = Scanner::default().advance(&bytes, 150);
            let mut scanner = Scanner::default();
            let first = scanner.advance(&bytes[..cut.min(bytes.len())], 150);
            let pieces = if first == Ok(None) { scanner.advance(&bytes, 150) } else { first };
            prop_assert_eq!(whole, pieces);
        }
    }
}
