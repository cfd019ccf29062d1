//! What shows that a file still holds what was read of it, without reading all of it again.
//!
//! Three hashes: of the beginning, of the bytes before the position, and of samples between them, as
//! many as there are powers of two. So two files with one long beginning are told apart, and a file
//! that was truncated and grew past the old position is no longer the file that was read.

use std::io;

use serde::{Deserialize, Serialize};

use super::fingerprint::Fingerprint;
use super::read::ReadAt;

/// Hashes of what was read of a file, up to an offset that its owner knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Proof {
    /// Of the file's beginning.
    head: Fingerprint,
    /// Of the bytes before each place in [`marks`]. Positions of older versions have none.
    #[serde(default)]
    marks: Fingerprint,
    /// Of the bytes before the offset.
    trace: Fingerprint,
}

impl Proof {
    /// How much before an offset is needed to go on from there.
    pub(super) const BACK: usize = Fingerprint::TRACE;

    /// Of what a file holds up to `offset`.
    pub(super) fn of(file: &impl ReadAt, offset: u64) -> io::Result<Self> {
        let mut proof = Proof::default();
        proof.advance_in(file, 0, offset)?;
        Ok(proof)
    }

    /// Moves on from the offset `from` to `to`. The bytes begin [`Proof::BACK`] before `from`, or with
    /// the file, and reach `to` at least.
    pub(super) fn advance(&mut self, bytes: &[u8], from: u64, to: u64) {
        let start = from.saturating_sub(Self::BACK as u64);
        let at = |offset: u64| (offset - start) as usize;
        self.head.grow(from, &bytes[at(from)..at(to)]);
        for mark in marks(from, to) {
            self.marks.add(&bytes[at(mark - MARK)..at(mark)]);
        }
        self.trace = Fingerprint::trace(&bytes[..at(to)]);
    }

    /// Moves on from the offset `from` to `to` over bytes that are not at hand.
    pub(super) fn advance_in(&mut self, file: &impl ReadAt, from: u64, to: u64) -> io::Result<()> {
        let mut bytes = Vec::new();
        if from < Fingerprint::HEAD {
            let len = (to.min(Fingerprint::HEAD) - from) as usize;
            file.read_at(&mut bytes, from, len)?;
            bytes.truncate(len);
            self.head.grow(from, &bytes);
        }
        for mark in marks(from, to) {
            bytes.clear();
            file.read_at(&mut bytes, mark - MARK, MARK as usize)?;
            bytes.truncate(MARK as usize);
            self.marks.add(&bytes);
        }
        self.trace = Fingerprint::before(file, to)?;
        Ok(())
    }

    /// Whether a file holds what this was made of up to `offset`. What proves nothing, as a stored
    /// position that was damaged, fits no file.
    pub(super) fn fits(&self, file: &impl ReadAt, offset: u64) -> io::Result<bool> {
        if offset == 0 {
            return Ok(true);
        }
        let is_place = i64::try_from(offset).is_ok();
        if !is_place || self.head.is_empty() || self.trace.is_empty() {
            return Ok(false);
        }
        // Forwards: of a compressed file, no more is unpacked than tells it from others, and once.
        Ok(self.head.is_beginning_of(file)?
            && self.fits_marks(file, offset)?
            && self.trace.ends_at(file, offset)?)
    }

    /// Whether the bytes that end at the offset are those that were read before it.
    pub(super) fn follows(&self, before: &[u8]) -> bool {
        self.trace.is_end_of(before)
    }

    /// Whether the bytes before the offset are those that were read.
    pub(super) fn ends_at(&self, file: &impl ReadAt, offset: u64) -> io::Result<bool> {
        self.trace.ends_at(file, offset)
    }

    fn fits_marks(&self, file: &impl ReadAt, offset: u64) -> io::Result<bool> {
        if self.marks.is_empty() {
            return Ok(true);
        }
        let (mut found, mut bytes) = (self.marks.of_nothing(), Vec::new());
        for mark in marks(0, offset) {
            bytes.clear();
            if file.read_at(&mut bytes, mark - MARK, MARK as usize)? < MARK as usize {
                return Ok(false);
            }
            found.add(&bytes[..MARK as usize]);
        }
        Ok(found == self.marks)
    }
}

/// Bytes of a sample.
const MARK: u64 = 64;

/// Where samples end, after `from` and up to `to`: at the powers of two beyond the hashed beginning.
fn marks(from: u64, to: u64) -> impl Iterator<Item = u64> {
    let all = std::iter::successors(Some(2 * Fingerprint::HEAD), |mark| mark.checked_mul(2));
    all.skip_while(move |mark| *mark <= from).take_while(move |mark| *mark <= to)
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::Write;

    use super::*;

    fn file(content: &[u8]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(content).unwrap();
        file
    }

    fn content(len: usize) -> Vec<u8> {
        (0..len).map(|i| (i / 251) as u8 ^ (i % 7) as u8).collect()
    }

    #[test]
    fn steps_of_any_size_prove_the_same_as_the_whole() {
        let content = content(1_200_000);
        for step in [7_919, 100_000, 1_200_000] {
            let (mut proof, mut from) = (Proof::default(), 0);
            while from < content.len() {
                let to = (from + step).min(content.len());
                let bytes = &content[from.saturating_sub(Proof::BACK)..];
                proof.advance(bytes, from as u64, to as u64);
                from = to;
            }
            let file = file(&content);
            assert_eq!(proof, Proof::of(&file, content.len() as u64).unwrap(), "{step}");
            assert!(proof.fits(&file, content.len() as u64).unwrap());
        }
    }

    #[test]
    fn a_change_anywhere_that_is_looked_at_is_noticed() {
        let content = content(600_000);
        let proof = Proof::of(&file(&content), 600_000).unwrap();
        for at in [0, 1_500, 60_000, (128 << 10) - 10, (512 << 10) - 64, 599_000, 599_999] {
            let mut changed = content.clone();
            changed[at] ^= 1;
            assert!(!proof.fits(&file(&changed), 600_000).unwrap(), "a change at {at}");
        }
        assert!(!proof.fits(&file(&content[..599_999]), 600_000).unwrap());
    }

    #[test]
    fn an_older_or_a_damaged_position_never_panics() {
        let file = file(&content(300_000));
        let proof = Proof::of(&file, 300_000).unwrap();
        let older = Proof { marks: Fingerprint::default(), ..proof };
        assert!(older.fits(&file, 300_000).unwrap());
        for offset in [1, 299_999, 300_001, u64::MAX] {
            assert!(!proof.fits(&file, offset).unwrap(), "{offset}");
            assert!(!Proof::default().fits(&file, offset).unwrap(), "{offset}");
        }
        assert!(Proof::default().fits(&file, 0).unwrap());
    }
}
