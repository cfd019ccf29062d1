//! Segments that are written anew.

use std::io;

use crate::format::{FrameHeader, Seed, SegmentHeader};
use crate::layout::ASIDE_SUFFIX;
use crate::place::Place;
use crate::storage::{Storage, StoredFile};

/// A segment that is being written beside the one that it will replace.
pub(crate) struct Rewritten<F> {
    file: F,
    at: u64,
    seed: Seed,
}

impl<F: StoredFile> Rewritten<F> {
    pub(crate) fn begin<S: Storage<File = F>>(
        storage: &S,
        name: &str,
        id: u64,
        start: Place,
    ) -> io::Result<Self> {
        let beside = format!("{name}{ASIDE_SUFFIX}");
        match storage.remove(&beside) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = storage.create(&beside)?;
        match storage.make_alike(&beside, name) {
            // It stands for none.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            result => result?,
        }
        let header = SegmentHeader { id, start }.encode();
        file.write_at(&[&header], 0)?;
        let seed = Seed::new(id, start.seq);
        Ok(Rewritten { file, at: header.len() as u64, seed })
    }

    pub(crate) fn push(&mut self, header: FrameHeader, payload: &[u8]) -> io::Result<()> {
        self.file.write_at(&[&header.encode(&self.seed), payload], self.at)?;
        self.at += header.size();
        Ok(())
    }

    /// Its length in bytes.
    pub(crate) fn len(&self) -> u64 {
        self.at
    }

    /// Puts it in the place of the old one.
    pub(crate) fn finish<S: Storage<File = F>>(
        mut self,
        storage: &S,
        name: &str,
    ) -> io::Result<()> {
        self.file.sync()?;
        drop(self.file);
        storage.rename(&format!("{name}{ASIDE_SUFFIX}"), name)?;
        storage.sync_folder()
    }
}
