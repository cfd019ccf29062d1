//! What comes in: written, and stored once it is as safe as the policy says.

use std::io;
use std::time::{Duration, Instant};

use swak_buffer::{AppendError, Cause, is_full};
use swak_sdk::data::codec;
use swak_sdk::prelude::*;
use tokio::sync::OwnedSemaphorePermit;

use super::losses::{DISK_FULL, FULL, TOO_DEEP, TOO_LARGE, count, reason};
use super::{RETRY, Worker};
use crate::buffers::disk_buffer::content::Content;
use crate::buffers::disk_buffer::options::{SyncPolicy, WhenFull};

/// What is written is synced before its time when there is so much of it: it is held until then.
const SYNC_AT: usize = 32 << 20;

/// While more than this is not delivered, what comes in waits for it, but is written at so many bytes a second
/// at the least. So a fast output gets what it is to write from memory, and not from the disk; and no slow
/// or dead one holds up an input that could not do with this.
const MUCH: u64 = 8 << 20;
const LEAST_RATE: u64 = 256 << 20;
/// Who was faster before may wait so much longer.
const CREDIT: Duration = Duration::from_millis(50);

/// How much memory is kept for the bytes of the next chunk.
const KEPT_BYTES: usize = 1 << 20;

/// A chunk that came in.
pub(super) struct Waiting {
    chunk: Chunk,
    /// Room for another one; kept while halves of the chunk are.
    _permit: Option<OwnedSemaphorePermit>,
}

impl Waiting {
    pub(super) fn new(chunk: Chunk, permit: Option<OwnedSemaphorePermit>) -> Self {
        Waiting { chunk, _permit: permit }
    }
}

/// Why a chunk was not written.
pub(super) enum Refused {
    TooDeep,
    Append(AppendError),
}

impl Worker {
    /// Writes what has come in, as far as there is room.
    pub(super) fn take_in(&mut self) -> Result<()> {
        self.waits_until = None;
        while self.store_again.is_none()
            && self.write_direct()?
            && !self.lets_wait()
            && let Some(next) = self.waiting.pop_front()
        {
            if next.chunk.is_empty() {
                self.out.stored(next.chunk);
                continue;
            }
            let taken = Duration::from_nanos(next.chunk.size() as u64 * 1_000_000_000 / LEAST_RATE);
            let now = Instant::now();
            if self.may_go_directly(&next.chunk) {
                self.patience = (self.patience.max(now) + taken).min(now + CREDIT);
                self.go_directly(next.chunk);
                continue;
            }
            if !self.direct.is_empty() {
                self.must_write_direct();
                self.waiting.push_front(next);
                continue;
            }
            match self.append(&next.chunk) {
                Ok(_) => {
                    self.storing.note(&self.out, Ok(()));
                    self.patience = (self.patience.max(now) + taken).min(now + CREDIT);
                    let memory = Content::memory_as_chunk(&next.chunk);
                    let chunk = self.wrote(next.chunk, now);
                    if let Some(memory) = memory {
                        self.queue.keep(memory, || Content::Chunk(chunk));
                    }
                }
                Err(Refused::TooDeep) => self.out.drop_chunk(next.chunk, TOO_DEEP),
                Err(Refused::Append(AppendError::TooLarge { .. })) => self.halve(next),
                Err(Refused::Append(AppendError::Full)) => match self.when_full {
                    WhenFull::Wait => {
                        self.waiting.push_front(next);
                        return Ok(());
                    }
                    WhenFull::DropNewest => self.out.drop_chunk(next.chunk, FULL),
                    WhenFull::DropOldest => {
                        let made_room = self.discard(Cause::BufferFull);
                        self.waiting.push_front(next);
                        if !made_room {
                            return Ok(());
                        }
                    }
                },
                Err(Refused::Append(AppendError::Io(error))) => self.refused(next, error),
                Err(Refused::Append(error @ AppendError::Broken)) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Whether what comes in is to wait for what is not delivered.
    fn lets_wait(&mut self) -> bool {
        let next = self.waiting.front().filter(|_| !self.is_stopping);
        let size = next.map(|next| next.chunk.size() as u64);
        let is_much = size.is_some_and(|size| self.undelivered() + size > self.much());
        self.waits_until =
            Some(self.patience).filter(|patience| is_much && *patience > Instant::now());
        self.waits_until.is_some()
    }

    /// How many bytes came in and are not delivered.
    pub(super) fn undelivered(&self) -> u64 {
        self.queue.holds().bytes + self.direct.bytes() as u64
    }

    /// How many of them are many.
    pub(super) fn much(&self) -> u64 {
        MUCH.min(self.max_unacked as u64)
    }

    /// Writes a chunk: only what is not in long runs of lines is copied for that.
    pub(super) fn append(&mut self, chunk: &Chunk) -> Result<u64, Refused> {
        self.bytes.clear();
        self.bytes.shrink_to(KEPT_BYTES);
        let parts = codec::encode_parts(chunk, &mut self.bytes).map_err(|_| Refused::TooDeep)?;
        let weight = chunk.batches().iter().map(Batch::weight).sum();
        let appended = self.queue.append_parts(&parts, chunk.len() as u64, weight);
        let seq = appended.map_err(Refused::Append)?;
        if Content::memory_as_chunk(chunk).is_none() {
            let size = parts.iter().map(|part| part.len()).sum();
            self.queue.keep(size, || Content::Bytes(parts.concat()));
        }
        Ok(seq)
    }

    /// Of a chunk that is written, and has waited for it since then, no more than its acks wait until it
    /// counts as stored. Gives the chunk without them.
    pub(super) fn wrote(&mut self, mut chunk: Chunk, since: Instant) -> Chunk {
        self.written_bytes += chunk.size();
        self.written_since = Some(self.written_since.map_or(since, |at| at.min(since)));
        let acks = chunk.batches_mut().iter_mut();
        self.written.extend(acks.filter_map(|batch| Some((batch.take_ack()?, batch.count()))));
        chunk
    }

    /// What is written counts as stored.
    pub(super) fn tell_stored(&mut self) {
        for (ack, count) in self.written.drain(..) {
            self.out.stored_as(ack, count);
        }
    }

    /// Makes what was written count as stored, when it is time.
    pub(super) fn store(&mut self) -> Result<()> {
        if self.verify_due().is_some_and(|due| due <= Instant::now()) {
            self.unverified = None;
            self.queue.verify().context("cannot store records in the buffer")?;
        }
        if self.written.is_empty() || self.save_again.is_some() {
            return Ok(());
        }
        if self.sync == SyncPolicy::Never {
            self.unverified.get_or_insert_with(Instant::now);
        } else {
            let is_due = self.sync_due().is_some_and(|due| due <= Instant::now());
            let is_much = self.written_bytes >= SYNC_AT;
            if !(is_due || is_much || self.is_in_hurry || self.has_ended) {
                return Ok(());
            }
            self.queue.sync().context("cannot sync the buffer")?;
        }
        // Without it, what is lost at the end would look after a kill as if it had never been.
        self.save_position();
        if !self.queue.is_saved() {
            return Ok(());
        }
        self.tell_stored();
        (self.written_bytes, self.written_since) = (0, None);
        self.is_in_hurry = false;
        Ok(())
    }

    /// When what is written must be synced.
    pub(super) fn sync_due(&self) -> Option<Instant> {
        let since = self.written_since.filter(|_| self.save_again.is_none())?;
        match self.sync {
            SyncPolicy::Always | SyncPolicy::Never => Some(since),
            SyncPolicy::Every(interval) => Some(since + interval),
        }
    }

    /// When somebody must look whether what was written is still there. Where it is synced, that is done
    /// with each sync.
    pub(super) fn verify_due(&self) -> Option<Instant> {
        self.unverified.map(|since| since + RETRY)
    }

    /// The disk has not taken a chunk.
    fn refused(&mut self, waiting: Waiting, error: io::Error) {
        let is_full = is_full(&error);
        if is_full && self.when_full == WhenFull::DropNewest {
            self.storing.note(&self.out, Err(error));
            self.out.drop_chunk(waiting.chunk, DISK_FULL);
            return;
        }
        self.storing.note(&self.out, Err(error));
        self.waiting.push_front(waiting);
        if !(is_full && self.when_full == WhenFull::DropOldest && self.discard(Cause::DiskFull)) {
            self.store_again_soon();
        }
    }

    /// Drops the oldest segment. `false` when this made no room.
    fn discard(&mut self, cause: Cause) -> bool {
        match self.queue.discard_oldest(cause) {
            Ok(Some(discarded)) => {
                if !discarded.lost.is_zero() {
                    self.out.lost(count(discarded.lost), reason(cause));
                }
                true
            }
            Ok(None) => {
                self.store_again_soon();
                false
            }
            Err(error) => {
                self.storing.note(&self.out, Err(error));
                self.store_again_soon();
                false
            }
        }
    }

    pub(super) fn store_again_soon(&mut self) {
        self.store_again.get_or_insert_with(|| Instant::now() + RETRY);
    }

    /// Two chunks of half as many records; a single record has no place here.
    fn halve(&mut self, waiting: Waiting) {
        let Waiting { mut chunk, _permit, .. } = waiting;
        if chunk.len() < 2 {
            self.out.drop_chunk(chunk, TOO_LARGE);
            return;
        }
        let rest = chunk.split_off(chunk.len() / 2);
        self.waiting.push_front(Waiting { chunk: rest, _permit });
        self.waiting.push_front(Waiting { chunk, _permit: None });
    }
}
