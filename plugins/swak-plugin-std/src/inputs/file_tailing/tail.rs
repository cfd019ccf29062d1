//! One file that is followed: what it is, and its turns.

use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use swak_sdk::data::{BlockPool, Name};
use swak_sdk::plugin::{BlockingEmitter, Counters, Stopped};

use super::content::{Compression, Content};
use super::cursor::{Cursor, Found};
use super::encoding::Encoding;
use super::gzip::Damage;
use super::multiline::Multiline;
use super::position::{Position, key};
use crate::identity::{FileId, Stat};

/// Bytes that are read in one turn.
pub(super) const BLOCK: usize = 256 << 10;

/// What all files of one input have in common.
pub(super) struct Settings {
    pub(super) pool: BlockPool,
    pub(super) max_line: usize,
    pub(super) keep_cr: bool,
    pub(super) encoding: Encoding,
    pub(super) compression: Compression,
    pub(super) multiline: Option<Multiline>,
    pub(super) counters: Arc<Counters>,
}

/// One file.
pub(super) struct Tail {
    pub(super) path: PathBuf,
    pub(super) id: FileId,
    pub(super) key: String,
    source: Name,
    open: Option<Content>,
    cursor: Cursor,
    /// The length of the file, and when it had been written to, before it was last read: a file that
    /// was truncated and has just its old length again is told by the time.
    len: u64,
    modified: Option<i128>,
    warned_of_cut: bool,
    warned_of_damage: bool,
}

/// How a turn ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// There may be more to read.
    More,
    /// The end of the file was reached; something had been read.
    End,
    /// Nothing had changed since the end was reached.
    Quiet,
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
    pub(super) fn new(path: PathBuf, id: FileId) -> Self {
        Tail {
            source: path.to_string_lossy().into_owned().into(),
            path,
            id,
            key: key(id),
            open: None,
            cursor: Cursor::default(),
            len: 0,
            modified: None,
            warned_of_cut: false,
            warned_of_damage: false,
        }
    }

    /// A file that was followed under another path, which stays its source.
    pub(super) fn renamed(path: PathBuf, id: FileId, source: &str) -> Self {
        Tail { source: source.into(), ..Tail::new(path, id) }
    }

    /// Goes on at a stored position. `false` when the file is another one by now, and is read from
    /// its beginning.
    pub(super) fn resume(&mut self, position: &Position, settings: &Settings) -> io::Result<bool> {
        let content = match self.open(settings) {
            Ok(content) => content,
            Err(TurnError::Io(error)) => return Err(error),
            Err(_) => return Ok(false),
        };
        let Position { offset, head, trace, packed, .. } = position;
        let is_known = match packed {
            Some(packed) => content.is_known(packed, *offset)?,
            None => false,
        };
        let is_same =
            is_known || head.is_beginning_of(content)? && trace.ends_at(content, *offset)?;
        if !is_same {
            return Ok(false);
        }
        content.release(*offset);
        self.cursor = Cursor::at(*offset, *head, *trace);
        Ok(true)
    }

    /// Leaves out what is there already, but for a last line that is not complete.
    pub(super) fn skip_to_end(&mut self, settings: &Settings) -> Result<(), TurnError> {
        self.cursor = Cursor::at_end(self.open(settings)?, settings)?;
        Ok(())
    }

    /// Where reading goes on after a restart, once all that was emitted is delivered.
    pub(super) fn position(&self) -> Position {
        let cursor = &self.cursor;
        let packed = self.open.as_ref().filter(|_| !cursor.has_rest()).and_then(Content::packed);
        Position {
            packed,
            ..Position::new(&self.path, self.id, cursor.offset(), cursor.head(), cursor.trace())
        }
    }

    /// Reads one block, or finds that there is nothing new.
    pub(super) fn turn(
        &mut self,
        settings: &Settings,
        out: &BlockingEmitter,
    ) -> Result<Turn, TurnError> {
        let stat = self.stat()?;
        if self.cursor.is_at_end() {
            if (stat.len, stat.modified) == (self.len, self.modified) {
                return Ok(Turn::Quiet);
            }
            self.check_truncation(settings)?;
        }
        (self.len, self.modified) = (stat.len, stat.modified);
        self.open(settings)?;
        let path = &self.path;
        let content = self.open.as_mut().expect("it was opened above");
        if self.cursor.offset() == 0 {
            content.settle(path, settings)?;
        }
        let found = self.cursor.read(content, settings)?;
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
        self.cursor.is_at_end() && self.open.as_ref().is_some_and(|o| o.packed().is_some())
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
        self.open(settings)?;
        let content = self.open.as_ref().expect("it was opened above");
        match self.cursor.read_open_record(content, settings)? {
            Some(found) => self.emit(found, settings, out),
            None => Ok(()),
        }
    }

    /// Emits the last record although it may go on, or its last line has no end: nothing will follow.
    pub(super) fn emit_rest(
        &mut self,
        settings: &Settings,
        out: &BlockingEmitter,
    ) -> Result<(), TurnError> {
        self.open(settings)?;
        let content = self.open.as_ref().expect("it was opened above");
        match self.cursor.read_rest(content, settings)? {
            Some(found) => self.emit(found, settings, out),
            None => Ok(()),
        }
    }

    /// Nothing more will be read: a compressed file that ends in the middle is damaged.
    pub(super) fn check_end(&mut self, settings: &Settings) {
        let is_cut_off = self.open.as_ref().is_some_and(Content::is_cut_off);
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

    /// Whether it holds a descriptor.
    pub(super) fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// Whether its path still leads to it.
    pub(super) fn is_at_path(&self) -> bool {
        matches!(Stat::of_path(&self.path), Ok(Some(stat)) if stat.id == self.id)
    }

    /// Whether no name leads to it any more.
    pub(super) fn is_deleted(&self) -> bool {
        match &self.open {
            Some(open) => Stat::of_file(open.file()).is_ok_and(|stat| stat.deleted),
            None => false,
        }
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
            if Stat::of_file(&file)?.id != self.id {
                return Err(TurnError::Moved);
            }
            self.open = Some(Content::new(file, &self.path, settings)?);
        }
        Ok(self.open.as_ref().expect("it was opened above"))
    }

    fn stat(&self) -> Result<Stat, TurnError> {
        if let Some(open) = &self.open {
            return Ok(Stat::of_file(open.file())?);
        }
        match Stat::of_path(&self.path) {
            Ok(Some(stat)) if stat.id == self.id => Ok(stat),
            Ok(_) => Err(TurnError::Moved),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(TurnError::Moved),
            Err(error) => Err(error.into()),
        }
    }

    /// After a change: what was read may be gone, and other bytes may stand there.
    fn check_truncation(&mut self, settings: &Settings) -> Result<(), TurnError> {
        self.open(settings)?;
        let content = self.open.as_mut().expect("it was opened above");
        if !self.cursor.go_on(content)? {
            tracing::info!(path = %self.path.display(), "the file was truncated; reading from its beginning");
            self.cursor = Cursor::default();
            *content = Content::new(content.file().try_clone()?, &self.path, settings)?;
        }
        Ok(())
    }

    fn emit(
        &mut self,
        found: Found,
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
