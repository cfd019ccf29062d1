//! Where reading of one file stands, and how it goes on.
//!
//! Nothing of a file is kept in memory between two reads. The unfinished last record is read again
//! with what follows it; of a long line it is remembered up to where it has no end, so that no byte is
//! read more than a few times.

use std::io;

use swak_sdk::data::{Batch, Timestamp};

use super::blank::{self, Blank};
use super::content::Content;
use super::proof::Proof;
use super::read::ReadAt;
use super::tail::{BLOCK, Settings};
use crate::inputs::lines::Lines;

/// Where reading of one file stands.
#[derive(Debug, Default)]
pub(super) struct Cursor {
    /// Everything before this was found; always the beginning of a record.
    offset: u64,
    /// Between `offset` and this are complete lines of a record that may go on.
    line: u64,
    /// There is no line end between `line` and this.
    scanned: u64,
    /// The end of the content, when all of it had been read.
    end: Option<u64>,
    /// The NUL bytes that were found after `scanned`.
    blank: Blank,
    /// There were such before: somebody writes into room that was made beforehand.
    has_room: bool,
    /// All that was looked at after `line` is NUL.
    is_rest_blank: bool,
    /// Of everything before the offset.
    proof: Proof,
    /// What was read before was no longer there when it was read last.
    is_lost: bool,
    /// Lines in the last block, to make room for as many.
    expected: usize,
}

/// What a read found.
pub(super) struct Found {
    /// The records.
    pub(super) batch: Batch,
    /// How many of them were larger than allowed, and were cut.
    pub(super) cut: usize,
    /// How many of them held bytes that mean nothing in the encoding of the file.
    pub(super) damaged: usize,
}

impl Cursor {
    /// At a place that was reached before.
    pub(super) fn at(offset: u64, proof: Proof) -> Self {
        Cursor { offset, line: offset, scanned: offset, proof, ..Cursor::default() }
    }

    /// After what is there already, but for a last line that is not complete.
    pub(super) fn at_end(content: &Content, settings: &Settings) -> io::Result<Self> {
        let back = settings.max_line as u64 + 4;
        let len = blank::end_of_data(content, content.len(back)?)?;
        let from = len.saturating_sub(back) / 2 * 2;
        let mut bytes = Vec::new();
        content.read_at(&mut bytes, from, (len - from) as usize)?;
        bytes.truncate((len - from) as usize);
        let end = content.splitter.end_of_last_line(&bytes) as u64;
        // Without a line end in reach, the line that is cut off at its start is the price.
        let offset = if end == 0 && from > 0 { len } else { from + end };
        Ok(Cursor::at(offset, Proof::of(content, offset)?))
    }

    /// Everything before this was found.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// Of everything that was found.
    pub(super) fn proof(&self) -> &Proof {
        &self.proof
    }

    /// Whether the last read found nothing, because what was read before is gone and other bytes may
    /// stand there.
    pub(super) fn is_lost(&self) -> bool {
        self.is_lost
    }

    /// Whether all was read that was there.
    pub(super) fn is_at_end(&self) -> bool {
        self.end.is_some()
    }

    /// Whether all was read that was there, and the last record is not complete.
    pub(super) fn has_rest(&self) -> bool {
        self.end.is_some_and(|end| end > self.offset)
    }

    /// Whether all was read that was there, and its last complete lines are those of a record that
    /// may go on.
    pub(super) fn has_open_record(&self) -> bool {
        self.is_at_end() && self.line > self.offset
    }

    /// Whether something was written into the NUL bytes at the end. Neither the length of the file nor,
    /// for some milliseconds, the time of its last change tells of that.
    pub(super) fn is_filled(&self, content: &Content) -> io::Result<bool> {
        self.blank.is_filled(content)
    }

    /// Whether the content ends with NUL bytes.
    pub(super) fn has_blank(&self) -> bool {
        !self.blank.is_empty()
    }

    /// Lets the NUL bytes at the end be looked through to the last one, before the file is given up: reading
    /// goes on then. `false` when that was done since the file changed.
    pub(super) fn look_through_blank(&mut self) -> bool {
        let is_due = self.is_at_end() && self.blank.look_through();
        if is_due {
            self.end = None;
        }
        is_due
    }

    /// After a change of the file.
    pub(super) fn go_on(&mut self, content: &Content) -> io::Result<()> {
        self.end = None;
        if self.scanned > self.offset {
            let mut last = Vec::new();
            if content.read_at(&mut last, self.scanned - 1, 1)? == 0 {
                (self.line, self.scanned) = (self.offset, self.offset);
            }
        }
        self.blank.check(content)?;
        self.is_lost = !content.is_same()?;
        Ok(())
    }

    /// Reads one block, and finds the records that are complete. What was read before is compared with
    /// what the same read gives, so that nobody can truncate the file in between.
    pub(super) fn read(
        &mut self,
        content: &Content,
        settings: &Settings,
    ) -> io::Result<Option<Found>> {
        if self.is_lost {
            return Ok(None);
        }
        let mark = content.encoding.mark;
        if self.offset == 0 && mark > 0 {
            self.proof = Proof::of(content, mark)?;
            let at_least_mark = |place: u64| place.max(mark);
            self.offset = mark;
            (self.line, self.scanned) = (at_least_mark(self.line), at_least_mark(self.scanned));
        }
        if self.blank.is_open {
            return self.look_past_blank(content, settings).map(|()| None);
        }
        // Of a large record twice as much is read each time, so that all of it is read a few times; and
        // of one with NUL bytes in it up to where something else was found.
        let seen = span(self.offset, self.scanned) + LINE_END;
        let mut want = BLOCK.max(2 * span(self.offset, self.line)).max(seen);
        if self.scanned - self.line >= LONG_REST {
            self.is_lost = !self.proof.ends_at(content, self.offset)?;
            if self.is_lost {
                return Ok(None);
            }
            match self.find_end_of_long_line(content, settings)? {
                LongLine::Fits(end) => want = want.max(span(self.offset, end)),
                LongLine::Unfinished => return Ok(None),
                LongLine::TooLong(end) => return self.read_up_to(end, content, settings),
            }
        }
        let Some(Piece { buffer, back }) = self.piece(want, content, settings)? else {
            return Ok(None);
        };
        let read = buffer.len() - back;
        let is_as_it_stands = settings.multiline.is_none() && content.encoding.is_raw();
        if is_as_it_stands && let Some(run) = content.splitter.run(&buffer[back..]) {
            self.line = self.offset + run as u64;
            self.scanned = self.line;
            self.pass(&buffer[back + run..], read < want, content, settings);
            self.advance(&buffer, self.line, content)?;
            content.release(self.offset);
            let block = settings.pool.seal(buffer);
            let batch = Batch::from_run(block, back..back + run, Timestamp::now());
            return Ok(Some(Found { batch, cut: 0, damaged: 0 }));
        }
        let lines = content.splitter.split(&buffer[back..], self.expected + self.expected / 8);
        self.line = self.offset + lines.consumed as u64;
        self.scanned = self.line;
        self.pass(&buffer[back + lines.consumed..], read < want, content, settings);
        self.expected = lines.ranges.len();
        let found = self.take(Piece { buffer, back }, lines, false, content, settings)?;
        content.release(self.offset);
        Ok(found)
    }

    /// Takes the last lines although they may go on, or have no end: nothing will follow.
    pub(super) fn read_rest(
        &mut self,
        content: &Content,
        settings: &Settings,
    ) -> io::Result<Option<Found>> {
        match self.end.filter(|end| *end > self.offset) {
            Some(end) => self.read_up_to(end, content, settings),
            None => Ok(None),
        }
    }

    /// Takes the complete lines of a record that may go on: nothing followed for too long.
    pub(super) fn read_open_record(
        &mut self,
        content: &Content,
        settings: &Settings,
    ) -> io::Result<Option<Found>> {
        self.read_up_to(self.line, content, settings)
    }

    /// Takes what is before `end`, of which nothing after `line` is a line end but the last bytes. Of
    /// a line that is too long no more is read than is kept.
    fn read_up_to(
        &mut self,
        end: u64,
        content: &Content,
        settings: &Settings,
    ) -> io::Result<Option<Found>> {
        let rest = span(self.line, end).min(settings.max_line + LINE_END);
        let len = span(self.offset, self.line) + rest;
        let Some(Piece { mut buffer, back }) = self.piece(len, content, settings)? else {
            return Ok(None);
        };
        buffer.truncate(back + len);
        let mut lines = content.splitter.split(&buffer[back..], 0);
        let is_blank = self.is_rest_blank && self.end == Some(end);
        if !is_blank {
            content.splitter.push_unended(&buffer[back..], &mut lines);
        }
        let found = self.take(Piece { buffer, back }, lines, true, content, settings)?;
        self.proof.advance_in(content, self.offset, end)?;
        (self.offset, self.line, self.scanned) = (end, end, self.scanned.max(end));
        content.release(end);
        Ok(found)
    }

    /// Reads from the offset on, and a little before it. `None` when that is not what was read before.
    fn piece(
        &mut self,
        want: usize,
        content: &Content,
        settings: &Settings,
    ) -> io::Result<Option<Piece>> {
        // To read backwards in a compressed file is dear, and it was looked whether it is the same.
        let back = if content.is_plain() { self.offset.min(Proof::BACK as u64) } else { 0 };
        let start = self.offset - back;
        let back = back as usize;
        let buffer = self.read_settled(start, back + want, content, settings)?;
        let read = buffer.len();
        self.is_lost = read < back || (back > 0 && !self.proof.follows(&buffer[..back]));
        if self.is_lost {
            drop(settings.pool.seal(buffer));
            return Ok(None);
        }
        Ok(Some(Piece { buffer, back }))
    }

    /// Reads from a place on. What is read while somebody writes it may hold the end of what is written and
    /// not its beginning; where there was room for it, NUL bytes stand there. As what comes first is written
    /// first, it is there when it is read once more.
    fn read_settled(
        &self,
        from: u64,
        want: usize,
        content: &Content,
        settings: &Settings,
    ) -> io::Result<Vec<u8>> {
        let mut buffer = settings.pool.take();
        content.read_at(&mut buffer, from, want)?;
        let unit = content.splitter.unit;
        let may_lack = self.has_room || unit.before_blank(&buffer) < buffer.len();
        if !may_lack || !content.is_plain() {
            return Ok(buffer);
        }
        // Who writes over what is there is not waited for.
        for _ in 0..SETTLES {
            let data = unit.before_blank(&buffer);
            if !unit.has_blank(&buffer[..data]) {
                break;
            }
            let mut again = settings.pool.take();
            content.read_at(&mut again, from, want)?;
            // What is new in it may be of that kind again.
            let is_settled = again.len() < data || again[..data] == buffer[..data];
            if !is_settled {
                std::mem::swap(&mut buffer, &mut again);
            }
            drop(settings.pool.seal(again));
            if is_settled {
                break;
            }
        }
        Ok(buffer)
    }

    /// Takes the records that are complete among the lines of a block that begins at the offset. With
    /// `is_end` the last of them is.
    fn take(
        &mut self,
        piece: Piece,
        mut lines: Lines,
        is_end: bool,
        content: &Content,
        settings: &Settings,
    ) -> io::Result<Option<Found>> {
        let Piece { buffer, back } = piece;
        for line in &mut lines.ranges {
            line.start += back as u32;
            line.end += back as u32;
        }
        lines.consumed += back;
        let multiline = settings.multiline.as_ref();
        let (mut text, mut damaged) = (None, Vec::new());
        let starts: Vec<u32> = match multiline {
            Some(_) => lines.ranges.iter().map(|line| line.start).collect(),
            None => Vec::new(),
        };
        if !content.encoding.is_raw() {
            let text = text.insert(settings.pool.take());
            let keep_ends = multiline.is_some();
            damaged = content.encoding.decode(&buffer, &mut lines, keep_ends, text);
        }
        if let Some(multiline) = multiline {
            let joined = multiline.join(text.as_ref().unwrap_or(&buffer), &lines, is_end);
            damaged.retain(|line| *line < joined.lines);
            if let Some(start) = starts.get(joined.lines) {
                lines.consumed = *start as usize;
            }
            (lines.ranges, lines.cut) = (joined.ranges, joined.cut);
        }
        if lines.ranges.is_empty() {
            // The memory goes back to the pool.
            drop(settings.pool.seal(buffer));
            text.map(|text| settings.pool.seal(text));
            return Ok(None);
        }
        self.advance(&buffer, self.offset + (lines.consumed - back) as u64, content)?;
        let (cut, damaged) = (lines.cut.len(), damaged.len());
        let block = settings.pool.seal(buffer);
        let block = text.map_or(block, |text| settings.pool.seal(text));
        Ok(Some(Found { batch: lines.into_batch(block, Timestamp::now()), cut, damaged }))
    }

    /// Moves the offset on to a place in what was read from it on, or a little before it.
    fn advance(&mut self, bytes: &[u8], end: u64, content: &Content) -> io::Result<()> {
        if content.is_plain() {
            self.proof.advance(bytes, self.offset, end);
        } else {
            self.proof.advance_in(content, self.offset, end)?;
        }
        self.offset = end;
        Ok(())
    }

    /// Looks for the end of a line of which a part is known to have none.
    fn find_end_of_long_line(
        &mut self,
        content: &Content,
        settings: &Settings,
    ) -> io::Result<LongLine> {
        let buffer = self.read_settled(self.scanned, BLOCK, content, settings)?;
        let read = buffer.len();
        let width = content.splitter.unit.width();
        let feed = content.splitter.find_feed(&buffer);
        if feed.is_none() {
            self.pass(&buffer, read < BLOCK, content, settings);
        }
        drop(settings.pool.seal(buffer));
        let Some(feed) = feed else { return Ok(LongLine::Unfinished) };
        let end = self.scanned + (feed + width) as u64;
        let fits = span(self.line, end) <= settings.max_line + 2 * width;
        Ok(if fits { LongLine::Fits(end) } else { LongLine::TooLong(end) })
    }

    /// Moves over bytes after `scanned` in which there is no line end. Those that are NUL up to the end
    /// of the content are none of it yet.
    fn pass(&mut self, bytes: &[u8], is_end: bool, content: &Content, settings: &Settings) {
        let width = content.splitter.unit.width();
        let is_blank = bytes.iter().all(|byte| *byte == 0);
        self.is_rest_blank = is_blank && (self.is_rest_blank || self.scanned == self.line);
        // Nobody writes into what is compressed, and it is dear to look at it twice.
        let data = if content.is_plain() {
            content.splitter.unit.before_blank(bytes)
        } else {
            bytes.len()
        };
        let all = self.scanned + bytes.len() as u64;
        if data == bytes.len() {
            self.scanned += (data / width * width) as u64;
            self.end = is_end.then_some(all);
            return;
        }
        self.scanned += data as u64;
        self.has_room = true;
        self.blank.found(self.scanned, all, is_end, settings.max_line as u64);
        self.end = (!self.blank.is_open).then_some(self.scanned);
    }

    /// Looks whether NUL bytes go on to the end of the content.
    fn look_past_blank(&mut self, content: &Content, settings: &Settings) -> io::Result<()> {
        let mut buffer = settings.pool.take();
        let read = content.read_at(&mut buffer, self.blank.to, BLOCK)?;
        let other = buffer.iter().position(|byte| *byte != 0);
        drop(settings.pool.seal(buffer));
        match other {
            // It is being written just now, from its beginning on.
            Some(_) if self.blank.is_filled(content)? => self.blank = Blank::default(),
            Some(at) => {
                // They are part of a line.
                let width = content.splitter.unit.width() as u64;
                let at = self.blank.to + at as u64;
                self.scanned += (at - self.scanned) / width * width;
                self.blank = Blank::default();
            }
            None => {
                let (from, to) = (self.blank.from, self.blank.to + read as u64);
                self.blank.found(from, to, read < BLOCK, settings.max_line as u64);
                self.end = (!self.blank.is_open).then_some(self.scanned);
            }
        }
        Ok(())
    }
}

/// How often something is read anew that changes while it is read.
const SETTLES: usize = 16;

/// What was read from a place on, after so many bytes from before it.
struct Piece {
    buffer: Vec<u8>,
    back: usize,
}

enum LongLine {
    /// It has no end yet, as far as was looked.
    Unfinished,
    /// It ends there, and is kept whole.
    Fits(u64),
    /// It ends there, and is cut.
    TooLong(u64),
}

/// An unfinished line up to this long is read again with what follows it.
const LONG_REST: u64 = 64 << 10;

/// Room for a line end, so that a line of just the greatest length is not taken for a longer one.
const LINE_END: usize = 4;

/// The bytes between two places.
fn span(from: u64, to: u64) -> usize {
    usize::try_from(to - from).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests;
