//! What comes in: written, and stored once it is as safe as the policy says.

use std::io;
use std::time::Instant;

use swak_buffer::{AppendError, Cause, is_full};
use swak_sdk::data::codec;
use swak_sdk::prelude::*;
use tokio::sync::OwnedSemaphorePermit;

use super::losses::{DISK_FULL, FULL, TOO_DEEP, TOO_LARGE, count, reason};
use super::{RETRY, Worker};
use crate::buffers::disk_buffer::options::{SyncPolicy, WhenFull};

/// What is written is synced before its time when there is so much of it: it is held until then.
const SYNC_AT: usize = 32 << 20;

/// A chunk that came in.
pub(super) struct Waiting {
    chunk: Chunk,
    /// What is to be written, when that was tried before.
    bytes: Option<Vec<u8>>,
    /// Room for another one; kept while halves of the chunk are.
    _permit: Option<OwnedSemaphorePermit>,
}

impl Waiting {
    pub(super) fn new(chunk: Chunk, permit: Option<OwnedSemaphorePermit>) -> Self {
        Waiting { chunk, bytes: None, _permit: permit }
    }
}

impl Worker {
    /// Writes what has come in, as far as there is room.
    pub(super) fn take_in(&mut self) -> Result<()> {
        while self.store_again.is_none()
            && let Some(mut next) = self.waiting.pop_front()
        {
            if next.chunk.is_empty() {
                self.out.stored(next.chunk);
                continue;
            }
            let bytes = match next.bytes.take() {
                Some(bytes) => bytes,
                None => {
                    let mut bytes = Vec::new();
                    if codec::encode(&next.chunk, &mut bytes).is_err() {
                        self.out.drop_chunk(next.chunk, TOO_DEEP);
                        continue;
                    }
                    bytes
                }
            };
            let weight = next.chunk.batches().iter().map(Batch::weight).sum();
            match self.queue.append(&bytes, next.chunk.len() as u64, weight) {
                Ok(_) => {
                    self.storing.note(&self.out, Ok(()));
                    self.written_bytes += next.chunk.size();
                    self.written_since.get_or_insert_with(Instant::now);
                    self.written.push(next.chunk);
                }
                Err(AppendError::TooLarge { .. }) => self.halve(next),
                Err(AppendError::Full) => match self.when_full {
                    WhenFull::Wait => {
                        self.wait_with(next, bytes);
                        return Ok(());
                    }
                    WhenFull::DropNewest => self.out.drop_chunk(next.chunk, FULL),
                    WhenFull::DropOldest => {
                        let made_room = self.discard(Cause::BufferFull);
                        self.wait_with(next, bytes);
                        if !made_room {
                            return Ok(());
                        }
                    }
                },
                Err(AppendError::Io(error)) => self.refused(next, bytes, error),
                Err(error @ AppendError::Broken) => return Err(error.into()),
            }
        }
        Ok(())
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
        for chunk in self.written.drain(..) {
            self.out.stored(chunk);
        }
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

    fn wait_with(&mut self, mut waiting: Waiting, bytes: Vec<u8>) {
        waiting.bytes = Some(bytes);
        self.waiting.push_front(waiting);
    }

    /// The disk has not taken a chunk.
    fn refused(&mut self, waiting: Waiting, bytes: Vec<u8>, error: io::Error) {
        let is_full = is_full(&error);
        if is_full && self.when_full == WhenFull::DropNewest {
            self.storing.note(&self.out, Err(error));
            self.out.drop_chunk(waiting.chunk, DISK_FULL);
            return;
        }
        self.storing.note(&self.out, Err(error));
        self.wait_with(waiting, bytes);
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

    fn store_again_soon(&mut self) {
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
        self.waiting.push_front(Waiting { chunk: rest, bytes: None, _permit });
        self.waiting.push_front(Waiting { chunk, bytes: None, _permit: None });
    }
}
