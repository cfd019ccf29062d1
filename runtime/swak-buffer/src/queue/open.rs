//! Opening: finds the end, cuts off what a crash left half-written, and goes on.

use std::io;

use super::cursor::Cursor;
use super::recent::Recent;
use super::{Opened, Queue, Settings};
use crate::error::OpenError;
use crate::format::{SEGMENT_HEADER, segment_name};
use crate::layout::{End, Layout, Segment, end_of};
use crate::place::Place;
use crate::position::{PositionFile, PositionFound};
use crate::storage::{Storage, StoredFile};

impl<S: Storage> Queue<S> {
    /// Opens the buffer in a folder, or begins one. Damage is no error: [`Queue::opened`] and
    /// [`Queue::next`] tell of it.
    ///
    /// # Errors
    /// The files cannot be read or written, or a newer version has written them.
    pub fn open(storage: S, settings: Settings) -> Result<Self, OpenError> {
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
            PositionFound::Good { position, .. } => (Some(position.read), position.stored),
            _ => (None, Place::default()),
        };
        // Without segments it is a buffer that was never opened to the end.
        opened.position_lost = read.is_none() && !layout.segments.is_empty();
        let promised = read.map(|_| stored.seq);
        let (segments, end) = find_end(&storage, layout.segments, promised, &mut opened)?;
        let read = read.or(segments.first().map(|segment| segment.start)).unwrap_or_default();
        let mut next = stored.max(read);
        if let Some(end) = &end {
            next = next.max(end.place);
        }

        let mut segments = segments;
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
        let failed = |error| refused("write", "position", error);
        let position = PositionFile::open(&storage, layout.position).map_err(failed)?;
        let mut queue = Queue {
            storage,
            settings,
            id: layout.id,
            segments: segments.into(),
            tail,
            next,
            synced: next,
            folder_dirty: false,
            broken: false,
            recent: Recent::new(settings.keep_in_memory),
            cursor: Cursor::at(read),
            given: std::collections::VecDeque::new(),
            read,
            position,
            opened,
        };
        // The position promises what was found: the folder must be able to keep that first.
        queue.storage.sync_folder().map_err(|error| refused("sync", "the folder", error))?;
        let position = queue.current_position();
        queue.position.sync(position).map_err(failed)?;
        queue.delete_done().map_err(|error| refused("delete", "segments that are done", error))?;
        queue.opened.holds = queue.holds();
        Ok(queue)
    }
}

/// The end of the last segment that has one. Segments behind it are what a crash left of new ones; if
/// something was stored in them that is not readable any more, they are put aside.
fn find_end<S: Storage>(
    storage: &S,
    mut segments: Vec<Segment>,
    promised: Option<u64>,
    opened: &mut Opened,
) -> Result<(Vec<Segment>, Option<End>), OpenError> {
    while let Some(last) = segments.last() {
        let name = segment_name(last.first);
        if let Some(end) = end_of(storage, last).map_err(|error| refused("read", &name, error))? {
            return Ok((segments, Some(end)));
        }
        let nothing_stored = promised.is_some_and(|promised| promised <= last.first);
        if nothing_stored || last.len <= SEGMENT_HEADER as u64 {
            storage.remove(&name).map_err(|error| refused("remove", &name, error))?;
        } else {
            opened.put_aside.push(put_aside(storage, &name)?);
        }
        segments.pop();
    }
    Ok((segments, None))
}

/// Gives a file a name under which it is no part of the buffer.
pub(crate) fn put_aside<S: Storage>(storage: &S, name: &str) -> Result<String, OpenError> {
    let aside = free_name(storage, name).map_err(|error| refused("put aside", name, error))?;
    storage.rename(name, &aside).map_err(|error| refused("put aside", name, error))?;
    Ok(aside)
}

/// `NAME.damaged`, or with a number behind it where that is taken.
pub(crate) fn free_name<S: Storage>(storage: &S, name: &str) -> io::Result<String> {
    let mut n = 1;
    loop {
        let candidate = match n {
            1 => format!("{name}.damaged"),
            n => format!("{name}.damaged{n}"),
        };
        match storage.size(&candidate) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(candidate),
            Err(error) => return Err(error),
            Ok(_) => n += 1,
        }
    }
}

fn refused(what: &str, name: &str, source: io::Error) -> OpenError {
    OpenError::Io { what: format!("{what} `{name}`"), source }
}
