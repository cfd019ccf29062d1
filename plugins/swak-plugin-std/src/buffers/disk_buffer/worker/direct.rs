//! What a fast output takes before it would have to be on disk: it is handed on from memory, and written
//! only if it is not delivered in time.
//!
//! Until then its input has not heard that it is stored, and gives it again after a kill: as if the sync
//! had not come yet. So this is for records of which that is known, in a buffer that syncs every now and
//! then. Nothing goes by this way while there are frames before it that were not handed on.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use swak_buffer::{AppendError, Next};
use swak_sdk::prelude::*;

use super::intake::Refused;
use super::losses::TOO_LARGE;
use super::{SyncPolicy, WhenFull, Worker};
use crate::buffers::disk_buffer::content::Content;
use crate::buffers::disk_buffer::stage::Ready;

/// The first number of what is in no frame; those of frames are smaller.
const FIRST: u64 = 1 << 63;
/// How many small chunks may be handed on unwritten.
const MOST_CHUNKS: usize = 1024;
/// The size of a chunk that is rather written, unless segments are so small that it is less.
const LARGEST: u64 = 2 << 20;
/// After so long it is written when the input waits for it.
const IN_A_HURRY: Duration = Duration::from_millis(20);

/// What was handed on, is not delivered, and is not written.
#[derive(Default)]
pub(super) struct Direct {
    /// In the order in which it was handed on.
    chunks: VecDeque<Held>,
    bytes: usize,
    handed_on: u64,
    /// Before anything else is written, all of this must be.
    must_be_written: bool,
    /// The numbers of those that were written afterwards, with those of their frames.
    written: HashMap<u64, u64>,
}

struct Held {
    number: u64,
    chunk: Chunk,
    size: usize,
    since: Instant,
}

impl Direct {
    pub(super) fn len(&self) -> usize {
        self.chunks.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.chunks.is_empty()
    }

    /// About how many bytes it takes.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    fn pop(&mut self) -> Option<Held> {
        let held = self.chunks.pop_front()?;
        self.bytes -= held.size;
        Some(held)
    }

    fn put_back(&mut self, held: Held) {
        self.bytes += held.size;
        self.chunks.push_front(held);
    }

    fn take(&mut self, number: u64) -> Option<Held> {
        let i = self.chunks.binary_search_by_key(&number, |held| held.number).ok()?;
        let held = self.chunks.remove(i)?;
        self.bytes -= held.size;
        Some(held)
    }
}

impl Worker {
    /// Whether this chunk need not be written now.
    pub(super) fn may_go_directly(&self, chunk: &Chunk) -> bool {
        let size = chunk.size();
        matches!(self.sync, SyncPolicy::Every(_))
            && self.when_full == WhenFull::Wait
            && !(self.is_stopping || self.direct.must_be_written)
            && self.queue.unread().frames == 0
            && self.direct.len() < MOST_CHUNKS
            && size as u64 <= LARGEST.min(self.segment_size / 4)
            && self.undelivered() + size as u64 <= self.much()
            && Content::memory_as_chunk(chunk).is_some()
            && chunk.batches().iter().all(Batch::comes_again)
    }

    /// Hands a chunk on, and keeps it in case that it must be written.
    pub(super) fn go_directly(&mut self, chunk: Chunk) {
        let copy = Chunk::new(chunk.batches().iter().map(Batch::without_ack).collect());
        let (number, size) = (FIRST + self.direct.handed_on, chunk.size());
        self.direct.handed_on += 1;
        self.direct.bytes += size;
        self.direct.chunks.push_back(Held { number, chunk, size, since: Instant::now() });
        self.in_flight.insert(number);
        // Nobody is there when the task is gone, which is told as well.
        let _ = self.ready.send(Ready { seq: number, chunk: copy });
    }

    /// When the oldest of it must be written.
    pub(super) fn direct_due(&self) -> Option<Instant> {
        // Where it must be already, that waits for room, or for the disk.
        let oldest = self.direct.chunks.front().filter(|_| !self.direct.must_be_written)?;
        match self.sync {
            _ if self.is_stopping => Some(oldest.since),
            SyncPolicy::Every(interval) if self.is_in_hurry => {
                Some(oldest.since + interval.min(IN_A_HURRY))
            }
            SyncPolicy::Every(interval) => Some(oldest.since + interval),
            SyncPolicy::Always | SyncPolicy::Never => Some(oldest.since),
        }
    }

    /// Before anything else is written, all of it must be.
    pub(super) fn must_write_direct(&mut self) {
        self.direct.must_be_written = !self.direct.is_empty();
    }

    /// Writes what must be written. `false` when something of it could not be.
    pub(super) fn write_direct(&mut self) -> Result<bool> {
        if self.direct_due().is_some_and(|due| due <= Instant::now()) {
            self.must_write_direct();
        }
        while self.direct.must_be_written
            && let Some(held) = self.direct.pop()
        {
            match self.append(&held.chunk) {
                Ok(seq) => {
                    self.storing.note(&self.out, Ok(()));
                    self.written_late(seq, held);
                }
                Err(Refused::Append(AppendError::Io(error))) => {
                    self.storing.note(&self.out, Err(error));
                    self.direct.put_back(held);
                    self.store_again_soon();
                    return Ok(false);
                }
                Err(Refused::Append(AppendError::Full)) => {
                    self.direct.put_back(held);
                    return Ok(false);
                }
                Err(Refused::Append(error @ AppendError::Broken)) => return Err(error.into()),
                // It is far smaller than a segment, and holds nothing but lines.
                Err(Refused::Append(AppendError::TooLarge { .. }) | Refused::TooDeep) => {
                    self.out.drop_chunk(held.chunk, TOO_LARGE);
                }
            }
        }
        self.direct.must_be_written = false;
        Ok(true)
    }

    /// The number of the frame in which something is now, or the one that it has.
    pub(super) fn number_of(&mut self, number: u64) -> u64 {
        self.direct.written.remove(&number).unwrap_or(number)
    }

    /// What was handed on in no frame is delivered. `false` when this is the number of a frame.
    pub(super) fn was_direct(&mut self, number: u64) -> bool {
        if number < FIRST {
            return false;
        }
        if let Some(held) = self.direct.take(number) {
            self.out.stored(held.chunk);
        }
        // Nothing that the input waits for is left here.
        self.is_in_hurry &= !(self.direct.is_empty() && self.written.is_empty());
        true
    }

    /// What was handed on is in a frame now, which is on its way with it.
    fn written_late(&mut self, seq: u64, held: Held) {
        let Held { number, chunk, size, since } = held;
        // Nothing is unread before it: the queue gives this one at once, and nobody wants its records.
        self.queue.keep(0, || Content::Chunk(Chunk::default()));
        let given = self.queue.next();
        debug_assert!(matches!(&given, Ok(Some(Next::Frame(frame))) if frame.seq == seq));
        self.handed_on.push_back((seq, size));
        self.handed_on_bytes += size;
        if self.in_flight.remove(&number) {
            self.in_flight.insert(seq);
            self.direct.written.insert(number, seq);
        }
        self.wrote(chunk, since);
    }
}
