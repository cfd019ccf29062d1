//! Where reading of one file stands, and how it goes on.
//!
//! Nothing of a file is kept in memory between two reads. The unfinished last line is read again with
//! what follows it; of a long one it is remembered up to where it has no end, so that no byte is read
//! more than a few times.

use std::io;

use swak_sdk::data::{Batch, Timestamp};

use super::content::Content;
use super::fingerprint::Fingerprint;
use super::read::ReadAt;
use super::tail::{BLOCK, Settings};
use crate::inputs::lines::Lines;

/// Where reading of one file stands.
#[derive(Debug, Default)]
pub(super) struct Cursor {
    /// Everything before this was found; always the beginning of a line.
    offset: u64,
    /// There is no line end between `offset` and this.
    scanned: u64,
    /// The end of the content, when all of it had been read.
    end: Option<u64>,
    head: Fingerprint,
    trace: Fingerprint,
    /// Lines in the last block, to make room for as many.
    expected: usize,
}

/// What a read found.
pub(super) struct Found {
    /// The lines.
    pub(super) batch: Batch,
    /// How many of them were longer than allowed, and were cut.
    pub(super) cut: usize,
    /// How many of them held bytes that mean nothing in the encoding of the file.
    pub(super) damaged: usize,
}

impl Cursor {
    /// At a place that was reached before.
    pub(super) fn at(offset: u64, head: Fingerprint, trace: Fingerprint) -> Self {
        Cursor { offset, scanned: offset, head, trace, ..Cursor::default() }
    }

    /// After what is there already, but for a last line that is not complete.
    pub(super) fn at_end(content: &Content, settings: &Settings) -> io::Result<Self> {
        let back = settings.max_line as u64 + 4;
        let len = content.len(back)?;
        let from = len.saturating_sub(back) / 2 * 2;
        let mut bytes = Vec::new();
        content.read_at(&mut bytes, from, (len - from) as usize)?;
        bytes.truncate((len - from) as usize);
        let end = content.splitter.end_of_last_line(&bytes) as u64;
        // Without a line end in reach, the line that is cut off at its start is the price.
        let offset = if end == 0 && from > 0 { len } else { from + end };
        let (head, trace) = Fingerprint::of_file(content, offset)?;
        Ok(Cursor::at(offset, head, trace))
    }

    /// Everything before this was found.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// Hash of the content's beginning, as far as it was read.
    pub(super) fn head(&self) -> Fingerprint {
        self.head
    }

    /// Hash of what is before the offset.
    pub(super) fn trace(&self) -> Fingerprint {
        self.trace
    }

    /// Whether all was read that was there.
    pub(super) fn is_at_end(&self) -> bool {
        self.end.is_some()
    }

    /// Whether all was read that was there, and the last line has no end.
    pub(super) fn has_rest(&self) -> bool {
        self.end.is_some_and(|end| end > self.offset)
    }

    /// After a change of the file. `false` when what was read is gone, and other bytes may stand
    /// there.
    pub(super) fn go_on(&mut self, content: &Content) -> io::Result<bool> {
        self.end = None;
        if !content.is_same()? || !self.trace.ends_at(content, self.offset)? {
            return Ok(false);
        }
        let unfinished = self.scanned - self.offset;
        if unfinished > 0 {
            let mut last = Vec::new();
            if content.read_at(&mut last, self.scanned - 1, 1)? == 0 {
                self.scanned = self.offset;
            }
        }
        Ok(true)
    }

    /// Reads one block, and finds the lines that are complete.
    pub(super) fn read(
        &mut self,
        content: &Content,
        settings: &Settings,
    ) -> io::Result<Option<Found>> {
        let mark = content.encoding.mark;
        if self.offset == 0 && mark > 0 {
            (self.head, self.trace) = Fingerprint::of_file(content, mark)?;
            (self.offset, self.scanned) = (mark, self.scanned.max(mark));
        }
        let mut want = BLOCK;
        if self.scanned - self.offset >= LONG_REST {
            match self.find_end_of_long_line(content, settings)? {
                LongLine::Fits(len) => want = want.max(len),
                LongLine::Unfinished => return Ok(None),
                LongLine::TooLong(end) => return self.read_up_to(end, content, settings).map(Some),
            }
        }
        let mut buffer = settings.pool.take();
        let read = content.read_at(&mut buffer, self.offset, want)?;
        let lines = content.splitter.split(&buffer, self.expected + self.expected / 8);
        let width = content.splitter.unit.width();
        let rest = ((read - lines.consumed) / width * width) as u64;
        if read < want {
            self.end = Some(self.offset + read as u64);
        }
        if lines.consumed == 0 {
            self.scanned = self.offset + rest;
            // The memory goes back to the pool.
            drop(settings.pool.seal(buffer));
            return Ok(None);
        }
        let consumed = &buffer[..lines.consumed];
        self.head.grow(self.offset, consumed);
        self.trace = Fingerprint::trace(consumed);
        self.offset += lines.consumed as u64;
        self.scanned = self.offset + rest;
        self.expected = lines.ranges.len();
        content.release(self.offset);
        Ok(Some(found(buffer, lines, content, settings)))
    }

    /// Takes the last line although it has no end: nothing will follow.
    pub(super) fn read_rest(
        &mut self,
        content: &Content,
        settings: &Settings,
    ) -> io::Result<Option<Found>> {
        match self.end.filter(|end| *end > self.offset) {
            Some(end) => self.read_up_to(end, content, settings).map(Some),
            None => Ok(None),
        }
    }

    /// Takes what is before `end` as one line, which may be longer than what is read of it.
    fn read_up_to(
        &mut self,
        end: u64,
        content: &Content,
        settings: &Settings,
    ) -> io::Result<Found> {
        let want = settings.max_line + LINE_END;
        let len = usize::try_from(end - self.offset).unwrap_or(usize::MAX).min(want);
        let mut buffer = settings.pool.take();
        content.read_at(&mut buffer, self.offset, len)?;
        buffer.truncate(len);
        let mut lines = Lines::default();
        content.splitter.push_unended(&buffer, &mut lines);
        self.head.grow(self.offset, &buffer);
        self.trace = Fingerprint::before(content, end)?;
        (self.offset, self.scanned) = (end, end);
        content.release(end);
        Ok(found(buffer, lines, content, settings))
    }

    /// Looks for the end of a line of which a part is known to have none.
    fn find_end_of_long_line(
        &mut self,
        content: &Content,
        settings: &Settings,
    ) -> io::Result<LongLine> {
        let mut buffer = settings.pool.take();
        let read = content.read_at(&mut buffer, self.scanned, BLOCK)?;
        let width = content.splitter.unit.width();
        let feed = content.splitter.find_feed(&buffer);
        drop(settings.pool.seal(buffer));
        let Some(feed) = feed else {
            if read < BLOCK {
                self.end = Some(self.scanned + read as u64);
            }
            self.scanned += (read / width * width) as u64;
            return Ok(LongLine::Unfinished);
        };
        let end = self.scanned + (feed + width) as u64;
        let len = usize::try_from(end - self.offset).unwrap_or(usize::MAX);
        let fits = len <= settings.max_line + 2 * width;
        Ok(if fits { LongLine::Fits(len) } else { LongLine::TooLong(end) })
    }
}

enum LongLine {
    /// It has no end yet, as far as was looked.
    Unfinished,
    /// It is so long, and may be kept whole.
    Fits(usize),
    /// It ends there.
    TooLong(u64),
}

/// An unfinished line up to this long is read again with what follows it.
const LONG_REST: u64 = 64 << 10;

/// Room for a line end, so that a line of just the greatest length is not taken for a longer one.
const LINE_END: usize = 4;

/// The lines of a block as records, in UTF-8.
fn found(buffer: Vec<u8>, mut lines: Lines, content: &Content, settings: &Settings) -> Found {
    let (cut, mut damaged) = (lines.cut.len(), 0);
    let block = if content.encoding.is_raw() {
        settings.pool.seal(buffer)
    } else {
        let mut text = settings.pool.take();
        damaged = content.encoding.decode(&buffer, &mut lines.ranges, &mut text);
        drop(settings.pool.seal(buffer));
        settings.pool.seal(text)
    };
    Found { batch: lines.into_batch(block, Timestamp::now()), cut, damaged }
}

#[cfg(test)]
mod tests;
