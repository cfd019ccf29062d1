//! Files that an output writes, read as they grow.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::mark::{Mark, Scanner};

/// What is below a folder, read as it grows.
#[derive(Debug)]
pub(super) struct Folder {
    root: PathBuf,
    read: HashMap<Identity, Reading>,
}

/// How a file is known when it is renamed. Where the system does not tell, its name must do.
#[cfg(unix)]
type Identity = (u64, u64);
#[cfg(not(unix))]
type Identity = PathBuf;

#[derive(Debug, Default)]
struct Reading {
    offset: u64,
    scanner: Scanner,
}

impl Folder {
    pub(super) fn new(root: PathBuf) -> Self {
        Folder { root, read: HashMap::new() }
    }

    /// Reads what is new and tells of each mark in it; gives how many marks were torn.
    ///
    /// # Errors
    /// A file cannot be read; one that has vanished meanwhile is none.
    pub(super) fn read_new(&mut self, mut found: impl FnMut(Mark)) -> io::Result<u64> {
        let mut torn = 0;
        for path in files_below(&self.root)? {
            let mut file = match File::open(&path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                opened => opened?,
            };
            let reading = self.read.entry(identity(&file, &path)?).or_default();
            let length = file.metadata()?.len();
            if length <= reading.offset {
                continue;
            }
            file.seek(SeekFrom::Start(reading.offset))?;
            let before = reading.scanner.torn();
            let mut buffer = vec![0; 64 * 1024];
            loop {
                let count = file.read(&mut buffer)?;
                if count == 0 {
                    break;
                }
                reading.offset += count as u64;
                reading.scanner.feed(&buffer[..count], &mut found);
            }
            torn += reading.scanner.torn() - before;
        }
        Ok(torn)
    }

    /// Deletes what was read, to make room. Nobody may be writing.
    ///
    /// # Errors
    /// A file cannot be deleted.
    pub(super) fn delete_all(&mut self) -> io::Result<()> {
        for path in files_below(&self.root)? {
            fs::remove_file(path)?;
        }
        self.read.clear();
        Ok(())
    }

    /// How many bytes lie there.
    pub(super) fn size(&self) -> u64 {
        let files = files_below(&self.root).unwrap_or_default();
        files.iter().filter_map(|path| path.metadata().ok()).map(|about| about.len()).sum()
    }
}

/// All files below a folder, by path; none when it is not there.
pub(super) fn files_below(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut todo = vec![folder.to_owned()];
    while let Some(folder) = todo.pop() {
        let entries = match fs::read_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            entries => entries?,
        };
        for entry in entries {
            let entry = entry?;
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => todo.push(entry.path()),
                Ok(kind) if kind.is_file() => found.push(entry.path()),
                // It has vanished, or is nothing to read.
                _ => {}
            }
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(unix)]
fn identity(file: &File, _: &Path) -> io::Result<Identity> {
    use std::os::unix::fs::MetadataExt;
    let about = file.metadata()?;
    Ok((about.dev(), about.ino()))
}

#[cfg(not(unix))]
fn identity(_: &File, path: &Path) -> io::Result<Identity> {
    Ok(path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::mark::lines as text;
    use super::*;

    fn new_in(folder: &mut Folder) -> Vec<u64> {
        let mut found = Vec::new();
        folder.read_new(|mark| found.push(mark.sequence)).unwrap();
        found
    }

    #[test]
    fn a_file_is_read_once_whatever_it_is_called() {
        let place = tempfile::tempdir().unwrap();
        let mut folder = Folder::new(place.path().join("out"));
        assert!(new_in(&mut folder).is_empty());
        fs::create_dir_all(place.path().join("out/deep")).unwrap();
        let path = place.path().join("out/deep/a");
        let text = text(0..4);
        let (first, second) = text.split_at(text.len() / 2 - 3);
        fs::write(&path, first).unwrap();
        assert_eq!(new_in(&mut folder), [0]);
        fs::write(&path, [first, second].concat()).unwrap();
        assert_eq!(new_in(&mut folder), [1, 2, 3]);
        if cfg!(unix) {
            fs::rename(&path, place.path().join("out/b")).unwrap();
            assert!(new_in(&mut folder).is_empty());
        }
        assert_eq!(folder.size(), text.len() as u64);
        folder.delete_all().unwrap();
        assert_eq!(folder.size(), 0);
        fs::write(&path, self::text(9..10)).unwrap();
        assert_eq!(new_in(&mut folder), [9]);
    }
}
