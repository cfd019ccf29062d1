//! Gives again what is still on disk.

use crate::error::OpenError;
use crate::layout::Layout;
use crate::place::{Count, Place};
use crate::position::{Position, PositionFile, PositionFound};
use crate::storage::Storage;
use crate::survey::visit;

/// What a replay does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replayed {
    /// The read position before, where it was known.
    pub before: Option<Place>,
    /// The read position now: the number of the first frame that is given next.
    pub now: Place,
    /// What is given from now on.
    pub waiting: Count,
}

/// Sets the read position to the oldest frame on disk, or to the first one whose number is at least
/// `from`. `None` when there is no such frame, and then nothing is changed. Nobody else may have the
/// buffer open.
///
/// # Errors
/// As [`crate::Queue::open`].
pub fn replay<S: Storage>(storage: &S, from: Option<u64>) -> Result<Option<Replayed>, OpenError> {
    let layout = Layout::read(storage)?;
    let (mut now, mut end, mut waiting) = (None, Place::default(), Count::default());
    visit(storage, |visited| {
        if from.is_none_or(|from| visited.frame.seq >= from) {
            now = now.or(Some(visited.start));
            waiting += visited.end.since(visited.start);
        }
        end = visited.end;
        Ok(())
    })?;
    let Some(now) = now else { return Ok(None) };
    let (before, stored) = match layout.position {
        PositionFound::Good { position, .. } => (Some(position.read), position.stored.max(end)),
        _ => (None, end),
    };
    set_position(storage, layout.position, Position { id: layout.id, read: now, stored })?;
    Ok(Some(Replayed { before, now, waiting }))
}

pub(crate) fn set_position<S: Storage>(
    storage: &S,
    found: PositionFound,
    position: Position,
) -> Result<(), OpenError> {
    PositionFile::open(storage, found)
        .and_then(|mut file| file.sync(position))
        .and_then(|()| storage.sync_folder())
        .map_err(|source| OpenError::Io { what: "write the file `position`".to_owned(), source })
}
