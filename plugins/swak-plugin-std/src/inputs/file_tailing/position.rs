//! Where reading goes on after a restart, as it is stored.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::gzip::Packed;
use super::proof::Proof;
use crate::identity::FileId;

/// A place between two lines of a file, and how the file is known again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Position {
    /// Where the file was last seen.
    pub(super) path: String,
    /// The path under which it was written, when that is another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    source: Option<String>,
    /// Device number, or serial number of the volume.
    device: u64,
    /// Inode, or index of the file in its volume.
    pub(super) inode: u64,
    /// When the file was made, as [`Stat::born`](crate::identity::Stat::born).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) born: Option<i64>,
    /// Bytes that were read, of what a compressed file unpacks to.
    pub(super) offset: u64,
    /// Of what was read.
    #[serde(flatten)]
    pub(super) proof: Proof,
    /// The whole file, if it is compressed and all of it was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) packed: Option<Packed>,
    /// The file holds something else by now; only a copy of it may still hold this.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(super) replaced: bool,
    /// It was there before everything else of its source, and is not read unless it grows.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(super) skipped: bool,
    /// It is a copy of another file, in which all of this was read.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(super) copied: bool,
    /// How long a file was when it was left out, as one that is skipped or copied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) len: Option<u64>,
    /// When the file had been written to as its content was found to be a new one, after it was
    /// truncated; in a unit of the system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) begun: Option<i64>,
    /// Where the file lies, when its path is a symbolic link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) target: Option<String>,
    /// Since when its file system is not mounted, in seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) missing: Option<u64>,
}

impl Position {
    /// The beginning of a file.
    pub(super) fn new(path: &Path, source: &str, id: FileId, born: Option<i64>) -> Self {
        let path = path.to_string_lossy().into_owned();
        let source = (source != path).then(|| source.to_owned());
        let (device, inode) = (id.device, id.inode);
        Position {
            path,
            source,
            device,
            inode,
            born,
            offset: 0,
            proof: Proof::default(),
            packed: None,
            replaced: false,
            skipped: false,
            copied: false,
            len: None,
            begun: None,
            target: None,
            missing: None,
        }
    }

    /// This place in the same file.
    pub(super) fn at(self, offset: u64, proof: Proof) -> Self {
        Position { offset, proof, ..self }
    }

    /// The file lies there now.
    pub(super) fn rename(&mut self, path: String) {
        let source = self.source().to_owned();
        self.source = (source != path).then_some(source);
        self.path = path;
    }

    /// The path under which the file was written.
    pub(super) fn source(&self) -> &str {
        self.source.as_deref().unwrap_or(&self.path)
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

fn is_false(value: &bool) -> bool {
    !value
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: FileId = FileId { device: u64::MAX, inode: 42 };

    #[test]
    fn reads_back_what_was_stored() {
        let mut file = tempfile::tempfile().unwrap();
        std::io::Write::write_all(&mut file, b"abc\n").unwrap();
        for source in ["/var/log/a \"b\".log", "/var/log/a.log"] {
            let start = Position::new(Path::new("/var/log/a \"b\".log"), source, ID, Some(17));
            let position = start.at(4, Proof::of(&file, 4).unwrap());
            let back = Position::from_json(&position.to_json()).unwrap();
            assert_eq!(back, position);
            assert_eq!((back.id(), back.source()), (ID, source));
        }
    }

    #[test]
    fn what_an_older_version_stored_is_understood() {
        let json = r#"{"path":"/a.log","device":1,"inode":2,"offset":4,
            "head":{"len":4,"hash":"e71fa2190541574b"},"trace":{"len":4,"hash":"e71fa2190541574b"}}"#;
        let position = Position::from_json(json).unwrap();
        assert_eq!((position.source(), position.born, position.skipped), ("/a.log", None, false));
    }

    #[test]
    fn what_is_no_position_is_none() {
        for text in ["", "{}", "17", "{\"path\":\"a\",\"offset\":-1}"] {
            assert_eq!(Position::from_json(text), None, "{text}");
        }
    }
}
