//! Open files, the most recently used of them.

use std::collections::{HashMap, HashSet};
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use std::sync::{Arc, PoisonError};

use swak_sdk::plugin::Counters;

use super::emptied::Emptied;
use super::path::led_to;
use super::rotate::Rotation;
use super::system::{
    FileError, cut, failed, is_still_at, length, make_folders, sync_folder, write_all,
};
use super::torn::{self, Mend, Writing};
use super::{drain, lock, turns};
use crate::identity;

/// Open files, the most recently used of them.
pub(super) struct OpenFiles {
    open: HashMap<PathBuf, OpenFile>,
    /// The files that were emptied when they were opened first; `None` when files are appended to.
    emptied: Option<Emptied>,
    /// The files that were opened before, and hold nothing but whole records since.
    whole: HashSet<PathBuf>,
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
    /// Whether a file keeps what is in it when it is opened first.
    pub(super) append: bool,
    /// What is written.
    pub(super) writing: Writing,
    /// When a file is moved away.
    pub(super) rotation: Rotation,
    /// Whether written bytes are on the disk before a write counts.
    pub(super) sync: bool,
}

struct OpenFile {
    file: File,
    /// It is no pipe and no device, of which nothing can be synced.
    is_regular: bool,
    /// Whether another agent that writes to it is waited for: not when the last one did not let it go.
    is_patient: bool,
    /// What ends a record that was written in part: whoever wrote it was killed or ran out of disk. What
    /// comes next must not become a part of it.
    end: &'static [u8],
    /// The span of the rotation in which it was begun.
    begun: u64,
    last_use: Instant,
}

/// How to take back what was written to a file.
pub(super) struct Undo {
    path: PathBuf,
    before: u64,
    written: u64,
}

impl OpenFiles {
    /// No file is open yet.
    pub(super) fn new(habits: Habits, header: Option<Vec<u8>>) -> Self {
        OpenFiles {
            open: HashMap::new(),
            emptied: (!habits.append).then(Emptied::default),
            whole: HashSet::new(),
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
        let turn = turns::of(path);
        let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
        let more = slices.clone().map(|slice| slice.len() as u64).sum();
        for _ in 0..MOST_DELETED {
            self.ready(path, more)?;
            if let Some(undo) = self.put(path, slices.clone())? {
                return Ok(undo);
            }
        }
        Err(FileError::new("write to", path, io::Error::other("somebody deletes it all the time")))
    }

    /// Writes to a file that is ready. `None` when it was deleted meanwhile: what was written to it is
    /// nowhere.
    fn put<'a>(
        &mut self,
        path: &Path,
        mut slices: impl Iterator<Item = &'a [u8]>,
    ) -> Result<Option<Undo>, FileError> {
        let open = self.open.get_mut(path).expect("it was made ready");
        open.hold();
        let before = length(&open.file, path)?;
        let mut undo = Undo { path: path.to_owned(), before, written: 0 };
        let header = self.header.as_deref().filter(|_| before == 0);
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
        open.end = b"";
        turns::let_go(&open.file);
        if open.is_regular && identity::is_deleted(&open.file) && !is_still_at(&open.file, path) {
            self.open.remove(path);
            return Ok(None);
        }
        Ok(Some(undo))
    }

    /// Takes back what was written, unless somebody else has written to the file since. What cannot
    /// be taken back is there twice after the next try.
    pub(super) fn take_back(&mut self, undo: &Undo) {
        let turn = turns::of(&undo.path);
        let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
        self.undo(undo);
    }

    /// As [`OpenFiles::take_back`], for whoever has the turn.
    fn undo(&mut self, undo: &Undo) {
        // Opened anew it is known again how it ends; and it is let go by this.
        self.open.remove(&undo.path);
        self.whole.remove(&undo.path);
        undo.cut();
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

    /// Sees to it that the file of a path is open, and rotated if that is due.
    fn ready(&mut self, path: &Path, more: u64) -> Result<(), FileError> {
        let now = Instant::now();
        self.close_idle(now);
        let kept = self.open.remove(path).filter(|open| is_still_at(&open.file, path));
        let mut open = match kept {
            Some(open) => open,
            None => self.open(path)?,
        };
        if self.habits.rotation.is_due(length(&open.file, path)?, open.begun, more) {
            // Windows renames no open file.
            drop(open);
            self.habits.rotation.rotate(path).map_err(failed("rotate", path))?;
            open = self.open(path)?;
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

    fn open(&mut self, path: &Path) -> Result<OpenFile, FileError> {
        if self.drained.is_none() {
            lock::check_free(&led_to(path)).map_err(failed("write to", path))?;
        }
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
        // Until it is written to: an agent that is in the middle of a write has torn nothing.
        let is_patient = turns::hold(&file, turns::PATIENCE);
        if let Some(emptied) = &mut self.emptied
            && emptied.is_due(path)
        {
            cut(path, 0).map_err(failed("empty", path))?;
            emptied.done(path);
        }
        let metadata = file.metadata().map_err(failed("look at", path))?;
        let is_regular = metadata.is_file();
        // Who made it may not have synced its name.
        let is_known = metadata.len() > 0 && self.whole.contains(path);
        if self.habits.sync && is_regular && !is_known {
            sync_folder(path).map_err(failed("sync the folder of", path))?;
        }
        let begun = match metadata.modified() {
            Ok(modified) if metadata.len() > 0 => modified,
            _ => SystemTime::now(),
        };
        let end = if is_regular { self.mend(path)? } else { b"" };
        let begun = self.habits.rotation.span_of(begun);
        Ok(OpenFile { file, is_regular, is_patient, end, begun, last_use: Instant::now() })
    }

    /// Sees to it that what comes next is no part of what was written in part. Gives what is to be
    /// written before it.
    fn mend(&mut self, path: &Path) -> Result<&'static [u8], FileError> {
        let is_first = !self.whole.contains(path);
        if let Some(counters) = &self.drained {
            drain::put_torn_aside(path, counters)?;
        }
        let end = match torn::look(path, self.habits.writing, self.header.as_deref(), is_first) {
            Mend::End(end) => end,
            Mend::Cut(len) => {
                cut(path, len).map_err(failed("cut", path))?;
                let path = path.display();
                tracing::warn!("what was written in part at the end of {path} is cut off");
                b""
            }
        };
        if self.whole.len() >= MOST_KNOWN {
            self.whole.clear();
        }
        self.whole.insert(path.to_owned());
        Ok(end)
    }
}

/// How long a file stays open that nothing is written to.
const IDLE: Duration = Duration::from_secs(60);

/// How often a file is made anew for one write, that somebody deletes in the middle of it.
const MOST_DELETED: usize = 10;

/// How many files are remembered as whole; of others the ends are looked for anew.
const MOST_KNOWN: usize = 10_000;

impl OpenFile {
    /// Holds it against other agents until it is written to.
    fn hold(&mut self) {
        if self.is_regular {
            let patience = if self.is_patient { turns::PATIENCE } else { Duration::ZERO };
            self.is_patient = turns::hold(&self.file, patience);
        }
    }
}

impl Undo {
    fn cut(&self) {
        if self.written == 0 {
            return;
        }
        let cut = || {
            let file = OpenOptions::new().write(true).open(&self.path)?;
            // Who writes meanwhile would lose what is behind the end.
            if !turns::hold(&file, turns::PATIENCE) {
                return Err(io::Error::other("another process has locked it"));
            }
            if file.metadata()?.len() == self.before + self.written {
                file.set_len(self.before)?;
            }
            io::Result::Ok(())
        };
        if let Err(error) = cut() {
            let path = self.path.display();
            tracing::warn!("what was half written to {path} cannot be taken back: {error}");
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
            append: true,
            writing: Writing::Lines,
            rotation: Rotation { size: None, every: None, keep: 1 },
            sync: false,
        };
        OpenFiles::new(habits, None)
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
