//! What the last output of a failover has stored, to be sent on once another one answers: these lines
//! come out after newer ones, and the piece that is under way at a kill comes twice.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::folder::files_below;
use super::held::Held;
use super::mark::{Mark, Scanner};

/// The end of the name of a file that is sent on, and of the one that says how far it is, see
/// `out.File`.
const ASIDE: &str = ".drain";
const PROGRESS_END: &str = ".at";

/// What lies beside them and is not sent on.
const OTHERS: [&str; 4] = [".lock", ".unread", PROGRESS_END, ".new"];

/// The lines that the files below these folders hold and that are not delivered, by source: all of
/// them, or only those of files that are being sent on.
///
/// # Errors
/// A file cannot be read; one that has vanished meanwhile is none.
pub(super) fn left_by_last(
    folders: &[PathBuf],
    sources: usize,
    only_under_way: bool,
) -> io::Result<Held> {
    let mut numbers = vec![Vec::new(); sources];
    for folder in folders {
        for path in files_below(folder)? {
            let name = path.to_string_lossy();
            let is_under_way = name.ends_with(ASIDE);
            if OTHERS.iter().any(|end| name.ends_with(end)) || (only_under_way && !is_under_way) {
                continue;
            }
            let mut file = match File::open(&path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                opened => opened?,
            };
            if is_under_way {
                file.seek(SeekFrom::Start(delivered(&path)))?;
            }
            scan(&mut file, &mut Scanner::default(), &mut |mark: Mark| {
                if let Some(numbers) = numbers.get_mut(mark.source) {
                    numbers.push(mark.sequence);
                }
            })?;
        }
    }
    Ok(Held::of(numbers))
}

/// How many bytes of a file that is sent on are delivered.
fn delivered(aside: &Path) -> u64 {
    let mut place = aside.as_os_str().to_owned();
    place.push(PROGRESS_END);
    let text = fs::read(place);
    let progress = text.ok().and_then(|text| serde_json::from_slice::<Value>(&text).ok());
    progress.and_then(|progress| progress["delivered"].as_u64()).unwrap_or(0)
}

/// Reads on to the end of a file.
fn scan(file: &mut File, scanner: &mut Scanner, found: &mut dyn FnMut(Mark)) -> io::Result<()> {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let count = file.read(&mut buffer)?;
        if count == 0 {
            return Ok(());
        }
        scanner.feed(&buffer[..count], &mut *found);
    }
}

#[cfg(unix)]
pub(super) use watcher::watch;

#[cfg(unix)]
mod watcher {
    use std::collections::HashMap;
    use std::os::unix::fs::MetadataExt;
    use std::sync::{Arc, Mutex};
    use std::thread;
    use std::time::Duration;

    use super::super::tally::Tally;
    use super::*;

    /// How often it is looked. An output that was left rests much longer before anything is sent on to
    /// it, so that no file is missed.
    const LOOK: Duration = Duration::from_millis(5);

    /// Notes each line that was ever stored below a folder by the last output of this unit. It ends with
    /// the process.
    pub(in crate::torture) fn watch(folder: PathBuf, unit: usize, tally: &Arc<Mutex<Tally>>) {
        let tally = Arc::clone(tally);
        thread::spawn(move || {
            let mut watcher = Watcher { folder, files: HashMap::new() };
            loop {
                let mut found = Vec::new();
                // What vanishes meanwhile was opened before, or is looked at again.
                let _ = watcher.look(&mut |mark| found.push(mark));
                if !found.is_empty() {
                    let mut tally = tally.lock().expect("no panic while the tally is locked");
                    found.into_iter().for_each(|mark| tally.store(unit, mark));
                }
                thread::sleep(LOOK);
            }
        });
    }

    /// Files are kept open, so that they can be read when they are deleted already, and no other one is
    /// taken for them.
    pub(super) struct Watcher {
        pub(super) folder: PathBuf,
        pub(super) files: HashMap<(u64, u64), (File, Scanner)>,
    }

    impl Watcher {
        /// Tells of what was not told of before. A file that is deleted is read once more as a whole: an
        /// output may have taken back what it could not write to the end.
        pub(super) fn look(&mut self, found: &mut dyn FnMut(Mark)) -> io::Result<()> {
            for path in files_below(&self.folder)? {
                let Ok(about) = path.metadata() else { continue };
                if self.files.contains_key(&(about.dev(), about.ino())) {
                    continue;
                }
                let Ok(file) = File::open(&path) else { continue };
                let about = file.metadata()?;
                self.files.insert((about.dev(), about.ino()), (file, Scanner::default()));
            }
            let mut deleted = Vec::new();
            for (identity, (file, scanner)) in &mut self.files {
                let about = file.metadata()?;
                if about.nlink() == 0 {
                    deleted.push(*identity);
                    file.seek(SeekFrom::Start(0))?;
                    *scanner = Scanner::default();
                } else if file.stream_position()? > about.len() {
                    file.seek(SeekFrom::End(0))?;
                }
                scan(file, scanner, found)?;
            }
            deleted.iter().for_each(|identity| drop(self.files.remove(identity)));
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::mark::lines as text;
    use super::*;

    #[test]
    fn what_is_left_is_what_was_not_delivered() {
        let place = tempfile::tempdir().unwrap();
        let path = |name: &str| place.path().join("tmp").join(name);
        fs::create_dir(place.path().join("tmp")).unwrap();
        fs::write(path("a.txt"), text(6..8)).unwrap();
        fs::write(path("a.txt.drain"), text(0..4)).unwrap();
        fs::write(path("a.txt.drain.lock"), "").unwrap();
        fs::write(path("a.txt.unread"), text(9..10)).unwrap();
        let folders = [place.path().to_owned(), place.path().join("missing")];
        let left = |only| {
            let held = left_by_last(&folders, 1, only).unwrap();
            (0..12).filter(|sequence| held.has(0, *sequence)).collect::<Vec<_>>()
        };
        assert_eq!(left(false), [0, 1, 2, 3, 6, 7]);
        let progress = format!("{{\"delivered\":{},\"unread\":null}}", text(0..3).len());
        fs::write(path("a.txt.drain.at"), progress).unwrap();
        assert_eq!(left(false), [3, 6, 7]);
        assert_eq!(left(true), [3]);
    }

    #[cfg(unix)]
    #[test]
    fn a_file_is_known_when_it_is_deleted_already() {
        let place = tempfile::tempdir().unwrap();
        let mut watcher =
            watcher::Watcher { folder: place.path().to_owned(), files: Default::default() };
        let mut look = || {
            let mut found = Vec::new();
            watcher.look(&mut |mark| found.push(mark.sequence)).unwrap();
            (found, watcher.files.len())
        };
        let (path, aside) = (place.path().join("a"), place.path().join("a.drain"));
        fs::write(&path, text(0..2)).unwrap();
        assert_eq!(look(), (vec![0, 1], 1));
        let more = |range| {
            use std::io::Write as _;
            let mut file = fs::OpenOptions::new().append(true).open(&path).unwrap();
            file.write_all(&text(range)).unwrap();
        };
        more(2..3);
        assert_eq!(look(), (vec![2], 1));
        more(3..4);
        fs::rename(&path, &aside).unwrap();
        fs::remove_file(&aside).unwrap();
        fs::write(&path, text(4..5)).unwrap();
        let (mut found, open) = look();
        found.sort_unstable();
        assert_eq!((found, open), (vec![0, 1, 2, 3, 4], 1));
        assert!(look().0.is_empty());
    }
}
