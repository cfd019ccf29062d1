//! What is asked of the file system, and what is said when it refuses.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

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
    /// What cannot be done with this file.
    pub(super) fn new(what: &'static str, path: &Path, source: io::Error) -> Self {
        FileError { what, path: path.to_owned(), source }
    }

    /// Whether no file can have this name: a part of it is a file already, it is a folder, or too long.
    pub(super) fn is_of_name(&self) -> bool {
        use io::ErrorKind::{InvalidFilename, IsADirectory, NotADirectory};
        matches!(self.source.kind(), InvalidFilename | IsADirectory | NotADirectory)
    }

    /// Somebody keeps it from others by a lock.
    pub(super) fn locked(what: &'static str, path: &Path) -> Self {
        let why = "another process has locked it; it is tried again";
        FileError::new(what, path, io::Error::new(ErrorKind::ResourceBusy, why))
    }
}

/// `map_err(failed("open", path))`.
pub(super) fn failed<'a>(
    what: &'static str,
    path: &'a Path,
) -> impl FnOnce(io::Error) -> FileError + 'a {
    move |source| FileError::new(what, path, source)
}

/// How long an open file is.
pub(super) fn length(file: &File, path: &Path) -> Result<u64, FileError> {
    Ok(file.metadata().map_err(failed("look at", path))?.len())
}

/// Cuts a file that is open for writing; `path` is where it is. Windows lets nobody cut a file who may
/// only append to it, so there it is opened once more.
pub(super) fn cut_open(file: &File, path: &Path, len: u64) -> io::Result<()> {
    if cfg!(windows) { cut(path, len) } else { file.set_len(len) }
}

/// Cuts a file that is not open for writing.
pub(super) fn cut(path: &Path, len: u64) -> io::Result<()> {
    OpenOptions::new().write(true).open(path)?.set_len(len)
}

/// As [`Write::write_all`], but it is known how much was written when it fails.
pub(super) fn write_all(file: &mut File, mut bytes: &[u8], written: &mut u64) -> io::Result<()> {
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
pub(super) fn is_still_at(file: &File, path: &Path) -> bool {
    match (FileId::of_file(file), FileId::of_path(path)) {
        (Ok(ours), Ok(theirs)) => ours == theirs,
        _ => false,
    }
}

/// Makes a folder and those that it lies in, and with `sync` makes sure that their names are on the
/// disk.
pub(super) fn make_folders(folder: &Path, sync: bool) -> io::Result<()> {
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
