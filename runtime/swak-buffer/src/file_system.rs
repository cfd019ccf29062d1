//! The real file system.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use crate::error::LockError;
use crate::folders::{make_folders, sync_folder};
use crate::storage::{Storage, StoredFile};

/// Held locked by whoever writes to the folder, and never removed: removing it would let two in.
pub(crate) const LOCK_FILE: &str = "lock";

/// A folder of the real file system.
#[derive(Debug)]
pub struct FileSystem {
    folder: PathBuf,
    /// Open and locked while there may be written.
    lock: Option<File>,
}

impl FileSystem {
    /// The folder for this process alone, made if it is not there.
    ///
    /// # Errors
    /// It cannot be made, may not be written to, or somebody else has it.
    pub fn lock(folder: &Path) -> Result<Self, LockError> {
        make_folders(folder).map_err(|source| LockError::of(folder, source))?;
        FileSystem::lock_existing(folder)
    }

    /// As [`FileSystem::lock`], and an error when there is no such folder.
    ///
    /// # Errors
    /// There is none, it may not be written to, or somebody else has it.
    pub fn lock_existing(folder: &Path) -> Result<Self, LockError> {
        let of = |source| LockError::of(folder, source);
        let path = folder.join(LOCK_FILE);
        let mut lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(&path)
            .map_err(of)?;
        owners::take_over(&lock, folder).map_err(of)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(LockError::Locked { folder: folder.into(), process: holder(&path) });
            }
            // As some network file systems: nothing keeps a second one out there.
            Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {}
            Err(TryLockError::Error(error)) => return Err(of(error)),
        }
        // For people: which process it is. A disk that is full is no reason not to start.
        let _ = lock
            .set_len(0)
            .and_then(|()| lock.write_all(std::process::id().to_string().as_bytes()));
        Ok(FileSystem { folder: folder.into(), lock: Some(lock) })
    }

    /// The folder to look at, also while somebody writes there.
    pub fn look(folder: &Path) -> Self {
        FileSystem { folder: folder.into(), lock: None }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn may_write(&self) -> io::Result<()> {
        match self.lock {
            Some(_) => Ok(()),
            None => Err(io::Error::new(
                io::ErrorKind::PermissionDenied,
                "the folder is not locked for writing",
            )),
        }
    }
}

/// The process that says that it has the lock. On Windows nobody can read a file that is locked.
fn holder(path: &Path) -> Option<u32> {
    let mut text = String::new();
    File::open(path).ok()?.take(16).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

impl Storage for FileSystem {
    type File = File;

    fn list(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            // A name that is not Unicode is none of ours.
            if let Ok(name) = entry?.file_name().into_string() {
                names.push(name);
            }
        }
        Ok(names)
    }

    fn create(&self, name: &str) -> io::Result<File> {
        self.may_write()?;
        let file =
            OpenOptions::new().create_new(true).read(true).write(true).open(self.path(name))?;
        owners::take_over(&file, &self.folder)?;
        Ok(file)
    }

    #[cfg(unix)]
    fn make_alike(&self, name: &str, other: &str) -> io::Result<()> {
        self.may_write()?;
        owners::make_alike(&self.path(name), &self.path(other))
    }

    fn open(&self, name: &str, writable: bool) -> io::Result<File> {
        if writable {
            self.may_write()?;
        }
        OpenOptions::new().read(true).write(writable).open(self.path(name))
    }

    fn size(&self, name: &str) -> io::Result<u64> {
        Ok(fs::metadata(self.path(name))?.len())
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.may_write()?;
        fs::rename(self.path(from), self.path(to))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.may_write()?;
        fs::remove_file(self.path(name))
    }

    fn sync_folder(&self) -> io::Result<()> {
        sync_folder(&self.folder)
    }
}

/// What is joined into one write: more is not copied once again.
const JOINED: usize = 64 * 1024;

impl StoredFile for File {
    fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<usize> {
        #[cfg(unix)]
        return std::os::unix::fs::FileExt::read_at(self, buffer, at);
        #[cfg(windows)]
        return std::os::windows::fs::FileExt::seek_read(self, buffer, at);
    }

    fn write_at(&mut self, mut parts: &[&[u8]], mut at: u64) -> io::Result<()> {
        while let Some(first) = parts.first() {
            let mut len = 0;
            let fits = |part: &&&[u8]| {
                len += part.len();
                len <= JOINED
            };
            let joined = parts.iter().take_while(fits).count();
            let (some, rest) = parts.split_at(joined.max(1));
            match joined {
                0 | 1 => write_all_at(self, first, at)?,
                _ => write_all_at(self, &some.concat(), at)?,
            }
            at += some.iter().map(|part| part.len() as u64).sum::<u64>();
            parts = rest;
        }
        Ok(())
    }

    fn size(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn truncate(&mut self, size: u64) -> io::Result<()> {
        self.set_len(size)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }
}

#[cfg(unix)]
fn write_all_at(file: &File, bytes: &[u8], at: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, bytes, at)
}

#[cfg(windows)]
fn write_all_at(file: &File, mut bytes: &[u8], mut at: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        match std::os::windows::fs::FileExt::seek_write(file, bytes, at)? {
            0 => return Err(io::ErrorKind::WriteZero.into()),
            written => {
                bytes = &bytes[written..];
                at += written as u64;
            }
        }
    }
    Ok(())
}

/// Who owns files, and what they may do with them.
#[cfg(unix)]
mod owners {
    use std::fs::{self, File};
    use std::io;
    use std::os::unix::fs::{MetadataExt, chown, fchown};
    use std::path::Path;

    const ROOT: u32 = 0;

    /// What root makes in the folder of somebody else belongs to that one: an agent that may not open
    /// what an operator has repaired would not start.
    pub(super) fn take_over(file: &File, folder: &Path) -> io::Result<()> {
        let (made, folder) = (file.metadata()?, fs::metadata(folder)?);
        if made.uid() == ROOT && folder.uid() != ROOT {
            fchown(file, Some(folder.uid()), Some(folder.gid()))?;
        }
        Ok(())
    }

    pub(super) fn make_alike(path: &Path, other: &Path) -> io::Result<()> {
        let (made, other) = (fs::metadata(path)?, fs::metadata(other)?);
        if (made.uid(), made.gid()) != (other.uid(), other.gid()) {
            chown(path, Some(other.uid()), Some(other.gid()))?;
        }
        if made.mode() != other.mode() {
            fs::set_permissions(path, other.permissions())?;
        }
        Ok(())
    }
}

#[cfg(not(unix))]
mod owners {
    use std::fs::File;
    use std::io;
    use std::path::Path;

    /// Files belong to whom the folder says by itself.
    pub(super) fn take_over(_: &File, _: &Path) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_writes_and_others_look() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b");
        let first = FileSystem::lock(&path).unwrap();
        let second = FileSystem::lock(&path).unwrap_err();
        let LockError::Locked { process, .. } = second else { panic!("{second}") };
        assert!(cfg!(windows) || process == Some(std::process::id()));
        first.create("x").unwrap();
        let looking = FileSystem::look(&path);
        assert_eq!(looking.size("x").unwrap(), 0);
        assert!(looking.remove("x").is_err());
        drop(first);
        FileSystem::lock(&path).unwrap();
    }

    #[test]
    fn parts_are_written_one_behind_the_other() {
        let folder = tempfile::tempdir().unwrap();
        let storage = FileSystem::lock(folder.path()).unwrap();
        let large = vec![b'x'; JOINED + 1];
        let cases: [&[&[u8]]; 6] = [
            &[],
            &[b""],
            &[b"a", b"", b"b"],
            &[b"a", b"b", &large, b"c", b"d"],
            &[&large, b"a", &large],
            &[&large[2..], b"a", b"b", b"c"],
        ];
        for (i, parts) in cases.into_iter().enumerate() {
            let name = i.to_string();
            storage.create(&name).unwrap().write_at(parts, 3).unwrap();
            let written = fs::read(folder.path().join(name)).unwrap();
            assert!(written.get(3..).unwrap_or_default() == parts.concat(), "{i}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_repair_keeps_owner_and_rights() {
        use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        let storage = FileSystem::lock(path).unwrap();
        let mut queue = crate::Queue::open(storage, crate::Settings::default()).unwrap();
        for payload in [b"one", b"two", b"odd"] {
            queue.append(payload, 1, 3).unwrap();
        }
        queue.sync().unwrap();
        queue.sync_position().unwrap();
        drop(queue);
        let segment = path.join(crate::format::segment_name(0));
        let mut bytes = fs::read(&segment).unwrap();
        let at = bytes.windows(3).position(|part| part == b"two").unwrap();
        bytes[at] ^= 1;
        fs::write(&segment, bytes).unwrap();
        fs::set_permissions(&segment, fs::Permissions::from_mode(0o640)).unwrap();
        // Whoever is not root owns them anyway.
        let is_root = fs::metadata(&segment).unwrap().uid() == 0;
        let owner = if is_root { 12345 } else { fs::metadata(path).unwrap().uid() };
        if is_root {
            for path in [path, &segment] {
                chown(path, Some(owner), Some(owner)).unwrap();
            }
        }
        fs::remove_file(path.join("position")).unwrap();
        let repaired = crate::repair(&FileSystem::lock(path).unwrap()).unwrap();
        assert_eq!((repaired.rewritten.len(), repaired.put_aside.len()), (1, 1));
        for name in [&repaired.rewritten[0], &repaired.put_aside[0]] {
            let file = fs::metadata(path.join(name)).unwrap();
            assert_eq!((file.uid(), file.mode() & 0o777), (owner, 0o640), "{name}");
        }
        assert_eq!(fs::metadata(path.join("position")).unwrap().uid(), owner);
    }

    #[test]
    fn what_stands_in_the_way_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        assert!(matches!(FileSystem::lock(&file), Err(LockError::NotAFolder { .. })));
        let nowhere = FileSystem::lock_existing(&folder.path().join("nowhere"));
        assert!(matches!(nowhere, Err(LockError::NotFound { .. })));
    }
}
