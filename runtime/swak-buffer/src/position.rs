//! The file of the read position: two slots, written in turns, so that one is whole whatever happens.

use std::io;

use crate::format::{VERSION, is_sane, place_at, put_place, u32_at, u64_at};
use crate::frames::read_full;
use crate::place::Place;
use crate::storage::{Storage, StoredFile};

/// The name of the file.
pub(crate) const POSITION_FILE: &str = "position";

/// Each slot has a sector of its own, on disks with large sectors too.
const SLOT_DISTANCE: u64 = 4096;
const SLOT: usize = 80;
const MAGIC: [u8; 8] = *b"swakpos\0";

/// What a slot says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Position {
    /// The buffer's; random, made with it.
    pub(crate) id: u64,
    /// Everything before it is done.
    pub(crate) read: Place,
    /// Everything before it was reported as stored, so it is lost if it is not there. There may be
    /// more than that.
    pub(crate) stored: Place,
}

/// What is found of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PositionFound {
    /// The position, and the number and the slot it was written with.
    Good {
        position: Position,
        generation: u64,
        slot: u64,
    },
    Newer(u32),
    Missing,
    Damaged,
}

/// Reads the newest slot that is whole.
pub(crate) fn read<S: Storage>(storage: &S) -> io::Result<PositionFound> {
    let file = match storage.open(POSITION_FILE, false) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(PositionFound::Missing),
        Err(error) => return Err(error),
    };
    let (mut best, mut newest) = (PositionFound::Damaged, 0);
    for slot in 0..2 {
        let mut bytes = [0; SLOT];
        let read = read_full(&file, &mut bytes, slot * SLOT_DISTANCE)?;
        match decode(&bytes[..read]) {
            Some(Decoded::Newer(version)) => return Ok(PositionFound::Newer(version)),
            Some(Decoded::Good(position, generation)) if generation >= newest => {
                newest = generation;
                best = PositionFound::Good { position, generation, slot };
            }
            Some(Decoded::Good(..)) | None => {}
        }
    }
    Ok(best)
}

/// The file, open for writing.
pub(crate) struct PositionFile<F> {
    file: F,
    generation: u64,
    /// The slot that is written next: never the one that was synced last.
    slot: u64,
    written: Option<Position>,
    synced: Option<Position>,
}

impl<F: StoredFile> PositionFile<F> {
    /// Opens or makes the file; what `found` found stays until the first sync.
    pub(crate) fn open<S: Storage<File = F>>(
        storage: &S,
        found: PositionFound,
    ) -> io::Result<Self> {
        let file = match found {
            PositionFound::Missing => {
                let mut file = storage.create(POSITION_FILE)?;
                // So that a full disk does not keep a position from being written later.
                file.write_at(&[&[0; 2 * SLOT_DISTANCE as usize]], 0)?;
                file
            }
            _ => {
                let mut file = storage.open(POSITION_FILE, true)?;
                // What was found may have been written and never synced: it must be durable before
                // the other slot is written over.
                file.sync()?;
                file
            }
        };
        let (generation, slot) = match found {
            PositionFound::Good { generation, slot, .. } => (generation, 1 - slot),
            _ => (0, 0),
        };
        Ok(PositionFile { file, generation, slot, written: None, synced: None })
    }

    /// Writes a position: it survives the end of this process, not yet that of the system.
    pub(crate) fn write(&mut self, position: Position) -> io::Result<()> {
        if self.written == Some(position) {
            return Ok(());
        }
        self.generation += 1;
        let bytes = encode(&position, self.generation);
        self.written = None;
        self.file.write_at(&[&bytes], self.slot * SLOT_DISTANCE)?;
        self.written = Some(position);
        Ok(())
    }

    /// Writes a position and makes it durable.
    pub(crate) fn sync(&mut self, position: Position) -> io::Result<()> {
        if self.synced == Some(position) {
            return Ok(());
        }
        self.write(position)?;
        if let Err(error) = self.file.sync() {
            // What the system holds of it may be gone although a second sync succeeds.
            self.written = None;
            return Err(error);
        }
        self.synced = Some(position);
        self.slot = 1 - self.slot;
        Ok(())
    }

    /// Makes a position durable in both slots: damage of one of them must not bring back a position of
    /// which the frames are gone.
    pub(crate) fn sync_twice(&mut self, position: Position) -> io::Result<()> {
        self.sync(position)?;
        (self.written, self.synced) = (None, None);
        self.sync(position)
    }
}

fn encode(position: &Position, generation: u64) -> [u8; SLOT] {
    let mut out = [0; SLOT];
    out[..8].copy_from_slice(&MAGIC);
    out[8..12].copy_from_slice(&VERSION.to_le_bytes());
    out[12..20].copy_from_slice(&position.id.to_le_bytes());
    out[20..28].copy_from_slice(&generation.to_le_bytes());
    put_place(&mut out[28..52], position.read);
    put_place(&mut out[52..76], position.stored);
    let sum = crc32fast::hash(&out[..76]);
    out[76..].copy_from_slice(&sum.to_le_bytes());
    out
}

enum Decoded {
    Good(Position, u64),
    Newer(u32),
}

fn decode(bytes: &[u8]) -> Option<Decoded> {
    let bytes = bytes.get(..SLOT)?;
    if bytes[..8] != MAGIC || crc32fast::hash(&bytes[..76]) != u32_at(bytes, 76) {
        return None;
    }
    let version = u32_at(bytes, 8);
    if version != VERSION {
        return Some(Decoded::Newer(version));
    }
    let position =
        Position { id: u64_at(bytes, 12), read: place_at(bytes, 28), stored: place_at(bytes, 52) };
    let generation = u64_at(bytes, 20);
    let sane = is_sane(position.read) && is_sane(position.stored) && generation < u64::MAX / 2;
    sane.then_some(Decoded::Good(position, generation))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::FileSystem;

    fn position(seq: u64) -> Position {
        let place = Place { seq, records: seq * 2, bytes: seq * 3 };
        Position { id: 9, read: place, stored: place }
    }

    fn found(storage: &FileSystem) -> Option<u64> {
        match read(storage).unwrap() {
            PositionFound::Good { position, .. } => Some(position.read.seq),
            _ => None,
        }
    }

    #[test]
    fn the_last_one_counts_and_the_one_before_survives_its_damage() {
        let folder = tempfile::tempdir().unwrap();
        let storage = FileSystem::lock(folder.path()).unwrap();
        assert_eq!(read(&storage).unwrap(), PositionFound::Missing);
        let mut file = PositionFile::open(&storage, PositionFound::Missing).unwrap();
        for seq in 1..=5 {
            file.sync(position(seq)).unwrap();
            assert_eq!(found(&storage), Some(seq));
        }
        file.write(position(6)).unwrap();
        file.write(position(7)).unwrap();
        assert_eq!(found(&storage), Some(7));
        // 7 is in the slot that the next one overwrites: 5 is still whole.
        let path = folder.path().join(POSITION_FILE);
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[4096 + 30] ^= 1;
        std::fs::write(&path, &bytes).unwrap();
        assert_eq!(found(&storage), Some(5));
        bytes[30] ^= 1;
        std::fs::write(&path, &bytes).unwrap();
        assert_eq!(read(&storage).unwrap(), PositionFound::Damaged);
    }

    #[test]
    fn a_file_that_is_opened_again_goes_on_in_the_other_slot() {
        let folder = tempfile::tempdir().unwrap();
        let storage = FileSystem::lock(folder.path()).unwrap();
        let mut seen = Vec::new();
        for seq in 1..=4 {
            let before = read(&storage).unwrap();
            let mut file = PositionFile::open(&storage, before).unwrap();
            file.sync(position(seq)).unwrap();
            match read(&storage).unwrap() {
                PositionFound::Good { generation, slot, .. } => seen.push((generation, slot)),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(seen, [(1, 0), (2, 1), (3, 0), (4, 1)]);
    }
}
