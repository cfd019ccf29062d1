//! Looks through a buffer without changing it, also while somebody writes to it.

use std::io;
use std::path::Path;

use crate::error::OpenError;
use crate::format::{segment_name, segment_number};
use crate::frames::{Damage, Found};
use crate::layout::{Layout, Segment, readable};
use crate::place::{Count, Place};
use crate::position::{self, POSITION_FILE, PositionFound};
use crate::queue::Frame;
use crate::storage::Storage;

/// What is in a buffer.
#[derive(Clone, Debug, Default)]
pub struct Survey {
    /// Its segments in order.
    pub segments: Vec<SegmentSurvey>,
    /// Frames that wait to be delivered.
    pub waiting: Count,
    /// Frames that are delivered and still on disk.
    pub delivered: Count,
    /// Frames behind the read position that were stored and are not there.
    pub lost: Count,
    /// Of these, frames that a repair has marked.
    pub marked: Count,
    /// Where the read position stands; `None` when its file is damaged or missing.
    pub position: Option<Place>,
    /// The file of the position is there and cannot be read.
    pub position_damaged: bool,
    /// Bytes behind the last frame: a write that is under way, or that a crash interrupted.
    pub torn: u64,
    /// Segments of other buffers.
    pub foreign: Vec<String>,
    /// Damaged segments that are no part of the buffer any more and stay for whoever wants to look.
    pub aside: Vec<Aside>,
}

/// A file that was put aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aside {
    /// Its name.
    pub name: String,
    /// Its length in bytes.
    pub len: u64,
}

/// What is in a segment.
#[derive(Clone, Debug)]
pub struct SegmentSurvey {
    /// The name of its file.
    pub name: String,
    /// Its length in bytes.
    pub len: u64,
    /// Frames that are whole.
    pub holds: Count,
    /// Its header is damaged; its frames can be read nevertheless.
    pub header_damaged: bool,
    /// Bytes that are no frames.
    pub damages: Vec<Damage>,
}

impl Survey {
    /// Whether something is damaged or missing that no repair has marked.
    pub fn is_damaged(&self) -> bool {
        self.position_damaged
            || self.lost != self.marked
            || !self.foreign.is_empty()
            || self.segments.iter().any(|s| s.header_damaged || !s.damages.is_empty())
    }
}

/// Whether a folder holds anything of a buffer.
///
/// # Errors
/// It cannot be read.
pub fn looks_like_buffer(folder: &Path) -> io::Result<bool> {
    let names = crate::FileSystem::look(folder).list()?;
    Ok(names.iter().any(|name| name == POSITION_FILE || segment_number(name).is_some()))
}

/// Looks through all of it.
///
/// # Errors
/// As [`crate::Queue::open`].
pub fn survey<S: Storage>(storage: &S) -> Result<Survey, OpenError> {
    walk(storage, &mut |_| Ok(()))
}

/// A frame in its place.
#[derive(Clone, Debug)]
pub struct Visited {
    /// The frame.
    pub frame: Frame,
    /// Where it begins.
    pub start: Place,
    /// The place behind it.
    pub end: Place,
    /// Whether the read position is behind it.
    pub is_delivered: bool,
}

/// Gives every whole frame in order.
///
/// # Errors
/// As [`crate::Queue::open`], and what the function says.
pub fn visit<S: Storage>(
    storage: &S,
    mut each: impl FnMut(Visited) -> io::Result<()>,
) -> Result<Survey, OpenError> {
    walk(storage, &mut each)
}

/// How often the position is looked at before something counts as lost.
const LOOKS: usize = 3;

type Each<'a> = &'a mut dyn FnMut(Visited) -> io::Result<()>;

fn walk<S: Storage>(storage: &S, each: Each<'_>) -> Result<Survey, OpenError> {
    let layout = Layout::read(storage)?;
    let mut survey = Survey { foreign: layout.foreign, ..Survey::default() };
    for name in layout.aside {
        match storage.size(&name) {
            Ok(len) => survey.aside.push(Aside { name, len }),
            // It made room for a newer one.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(source) => return Err(OpenError::Io { what: format!("look at `{name}`"), source }),
        }
    }
    let (read, stored) = match layout.position {
        PositionFound::Good { position, .. } => {
            survey.position = Some(position.read);
            (position.read, position.stored)
        }
        found => {
            survey.position_damaged = found == PositionFound::Damaged;
            (layout.segments.first().map(|s| s.start).unwrap_or_default(), Place::default())
        }
    };
    let mut walked = Walk { survey, expected: read, read, stored, seen: 0, each };
    let last = layout.segments.last().map(|segment| segment.first);
    for segment in &layout.segments {
        walked.segment(storage, segment, last == Some(segment.first))?;
    }
    walked.catch_up(storage, stored)?;
    let Walk { mut survey, expected, .. } = walked;
    survey.lost += stored.since(expected);
    Ok(survey)
}

struct Walk<'a> {
    survey: Survey,
    /// The next frame that is waiting begins here, or frames are lost.
    expected: Place,
    read: Place,
    stored: Place,
    /// Frames before this number were seen: what damage has doubled counts once.
    seen: u64,
    each: Each<'a>,
}

impl Walk<'_> {
    /// Frames before this place seem to be lost: unless the agent has moved its read position over them
    /// meanwhile, and deleted their files then.
    fn catch_up<S: Storage>(&mut self, storage: &S, place: Place) -> Result<(), OpenError> {
        let read_position = || {
            position::read(storage)
                .map_err(|source| OpenError::Io { what: "read the file `position`".into(), source })
        };
        for _ in 0..LOOKS {
            if place.seq <= self.expected.seq {
                break;
            }
            // It may be half-written just now, and then it is an older one.
            if let PositionFound::Good { position, .. } = read_position()? {
                self.expected = self.expected.max(position.read);
            }
        }
        Ok(())
    }

    fn segment<S: Storage>(
        &mut self,
        storage: &S,
        segment: &Segment,
        is_last: bool,
    ) -> Result<(), OpenError> {
        let name = segment_name(segment.first);
        let unreadable = |source| OpenError::Io { what: format!("read `{name}`"), source };
        let mut frames = match segment.frames(storage) {
            // Delivered and deleted meanwhile.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            frames => frames.map_err(unreadable)?,
        };
        let mut seen = SegmentSurvey {
            name: name.clone(),
            len: segment.len,
            holds: Count::default(),
            header_damaged: segment.header_damaged,
            damages: Vec::new(),
        };
        loop {
            let from = frames.offset();
            let next = readable(frames.next(segment.len, |_| true)).map_err(unreadable)?;
            // The disk cannot read on.
            let unread = Some(Found::Damage(Damage { from, to: segment.len }));
            let is_end = next.is_none();
            let Some(found) = next.unwrap_or(unread) else { break };
            match found {
                Found::Damage(damage) => seen.damages.push(damage),
                Found::Frame { end, .. } if end.seq <= self.seen => {}
                Found::Frame { start, end, payload, is_gap } => {
                    self.seen = end.seq;
                    let count = end.since(start);
                    if end.seq > self.expected.seq {
                        self.catch_up(storage, start)?;
                        self.survey.lost += start.since(self.expected);
                    }
                    if is_gap {
                        if end.seq > self.expected.seq {
                            self.survey.lost += count;
                            self.survey.marked += count;
                        }
                    } else {
                        seen.holds += count;
                        let is_delivered = end.seq <= self.read.seq;
                        match is_delivered {
                            true => self.survey.delivered += count,
                            false => self.survey.waiting += count,
                        }
                        let Count { records, bytes, .. } = count;
                        let payload = payload.unwrap_or_default();
                        let frame = Frame { seq: start.seq, payload, records, bytes };
                        (self.each)(Visited { frame, start, end, is_delivered })
                            .map_err(unreadable)?;
                    }
                    self.expected = self.expected.max(end);
                }
            }
            if is_end {
                break;
            }
        }
        // What a crash leaves at the end was never stored; so was a segment that was just being made.
        if is_last && seen.holds.is_zero() && self.stored.seq <= segment.first {
            seen.header_damaged = false;
        }
        let is_torn = seen.damages.last().is_some_and(|damage| damage.to == segment.len);
        if is_last && is_torn && self.expected.seq >= self.stored.seq {
            let torn = seen.damages.pop();
            self.survey.torn = torn.map_or(0, |torn| torn.to - torn.from);
        }
        self.survey.segments.push(seen);
        Ok(())
    }
}
