//! A file system that loses what was not synced, for tests. It does what Linux does: a sync that fails
//! leaves in memory what was written, takes it for clean, and forgets that the disk never got it.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

use crate::storage::{Storage, StoredFile};

/// `EIO`, or `ERROR_CRC`.
const DAMAGE: i32 = if cfg!(windows) { 23 } else { 5 };
/// What a disk writes at once.
const SECTOR: usize = 512;

/// A folder in memory. Clones are the same folder.
#[derive(Clone, Default)]
pub(crate) struct Simulated(Arc<Mutex<State>>);

/// How a run ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Crash {
    /// The process is killed: the system still writes what it was given.
    Kill,
    /// The power fails.
    PowerLoss,
}

#[derive(Default)]
struct State {
    inodes: Vec<Inode>,
    /// As the process sees it, and as it is on disk.
    names: BTreeMap<String, usize>,
    durable_names: BTreeMap<String, usize>,
    /// What was done to names since the folder was synced.
    pending: Vec<NameChange>,
    /// After so many operations that change something, the world ends.
    fuse: Option<u64>,
    /// So many operations fail, after so many others.
    failing: Option<(u64, u64)>,
    operations: u64,
    /// So many reads fail, after so many others.
    failing_reads: Option<(u64, u64)>,
    /// Those say that the disk is damaged.
    says_damage: bool,
    reads: u64,
    /// How many bytes there is room for.
    capacity: Option<usize>,
    refusals: u64,
    random: u64,
}

#[derive(Default, Clone)]
struct Inode {
    now: Vec<u8>,
    durable: Vec<u8>,
    pending: Vec<Change>,
}

#[derive(Clone)]
enum Change {
    Write { at: usize, bytes: Vec<u8> },
    Truncate(usize),
}

impl Change {
    fn apply(self, to: &mut Vec<u8>) {
        match self {
            Change::Truncate(size) => to.resize(size, 0),
            Change::Write { at, bytes } => {
                let end = at + bytes.len();
                to.resize(to.len().max(end), 0);
                to[at..end].copy_from_slice(&bytes);
            }
        }
    }
}

#[derive(Clone)]
enum NameChange {
    Set(String, usize),
    Rename(String, String, usize),
    Remove(String),
}

impl Simulated {
    pub(crate) fn new(seed: u64) -> Self {
        let this = Simulated::default();
        this.lock().random = seed | 1;
        this
    }

    /// The world ends at this operation from now on.
    pub(crate) fn set_fuse(&self, operations: u64) {
        let mut state = self.lock();
        state.fuse = Some(state.operations + operations);
    }

    /// Operations fail from the `after`th from now on, `count` of them.
    pub(crate) fn fail(&self, after: u64, count: u64) {
        let mut state = self.lock();
        state.failing = Some((state.operations + after, state.operations + after + count));
    }

    /// Reads fail from the `after`th from now on, `count` of them, with an error that may pass.
    pub(crate) fn fail_reads(&self, after: u64, count: u64) {
        let mut state = self.lock();
        state.says_damage = false;
        state.failing_reads = Some((state.reads + after, state.reads + after + count));
    }

    /// As [`Simulated::fail_reads`], as a bad sector does.
    pub(crate) fn damage_reads(&self, after: u64, count: u64) {
        let mut state = self.lock();
        state.says_damage = true;
        state.failing_reads = Some((state.reads + after, state.reads + after + count));
    }

    /// There is room for this many bytes from now on, or for any number.
    pub(crate) fn set_capacity(&self, bytes: Option<usize>) {
        self.lock().capacity = bytes;
    }

    /// How often it has said that it is full.
    pub(crate) fn refusals(&self) -> u64 {
        self.lock().refusals
    }

    /// How many bytes all files take.
    pub(crate) fn used(&self) -> usize {
        self.lock().used()
    }

    /// Flips a bit of a file, on disk too.
    pub(crate) fn flip(&self, name: &str, at: usize) {
        let mut state = self.lock();
        let inode = state.names[name];
        let Inode { now, durable, .. } = &mut state.inodes[inode];
        for bytes in [now, durable] {
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1;
            }
        }
    }

    /// Writes over a part of a file, on disk too.
    pub(crate) fn spoil(&self, name: &str, range: std::ops::Range<usize>) {
        let mut state = self.lock();
        let inode = state.names[name];
        let Inode { now, durable, .. } = &mut state.inodes[inode];
        for bytes in [now, durable] {
            let end = range.end.min(bytes.len());
            if let Some(bytes) = bytes.get_mut(range.start..end) {
                bytes.fill(0xA5);
            }
        }
    }

    pub(crate) fn is_dead(&self) -> bool {
        let state = self.lock();
        state.fuse.is_some_and(|fuse| state.operations >= fuse)
    }

    /// What is there when the system is started again.
    pub(crate) fn crash(&self, how: Crash) {
        let mut state = self.lock();
        (state.fuse, state.failing, state.failing_reads) = (None, None, None);
        if how == Crash::PowerLoss {
            let pending = std::mem::take(&mut state.pending);
            let mut names = std::mem::take(&mut state.durable_names);
            for change in pending {
                if state.toss(2) {
                    change.apply(&mut names);
                }
            }
            state.names = names;
            for i in 0..state.inodes.len() {
                let mut inode = std::mem::take(&mut state.inodes[i]);
                let mut bytes = inode.durable;
                for change in std::mem::take(&mut inode.pending) {
                    state.half_apply(&mut bytes, change);
                }
                state.inodes[i] = Inode { now: bytes.clone(), durable: bytes, pending: Vec::new() };
            }
            state.durable_names = state.names.clone();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().expect("no panic while the state is locked")
    }
}

impl NameChange {
    fn apply(self, names: &mut BTreeMap<String, usize>) {
        match self {
            NameChange::Set(name, inode) => {
                names.insert(name, inode);
            }
            NameChange::Rename(from, to, inode) => {
                names.remove(&from);
                names.insert(to, inode);
            }
            NameChange::Remove(name) => {
                names.remove(&name);
            }
        }
    }
}

impl State {
    fn next_random(&mut self) -> u64 {
        // xorshift64*
        self.random ^= self.random >> 12;
        self.random ^= self.random << 25;
        self.random ^= self.random >> 27;
        self.random.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    fn toss(&mut self, of: u64) -> bool {
        self.next_random().is_multiple_of(of)
    }

    /// Counts an operation that changes something. `Err` when it fails; `Ok(false)` when the world ends
    /// in the middle of it.
    fn operation(&mut self) -> io::Result<bool> {
        let n = self.operations;
        if self.fuse.is_some_and(|fuse| n >= fuse) {
            return Err(io::Error::other("the world has ended"));
        }
        self.operations += 1;
        if self.failing.is_some_and(|(from, to)| (from..to).contains(&n)) {
            return Err(self.refuse());
        }
        Ok(self.fuse != Some(n + 1))
    }

    fn refuse(&mut self) -> io::Error {
        self.refusals += 1;
        io::ErrorKind::StorageFull.into()
    }

    /// Of files that have a name; what has none any more is gone as soon as it is closed.
    fn used(&self) -> usize {
        self.names.values().map(|inode| self.inodes[*inode].now.len()).sum()
    }

    /// Counts a read.
    fn read(&mut self) -> io::Result<()> {
        let n = self.reads;
        self.reads += 1;
        match self.failing_reads.is_some_and(|(from, to)| (from..to).contains(&n)) {
            true if self.says_damage => Err(io::Error::from_raw_os_error(DAMAGE)),
            true => Err(io::Error::other("not now")),
            false => Ok(()),
        }
    }

    /// Applies a change that was not synced: wholly, not at all, or in some sectors; what was never
    /// written may be zeros or garbage.
    fn half_apply(&mut self, bytes: &mut Vec<u8>, change: Change) {
        match change {
            Change::Truncate(size) => {
                if self.toss(2) {
                    bytes.resize(size, 0);
                }
            }
            Change::Write { at, bytes: new } => {
                let how = self.next_random() % 4;
                if how == 0 {
                    return;
                }
                let end = at + new.len();
                if bytes.len() < end {
                    let size = if how == 1 { end } else { at + self.below(new.len() + 1) };
                    bytes.resize(size.max(bytes.len()), 0);
                }
                let mut i = at;
                while i < end.min(bytes.len()) {
                    let to = ((i / SECTOR + 1) * SECTOR).min(end).min(bytes.len());
                    match (how, self.next_random() % 8) {
                        (1, _) | (_, 0..=4) => bytes[i..to].copy_from_slice(&new[i - at..to - at]),
                        (_, 5) => bytes[i..to].fill(self.next_random() as u8),
                        _ => {}
                    }
                    i = to;
                }
            }
        }
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next_random() % limit.max(1) as u64) as usize
    }
}

impl Storage for Simulated {
    type File = SimulatedFile;

    fn list(&self) -> io::Result<Vec<String>> {
        Ok(self.lock().names.keys().cloned().collect())
    }

    fn create(&self, name: &str) -> io::Result<SimulatedFile> {
        let mut state = self.lock();
        if state.names.contains_key(name) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        state.operation()?;
        state.inodes.push(Inode::default());
        let inode = state.inodes.len() - 1;
        state.names.insert(name.to_owned(), inode);
        state.pending.push(NameChange::Set(name.to_owned(), inode));
        Ok(SimulatedFile { folder: self.clone(), inode })
    }

    fn open(&self, name: &str, _: bool) -> io::Result<SimulatedFile> {
        let inode = self.lock().names.get(name).copied();
        let inode = inode.ok_or(io::ErrorKind::NotFound)?;
        Ok(SimulatedFile { folder: self.clone(), inode })
    }

    fn size(&self, name: &str) -> io::Result<u64> {
        self.open(name, false)?.size()
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut state = self.lock();
        let inode = state.names.get(from).copied().ok_or(io::ErrorKind::NotFound)?;
        state.operation()?;
        let change = NameChange::Rename(from.to_owned(), to.to_owned(), inode);
        change.clone().apply(&mut state.names);
        state.pending.push(change);
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut state = self.lock();
        if !state.names.contains_key(name) {
            return Err(io::ErrorKind::NotFound.into());
        }
        state.operation()?;
        state.names.remove(name);
        state.pending.push(NameChange::Remove(name.to_owned()));
        Ok(())
    }

    fn sync_folder(&self) -> io::Result<()> {
        let mut state = self.lock();
        if state.operation()? {
            state.durable_names = state.names.clone();
            state.pending.clear();
        }
        Ok(())
    }
}

pub(crate) struct SimulatedFile {
    folder: Simulated,
    inode: usize,
}

impl StoredFile for SimulatedFile {
    fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<usize> {
        let mut state = self.folder.lock();
        state.read()?;
        let bytes = state.inodes[self.inode].now.get(at as usize..).unwrap_or_default();
        let n = bytes.len().min(buffer.len());
        buffer[..n].copy_from_slice(&bytes[..n]);
        Ok(n)
    }

    fn write_at(&mut self, parts: &[&[u8]], at: u64) -> io::Result<()> {
        let mut bytes = parts.concat();
        let mut state = self.folder.lock();
        let at = at as usize;
        let mut result = state.operation();
        let grows = (at + bytes.len()).saturating_sub(state.inodes[self.inode].now.len());
        if result.is_ok()
            && state.capacity.is_some_and(|room| state.used() + grows > room)
            && grows > 0
        {
            let fits = state.capacity.map_or(0, |room| room.saturating_sub(state.used()));
            bytes.truncate(bytes.len() - grows + fits.min(grows));
            result = Err(state.refuse());
        }
        // A write that fails, or during which the process is killed, may have done a part.
        let done = match result {
            Ok(true) => bytes.len(),
            Ok(false) => state.below(bytes.len() + 1),
            Err(_) if state.fuse.is_some_and(|fuse| state.operations >= fuse) => 0,
            Err(_) => state.below(bytes.len()),
        };
        bytes.truncate(done);
        let inode = &mut state.inodes[self.inode];
        if inode.now.len() < at + done {
            inode.now.resize(at + done, 0);
        }
        inode.now[at..at + done].copy_from_slice(&bytes);
        inode.pending.push(Change::Write { at, bytes });
        result.map(|_| ())
    }

    fn size(&self) -> io::Result<u64> {
        Ok(self.folder.lock().inodes[self.inode].now.len() as u64)
    }

    fn truncate(&mut self, size: u64) -> io::Result<()> {
        let mut state = self.folder.lock();
        state.operation()?;
        let inode = &mut state.inodes[self.inode];
        inode.now.resize(size as usize, 0);
        inode.pending.push(Change::Truncate(size as usize));
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        let mut state = self.folder.lock();
        let result = state.operation();
        if state.fuse.is_some_and(|fuse| state.operations >= fuse) {
            // The process has ended before it returned.
            return result.map(|_| ());
        }
        // Only what was written since the last time; what failed then is not among it.
        let pending = std::mem::take(&mut state.inodes[self.inode].pending);
        let mut durable = std::mem::take(&mut state.inodes[self.inode].durable);
        let mut kept = Vec::new();
        for change in pending {
            match (&result, change) {
                (Ok(_), change) => change.apply(&mut durable),
                // How long a file is stands elsewhere, and is not forgotten.
                (Err(_), change @ Change::Truncate(_)) => kept.push(change),
                (Err(_), change) => state.half_apply(&mut durable, change),
            }
        }
        let inode = &mut state.inodes[self.inode];
        (inode.durable, inode.pending) = (durable, kept);
        result.map(|_| ()).map_err(|_| io::Error::other("the disk has not taken it"))
    }
}
