//! Handing back what was written.
//!
//! The file is renamed to `NAME.drain`, so that what is written meanwhile goes to a new one. How far it
//! is delivered is written to `NAME.drain.at` after each piece, so that a kill doubles no more than the
//! piece that was under way. When all is delivered, first `NAME.drain` is removed and then
//! `NAME.drain.at`; one that is found alone is of a file that is done with.
//!
//! Lines that cannot be read are moved to `NAME.unread`, and so is a last line without its end: whoever
//! wrote it was killed before anybody was told that it is there, so that it comes again.

mod unread;

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use memchr::{memchr_iter, memrchr};
use serde::{Deserialize, Serialize};
use swak_sdk::data::json::JsonError;
use swak_sdk::data::{MESSAGE, TRUNCATED};
use swak_sdk::plugin::Counters;
use swak_sdk::prelude::*;

use self::unread::Unread;
pub(super) use self::unread::put_torn_aside;
use super::lock::DrainLock;
use super::path::beside;
use super::system::sync_folder;
use super::turns::{self, Hold, PATIENCE};
use crate::blocking::blocking;
use crate::formats::{Format, record};

/// What has been set aside, and how far it is delivered.
pub(super) struct FileBacklog {
    places: Places,
    form: Form,
    file: File,
    len: u64,
    /// All before this is delivered; the beginning of a line.
    offset: u64,
    /// What was given last.
    given: Option<Given>,
    is_done: bool,
    piece: usize,
    tag: Name,
    unread: Unread,
    /// Nobody else drains or writes to the file as long as this one is there.
    _lock: Arc<DrainLock>,
}

/// How lines that were written are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Raw,
    Json,
    Record,
}

/// What is handed back at once where nobody says otherwise.
pub(super) const PIECE: usize = 1 << 20;

impl Form {
    /// How a format is read; `None` when it cannot be.
    pub(super) fn of(format: Format) -> Option<Self> {
        match format {
            Format::Raw => Some(Form::Raw),
            Format::Json => Some(Form::Json),
            Format::Record => Some(Form::Record),
            Format::Csv | Format::Msgpack | Format::Template => None,
        }
    }

    /// What of a record comes back.
    pub(super) fn hands_back(self) -> HandsBack {
        let lacks = match self {
            Form::Record => return HandsBack::Whole,
            Form::Json => "format=\"json\" keeps fields, and neither times, tags nor sources",
            Form::Raw => {
                "format=\"raw\" keeps lines: fields come back as text, and neither times, tags nor \
                 sources come back"
            }
        };
        HandsBack::Changed(lacks.to_owned())
    }
}

/// How what is set aside is handed back.
pub(super) struct Habits {
    pub(super) form: Form,
    /// Bytes that are handed back at once, but for a longer line.
    pub(super) piece: usize,
    /// The tag of records that come back without one.
    pub(super) tag: Name,
    pub(super) counters: Arc<Counters>,
}

/// What was set aside of a file by an earlier run, or is now; `None` when there is nothing. Nobody
/// must have the file open.
pub(super) fn take_back(
    path: &Path,
    lock: Arc<DrainLock>,
    habits: Habits,
) -> Result<Option<FileBacklog>> {
    let places = Places::of(path);
    if !is_there(&places.aside)? {
        // Of a file that is done with: it must not be taken for that of the next one.
        if remove(&places.progress)? {
            sync_folder(path)?;
        }
        if !is_there(path)? {
            return Ok(None);
        }
        fs::rename(path, &places.aside)
            .with_context(|| format!("cannot set {} aside", path.display()))?;
        sync_folder(path)?;
    }
    let file = File::open(&places.aside)
        .with_context(|| format!("cannot open {}", places.aside.display()))?;
    // An output that had it open before it was drained may be in the middle of a write to it. It is the
    // last one: before the next it finds that the file is gone.
    ensure!(
        turns::hold(&file, PATIENCE) != Hold::Refused,
        "cannot send on {}: another process has locked it",
        places.aside.display()
    );
    turns::let_go(&file);
    let len = file.metadata()?.len();
    let progress = places.progress(&file, len)?;
    Ok(Some(FileBacklog {
        unread: Unread::new(path, progress.unread, habits.counters)?,
        places,
        form: habits.form,
        file,
        len,
        offset: progress.delivered,
        given: None,
        is_done: false,
        piece: habits.piece,
        tag: habits.tag,
        _lock: lock,
    }))
}

/// Whether there is anything to take back.
pub(super) fn is_anything_there(path: &Path) -> Result<bool> {
    Ok(is_there(path)? || is_there(&Places::of(path).aside)?)
}

impl Backlog for FileBacklog {
    async fn next(&mut self) -> Result<Option<Chunk>> {
        blocking(|| {
            while !self.is_done {
                if self.is_at_end()? {
                    self.finish()?;
                    break;
                }
                let (lines, end) = self.read_piece()?;
                let mut given = Given { end, unread: Vec::new() };
                let chunk = self.chunk(lines, &mut given.unread);
                self.given = Some(given);
                if !chunk.is_empty() {
                    return Ok(Some(chunk));
                }
                self.confirm()?;
            }
            Ok(None)
        })
    }

    async fn delivered(&mut self) -> Result<()> {
        blocking(|| {
            self.confirm()?;
            if self.is_at_end()? { self.finish() } else { Ok(()) }
        })
    }
}

/// A piece that was given.
struct Given {
    end: u64,
    /// Its lines that could not be read, each with its end.
    unread: Vec<u8>,
}

/// The files beside the one that is written to.
struct Places {
    aside: PathBuf,
    progress: PathBuf,
}

/// What is written to `NAME.drain.at`.
#[derive(Default, Serialize, Deserialize)]
struct Progress {
    /// Bytes that are delivered.
    delivered: u64,
    /// How long `NAME.unread` was then.
    unread: Option<u64>,
}

/// The longest line that is looked for; of a longer one each part is taken as a line.
const LONGEST: usize = 1 << 30;

impl FileBacklog {
    /// Whole lines from the offset on, and where they end.
    fn read_piece(&mut self) -> Result<(Vec<u8>, u64)> {
        let mut lines = Vec::new();
        let mut want = self.piece;
        loop {
            self.file.seek(SeekFrom::Start(self.offset + lines.len() as u64))?;
            let more = (want - lines.len()) as u64;
            let read = (&self.file).take(more).read_to_end(&mut lines)?;
            if let Some(last) = memrchr(b'\n', &lines) {
                lines.truncate(last + 1);
                break;
            }
            // Its writer was killed in the middle of the last line, or it is hopelessly long.
            if (read as u64) < more || want >= LONGEST {
                break;
            }
            want *= 2;
        }
        let end = self.offset + lines.len() as u64;
        Ok((lines, end))
    }

    /// The records of whole lines; those that are none are put aside.
    fn chunk(&self, lines: Vec<u8>, unread: &mut Vec<u8>) -> Chunk {
        let block = Block::from(lines);
        let now = Timestamp::now();
        let (mut ranges, mut stored) = (Vec::new(), Vec::new());
        let mut start = 0;
        let ends = memchr_iter(b'\n', &block).map(|end| (end, true));
        let torn = block.last().filter(|last| **last != b'\n').map(|_| (block.len(), false));
        for (end, is_whole) in ends.chain(torn) {
            let line = block.slice(start, end);
            match self.form {
                // A line without its end was not promised to anybody: it comes once more.
                _ if !is_whole => put_aside(&line, unread),
                Form::Raw => ranges.push(LineRange { start: start as u32, end: end as u32 }),
                Form::Json => match of_json(line.clone(), now) {
                    Ok(record) => stored.push((self.tag.clone(), Name::default(), record)),
                    Err(_) => put_aside(&line, unread),
                },
                Form::Record => match record::read(&line) {
                    Ok(read) => stored.push((read.tag.into(), read.source.into(), read.record)),
                    Err(_) => put_aside(&line, unread),
                },
            }
            start = end + 1;
        }
        if self.form == Form::Raw {
            return Batch::from_lines(block, ranges, now).with_tag(self.tag.clone()).into();
        }
        gather(stored)
    }

    /// Whether all is given and done with. A program that was not told to leave the file alone may
    /// have written to it since it was opened here.
    fn is_at_end(&mut self) -> Result<bool> {
        if self.offset >= self.len {
            self.len = self.file.metadata()?.len();
        }
        Ok(self.offset >= self.len)
    }

    /// The piece that was given is done with.
    fn confirm(&mut self) -> Result<()> {
        let Some(given) = &mut self.given else { return Ok(()) };
        if !given.unread.is_empty() {
            // So that after a kill it is known what of them is in the file already.
            self.places.write_progress(self.offset, &self.unread)?;
            self.unread.add(&given.unread)?;
            given.unread.clear();
        }
        self.places.write_progress(given.end, &self.unread)?;
        self.offset = given.end;
        self.given = None;
        Ok(())
    }

    /// All is delivered.
    fn finish(&mut self) -> Result<()> {
        // In this order: progress alone is of a file that is done with.
        remove(&self.places.aside)?;
        sync_folder(&self.places.aside)?;
        remove(&self.places.progress)?;
        // It must not come back after a power failure, and be taken for that of the next file.
        sync_folder(&self.places.aside)?;
        self.is_done = true;
        Ok(())
    }
}

impl Places {
    fn of(path: &Path) -> Self {
        Places { aside: beside(path, ".drain"), progress: beside(path, ".drain.at") }
    }

    /// How much of the file that was set aside is delivered. What makes no sense is nothing: rather
    /// twice than never.
    fn progress(&self, mut file: &File, len: u64) -> Result<Progress> {
        let text = match fs::read(&self.progress) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Progress::default()),
            text => text?,
        };
        let Ok(progress) = serde_json::from_slice::<Progress>(&text) else {
            return Ok(Progress::default());
        };
        let delivered = progress.delivered;
        if delivered == len || delivered == 0 {
            return Ok(progress);
        }
        let mut last = [0];
        if delivered < len {
            file.seek(SeekFrom::Start(delivered - 1))?;
            file.read_exact(&mut last)?;
        }
        Ok(if last == *b"\n" { progress } else { Progress::default() })
    }

    fn write_progress(&self, delivered: u64, unread: &Unread) -> Result<()> {
        let progress = Progress { delivered, unread: Some(unread.len()) };
        let text = serde_json::to_vec(&progress).expect("numbers are JSON");
        let new = beside(&self.progress, ".new");
        fs::write(&new, text)
            .and_then(|()| fs::rename(&new, &self.progress))
            .with_context(|| format!("cannot write {}", self.progress.display()))
    }
}

/// A record that was written as JSON. A line is known by its one field.
fn of_json(json: Slice, now: Timestamp) -> Result<Record, JsonError> {
    let record = Record::from_json(json, now)?;
    let fields = record.view().to_map().into_owned();
    let is_truncated = fields.get(TRUNCATED) == Some(&Value::Bool(true));
    Ok(match fields.get(MESSAGE) {
        Some(Value::Text(message)) if fields.len() == 1 + usize::from(is_truncated) => {
            let mut line = Record::from_line(message.to_slice(), now);
            line.set_truncated(is_truncated);
            line
        }
        _ => record,
    })
}

/// Records in batches of the same tag and source.
fn gather(stored: Vec<(Name, Name, Record)>) -> Chunk {
    let mut chunk = Chunk::default();
    for (tag, source, record) in stored {
        match chunk.batches_mut().last_mut() {
            Some(batch) if batch.tag == tag && batch.source == source => {
                batch.records_mut().push(record);
            }
            _ => chunk.push(Batch::new(vec![record]).with_tag(tag).with_source(source)),
        }
    }
    chunk
}

fn put_aside(line: &[u8], unread: &mut Vec<u8>) {
    unread.extend_from_slice(line);
    unread.push(b'\n');
}

/// Whether there is a file with something in it; never of a pipe or a device.
fn is_there(path: &Path) -> io::Result<bool> {
    match fs::metadata(path) {
        Ok(metadata) => Ok(metadata.is_file() && metadata.len() > 0),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Whether it was there.
fn remove(path: &Path) -> Result<bool> {
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(Error::new(error).context(format!("cannot remove {}", path.display()))),
    }
}

#[cfg(test)]
mod tests;
