//! What a file holds that gzip has compressed (RFC 1952): one member or several, from any place on,
//! and also while the file is still being written.
//!
//! Unpacking goes forward only. What a reader may want once more is kept: all since the place that it
//! [released](GzipSource::release), up to a limit, and the last that was unpacked. Whoever asks for
//! anything else gets it too, but the file is unpacked from its beginning for that.

use std::cell::{Cell, RefCell};
use std::fs::File;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use flate2::{Crc, Decompress, FlushDecompress, Status};
use serde::{Deserialize, Serialize};

use super::fingerprint::Fingerprint;
use super::read::ReadAt;

/// The bytes that a gzip file unpacks to.
pub(super) struct GzipSource {
    file: File,
    keep: usize,
    state: RefCell<State>,
    damage: Cell<Option<Damage>>,
    slot: Cell<Option<Slot>>,
    /// Since when it waits for a slot, and how much had been unpacked in the process then.
    waits: Cell<Option<(Instant, usize)>>,
}

/// What is wrong with a gzip file. All before it was unpacked and is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Damage {
    /// Where a member should begin, there is none.
    #[error("what follows is not compressed by gzip")]
    NoMember,
    /// The compressed data cannot be unpacked.
    #[error("its compressed data is damaged")]
    Data,
    /// A member was unpacked, but is not what was compressed.
    #[error("its checksum does not match")]
    Checksum,
    /// The file ends before its data does. Only what will not grow any more is that.
    #[error("it ends in the middle of its compressed data")]
    CutOff,
}

/// A whole gzip file, so that it is known again without unpacking it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Packed {
    /// Bytes of the compressed file.
    len: u64,
    /// Hash of the last of them: the checksum and the length of the last member are there.
    trace: Fingerprint,
}

/// What every gzip file begins with: two bytes, and the one compression method there is.
pub(super) const MAGIC: &[u8] = &[0x1f, 0x8b, 8];

impl GzipSource {
    /// The content of a gzip file, of which nothing is unpacked yet. `keep` is how many bytes since
    /// the place that was released are kept.
    pub(super) fn new(file: File, keep: usize) -> Self {
        let state = RefCell::new(State::Idle);
        let (damage, slot, waits) = (Cell::default(), Cell::default(), Cell::default());
        GzipSource { file, keep, state, damage, slot, waits }
    }

    /// Whether it may be read on: a few files are unpacked at once, and others only begun when one of
    /// them is done, or none of them moves. Asked before reading, not before a look at the content.
    pub(super) fn may_go_on(&self) -> bool {
        if !matches!(*self.state.borrow(), State::Idle) {
            return true;
        }
        let pieces = PIECES.load(Ordering::Relaxed);
        let (since, before) = self.waits.get().unwrap_or((Instant::now(), pieces));
        let is_stuck = before == pieces && since.elapsed() >= STUCK;
        let slot = self.slot.take().or_else(|| Slot::take(is_stuck));
        let may = slot.is_some();
        self.slot.set(slot);
        let since = if before == pieces { since } else { Instant::now() };
        self.waits.set((!may).then_some((since, pieces)));
        may
    }

    /// Takes no more memory until it is read.
    pub(super) fn rest(&self) {
        self.state.replace(State::Idle);
    }

    /// The compressed file.
    pub(super) fn file(&self) -> &File {
        &self.file
    }

    /// Nothing before this will be read again, but what a [`Fingerprint`] of it needs.
    pub(super) fn release(&self, offset: u64) {
        let mut state = self.state.borrow_mut();
        let State::Unpacking(unpacker) = &mut *state else { return };
        unpacker.release(offset);
        let is_whole = unpacker.whole().is_some();
        let is_done = is_whole || matches!(unpacker.stage, Stage::Broken);
        // A thousand files that were read to their ends need no memory for it.
        if is_done && offset == unpacker.end() {
            let packed = Packed { len: unpacker.file_at, trace: unpacker.trace };
            *state = State::Read { packed, end: offset, is_whole };
        }
    }

    /// The whole file, once all of it was unpacked and it does not end in the middle.
    pub(super) fn whole(&self) -> Option<Packed> {
        match &*self.state.borrow() {
            State::Idle => None,
            State::Read { packed, is_whole, .. } => is_whole.then_some(*packed),
            State::Unpacking(unpacker) => unpacker.whole(),
        }
    }

    /// The place after the last byte that was unpacked.
    pub(super) fn end(&self) -> u64 {
        match &*self.state.borrow() {
            State::Idle => 0,
            State::Read { end, .. } => *end,
            State::Unpacking(unpacker) => unpacker.end(),
        }
    }

    /// Whether this is just the file that was unpacked before, to so many bytes. It need not be
    /// unpacked again then.
    pub(super) fn is_known(&self, packed: &Packed, end: u64) -> io::Result<bool> {
        let is_known = self.file.metadata()?.len() == packed.len
            && packed.trace.ends_at(&self.file, packed.len)?;
        if is_known {
            self.state.replace(State::Read { packed: *packed, end, is_whole: true });
        }
        Ok(is_known)
    }

    /// Whether what was unpacked is still what the file begins with, as far as can be said cheaply.
    pub(super) fn is_same(&self) -> io::Result<bool> {
        let (len, trace) = match &*self.state.borrow() {
            State::Idle => return Ok(true),
            State::Read { packed, .. } => (packed.len, packed.trace),
            State::Unpacking(unpacker) => (unpacker.file_at, unpacker.trace),
        };
        Ok(self.file.metadata()?.len() >= len && trace.ends_at(&self.file, len)?)
    }

    /// What was found to be wrong with the file, once.
    pub(super) fn take_damage(&self) -> Option<Damage> {
        self.damage.take()
    }

    /// Whether the file ends, or ended when it was read last, before its data does.
    pub(super) fn is_cut_off(&self) -> bool {
        match &*self.state.borrow() {
            State::Idle | State::Read { .. } => false,
            State::Unpacking(unpacker) => unpacker.is_cut_off(),
        }
    }
}

impl ReadAt for GzipSource {
    fn read_at(&self, buffer: &mut Vec<u8>, offset: u64, want: usize) -> io::Result<usize> {
        let mut state = self.state.borrow_mut();
        if let State::Read { packed, end, is_whole } = &*state
            && offset >= *end
            && (!is_whole || self.file.metadata()?.len() == packed.len)
        {
            return Ok(0);
        }
        if !matches!(*state, State::Unpacking(_)) {
            *state = State::Unpacking(Box::new(Unpacker::new(offset)));
        }
        let State::Unpacking(unpacker) = &mut *state else {
            unreachable!("it was made to unpack above")
        };
        let before = buffer.len();
        buffer.reserve(want);
        while buffer.len() - before < want {
            let read = buffer.len() - before;
            let at = offset + read as u64;
            if let Some(kept) = unpacker.kept(at) {
                buffer.extend_from_slice(&kept[..kept.len().min(want - read)]);
                continue;
            }
            if at < unpacker.end() {
                let again = Unpacker::new(unpacker.released);
                **unpacker = again;
            }
            match unpacker.unpack(&self.file, self.keep) {
                Ok(true) => {
                    PIECES.fetch_add(1, Ordering::Relaxed);
                }
                Ok(false) => {
                    // Another file may be begun while this one waits for more.
                    self.slot.take();
                    break;
                }
                Err(Failure::Io(error)) => return Err(error),
                Err(Failure::Damage(damage)) => {
                    let first = self.damage.take().unwrap_or(damage);
                    self.damage.set(Some(first));
                }
            }
        }
        Ok(buffer.len() - before)
    }
}

enum State {
    /// Nothing is kept.
    Idle,
    Unpacking(Box<Unpacker>),
    /// All that can be read of it was read, and nothing of it is kept. `packed` is as much of the file
    /// as was understood.
    Read {
        packed: Packed,
        end: u64,
        is_whole: bool,
    },
}

/// The right to unpack a file.
#[derive(Debug)]
struct Slot(());

/// Files of this process that are unpacked at once: each takes about half a MiB, and more in files of
/// long lines.
const SLOTS: usize = 32;

static TAKEN: AtomicUsize = AtomicUsize::new(0);

/// Pieces that were unpacked in this process.
static PIECES: AtomicUsize = AtomicUsize::new(0);

/// When all that are unpacked have not moved for so long, they may wait for one that is not.
const STUCK: Duration = Duration::from_secs(5);

impl Slot {
    fn take(is_urgent: bool) -> Option<Self> {
        let more = |taken: usize| (taken < SLOTS || is_urgent).then_some(taken + 1);
        TAKEN.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).ok().map(|_| Slot(()))
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        TAKEN.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Where unpacking stands.
struct Unpacker {
    stage: Stage,
    inflate: Decompress,
    sum: Crc,
    /// Members that were unpacked whole.
    members: u64,
    /// What was read of the file; `used` bytes of it are done with.
    input: Vec<u8>,
    used: usize,
    /// The place in the file after `input`, and the hash of what is before it.
    file_at: u64,
    trace: Fingerprint,
    /// The file had no more when it was read last.
    is_dry: bool,
    released: u64,
    /// Bytes since the released place, once they are no longer recent.
    early: Window,
    /// The last bytes that were unpacked.
    recent: Window,
}

#[derive(Clone, Copy)]
enum Stage {
    Header,
    Data,
    Trailer,
    /// Nothing more can be unpacked.
    Broken,
}

/// Bytes with the place where they begin.
#[derive(Default)]
struct Window {
    at: u64,
    bytes: Vec<u8>,
}

enum Failure {
    Io(io::Error),
    Damage(Damage),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Failure::Io(error)
    }
}

/// Bytes of the file that are read at once; also the longest header that is understood.
const INPUT: usize = 64 << 10;

/// Bytes that are kept as recent ones, at the least.
const RECENT: usize = 256 << 10;

/// Bytes that are unpacked at once.
const PIECE: usize = 64 << 10;

/// The checksum and the length after the data of a member.
const TRAILER: usize = 8;

impl Unpacker {
    fn new(released: u64) -> Self {
        Unpacker {
            stage: Stage::Header,
            inflate: Decompress::new(false),
            sum: Crc::new(),
            members: 0,
            input: Vec::with_capacity(INPUT),
            used: 0,
            file_at: 0,
            trace: Fingerprint::default(),
            is_dry: false,
            released,
            early: Window::default(),
            recent: Window { at: 0, bytes: Vec::with_capacity(RECENT + PIECE) },
        }
    }

    /// The place after the last byte that was unpacked.
    fn end(&self) -> u64 {
        self.recent.end()
    }

    /// What is kept from a place on, if anything is.
    fn kept(&self, at: u64) -> Option<&[u8]> {
        self.recent.from(at).or_else(|| self.early.from(at))
    }

    fn release(&mut self, offset: u64) {
        let needed = offset.saturating_sub(Fingerprint::TRACE as u64);
        self.released = self.released.max(needed);
        self.early.forget_before(self.released);
    }

    fn whole(&self) -> Option<Packed> {
        let at_end = self.is_dry && self.used == self.input.len();
        let is_whole = matches!(self.stage, Stage::Header) && self.members > 0 && at_end;
        is_whole.then_some(Packed { len: self.file_at, trace: self.trace })
    }

    fn is_cut_off(&self) -> bool {
        let is_broken = matches!(self.stage, Stage::Broken);
        self.file_at > 0 && self.is_dry && !is_broken && self.whole().is_none()
    }

    /// Unpacks a piece. `false` when the file has no more for now.
    fn unpack(&mut self, file: &File, keep: usize) -> Result<bool, Failure> {
        self.make_room(keep);
        loop {
            let done = match self.stage {
                Stage::Header => self.header()?,
                Stage::Data => {
                    if self.data()? > 0 {
                        return Ok(true);
                    }
                    matches!(self.stage, Stage::Trailer)
                }
                Stage::Trailer => self.trailer()?,
                Stage::Broken => return Ok(false),
            };
            if !done && !self.read_more(file)? {
                return Ok(false);
            }
        }
    }

    /// `false` when more of the file is needed.
    fn header(&mut self) -> Result<bool, Failure> {
        if self.members > 0 {
            // What fills up the blocks of a tape, or of a disk.
            let padding = self.input[self.used..].iter().take_while(|byte| **byte == 0).count();
            self.used += padding;
        }
        match header_len(&self.input[self.used..]) {
            Header::Complete(len) => {
                self.used += len;
                self.inflate.reset(false);
                self.sum.reset();
                self.stage = Stage::Data;
                Ok(true)
            }
            Header::Incomplete if self.input.len() - self.used < INPUT => Ok(false),
            Header::Incomplete | Header::No => Err(self.broken(Damage::NoMember)),
        }
    }

    /// How many bytes were unpacked; none when more of the file is needed, or the data is at its end.
    fn data(&mut self) -> Result<usize, Failure> {
        loop {
            let (input, before) = (&self.input[self.used..], self.recent.bytes.len());
            let read = self.inflate.total_in();
            let status =
                self.inflate.decompress_vec(input, &mut self.recent.bytes, FlushDecompress::None);
            let Ok(status) = status else { return Err(self.broken(Damage::Data)) };
            self.used +=
                usize::try_from(self.inflate.total_in() - read).expect("a part of the input");
            let new = &self.recent.bytes[before..];
            self.sum.update(new);
            let unpacked = new.len();
            if status == Status::StreamEnd {
                self.stage = Stage::Trailer;
                return Ok(unpacked);
            }
            if unpacked > 0 || self.used == self.input.len() {
                return Ok(unpacked);
            }
            if self.inflate.total_in() == read {
                return Err(self.broken(Damage::Data));
            }
        }
    }

    fn trailer(&mut self) -> Result<bool, Failure> {
        let Some(trailer) = self.input[self.used..].first_chunk::<TRAILER>() else {
            return Ok(false);
        };
        let [a, b, c, d, e, f, g, h] = *trailer;
        let (sum, len) = (u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h]));
        self.used += TRAILER;
        self.members += 1;
        self.stage = Stage::Header;
        if (sum, len) == (self.sum.sum(), self.sum.amount()) {
            Ok(true)
        } else {
            // The next member may be good.
            Err(Failure::Damage(Damage::Checksum))
        }
    }

    fn broken(&mut self, damage: Damage) -> Failure {
        self.stage = Stage::Broken;
        Failure::Damage(damage)
    }

    fn read_more(&mut self, file: &File) -> Result<bool, Failure> {
        self.input.drain(..self.used);
        self.used = 0;
        let read = file.read_at(&mut self.input, self.file_at, 1)?;
        self.is_dry = read == 0;
        if read > 0 {
            self.file_at += read as u64;
            self.trace = Fingerprint::trace(&self.input);
        }
        Ok(read > 0)
    }

    /// Makes room for one more piece: what is no longer recent is kept as early, if it is wanted.
    fn make_room(&mut self, keep: usize) {
        if self.recent.bytes.len() <= RECENT {
            return;
        }
        let old = self.recent.bytes.len() - RECENT / 2;
        let end = self.recent.at + old as u64;
        if self.early.bytes.is_empty() {
            self.early.at = self.recent.at.max(self.released);
        }
        if self.early.end() >= self.recent.at && self.early.end() < end {
            let from = (self.early.end() - self.recent.at) as usize;
            let room = keep.saturating_sub(self.early.bytes.len());
            let wanted = &self.recent.bytes[from..old];
            self.early.bytes.extend_from_slice(&wanted[..wanted.len().min(room)]);
        }
        self.recent.forget_before(end);
    }
}

impl Window {
    fn end(&self) -> u64 {
        self.at + self.bytes.len() as u64
    }

    fn from(&self, at: u64) -> Option<&[u8]> {
        let skip = usize::try_from(at.checked_sub(self.at)?).ok()?;
        self.bytes.get(skip..).filter(|bytes| !bytes.is_empty())
    }

    fn forget_before(&mut self, at: u64) {
        let old = at.saturating_sub(self.at).min(self.bytes.len() as u64);
        self.bytes.drain(..old as usize);
        self.at += old;
    }
}

enum Header {
    /// So many bytes of a header.
    Complete(usize),
    /// As far as there is something, it is the beginning of a header.
    Incomplete,
    No,
}

/// The header of a member, RFC 1952, section 2.3: ten bytes, and as many parts as the flags say.
fn header_len(bytes: &[u8]) -> Header {
    const CHECKSUM: u8 = 2;
    const EXTRA: u8 = 4;
    const NAME: u8 = 8;
    const COMMENT: u8 = 16;
    if !MAGIC.starts_with(&bytes[..bytes.len().min(MAGIC.len())]) {
        return Header::No;
    }
    let after = || {
        let flags = *bytes.get(3)?;
        let mut at = 10;
        if flags & EXTRA != 0 {
            let len = bytes.get(at..)?.first_chunk()?;
            at += 2 + usize::from(u16::from_le_bytes(*len));
        }
        for _ in 0..(flags & (NAME | COMMENT)).count_ones() {
            at += memchr::memchr(0, bytes.get(at..)?)? + 1;
        }
        at += if flags & CHECKSUM != 0 { 2 } else { 0 };
        (at <= bytes.len()).then_some(at)
    };
    after().map_or(Header::Incomplete, Header::Complete)
}

#[cfg(test)]
mod tests;
