//! Lines that belong together: which of them become one record.
//!
//! A record of several lines is a range of the block from the beginning of the first to the end of
//! the last, so that joining copies nothing. What is decided about a line depends on the lines before
//! it in its record and on nothing else: read again from the beginning of a record, the same records
//! come out.

use std::time::Duration;

use swak_sdk::data::LineRange;
use swak_sdk::options::Pattern;
use swak_sdk::prelude::*;

use crate::inputs::lines::Lines;

/// How lines are joined to records.
#[derive(Clone, Debug, Options)]
pub struct MultilineOptions {
    /// A rule that is known by its name; `multiline="java"` is the same as
    /// `multiline={"preset": "java"}`.
    #[option(positional)]
    pub preset: Option<Preset>,
    /// What the first line of a record looks like; all that follow it belong to it:
    /// `{"start": "^\\d{4}-"}`.
    pub start: Option<Pattern>,
    /// What a line looks like that belongs to the one before it: `{"continue": "^\\s"}`. Together
    /// with `start`, a line that is neither is a record of its own.
    #[option(name = "continue")]
    pub continues: Option<Pattern>,
    /// What a line looks like that goes on in the one after it: `{"continue_past": r"\\$"}`.
    pub continue_past: Option<Pattern>,
    /// What the last line of a record looks like. Alone, all lines up to it belong to the record.
    pub end: Option<Pattern>,
    /// How long a record waits for its next line, when nothing more is written. What comes later
    /// begins another record.
    #[option(default = "1s")]
    pub timeout: Duration,
    /// The most lines of a record; the lines that follow begin another one, and it is marked as cut.
    #[option(default = 500, range = 1..=1_000_000)]
    pub max_lines: usize,
    /// The most bytes of a record of several lines, as `max_lines`.
    #[option(default = "1m")]
    pub max_size: ByteSize,
}

/// Rules that are known by their names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Choice)]
pub enum Preset {
    /// Indented lines belong to the line before them.
    Indented,
    /// Stack traces of Java, Kotlin and Scala: indented lines and causes.
    Java,
    /// Tracebacks of Python, with the line before them and the error at their end.
    Python,
    /// A backslash at the end of a line: it goes on in the next one.
    Backslash,
}

/// How lines are joined to records.
#[derive(Clone, Debug)]
pub(super) struct Multiline {
    start: Option<Pattern>,
    continues: Option<Pattern>,
    past: Option<Pattern>,
    end: Option<Pattern>,
    max_lines: usize,
    max_size: usize,
    timeout: Duration,
}

/// The records of a block.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Joined {
    /// Where they are.
    pub(super) ranges: Vec<LineRange>,
    /// Which of them were cut, by index.
    pub(super) cut: Vec<usize>,
    /// How many lines they are. The lines after that are the beginning of a record that may go on.
    pub(super) lines: usize,
}

/// The largest record that can be asked for. It is read again when it grows, so it has to fit in a
/// block twice.
const LARGEST: u64 = 1 << 30;

impl Multiline {
    /// Refuses rules that say nothing, or two things at once.
    pub(super) fn new(options: MultilineOptions) -> Result<Self> {
        let MultilineOptions { preset, start, continues, continue_past, end, .. } = options;
        let (timeout, max_lines, max_size) = (options.timeout, options.max_lines, options.max_size);
        let is_own = [&start, &continues, &continue_past, &end].iter().any(|p| p.is_some());
        ensure!(
            preset.is_some() || is_own,
            "`multiline` says not how records begin: add `start`, `continue`, `continue_past` or \
             `end`, or write multiline=\"indented\""
        );
        ensure!(
            preset.is_none() || !is_own,
            "`multiline` has a `preset` and patterns besides it; leave one of them out"
        );
        ensure!(
            (1..=LARGEST).contains(&max_size.bytes()),
            "`max_size` of `multiline` is from 1 byte to 1g, not {max_size}"
        );
        let (continues, past) = match preset {
            Some(preset) => preset.patterns(),
            None => (continues, continue_past),
        };
        let max_size = max_size.as_usize();
        Ok(Multiline { start, continues, past, end, max_lines, max_size, timeout })
    }

    /// A rule by what the first line of a record looks like.
    #[cfg(test)]
    pub(super) fn for_test(start: &str, max_lines: usize, max_size: usize) -> Self {
        let start = Some(Pattern::new(start).expect("a test gives a pattern"));
        let timeout = Duration::from_secs(1);
        Multiline { start, continues: None, past: None, end: None, max_lines, max_size, timeout }
    }

    /// How long a record waits for its next line.
    pub(super) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// The most bytes of a record of several lines.
    pub(super) fn max_size(&self) -> usize {
        self.max_size
    }

    /// Joins the lines of a text that begins at the beginning of a record. `is_end`: nothing follows,
    /// so the last record is complete. A line that was cut is a record of its own.
    pub(super) fn join(&self, text: &[u8], lines: &Lines, is_end: bool) -> Joined {
        let mut joined = Joined::default();
        let mut cut = lines.cut.iter().copied().peekable();
        let mut open: Option<Open> = None;
        for (i, line) in lines.ranges.iter().enumerate() {
            let bytes = &text[line.start as usize..line.end as usize];
            let is_cut = cut.next_if_eq(&i).is_some();
            if let Some(record) = &mut open {
                let follows = !is_cut && (record.goes_on || self.follows(bytes));
                let size = (line.end - record.range.start) as usize;
                let fits = record.lines < self.max_lines && size <= self.max_size;
                if follows && fits {
                    record.range.end = line.end;
                    record.lines += 1;
                } else {
                    joined.push(record.range, follows);
                    open = None;
                }
            }
            let record = open.get_or_insert(Open { range: *line, lines: 1, goes_on: false });
            record.goes_on = self.past.as_ref().is_some_and(|past| past.is_match(bytes));
            if is_cut || self.end.as_ref().is_some_and(|end| end.is_match(bytes)) {
                joined.push(record.range, is_cut);
                open = None;
            }
            if open.is_none() {
                joined.lines = i + 1;
            } else if open.as_ref().is_some_and(|record| record.lines == 1) {
                joined.lines = i;
            }
        }
        if let Some(record) = open.filter(|_| is_end) {
            joined.push(record.range, false);
            joined.lines = lines.ranges.len();
        }
        joined
    }

    /// Whether a line belongs to the record that is open, which has not been ended.
    fn follows(&self, line: &[u8]) -> bool {
        match (&self.start, &self.continues) {
            (None, None) => self.end.is_some(),
            (Some(start), None) => !start.is_match(line),
            (None, Some(continues)) => continues.is_match(line),
            (Some(start), Some(continues)) => !start.is_match(line) && continues.is_match(line),
        }
    }
}

impl Preset {
    /// `continue` and `continue_past`.
    fn patterns(self) -> (Option<Pattern>, Option<Pattern>) {
        let (continues, past) = match self {
            Preset::Indented => (r"^[\t ]", ""),
            Preset::Java => (r"^[\t ]|^(?:Caused by|Suppressed): ", ""),
            // The error is the one line that is not indented: it follows the last line of the code, or
            // what marks the place in it.
            Preset::Python => (
                r"^[\t ]|^Traceback \(|^$|^During handling of the above |^The above exception was ",
                r#"^Traceback \(|^  File "|^    [^ |+]|^     |^  \[Previous line "#,
            ),
            Preset::Backslash => ("", r"\\$"),
        };
        let pattern = |text: &str| {
            let pattern = || Pattern::new(text).expect("the patterns of a preset are ones");
            (!text.is_empty()).then(pattern)
        };
        (pattern(continues), pattern(past))
    }
}

struct Open {
    range: LineRange,
    lines: usize,
    /// The next line belongs to it, whatever it looks like.
    goes_on: bool,
}

impl Joined {
    fn push(&mut self, range: LineRange, is_cut: bool) {
        if is_cut {
            self.cut.push(self.ranges.len());
        }
        self.ranges.push(range);
    }
}

#[cfg(test)]
mod tests;
