//! One file that is followed: what it is, and its turns.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use swak_sdk::data::{BlockPool, Name};
use swak_sdk::plugin::{BlockingEmitter, Counters, Stopped};

use super::budget::Permit;
use super::content::{Compression, Content};
use super::copies;
use super::cursor::{self, Cursor};
use super::discover::Found;
use super::encoding::Encoding;
use super::gzip::Damage;
use super::identify::{Identity, is_of_path};
use super::multiline::Multiline;
use super::parked::Seen;
use super::position::Position;
use super::progress::Progress;
use super::proof::Proof;
use crate::identity::{FileId, Stat};

/// Bytes that are read in one turn.
pub(super) const BLOCK: usize = 256 << 10;

/// What all files of one input have in common.
pub(super) struct Settings {
    pub(super) pool: BlockPool,
    pub(super) max_line: usize,
    pub(super) keep_cr: bool,
    pub(super) encoding: Encoding,
    pub(super) identity: Identity,
    pub(super) compression: Compression,
    pub(super) multiline: Option<Multiline>,
    pub(super) counters: Arc<Counters>,
}

/// One file.
pub(super) struct Tail {
    pub(super) path: PathBuf,
    pub(super) id: FileId,
    /// When it was made.
    pub(super) born: Option<i64>,
    /// Where it lies, when its path is a symbolic link.
    pub(super) target: Option<PathBuf>,
    /// When it had been written to as its content was found to be a new one, after it was truncated.
    pub(super) begun: Option<i64>,
    /// Under which its positions are stored.
    pub(super) key: String,
    /// The path under which it was written, which stays when it is renamed.
    source: Name,
    open: Option<Open>,
    cursor: Cursor,
    progress: Arc<Progress>,
    /// The length of the file, and when it had been written to, before it was last read: a file that
    /// was truncated and has just its old length again is told by the time.
    seen: Option<Seen>,
    /// The length that it had when it was opened since its last turn. Where nothing was read of it, and it is
    /// shorter at the next one, it was truncated in between.
    unread: u64,
    warned_of_cut: bool,
    warned_of_damage: bool,
}

struct Open {
    content: Content,
    _permit: Permit,
}

/// A file of which another may be a copy.
pub(super) struct Original<'a> {
    pub(super) path: &'a Path,
    pub(super) id: FileId,
    pub(super) born: Option<i64>,
    /// When its content began, if it was truncated.
    pub(super) begun: Option<i64>,
    /// Up to where it was read, and what it held up to there.
    pub(super) offset: u64,
    pub(super) proof: Proof,
    /// The file, if it is open.
    pub(super) file: Option<&'a File>,
    /// It is being read.
    pub(super) is_away: bool,
}

impl Original<'_> {
    /// The file. `None` for one that is gone, held open elsewhere, or about to be renamed.
    fn open(&self, settings: &Settings) -> io::Result<Option<File>> {
        if let Some(file) = self.file {
            return file.try_clone().map(Some);
        }
        let Ok(file) = File::open(self.path) else { return Ok(None) };
        let id = settings.identity.id(self.path, &Stat::of_file(&file)?);
        Ok((id == self.id).then_some(file))
    }

    /// What a file is that has nothing in common with it, as far as is known.
    fn unlike(&self) -> Likeness {
        if self.is_away && self.offset == 0 { Likeness::Unknown } else { Likeness::None }
    }

    /// Whether its content is no older than the file: what is unpacked, compressed or restored from a
    /// backup says that it was written to before it was made.
    pub(super) fn was_written_in_place(&self) -> bool {
        let stat = match self.file {
            Some(file) => Stat::of_file(file).ok(),
            None => Stat::of_path(self.path).ok().flatten(),
        };
        // A moment does not come again: this is still the same file.
        let times = stat.filter(|stat| stat.born == self.born).map(|s| s.modified.zip(s.born));
        times.flatten().is_some_and(|(modified, born)| modified >= born.into())
    }
}

/// What a file has in common with another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Likeness {
    /// Nothing that would say anything.
    None,
    /// All of it is what the other begins with.
    Copy,
    /// It holds what was read of the other, which is no longer there.
    Holds,
    /// The other is being read for the first time just now: it may hold what was not there before, or no
    /// longer hold what is read.
    Unknown,
}

/// How a turn ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// There may be more to read.
    More,
    /// The end of the file was reached; something had been read.
    End,
    /// Nothing had changed since the end was reached.
    Quiet,
    /// It is compressed, and enough others are being unpacked.
    Later,
    /// What was read, up to the position, is no longer there; reading goes on at the beginning.
    Truncated(Box<Position>),
}

/// Why a turn could not be taken.
#[derive(Debug)]
pub(super) enum TurnError {
    /// The task is stopping.
    Stopped,
    /// The file is no longer at its path, and it is not open.
    Moved,
    /// The file cannot be read now.
    Io(io::Error),
}

impl From<Stopped> for TurnError {
    fn from(_: Stopped) -> Self {
        TurnError::Stopped
    }
}

impl From<io::Error> for TurnError {
    fn from(error: io::Error) -> Self {
        TurnError::Io(error)
    }
}

impl Tail {
    /// A file that is read from its beginning.
    pub(super) fn new(found: Found, source: &str, key: String) -> Self {
        let Found { path, id, born, target, .. } = found;
        Tail {
            path,
            id,
            born,
            target,
            begun: None,
            key,
            source: source.into(),
            open: None,
            cursor: Cursor::default(),
            progress: Arc::default(),
            seen: None,
            unread: 0,
            warned_of_cut: false,
            warned_of_damage: false,
        }
    }

    /// Goes on at a position. `false` when the file does not hold what was read up to there; nothing
    /// changes then.
    pub(super) fn resume(
        &mut self,
        position: &Position,
        settings: &Settings,
    ) -> Result<bool, TurnError> {
        let content = self.open(settings)?;
        let Position { offset, proof, packed, .. } = position;
        let is_known = match packed {
            Some(packed) => content.is_known(packed, *offset)?,
            None => false,
        };
        if !is_known && !proof.fits(content, *offset)? {
            return Ok(false);
        }
        content.release(*offset);
        self.begun = position.begun.filter(|_| position.id() == self.id);
        (self.cursor, self.seen) = (Cursor::at(*offset, *proof), None);
        self.note_progress();
        Ok(true)
    }

    /// Leaves out what is there already, but for a last line that is not complete.
    pub(super) fn skip_to_end(&mut self, settings: &Settings) -> Result<(), TurnError> {
        self.cursor = Cursor::at_end(self.open(settings)?, settings)?;
        self.note_progress();
        Ok(())
    }

    /// Where reading goes on after a restart, once all that was emitted is delivered.
    pub(super) fn position(&self) -> Position {
        let cursor = &self.cursor;
        let open = self.open.as_ref().filter(|_| !cursor.has_rest());
        let start = Position::new(&self.path, &self.source, self.id, self.born);
        let mut position = start.at(cursor.offset(), *cursor.proof());
        position.packed = open.and_then(|open| open.content.packed_up_to(cursor.offset()));
        position.begun = self.begun;
        position.target = self.target.as_ref().map(|target| target.to_string_lossy().into_owned());
        position
    }

    /// Up to where it was read, and what it held up to there.
    pub(super) fn read_up_to(&self) -> (u64, Proof) {
        (self.cursor.offset(), *self.cursor.proof())
    }

    /// Tells how far it is read, while it is read.
    pub(super) fn progress(&self) -> Arc<Progress> {
        Arc::clone(&self.progress)
    }

    fn note_progress(&self) {
        self.progress.is_at(self.read_up_to());
    }

    /// What the file was like before it was last read.
    pub(super) fn seen(&self) -> Option<Seen> {
        self.seen
    }

    /// Whether its end was reached, and nothing changed since.
    pub(super) fn is_unchanged(&self, settings: &Settings) -> bool {
        let seen = |stat: Stat| Some((stat.len, stat.modified));
        self.cursor.is_at_end()
            && self.stat(settings).is_ok_and(|stat| seen(stat) == self.seen)
            && self.has_no_more_in_it()
    }

    /// Whether nothing was written into NUL bytes at its end, as far as is known without opening it.
    fn has_no_more_in_it(&self) -> bool {
        match &self.open {
            _ if !self.cursor.has_blank() => true,
            Some(open) => self.cursor.is_filled(&open.content).is_ok_and(|is_filled| !is_filled),
            None => false,
        }
    }

    /// See [`Cursor::look_through_blank`].
    pub(super) fn look_through_blank(&mut self) -> bool {
        self.cursor.look_through_blank()
    }

    /// Opens it: from now on it can be read even if it is deleted.
    pub(super) fn open_now(&mut self, settings: &Settings) -> Result<(), TurnError> {
        self.open(settings).map(drop)
    }

    /// How many bytes the file has, compressed or not.
    pub(super) fn file_len(&mut self, settings: &Settings) -> Result<u64, TurnError> {
        Ok(Stat::of_file(self.open(settings)?.file())?.len)
    }

    /// What it has in common with another file.
    pub(super) fn compare(
        &mut self,
        original: &Original<'_>,
        settings: &Settings,
    ) -> Result<Likeness, TurnError> {
        let Original { path, offset, proof, .. } = *original;
        let content = self.open(settings)?;
        let Some(file) = original.open(settings)? else {
            if offset > 0 && proof.fits(content, offset)? {
                return Ok(Likeness::Holds);
            }
            return Ok(original.unlike());
        };
        let other = Content::new(file, path, settings)?;
        let len = match (content.is_plain(), other.is_plain()) {
            (_, true) => copies::is_beginning(content, other.file())?,
            (false, false) => copies::is_beginning(content.file(), other.file())?,
            // What was unpacked of it stands beside it.
            (true, false) => {
                let is_same = offset > 0 && content.len(0)? <= offset;
                (is_same && proof.fits(content, offset)?).then_some(offset)
            }
        };
        if len.is_some() {
            return Ok(Likeness::Copy);
        }
        // What both begin with may be the same in all files of a program. Only when it is no longer in
        // the other file, that was truncated since.
        let was_truncated = other.is_plain() && !proof.fits(&other, offset)?;
        let holds = was_truncated && proof.fits(content, offset)?;
        Ok(if holds { Likeness::Holds } else { original.unlike() })
    }

    /// The last place in it, as it is now, that is the end of a line, and what is before it.
    pub(super) fn last_line_end(&mut self, settings: &Settings) -> Result<(u64, Proof), TurnError> {
        let cursor = Cursor::at_end(self.open(settings)?, settings)?;
        Ok((cursor.offset(), *cursor.proof()))
    }

    /// Whether the system tells of all that is written to it: it is open, not compressed, and does not end
    /// with NUL bytes, which are looked at each time.
    pub(super) fn is_heard(&self) -> bool {
        let is_plain = self.open.as_ref().is_some_and(|open| open.content.is_plain());
        is_plain && !self.cursor.has_blank()
    }

    /// Whether it is not compressed.
    pub(super) fn is_plain(&mut self, settings: &Settings) -> Result<bool, TurnError> {
        Ok(self.open(settings)?.is_plain())
    }

    /// Whether it is compressed, and not all of that was written yet. It is read for that.
    pub(super) fn is_unfinished(&mut self, settings: &Settings) -> Result<bool, TurnError> {
        let content = self.open(settings)?;
        if content.is_plain() {
            return Ok(false);
        }
        content.len(0)?;
        Ok(content.is_cut_off())
    }

    /// Reads one block, or finds that there is nothing new.
    pub(super) fn turn(
        &mut self,
        settings: &Settings,
        out: &BlockingEmitter,
    ) -> Result<Turn, TurnError> {
        let unread = std::mem::take(&mut self.unread);
        let stat = self.stat(settings)?;
        let seen = Some((stat.len, stat.modified));
        let was_at_end = self.cursor.is_at_end();
        if was_at_end && self.seen == seen {
            if !self.cursor.has_blank() {
                return Ok(Turn::Quiet);
            }
            self.open(settings)?;
            if self.has_no_more_in_it() {
                return Ok(Turn::Quiet);
            }
        }
        self.open(settings)?;
        if stat.len < unread && self.cursor.offset() == 0 {
            return self.start_over(settings).map(Turn::Truncated);
        }
        let path = &self.path;
        let content = &mut self.open.as_mut().expect("it was opened above").content;
        if was_at_end {
            self.cursor.go_on(content)?;
        }
        // Only now: what could not be opened has not been seen.
        self.seen = seen;
        if self.cursor.offset() == 0 {
            content.settle(path, settings)?;
        }
        if !content.may_go_on() {
            return Ok(Turn::Later);
        }
        let found = self.cursor.read(content, settings)?;
        if self.cursor.is_lost() {
            return self.start_over(settings).map(Turn::Truncated);
        }
        self.note_progress();
        let content = &self.open.as_ref().expect("it was opened above").content;
        let damage = content.take_damage();
        self.say_damage(damage, settings);
        if let Some(found) = found {
            self.emit(found, settings, out)?;
        }
        Ok(if self.cursor.is_at_end() { Turn::End } else { Turn::More })
    }

    /// Whether all of the file was read and the last record is not complete.
    pub(super) fn has_rest(&self) -> bool {
        self.cursor.has_rest()
    }

    /// Whether all of a compressed file was read, so that nothing more is expected of it.
    pub(super) fn is_whole(&self) -> bool {
        self.cursor.is_at_end() && self.open.as_ref().is_some_and(|o| o.content.packed().is_some())
    }

    /// Whether all of the file was read, and its last lines are those of a record that may go on.
    pub(super) fn has_open_record(&self) -> bool {
        self.cursor.has_open_record()
    }

    /// Emits the last lines of a record that may go on: nothing followed for too long.
    pub(super) fn emit_open_record(
        &mut self,
        settings: &Settings,
        out: &BlockingEmitter,
    ) -> Result<(), TurnError> {
        self.emit_last(Cursor::read_open_record, settings, out)
    }

    /// Emits the last record although it may go on, or its last line has no end: nothing will follow.
    pub(super) fn emit_rest(
        &mut self,
        settings: &Settings,
        out: &BlockingEmitter,
    ) -> Result<(), TurnError> {
        self.emit_last(Cursor::read_rest, settings, out)
    }

    fn emit_last(
        &mut self,
        read: fn(&mut Cursor, &Content, &Settings) -> io::Result<Option<cursor::Found>>,
        settings: &Settings,
        out: &BlockingEmitter,
    ) -> Result<(), TurnError> {
        self.open(settings)?;
        let content = &self.open.as_ref().expect("it was opened above").content;
        let found = read(&mut self.cursor, content, settings)?;
        self.note_progress();
        match found {
            Some(found) => self.emit(found, settings, out),
            None => Ok(()),
        }
    }

    /// Nothing more will be read: a compressed file that ends in the middle is damaged.
    pub(super) fn check_end(&mut self, settings: &Settings) {
        let is_cut_off = self.open.as_ref().is_some_and(|open| open.content.is_cut_off());
        self.say_damage(is_cut_off.then_some(Damage::CutOff), settings);
    }

    /// Lets go of the file until there is more to read. Must not be done when its path may lead
    /// elsewhere.
    pub(super) fn close(&mut self) {
        self.open = None;
    }

    /// The path under which it was first found.
    pub(super) fn source(&self) -> &str {
        &self.source
    }

    /// The file, if it holds a descriptor.
    pub(super) fn file(&self) -> Option<&File> {
        self.open.as_ref().map(|open| open.content.file())
    }

    /// Whether it holds a descriptor.
    pub(super) fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// Whether its path still leads to it.
    pub(super) fn is_at_path(&self) -> bool {
        is_of_path(self.id)
            || matches!(Stat::of_path(&self.path), Ok(Some(stat)) if stat.id == self.id)
    }

    /// Opens it, if that is not done yet.
    fn open(&mut self, settings: &Settings) -> Result<&Content, TurnError> {
        if self.open.is_none() {
            let file = match File::open(&self.path) {
                Ok(file) => file,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    return Err(TurnError::Moved);
                }
                Err(error) => return Err(error.into()),
            };
            let stat = Stat::of_file(&file)?;
            if settings.identity.id(&self.path, &stat) != self.id {
                return Err(TurnError::Moved);
            }
            let content = Content::new(file, &self.path, settings)?;
            self.unread = stat.len;
            self.open = Some(Open { content, _permit: Permit::new() });
        }
        Ok(&self.open.as_ref().expect("it was opened above").content)
    }

    fn stat(&self, settings: &Settings) -> Result<Stat, TurnError> {
        if let Some(open) = &self.open {
            return Ok(Stat::of_file(open.content.file())?);
        }
        let is_it = |stat: &Stat| settings.identity.id(&self.path, stat) == self.id;
        match Stat::of_path(&self.path) {
            Ok(Some(stat)) if is_it(&stat) => Ok(stat),
            Ok(_) => Err(TurnError::Moved),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(TurnError::Moved),
            Err(error) => Err(error.into()),
        }
    }

    /// Goes back to the beginning, and gives the position up to where what is no longer there was read.
    fn start_over(&mut self, settings: &Settings) -> Result<Box<Position>, TurnError> {
        let old = Box::new(self.position());
        self.begun = self.seen.and_then(|(_, modified)| i64::try_from(modified?).ok());
        (self.cursor, self.seen) = (Cursor::default(), None);
        self.note_progress();
        if let Some(open) = &mut self.open {
            let file = open.content.file().try_clone()?;
            open.content = Content::new(file, &self.path, settings)?;
        }
        Ok(old)
    }

    fn emit(
        &mut self,
        found: cursor::Found,
        settings: &Settings,
        out: &BlockingEmitter,
    ) -> Result<(), TurnError> {
        for _ in 0..found.cut + found.damaged {
            settings.counters.error();
        }
        if found.cut > 0 && !self.warned_of_cut {
            self.warned_of_cut = true;
            tracing::warn!(
                path = %self.path.display(),
                "a line or record that is too long was cut; further ones in this file are only counted"
            );
        }
        let batch = found.batch.with_source(self.source.clone());
        out.emit_at(batch, &self.key, self.position().to_json())?;
        Ok(())
    }

    fn say_damage(&mut self, damage: Option<Damage>, settings: &Settings) {
        if let Some(damage) = damage
            && !std::mem::replace(&mut self.warned_of_damage, true)
        {
            tracing::warn!(path = %self.path.display(), "not all of this file can be read: {damage}");
            settings.counters.error();
        }
    }
}

impl std::fmt::Debug for Tail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} at {}", self.path.display(), self.cursor.offset())
    }
}
