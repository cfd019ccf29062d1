//! Rotation, as logrotate and its like do it. The writer waits meanwhile: what is written between the
//! copy and the cut of a copy-and-truncate is lost by the rotation itself, whoever follows the file.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;

use super::sources::{Old, Source, open};

/// So many rotated files are kept at least; older ones when they have come out.
const KEEP: usize = 3;

impl Source {
    /// Renames the file and begins a new one.
    ///
    /// # Errors
    /// As the system says, here and below.
    pub(super) fn rename(&mut self) -> io::Result<()> {
        let old = self.free_name()?;
        fs::rename(&self.path, &old)?;
        self.file = open(&self.path)?;
        self.old.insert(0, Old { path: old, end: self.next });
        self.begins = self.next;
        Ok(())
    }

    /// Copies the file, and cuts it to nothing.
    pub(super) fn copy_and_truncate(&mut self) -> io::Result<()> {
        let old = self.free_name()?;
        fs::copy(&self.path, &old)?;
        self.file.set_len(0)?;
        self.cut = self.next;
        self.old.insert(0, Old { path: old, end: self.next });
        self.begins = self.next;
        Ok(())
    }

    /// Compresses the youngest rotated file to `NAME.gz` and deletes it.
    pub(super) fn compress(&mut self) -> io::Result<()> {
        let Some(youngest) = self.old.first_mut() else { return Ok(()) };
        if youngest.path.extension().is_some_and(|end| end == "gz") {
            return Ok(());
        }
        let packed = with_end(&youngest.path, ".gz");
        let mut encoder = GzEncoder::new(File::create(&packed)?, Compression::fast());
        io::copy(&mut File::open(&youngest.path)?, &mut encoder)?;
        encoder.finish()?;
        fs::remove_file(&youngest.path)?;
        youngest.path = packed;
        Ok(())
    }

    /// Deletes old files of which every line has come out: those before the line `done`.
    pub(super) fn delete_old(&mut self, done: u64, keep: usize) -> io::Result<()> {
        while self.old.len() > keep && self.old.last().is_some_and(|old| old.end <= done) {
            let oldest = self.old.pop().expect("there is a last one");
            fs::remove_file(&oldest.path)?;
        }
        Ok(())
    }

    /// As [`Source::delete_old`], with the usual number of old files.
    pub(super) fn tidy(&mut self, done: u64) -> io::Result<()> {
        self.delete_old(done, KEEP)
    }

    /// The name that the file gets: one with a date, which it keeps, or `NAME.1`, for which `NAME.1`
    /// becomes `NAME.2` before and so on.
    fn free_name(&mut self) -> io::Result<PathBuf> {
        if self.has_dates {
            self.dated += 1;
            return Ok(with_end(&self.path, &format!("-20261121-{:04}", self.dated)));
        }
        let numbered_ones =
            self.old.iter_mut().filter(|old| number_of(&old.path, &self.path).is_some());
        let mut numbered_ones: Vec<_> = numbered_ones.collect();
        // From the oldest, so that no name is taken.
        numbered_ones.sort_by_key(|old| number_of(&old.path, &self.path));
        for old in numbered_ones.into_iter().rev() {
            let number = number_of(&old.path, &self.path).expect("those without one were left out");
            let end = if old.path.extension().is_some_and(|end| end == "gz") { ".gz" } else { "" };
            let moved = numbered(&self.path, number + 1, end);
            fs::rename(&old.path, &moved)?;
            old.path = moved;
        }
        Ok(numbered(&self.path, 1, ""))
    }
}

fn with_end(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}

fn numbered(path: &Path, number: u64, end: &str) -> PathBuf {
    with_end(path, &format!(".{number}{end}"))
}

/// The number of `NAME.3` or `NAME.3.gz`.
fn number_of(old: &Path, path: &Path) -> Option<u64> {
    let (old, path) = (old.to_str()?, path.to_str()?);
    let rest = old.strip_prefix(path)?.strip_prefix('.')?;
    rest.strip_suffix(".gz").unwrap_or(rest).parse().ok()
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::super::line::{Line, Shape};
    use super::super::random::Random;
    use super::super::sources::Sources;
    use super::*;

    /// A file with ten lines.
    fn sources(place: &tempfile::TempDir) -> Sources {
        let source = Source::create(place.path().join("a.log")).unwrap();
        let mut sources = Sources::new(vec![source], Line::usual(Shape::Log), Random::new(3));
        sources.write(0, 10).unwrap();
        sources
    }

    fn names(place: &tempfile::TempDir) -> Vec<(String, usize)> {
        let lines = |path: &Path| fs::read(path).unwrap().iter().filter(|b| **b == b'\n').count();
        let mut all: Vec<_> = fs::read_dir(place.path())
            .unwrap()
            .map(|entry| entry.unwrap())
            .map(|entry| (entry.file_name().into_string().unwrap(), lines(&entry.path())))
            .collect();
        all.sort();
        all
    }

    fn all(names: &[(&str, usize)]) -> Vec<(String, usize)> {
        names.iter().map(|(name, lines)| ((*name).to_owned(), *lines)).collect()
    }

    #[test]
    fn renamed_files_move_up() {
        let place = tempfile::tempdir().unwrap();
        let mut sources = sources(&place);
        for lines in 1..4 {
            sources.all[0].rename().unwrap();
            sources.write(0, lines).unwrap();
        }
        let expected = [("a.log", 3), ("a.log.1", 2), ("a.log.2", 1), ("a.log.3", 10)];
        assert_eq!(names(&place), all(&expected));
        sources.all[0].has_dates = true;
        sources.all[0].rename().unwrap();
        assert!(names(&place).contains(&("a.log-20261121-0001".to_owned(), 3)));
        let source = &mut sources.all[0];
        assert_eq!(source.old.iter().map(|old| old.end).collect::<Vec<_>>(), [16, 13, 11, 10]);
        source.delete_old(10, 0).unwrap();
        assert_eq!(source.old.len(), 3);
        source.tidy(13).unwrap();
        assert_eq!(source.old.len(), 3);
        source.delete_old(13, 0).unwrap();
        assert_eq!(names(&place), all(&[("a.log", 0), ("a.log-20261121-0001", 3)]));
    }

    #[test]
    fn a_cut_file_is_the_same_one() {
        let place = tempfile::tempdir().unwrap();
        let mut sources = sources(&place);
        sources.all[0].copy_and_truncate().unwrap();
        sources.write(0, 2).unwrap();
        assert_eq!(names(&place), all(&[("a.log", 2), ("a.log.1", 10)]));
        assert_eq!((sources.all[0].begins, sources.all[0].next), (10, 12));
    }

    #[test]
    fn a_compressed_file_holds_the_same() {
        let place = tempfile::tempdir().unwrap();
        let mut sources = sources(&place);
        let text = fs::read(place.path().join("a.log")).unwrap();
        sources.all[0].rename().unwrap();
        sources.all[0].compress().unwrap();
        sources.all[0].rename().unwrap();
        let packed = place.path().join("a.log.2.gz");
        let mut read = Vec::new();
        flate2::read::GzDecoder::new(File::open(packed).unwrap()).read_to_end(&mut read).unwrap();
        assert_eq!(read, text);
        assert!(!place.path().join("a.log.2").exists());
    }
}
