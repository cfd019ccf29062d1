//! Appending and syncing.

use std::io;

use super::recent::Lies;
use super::{Durability, Queue};
use crate::error::{AppendError, is_full};
use crate::format::{FrameHeader, SEGMENT_HEADER, SegmentHeader, segment_name};
use crate::layout::Segment;
use crate::storage::{Storage, StoredFile};

impl<S: Storage> Queue<S> {
    /// Appends a frame that holds so many records of so many bytes, and gives its number. It survives
    /// the end of this process; it is durable after [`Queue::sync`]. A copy of it is kept in memory where
    /// there is room for it.
    ///
    /// # Errors
    /// It was not appended, and the files are as before: see [`AppendError`].
    pub fn append(&mut self, payload: &[u8], records: u64, bytes: u64) -> Result<u64, AppendError> {
        let seq = self.append_parts(&[payload], records, bytes)?;
        self.keep(payload.len(), || payload.to_vec());
        Ok(seq)
    }
}

impl<S: Storage, K> Queue<S, K> {
    /// As [`Queue::append`], of a payload that lies in several places, and without keeping anything of it in
    /// memory.
    ///
    /// # Errors
    /// It was not appended, and the files are as before: see [`AppendError`].
    pub fn append_parts(
        &mut self,
        payload: &[&[u8]],
        records: u64,
        bytes: u64,
    ) -> Result<u64, AppendError> {
        if self.broken {
            return Err(AppendError::Broken);
        }
        AppendError::check_payload(payload.iter().map(|part| part.len()).sum())?;
        match self.try_append(payload, records, bytes) {
            // What is done and still there may be all that fills the disk.
            Err(AppendError::Io(error)) if is_full(&error) && self.make_room_on_disk()? => {
                self.try_append(payload, records, bytes)
            }
            result => result,
        }
    }

    /// Keeps the frame that was appended last in memory, where it takes so many bytes: a reader who is not
    /// far behind gets it from there, as it is given here. `content` is asked for it only if there is room.
    pub fn keep(&mut self, size: usize, content: impl FnOnce() -> K) {
        if let Some(lies) = self.appended.take() {
            self.recent.keep(lies, size, self.cursor.place, content);
        }
    }

    fn try_append(
        &mut self,
        payload: &[&[u8]],
        records: u64,
        bytes: u64,
    ) -> Result<u64, AppendError> {
        let header = FrameHeader::of_parts(payload, self.next, records, bytes);
        let size = header.size();
        self.make_room(size)?;
        if self.needs_roll(size) {
            self.roll()?;
        }
        let (Some(file), Some(tail)) = (&mut self.tail, self.segments.back()) else {
            unreachable!("a segment was opened above");
        };
        let header = header.encode(&tail.seed());
        let parts: Vec<&[u8]> =
            std::iter::once(&header[..]).chain(payload.iter().copied()).collect();
        if let Err(error) = file.write_at(&parts, tail.len) {
            if file.truncate(tail.len).is_err() {
                // What stands there now is skipped as damage that cost nothing.
                self.has_remnant = true;
                self.close_tail().map_err(AppendError::Io)?;
            }
            return Err(error.into());
        }
        let (segment, end_offset) = (tail.first, tail.len + size);
        self.segments.grow(size);
        let start = self.next;
        self.next = start.after(records, bytes);
        self.appended = Some(Lies { start, end: self.next, segment, end_offset });
        Ok(start.seq)
    }

    /// Makes everything that was appended durable, and gives the number of the first frame that is not:
    /// that of the next one.
    ///
    /// # Errors
    /// Nobody knows what of it is on disk. The queue takes nothing more and must be opened again; what
    /// was not stored before must be given again by whoever appended it.
    pub fn sync(&mut self) -> io::Result<u64> {
        if self.broken {
            return Err(io::Error::other(AppendError::Broken));
        }
        if self.synced == self.next {
            return Ok(self.next.seq);
        }
        self.broken = true;
        self.verify()?;
        if let Some(file) = &mut self.tail {
            file.sync()?;
        }
        if self.folder_dirty {
            self.storage.sync_folder()?;
            self.folder_dirty = false;
        }
        self.broken = false;
        self.synced = self.next;
        Ok(self.next.seq)
    }

    /// Whether what is being written to is still in the folder: a file that somebody deleted can be
    /// written to and synced, and is gone nevertheless.
    ///
    /// # Errors
    /// It is not: the queue takes nothing more and must be opened again.
    pub fn verify(&mut self) -> io::Result<()> {
        let (Some(tail), true) = (self.segments.back(), self.tail.is_some()) else { return Ok(()) };
        let name = segment_name(tail.first);
        let size = self.storage.size(&name);
        let is_ours = |size: &u64| *size == tail.len || (self.has_remnant && *size > tail.len);
        if !size.as_ref().is_ok_and(is_ours) {
            self.broken = true;
            let why = match size {
                Ok(size) => format!("it has {size} bytes and not {}", tail.len),
                Err(error) => error.to_string(),
            };
            return Err(io::Error::other(format!(
                "somebody else has changed the segment `{name}`: {why}"
            )));
        }
        Ok(())
    }

    /// Says that it is full unless this much more fits.
    fn make_room(&mut self, size: u64) -> Result<(), AppendError> {
        let limit = self.settings.max_size;
        let with_header = size + SEGMENT_HEADER as u64;
        if with_header > limit {
            return Err(AppendError::TooLarge { size, limit });
        }
        let fits = |queue: &Self| {
            let needed = if queue.needs_roll(size) { with_header } else { size };
            queue.size() + needed <= limit
        };
        if fits(self) {
            return Ok(());
        }
        // The segment that is written to may be done, and is all that there is.
        if self.read.seq == self.next.seq && self.size() > SEGMENT_HEADER as u64 {
            self.roll()?;
            self.delete_done()?;
        }
        if fits(self) { Ok(()) } else { Err(AppendError::Full) }
    }

    /// Whether a frame of this size goes into a new segment.
    fn needs_roll(&self, size: u64) -> bool {
        let fits = |tail: &Segment| {
            tail.len == SEGMENT_HEADER as u64 || tail.len + size <= self.settings.segment_size
        };
        self.tail.is_none() || !self.segments.back().is_some_and(fits)
    }

    /// Begins a new segment.
    pub(super) fn roll(&mut self) -> io::Result<()> {
        if self.broken {
            return Err(io::Error::other(AppendError::Broken));
        }
        self.close_tail()?;
        if self.segments.back().is_some_and(|last| last.first == self.next.seq) {
            // Nothing was ever written to it.
            self.segments.pop_back();
            self.cursor.close();
        }
        let name = segment_name(self.next.seq);
        // Left over from a roll that failed half-way.
        super::acks::remove(&self.storage, &name)?;
        let mut file = self.storage.create(&name).inspect_err(|error| {
            // The folder is gone, and with it what was in it: only opening it again helps.
            self.broken |= error.kind() == io::ErrorKind::NotFound;
        })?;
        self.folder_dirty = true;
        let header = SegmentHeader { id: self.id, start: self.next };
        file.write_at(&[&header.encode()], 0)?;
        self.segments.push(Segment::new(self.id, self.next, SEGMENT_HEADER as u64));
        self.tail = Some(file);
        Ok(())
    }

    /// What was written must be durable before the next segment is: [`Queue::sync`] syncs one file.
    fn close_tail(&mut self) -> io::Result<()> {
        // One that somebody deleted would sync as well.
        self.verify()?;
        let Some(file) = &mut self.tail else { return Ok(()) };
        if self.settings.durability == Durability::Synced
            && let Err(error) = file.sync()
        {
            self.broken = true;
            return Err(error);
        }
        self.tail = None;
        self.has_remnant = false;
        Ok(())
    }
}
