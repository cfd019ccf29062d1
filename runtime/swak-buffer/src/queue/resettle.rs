//! Writes anew what was not known to be on the disk when a process ended.

use std::io;

use super::acks::remove;
use super::open::refused;
use crate::error::{OpenError, is_full};
use crate::format::{FrameHeader, Kind, segment_name};
use crate::frames::Found;
use crate::layout::{ASIDE_SUFFIX, Segment, end_of, readable};
use crate::place::Place;
use crate::rewrite::Rewritten;
use crate::storage::{Storage, StoredFile};

/// Moves all whole frames from `base` on into a segment of their own, which is durable when this
/// returns. A crash at any moment leaves them where they were, or in both places, of which the readers
/// see one. `false` on a disk without room for them: they stay where they are, and are synced there.
pub(super) fn resettle<S: Storage>(
    storage: &S,
    id: u64,
    segments: &mut Vec<Segment>,
    base: Place,
) -> Result<bool, OpenError> {
    let name = segment_name(base.seq);
    let from = segments.partition_point(|segment| segment.first <= base.seq).saturating_sub(1);
    let (len, first_moved) = match write_anew(storage, id, &segments[from..], base) {
        Ok(written) => written,
        Err(error) if is_full(&error) => {
            remove(storage, &format!("{name}{ASIDE_SUFFIX}"))
                .map_err(|error| refused("remove", &name, error))?;
            for segment in &segments[from..] {
                let name = segment_name(segment.first);
                storage
                    .open(&name, true)
                    .and_then(|mut file| file.sync())
                    .map_err(|error| refused("sync", &name, error))?;
            }
            return Ok(false);
        }
        Err(error) => return Err(refused("write anew", &name, error)),
    };
    let moved = segments.split_off(from);
    // Of the segment in which they begin, what is before them stays.
    let left = moved.first().filter(|first| first.first < base.seq);
    let left = left.map(|first| Segment { len: first_moved.unwrap_or(first.len), ..*first });
    for segment in moved.iter().filter(|segment| segment.first > base.seq) {
        let name = segment_name(segment.first);
        storage.remove(&name).map_err(|error| refused("remove", &name, error))?;
    }
    if let Some(left) = left {
        let name = segment_name(left.first);
        storage
            .open(&name, true)
            .and_then(|mut file| file.truncate(left.len).and_then(|()| file.sync()))
            .map_err(|error| refused("cut", &name, error))?;
        segments.push(left);
    }
    segments.push(Segment::new(id, base, len));
    Ok(true)
}

/// Removes segments whose frames are all in one before them as well: what a crash has brought back of those
/// that were moved.
pub(super) fn drop_covered<S: Storage>(
    storage: &S,
    segments: &mut Vec<Segment>,
    base: Place,
) -> Result<(), OpenError> {
    let from = segments.partition_point(|segment| segment.first <= base.seq).saturating_sub(1);
    let (mut covered, mut is_safe) = (0, false);
    for segment in segments.split_off(from) {
        let name = segment_name(segment.first);
        let end = end_of(storage, &segment).map_err(|error| refused("read", &name, error))?;
        let end = end.map_or(0, |end| end.place.seq);
        if end > 0 && end <= covered {
            if !is_safe {
                // The one that has them all may be new, and its name in memory alone.
                storage.sync_folder().map_err(|error| refused("sync", "the folder", error))?;
                is_safe = true;
            }
            storage.remove(&name).map_err(|error| refused("remove", &name, error))?;
        } else {
            covered = covered.max(end);
            segments.push(segment);
        }
    }
    Ok(())
}

/// Writes the frames into a new segment, and gives its length, and the place in the first of the old ones
/// at which those begin that were moved.
fn write_anew<S: Storage>(
    storage: &S,
    id: u64,
    segments: &[Segment],
    base: Place,
) -> io::Result<(u64, Option<u64>)> {
    let name = segment_name(base.seq);
    let mut file = Rewritten::begin(storage, &name, id, base)?;
    let (mut expected, mut first_moved) = (base.seq, None);
    for (i, segment) in segments.iter().enumerate() {
        let from = copy_frames(storage, segment, &mut expected, &mut file)?;
        first_moved = first_moved.or(from.filter(|_| i == 0));
    }
    let len = file.len();
    file.finish(storage, &name)?;
    Ok((len, first_moved))
}

/// Copies the frames of a segment whose number is at least `expected`, and says where the first one
/// begins.
fn copy_frames<S: Storage>(
    storage: &S,
    segment: &Segment,
    expected: &mut u64,
    to: &mut Rewritten<S::File>,
) -> io::Result<Option<u64>> {
    let mut frames = segment.frames(storage)?;
    let (mut first, mut offset) = (None, frames.offset());
    while let Some(found) =
        readable(frames.next(segment.len, |start| start.seq >= *expected))?.flatten()
    {
        let from = std::mem::replace(&mut offset, frames.offset());
        let Found::Frame { start, end, payload, is_gap } = found else { continue };
        let Some(payload) = payload.filter(|_| start.seq >= *expected) else { continue };
        first = first.or(Some(from));
        *expected = end.seq;
        let count = end.since(start);
        let header = FrameHeader::of(&payload, start, count.records, count.bytes);
        let kind = if is_gap { Kind::Gap } else { Kind::Data };
        to.push(FrameHeader { kind, ..header }, &payload)?;
    }
    Ok(first)
}
