//! Rotation: `out.log` becomes `out.log.1`, which becomes `out.log.2`, and so on.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::path::{beside, led_to};

/// When a file is rotated, and how many are kept.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rotation {
    /// Before it grows beyond this many bytes.
    pub(super) size: Option<u64>,
    /// When a span of this length begins, counted from midnight UTC for parts of a day.
    pub(super) every: Option<Duration>,
    /// How many rotated files stay.
    pub(super) keep: u32,
}

impl Rotation {
    /// Whether a file of `len` bytes that was begun in the span `begun` is rotated before `more`
    /// bytes are written to it.
    pub(super) fn is_due(&self, len: u64, begun: u64, more: u64) -> bool {
        let too_large = self.size.is_some_and(|size| len.saturating_add(more) > size);
        len > 0 && (too_large || self.span_of(SystemTime::now()) != begun)
    }

    /// The number of the span in which a moment lies.
    pub(super) fn span_of(&self, moment: SystemTime) -> u64 {
        let seconds = self.every.map_or(0, |every| every.as_secs());
        let since = moment.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        since.checked_div(seconds).unwrap_or(0)
    }

    /// Moves the file away. When this fails half-way, doing it again goes on where it stopped and
    /// costs no file. Of a symbolic link it is the file that moves, within its own folder.
    pub(super) fn rotate(&self, path: &Path) -> io::Result<()> {
        let path = &led_to(path);
        let mut free = 1;
        while free < self.keep && numbered(path, free).try_exists()? {
            free += 1;
        }
        for n in (1..free).rev() {
            rename(&numbered(path, n), &numbered(path, n + 1))?;
        }
        rename(path, &numbered(path, 1))
    }
}

/// Renames, also onto a file that is there; one that is gone already is no error.
fn rename(from: &Path, to: &Path) -> io::Result<()> {
    match fs::rename(from, to) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

fn numbered(path: &Path, n: u32) -> PathBuf {
    beside(path, &format!(".{n}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_goes_and_the_others_move_up() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.log");
        let rotation = Rotation { size: None, every: None, keep: 2 };
        for content in ["one", "two", "three", "four"] {
            fs::write(&path, content).unwrap();
            rotation.rotate(&path).unwrap();
        }
        assert_eq!(fs::read_to_string(numbered(&path, 1)).unwrap(), "four");
        assert_eq!(fs::read_to_string(numbered(&path, 2)).unwrap(), "three");
        assert!(!path.exists() && !numbered(&path, 3).exists());
    }

    #[test]
    fn a_gap_is_filled_before_anything_goes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.log");
        for (n, content) in [(1, "b"), (3, "d")] {
            fs::write(numbered(&path, n), content).unwrap();
        }
        fs::write(&path, "a").unwrap();
        Rotation { size: None, every: None, keep: 3 }.rotate(&path).unwrap();
        let content = |n| fs::read_to_string(numbered(&path, n)).unwrap();
        assert_eq!([content(1), content(2), content(3)], ["a", "b", "d"]);
    }

    #[test]
    fn due_by_size_or_by_time() {
        let by_size = Rotation { size: Some(10), every: None, keep: 1 };
        assert!(!by_size.is_due(0, 0, 100), "an empty file is not rotated");
        assert!(!by_size.is_due(5, 0, 5) && by_size.is_due(5, 0, 6));
        let by_time = Rotation { size: None, every: Some(Duration::from_secs(86_400)), keep: 1 };
        let today = by_time.span_of(SystemTime::now());
        assert!(by_time.is_due(5, today - 1, 0) && !by_time.is_due(0, today - 1, 0));
        assert_eq!(by_time.span_of(UNIX_EPOCH + Duration::from_secs(86_399)), 0);
        assert_eq!(by_time.span_of(UNIX_EPOCH + Duration::from_secs(86_400)), 1);
    }
}
