//! What a file is, whatever its name: device and inode, or volume and file index.

use std::fs::File;
use std::io;
use std::path::Path;

/// Stays with a file when it is renamed; may be used again once the file is deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct FileId {
    /// Device number, or serial number of the volume.
    pub(crate) device: u64,
    /// Inode, or index of the file in its volume.
    pub(crate) inode: u64,
}

/// What is known of a file without reading it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stat {
    pub(crate) id: FileId,
    pub(crate) len: u64,
    /// When it was last written to, in a unit of the system; only good for comparing.
    pub(crate) modified: Option<i128>,
    /// When it was made, in a unit of the system, where the file system keeps that. Stays when the file
    /// is renamed, written to or truncated, so that two values are two files, whatever their inode.
    pub(crate) born: Option<i64>,
}

impl FileId {
    /// Of whatever is open here.
    pub(crate) fn of_file(file: &File) -> io::Result<FileId> {
        platform::of_file(file).map(|stat| stat.id)
    }

    /// Of whatever a path leads to, through symbolic links.
    pub(crate) fn of_path(path: &Path) -> io::Result<FileId> {
        platform::of_path(path).map(|(stat, _)| stat.id)
    }
}

impl Stat {
    /// Of an open file.
    pub(crate) fn of_file(file: &File) -> io::Result<Stat> {
        platform::of_file(file)
    }

    /// Of the regular file that a path leads to, through symbolic links; `None` for anything else.
    pub(crate) fn of_path(path: &Path) -> io::Result<Option<Stat>> {
        let (stat, is_file) = platform::of_path(path)?;
        Ok(is_file.then_some(stat))
    }

    /// Of whatever a path leads to, and whether it does so through a symbolic link at its end.
    pub(crate) fn of_name(path: &Path) -> io::Result<(Stat, bool)> {
        platform::of_name(path)
    }
}

/// Whether an open file has no name any more: what is written to it is gone when it is closed.
pub(crate) fn is_deleted(file: &File) -> bool {
    platform::names(file).is_ok_and(|names| names == 0)
}

#[cfg(unix)]
mod platform {
    use std::fs::Metadata;
    use std::os::unix::fs::MetadataExt;
    use std::time::SystemTime;

    use super::*;

    pub(super) fn of_file(file: &File) -> io::Result<Stat> {
        file.metadata().map(|m| stat(&m))
    }

    /// And whether it is a regular file.
    pub(super) fn of_path(path: &Path) -> io::Result<(Stat, bool)> {
        let metadata = std::fs::metadata(path)?;
        Ok((stat(&metadata), metadata.is_file()))
    }

    /// And whether it is a symbolic link that leads there.
    pub(super) fn of_name(path: &Path) -> io::Result<(Stat, bool)> {
        let metadata = std::fs::symlink_metadata(path)?;
        match metadata.is_symlink() {
            true => Ok((of_path(path)?.0, true)),
            false => Ok((stat(&metadata), false)),
        }
    }

    /// How many names it has.
    pub(super) fn names(file: &File) -> io::Result<u64> {
        file.metadata().map(|m| m.nlink())
    }

    fn stat(m: &Metadata) -> Stat {
        let id = FileId { device: m.dev(), inode: m.ino() };
        let modified = i128::from(m.mtime()) * 1_000_000_000 + i128::from(m.mtime_nsec());
        let born = m.created().ok().and_then(nanoseconds);
        Stat { id, len: m.len(), modified: Some(modified), born }
    }

    fn nanoseconds(time: SystemTime) -> Option<i64> {
        let since = time.duration_since(SystemTime::UNIX_EPOCH).ok()?;
        // What is kept as the first moment of all was never set.
        i64::try_from(since.as_nanos()).ok().filter(|nanoseconds| *nanoseconds > 0)
    }
}

#[cfg(windows)]
mod platform {
    use std::fs::OpenOptions;
    use std::os::windows::fs::OpenOptionsExt;

    use super::*;

    /// `FILE_READ_ATTRIBUTES`: enough to look at a file, and granted where another process keeps
    /// what is in it to itself.
    const LOOK: u32 = 0x80;

    /// `FILE_FLAG_BACKUP_SEMANTICS`: opens folders too, which else looks like a lack of permission.
    const FOLDERS_TOO: u32 = 0x0200_0000;

    pub(super) fn of_file(file: &File) -> io::Result<Stat> {
        let info = winapi_util::file::information(file)?;
        let id = FileId { device: info.volume_serial_number(), inode: info.file_index() };
        Ok(Stat {
            id,
            len: info.file_size(),
            modified: info.last_write_time().map(i128::from),
            // Wine, and file servers that are no Windows, give a time here that moves with each write.
            born: None,
        })
    }

    /// And whether it is a regular file.
    pub(super) fn of_path(path: &Path) -> io::Result<(Stat, bool)> {
        let mut options = OpenOptions::new();
        let file = options.access_mode(LOOK).custom_flags(FOLDERS_TOO).open(path)?;
        Ok((of_file(&file)?, file.metadata()?.is_file()))
    }

    /// And whether it is a symbolic link that leads there.
    pub(super) fn of_name(path: &Path) -> io::Result<(Stat, bool)> {
        let is_link = std::fs::symlink_metadata(path)?.is_symlink();
        Ok((of_path(path)?.0, is_link))
    }

    /// How many names it has.
    pub(super) fn names(file: &File) -> io::Result<u64> {
        winapi_util::file::information(file).map(|info| info.number_of_links())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_file_is_the_same_under_another_name_and_another_under_the_same() {
        let dir = tempfile::tempdir().unwrap();
        let (a, b) = (dir.path().join("a"), dir.path().join("b"));
        fs::write(&a, "first").unwrap();
        let open = File::open(&a).unwrap();
        let before = Stat::of_path(&a).unwrap().unwrap();
        fs::rename(&a, &b).unwrap();
        fs::write(&a, "second!").unwrap();
        let renamed = Stat::of_path(&b).unwrap().unwrap();
        assert_eq!((renamed.id, renamed.born), (before.id, before.born));
        assert_eq!(Stat::of_file(&open).unwrap().id, before.id);
        let (named, is_link) = Stat::of_name(&b).unwrap();
        assert_eq!((named.id, is_link), (before.id, false));
        let new = Stat::of_path(&a).unwrap().unwrap();
        assert_ne!(new.id, before.id);
        assert_eq!((before.len, new.len), (5, 7));
    }

    #[test]
    #[cfg(unix)]
    fn a_link_is_what_it_leads_to() {
        let dir = tempfile::tempdir().unwrap();
        let (file, link) = (dir.path().join("a"), dir.path().join("b"));
        std::os::unix::fs::symlink(&file, &link).unwrap();
        assert!(Stat::of_name(&link).is_err());
        fs::write(&file, "x").unwrap();
        let (named, is_link) = Stat::of_name(&link).unwrap();
        assert_eq!((named.id, is_link), (FileId::of_path(&file).unwrap(), true));
    }

    #[test]
    fn a_folder_is_no_file_and_a_deleted_file_is_still_known_while_it_is_open() {
        let dir = tempfile::tempdir().unwrap();
        assert!(Stat::of_path(dir.path()).unwrap().is_none());
        let path = dir.path().join("a");
        fs::write(&path, "x").unwrap();
        let open = File::open(&path).unwrap();
        let before = Stat::of_file(&open).unwrap();
        fs::remove_file(&path).unwrap();
        // Where Windows keeps the name until the file is closed, nobody may look at it.
        let gone = Stat::of_path(&path).unwrap_err().kind();
        let is_denied = cfg!(windows) && gone == io::ErrorKind::PermissionDenied;
        assert!(is_denied || gone == io::ErrorKind::NotFound, "{gone}");
        assert_eq!(Stat::of_file(&open).unwrap().id, before.id);
    }
}
