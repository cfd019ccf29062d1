//! How far a file is that a contestant writes.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read as _};
use std::path::{Path, PathBuf};

use super::running::Seen;

/// Waits for a number of bytes, where it is known what will be written.
pub(crate) struct Bytes {
    path: PathBuf,
    expected: u64,
}

impl Bytes {
    pub(crate) fn new(path: &Path, expected: u64) -> Self {
        Bytes { path: path.to_owned(), expected }
    }

    pub(crate) fn look(&mut self) -> io::Result<Seen> {
        let count = match fs::metadata(&self.path) {
            Ok(meta) => meta.len(),
            Err(error) if error.kind() == ErrorKind::NotFound => 0,
            Err(error) => return Err(error),
        };
        Ok(Seen { count, complete: count >= self.expected })
    }
}

/// Waits for a number of lines, by reading what is added.
pub(crate) struct Lines {
    path: PathBuf,
    expected: u64,
    file: Option<File>,
    read: u64,
    count: u64,
    buffer: Vec<u8>,
}

impl Lines {
    pub(crate) fn new(path: &Path, expected: u64) -> Self {
        let buffer = vec![0; 256 << 10];
        Lines { path: path.to_owned(), expected, file: None, read: 0, count: 0, buffer }
    }

    pub(crate) fn look(&mut self) -> io::Result<Seen> {
        self.read(&mut |_| ())
    }

    /// As `look`, and shows what was added.
    pub(crate) fn read(&mut self, show: &mut dyn FnMut(&[u8])) -> io::Result<Seen> {
        if self.file.is_none() {
            self.file = match File::open(&self.path) {
                Ok(file) => Some(file),
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Seen::default()),
                Err(error) => return Err(error),
            };
        }
        let file = self.file.as_mut().expect("it was opened above");
        // What is added while this reads is for the next look; else one would never look at the rest.
        let end = file.metadata()?.len();
        while self.read < end {
            let read = file.read(&mut self.buffer)?;
            if read == 0 {
                break;
            }
            let added = &self.buffer[..read];
            self.count += memchr::memchr_iter(b'\n', added).count() as u64;
            self.read += read as u64;
            show(added);
        }
        Ok(Seen { count: self.count, complete: self.count >= self.expected })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_not_there_yet_is_waited_for() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("output");
        let (mut bytes, mut lines) = (Bytes::new(&path, 9), Lines::new(&path, 2));
        assert_eq!(bytes.look().expect("no error"), Seen::default());
        assert_eq!(lines.look().expect("no error"), Seen::default());
        fs::write(&path, "one\ntw").expect("it is written");
        assert_eq!(bytes.look().expect("no error"), Seen { count: 6, complete: false });
        assert_eq!(lines.look().expect("no error"), Seen { count: 1, complete: false });
        fs::write(&path, "one\ntwo\nx").expect("it is written");
        assert_eq!(bytes.look().expect("no error"), Seen { count: 9, complete: true });
        let mut added = Vec::new();
        let seen = lines.read(&mut |bytes| added.extend_from_slice(bytes)).expect("no error");
        assert_eq!((seen, &*added), (Seen { count: 2, complete: true }, &b"o\nx"[..]));
    }
}
