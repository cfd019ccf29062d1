//! Where the lines of a block are, looked for when somebody asks.

use std::ops::Range;
use std::sync::OnceLock;

use memchr::memchr_iter;

/// A line in a block, without its line end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineRange {
    /// First byte.
    pub start: u32,
    /// One after the last byte.
    pub end: u32,
}

impl LineRange {
    pub(super) fn len(&self) -> usize {
        (self.end - self.start) as usize
    }
}

/// Where the lines of a block are. A run of lines that nobody looks at, as between a file and a file, is
/// only counted: that is several times as fast as to find each.
#[derive(Clone, Debug)]
pub(super) struct Ranges {
    found: OnceLock<Vec<LineRange>>,
    run: Option<Run>,
}

/// Lines, each with a line feed after it, and nothing else.
#[derive(Clone, Copy, Debug)]
struct Run {
    start: u32,
    end: u32,
    lines: u32,
}

impl From<Vec<LineRange>> for Ranges {
    fn from(found: Vec<LineRange>) -> Self {
        Ranges { found: found.into(), run: None }
    }
}

impl Ranges {
    /// The lines from `run.start` to `run.end`, where the last line feed is the last byte.
    ///
    /// # Panics
    /// If the run does not lie in the block, or ends with anything else.
    pub(super) fn of_run(block: &[u8], run: Range<usize>) -> Self {
        let bytes = &block[run.clone()];
        assert!(bytes.last().is_none_or(|last| *last == b'\n'), "the last line has no end");
        let lines = memchr_iter(b'\n', bytes).count() as u32;
        let run = Run { start: run.start as u32, end: run.end as u32, lines };
        Ranges { found: OnceLock::new(), run: Some(run) }
    }

    pub(super) fn len(&self) -> usize {
        match (&self.run, self.found.get()) {
            (Some(run), _) => run.lines as usize,
            (None, found) => found.map_or(0, Vec::len),
        }
    }

    /// Bytes of the lines, without their ends.
    pub(super) fn bytes(&self) -> usize {
        match (&self.run, self.found.get()) {
            (Some(run), _) => (run.end - run.start - run.lines) as usize,
            (None, found) => found.into_iter().flatten().map(LineRange::len).sum(),
        }
    }

    /// Where all of them are, with their line feeds, when they are one run.
    pub(super) fn run(&self) -> Option<Range<usize>> {
        self.run.map(|run| run.start as usize..run.end as usize)
    }

    /// Where all of them are, and how many, when they are one run in which nobody has found them yet.
    pub(super) fn unseen_run(&self) -> Option<(Range<usize>, usize)> {
        let run = self.run.filter(|_| self.found.get().is_none())?;
        Some((run.start as usize..run.end as usize, run.lines as usize))
    }

    /// Says where the lines of the run are, for who found them.
    pub(super) fn set(&mut self, found: Vec<LineRange>) {
        debug_assert_eq!(found.len(), self.len());
        self.found = found.into();
    }

    pub(super) fn get(&self, block: &[u8]) -> &[LineRange] {
        self.found.get_or_init(|| self.run.map_or_else(Vec::new, |run| run.split(block)))
    }

    /// Takes them, to put others in their place.
    pub(super) fn take(&mut self, block: &[u8]) -> Vec<LineRange> {
        self.get(block);
        self.run = None;
        self.found.take().unwrap_or_default()
    }
}

impl Run {
    fn split(self, block: &[u8]) -> Vec<LineRange> {
        let mut lines = Vec::with_capacity(self.lines as usize);
        let mut start = self.start;
        for at in memchr_iter(b'\n', &block[self.start as usize..self.end as usize]) {
            let end = self.start + at as u32;
            lines.push(LineRange { start, end });
            start = end + 1;
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_the_lines_that_are_in_it() {
        let block = b"before\none\n\nthree\nafter";
        let mut ranges = Ranges::of_run(block, 7..18);
        assert_eq!((ranges.len(), ranges.bytes(), ranges.run()), (3, 8, Some(7..18)));
        let expected = [(7, 10), (11, 11), (12, 17)].map(|(start, end)| LineRange { start, end });
        assert_eq!(ranges.get(block), expected);
        assert_eq!((ranges.len(), ranges.bytes()), (3, 8));
        let taken = ranges.take(block);
        assert_eq!(taken, expected);
        assert_eq!((ranges.len(), ranges.run()), (0, None));
        let ranges = Ranges::from(taken);
        assert_eq!((ranges.len(), ranges.bytes(), ranges.run()), (3, 8, None));
        let none = Ranges::of_run(block, 3..3);
        assert_eq!((none.len(), none.bytes(), none.get(block)), (0, 0, &[][..]));
    }
}
