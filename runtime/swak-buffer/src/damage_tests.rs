//! Random damage to real folders: it always opens, and says what was lost.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use proptest::prelude::Rng;
use proptest::test_runner::{RngAlgorithm, TestRng};

use crate::storage::{Storage, StoredFile};
use crate::{Count, FileSystem, Next, Queue, Settings, repair, survey};

/// The real file system; a disk that is waited for would make a thousand rounds take minutes.
struct Unsynced(FileSystem);

struct UnsyncedFile(fs::File);

impl Unsynced {
    fn lock(folder: &Path) -> Self {
        Unsynced(FileSystem::lock(folder).unwrap())
    }
}

impl Storage for Unsynced {
    type File = UnsyncedFile;

    fn list(&self) -> io::Result<Vec<String>> {
        self.0.list()
    }

    fn create(&self, name: &str) -> io::Result<UnsyncedFile> {
        self.0.create(name).map(UnsyncedFile)
    }

    fn open(&self, name: &str, writable: bool) -> io::Result<UnsyncedFile> {
        self.0.open(name, writable).map(UnsyncedFile)
    }

    fn size(&self, name: &str) -> io::Result<u64> {
        self.0.size(name)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.0.rename(from, to)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.0.remove(name)
    }

    fn sync_folder(&self) -> io::Result<()> {
        Ok(())
    }
}

impl StoredFile for UnsyncedFile {
    fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<usize> {
        StoredFile::read_at(&self.0, buffer, at)
    }

    fn write_at(&mut self, parts: &[&[u8]], at: u64) -> io::Result<()> {
        StoredFile::write_at(&mut self.0, parts, at)
    }

    fn size(&self) -> io::Result<u64> {
        self.0.size()
    }

    fn truncate(&mut self, size: u64) -> io::Result<()> {
        self.0.truncate(size)
    }

    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn settings() -> Settings {
    Settings { segment_size: 8000, ..Settings::default() }
}

fn payload(seq: u64, size: usize) -> Vec<u8> {
    let mut bytes = seq.to_le_bytes().to_vec();
    bytes.resize(8 + size, seq as u8);
    bytes
}

struct Random(TestRng);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0.next_u64() % limit.max(1)
    }
}

/// What was written, and where.
struct Written {
    payloads: Vec<Vec<u8>>,
    total: Count,
    /// What is not acknowledged.
    waiting: Count,
}

fn write(folder: &Path, random: &mut Random) -> Written {
    let mut queue = Queue::open(Unsynced::lock(folder), settings()).unwrap();
    let mut written =
        Written { payloads: Vec::new(), total: Count::default(), waiting: Count::default() };
    for seq in 0..30 + random.below(60) {
        let size = random.below(1500) as usize;
        let payload = payload(seq, size);
        queue.append(&payload, seq % 5, size as u64).unwrap();
        written.total += Count { frames: 1, records: seq % 5, bytes: size as u64 };
        written.payloads.push(payload);
    }
    queue.sync().unwrap();
    for _ in 0..random.below(10) {
        if let Some(Next::Frame(frame)) = queue.next().unwrap() {
            queue.ack(frame.seq);
        }
    }
    queue.sync_position().unwrap();
    written.waiting = queue.holds();
    written
}

fn segments(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|e| e == "seg"));
    paths.sort();
    paths
}

fn damage(path: &Path, random: &mut Random) -> String {
    let mut bytes = fs::read(path).unwrap();
    let at = random.below(bytes.len() as u64) as usize;
    let what = random.below(8);
    match what {
        0 | 1 => {
            for _ in 0..=random.below(3) {
                let at = random.below(bytes.len() as u64) as usize;
                bytes[at] ^= 1 << random.below(8);
            }
        }
        2 => bytes.truncate(at),
        3 => {
            let junk: Vec<u8> = (0..random.below(100)).map(|_| random.below(256) as u8).collect();
            bytes.splice(at..at, junk);
        }
        4 => {
            let to = (at + 1 + random.below(3000) as usize).min(bytes.len());
            bytes.drain(at..to);
        }
        5 => {
            let to = (at + 1 + random.below(3000) as usize).min(bytes.len());
            bytes[at..to].fill(0);
        }
        6 => {
            // A part of the file stands in it twice.
            let to = (at + 1 + random.below(3000) as usize).min(bytes.len());
            let part = bytes[at..to].to_vec();
            let at = random.below(bytes.len() as u64) as usize;
            bytes.splice(at..at, part);
        }
        _ => {
            fs::remove_file(path).unwrap();
            return format!("{} removed", path.display());
        }
    }
    fs::write(path, bytes).unwrap();
    format!("{}: damage {what} at {at}", path.display())
}

/// Reads all that comes, and gives what came and what is said to be lost.
fn drain(folder: &Path, written: &Written) -> (Count, Count) {
    let mut queue = Queue::open(Unsynced::lock(folder), settings()).unwrap();
    let (mut came, mut lost) = (Count::default(), Count::default());
    let mut last = None;
    while let Some(next) = queue.next().unwrap() {
        match next {
            Next::Lost(count) => lost += count,
            Next::Frame(frame) => {
                assert!(last.is_none_or(|last| last < frame.seq), "in order and once");
                last = Some(frame.seq);
                assert_eq!(frame.payload, written.payloads[frame.seq as usize], "nothing invented");
                came += Count { frames: 1, records: frame.records, bytes: frame.bytes };
                queue.ack(frame.seq);
            }
        }
    }
    assert_eq!(queue.append(b"goes on", 1, 1).unwrap(), written.total.frames);
    (came, lost)
}

fn one(seed: u64, with_repair: bool) {
    let folder = tempfile::tempdir().unwrap();
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let mut random = Random(TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
    let written = write(folder.path(), &mut random);
    let mut done = Vec::new();
    for _ in 0..=random.below(3) {
        let paths = segments(folder.path());
        if !paths.is_empty() {
            let i = random.below(paths.len() as u64) as usize;
            if fs::metadata(&paths[i]).unwrap().len() > 0 {
                done.push(damage(&paths[i], &mut random));
            }
        }
    }
    let seen = survey(&FileSystem::look(folder.path())).unwrap();
    if with_repair {
        let repaired = repair(&Unsynced::lock(folder.path())).unwrap();
        let again = survey(&FileSystem::look(folder.path())).unwrap();
        assert!(!again.is_damaged(), "seed {seed}: {done:?} {repaired:?} {again:?}");
        assert_eq!((again.waiting, again.lost), (seen.waiting, seen.lost), "seed {seed}: {done:?}");
    }
    let (came, lost) = drain(folder.path(), &written);
    assert_eq!(came + lost, written.waiting, "seed {seed}: {done:?}");
    assert_eq!((came, lost), (seen.waiting, seen.lost), "seed {seed}: {done:?} {seen:?}");
}

#[test]
fn a_thousand_damages_are_survived_and_counted() {
    // Two and a half damages a round.
    for seed in 0..200 {
        one(seed, false);
        one(seed, true);
    }
}

#[test]
fn without_its_position_everything_on_disk_comes_again() {
    for damage in [|_: &mut Vec<u8>| (), |bytes: &mut Vec<u8>| bytes.fill(7)] {
        let folder = tempfile::tempdir().unwrap();
        let mut queue = Queue::open(Unsynced::lock(folder.path()), settings()).unwrap();
        for seq in 0..5 {
            queue.append(&payload(seq, 10), 1, 10).unwrap();
        }
        if let Some(Next::Frame(frame)) = queue.next().unwrap() {
            queue.ack(frame.seq);
        }
        queue.sync_position().unwrap();
        drop(queue);
        let position = folder.path().join("position");
        let mut bytes = fs::read(&position).unwrap();
        damage(&mut bytes);
        if bytes[0] == 7 {
            fs::write(&position, bytes).unwrap();
        } else {
            fs::remove_file(&position).unwrap();
        }
        let mut queue = Queue::open(Unsynced::lock(folder.path()), settings()).unwrap();
        assert!(queue.opened().position_lost);
        assert_eq!(queue.holds().frames, 5);
        for seq in 0..5 {
            let Some(Next::Frame(frame)) = queue.next().unwrap() else { panic!("{seq}") };
            assert_eq!(frame.seq, seq);
        }
    }
}
