//! Open files, the most recently used of them.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use std::sync::{Arc, PoisonError};

use swak_sdk::plugin::Counters;

use super::emptied::EmptiedByStep;
use super::path::led_to;
use super::rotate::Rotation;
use super::system::{
    FileError, cut_open, failed, is_still_at, length, make_folders, sync_folder, write_all,
};
use super::torn::{self, Mend, Writing};
use super::turns::{self, Hold, Turn};
use super::undo::Undo;
use super::whole::Whole;
use super::{drain, lock};
use crate::identity::{self, FileId, Stat};

/// Open files, the most recently used of them.
pub(super) struct OpenFiles {
    open: HashMap<PathBuf, OpenFile>,
    /// The files that were emptied when they were opened first; `None` when files are appended to.
    emptied: Option<EmptiedByStep>,
    whole: Whole,
    /// The turns at the file that was written to last.
    turn: Option<(PathBuf, Turn)>,
    habits: Habits,
    /// What stands once at the beginning of a file.
    header: Option<Vec<u8>>,
    /// Where what is written is sent on and removed: who counts what cannot be.
    drained: Option<Arc<Counters>>,
    /// When files were closed that had not been used for long.
    swept: Instant,
}

/// How files are opened and written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Habits {
    /// How many files are open at once.
    pub(super) max_open: usize,
    /// What is written.
    pub(super) writing: Writing,
    /// When a file is moved away.
    pub(super) rotation: Rotation,
    /// Whether written bytes are on the disk before a write counts.
    pub(super) sync: bool,
}

struct OpenFile {
    file: File,
    /// `None` where files cannot be told apart.
    id: Option<FileId>,
    /// It is no pipe and no device, of which nothing can be synced.
    is_regular: bool,
    /// Whether others are kept from writing to it, when that was tried last.
    hold: Hold,
    /// When it was last found that nobody else drains it.
    found_free: Instant,
    /// How long it is, before it is written to.
    len: u64,
    /// What ends a record that was written in part: whoever wrote it was killed or ran out of disk. What
    /// comes next must not become a part of it.
    end: &'static [u8],
    /// The span of the rotation in which it was begun.
    begun: u64,
    last_use: Instant,
}

impl OpenFiles {
    /// No file is open yet. With `emptied` each file is emptied once, otherwise it is appended to.
    pub(super) fn new(
        habits: Habits,
        header: Option<Vec<u8>>,
        emptied: Option<EmptiedByStep>,
    ) -> Self {
        OpenFiles {
            open: HashMap::new(),
            emptied,
            whole: Whole::default(),
            turn: None,
            habits,
            header,
            drained: None,
            swept: Instant::now(),
        }
    }

    /// What is written is sent on and removed from now on. A record that was written in part is put
    /// aside then: ended, it would look like a whole one.
    pub(super) fn are_drained(&mut self, counters: Arc<Counters>) {
        self.drained = Some(counters);
    }

    /// Writes to the end of a file; the header first if it is empty, the end of a torn line if there is
    /// one. On an error the file is as it was before.
    pub(super) fn write<'a>(
        &mut self,
        path: &Path,
        slices: &(impl Iterator<Item = &'a [u8]> + Clone),
    ) -> Result<Undo, FileError> {
        let turn = self.turn(path);
        let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
        let more = slices.clone().map(|slice| slice.len() as u64).sum();
        for _ in 0..MOST_MOVED {
            self.ready(path, more)?;
            if let Some(undo) = self.put(path, slices.clone())? {
                return Ok(undo);
            }
        }
        Err(always_moved(path))
    }

    /// The turns at a file: most often it is the same one as before.
    fn turn(&mut self, path: &Path) -> Turn {
        match &self.turn {
            Some((known, turn)) if known == path => Arc::clone(turn),
            _ => {
                let turn = turns::of(path);
                self.turn = Some((path.to_owned(), Arc::clone(&turn)));
                turn
            }
        }
    }

    /// Writes to a file that is ready, and lets it go. `None` when it was deleted meanwhile: what was
    /// written to it is nowhere.
    fn put<'a>(
        &mut self,
        path: &Path,
        mut slices: impl Iterator<Item = &'a [u8]>,
    ) -> Result<Option<Undo>, FileError> {
        let open = self.open.get_mut(path).expect("it was made ready");
        let mut undo = Undo { path: path.to_owned(), before: open.len, written: 0 };
        let header = self.header.as_deref().filter(|_| open.len == 0);
        let mut write = |slice: &[u8]| write_all(&mut open.file, slice, &mut undo.written);
        let written = write(header.unwrap_or_default())
            .and_then(|()| write(open.end))
            .and_then(|()| slices.try_for_each(write));
        let sync = self.habits.sync && open.is_regular;
        let result = written.and_then(|()| if sync { open.file.sync_data() } else { Ok(()) });
        if let Err(error) = result {
            self.undo(&undo);
            return Err(FileError::new("write to", path, error));
        }
        if open.is_regular {
            self.whole.is(path, open.id, undo.before + undo.written);
        }
        turns::let_go(&open.file);
        if open.is_regular && identity::is_deleted(&open.file) && !is_still_at(&open.file, path) {
            self.open.remove(path);
            self.whole.forget(path);
            return Ok(None);
        }
        Ok(Some(undo))
    }

    /// Takes back what was written, unless somebody else has written to the file since. What cannot
    /// be taken back is there twice after the next try.
    pub(super) fn take_back(&mut self, undo: &Undo) {
        let turn = turns::of(&undo.path);
        let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
        self.whole.forget(&undo.path);
        self.undo(undo);
    }

    /// As [`OpenFiles::take_back`], for whoever has the turn.
    fn undo(&mut self, undo: &Undo) {
        // It is let go by this.
        undo.cut(self.open.remove(&undo.path).map(|open| open.file));
    }

    /// Forgets all files.
    pub(super) fn close(&mut self) {
        self.open.clear();
    }

    /// Closes what was not written to for long: a file that somebody has moved away or deleted keeps its
    /// room on the disk as long as it is open.
    fn close_idle(&mut self, now: Instant) {
        if now.saturating_duration_since(self.swept) >= IDLE / 4 {
            self.open.retain(|_, open| now.saturating_duration_since(open.last_use) < IDLE);
            self.swept = now;
        }
    }

    /// Sees to it that the file of a path is open, held and whole, and rotated if that is due.
    fn ready(&mut self, path: &Path, more: u64) -> Result<(), FileError> {
        let now = Instant::now();
        self.close_idle(now);
        let mut open = self.hold(path)?;
        if self.habits.rotation.is_due(open.len, open.begun, more) {
            // Windows renames no open file.
            drop(open);
            self.habits.rotation.rotate(path).map_err(failed("rotate", path))?;
            open = self.hold(path)?;
        }
        open.last_use = now;
        if self.open.len() >= self.habits.max_open {
            let oldest = self.open.iter().min_by_key(|(_, open)| open.last_use);
            if let Some(oldest) = oldest.map(|(path, _)| path.clone()) {
                self.open.remove(&oldest);
            }
        }
        self.open.insert(path.to_owned(), open);
        Ok(())
    }

    /// The file of a path, held against others from before it is looked at until it is written to: one
    /// that is in the middle of a write has torn nothing, and others may have added to a file that was
    /// kept open.
    fn hold(&mut self, path: &Path) -> Result<OpenFile, FileError> {
        for _ in 0..MOST_MOVED {
            let kept = self.open.remove(path);
            let is_kept = kept.is_some();
            let mut open = match kept {
                Some(open) => open,
                None => {
                    self.check_free(&led_to(path), path)?;
                    self.open(path)?
                }
            };
            open.hold();
            // Also while it was waited for: what is set aside to be sent on is written to no more.
            let named = Stat::of_name(path).ok();
            let is_named = |id: FileId| named.is_some_and(|(named, _)| named.id == id);
            if open.id.is_some_and(|id| !is_named(id)) {
                self.whole.forget(path);
                continue;
            }
            open.len = match named.filter(|_| is_kept && open.id.is_some()) {
                Some((named, is_link)) => {
                    let now = Instant::now();
                    if now.saturating_duration_since(open.found_free) >= FREE {
                        let target = is_link.then(|| led_to(path));
                        self.check_free(target.as_deref().unwrap_or(path), path)?;
                        open.found_free = now;
                    }
                    named.len
                }
                None => {
                    if is_kept {
                        self.check_free(&led_to(path), path)?;
                    } else {
                        self.begin(&mut open, path)?;
                    }
                    length(&open.file, path)?
                }
            };
            open.end = b"";
            // Where nothing can be locked, one that writes looks like one that was killed.
            if open.is_regular && !(is_kept && open.hold == Hold::Unsupported) {
                self.mend(&mut open, path)?;
            }
            return Ok(open);
        }
        Err(always_moved(path))
    }

    /// That nobody else drains the file that a path leads to.
    fn check_free(&self, target: &Path, path: &Path) -> Result<(), FileError> {
        match self.drained {
            None => lock::check_free(target).map_err(failed("write to", path)),
            Some(_) => Ok(()),
        }
    }

    fn open(&self, path: &Path) -> Result<OpenFile, FileError> {
        let mut options = OpenOptions::new();
        options.append(true).create(true);
        let file = match options.open(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                if let Some(folder) = path.parent() {
                    make_folders(folder, self.habits.sync)
                        .map_err(failed("make the folder", folder))?;
                }
                options.open(path)
            }
            result => result,
        };
        let file = file.map_err(failed("open", path))?;
        let metadata = file.metadata().map_err(failed("look at", path))?;
        let begun = match metadata.modified() {
            Ok(modified) if metadata.len() > 0 => modified,
            _ => SystemTime::now(),
        };
        Ok(OpenFile {
            id: FileId::of_file(&file).ok(),
            file,
            is_regular: metadata.is_file(),
            hold: Hold::Unsupported,
            found_free: Instant::now(),
            len: metadata.len(),
            end: b"",
            begun: self.habits.rotation.span_of(begun),
            last_use: Instant::now(),
        })
    }

    /// What is due once a file was opened and is held: it is emptied, and its name put on the disk.
    fn begin(&mut self, open: &mut OpenFile, path: &Path) -> Result<(), FileError> {
        if !open.is_regular {
            return Ok(());
        }
        if let Some(emptied) = &self.emptied {
            let mut emptied = emptied.lock().unwrap_or_else(PoisonError::into_inner);
            if emptied.is_due(path) {
                open.may_be_cut("empty", path)?;
                cut_open(&open.file, path, 0).map_err(failed("empty", path))?;
                emptied.done(path);
                open.begun = self.habits.rotation.span_of(SystemTime::now());
            }
        }
        // Who made it may not have synced its name.
        let len = length(&open.file, path)?;
        if self.habits.sync && self.whole.up_to(path, open.id, len) == 0 {
            sync_folder(path).map_err(failed("sync the folder of", path))?;
        }
        Ok(())
    }

    /// Sees to it that what comes next is no part of what was written in part.
    fn mend(&mut self, open: &mut OpenFile, path: &Path) -> Result<(), FileError> {
        let whole = self.whole.up_to(path, open.id, open.len);
        if whole == open.len {
            return Ok(());
        }
        let found = torn::look(path, self.habits.writing, self.header.as_deref(), whole);
        if found != Mend::NOTHING {
            open.may_be_cut("mend the torn end of", path)?;
        }
        match (found, &self.drained) {
            // Also when nothing was found: it tells of a file that cannot be read.
            (_, Some(counters)) if open.hold != Hold::Refused => {
                drain::put_torn_aside(path, counters)?;
            }
            (Mend::End(end), _) => open.end = end,
            (Mend::Cut(len), _) => {
                cut_open(&open.file, path, len).map_err(failed("cut", path))?;
                let path = path.display();
                tracing::warn!("what was written in part at the end of {path} is cut off");
            }
        }
        open.len = length(&open.file, path)?;
        if open.end.is_empty() {
            self.whole.is(path, open.id, open.len);
        }
        Ok(())
    }
}

/// How long a file stays open that nothing is written to.
const IDLE: Duration = Duration::from_secs(60);

/// How long a file that nobody drained is taken for such. What is written meanwhile is sent on by whoever
/// begins to drain it, as is what was written before; what was set aside is known by its name.
const FREE: Duration = Duration::from_millis(10);

/// How often a file is made anew for one write, that somebody moves or deletes in the middle of it.
const MOST_MOVED: usize = 10;

fn always_moved(path: &Path) -> FileError {
    let why = io::Error::other("somebody moves or deletes it all the time");
    FileError::new("write to", path, why)
}

impl OpenFile {
    /// Holds it against other agents until it is written to. Who did not let it go the last time is not
    /// waited for again.
    fn hold(&mut self) {
        if self.is_regular {
            let patience =
                if self.hold == Hold::Refused { Duration::ZERO } else { turns::PATIENCE };
            self.hold = turns::hold(&self.file, patience);
        }
    }

    /// That nobody else is in the middle of a write, so that what looks torn is.
    fn may_be_cut(&self, what: &'static str, path: &Path) -> Result<(), FileError> {
        match self.hold {
            Hold::Had | Hold::Unsupported => Ok(()),
            Hold::Refused => Err(FileError::locked(what, path)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn files() -> OpenFiles {
        let habits = Habits {
            max_open: 2,
            writing: Writing::Lines,
            rotation: Rotation { size: None, every: None, keep: 1 },
            sync: false,
        };
        OpenFiles::new(habits, None, None)
    }

    fn line() -> impl Iterator<Item = &'static [u8]> + Clone {
        std::iter::once(&b"one\n"[..])
    }

    #[test]
    fn what_is_not_used_for_long_is_closed() {
        let folder = tempfile::tempdir().unwrap();
        let mut files = files();
        files.write(&folder.path().join("a"), &line()).unwrap();
        let soon = Instant::now() + IDLE / 2;
        files.close_idle(soon);
        assert_eq!(files.open.len(), 1);
        files.write(&folder.path().join("b"), &line()).unwrap();
        files.open.get_mut(&folder.path().join("b")).unwrap().last_use = soon;
        files.close_idle(soon + IDLE / 2);
        assert_eq!(files.open.keys().collect::<Vec<_>>(), [&folder.path().join("b")]);
    }

    #[test]
    fn what_was_written_to_a_file_without_a_name_is_written_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.log");
        let mut files = files();
        files.ready(&path, 4).unwrap();
        // Somebody deletes it between the look at it and the write.
        fs::remove_file(&path).unwrap();
        assert!(files.put(&path, line()).unwrap().is_none());
        files.write(&path, &line()).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "one\n");
        // What is moved away has it.
        files.ready(&path, 4).unwrap();
        fs::rename(&path, folder.path().join("out.log.1")).unwrap();
        assert!(files.put(&path, line()).unwrap().is_some());
        assert_eq!(fs::read_to_string(folder.path().join("out.log.1")).unwrap(), "one\none\n");
    }
}
