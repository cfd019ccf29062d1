//! Open files, the most recently used of them.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::rotate::Rotation;
use super::torn::{self, Mend, Writing};
use crate::identity::FileId;

/// What could not be done with which file, and why.
#[derive(Debug, thiserror::Error)]
#[error("cannot {what} {}", path.display())]
pub(super) struct FileError {
    what: &'static str,
    path: PathBuf,
    source: io::Error,
}

impl FileError {
    /// Whether no file can have this name: a part of it is a file already, it is a folder, or too long.
    pub(super) fn is_of_name(&self) -> bool {
        use io::ErrorKind::{InvalidFilename, IsADirectory, NotADirectory};
        matches!(self.source.kind(), InvalidFilename | IsADirectory | NotADirectory)
    }
}

/// Open files, the most recently used of them.
pub(super) struct OpenFiles {
    open: HashMap<PathBuf, OpenFile>,
    /// The files that were emptied when they were opened first; `None` when files are appended to.
    emptied: Option<HashSet<PathBuf>>,
    /// The files that were opened before, and hold nothing but whole records since.
    whole: HashSet<PathBuf>,
    habits: Habits,
    uses: u64,
}

/// How files are opened and written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Habits {
    /// How many files are open at once.
    pub(super) max_open: usize,
    /// Whether a file keeps what is in it when it is opened first.
    pub(super) append: bool,
    /// What is written.
    pub(super) writing: Writing,
    /// When a file is moved away.
    pub(super) rotation: Rotation,
    /// Whether written bytes are on the disk before a write counts.
    pub(super) sync: bool,
}

struct OpenFile {
    file: File,
    /// What ends a record that was written in part: whoever wrote it was killed or ran out of disk. What
    /// comes next must not become a part of it.
    end: &'static [u8],
    /// The span of the rotation in which it was begun.
    begun: u64,
    last_use: u64,
}

/// How to take back what was written to a file.
pub(super) struct Undo {
    path: PathBuf,
    before: u64,
    written: u64,
}

impl OpenFiles {
    /// No file is open yet.
    pub(super) fn new(habits: Habits) -> Self {
        let emptied = (!habits.append).then(HashSet::new);
        OpenFiles { open: HashMap::new(), emptied, whole: HashSet::new(), habits, uses: 0 }
    }

    /// Writes to the end of a file; `header` first if it is empty, the end of a torn line if there is
    /// one. On an error the file is as it was before.
    pub(super) fn write<'a>(
        &mut self,
        path: &Path,
        header: Option<&'a [u8]>,
        slices: impl Iterator<Item = &'a [u8]> + Clone,
    ) -> Result<Undo, FileError> {
        let sync = self.habits.sync;
        let more = slices.clone().map(|slice| slice.len() as u64).sum();
        let (open, before) = self.ready(path, more)?;
        let mut undo = Undo { path: path.to_owned(), before, written: 0 };
        let header = header.filter(|_| before == 0);
        let end = Some(open.end);
        let written = header
            .into_iter()
            .chain(end)
            .chain(slices)
            .try_for_each(|slice| write_all(&mut open.file, slice, &mut undo.written));
        let result = written.and_then(|()| if sync { open.file.sync_data() } else { Ok(()) });
        match result {
            Ok(()) => {
                open.end = b"";
                Ok(undo)
            }
            Err(error) => {
                self.take_back(&undo);
                Err(failed("write to", path)(error))
            }
        }
    }

    /// Takes back what was written, unless somebody else has written to the file since. What cannot
    /// be taken back is there twice after the next try.
    pub(super) fn take_back(&mut self, undo: &Undo) {
        undo.cut();
        // Opened anew it is known again how it ends.
        self.open.remove(&undo.path);
        self.whole.remove(&undo.path);
    }

    /// Forgets all files.
    pub(super) fn close(&mut self) {
        self.open.clear();
    }

    /// The file of a path, open and rotated if that is due, and how long it is.
    fn ready(&mut self, path: &Path, more: u64) -> Result<(&mut OpenFile, u64), FileError> {
        self.uses += 1;
        let mut kept = self.open.remove(path).filter(|open| is_still_at(&open.file, path));
        let mut len = match &kept {
            Some(open) => length(&open.file, path)?,
            None => 0,
        };
        if kept.is_none() {
            let open = self.open(path)?;
            len = length(&open.file, path)?;
            kept = Some(open);
        }
        let mut open = kept.expect("it was opened if it was not");
        if self.habits.rotation.is_due(len, open.begun, more) {
            // Windows renames no open file.
            drop(open);
            self.habits.rotation.rotate(path).map_err(failed("rotate", path))?;
            open = self.open(path)?;
            len = length(&open.file, path)?;
        }
        open.last_use = self.uses;
        if self.open.len() >= self.habits.max_open {
            let oldest = self.open.iter().min_by_key(|(_, open)| open.last_use);
            if let Some(oldest) = oldest.map(|(path, _)| path.clone()) {
                self.open.remove(&oldest);
            }
        }
        Ok((self.open.entry(path.to_owned()).insert_entry(open).into_mut(), len))
    }

    fn open(&mut self, path: &Path) -> Result<OpenFile, FileError> {
        let mut options = OpenOptions::new();
        options.append(true).create(true);
        let file = match options.open(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                if let Some(folder) = path.parent() {
                    make_folders(folder, self.habits.sync)
                        .map_err(failed("make the folder", folder))?;
                }
                options.open(path)
            }
            result => result,
        };
        let file = file.map_err(failed("open", path))?;
        if let Some(emptied) = &mut self.emptied
            && !emptied.contains(path)
        {
            cut(path, 0).map_err(failed("empty", path))?;
            emptied.insert(path.to_owned());
        }
        let metadata = file.metadata().map_err(failed("look at", path))?;
        if self.habits.sync && metadata.len() == 0 {
            sync_folder(path).map_err(failed("sync the folder of", path))?;
        }
        let begun = match metadata.modified() {
            Ok(modified) if metadata.len() > 0 => modified,
            _ => SystemTime::now(),
        };
        let end = if metadata.is_file() { self.mend(path)? } else { b"" };
        let begun = self.habits.rotation.span_of(begun);
        Ok(OpenFile { file, end, begun, last_use: 0 })
    }

    /// Sees to it that what comes next is no part of what was written in part. Gives what is to be
    /// written before it.
    fn mend(&mut self, path: &Path) -> Result<&'static [u8], FileError> {
        let is_first = !self.whole.contains(path);
        let end = match torn::look(path, self.habits.writing, is_first) {
            Mend::End(end) => end,
            Mend::Cut(len) => {
                cut(path, len).map_err(failed("cut", path))?;
                let path = path.display();
                tracing::warn!("the last record in {path} was written in part; it is cut off");
                b""
            }
        };
        if self.whole.len() >= MOST_KNOWN {
            self.whole.clear();
        }
        self.whole.insert(path.to_owned());
        Ok(end)
    }
}

/// How many files are remembered as whole; of others the ends are looked for anew.
const MOST_KNOWN: usize = 10_000;

impl Undo {
    fn cut(&self) {
        if self.written == 0 {
            return;
        }
        let cut = || {
            let file = OpenOptions::new().write(true).open(&self.path)?;
            if file.metadata()?.len() == self.before + self.written {
                file.set_len(self.before)?;
            }
            io::Result::Ok(())
        };
        if let Err(error) = cut() {
            let path = self.path.display();
            tracing::warn!("what was half written to {path} cannot be taken back: {error}");
        }
    }
}

fn failed<'a>(what: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> FileError + 'a {
    move |source| FileError { what, path: path.to_owned(), source }
}

fn length(file: &File, path: &Path) -> Result<u64, FileError> {
    Ok(file.metadata().map_err(failed("look at", path))?.len())
}

/// Windows lets nobody cut a file who may only append to it, so it is opened once more.
fn cut(path: &Path, len: u64) -> io::Result<()> {
    OpenOptions::new().write(true).open(path)?.set_len(len)
}

/// As [`Write::write_all`], but it is known how much was written when it fails.
fn write_all(file: &mut File, mut bytes: &[u8], written: &mut u64) -> io::Result<()> {
    while !bytes.is_empty() {
        match file.write(bytes) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(n) => {
                *written += n as u64;
                bytes = &bytes[n..];
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Whether the path still names this file: others may have moved it away or deleted it.
fn is_still_at(file: &File, path: &Path) -> bool {
    match (FileId::of_file(file), FileId::of_path(path)) {
        (Ok(ours), Ok(theirs)) => ours == theirs,
        _ => false,
    }
}

/// Makes a folder and those that it lies in, and with `sync` makes sure that their names are on the
/// disk.
fn make_folders(folder: &Path, sync: bool) -> io::Result<()> {
    match sync {
        true => swak_buffer::make_folders(folder),
        false => fs::create_dir_all(folder),
    }
}

/// Makes sure that the name of a new file is on the disk.
pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    swak_buffer::sync_folder(folder.unwrap_or(Path::new(".")))
}
