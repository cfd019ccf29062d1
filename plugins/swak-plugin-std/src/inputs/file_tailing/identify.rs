//! By what a file is known: its identity in the file system, or its path where that is worth nothing.

use std::path::Path;

use swak_sdk::prelude::*;

use super::fingerprint::Fingerprint;
use crate::identity::{FileId, Stat};

/// By what a file is known when its name changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Choice)]
pub enum Identity {
    /// By device and inode (on Windows volume and file index) where the file system has them, else by
    /// the path.
    Auto,
    /// By device and inode.
    Inode,
    /// By its path and what it holds: for network drives that give a file a new inode now and then.
    Path,
}

impl Identity {
    /// What is known under this path.
    pub(super) fn id(self, path: &Path, stat: &Stat) -> FileId {
        let by_path = match self {
            Identity::Auto => stat.id.inode == 0,
            Identity::Inode => false,
            Identity::Path => true,
        };
        if by_path { of_path(path) } else { stat.id }
    }
}

/// Whether a file is known by its path alone, so that it may be another one each time it is opened.
pub(super) fn is_of_path(id: FileId) -> bool {
    id.device == PATHS
}

/// A device that there is not.
const PATHS: u64 = u64::MAX;

fn of_path(path: &Path) -> FileId {
    let inode = Fingerprint::of_name(path.as_os_str().as_encoded_bytes());
    FileId { device: PATHS, inode }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_stands_in_for_an_inode_that_is_none() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let stat = Stat::of_path(file.path()).unwrap().unwrap();
        let id = |identity: Identity, stat: &Stat| identity.id(file.path(), stat);
        assert_eq!(id(Identity::Auto, &stat), stat.id);
        let by_path = id(Identity::Path, &stat);
        assert!(is_of_path(by_path) && !is_of_path(stat.id));
        let without = Stat { id: FileId { inode: 0, ..stat.id }, ..stat };
        assert_eq!(id(Identity::Auto, &without), by_path);
        assert_eq!(id(Identity::Inode, &without), without.id);
        assert_ne!(of_path(Path::new("/a")), of_path(Path::new("/b")));
    }

    #[cfg(unix)]
    #[test]
    fn names_that_are_no_text_are_different_ones() {
        use std::ffi::OsStr;
        use std::os::unix::ffi::OsStrExt;
        let path = |name: &'static [u8]| of_path(Path::new(OsStr::from_bytes(name)));
        assert_ne!(path(b"/a\xff"), path(b"/a\xfe"));
    }
}
