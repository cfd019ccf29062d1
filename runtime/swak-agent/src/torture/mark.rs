//! Marks: what every generated line carries, and how it is found again in whatever comes out.
//!
//! A mark is `swak1:SOURCE:SEQUENCE:FILLER:CHECKSUM`, for example `swak1:2:1045:kqzhv:9f0c2d11`: the
//! number of the source, the number of the line in it, both from 0, some letters, and the FNV-1a hash
//! (32 bits, hexadecimal) of all that stands before the last colon. It has no character that JSON,
//! CSV or a regular expression for words and punctuation would escape or cut, so that it is found by
//! looking at bytes, whatever the format is.

use std::io::Write as _;

/// A line of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    /// Which source, from 0.
    pub(super) source: usize,
    /// Which line of it, from 0.
    pub(super) sequence: u64,
}

/// The most letters that a mark is filled with, for lines of different lengths.
pub(super) const MAX_FILLER: u64 = 400;

const BEGINNING: &[u8] = b"swak1:";

/// No mark is longer: two numbers of 20 digits, three colons and the checksum beside the letters.
const LONGEST: usize = BEGINNING.len() + 20 + 1 + 20 + 1 + MAX_FILLER as usize + 1 + 8;

impl Mark {
    /// Appends the mark, filled with so many letters, that depend on `random`.
    pub(super) fn write(self, filler: u64, random: u64, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(BEGINNING);
        write!(out, "{}:{}:", self.source, self.sequence).expect("memory takes all");
        let letters =
            (0..filler.min(MAX_FILLER)).map(|i| b'a' + (random.rotate_left(i as u32) % 26) as u8);
        out.extend(letters);
        let checksum = checksum(&out[start..]);
        write!(out, ":{checksum:08x}").expect("memory takes all");
    }
}

/// Finds marks in bytes that come piece by piece.
#[derive(Debug, Default)]
pub(super) struct Scanner {
    /// The end of what came before, in which a mark may have begun.
    rest: Vec<u8>,
    /// Marks that were cut or changed.
    torn: u64,
}

impl Scanner {
    /// Looks at the next bytes and tells of each mark that is complete.
    pub(super) fn feed(&mut self, bytes: &[u8], mut found: impl FnMut(Mark)) {
        let mut text = std::mem::take(&mut self.rest);
        text.extend_from_slice(bytes);
        let mut at = 0;
        while let Some(begin) = find_beginning(&text[at..]).map(|found| found + at) {
            match parse(&text[begin..]) {
                Parsed::Mark(mark, length) => {
                    found(mark);
                    at = begin + length;
                }
                Parsed::Torn(length) => {
                    self.torn += 1;
                    at = begin + length;
                }
                Parsed::Unfinished => {
                    text.drain(..begin);
                    self.rest = text;
                    return;
                }
            }
        }
        // The first letters of a mark may be the last ones here.
        let keep = text.len().min(BEGINNING.len() - 1).min(text.len() - at);
        text.drain(..text.len() - keep);
        self.rest = text;
    }

    /// How many marks were cut or changed so far.
    pub(super) fn torn(&self) -> u64 {
        self.torn
    }
}

enum Parsed {
    /// A mark, and how long it is.
    Mark(Mark, usize),
    /// The beginning of a mark and something else after these bytes.
    Torn(usize),
    /// What is there may become a mark.
    Unfinished,
}

fn find_beginning(text: &[u8]) -> Option<usize> {
    let mut at = 0;
    while let Some(s) = text[at..].iter().position(|byte| *byte == BEGINNING[0]) {
        at += s;
        if text[at..].starts_with(BEGINNING) {
            return Some(at);
        }
        at += 1;
    }
    None
}

fn parse(text: &[u8]) -> Parsed {
    let mut at = BEGINNING.len();
    let mut parts = [0..0, 0..0, 0..0];
    let belongs: [fn(&u8) -> bool; 3] =
        [u8::is_ascii_digit, u8::is_ascii_digit, u8::is_ascii_lowercase];
    for (part, belongs) in parts.iter_mut().zip(belongs) {
        let length = text[at..].iter().take_while(|byte| belongs(byte)).count();
        *part = at..at + length;
        at += length;
        match text.get(at) {
            _ if at > LONGEST => return Parsed::Torn(at),
            Some(b':') => at += 1,
            Some(_) => return Parsed::Torn(at),
            None => return Parsed::Unfinished,
        }
    }
    let Some(written) = text.get(at..at + 8) else {
        return match text[at..].iter().all(u8::is_ascii_hexdigit) {
            true => Parsed::Unfinished,
            false => Parsed::Torn(at),
        };
    };
    let number = |part: &std::ops::Range<usize>| {
        std::str::from_utf8(&text[part.clone()]).ok()?.parse::<u64>().ok()
    };
    let expected = format!("{:08x}", checksum(&text[..at - 1]));
    match (number(&parts[0]).and_then(|n| usize::try_from(n).ok()), number(&parts[1])) {
        (Some(source), Some(sequence)) if written == expected.as_bytes() => {
            Parsed::Mark(Mark { source, sequence }, at + 8)
        }
        _ => Parsed::Torn(at),
    }
}

/// FNV-1a, 32 bits (draft-eastlake-fnv).
fn checksum(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

/// Lines of the first source, each with a mark of three letters.
#[cfg(test)]
pub(super) fn lines(range: std::ops::Range<u64>) -> Vec<u8> {
    let mut out = Vec::new();
    for sequence in range {
        Mark { source: 0, sequence }.write(3, sequence, &mut out);
        out.push(b'\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(source: usize, sequence: u64) -> Mark {
        Mark { source, sequence }
    }

    fn written(mark: Mark, filler: u64) -> Vec<u8> {
        let mut out = Vec::new();
        mark.write(filler, 0x1234_5678_9abc_def0, &mut out);
        out
    }

    fn scan(pieces: &[&[u8]]) -> (Vec<Mark>, u64) {
        let (mut scanner, mut found) = (Scanner::default(), Vec::new());
        for piece in pieces {
            scanner.feed(piece, |mark| found.push(mark));
        }
        (found, scanner.torn())
    }

    #[test]
    fn marks_are_found_wherever_the_bytes_are_cut() {
        let mut text = b"{\"message\":\"s sw ".to_vec();
        for (i, filler) in [(0, 0), (1, 40), (2, MAX_FILLER)] {
            text.extend(written(mark(3, i), filler));
            text.extend_from_slice(b"\"}\nswak");
        }
        let all = vec![mark(3, 0), mark(3, 1), mark(3, 2)];
        for cut in 0..text.len() {
            let (left, right) = text.split_at(cut);
            assert_eq!(scan(&[left, right]), (all.clone(), 0), "cut at {cut}");
        }
        let single: Vec<&[u8]> = text.chunks(1).collect();
        assert_eq!(scan(&single), (all, 0));
    }

    #[test]
    fn a_mark_that_was_cut_or_changed_is_none() {
        let whole = written(mark(1, 77), 10);
        for length in 6..whole.len() {
            let mut text = whole[..length].to_vec();
            text.push(b'\n');
            text.extend(&whole);
            assert_eq!(scan(&[&text]), (vec![mark(1, 77)], 1), "the first {length} bytes");
        }
        let mut changed = whole;
        changed[10] ^= 1;
        assert_eq!(scan(&[&changed, b"\n"]), (vec![], 1));
    }

    #[test]
    fn what_looks_like_an_endless_mark_is_not_kept() {
        let mut scanner = Scanner::default();
        scanner.feed(b"swak1:1:1:", |_| panic!("no mark"));
        for _ in 0..1000 {
            scanner.feed(&[b'a'; 1000], |_| panic!("no mark"));
        }
        assert!(scanner.rest.len() < 2 * LONGEST + 1000);
        assert_eq!(scanner.torn(), 1);
    }
}
