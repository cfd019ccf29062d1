//! The queue: append, sync, read, acknowledge.

mod acks;
mod cursor;
mod open;
mod recent;
mod resettle;
mod segments;
mod write;

use std::collections::{BTreeMap, VecDeque};

use crate::gone::{Cause, Gone};
use crate::place::{Count, Place};
use crate::position::{Position, PositionFile};
use crate::storage::Storage;

use cursor::Cursor;
use recent::{Lies, Recent};
use segments::Segments;

/// How a queue is kept.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// A segment is closed before it grows larger, unless a single frame is. Default: 64 MiB.
    pub segment_size: u64,
    /// All segments together take no more than this. Default: 1 GiB.
    pub max_size: u64,
    /// What counts as stored.
    pub durability: Durability,
    /// How many bytes of what was just appended are kept in memory, so that a fast reader does not
    /// read them from disk: see [`Queue::keep`]. Default: 16 MiB.
    pub keep_in_memory: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            segment_size: 64 << 20,
            max_size: 1 << 30,
            durability: Durability::Synced,
            keep_in_memory: 16 << 20,
        }
    }
}

/// When a frame counts as stored, so that it is reported as lost when it is not there any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// After [`Queue::sync`]: it survives the end of the system.
    Synced,
    /// After [`Queue::append`]: it survives the end of this process only.
    Written,
}

/// A frame that was read.
#[derive(Clone, Debug)]
pub struct Frame<K = Vec<u8>> {
    /// Its number, to acknowledge it with.
    pub seq: u64,
    /// The bytes that were appended, or what was kept of them in memory.
    pub payload: K,
    /// How many records are in it.
    pub records: u64,
    /// The bytes of these records.
    pub bytes: u64,
}

/// What comes next.
#[derive(Debug)]
pub enum Next<K = Vec<u8>> {
    /// A frame.
    Frame(Frame<K>),
    /// These were stored here and are lost: their frames are damaged, or their segment is gone.
    Lost(Count),
}

/// What was discarded with the oldest segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Discarded {
    /// Everything in it that was not acknowledged. Frames that were read may still arrive:
    /// [`Queue::ack`] says so.
    pub lost: Count,
    /// Frames before this one cannot be read again.
    pub before: u64,
}

/// What was found when a queue was opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Opened {
    /// What is waiting to be read, damaged frames included: these are found when it is their turn.
    pub holds: Count,
    /// There was nothing of a buffer in the folder.
    pub is_new: bool,
    /// The position was damaged or missing: everything on disk is read again.
    pub position_lost: bool,
    /// Bytes that were cut off the end: a write that a crash interrupted, never reported as stored.
    pub torn: u64,
    /// Files that are no part of this buffer any more, put aside under these names.
    pub put_aside: Vec<String>,
    /// What was given up before.
    pub gone: Gone,
    /// The disk is full, so that what was there and did not count as stored could not be written anew: it
    /// is there unless a sync had failed before.
    pub trusts_disk: bool,
}

/// A crash-safe queue of frames; see the crate's page.
///
/// `K` is what is kept in memory of a frame that was just appended: its bytes, or whatever they were made
/// of. What is read from disk becomes that too.
pub struct Queue<S: Storage, K = Vec<u8>> {
    storage: S,
    settings: Settings,
    id: u64,
    /// Frames are appended to the last one, if `tail` is open.
    segments: Segments,
    tail: Option<S::File>,
    /// Something that failed to be written stands behind the last frame of the tail.
    has_remnant: bool,
    /// Where the next frame goes.
    next: Place,
    /// Up to here it was synced.
    synced: Place,
    /// Segments were created and the folder was not synced.
    folder_dirty: bool,
    /// A sync failed: see [`crate::AppendError::Broken`].
    broken: bool,
    recent: Recent<K>,
    /// Where the frame lies that was appended last, unless it is known whether it is kept.
    appended: Option<Lies>,
    cursor: Cursor<S::File, K>,
    /// Frames that were read and lie behind the read position.
    given: VecDeque<Given>,
    /// Frames that were discarded after they were read and before they were acknowledged.
    discarded: BTreeMap<u64, (Cause, Count)>,
    read: Place,
    /// What was given up of all before the read position.
    gone: Gone,
    position: PositionFile<S::File>,
    opened: Opened,
}

/// A frame that was read, or frames that were found to be lost.
#[derive(Clone, Copy, Debug)]
struct Given {
    start: Place,
    end: Place,
    is_done: bool,
    /// Why they will never be delivered.
    lost: Option<Cause>,
}

impl<S: Storage, K> Queue<S, K> {
    /// What was found when it was opened.
    pub fn opened(&self) -> &Opened {
        &self.opened
    }

    /// What is neither acknowledged nor known to be lost.
    pub fn holds(&self) -> Count {
        self.next.since(self.read)
    }

    /// What was not read yet.
    pub fn unread(&self) -> Count {
        self.next.since(self.cursor.place)
    }

    /// How many frames were read and are not acknowledged.
    pub fn unacknowledged(&self) -> usize {
        self.given.len()
    }

    /// Everything before this is done.
    pub fn position(&self) -> Place {
        self.read
    }

    /// What was given up of all before the read position.
    pub fn gone(&self) -> Gone {
        self.gone
    }

    /// Where the next frame goes.
    pub fn end(&self) -> Place {
        self.next
    }

    /// Bytes on disk, of all segments.
    pub fn size(&self) -> u64 {
        self.segments.size()
    }

    /// Lets it grow beyond its greatest size from now on: at an orderly stop, for what is on its way to
    /// it.
    pub fn lift_limit(&mut self) {
        self.settings.max_size = u64::MAX;
    }

    /// Everything before this counts as stored.
    pub fn stored(&self) -> Place {
        match self.settings.durability {
            Durability::Synced => self.synced,
            Durability::Written => self.next,
        }
    }

    /// Whether the position was written as it is now; it survives the end of this process then.
    pub fn is_saved(&self) -> bool {
        self.position.is_written(&self.current_position())
    }

    /// Whether the position is durable as it is now.
    pub fn is_position_synced(&self) -> bool {
        self.position.is_synced(&self.current_position())
    }

    fn current_position(&self) -> Position {
        Position { id: self.id, read: self.read, stored: self.stored(), gone: self.gone }
    }
}
