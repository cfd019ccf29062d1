//! `out.File`: files, one for all records or one for each name that a template gives.

mod drain;
mod emptied;
mod lock;
mod open;
mod path;
mod rotate;
mod system;
mod torn;
mod turns;
mod undo;
mod whole;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use swak_sdk::plugin::Counters;
use swak_sdk::prelude::*;

use self::drain::{FileBacklog, Form, PIECE};
use self::lock::DrainLock;
use self::open::{Habits, OpenFiles};
use self::path::{FilePath, led_to};
use self::rotate::Rotation;
use self::system::FileError;
use self::torn::Writing;
use self::undo::Undo;
use crate::blocking::blocking;
use crate::formats::{Encoder, Format, FormatOptions, Replaced};

/// Writes records to a file, or to several when its path is a template.
///
/// Folders on the way are made. A chunk is written whole or not at all: when the disk is full or
/// something else fails, what was written of it is taken back, and it is tried again. What a killed
/// agent has written of a record is ended before the next one begins, or cut off in MessagePack, which
/// knows no such end; the record comes again.
///
/// A file that somebody moves away or deletes is made anew with the next chunk, so that `logrotate` needs
/// neither `copytruncate` nor a signal; with `compress` it needs `delaycompress`. Where the path is a
/// symbolic link, rotation moves the file that it leads to. Several tasks may append to one file: each
/// chunk stays together.
///
/// ```swak
/// task(
///     in.FileTailing("/srv/app/*.json"),
///     out.JsonParser(time="at"),
///     out.File(
///         "/srv/archive/{{ host }}/{{ time|strftime('%Y-%m-%d') }}.json",
///         rotate_size="100m", rotate_keep=10, sync="chunk"
///     )
/// )
/// ```
///
/// As the `last` of a failover it can hand back what it took, with `format="record"` just as it was.
/// The file is set aside as `NAME.drain` for that and removed once all of it is delivered. Lines that
/// cannot be read are kept in `NAME.unread`, and so is a last line that a killed agent has written in
/// part: its record comes again. As long as `NAME.drain.lock` is locked, no other output writes to the
/// file, in this agent or another one.
///
/// ```swak
/// task(
///     in.FileTailing("/srv/app/*.log"),
///     failover(
///         out.Stdout(),
///         last=out.File("/var/spool/failed.jsonl", format="record"),
///         drain_back=True
///     )
/// )
/// ```
#[derive(Options)]
#[plugin(output, name = "File")]
pub(crate) struct FileOptions {
    /// Where the file is; a template gives each record its file:
    /// `/var/log/{{ tag }}/{{ time|strftime("%Y-%m-%d") }}.log`. What records say never leads out of
    /// the folder before the first placeholder: a `..` after it is written `__`.
    #[option(positional)]
    path: Template,
    /// The form in which records are written.
    #[option(default = "raw")]
    format: Format,
    /// The fields of a row of `format="csv"`.
    #[option(default = [])]
    columns: Vec<FieldPath>,
    /// What stands between two cells of `format="csv"`.
    #[option(default = ",")]
    delimiter: char,
    /// Whether the first row of a file of `format="csv"` names the columns.
    #[option(default = true)]
    header: bool,
    /// The template of `format="template"`, one line a record: `{{ host }} {{ message }}`.
    template: Option<Template>,
    /// Whether records are added to what is in the file; otherwise it is emptied before the first write
    /// after each start of the task. A start after a failure keeps what was written since.
    #[option(default = true)]
    append: bool,
    /// The size that a file does not grow beyond: before that it is renamed to `NAME.1`, that to
    /// `NAME.2`, and so on. A chunk is never cut, so one that is larger by itself makes a larger file.
    rotate_size: Option<ByteSize>,
    /// How often a file is renamed so: `1d` is at midnight UTC, when the next record comes.
    rotate_every: Option<Duration>,
    /// How many renamed files are kept; the oldest is deleted.
    #[option(default = 5, range = 1..=10_000)]
    rotate_keep: u32,
    /// Whether records must be on the disk before they count as delivered.
    #[option(default = "never")]
    sync: Sync,
    /// How many files are open at once.
    #[option(default = 64, range = 1..=4096)]
    max_open: usize,
}

/// When written records are forced onto the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Choice)]
enum Sync {
    /// Whenever the system likes; a power failure may cost the last of them.
    Never,
    /// With every chunk, before it counts as delivered.
    Chunk,
}

pub(crate) struct FileOutput {
    path: FilePath,
    encoder: Encoder,
    replaced: Replaced,
    files: OpenFiles,
    is_appended_to: bool,
    is_synced: bool,
    is_drained: bool,
    /// Keeps others away from a file that is drained.
    lock: Option<Arc<DrainLock>>,
    /// How what was written is read back, or why it cannot be.
    form: Result<Form, String>,
    tag: Name,
    counters: Arc<Counters>,
}

impl Plugin for FileOutput {
    type Options = FileOptions;

    fn new(options: FileOptions, cx: &BuildContext) -> Result<Self> {
        let FileOptions { path, format, columns, delimiter, template, .. } = options;
        ensure!(
            options.rotate_size.is_none_or(|size| size.as_usize() > 0),
            "`rotate_size` is 0, so every chunk would be a file of its own; leave it out"
        );
        ensure!(
            options.rotate_every.is_none_or(|every| every.as_secs() > 0),
            "`rotate_every` is shorter than a second"
        );
        let rotation = Rotation {
            size: options.rotate_size.map(|size| size.0),
            every: options.rotate_every,
            keep: options.rotate_keep,
        };
        let habits = Habits {
            max_open: options.max_open,
            writing: match format {
                Format::Csv => Writing::Csv,
                Format::Msgpack => Writing::Msgpack,
                Format::Raw | Format::Json | Format::Template | Format::Record => Writing::Lines,
            },
            rotation,
            sync: options.sync == Sync::Chunk,
        };
        // What was delivered before the task failed does not come again.
        let emptied = || emptied::by_step(cx.counters(), cx.resumes());
        let emptied = (!options.append).then(emptied);
        let encoder = Encoder::new(FormatOptions { format, columns, delimiter, template })?;
        let path = FilePath::new(path)?;
        Ok(FileOutput {
            form: form(&path, format, options.append, &habits),
            tag: cx.task().into(),
            counters: cx.counters().clone(),
            path,
            files: OpenFiles::new(habits, encoder.header().filter(|_| options.header), emptied),
            encoder,
            replaced: Replaced::new(cx.counters().clone()),
            is_appended_to: options.append,
            is_synced: habits.sync,
            is_drained: false,
            lock: None,
        })
    }
}

impl Output for FileOutput {
    /// What another one has written would be taken back with what this one could not write whole.
    fn is_exclusive(&self) -> bool {
        true
    }

    async fn write(&mut self, chunk: &Chunk) -> Result<(), WriteError> {
        blocking(|| match &self.path {
            FilePath::Constant(path) => {
                if self.is_drained {
                    hold(&mut self.lock, path, self.is_synced)?;
                }
                let encoded = self.encoder.encode(chunk).map_err(rejected)?;
                self.files.write(path, &encoded.slices())?;
                self.replaced.count(encoded.replaced());
                Ok(())
            }
            FilePath::Template { .. } => self.write_by_path(chunk),
        })
    }

    async fn close(&mut self) -> Result<()> {
        self.files.close();
        self.lock = None;
        Ok(())
    }

    fn writes_to(&self) -> Option<Destination> {
        let FilePath::Constant(path) = &self.path else { return None };
        let alone = (!self.is_appended_to)
            .then(|| "the file is emptied when its task starts, with append=False".to_owned());
        Some(Destination { path: path.clone(), alone })
    }

    fn expect_take_back(&mut self) {
        self.is_drained = true;
        self.encoder.is_read_back();
        self.files.are_drained(Arc::clone(&self.counters));
    }

    fn hands_back(&self) -> Result<HandsBack> {
        match &self.form {
            Ok(form) => Ok(form.hands_back()),
            Err(why) => bail!("{why}"),
        }
    }

    async fn take_back(&mut self) -> Result<Option<BoxBacklog>> {
        Ok(self.backlog(PIECE).await?.map(|backlog| Box::new(backlog) as BoxBacklog))
    }
}

/// How what is written is read back, or why it cannot be.
fn form(path: &FilePath, format: Format, append: bool, habits: &Habits) -> Result<Form, String> {
    let rotation = habits.rotation;
    let why = if matches!(path, FilePath::Template { .. }) {
        "its path is a template, and only one file can be handed back"
    } else if rotation.size.is_some() || rotation.every.is_some() {
        "its files are moved away: leave out `rotate_size` and `rotate_every`"
    } else if !append {
        "its file is emptied by `append=False`; leave that out"
    } else {
        let why =
            || format!("format=\"{}\" cannot be read; write format=\"record\"", format.name());
        return Form::of(format).ok_or_else(why);
    };
    Err(why.to_owned())
}

impl FileOutput {
    /// What was written and not handed back yet, in pieces of so many bytes.
    async fn backlog(&mut self, piece: usize) -> Result<Option<FileBacklog>> {
        let (FilePath::Constant(path), Ok(form)) = (&self.path, &self.form) else {
            return Ok(None);
        };
        // Windows renames no open file.
        self.files.close();
        let habits = drain::Habits {
            form: *form,
            piece,
            tag: self.tag.clone(),
            counters: Arc::clone(&self.counters),
        };
        let (lock, is_synced) = (&mut self.lock, self.is_synced);
        blocking(|| {
            let target = led_to(path);
            // No folder is made only to look.
            if !drain::is_anything_there(&target)? {
                return Ok(None);
            }
            let lock = hold(lock, path, is_synced)?;
            let turn = turns::of(path);
            let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
            drain::take_back(&target, lock, habits)
        })
    }

    /// Writes each record to its own file: to all of them, or to none.
    fn write_by_path(&mut self, chunk: &Chunk) -> Result<(), WriteError> {
        let mut places: HashMap<PathBuf, usize> = HashMap::new();
        let mut parts: Vec<(PathBuf, Vec<u8>)> = Vec::new();
        let mut replaced = 0;
        for batch in chunk.batches() {
            for record in batch.iter() {
                let path = self.path.of(&Scope::new(batch, record)).map_err(|error| {
                    rejected(anyhow!("the path of a record cannot be made: {error}"))
                })?;
                let place = *places.entry(path).or_insert_with_key(|path| {
                    parts.push((path.clone(), Vec::new()));
                    parts.len() - 1
                });
                let (_, bytes) = &mut parts[place];
                replaced += self.encoder.encode_record(batch, record, bytes).map_err(rejected)?;
            }
        }
        let mut written: Vec<Undo> = Vec::new();
        for (path, bytes) in &parts {
            let slices = std::iter::once(bytes.as_slice());
            match self.files.write(path, &slices) {
                Ok(undo) => written.push(undo),
                Err(error) => {
                    // The last one first: two paths may lead to one file.
                    written.iter().rev().for_each(|undo| self.files.take_back(undo));
                    // A name that the records have made is theirs to answer for: others must not wait.
                    return Err(match error.is_of_name() {
                        true => rejected(error),
                        false => error.into(),
                    });
                }
            }
        }
        self.replaced.count(replaced);
        Ok(())
    }
}

/// The lock that keeps others away from a file, taken anew if that is gone.
fn hold(
    lock: &mut Option<Arc<DrainLock>>,
    path: &Path,
    sync: bool,
) -> Result<Arc<DrainLock>, FileError> {
    if let Some(held) = lock.as_ref().filter(|held| held.holds()) {
        return Ok(Arc::clone(held));
    }
    *lock = None;
    let taken = DrainLock::take(&led_to(path), sync);
    let taken = taken.map_err(|error| FileError::new("write to", path, error))?;
    Ok(Arc::clone(lock.insert(Arc::new(taken))))
}

fn rejected(error: impl Into<Error>) -> WriteError {
    WriteError::Reject(error.into())
}

#[cfg(test)]
mod tests;
