//! Rewrites what is damaged, and keeps what it was.

use std::io;

use crate::aside::{free_name, put_aside};
use crate::error::OpenError;
use crate::format::{FrameHeader, Kind, segment_name};
use crate::frames::{Found, read_full};
use crate::gone::Gone;
use crate::layout::{Layout, Segment};
use crate::place::{Count, Place};
use crate::position::{Position, PositionFound};
use crate::replay::set_position;
use crate::rewrite::Rewritten;
use crate::storage::{Storage, StoredFile};

/// What a repair has done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Repaired {
    /// Segments that were written anew without what was damaged.
    pub rewritten: Vec<String>,
    /// What these, and files that are no part of the buffer, are called now.
    pub put_aside: Vec<String>,
    /// What is lost and is marked as such. The agent counts it when it comes there.
    pub marked: Count,
    /// The read position was lost: everything on disk is given again.
    pub position_reset: bool,
}

impl Repaired {
    /// Whether there was nothing to do.
    pub fn is_nothing(&self) -> bool {
        *self == Repaired::default()
    }
}

/// Rewrites damaged segments: whole frames stay, what is lost is marked, and the damaged files are put
/// aside under the name `….damaged`. Nobody else may have the buffer open. A crash at any moment leaves
/// each segment as it was or repaired.
///
/// # Errors
/// As [`crate::Queue::open`].
pub fn repair<S: Storage>(storage: &S) -> Result<Repaired, OpenError> {
    let layout = Layout::read(storage)?;
    let mut done = Repaired::default();
    for name in &layout.leftovers {
        storage.remove(name).map_err(|error| failed("remove", name, error))?;
    }
    for name in &layout.foreign {
        let aside = put_aside(storage, name).map_err(|error| failed("put aside", name, error))?;
        done.put_aside.push(aside);
    }
    let first = layout.segments.first().map(|segment| segment.start).unwrap_or_default();
    let (read, stored, gone) = match layout.position {
        PositionFound::Good { position, .. } => (position.read, position.stored, position.gone),
        _ => (first, Place::default(), Gone::begin()),
    };
    let mut repair = Repair { storage, id: layout.id, expected: read, stored: stored.seq, done };
    let mut last = None;
    let newest = layout.segments.last().map(|segment| segment.first);
    for segment in &layout.segments {
        let name = segment_name(segment.first);
        let kept = repair
            .segment(segment, newest == Some(segment.first))
            .map_err(|error| failed("repair", &name, error))?;
        last = if kept { Some(*segment) } else { last };
    }
    if repair.expected.seq < stored.seq {
        repair.mark_end(last, stored).map_err(|error| failed("repair", "the end", error))?;
    }
    let Repair { expected, mut done, .. } = repair;
    let is_buffer = !layout.segments.is_empty() || layout.position == PositionFound::Damaged;
    if is_buffer && !matches!(layout.position, PositionFound::Good { .. }) {
        done.position_reset = true;
        let position = Position { id: layout.id, read: first, stored: expected, gone };
        set_position(storage, layout.position, position)?;
    }
    Ok(done)
}

struct Repair<'a, S: Storage> {
    storage: &'a S,
    id: u64,
    /// The next frame begins here, or something is lost.
    expected: Place,
    /// Frames before this number were stored.
    stored: u64,
    done: Repaired,
}

/// What is wrong with a segment.
#[derive(Default)]
struct Wrong {
    has_frames: bool,
    is_damaged: bool,
    has_unmarked_loss: bool,
}

impl<S: Storage> Repair<'_, S> {
    /// Says whether the segment is still there.
    fn segment(&mut self, segment: &Segment, is_last: bool) -> io::Result<bool> {
        let name = segment_name(segment.first);
        let wrong = self.look(segment, is_last)?;
        if !wrong.has_frames {
            if wrong.is_damaged {
                let aside = put_aside(self.storage, &name)?;
                self.storage.sync_folder()?;
                self.done.put_aside.push(aside);
            }
            return Ok(!wrong.is_damaged);
        }
        if wrong.is_damaged || wrong.has_unmarked_loss {
            self.rewrite(segment, wrong.is_damaged, None)?;
        } else {
            self.expected = self.expected.max(self.end_of(segment)?);
        }
        Ok(true)
    }

    fn look(&self, segment: &Segment, is_last: bool) -> io::Result<Wrong> {
        let mut wrong = Wrong { is_damaged: segment.header_damaged, ..Wrong::default() };
        let mut expected = self.expected;
        let mut frames = segment.frames(self.storage)?;
        while let Some(found) = frames.next(segment.len, |_| true)? {
            match found {
                // What a crash leaves at the end was never stored, and is cut off when the buffer is
                // opened.
                Found::Damage(damage)
                    if is_last && damage.to == segment.len && expected.seq >= self.stored => {}
                Found::Damage(_) => wrong.is_damaged = true,
                Found::Frame { start, end, .. } => {
                    wrong.has_frames = true;
                    wrong.has_unmarked_loss |= start.seq > expected.seq;
                    expected = expected.max(end);
                }
            }
        }
        Ok(wrong)
    }

    fn end_of(&self, segment: &Segment) -> io::Result<Place> {
        let end = crate::layout::end_of(self.storage, segment)?;
        Ok(end.map_or(segment.start, |end| end.place))
    }

    /// The frames that were stored at the end and are not there.
    fn mark_end(&mut self, last: Option<Segment>, stored: Place) -> io::Result<()> {
        if let Some(last) = last {
            // All its frames are before what is expected: only the mark is new.
            return self.rewrite(&last, false, Some(stored));
        }
        let name = segment_name(self.expected.seq);
        let mut file = Rewritten::begin(self.storage, &name, self.id, self.expected)?;
        self.mark(&mut file, stored)?;
        file.finish(self.storage, &name)?;
        self.done.rewritten.push(name);
        Ok(())
    }

    /// Writes a segment anew, with a mark for every loss in it, and at its end up to `until`.
    fn rewrite(
        &mut self,
        segment: &Segment,
        put_aside: bool,
        until: Option<Place>,
    ) -> io::Result<()> {
        let name = segment_name(segment.first);
        if put_aside {
            let aside = free_name(self.storage, &name)?;
            copy(self.storage, &name, &aside)?;
            self.done.put_aside.push(aside);
        }
        // The header says where the segment begins, whatever is left of its first frames.
        let start = Place { seq: segment.first, ..segment.start };
        let mut file = Rewritten::begin(self.storage, &name, self.id, start)?;
        // It may have been rewritten just before.
        let len = self.storage.size(&name)?;
        let mut frames = segment.frames(self.storage)?;
        // What damage has doubled is written once.
        let mut written = 0;
        while let Some(found) = frames.next(len, |_| true)? {
            let Found::Frame { start, end, payload, is_gap } = found else { continue };
            if end.seq <= written {
                continue;
            }
            written = end.seq;
            if start.seq > self.expected.seq {
                self.mark(&mut file, start)?;
            }
            let payload = payload.unwrap_or_default();
            let count = end.since(start);
            let header = FrameHeader::of(&payload, start, count.records, count.bytes);
            let kind = if is_gap { Kind::Gap } else { Kind::Data };
            file.push(FrameHeader { kind, ..header }, &payload)?;
            self.expected = self.expected.max(end);
        }
        if let Some(until) = until {
            self.mark(&mut file, until)?;
        }
        file.finish(self.storage, &name)?;
        if self.done.rewritten.last() != Some(&name) {
            self.done.rewritten.push(name);
        }
        Ok(())
    }

    fn mark(&mut self, file: &mut Rewritten<S::File>, until: Place) -> io::Result<()> {
        let lost = until.since(self.expected);
        let payload = until.seq.to_le_bytes();
        let header = FrameHeader::of(&payload, self.expected, lost.records, lost.bytes);
        file.push(FrameHeader { kind: Kind::Gap, ..header }, &payload)?;
        self.done.marked += lost;
        self.expected = until;
        Ok(())
    }
}

/// Copies a file, durably.
fn copy<S: Storage>(storage: &S, from: &str, to: &str) -> io::Result<()> {
    let source = storage.open(from, false)?;
    let mut copy = storage.create(to)?;
    storage.make_alike(to, from)?;
    let mut buffer = vec![0; 1 << 20];
    let mut at = 0;
    loop {
        let read = read_full(&source, &mut buffer, at)?;
        if read == 0 {
            break;
        }
        copy.write_at(&[&buffer[..read]], at)?;
        at += read as u64;
    }
    copy.sync()?;
    storage.sync_folder()
}

fn failed(what: &str, name: &str, source: io::Error) -> OpenError {
    OpenError::Io { what: format!("{what} `{name}`"), source }
}
