//! Where reading goes on after a restart, as it is stored.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::fingerprint::Fingerprint;
use super::gzip::Packed;
use crate::identity::FileId;

/// A place between two lines of a file, and how the file is known again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Position {
    /// Where the file was last seen.
    pub(super) path: String,
    /// Device number, or serial number of the volume.
    pub(super) device: u64,
    /// Inode, or index of the file in its volume.
    pub(super) inode: u64,
    /// Bytes that were read, of what a compressed file unpacks to.
    pub(super) offset: u64,
    /// Hash of the file's beginning.
    pub(super) head: Fingerprint,
    /// Hash of the bytes before the offset.
    pub(super) trace: Fingerprint,
    /// The whole file, if it is compressed and all of it was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) packed: Option<Packed>,
}

impl Position {
    /// The position in this file, wherever it lies.
    pub(super) fn new(
        path: &Path,
        id: FileId,
        offset: u64,
        head: Fingerprint,
        trace: Fingerprint,
    ) -> Self {
        let path = path.to_string_lossy().into_owned();
        Position { path, device: id.device, inode: id.inode, offset, head, trace, packed: None }
    }

    /// What the file was when the position was stored.
    pub(super) fn id(&self) -> FileId {
        FileId { device: self.device, inode: self.inode }
    }

    /// As it is stored.
    pub(super) fn to_json(&self) -> String {
        serde_json::to_string(self).expect("numbers and text can be written as JSON")
    }

    /// As it was stored; `None` when this is no position of a file.
    pub(super) fn from_json(json: &str) -> Option<Self> {
        serde_json::from_str(json).ok()
    }
}

/// The key under which a file's position is stored.
pub(super) fn key(id: FileId) -> String {
    format!("file-{:x}-{:x}", id.device, id.inode)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_back_what_was_stored() {
        let id = FileId { device: u64::MAX, inode: 42 };
        let mut head = Fingerprint::default();
        head.grow(0, b"abc\n");
        let position =
            Position::new(Path::new("/var/log/a \"b\".log"), id, 4, head, Fingerprint::trace(b"x"));
        let back = Position::from_json(&position.to_json()).unwrap();
        assert_eq!(back, position);
        assert_eq!(back.id(), id);
    }

    #[test]
    fn what_is_no_position_is_none() {
        for text in ["", "{}", "17", "{\"path\":\"a\",\"offset\":-1}"] {
            assert_eq!(Position::from_json(text), None, "{text}");
        }
    }
}
