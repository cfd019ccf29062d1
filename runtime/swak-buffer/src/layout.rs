//! What lies in a buffer's folder, looked at without changing anything.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::io;

use crate::aside::aside_number;
use crate::error::{OpenError, is_damage};
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
    /// Something that was stored in it cannot be read.
    pub(crate) has_losses: bool,
}

impl Segment {
    /// A sound one that begins there.
    pub(crate) fn new(id: u64, start: Place, len: u64) -> Self {
        let first = start.seq;
        Segment { first, start, id, len, header_damaged: false, has_losses: false }
    }

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
    /// Segments that were put aside.
    pub(crate) aside: Vec<String>,
}

impl Layout {
    pub(crate) fn read<S: Storage>(storage: &S) -> Result<Self, OpenError> {
        let io = |what: &str, source| OpenError::Io { what: what.to_owned(), source };
        // First this: what it says to be stored is in a segment that is there already.
        let position =
            position::read(storage).map_err(|error| io("read the file `position`", error))?;
        let names = storage.list().map_err(|error| io("read the folder", error))?;
        if let PositionFound::Newer(version) = position {
            return Err(OpenError::Newer { file: POSITION_FILE.to_owned(), version });
        }
        let mut numbers: Vec<u64> = names.iter().filter_map(|name| segment_number(name)).collect();
        numbers.sort_unstable();
        let is_leftover =
            |name: &&String| name.strip_suffix(ASIDE_SUFFIX).and_then(segment_number).is_some();
        let leftovers = names.iter().filter(is_leftover).cloned().collect();
        let is_aside = |name: &&String| aside_number(name).is_some();
        let mut aside: Vec<String> = names.iter().filter(is_aside).cloned().collect();
        aside.sort_unstable();

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

        let (mut segments, mut foreign) = (Vec::<Segment>::new(), Vec::new());
        // Those of which nothing says where they begin.
        let mut without_start = Vec::new();
        for (first, header, len) in headers {
            let name = segment_name(first);
            let segment = match header {
                HeaderFound::Good(SegmentHeader { id: other, start })
                    if other != id || start.seq != first =>
                {
                    foreign.push(name);
                    continue;
                }
                HeaderFound::Good(SegmentHeader { start, .. }) => Segment::new(id, start, len),
                _ => {
                    let start = Place { seq: first, ..Place::default() };
                    let mut segment =
                        Segment { header_damaged: true, ..Segment::new(id, start, len) };
                    let found = first_start(storage, &segment)
                        .map_err(|error| io(&format!("read the segment `{name}`"), error))?;
                    match found {
                        Some(found) => segment.start = found,
                        None => without_start.push(segments.len()),
                    }
                    segment
                }
            };
            segments.push(segment);
        }
        for i in without_start {
            let start = start_between(storage, &segments, i, &position)
                .map_err(|error| io("read the segments", error))?;
            segments[i].start = start;
        }
        Ok(Layout { position, id, segments, foreign, leftovers, aside })
    }
}

/// The end of what is readable in a segment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct End {
    /// Behind the last whole frame.
    pub(crate) place: Place,
    pub(crate) offset: u64,
}

/// Looks for the last whole frame; `None` when there is none. What the disk cannot read, and what is behind
/// it, is as if it were not there: nothing keeps a buffer from being opened for ever.
pub(crate) fn end_of<S: Storage>(storage: &S, segment: &Segment) -> io::Result<Option<End>> {
    let mut frames = segment.frames(storage)?;
    let mut last: Option<End> = None;
    while let Some(found) = readable(frames.next(segment.len, |_| true))?.flatten() {
        if let Found::Frame { end, .. } = found
            && last.is_none_or(|last| end.seq > last.place.seq)
        {
            last = Some(End { place: end, offset: frames.offset() });
        }
    }
    Ok(last)
}

/// `None` for what the disk cannot read.
pub(crate) fn readable<T>(read: io::Result<T>) -> io::Result<Option<T>> {
    match read {
        Err(error) if is_damage(&error) => Ok(None),
        read => read.map(Some),
    }
}

fn read_header<S: Storage>(storage: &S, name: &str) -> io::Result<(HeaderFound, u64)> {
    let file = storage.open(name, false)?;
    let mut bytes = [0; SEGMENT_HEADER];
    let read = readable(read_full(&file, &mut bytes, 0))?.unwrap_or(0);
    Ok((SegmentHeader::decode(&bytes[..read]), file.size()?))
}

fn first_start<S: Storage>(storage: &S, segment: &Segment) -> io::Result<Option<Place>> {
    let mut frames = segment.frames(storage)?;
    while let Some(found) = readable(frames.next(segment.len, |_| true))?.flatten() {
        if let Found::Frame { start, .. } = found {
            return Ok(Some(start));
        }
    }
    Ok(None)
}

/// Where a segment begins that does not say so by a single readable byte: its name says the number of its
/// first frame, and how much came before that is known by what lies next to it.
fn start_between<S: Storage>(
    storage: &S,
    segments: &[Segment],
    i: usize,
    position: &PositionFound,
) -> io::Result<Place> {
    let seq = segments[i].first;
    let at = |place: Place| Place { seq, ..place };
    let mut known = match i.checked_sub(1).map(|before| &segments[before]) {
        Some(before) => Some(end_of(storage, before)?.map_or(before.start, |end| end.place)),
        None => None,
    };
    if let PositionFound::Good { position, .. } = position {
        for place in [position.read, position.stored] {
            if place.seq <= seq && known.is_none_or(|known| known.seq < place.seq) {
                known = Some(place);
            }
        }
    }
    // Nothing is known to be lost then of what came before the first that can be read.
    let after = segments[i + 1..].iter().find(|after| !after.header_damaged);
    Ok(known.or(after.map(|after| after.start)).map_or(Place { seq, ..Place::default() }, at))
}
