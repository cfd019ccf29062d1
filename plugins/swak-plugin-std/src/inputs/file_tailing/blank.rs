//! NUL bytes at the end of a file: room that a program made in it beforehand, and writes into.
//!
//! They are no content until they are written over, and content as soon as anything else follows them.

use std::io;

use super::content::Content;
use super::read::ReadAt;
use super::tail::BLOCK;

/// A run of NUL bytes at the end of what was looked at.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Blank {
    /// Where it begins.
    pub(super) from: u64,
    /// How far it was looked at since the file changed; nothing else was found before.
    pub(super) to: u64,
    /// How far it was looked at before.
    known: u64,
    /// What comes after `to` is to be looked at.
    pub(super) is_open: bool,
    /// What comes after `to` was looked at before the file changed, and not since.
    is_cut_short: bool,
}

impl Blank {
    /// All from one place to another is NUL. With `is_end` nothing follows. As many bytes as `reach` are
    /// looked at after each change, and all others once: a large file is not read again for each line
    /// that is written into it.
    pub(super) fn found(&mut self, from: u64, to: u64, is_end: bool, reach: u64) {
        let known = if self.from <= from { self.known } else { from };
        let is_known = to - from >= reach && to <= known;
        let known = if is_end { to } else { known };
        let is_cut_short = !is_end && is_known;
        *self = Blank { from, to, known, is_open: !is_end && !is_known, is_cut_short };
    }

    /// Lets all of it be looked at once more, if a part was not since the file changed: something may have
    /// been written far behind a hole. Whether that is so.
    pub(super) fn look_through(&mut self) -> bool {
        let is_due = self.is_cut_short;
        if is_due {
            *self = Blank {
                from: self.from,
                to: self.from,
                known: self.from,
                is_open: true,
                is_cut_short: false,
            };
        }
        is_due
    }

    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.from == self.to
    }

    /// Whether its first byte is not NUL any more.
    pub(super) fn is_filled(&self, content: &Content) -> io::Result<bool> {
        Ok(!self.is_empty() && self.first(content)?.is_some_and(|byte| byte != 0))
    }

    /// After a change of the file: when its first byte is still NUL, something was written behind it.
    pub(super) fn check(&mut self, content: &Content) -> io::Result<()> {
        if self.is_empty() {
            return Ok(());
        }
        match self.first(content)? {
            Some(0) => {
                (self.to, self.known, self.is_open) = (self.from, self.from, true);
                self.is_cut_short = false;
            }
            Some(_) => {}
            None => *self = Blank::default(),
        }
        Ok(())
    }

    fn first(&self, content: &Content) -> io::Result<Option<u8>> {
        let mut first = Vec::new();
        content.read_at(&mut first, self.from, 1)?;
        Ok(first.first().copied())
    }
}

/// Where the NUL bytes begin that end what is `len` bytes long.
pub(super) fn end_of_data(content: &Content, len: u64) -> io::Result<u64> {
    let (mut end, mut bytes) = (len, Vec::new());
    // What is compressed can only be read forwards, and nobody writes into it.
    while end > 0 && content.is_plain() {
        let from = end.saturating_sub(BLOCK as u64);
        bytes.clear();
        content.read_at(&mut bytes, from, (end - from) as usize)?;
        bytes.truncate((end - from) as usize);
        let data = content.splitter.unit.before_blank(&bytes) as u64;
        end = from + data;
        if data > 0 {
            break;
        }
    }
    Ok(end)
}
