//! The file of the read position: four slots, so that one is whole whatever happens.
//!
//! Between two syncs only two slots are written, in turns, so that a write that fails or is cut off costs
//! nothing that was written before. So the one that was synced last is always among the newest three, and
//! whoever opens the file writes to the oldest: which of the others is on the disk cannot be asked, for after
//! a sync that failed one may be in memory alone, although it can be read and a later sync of it goes well.
//!
//! A file that is missing or cut is made as long as it is to be when it is opened. On a full disk the slots
//! that are there take turns until there is room; what this risks is a position that is damaged by a power
//! failure, so that all that is on disk comes again.

use std::io;

use crate::error::is_full;
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
    /// None while the disk has no room for it.
    file: Option<F>,
    /// It was made, and the folder was not synced since.
    is_new: bool,
    /// How many slots it is long enough for: all, unless the disk has no room for them.
    slots: usize,
    /// The numbers with which the slots were written, or were tried to be.
    generations: [u64; SLOTS],
    /// The slot that was written last, and the one that was synced last; unknown until that was done here.
    written_slot: Option<usize>,
    synced_slot: Option<usize>,
    written: Option<Position>,
    synced: Option<Position>,
}

impl<F: StoredFile> PositionFile<F> {
    /// Opens or makes the file; what `found` found stays until the first sync. On a full disk it is made
    /// by the first write for which there is room.
    pub(crate) fn open<S: Storage<File = F>>(
        storage: &S,
        found: PositionFound,
    ) -> io::Result<Self> {
        let file = match found {
            PositionFound::Missing => None,
            _ => Some(storage.open(POSITION_FILE, true)?),
        };
        let generations = match found {
            PositionFound::Good { generations, .. } => generations,
            _ => [0; SLOTS],
        };
        let (written_slot, synced_slot, written, synced) = (None, None, None, None);
        let (is_new, slots) = (false, 0);
        let mut this = PositionFile {
            file,
            is_new,
            slots,
            generations,
            written_slot,
            synced_slot,
            written,
            synced,
        };
        match this.lengthen(storage) {
            Err(error) if !is_full(&error) => Err(error),
            _ => Ok(this),
        }
    }

    /// Makes the file as long as it is to be, so that a full disk does not keep a position from being
    /// written later. An error may leave room for some of the slots.
    fn lengthen<S: Storage<File = F>>(&mut self, storage: &S) -> io::Result<()> {
        if self.slots == SLOTS {
            return Ok(());
        }
        let file = match &mut self.file {
            Some(file) => file,
            None => {
                let file = storage.create(POSITION_FILE)?;
                self.is_new = true;
                self.file.insert(file)
            }
        };
        let size = file.size()?;
        let mut filled = Ok(());
        if size < FILE_SIZE {
            filled = file.write_at(&[&vec![0; (FILE_SIZE - size) as usize]], size);
        }
        let size = file.size()?;
        self.slots = (0..SLOTS).take_while(|slot| offset(*slot) + SLOT as u64 <= size).count();
        filled
    }

    /// Whether there is no position on the disk, and no room for one was found so far.
    pub(crate) fn is_absent(&self) -> bool {
        self.slots == 0
    }

    /// The slot that may be written over, of those that are there.
    fn free_slot(&self) -> usize {
        let all = 0..self.slots;
        let oldest = |slots: &mut dyn Iterator<Item = usize>| {
            // The only one, where there is no room for others.
            slots.min_by_key(|slot| self.generations[*slot]).unwrap_or_default()
        };
        let Some(synced) = self.synced_slot else {
            // One of the others is on the disk. The one that was tried here before is no other.
            return self.written_slot.unwrap_or_else(|| oldest(&mut all.clone()));
        };
        let is_since = |slot: &usize| self.generations[*slot] > self.generations[synced];
        if all.clone().filter(is_since).count() < 2 {
            return oldest(&mut all.filter(|slot| *slot != synced));
        }
        oldest(&mut all.filter(is_since).filter(|slot| Some(*slot) != self.written_slot))
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
    pub(crate) fn write<S: Storage<File = F>>(
        &mut self,
        storage: &S,
        position: Position,
    ) -> io::Result<()> {
        if self.written == Some(position) {
            return Ok(());
        }
        match self.lengthen(storage) {
            Err(error) if !is_full(&error) || self.slots == 0 => return Err(error),
            _ => {}
        }
        let generation = self.generations.into_iter().max().unwrap_or_default() + 1;
        let slot = self.free_slot();
        self.generations[slot] = generation;
        if self.synced_slot.is_none() {
            (self.written, self.written_slot) = (None, Some(slot));
        }
        let file = self.file.as_mut().expect("it has slots");
        file.write_at(&[&encode(&position, generation)], offset(slot))?;
        (self.written, self.written_slot) = (Some(position), Some(slot));
        Ok(())
    }

    /// Writes a position and makes it durable.
    pub(crate) fn sync<S: Storage<File = F>>(
        &mut self,
        storage: &S,
        position: Position,
    ) -> io::Result<()> {
        if self.synced == Some(position) {
            return Ok(());
        }
        self.write(storage, position)?;
        if self.is_new {
            storage.sync_folder()?;
            self.is_new = false;
        }
        if let Err(error) = self.file.as_mut().expect("it was written to").sync() {
            // What the system holds of it may be gone although a second sync succeeds.
            self.written = None;
            return Err(error);
        }
        (self.synced, self.synced_slot) = (Some(position), self.written_slot);
        Ok(())
    }

    /// Makes a position durable in two slots: damage of one of them must not bring back a position of
    /// which the frames are gone.
    pub(crate) fn sync_twice<S: Storage<File = F>>(
        &mut self,
        storage: &S,
        position: Position,
    ) -> io::Result<()> {
        self.sync(storage, position)?;
        (self.written, self.synced) = (None, None);
        self.sync(storage, position)
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
    use crate::simulated::Simulated;

    fn position(seq: u64) -> Position {
        let place = Place { seq, records: seq * 2, bytes: seq * 3 };
        Position { id: 9, read: place, stored: place, gone: Gone::default() }
    }

    fn found<S: Storage>(storage: &S) -> Option<u64> {
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
            file.sync(&storage, position(seq)).unwrap();
            assert_eq!(found(&storage), Some(seq));
        }
        file.write(&storage, position(6)).unwrap();
        file.write(&storage, position(7)).unwrap();
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
            file.sync(&storage, position(seq)).unwrap();
            let synced = seq;
            for _ in 0..writes {
                seq += 1;
                file.write(&storage, position(seq)).unwrap();
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

    #[test]
    fn a_full_disk_makes_it_later_and_uses_the_slots_that_are_there_until_then() {
        let disk = Simulated::new(1);
        disk.fail(0, 1);
        let mut file = PositionFile::open(&disk, PositionFound::Missing).unwrap();
        assert!(file.is_absent());
        file.sync(&disk, position(1)).unwrap();
        assert_eq!((found(&disk), file.is_absent()), (Some(1), false));
        for (len, slots) in [(0, 0), (183, 0), (184, 1), (4279, 1), (4280, 2), (12288, 3)] {
            let disk = Simulated::new(1);
            let mut file = PositionFile::open(&disk, PositionFound::Missing).unwrap();
            for seq in 1..=8 {
                file.sync(&disk, position(seq)).unwrap();
            }
            disk.open(POSITION_FILE, true).unwrap().truncate(len).unwrap();
            disk.set_capacity(Some(disk.used()));
            let mut file = PositionFile::open(&disk, read(&disk).unwrap()).unwrap();
            assert_eq!(file.is_absent(), slots == 0, "{len}");
            for seq in 10..20 {
                match file.sync_twice(&disk, position(seq)) {
                    Ok(()) => assert!(slots > 0, "{len}"),
                    Err(error) => assert!(is_full(&error) && slots == 0, "{len}: {error}"),
                }
                assert_eq!(found(&disk), (slots > 0).then_some(seq), "{len}");
                // What was synced is written over by nothing, if there is another one.
                if slots > 1 {
                    file.write(&disk, position(seq + 100)).unwrap();
                    let PositionFound::Good { generations, .. } = read(&disk).unwrap() else {
                        panic!("it was written")
                    };
                    let newest = generations.into_iter().max().unwrap();
                    assert!(generations.contains(&(newest - 1)), "{len}: {generations:?}");
                }
            }
            disk.set_capacity(None);
            file.sync(&disk, position(200)).unwrap();
            assert_eq!((found(&disk), disk.size(POSITION_FILE).unwrap()), (Some(200), FILE_SIZE));
        }
    }
}
