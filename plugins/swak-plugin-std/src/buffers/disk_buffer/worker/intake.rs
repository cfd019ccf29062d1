//! What comes in: written, and stored once it is as safe as the policy says.

use std::io;
use std::time::Instant;

use swak_buffer::AppendError;
use swak_sdk::data::codec;
use swak_sdk::prelude::*;
use tokio::sync::OwnedSemaphorePermit;

use super::{RETRY, Worker, count};
use crate::buffers::disk_buffer::options::{SyncPolicy, WhenFull};

/// What is written is synced before its time when there is so much of it: it is held until then.
const SYNC_AT: usize = 32 << 20;

/// The reasons with which records are counted as dropped.
const FULL: &str = "the buffer is full";
const DISK_FULL: &str = "the disk is full";
const TOO_LARGE: &str = "larger than the buffer";
const TOO_DEEP: &str = "nested too deeply";

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
                        let made_room = self.discard(FULL);
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
        if self.written.is_empty() {
            return Ok(());
        }
        if self.sync != SyncPolicy::Never {
            let is_due = self.sync_due().is_some_and(|due| due <= Instant::now());
            let is_much = self.written_bytes >= SYNC_AT;
            if !(is_due || is_much || self.is_in_hurry || self.has_ended) {
                return Ok(());
            }
            self.queue.sync().context("cannot sync the buffer")?;
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
        let since = self.written_since?;
        match self.sync {
            SyncPolicy::Always | SyncPolicy::Never => Some(since),
            SyncPolicy::Every(interval) => Some(since + interval),
        }
    }

    fn wait_with(&mut self, mut waiting: Waiting, bytes: Vec<u8>) {
        waiting.bytes = Some(bytes);
        self.waiting.push_front(waiting);
    }

    /// The disk has not taken a chunk.
    fn refused(&mut self, waiting: Waiting, bytes: Vec<u8>, error: io::Error) {
        let is_full =
            matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded);
        if is_full && self.when_full == WhenFull::DropNewest {
            self.storing.note(&self.out, Err(error));
            self.out.drop_chunk(waiting.chunk, DISK_FULL);
            return;
        }
        self.storing.note(&self.out, Err(error));
        self.wait_with(waiting, bytes);
        if !(is_full && self.when_full == WhenFull::DropOldest && self.discard(DISK_FULL)) {
            self.store_again_soon();
        }
    }

    /// Drops the oldest segment. `false` when this made no room.
    fn discard(&mut self, reason: &'static str) -> bool {
        match self.queue.discard_oldest() {
            Ok(Some(discarded)) => {
                if !discarded.unread.is_zero() {
                    self.out.lost(count(discarded.unread), reason);
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

    /// What a frame that was handed on and has failed is lost with, if it was discarded meanwhile.
    pub(super) const DISCARDED: &str = FULL;
}
