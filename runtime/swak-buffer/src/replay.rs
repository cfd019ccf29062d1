//! Gives again what is still on disk.

use crate::error::OpenError;
use crate::gone::{Cause, Gone};
use crate::layout::Layout;
use crate::place::{Count, Place};
use crate::position::{Position, PositionFile, PositionFound};
use crate::storage::Storage;
use crate::survey::visit;

/// What came of a replay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replay {
    /// The read position was set.
    Done(Replayed),
    /// There is no such frame; nothing is changed.
    NoSuchFrame,
    /// This waits before that frame, and would never be delivered; nothing is changed.
    WouldSkip(Count),
}

/// What a replay does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replayed {
    /// The read position before, where it was known.
    pub before: Option<Place>,
    /// The read position now: the number of the first frame that is given next.
    pub now: Place,
    /// What is given from now on.
    pub waiting: Count,
    /// What waited and is given up: the agent counts it as dropped.
    pub skipped: Count,
}

/// Sets the read position to the oldest frame on disk, or to the first one whose number is at least
/// `from`; over frames that wait only if it `may_skip` them. Nobody else may have the buffer open.
///
/// # Errors
/// As [`crate::Queue::open`].
pub fn replay<S: Storage>(
    storage: &S,
    from: Option<u64>,
    may_skip: bool,
) -> Result<Replay, OpenError> {
    let layout = Layout::read(storage)?;
    let (mut first, mut now, mut end) = (None, None, Place::default());
    let (mut waiting, mut passed) = (Count::default(), Count::default());
    visit(storage, |visited| {
        first = first.or(Some(visited.start));
        let count = visited.end.since(visited.start);
        if from.is_none_or(|from| visited.frame.seq >= from) {
            now = now.or(Some(visited.start));
            waiting += count;
        } else if !visited.is_delivered {
            passed += count;
        }
        end = visited.end;
        Ok(())
    })?;
    let (Some(first), Some(mut now)) = (first, now) else { return Ok(Replay::NoSuchFrame) };
    let (before, stored, mut gone) = match layout.position {
        // What is there beyond that was perhaps never synced.
        PositionFound::Good { position, .. } => {
            (Some(position.read), position.stored, position.gone)
        }
        _ => (None, end, Gone::begin()),
    };
    // Without a position all that is there is delivered.
    let due = before.unwrap_or(first);
    let mut skipped = Count::default();
    if !passed.is_zero() {
        if !may_skip {
            return Ok(Replay::WouldSkip(passed));
        }
        skipped = now.since(due);
        gone.add(Cause::Skipped, skipped);
    } else if due.seq < now.seq {
        // What is lost in between is counted as such when the agent comes there.
        now = due;
    }
    set_position(storage, layout.position, Position { id: layout.id, read: now, stored, gone })?;
    Ok(Replay::Done(Replayed { before, now, waiting, skipped }))
}

pub(crate) fn set_position<S: Storage>(
    storage: &S,
    found: PositionFound,
    position: Position,
) -> Result<(), OpenError> {
    PositionFile::open(storage, found)
        .and_then(|mut file| file.sync(storage, position))
        .and_then(|()| storage.sync_folder())
        .map_err(|source| OpenError::Io { what: "write the file `position`".to_owned(), source })
}
