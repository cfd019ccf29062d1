//! Opening: finds the end, cuts off what a crash left half-written, and goes on.

use std::collections::{BTreeMap, VecDeque};

use super::cursor::Cursor;
use super::recent::Recent;
use super::resettle::{drop_covered, resettle};
use super::segments::Segments;
use super::{Opened, Queue, Settings};
use crate::aside;
use crate::error::{OpenError, is_full};
use crate::format::{FRAME_HEADER, SEGMENT_HEADER, segment_name};
use crate::gone::Gone;
use crate::layout::{End, Layout, Segment, end_of};
use crate::place::Place;
use crate::position::{PositionFile, PositionFound};
use crate::storage::{Storage, StoredFile};

impl<S: Storage> Queue<S> {
    /// As [`Queue::open_keeping`], and bytes are what is kept in memory.
    ///
    /// # Errors
    /// The files cannot be read or written, or a newer version has written them.
    pub fn open(storage: S, settings: Settings) -> Result<Self, OpenError> {
        Queue::open_keeping(storage, settings)
    }
}

impl<S: Storage, K> Queue<S, K> {
    /// Opens the buffer in a folder, or begins one. Damage is no error: [`Queue::opened`] and
    /// [`Queue::next`] tell of it.
    ///
    /// What is found behind the place that counted as stored is written anew. An earlier sync may have
    /// failed, after which some systems show what the disk never got, and say that a later sync of it
    /// went well. On a full disk it is synced where it is: [`Opened::trusts_disk`].
    ///
    /// # Errors
    /// The files cannot be read or written, or a newer version has written them.
    pub fn open_keeping(storage: S, settings: Settings) -> Result<Self, OpenError> {
        let layout = Layout::read(&storage)?;
        let is_new = layout.position == PositionFound::Missing
            && layout.segments.is_empty()
            && layout.foreign.is_empty();
        let mut opened = Opened { is_new, ..Opened::default() };
        for name in &layout.leftovers {
            storage.remove(name).map_err(|error| refused("remove", name, error))?;
        }
        for name in &layout.foreign {
            opened.put_aside.push(put_aside(&storage, name)?);
        }
        let (read, stored) = match layout.position {
            PositionFound::Good { position, .. } => {
                opened.gone = position.gone;
                (Some(position.read), position.stored)
            }
            _ => {
                opened.gone = Gone::begin();
                (None, Place::default())
            }
        };
        // Without segments it is a buffer that was never opened to the end.
        opened.position_lost = read.is_none() && !layout.segments.is_empty();
        // Frames before this number are to be delivered, or lost; none when all of them are delivered.
        let promised = read.map(|read| if stored.seq > read.seq { stored.seq } else { 0 });
        let mut segments = layout.segments;
        if let Some(read) = read {
            drop_covered(&storage, &mut segments, stored.max(read))?;
        }
        let Found { mut segments, end, beyond } =
            find_end(&storage, segments, promised, &mut opened)?;
        if !opened.put_aside.is_empty() {
            aside::prune(&storage, settings.max_size / 4)
                .map_err(|error| refused("remove", "what was put aside", error))?;
        }
        let read = read.or(segments.first().map(|segment| segment.start)).unwrap_or_default();
        let mut next = stored.max(read);
        if let Some(end) = &end {
            next = next.max(end.place);
        }
        // Nothing says how many frames were in what is put aside; their numbers are not used again.
        let is_empty = end.is_none() && opened.position_lost;
        next.seq = if promised.is_none() { next.seq.max(beyond) } else { next.seq };
        let read = if is_empty { next } else { read };

        let mut tail = None;
        if let (Some(last), Some(end)) = (segments.last_mut(), &end) {
            let name = segment_name(last.first);
            let io = |error| refused("open", &name, error);
            let mut file = storage.open(&name, true).map_err(io)?;
            // Behind a frame that was stored and is gone, a new segment begins: what is left of it
            // stays for whoever wants to look.
            let goes_on = end.place.seq == next.seq && !last.header_damaged;
            if goes_on && last.len > end.offset {
                opened.torn = last.len - end.offset;
                file.truncate(end.offset).map_err(|error| refused("cut", &name, error))?;
                last.len = end.offset;
            }
            // What is found after the end of a process counts as stored from now on.
            file.sync().map_err(|error| refused("sync", &name, error))?;
            tail = goes_on.then_some(file);
        }
        let base = stored.max(read);
        if promised.is_some() && end.is_some_and(|end| end.place.seq > base.seq) {
            // Files that are replaced are open nowhere.
            tail = None;
            opened.trusts_disk = !resettle(&storage, layout.id, &mut segments, base)?;
            let last = segments.last().filter(|last| !last.header_damaged);
            if let Some(name) = last.map(|last| segment_name(last.first)) {
                let file = storage.open(&name, true).map_err(|error| refused("open", &name, error));
                tail = Some(file?);
            }
        }
        let failed =
            |error| refused("write the read position and delete what is done,", "position", error);
        let position = PositionFile::open(&storage, layout.position).map_err(failed)?;
        let mut queue = Queue {
            storage,
            settings,
            id: layout.id,
            segments: Segments::new(segments),
            tail,
            has_remnant: false,
            next,
            synced: next,
            folder_dirty: false,
            broken: false,
            recent: Recent::new(settings.keep_in_memory),
            appended: None,
            cursor: Cursor::at(read),
            given: VecDeque::new(),
            discarded: BTreeMap::new(),
            read,
            gone: opened.gone,
            position,
            opened,
        };
        // The position promises what was found: the folder must be able to keep that first.
        queue.storage.sync_folder().map_err(|error| refused("sync", "the folder", error))?;
        // A disk that is full may keep it from being written, where nothing is written over in place; that
        // is no reason not to start: whoever uses it tries again, and deletes what is done then.
        match queue.sync_position() {
            Err(error) if !is_full(&error) => return Err(failed(error)),
            _ => {}
        }
        queue.opened.holds = queue.holds();
        Ok(queue)
    }
}

/// The segments of a buffer, and where they end.
struct Found {
    segments: Vec<Segment>,
    end: Option<End>,
    /// No frame of what was put aside has this number or a greater one.
    beyond: u64,
}

/// The end of the last segment that has one. Segments behind it are what a crash left of new ones; if
/// something was stored in them that is not readable any more, they are put aside.
fn find_end<S: Storage>(
    storage: &S,
    mut segments: Vec<Segment>,
    promised: Option<u64>,
    opened: &mut Opened,
) -> Result<Found, OpenError> {
    let mut without_frames = Vec::new();
    let mut end = None;
    while let Some(last) = segments.last() {
        end = end_of(storage, last)
            .map_err(|error| refused("read", &segment_name(last.first), error))?;
        if end.is_some() {
            break;
        }
        without_frames.extend(segments.pop());
    }
    let is_all_there =
        promised.is_some_and(|promised| end.map_or(0, |end| end.place.seq) >= promised);
    let mut beyond = 0;
    for segment in without_frames {
        let name = segment_name(segment.first);
        let nothing_stored = promised.is_some_and(|promised| promised <= segment.first);
        if is_all_there || nothing_stored || segment.len <= SEGMENT_HEADER as u64 {
            storage.remove(&name).map_err(|error| refused("remove", &name, error))?;
        } else {
            let most = (segment.len - SEGMENT_HEADER as u64) / FRAME_HEADER as u64;
            beyond = beyond.max(segment.first + most);
            opened.put_aside.push(put_aside(storage, &name)?);
        }
    }
    Ok(Found { segments, end, beyond })
}

fn put_aside<S: Storage>(storage: &S, name: &str) -> Result<String, OpenError> {
    aside::put_aside(storage, name).map_err(|error| refused("put aside", name, error))
}

pub(super) fn refused(what: &str, name: &str, source: std::io::Error) -> OpenError {
    OpenError::Io { what: format!("{what} `{name}`"), source }
}
