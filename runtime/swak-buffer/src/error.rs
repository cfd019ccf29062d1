//! What can go wrong.

use std::io;
use std::path::{Path, PathBuf};

use crate::format::MAX_PAYLOAD;

/// Why a folder cannot be written to.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// There is no such folder.
    #[error("there is no folder {folder}", folder = .folder.display())]
    NotFound {
        /// The folder.
        folder: PathBuf,
    },
    /// It is something else.
    #[error("{folder} is not a folder", folder = .folder.display())]
    NotAFolder {
        /// What was to be one.
        folder: PathBuf,
    },
    /// Another process writes there.
    #[error(
        "the buffer in {folder} is in use{by}",
        folder = .folder.display(),
        by = .process.map(|id| format!(" by process {id}")).unwrap_or_default()
    )]
    Locked {
        /// The folder.
        folder: PathBuf,
        /// The process, where it is known.
        process: Option<u32>,
    },
    /// It may not be written to.
    #[error("the folder {folder} cannot be written to: {source}", folder = .folder.display())]
    ReadOnly {
        /// The folder.
        folder: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Anything else.
    #[error("cannot open the folder {folder}: {source}", folder = .folder.display())]
    Io {
        /// The folder.
        folder: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl LockError {
    pub(crate) fn of(folder: &Path, source: io::Error) -> Self {
        let folder = folder.to_owned();
        match source.kind() {
            io::ErrorKind::NotFound => LockError::NotFound { folder },
            io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => {
                LockError::NotAFolder { folder }
            }
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                LockError::ReadOnly { folder, source }
            }
            _ => LockError::Io { folder, source },
        }
    }
}

/// Why a buffer cannot be opened. Damage is no reason.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A file was written by a newer version.
    #[error("`{file}` has format {version}, which a newer version has written; this one knows 1")]
    Newer {
        /// Its name.
        file: String,
        /// The version of its format.
        version: u32,
    },
    /// The system refuses.
    #[error("cannot {what}: {source}")]
    Io {
        /// What was tried.
        what: String,
        /// What the system said.
        source: io::Error,
    },
}

/// Why a frame was not appended. The files are as before.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// The total size is reached; it fits again when frames were acknowledged or discarded.
    #[error("the buffer is full")]
    Full,
    /// Fits at no time.
    #[error("a frame of {size} bytes is larger than the limit of {limit}")]
    TooLarge {
        /// Of the frame, in bytes.
        size: u64,
        /// The greatest, in bytes.
        limit: u64,
    },
    /// A sync failed before, so nobody knows what is on disk: the queue must be opened again.
    #[error("the buffer must be opened again, after an error before")]
    Broken,
    /// The disk is full, or something else that may pass: it can be tried again.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl AppendError {
    pub(crate) fn check_payload(len: usize) -> Result<(), Self> {
        match len > MAX_PAYLOAD {
            true => Err(AppendError::TooLarge { size: len as u64, limit: MAX_PAYLOAD as u64 }),
            false => Ok(()),
        }
    }
}

/// Whether a disk says that it cannot read what is on it: `EIO`, and on Windows `ERROR_CRC`,
/// `ERROR_READ_FAULT` and `ERROR_IO_DEVICE`. Whatever else keeps a file from being read may pass:
/// descriptors that are used up, rights, a server that does not answer.
pub fn is_damage(error: &io::Error) -> bool {
    let codes: &[i32] = if cfg!(windows) { &[23, 30, 1117] } else { &[5] };
    error.raw_os_error().is_some_and(|code| codes.contains(&code))
}

/// Whether a disk says that it has no room, or none for this user: it is tried again later.
pub fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}
