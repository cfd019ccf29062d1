//! Lines of a stream of bytes: a pipe, standard input.

use std::sync::Arc;

use memchr::memchr;
use swak_sdk::data::{Batch, BlockPool, Timestamp};
use swak_sdk::plugin::Counters;

use super::lines::{Lines, Splitter, Unit};

/// Cuts a stream into lines. What is held is never more than one line and what was just read.
pub(super) struct StreamLines {
    splitter: Splitter,
    pool: BlockPool,
    counters: Arc<Counters>,
    /// The beginning of a line that has no end yet.
    buffer: Vec<u8>,
    /// No line was given yet, so that the mark of UTF-8 may stand before it, which is no text.
    is_start: bool,
    warned_of_cut: bool,
}

/// Bytes that are read at once.
pub(super) const READ: usize = 64 << 10;

/// Room for a line end, so that a line of just the greatest length is not taken for a longer one.
const LINE_END: usize = 4;

const MARK: &[u8] = b"\xef\xbb\xbf";

impl StreamLines {
    /// For lines of at most `max_line` bytes; longer ones are cut, and counted as errors.
    pub(super) fn new(max_line: usize, counters: Arc<Counters>) -> Self {
        let splitter = Splitter { unit: Unit::Byte, keep_cr: false, max_line };
        let pool = BlockPool::new(READ, 8);
        let buffer = pool.take();
        StreamLines { splitter, buffer, pool, counters, is_start: true, warned_of_cut: false }
    }

    /// From now on, longer lines are counted here.
    pub(super) fn count_in(&mut self, counters: Arc<Counters>) {
        self.counters = counters;
    }

    /// The beginning of a line that was taken out by [`StreamLines::finish`].
    pub(super) fn put_back(&mut self, begun: &[u8]) {
        self.buffer.splice(..0, begun.iter().copied());
    }

    /// Takes bytes and gives the lines that are complete now.
    pub(super) fn push(&mut self, mut bytes: &[u8]) -> Option<Batch> {
        let most = self.splitter.max_line + LINE_END;
        if self.buffer.len() >= most {
            // The rest of a line that is too long is not wanted.
            bytes = &bytes[memchr(b'\n', bytes)?..];
        }
        self.buffer.extend_from_slice(bytes);
        let lines = self.splitter.split(&self.buffer, 0);
        if lines.ranges.is_empty() {
            self.buffer.truncate(most);
            return None;
        }
        let mut next = self.pool.take();
        let rest = &self.buffer[lines.consumed..];
        next.extend_from_slice(&rest[..rest.len().min(most)]);
        Some(self.batch(next, lines))
    }

    /// At the end of the stream: a last line without an end.
    pub(super) fn finish(&mut self) -> Option<Batch> {
        if self.buffer.is_empty() {
            return None;
        }
        let mut lines = Lines::default();
        self.splitter.push_unended(&self.buffer, &mut lines);
        Some(self.batch(Vec::new(), lines))
    }

    /// The lines of the buffer, which begins anew with what is next.
    fn batch(&mut self, next: Vec<u8>, mut lines: Lines) -> Batch {
        if std::mem::replace(&mut self.is_start, false) && self.buffer.starts_with(MARK) {
            let first = lines.ranges.first_mut().filter(|line| line.end >= MARK.len() as u32);
            first.into_iter().for_each(|line| line.start = MARK.len() as u32);
        }
        let block = self.pool.seal(std::mem::replace(&mut self.buffer, next));
        self.count_cut(lines.cut.len());
        lines.into_batch(block, Timestamp::now())
    }

    /// How many bytes of a line without an end are held.
    #[cfg(any(test, feature = "fuzz"))]
    pub(super) fn held(&self) -> usize {
        self.buffer.len()
    }

    fn count_cut(&mut self, cut: usize) {
        for _ in 0..cut {
            self.counters.error();
        }
        if cut > 0 && !self.warned_of_cut {
            self.warned_of_cut = true;
            tracing::warn!(
                "a line of more than {} bytes was cut; further ones are only counted",
                self.splitter.max_line
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn texts(batches: impl IntoIterator<Item = Batch>) -> Vec<Vec<u8>> {
        batches
            .into_iter()
            .flat_map(|b| b.iter().map(|r| r.line().unwrap().to_vec()).collect::<Vec<_>>())
            .collect()
    }

    #[test]
    fn a_mark_at_the_beginning_is_no_text() {
        for (content, expected) in [
            (&b"\xef\xbb\xbfa\n\xef\xbb\xbfb\n"[..], &[&b"a"[..], b"\xef\xbb\xbfb"][..]),
            (b"\xef\xbb\xbf\na\n", &[b"", b"a"]),
            (b"\xef\xbb\xbfa", &[b"a"]),
            (b"\xef\xbb", &[b"\xef\xbb"]),
        ] {
            let mut lines = StreamLines::new(100, Arc::default());
            let mut found = Vec::new();
            for byte in content {
                found.extend(lines.push(&[*byte]));
            }
            found.extend(lines.finish());
            assert_eq!(texts(found), expected);
        }
    }

    proptest! {
        #[test]
        fn any_pieces_give_the_lines_of_the_whole(
            content in proptest::collection::vec(
                prop_oneof![Just(b'\n'), Just(b'\r'), Just(b'a'), Just(b'b')], 0..300),
            piece in 1usize..50,
            max_line in 1usize..20,
        ) {
            let counters = Arc::<Counters>::default();
            let mut lines = StreamLines::new(max_line, Arc::clone(&counters));
            let mut found = Vec::new();
            for bytes in content.chunks(piece) {
                found.extend(lines.push(bytes));
                prop_assert!(lines.held() <= max_line + LINE_END);
            }
            found.extend(lines.finish());
            let mut expected: Vec<&[u8]> = content.split(|b| *b == b'\n').collect();
            let last = expected.pop().unwrap();
            let mut expected: Vec<&[u8]> =
                expected.iter().map(|l| l.strip_suffix(b"\r").unwrap_or(l)).collect();
            if !last.is_empty() {
                expected.push(last);
            }
            let long = expected.iter().filter(|l| l.len() > max_line).count();
            let expected: Vec<_> =
                expected.iter().map(|l| l[..l.len().min(max_line)].to_vec()).collect();
            prop_assert_eq!(texts(found), expected);
            prop_assert_eq!(counters.snapshot().errors, long as u64);
        }
    }
}
