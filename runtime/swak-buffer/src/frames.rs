//! Reads the frames of one segment, and goes on behind damage.

use std::io;

use memchr::memmem::Finder;

use crate::error::is_damage;
use crate::format::{FRAME_HEADER, FRAME_MAGIC, FrameHeader, Kind, Seed};
use crate::place::Place;
use crate::storage::StoredFile;

/// What is read at once.
const WINDOW: usize = 256 * 1024;

/// The next thing in a segment.
#[derive(Debug)]
pub(crate) enum Found {
    /// A whole frame.
    Frame {
        /// Where it begins.
        start: Place,
        /// The place behind it.
        end: Place,
        /// What is in it; `None` when it was not asked for, and then it was not checked.
        payload: Option<Vec<u8>>,
        /// Whether it only says that these frames are known to be lost.
        is_gap: bool,
    },
    /// Bytes that are no frame. Whether anything was lost with them is said by the next frame's place.
    Damage(Damage),
}

/// Bytes of a segment that are no frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The first of them.
    pub from: u64,
    /// One behind the last.
    pub to: u64,
}

/// Goes through the frames of one segment. Memory is bounded by the window and one payload, which is
/// never longer than the file.
pub(crate) struct Frames<F> {
    file: F,
    seed: Seed,
    offset: u64,
    window: Vec<u8>,
    /// Where in the file the window begins.
    window_at: u64,
    /// Payload bytes that were read for nothing: a limit to how often bytes are read again.
    wasted: u64,
    finder: Finder<'static>,
}

impl<F: StoredFile> Frames<F> {
    pub(crate) fn new(file: F, seed: Seed, offset: u64) -> Self {
        Frames {
            file,
            seed,
            offset,
            window: Vec::new(),
            window_at: 0,
            wasted: 0,
            finder: Finder::new(&FRAME_MAGIC),
        }
    }

    /// Where it stands in the file.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// The next thing that begins before `limit`, where the file ends or is still being written.
    /// Payloads that are not `wanted` may be skipped unread.
    ///
    /// # Errors
    /// The file cannot be read there.
    pub(crate) fn next(
        &mut self,
        limit: u64,
        mut wanted: impl FnMut(Place) -> bool,
    ) -> io::Result<Option<Found>> {
        if self.offset >= limit {
            return Ok(None);
        }
        let from = self.offset;
        let Some(header) = self.header(from, limit)? else {
            return self.skip_damage(from, from + 1, limit);
        };
        let behind = from + FRAME_HEADER as u64;
        let whole = from + header.size() <= limit;
        let next = from + header.size();
        if whole
            && header.kind == Kind::Data
            && !wanted(header.start)
            // Or its payload is cut short, and others lie where it should be.
            && (next == limit || self.header(next, limit)?.is_some())
        {
            self.offset = next;
            let (start, end) = (header.start, header.end(&[]));
            return Ok(Some(Found::Frame { start, end, payload: None, is_gap: false }));
        }
        if whole {
            let payload = self.payload(behind, header.len as usize)?;
            if payload.as_deref().map(crc32fast::hash) == Some(header.payload_sum) {
                self.offset = next;
                let end = header.end(payload.as_deref().unwrap_or_default());
                let is_gap = header.kind == Kind::Gap;
                let start = header.start;
                return Ok(Some(Found::Frame { start, end, payload, is_gap }));
            }
            self.wasted = self.wasted.saturating_add(header.size());
            // The header is sound: where a frame begins behind it, so is its length.
            if self.wasted > limit || next == limit || self.header(next, limit)?.is_some() {
                self.offset = next;
                return Ok(Some(Found::Damage(Damage { from, to: next })));
            }
        }
        // Bytes are missing in the payload, or too many.
        self.skip_damage(from, behind, limit)
    }

    /// Goes to the next header at or behind `search`.
    fn skip_damage(&mut self, from: u64, search: u64, limit: u64) -> io::Result<Option<Found>> {
        let mut at = search;
        let to = loop {
            let Some(magic) = self.find_magic(at, limit)? else { break limit };
            if self.header(magic, limit)?.is_some() {
                break magic;
            }
            at = magic + 1;
        };
        self.offset = to;
        Ok(Some(Found::Damage(Damage { from, to })))
    }

    fn find_magic(&mut self, mut at: u64, limit: u64) -> io::Result<Option<u64>> {
        loop {
            let window = self.window(at, FRAME_HEADER, limit)?;
            let (len, found) = (window.len() as u64, window.len() < FRAME_HEADER);
            if found {
                return Ok(None);
            }
            let skipped = (at - self.window_at) as usize;
            if let Some(i) = self.finder.find(&self.window[skipped..]) {
                return Ok(Some(at + i as u64));
            }
            // It may begin in the last bytes of the window.
            at += len - (FRAME_MAGIC.len() as u64 - 1);
        }
    }

    fn header(&mut self, at: u64, limit: u64) -> io::Result<Option<FrameHeader>> {
        let window = self.window(at, FRAME_HEADER, limit)?;
        let bytes: Option<[u8; FRAME_HEADER]> =
            window.get(..FRAME_HEADER).and_then(|bytes| bytes.try_into().ok());
        Ok(bytes.and_then(|bytes| FrameHeader::decode(&bytes, &self.seed)))
    }

    /// `None` when the file ends before, as one that is cut while it is read.
    fn payload(&mut self, at: u64, len: usize) -> io::Result<Option<Vec<u8>>> {
        if len <= WINDOW {
            let bytes = self.window(at, len, at + len as u64)?;
            return Ok(bytes.get(..len).map(<[u8]>::to_vec));
        }
        let mut payload = vec![0; len];
        let read = read_full(&self.file, &mut payload, at)?;
        Ok((read == len).then_some(payload))
    }

    /// The bytes from `at` on that are in memory, at least `len` unless `limit` or the file's end
    /// comes first.
    fn window(&mut self, at: u64, len: usize, limit: u64) -> io::Result<&[u8]> {
        let in_window =
            at >= self.window_at && at + len as u64 <= self.window_at + self.window.len() as u64;
        if !in_window {
            let size = limit.saturating_sub(at).min(WINDOW as u64) as usize;
            self.window.resize(size, 0);
            self.window_at = at;
            let read = read_full(&self.file, &mut self.window, at);
            self.window.truncate(*read.as_ref().unwrap_or(&0));
            read?;
        }
        Ok(&self.window[(at - self.window_at) as usize..])
    }
}

/// How often something is read that the disk says it cannot read.
const ATTEMPTS: u32 = 3;

/// Reads until the buffer is full or the file ends.
pub(crate) fn read_full<F: StoredFile>(file: &F, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    let (mut done, mut failed) = (0, 0);
    while done < buffer.len() {
        match file.read_at(&mut buffer[done..], at + done as u64) {
            Ok(0) => break,
            Ok(n) => done += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => {
                failed += 1;
                if !is_damage(&error) || failed >= ATTEMPTS {
                    return Err(error);
                }
            }
        }
    }
    Ok(done)
}
