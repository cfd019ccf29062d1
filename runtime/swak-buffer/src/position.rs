//! The file of the read position: four slots, so that one is whole whatever happens.
//!
//! Between two syncs only two slots are written, in turns, so that a write that fails or is cut off costs
//! nothing that was written before. So the one that was synced last is always among the newest three, and
//! whoever opens the file writes to the oldest: which of the others is on the disk cannot be asked, for after
//! a sync that failed one may be in memory alone, although it can be read and a later sync of it goes well.

use std::io;

use crate::format::{VERSION, is_sane, place_at, put_place, u32_at, u64_at};
use crate::frames::read_full;
use crate::gone::{Cause, Gone};
use crate::layout::readable;
use crate::place::{Count, Place};
use crate::storage::{Storage, StoredFile};

/// The name of the file.
pub(crate) const POSITION_FILE: &str = "position";

/// Each slot has a sector of its own, on disks with large sectors too.
const SLOT_DISTANCE: u64 = 4096;
const SLOT: usize = 184;
/// Where the checksum stands, behind all that it covers.
const SUM_AT: usize = SLOT - 4;
/// Where what was given up stands.
const GONE_AT: usize = 84;
const SLOTS: usize = 4;
const FILE_SIZE: u64 = SLOTS as u64 * SLOT_DISTANCE;
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
    /// What was given up of all before the read position.
    pub(crate) gone: Gone,
}

/// What is found of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PositionFound {
    Good {
        position: Position,
        /// The numbers that the slots were written with; 0 for one that is not whole.
        generations: [u64; SLOTS],
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
    let (mut best, mut newest) = (None, 0);
    let mut generations = [0; SLOTS];
    for (slot, number) in generations.iter_mut().enumerate() {
        let mut bytes = [0; SLOT];
        let read = readable(read_full(&file, &mut bytes, offset(slot)))?.unwrap_or(0);
        match decode(&bytes[..read]) {
            Some(Decoded::Newer(version)) => return Ok(PositionFound::Newer(version)),
            Some(Decoded::Good(position, generation)) => {
                *number = generation;
                if generation >= newest {
                    (best, newest) = (Some(position), generation);
                }
            }
            None => {}
        }
    }
    Ok(match best {
        Some(position) => PositionFound::Good { position, generations },
        None => PositionFound::Damaged,
    })
}

fn offset(slot: usize) -> u64 {
    slot as u64 * SLOT_DISTANCE
}

/// The file, open for writing.
pub(crate) struct PositionFile<F> {
    file: F,
    /// The numbers with which the slots were written, or were tried to be.
    generations: [u64; SLOTS],
    /// The slot that was written last, and the one that was synced last; unknown until that was done here.
    written_slot: Option<usize>,
    synced_slot: Option<usize>,
    written: Option<Position>,
    synced: Option<Position>,
}

impl<F: StoredFile> PositionFile<F> {
    /// Opens or makes the file; what `found` found stays until the first sync.
    pub(crate) fn open<S: Storage<File = F>>(
        storage: &S,
        found: PositionFound,
    ) -> io::Result<Self> {
        let mut file = match found {
            PositionFound::Missing => storage.create(POSITION_FILE)?,
            _ => storage.open(POSITION_FILE, true)?,
        };
        // So that a full disk does not keep a position from being written later.
        let size = file.size()?;
        if size < FILE_SIZE {
            file.write_at(&[&vec![0; (FILE_SIZE - size) as usize]], size)?;
        }
        let generations = match found {
            PositionFound::Good { generations, .. } => generations,
            _ => [0; SLOTS],
        };
        let (written_slot, synced_slot, written, synced) = (None, None, None, None);
        Ok(PositionFile { file, generations, written_slot, synced_slot, written, synced })
    }

    /// The slot that may be written over.
    fn free_slot(&self) -> usize {
        let oldest = |slots: &mut dyn Iterator<Item = usize>| {
            slots.min_by_key(|slot| self.generations[*slot]).expect("there are others")
        };
        let Some(synced) = self.synced_slot else {
            // One of the others is on the disk. The one that was tried here before is no other.
            return self.written_slot.unwrap_or_else(|| oldest(&mut (0..SLOTS)));
        };
        let is_since = |slot: &usize| self.generations[*slot] > self.generations[synced];
        if (0..SLOTS).filter(is_since).count() < 2 {
            return oldest(&mut (0..SLOTS).filter(|slot| *slot != synced));
        }
        oldest(&mut (0..SLOTS).filter(is_since).filter(|slot| Some(*slot) != self.written_slot))
    }

    /// Whether this is what was written last.
    pub(crate) fn is_written(&self, position: &Position) -> bool {
        self.written.as_ref() == Some(position)
    }

    /// Whether this is what was made durable last.
    pub(crate) fn is_synced(&self, position: &Position) -> bool {
        self.synced.as_ref() == Some(position)
    }

    /// Writes a position: it survives the end of this process, not yet that of the system.
    pub(crate) fn write(&mut self, position: Position) -> io::Result<()> {
        if self.written == Some(position) {
            return Ok(());
        }
        let generation = self.generations.into_iter().max().unwrap_or_default() + 1;
        let slot = self.free_slot();
        self.generations[slot] = generation;
        if self.synced_slot.is_none() {
            (self.written, self.written_slot) = (None, Some(slot));
        }
        self.file.write_at(&[&encode(&position, generation)], offset(slot))?;
        (self.written, self.written_slot) = (Some(position), Some(slot));
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
        (self.synced, self.synced_slot) = (Some(position), self.written_slot);
        Ok(())
    }

    /// Makes a position durable in two slots: damage of one of them must not bring back a position of
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
    out[76..GONE_AT].copy_from_slice(&position.gone.since.to_le_bytes());
    for (i, cause) in Cause::ALL.into_iter().enumerate() {
        let Count { frames, records, bytes } = position.gone.of(cause);
        // The same three numbers as those of a place.
        let at = GONE_AT + 24 * i;
        put_place(&mut out[at..at + 24], Place { seq: frames, records, bytes });
    }
    let sum = crc32fast::hash(&out[..SUM_AT]);
    out[SUM_AT..].copy_from_slice(&sum.to_le_bytes());
    out
}

enum Decoded {
    Good(Position, u64),
    Newer(u32),
}

fn decode(bytes: &[u8]) -> Option<Decoded> {
    let bytes = bytes.get(..SLOT)?;
    if bytes[..8] != MAGIC || crc32fast::hash(&bytes[..SUM_AT]) != u32_at(bytes, SUM_AT) {
        return None;
    }
    let version = u32_at(bytes, 8);
    if version != VERSION {
        return Some(Decoded::Newer(version));
    }
    let mut gone = Gone::since(u64_at(bytes, 76));
    let mut sane = true;
    for (i, cause) in Cause::ALL.into_iter().enumerate() {
        let count = place_at(bytes, GONE_AT + 24 * i);
        sane &= is_sane(count);
        gone.add(cause, count.since(Place::default()));
    }
    let (read, stored) = (place_at(bytes, 28), place_at(bytes, 52));
    let position = Position { id: u64_at(bytes, 12), read, stored, gone };
    let generation = u64_at(bytes, 20);
    sane &= is_sane(read) && is_sane(stored) && generation < u64::MAX / 2;
    sane.then_some(Decoded::Good(position, generation))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::FileSystem;

    fn position(seq: u64) -> Position {
        let place = Place { seq, records: seq * 2, bytes: seq * 3 };
        Position { id: 9, read: place, stored: place, gone: Gone::default() }
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
        let path = folder.path().join(POSITION_FILE);
        let mut bytes = std::fs::read(&path).unwrap();
        for left in [Some(6), Some(5), Some(4), None] {
            let newest = |slot: &usize| u64_at(&bytes, slot * 4096 + 20);
            let slot = (0..SLOTS).filter(|slot| bytes[slot * 4096 + 100] == 0).max_by_key(newest);
            bytes[slot.unwrap() * 4096 + 100] ^= 1;
            std::fs::write(&path, &bytes).unwrap();
            assert_eq!(found(&storage), left);
        }
        assert_eq!(read(&storage).unwrap(), PositionFound::Damaged);
    }

    #[test]
    fn whoever_opens_it_again_writes_over_none_that_may_be_the_only_one_on_the_disk() {
        let folder = tempfile::tempdir().unwrap();
        let storage = FileSystem::lock(folder.path()).unwrap();
        let mut seq = 0;
        for writes in 0..7 {
            let mut file = PositionFile::open(&storage, read(&storage).unwrap()).unwrap();
            seq += 1;
            file.sync(position(seq)).unwrap();
            let synced = seq;
            for _ in 0..writes {
                seq += 1;
                file.write(position(seq)).unwrap();
            }
            drop(file);
            let PositionFound::Good { position, generations } = read(&storage).unwrap() else {
                panic!("it was written")
            };
            assert_eq!(position.read.seq, seq);
            // Each was written with its own number.
            let oldest = generations.into_iter().min().unwrap();
            assert!(oldest < synced, "{synced} was synced, {generations:?} are there");
        }
    }
}
