//! What lies in a buffer's folder, looked at without changing anything.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::io;

use crate::error::OpenError;
use crate::format::{
    HeaderFound, SEGMENT_HEADER, Seed, SegmentHeader, segment_name, segment_number,
};
use crate::frames::{Found, Frames, read_full};
use crate::place::Place;
use crate::position::{self, POSITION_FILE, PositionFound};
use crate::storage::{Storage, StoredFile};

/// What a segment is called while it is written anew; see `repair`.
pub(crate) const ASIDE_SUFFIX: &str = ".new";

/// A file of frames.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Segment {
    /// The number in its name: that of its first frame.
    pub(crate) first: u64,
    /// Where its first frame begins; if its header is damaged, where the first one begins that is
    /// whole.
    pub(crate) start: Place,
    /// Of its buffer; its frames' checksums depend on it.
    pub(crate) id: u64,
    /// Its length in bytes, as far as it is written.
    pub(crate) len: u64,
    pub(crate) header_damaged: bool,
}

impl Segment {
    pub(crate) fn seed(&self) -> Seed {
        Seed::new(self.id, self.first)
    }

    /// Its frames, from the first.
    pub(crate) fn frames<S: Storage>(&self, storage: &S) -> io::Result<Frames<S::File>> {
        let file = storage.open(&segment_name(self.first), false)?;
        Ok(Frames::new(file, self.seed(), SEGMENT_HEADER as u64))
    }
}

/// What lies in a folder.
#[derive(Debug)]
pub(crate) struct Layout {
    pub(crate) position: PositionFound,
    /// The buffer's; a new one when nothing tells it.
    pub(crate) id: u64,
    /// In order.
    pub(crate) segments: Vec<Segment>,
    /// Segments of other buffers.
    pub(crate) foreign: Vec<String>,
    /// Files that were being written when a repair was cut off.
    pub(crate) leftovers: Vec<String>,
}

impl Layout {
    pub(crate) fn read<S: Storage>(storage: &S) -> Result<Self, OpenError> {
        let io = |what: &str, source| OpenError::Io { what: what.to_owned(), source };
        let names = storage.list().map_err(|error| io("read the folder", error))?;
        let position =
            position::read(storage).map_err(|error| io("read the file `position`", error))?;
        if let PositionFound::Newer(version) = position {
            return Err(OpenError::Newer { file: POSITION_FILE.to_owned(), version });
        }
        let mut numbers: Vec<u64> = names.iter().filter_map(|name| segment_number(name)).collect();
        numbers.sort_unstable();
        let is_leftover =
            |name: &&String| name.strip_suffix(ASIDE_SUFFIX).and_then(segment_number).is_some();
        let leftovers = names.iter().filter(is_leftover).cloned().collect();

        let mut headers = Vec::new();
        for first in numbers {
            let name = segment_name(first);
            match read_header(storage, &name) {
                Ok((HeaderFound::Newer(version), _)) => {
                    return Err(OpenError::Newer { file: name, version });
                }
                Ok((header, len)) => headers.push((first, header, len)),
                // It was deleted since the folder was listed.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(io(&format!("read the segment `{name}`"), error)),
            }
        }
        let known = |(first, header, _): &(u64, HeaderFound, u64)| match header {
            HeaderFound::Good(header) if header.start.seq == *first => Some(header.id),
            _ => None,
        };
        let id = match position {
            PositionFound::Good { position, .. } => Some(position.id),
            _ => headers.iter().rev().find_map(known),
        };
        let id = id.unwrap_or_else(|| RandomState::new().hash_one(std::process::id()));

        let (mut segments, mut foreign) = (Vec::new(), Vec::new());
        for (first, header, len) in headers {
            let name = segment_name(first);
            let segment = match header {
                HeaderFound::Good(SegmentHeader { id: other, start })
                    if other != id || start.seq != first =>
                {
                    foreign.push(name);
                    continue;
                }
                HeaderFound::Good(SegmentHeader { start, .. }) => {
                    Segment { first, start, id, len, header_damaged: false }
                }
                _ => {
                    let start = Place { seq: first, ..Place::default() };
                    let mut segment = Segment { first, start, id, len, header_damaged: true };
                    let found = first_start(storage, &segment)
                        .map_err(|error| io(&format!("read the segment `{name}`"), error))?;
                    segment.start = found.unwrap_or(start);
                    segment
                }
            };
            segments.push(segment);
        }
        Ok(Layout { position, id, segments, foreign, leftovers })
    }
}

/// The end of what is readable in a segment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct End {
    /// Behind the last whole frame.
    pub(crate) place: Place,
    pub(crate) offset: u64,
}

/// Looks for the last whole frame; `None` when there is none.
pub(crate) fn end_of<S: Storage>(storage: &S, segment: &Segment) -> io::Result<Option<End>> {
    let mut frames = segment.frames(storage)?;
    let mut last: Option<End> = None;
    while let Some(found) = frames.next(segment.len, |_| true)? {
        if let Found::Frame { end, .. } = found
            && last.is_none_or(|last| end.seq > last.place.seq)
        {
            last = Some(End { place: end, offset: frames.offset() });
        }
    }
    Ok(last)
}

fn read_header<S: Storage>(storage: &S, name: &str) -> io::Result<(HeaderFound, u64)> {
    let file = storage.open(name, false)?;
    let mut bytes = [0; SEGMENT_HEADER];
    let read = read_full(&file, &mut bytes, 0)?;
    Ok((SegmentHeader::decode(&bytes[..read]), file.size()?))
}

fn first_start<S: Storage>(storage: &S, segment: &Segment) -> io::Result<Option<Place>> {
    let mut frames = segment.frames(storage)?;
    while let Some(found) = frames.next(segment.len, |_| true)? {
        if let Found::Frame { start, .. } = found {
            return Ok(Some(start));
        }
    }
    Ok(None)
}
