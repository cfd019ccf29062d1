//! That a file which is drained has one output alone.
//!
//! What is drained is renamed and removed, and with it what anybody else has written to it meanwhile. So
//! the output that drains `NAME` holds a lock on `NAME.drain.lock`, in this agent or another one, and
//! every other output that is to open `NAME` looks there first. The lock ends with the process that
//! holds it.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

use super::path::beside;
use super::system::{is_still_at, make_folders};

/// Holds a file for one output; it is free again when this is dropped.
#[derive(Debug)]
pub(super) struct DrainLock {
    file: File,
    path: PathBuf,
}

/// Somebody else has the file.
#[derive(Debug, thiserror::Error)]
#[error(
    "{holder} sends on what is written there, and removes it (drain_back=True); give each output a file \
     of its own"
)]
struct Taken {
    holder: String,
}

/// Whoever only looks holds the lock for a moment; so it is tried so often, with a pause between.
const TRIES: u32 = 3;
const PAUSE: Duration = Duration::from_millis(20);

impl DrainLock {
    /// Takes this file, which need not be there; the folders that it lies in are made, with `sync` so
    /// that their names are on the disk.
    ///
    /// # Errors
    /// Somebody else has it, or the system refuses to make or to lock a file beside it.
    pub(super) fn take(of: &Path, sync: bool) -> io::Result<Self> {
        let path = lock_path(of);
        for _ in 0..TRIES {
            let mut file = make(&path, sync)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    sleep(PAUSE);
                    continue;
                }
                // As some network file systems: nothing keeps a second one out there.
                Err(TryLockError::Error(error)) if error.kind() == ErrorKind::Unsupported => {}
                Err(TryLockError::Error(error)) => return Err(error),
            }
            // Whoever had it may have removed it just now: then this one keeps nobody out.
            if is_still_at(&file, &path) {
                // For people and for messages; a disk that is full is no reason to refuse.
                let _ = file
                    .set_len(0)
                    .and_then(|()| file.write_all(std::process::id().to_string().as_bytes()));
                return Ok(DrainLock { file, path });
            }
        }
        Err(taken(&path))
    }

    /// Whether it still keeps others out: somebody may have removed its folder.
    pub(super) fn holds(&self) -> bool {
        is_still_at(&self.file, &self.path)
    }
}

impl Drop for DrainLock {
    fn drop(&mut self) {
        // While it is locked, so that no other one's is removed. What cannot be removed is in nobody's way.
        if self.holds() {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// That nobody drains this file.
///
/// # Errors
/// Somebody does, and who.
pub(super) fn check_free(of: &Path) -> io::Result<()> {
    let path = lock_path(of);
    // What cannot be opened cannot be asked.
    let Ok(file) = File::open(&path) else { return Ok(()) };
    match file.try_lock_shared() {
        Err(TryLockError::WouldBlock) => Err(taken(&path)),
        Ok(()) | Err(TryLockError::Error(_)) => Ok(()),
    }
}

fn lock_path(of: &Path) -> PathBuf {
    beside(of, ".drain.lock")
}

fn make(path: &Path, sync: bool) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).write(true);
    match options.open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            if let Some(folder) = path.parent() {
                make_folders(folder, sync)?;
            }
            options.open(path)
        }
        result => result,
    }
}

fn taken(path: &Path) -> io::Error {
    let mut text = String::new();
    // On Windows nobody can read a file that is locked.
    let read = File::open(path).and_then(|file| file.take(16).read_to_string(&mut text));
    let holder = match read.ok().and_then(|_| text.trim().parse::<u32>().ok()) {
        Some(process) if process == std::process::id() => "another output of this agent".to_owned(),
        Some(process) => format!("process {process}"),
        None => "another process".to_owned(),
    };
    io::Error::new(ErrorKind::ResourceBusy, Taken { holder })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_has_it_until_it_lets_go() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b.log");
        check_free(&path).unwrap();
        let first = DrainLock::take(&path, false).unwrap();
        let error = DrainLock::take(&path, false).unwrap_err().to_string();
        let told = check_free(&path).unwrap_err().to_string();
        for error in [error, told] {
            let own = cfg!(windows) || error.starts_with("another output of this agent sends on");
            assert!(own && error.ends_with("a file of its own"), "{error}");
        }
        assert!(first.holds());
        drop(first);
        assert!(!lock_path(&path).exists());
        check_free(&path).unwrap();
        DrainLock::take(&path, false).unwrap();
    }

    #[test]
    fn what_a_killed_one_left_keeps_nobody_out() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("b.log");
        fs::write(lock_path(&path), "1").unwrap();
        check_free(&path).unwrap();
        assert!(DrainLock::take(&path, false).unwrap().holds());
    }

    #[test]
    #[cfg(unix)]
    fn one_whose_folder_is_gone_holds_nothing_and_removes_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b.log");
        let first = DrainLock::take(&path, false).unwrap();
        fs::remove_dir_all(folder.path().join("a")).unwrap();
        assert!(!first.holds());
        let second = DrainLock::take(&path, false).unwrap();
        drop(first);
        assert!(second.holds());
    }
}
