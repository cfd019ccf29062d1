//! Lines that cannot be read back, kept for people to look at: `NAME.unread`.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use memchr::{memchr_iter, memrchr};
use swak_sdk::plugin::Counters;
use swak_sdk::{Context, Result};

use crate::outputs::file::path::{beside, led_to};
use crate::outputs::file::system::{FileError, cut};

/// The file `NAME.unread`, to which lines are added.
pub(super) struct Unread {
    path: PathBuf,
    /// How long it was when the last lines were added. What is beyond that a killed agent has added, and
    /// did not write down.
    len: u64,
    counters: Arc<Counters>,
    has_told: bool,
}

impl Unread {
    /// That of a file; `known` is how long it was when that was written down.
    pub(super) fn new(of: &Path, known: Option<u64>, counters: Arc<Counters>) -> Result<Self> {
        let path = beside(of, ".unread");
        let len = match fs::metadata(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => 0,
            metadata => metadata?.len(),
        };
        // One that is shorter was made anew.
        let len = known.filter(|known| *known <= len).unwrap_or(len);
        Ok(Unread { path, len, counters, has_told: false })
    }

    /// How long it is, as far as that is known.
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// Adds whole lines, but for what of them a killed agent has added already.
    pub(super) fn add(&mut self, lines: &[u8]) -> Result<()> {
        let mut there = Vec::new();
        match File::open(&self.path) {
            Ok(mut file) => {
                file.seek(SeekFrom::Start(self.len))?;
                // More than that somebody else has written.
                file.take(lines.len() as u64 + 1).read_to_end(&mut there)?;
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => {
                let path = self.path.display();
                return Err(error).with_context(|| format!("cannot open {path}"));
            }
        }
        let rest = lines.strip_prefix(there.as_slice()).unwrap_or(lines);
        self.len = append(&self.path, |file| file.write_all(rest))?;
        for _ in memchr_iter(b'\n', lines) {
            self.counters.error();
        }
        if !std::mem::replace(&mut self.has_told, true) {
            tracing::warn!(
                "lines that cannot be read back were moved to {}; further ones are only counted",
                self.path.display()
            );
        }
        Ok(())
    }
}

/// Moves the last line of a file that is to be written to, if it has no end, to `NAME.unread`.
pub(in crate::outputs::file) fn put_torn_aside(
    path: &Path,
    counters: &Counters,
) -> Result<(), FileError> {
    let failed = |error| FileError::new("set aside the torn end of", path, error);
    let mut file = match File::open(path) {
        // It may be written, but not read, so that it is not drained either.
        Err(error) if error.kind() == ErrorKind::PermissionDenied => return Ok(()),
        file => file.map_err(failed)?,
    };
    let len = file.metadata().map_err(failed)?.len();
    let start = last_line(&mut file, len).map_err(failed)?;
    if start == len {
        return Ok(());
    }
    let unread = beside(&led_to(path), ".unread");
    // An agent that was killed before it cut the file has moved it already.
    if !ends_with(&unread, &file, start, len).map_err(failed)? {
        let copy = |unread: &mut File| {
            file.seek(SeekFrom::Start(start))?;
            io::copy(&mut (&file).take(len - start), unread)?;
            unread.write_all(b"\n")
        };
        append(&unread, copy).map_err(|error| failed(io::Error::other(error)))?;
    }
    cut(path, start).map_err(failed)?;
    counters.error();
    tracing::warn!(
        "the last line of {} was written in part, as by an agent that was killed; it is moved to {}, and \
         the record comes again",
        path.display(),
        unread.display()
    );
    Ok(())
}

/// Where the last line begins; the length when it has an end.
fn last_line(file: &mut File, len: u64) -> io::Result<u64> {
    let mut block = vec![0; 64 << 10];
    let mut end = len;
    while end > 0 {
        let start = end.saturating_sub(block.len() as u64);
        let part = &mut block[..(end - start) as usize];
        file.seek(SeekFrom::Start(start))?;
        file.read_exact(part)?;
        if let Some(at) = memrchr(b'\n', part) {
            return Ok(start + at as u64 + 1);
        }
        end = start;
    }
    Ok(0)
}

/// Whether the last line of a file is the part of another from `start` to `end`.
fn ends_with(path: &Path, mut of: &File, start: u64, end: u64) -> io::Result<bool> {
    let mut file = match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        file => file?,
    };
    let Some(at) = file.metadata()?.len().checked_sub(end - start + 1) else { return Ok(false) };
    file.seek(SeekFrom::Start(at))?;
    of.seek(SeekFrom::Start(start))?;
    let wanted = BufReader::new(of.take(end - start)).bytes().chain(Some(Ok(b'\n')));
    for (wanted, found) in wanted.zip(BufReader::new(file).bytes()) {
        if wanted? != found? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Adds to the end of a file, all or nothing, and gives its length.
fn append(path: &Path, write: impl FnOnce(&mut File) -> io::Result<()>) -> Result<u64> {
    let mut file = OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .with_context(|| format!("cannot open {}", path.display()))?;
    let before = file.metadata()?.len();
    if let Err(error) = write(&mut file) {
        // What cannot be taken back is there twice after the next try.
        let _ = cut(path, before);
        return Err(error).with_context(|| format!("cannot write to {}", path.display()));
    }
    Ok(file.metadata()?.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_agent_has_added_is_not_added_twice() {
        let folder = tempfile::tempdir().unwrap();
        let of = folder.path().join("a");
        let path = folder.path().join("a.unread");
        for (there, known, after) in [
            (None, None, "one\ntwo\n"),
            (Some("old\n"), None, "old\none\ntwo\n"),
            (Some("old\n"), Some(4), "old\none\ntwo\n"),
            (Some("old\none\nt"), Some(4), "old\none\ntwo\n"),
            (Some("old\none\ntwo\n"), Some(4), "old\none\ntwo\n"),
            (Some("old\none\ntwo\n"), Some(12), "old\none\ntwo\none\ntwo\n"),
            (Some("old\nsomething else\n"), Some(4), "old\nsomething else\none\ntwo\n"),
            (Some("x\n"), Some(40), "x\none\ntwo\n"),
        ] {
            let _ = fs::remove_file(&path);
            if let Some(there) = there {
                fs::write(&path, there).unwrap();
            }
            let counters = Arc::<Counters>::default();
            let mut unread = Unread::new(&of, known, counters.clone()).unwrap();
            unread.add(b"one\ntwo\n").unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), after);
            assert_eq!((unread.len(), counters.snapshot().errors), (after.len() as u64, 2));
        }
    }

    #[test]
    fn a_torn_line_is_moved_once() {
        let folder = tempfile::tempdir().unwrap();
        let (path, unread) = (folder.path().join("a"), folder.path().join("a.unread"));
        let long = "x".repeat(200_000);
        for (content, before, kept, moved) in [
            ("one\ntor", "", "one\n", "tor\n"),
            ("tor", "old\n", "", "old\ntor\n"),
            ("one\n", "old\n", "one\n", "old\n"),
            ("one\ntor", "old\ntor\n", "one\n", "old\ntor\n"),
            ("one\ntor", "or\n", "one\n", "or\ntor\n"),
            (&format!("one\n{long}"), "", "one\n", &format!("{long}\n")),
            ("", "", "", ""),
        ] {
            fs::write(&path, content).unwrap();
            fs::write(&unread, before).unwrap();
            let counters = Counters::default();
            put_torn_aside(&path, &counters).unwrap();
            let text = |path| fs::read_to_string(path).unwrap();
            assert_eq!((text(&path).as_str(), text(&unread).as_str()), (kept, moved));
            assert_eq!(counters.snapshot().errors, u64::from(content != kept));
        }
    }
}
