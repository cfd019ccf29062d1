//! One file that is followed: where reading stands, and one turn of it.
//!
//! Nothing of a file is kept in memory between turns. The unfinished last line is read again with
//! what follows it; of a long one it is remembered up to where it has no end, so that no byte is
//! read more than a few times.

use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use swak_sdk::data::{Batch, BlockPool, LineRange, Name, Timestamp};
use swak_sdk::plugin::{BlockingEmitter, Counters, Stopped};

use super::encoding::{Encoding, FileEncoding};
use super::fingerprint::Fingerprint;
use super::position::{Position, key};
use super::read::read_at;
use crate::identity::{FileId, Stat};
use crate::inputs::lines::Splitter;

/// Bytes that are read in one turn.
pub(super) const BLOCK: usize = 256 << 10;

/// What all files of one input have in common.
pub(super) struct Settings {
    pub(super) pool: BlockPool,
    pub(super) max_line: usize,
    pub(super) keep_cr: bool,
    pub(super) encoding: Encoding,
    pub(super) counters: Arc<Counters>,
}

/// One file.
pub(super) struct Tail {
    pub(super) path: PathBuf,
    pub(super) id: FileId,
    pub(super) key: String,
    source: Name,
    open: Option<Open>,
    /// Everything before this was emitted; always the beginning of a line.
    offset: u64,
    /// There is no line end between `offset` and this.
    scanned: u64,
    /// The length of the file when all of it had been read.
    end: Option<u64>,
    /// When it had been written to, before it was last read: a file that was truncated and has just
    /// its old length again is told by that.
    modified: Option<i128>,
    head: Fingerprint,
    trace: Fingerprint,
    /// Lines in the last block, to make room for as many.
    lines: usize,
    warned_of_cut: bool,
}

struct Open {
    file: File,
    encoding: FileEncoding,
    splitter: Splitter,
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
            offset: 0,
            scanned: 0,
            end: None,
            modified: None,
            head: Fingerprint::default(),
            trace: Fingerprint::default(),
            lines: 0,
            warned_of_cut: false,
        }
    }

    /// A file that was followed under another path, which stays its source.
    pub(super) fn renamed(path: PathBuf, id: FileId, source: &str) -> Self {
        Tail { source: source.into(), ..Tail::new(path, id) }
    }

    /// Goes on at a stored position. `false` when the file is another one by now, and is read from
    /// its beginning.
    pub(super) fn resume(&mut self, position: &Position, settings: &Settings) -> io::Result<bool> {
        let file = match self.open(settings) {
            Ok(open) => &open.file,
            Err(TurnError::Io(error)) => return Err(error),
            Err(_) => return Ok(false),
        };
        if !position.head.is_beginning_of(file)?
            || !position.trace.ends_at(file, position.offset)?
        {
            return Ok(false);
        }
        self.offset = position.offset;
        self.scanned = position.offset;
        self.head = position.head;
        self.trace = position.trace;
        Ok(true)
    }

    /// Leaves out what is there already, but for a last line that is not complete.
    pub(super) fn skip_to_end(&mut self, settings: &Settings) -> Result<(), TurnError> {
        let max_line = settings.max_line;
        let open = self.open(settings)?;
        let len = Stat::of_file(&open.file)?.len;
        let back = len.min(max_line as u64 + 4);
        let from = (len - back) / 2 * 2;
        let mut bytes = Vec::new();
        read_at(&open.file, &mut bytes, from, (len - from) as usize)?;
        bytes.truncate((len - from) as usize);
        let end = open.splitter.end_of_last_line(&bytes) as u64;
        // Without a line end in reach, the line that is cut off at its start is the price.
        let offset = if end == 0 && from > 0 { len } else { from + end };
        let (head, trace) = Fingerprint::of_file(&open.file, offset)?;
        (self.offset, self.scanned, self.head, self.trace) = (offset, offset, head, trace);
        Ok(())
    }

    /// Where reading goes on after a restart, once all that was emitted is delivered.
    pub(super) fn position(&self) -> Position {
        Position::new(&self.path, self.id, self.offset, self.head, self.trace)
    }

    /// Reads one block, or finds that there is nothing new.
    pub(super) fn turn(
        &mut self,
        settings: &Settings,
        out: &BlockingEmitter,
    ) -> Result<Turn, TurnError> {
        let stat = self.stat()?;
        if let Some(end) = self.end {
            if stat.len == end && stat.modified == self.modified {
                return Ok(Turn::Quiet);
            }
            self.end = None;
            self.check_truncation(settings)?;
        }
        self.modified = stat.modified;
        self.open(settings)?;
        if self.offset == 0 {
            self.begin(settings)?;
        }
        let mut want = BLOCK;
        if self.scanned - self.offset >= LONG_REST {
            match self.find_end_of_long_line(settings, out)? {
                Some(line) => want = want.max(line),
                None => return Ok(self.ended()),
            }
        }
        self.read_lines(want, settings, out)?;
        Ok(self.ended())
    }

    /// Whether all of the file was read and the last line has no end.
    pub(super) fn has_rest(&self) -> bool {
        self.end.is_some_and(|end| end > self.offset)
    }

    /// Emits the last line although it has no end: nothing will follow.
    pub(super) fn emit_rest(
        &mut self,
        settings: &Settings,
        out: &BlockingEmitter,
    ) -> Result<(), TurnError> {
        let Some(end) = self.end.filter(|end| *end > self.offset) else { return Ok(()) };
        let offset = self.offset;
        let len = usize::try_from(end - offset).unwrap_or(usize::MAX).min(settings.max_line + 4);
        let open = self.open(settings)?;
        let mut buffer = settings.pool.take();
        read_at(&open.file, &mut buffer, offset, len)?;
        buffer.truncate(len);
        let (line, cut) = open.splitter.unended(&buffer);
        self.trace = Fingerprint::of_file(&open.file, end)?.1;
        self.head.grow(offset, &buffer);
        (self.offset, self.scanned) = (end, end);
        self.emit(buffer, vec![line], usize::from(cut), settings, out)
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
            Some(open) => Stat::of_file(&open.file).is_ok_and(|stat| stat.deleted),
            None => false,
        }
    }

    /// Opens it, if that is not done yet.
    fn open(&mut self, settings: &Settings) -> Result<&Open, TurnError> {
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
            self.open = Some(Open::new(file, settings)?);
        }
        Ok(self.opened())
    }

    fn opened(&self) -> &Open {
        self.open.as_ref().expect("a turn opens the file first")
    }

    fn stat(&self) -> Result<Stat, TurnError> {
        if let Some(open) = &self.open {
            return Ok(Stat::of_file(&open.file)?);
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
        let (offset, trace) = (self.offset, self.trace);
        let file = &self.open(settings)?.file;
        let len = Stat::of_file(file)?.len;
        if len < offset || !trace.ends_at(file, offset)? {
            tracing::info!(path = %self.path.display(), "the file was truncated; reading from its beginning");
            self.start_over();
        } else if len < self.scanned {
            self.scanned = self.offset;
        }
        Ok(())
    }

    fn start_over(&mut self) {
        (self.offset, self.scanned, self.end) = (0, 0, None);
        (self.head, self.trace) = (Fingerprint::default(), Fingerprint::default());
    }

    /// At the beginning of the file: its encoding may be marked there.
    fn begin(&mut self, settings: &Settings) -> io::Result<()> {
        let open = self.open.as_mut().expect("a turn opens the file first");
        open.detect(settings)?;
        let mark = open.encoding.mark;
        if mark > 0 {
            (self.head, self.trace) = Fingerprint::of_file(&open.file, mark)?;
            (self.offset, self.scanned) = (mark, self.scanned.max(mark));
        }
        Ok(())
    }

    /// Reads from `offset` on and emits the complete lines.
    fn read_lines(
        &mut self,
        want: usize,
        settings: &Settings,
        out: &BlockingEmitter,
    ) -> Result<(), TurnError> {
        let open = self.opened();
        let mut buffer = settings.pool.take();
        let read = read_at(&open.file, &mut buffer, self.offset, want)?;
        let mut lines = Vec::with_capacity(self.lines + self.lines / 8);
        let split = open.splitter.split(&buffer, &mut lines);
        let rest = (read - split.consumed) / open.splitter.unit.width();
        let rest = (rest * open.splitter.unit.width()) as u64;
        if read < want {
            self.end = Some(self.offset + read as u64);
        }
        if split.consumed == 0 {
            self.scanned = self.offset + rest;
            // The memory goes back to the pool.
            drop(settings.pool.seal(buffer));
            return Ok(());
        }
        let consumed = &buffer[..split.consumed];
        self.head.grow(self.offset, consumed);
        self.trace = Fingerprint::trace(consumed);
        self.offset += split.consumed as u64;
        self.scanned = self.offset + rest;
        self.lines = lines.len();
        self.emit(buffer, lines, split.cut, settings, out)
    }

    /// Looks for the end of a line of which a part is known to have none. Gives back the length of
    /// the line when it is to be read; `None` when it has no end yet, or was emitted, cut.
    fn find_end_of_long_line(
        &mut self,
        settings: &Settings,
        out: &BlockingEmitter,
    ) -> Result<Option<usize>, TurnError> {
        let open = self.opened();
        let mut buffer = settings.pool.take();
        let read = read_at(&open.file, &mut buffer, self.scanned, BLOCK)?;
        let width = open.splitter.unit.width();
        let Some(feed) = open.splitter.find_feed(&buffer) else {
            if read < BLOCK {
                self.end = Some(self.scanned + read as u64);
            }
            self.scanned += (read / width * width) as u64;
            drop(settings.pool.seal(buffer));
            return Ok(None);
        };
        let end = self.scanned + (feed + width) as u64;
        let line = usize::try_from(end - self.offset).unwrap_or(usize::MAX);
        if line <= settings.max_line + 2 * width {
            drop(settings.pool.seal(buffer));
            return Ok(Some(line));
        }
        buffer.clear();
        read_at(&open.file, &mut buffer, self.offset, settings.max_line + 4)?;
        let (range, cut) = open.splitter.unended(&buffer);
        self.trace = Fingerprint::of_file(&open.file, end)?.1;
        self.head.grow(self.offset, &buffer);
        (self.offset, self.scanned) = (end, end);
        self.emit(buffer, vec![range], usize::from(cut), settings, out)?;
        Ok(None)
    }

    fn ended(&self) -> Turn {
        if self.end.is_some() { Turn::End } else { Turn::More }
    }

    fn emit(
        &mut self,
        buffer: Vec<u8>,
        mut lines: Vec<LineRange>,
        cut: usize,
        settings: &Settings,
        out: &BlockingEmitter,
    ) -> Result<(), TurnError> {
        for _ in 0..cut {
            settings.counters.error();
        }
        if cut > 0 && !self.warned_of_cut {
            self.warned_of_cut = true;
            tracing::warn!(
                path = %self.path.display(),
                "a line of more than {} bytes was cut; further ones in this file are only counted",
                settings.max_line
            );
        }
        let encoding = self.opened().encoding;
        let block = if encoding.is_raw() {
            settings.pool.seal(buffer)
        } else {
            let mut text = settings.pool.take();
            for _ in 0..encoding.decode(&buffer, &mut lines, &mut text) {
                settings.counters.error();
            }
            drop(settings.pool.seal(buffer));
            settings.pool.seal(text)
        };
        let batch =
            Batch::from_lines(block, lines, Timestamp::now()).with_source(self.source.clone());
        out.emit_at(batch, &self.key, self.position().to_json())?;
        Ok(())
    }
}

/// An unfinished line up to this long is read again with what follows it.
const LONG_REST: u64 = 64 << 10;

impl Open {
    fn new(file: File, settings: &Settings) -> io::Result<Self> {
        let encoding = FileEncoding::of(settings.encoding, &file)?;
        let splitter = Splitter {
            unit: encoding.unit(),
            keep_cr: settings.keep_cr,
            max_line: settings.max_line,
        };
        Ok(Open { file, encoding, splitter })
    }

    fn detect(&mut self, settings: &Settings) -> io::Result<()> {
        self.encoding = FileEncoding::of(settings.encoding, &self.file)?;
        self.splitter.unit = self.encoding.unit();
        Ok(())
    }
}

impl std::fmt::Debug for Tail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} at {}", self.path.display(), self.offset)
    }
}
