//! Sets of characters, and how far a run of them goes.

use regex_syntax::hir;
use wide::{i8x16, u8x16};

/// A set of bytes, for looking one up.
pub(super) type Bytes = Box<[bool; 256]>;

/// A set of characters: of code points in UTF-8, or of single bytes.
#[derive(Clone, PartialEq)]
pub(super) struct Class {
    /// Of code points the ASCII ones; of bytes all.
    bytes: Bytes,
    beyond: Beyond,
    stops: Stops,
}

/// Which bytes end a pass over sixteen at a time: those that are no ASCII, and those that may end a run.
#[derive(Clone, Copy, PartialEq)]
struct Stops {
    /// Those that are below this byte.
    below: i8x16,
    /// Those that are above this byte.
    above: i8x16,
    /// This byte.
    at: i8x16,
}

/// The members that are longer than a byte.
#[derive(Clone, PartialEq, Eq)]
enum Beyond {
    /// None: this is a class of bytes, or of ASCII.
    None,
    /// Every code point beyond ASCII.
    All,
    /// The code points in these ranges, which are in order.
    Some(Box<[(char, char)]>),
}

impl Class {
    /// The class of code points or bytes that the syntax tree names.
    pub(super) fn new(class: &hir::Class) -> Self {
        let mut bytes: Bytes = Box::new([false; 256]);
        let beyond = match class {
            hir::Class::Bytes(class) => {
                for range in class.ranges() {
                    bytes[usize::from(range.start())..=usize::from(range.end())].fill(true);
                }
                Beyond::None
            }
            hir::Class::Unicode(class) => {
                let mut beyond = Vec::new();
                for range in class.ranges() {
                    let (start, end) = (range.start(), range.end());
                    if start.is_ascii() {
                        let end = end.min('\x7f');
                        bytes[start as usize..=end as usize].fill(true);
                    }
                    if !end.is_ascii() {
                        beyond.push((start.max('\u{80}'), end));
                    }
                }
                match *beyond {
                    [] => Beyond::None,
                    [('\u{80}', char::MAX)] => Beyond::All,
                    _ => Beyond::Some(beyond.into()),
                }
            }
        };
        Class { stops: Stops::of(&bytes), bytes, beyond }
    }

    /// The class of this ASCII character alone.
    pub(super) fn of_ascii(byte: u8) -> Self {
        let mut bytes: Bytes = Box::new([false; 256]);
        bytes[usize::from(byte)] = true;
        Class { stops: Stops::of(&bytes), bytes, beyond: Beyond::None }
    }

    /// The bytes with which a member may begin.
    pub(super) fn first_bytes(&self) -> Bytes {
        let mut first = self.bytes.clone();
        if self.beyond != Beyond::None {
            // All that begin a code point of more than one byte.
            first[0xc2..=0xf4].fill(true);
        }
        first
    }

    /// Where a member that begins at `at` ends.
    #[inline]
    pub(super) fn one(&self, text: &[u8], at: usize) -> Option<usize> {
        match *text.get(at)? {
            byte if self.bytes[usize::from(byte)] => Some(at + 1),
            0x80.. => self.long(text, at),
            _ => None,
        }
    }

    /// Where the longest run of members from `at` on ends.
    #[inline]
    pub(super) fn run(&self, text: &[u8], at: usize) -> usize {
        self.run_before(text, at, text.len())
    }

    /// Where the longest run of members from `at` on ends that ends at `limit` at the latest. What is behind
    /// that is looked at, and does not count.
    #[inline]
    pub(super) fn run_before(&self, text: &[u8], mut at: usize, limit: usize) -> usize {
        loop {
            at = self.stops.pass(text, at);
            let Some(rest) = text.get(at..limit) else { return limit };
            // Mostly that was the end of the run. Else less than sixteen bytes are left, or one was passed
            // over in vain.
            if rest.first().is_some_and(|b| b.is_ascii() && !self.bytes[usize::from(*b)]) {
                return at;
            }
            at += rest.iter().position(|b| !self.bytes[usize::from(*b)]).unwrap_or(rest.len());
            match text[..limit].get(at) {
                Some(0x80..) => match self.long(&text[..limit], at) {
                    Some(next) => at = next,
                    None => return at,
                },
                _ => return at,
            }
        }
    }

    /// Where `n` members from `at` on end, and how many there were if they were fewer.
    pub(super) fn some(&self, text: &[u8], mut at: usize, n: u32) -> (usize, u32) {
        for i in 0..n {
            match self.one(text, at) {
                Some(next) => at = next,
                None => return (at, i),
            }
        }
        (at, n)
    }

    /// Where the member of a run begins that ends at `at`.
    pub(super) fn before(&self, text: &[u8], at: usize) -> usize {
        let mut start = at - 1;
        if self.beyond != Beyond::None {
            while matches!(text[start], 0x80..=0xbf) {
                start -= 1;
            }
        }
        start
    }

    /// Where a member of more than one byte that begins at `at` ends.
    #[cold]
    fn long(&self, text: &[u8], at: usize) -> Option<usize> {
        if self.beyond == Beyond::None || text.get(at)?.is_ascii() {
            return None;
        }
        let head = &text[at..text.len().min(at + 4)];
        let valid = match std::str::from_utf8(head) {
            Ok(valid) => valid,
            Err(error) => std::str::from_utf8(&head[..error.valid_up_to()]).ok()?,
        };
        let c = valid.chars().next()?;
        let is_member = match &self.beyond {
            Beyond::None => false,
            Beyond::All => true,
            Beyond::Some(ranges) => {
                let i = ranges.partition_point(|(_, end)| *end < c);
                ranges.get(i).is_some_and(|(start, _)| *start <= c)
            }
        };
        is_member.then(|| at + c.len_utf8())
    }
}

impl Stops {
    /// For a class of these bytes: what stops, and what is no member.
    fn of(bytes: &Bytes) -> Self {
        let mut outside = (0..128u8).filter(|byte| !bytes[usize::from(*byte)]);
        let mut inside = (0..128u8).filter(|byte| bytes[usize::from(*byte)]);
        let n = inside.clone().count();
        let (first, last) = (inside.next(), inside.next_back());
        let (below, above, at) = match (outside.next(), outside.next_back()) {
            (Some(only), None) => (0, 127, only),
            (_, Some(last)) if last < b'@' => (last + 1, 127, last),
            _ => match (first, last.or(first)) {
                (Some(first), Some(last)) if usize::from(last - first) + 1 == n => {
                    (first, last, first.wrapping_sub(1))
                }
                // Each byte must be looked at.
                _ => (127, 0, 0),
            },
        };
        let all = |byte: u8| i8x16::splat(byte.cast_signed());
        Stops { below: all(below), above: all(above), at: all(at) }
    }

    /// Passes over sixteen bytes at a time, to the first that stops, or to where fewer are left.
    #[inline]
    fn pass(&self, text: &[u8], mut at: usize) -> usize {
        while let Some(bytes) = text.get(at..).and_then(<[u8]>::first_chunk::<16>) {
            let bytes = u8x16::new(*bytes).cast_signed();
            // What is beyond ASCII is negative.
            let stops =
                bytes.simd_lt(self.below) | bytes.simd_gt(self.above) | bytes.simd_eq(self.at);
            let found = stops.to_bitmask();
            if found != 0 {
                return at + found.trailing_zeros() as usize;
            }
            at += 16;
        }
        at
    }
}
