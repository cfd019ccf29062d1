//! Finding the lines in a block of bytes.

use memchr::{memchr, memchr_iter};
use swak_sdk::data::{Batch, Block, LineRange, Timestamp};

/// How lines are told apart.
#[derive(Clone, Copy, Debug)]
pub(super) struct Splitter {
    pub(super) unit: Unit,
    /// A carriage return before a line feed belongs to the line.
    pub(super) keep_cr: bool,
    /// Bytes of the longest line that is kept whole.
    pub(super) max_line: usize,
}

/// What a line feed looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    /// One byte, which is part of no other character: UTF-8 and every legacy encoding.
    Byte,
    /// Two bytes, the lower first.
    Utf16Le,
    /// Two bytes, the higher first.
    Utf16Be,
}

/// The complete lines of a block.
#[derive(Debug, Default)]
pub(super) struct Lines {
    /// Where they are, without their ends.
    pub(super) ranges: Vec<LineRange>,
    /// Which of them were longer than allowed and were cut, by index.
    pub(super) cut: Vec<usize>,
    /// Bytes of the block up to the end of the last line.
    pub(super) consumed: usize,
}

impl Lines {
    /// The lines as records, those that were cut marked so.
    pub(super) fn into_batch(self, block: Block, time: Timestamp) -> Batch {
        let mut batch = Batch::from_lines(block, self.ranges, time);
        if !self.cut.is_empty() {
            let records = batch.records_mut();
            self.cut.iter().for_each(|i| records[*i].set_truncated(true));
        }
        batch
    }
}

impl Unit {
    /// How many of these bytes are before the NUL characters that end them.
    pub(super) fn before_blank(self, bytes: &[u8]) -> usize {
        let last = bytes.iter().rposition(|byte| *byte != 0);
        let data = last.map_or(0, |last| last + 1);
        data.next_multiple_of(self.width()).min(bytes.len())
    }

    /// Whether there is a NUL character among them.
    pub(super) fn has_blank(self, bytes: &[u8]) -> bool {
        match self {
            Unit::Byte => memchr(0, bytes).is_some(),
            Unit::Utf16Le | Unit::Utf16Be => bytes.as_chunks().0.contains(&[0, 0]),
        }
    }

    /// Bytes of a line feed, to a multiple of which all places in a file are rounded.
    pub(super) fn width(self) -> usize {
        match self {
            Unit::Byte => 1,
            Unit::Utf16Le | Unit::Utf16Be => 2,
        }
    }

    /// Bytes of a carriage return and a line feed.
    pub(super) fn longest_end(self) -> usize {
        2 * self.width()
    }
}

impl Splitter {
    /// The complete lines of a block that begins at the beginning of a line. `expected` is about how
    /// many there are.
    pub(super) fn split(&self, block: &[u8], expected: usize) -> Lines {
        let ranges = Vec::with_capacity(expected);
        let mut lines = Lines { ranges, ..Lines::default() };
        match self.unit {
            Unit::Byte => {
                for feed in memchr_iter(b'\n', block) {
                    self.push(block, feed, 1, &mut lines);
                }
            }
            Unit::Utf16Le | Unit::Utf16Be => {
                let mut from = 0;
                while let Some(feed) = self.find_feed(&block[from..]) {
                    self.push(block, from + feed, 2, &mut lines);
                    from += feed + 2;
                }
            }
        }
        lines
    }

    /// Bytes of a block that are lines just as they are to be, each with a line feed after it; `None` when
    /// they have to be looked at one by one, or there are none.
    pub(super) fn run(&self, block: &[u8]) -> Option<usize> {
        let end = self.end_of_last_line(block);
        let is_plain = || self.keep_cr || memchr(b'\r', &block[..end]).is_none();
        (self.unit == Unit::Byte && (1..=self.max_line).contains(&end) && is_plain()).then_some(end)
    }

    /// Where the first line feed begins. The bytes begin at a character.
    pub(super) fn find_feed(&self, bytes: &[u8]) -> Option<usize> {
        let (first, second) = match self.unit {
            Unit::Byte => return memchr(b'\n', bytes),
            Unit::Utf16Le => (b'\n', 0),
            Unit::Utf16Be => (0, b'\n'),
        };
        // Only the byte that is not zero is searched: the other one is everywhere.
        memchr_iter(b'\n', bytes)
            .map(|at| if self.unit == Unit::Utf16Le { at } else { at.wrapping_sub(1) })
            .find(|&at| {
                at.is_multiple_of(2)
                    && bytes.get(at) == Some(&first)
                    && bytes.get(at + 1) == Some(&second)
            })
    }

    /// Where the last line feed ends, or 0. The bytes begin at a character.
    pub(super) fn end_of_last_line(&self, bytes: &[u8]) -> usize {
        match self.unit {
            Unit::Byte => memchr::memrchr(b'\n', bytes).map_or(0, |at| at + 1),
            Unit::Utf16Le | Unit::Utf16Be => {
                let feed = if self.unit == Unit::Utf16Le { [b'\n', 0] } else { [0, b'\n'] };
                let pairs = bytes.chunks_exact(2);
                pairs.rev().position(|pair| pair == feed).map_or(0, |n| bytes.len() / 2 * 2 - 2 * n)
            }
        }
    }

    /// The range of a line from `start` whose line feed is at `feed`, without its end and cut to
    /// the greatest length; and whether it was cut.
    fn line(&self, block: &[u8], start: usize, feed: usize) -> (LineRange, bool) {
        let mut end = feed;
        if !self.keep_cr {
            end -= match (self.unit, &block[start..end]) {
                (Unit::Byte, [.., b'\r']) => 1,
                (Unit::Utf16Le, [.., b'\r', 0]) | (Unit::Utf16Be, [.., 0, b'\r']) => 2,
                _ => 0,
            };
        }
        let cut = end - start > self.max_line;
        if cut {
            end = self.cut(block, start);
        }
        (LineRange { start: start as u32, end: end as u32 }, cut)
    }

    /// Adds what follows the last complete line of a block as a line that has no end.
    pub(super) fn push_unended(&self, block: &[u8], lines: &mut Lines) {
        if lines.consumed < block.len() {
            let whole = Splitter { keep_cr: true, ..*self };
            whole.push(block, block.len(), 0, lines);
        }
    }

    fn push(&self, block: &[u8], feed: usize, width: usize, lines: &mut Lines) {
        let (line, is_cut) = self.line(block, lines.consumed, feed);
        if is_cut {
            lines.cut.push(lines.ranges.len());
        }
        lines.ranges.push(line);
        lines.consumed = feed + width;
    }

    /// The end of a line that is too long: not within a character, as far as that is UTF-8 or
    /// UTF-16.
    fn cut(&self, block: &[u8], start: usize) -> usize {
        let end = start + self.max_line / self.unit.width() * self.unit.width();
        if self.unit != Unit::Byte {
            return end;
        }
        let is_continuation = |at: usize| block[at] & 0b1100_0000 == 0b1000_0000;
        let back = (0..4).find(|&back| end - start > back && !is_continuation(end - back));
        back.map_or(end, |back| end - back)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn splitter(unit: Unit) -> Splitter {
        Splitter { unit, keep_cr: false, max_line: 1000 }
    }

    /// The lines, how many bytes they take, and how many were cut.
    fn lines<'a>(splitter: &Splitter, block: &'a [u8]) -> (Vec<&'a [u8]>, usize, usize) {
        let Lines { ranges, cut, consumed } = splitter.split(block, 0);
        let lines = ranges.iter().map(|r| &block[r.start as usize..r.end as usize]);
        (lines.collect(), consumed, cut.len())
    }

    #[test]
    fn line_ends_are_lf_and_crlf_and_a_lone_cr_stays() {
        let block = b"a\nb\r\n\r\n\nc\rd\n\r\r\nrest";
        let (found, consumed, cut) = lines(&splitter(Unit::Byte), block);
        assert_eq!(found, [&b"a"[..], b"b", b"", b"", b"c\rd", b"\r"]);
        assert_eq!((consumed, cut), (block.len() - 4, 0));
        let keep = Splitter { keep_cr: true, ..splitter(Unit::Byte) };
        assert_eq!(lines(&keep, b"b\r\n").0, [b"b\r"]);
    }

    #[test]
    fn a_long_line_is_cut_between_characters() {
        let short = Splitter { max_line: 5, ..splitter(Unit::Byte) };
        for (text, kept) in [
            ("12345\n", "12345"),
            ("12345\r\n", "12345"),
            ("123456\n", "12345"),
            ("1234é\n", "1234"),
            ("123é6\n", "123é"),
            ("1😀56\n", "1😀"),
            ("12😀6\n", "12"),
        ] {
            let (found, _, cut) = lines(&short, text.as_bytes());
            assert_eq!(String::from_utf8_lossy(found[0]), kept, "{text:?}");
            assert_eq!(cut, usize::from(text.trim_end().len() > 5), "{text:?}");
        }
        // Not UTF-8: cut at the limit.
        assert_eq!(lines(&short, &[&[0x80; 9][..], b"\n"].concat()).0, [[0x80; 5]]);
    }

    #[test]
    fn nul_characters_at_the_end_are_whole() {
        for (bytes, one, two) in [
            (&b""[..], 0, 0),
            (b"abc", 3, 3),
            (b"a\0\0\0", 1, 2),
            (b"\0a\0\0", 2, 2),
            (b"\0\0\0", 0, 0),
            (b"ab\0", 2, 2),
        ] {
            let found = [Unit::Byte, Unit::Utf16Be].map(|unit| unit.before_blank(bytes));
            assert_eq!(found, [one, two], "{bytes:?}");
        }
    }

    #[test]
    fn utf16_line_feeds_are_whole_characters() {
        // U+0A0A holds the byte of a line feed twice, U+0D0A and U+0A0D once more.
        let text = "a\u{0a0a}\u{0a0d}b\r\n\u{0d0a}\n\nrest";
        let expected = ["a\u{0a0a}\u{0a0d}b", "\u{0d0a}", ""];
        for (unit, bytes) in [
            (Unit::Utf16Le, text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>()),
            (Unit::Utf16Be, text.encode_utf16().flat_map(u16::to_be_bytes).collect()),
        ] {
            let (found, consumed, _) = lines(&splitter(unit), &bytes);
            let decode = |line: &[u8]| {
                let units: Vec<u16> = line
                    .chunks(2)
                    .map(|c| match unit {
                        Unit::Utf16Be => u16::from_be_bytes([c[0], c[1]]),
                        _ => u16::from_le_bytes([c[0], c[1]]),
                    })
                    .collect();
                String::from_utf16(&units).unwrap()
            };
            assert_eq!(found.iter().map(|l| decode(l)).collect::<Vec<_>>(), expected);
            assert_eq!(consumed, bytes.len() - 8);
            assert_eq!(splitter(unit).end_of_last_line(&bytes), bytes.len() - 8);
            assert_eq!(splitter(unit).end_of_last_line(&bytes[..bytes.len() - 7]), bytes.len() - 8);
        }
    }

    #[test]
    fn a_run_is_what_needs_no_look_at_each_line() {
        let utf8 = splitter(Unit::Byte);
        assert_eq!(utf8.run(b"one\ntwo\nthr"), Some(8));
        assert_eq!(utf8.run(b"one\ntwo\r"), Some(4));
        for block in [&b"one\r\ntwo\n"[..], b"one", b""] {
            assert_eq!(utf8.run(block), None, "{block:?}");
        }
        assert_eq!(Splitter { keep_cr: true, ..utf8 }.run(b"one\r\n"), Some(5));
        assert_eq!(Splitter { max_line: 7, ..utf8 }.run(b"one\ntwo\n"), None);
        assert_eq!(splitter(Unit::Utf16Le).run(b"a\0\n\0"), None);
    }

    fn naive(content: &[u8], max_line: usize) -> Vec<Vec<u8>> {
        let mut lines: Vec<&[u8]> = content.split(|b| *b == b'\n').collect();
        lines.pop();
        lines
            .iter()
            .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
            .map(|line| line[..line.len().min(max_line)].to_vec())
            .collect()
    }

    proptest! {
        #[test]
        fn any_blocks_give_the_lines_of_the_naive_way(
            content in proptest::collection::vec(
                prop_oneof![Just(b'\n'), Just(b'\r'), Just(b'a'), Just(0)], 0..200),
            block in 1usize..40,
            max_line in 1usize..20,
        ) {
            let splitter = Splitter { max_line, ..splitter(Unit::Byte) };
            let (mut found, mut start, mut len) = (Vec::new(), 0, block);
            while start + len <= content.len() || start < content.len() {
                let part = &content[start..content.len().min(start + len)];
                let (lines, consumed, _) = lines(&splitter, part);
                found.extend(lines.iter().map(|l| l.to_vec()));
                start += consumed;
                if consumed == 0 {
                    if start + len >= content.len() {
                        break;
                    }
                    // No line end in the block: the next one is longer.
                    len *= 2;
                }
            }
            prop_assert_eq!(found, naive(&content, max_line));
        }
    }
}
