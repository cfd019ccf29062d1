//! Taking back what was written.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::PathBuf;

use super::system::cut_open;
use super::turns::{self, Hold};

/// How to take back what was written to a file.
pub(super) struct Undo {
    /// The file.
    pub(super) path: PathBuf,
    /// How long it was before.
    pub(super) before: u64,
    /// How much was written.
    pub(super) written: u64,
}

impl Undo {
    /// Takes it back, unless somebody else has written to the file since. It is done with the descriptor
    /// that it was written with if that is `kept`, and with the lock that that still may have: otherwise
    /// another agent could write in between.
    pub(super) fn cut(&self, kept: Option<File>) {
        if self.written == 0 {
            return;
        }
        let cut = || {
            let file = match kept {
                Some(file) => file,
                None => OpenOptions::new().write(true).open(&self.path)?,
            };
            // Who writes meanwhile would lose what is behind the end.
            if turns::hold(&file, turns::PATIENCE) == Hold::Refused {
                return Err(io::Error::other("another process has locked it"));
            }
            if file.metadata()?.len() == self.before + self.written {
                cut_open(&file, &self.path, self.before)?;
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
    use std::io::Write;
    use std::time::Duration;

    use super::*;

    #[test]
    fn it_is_cut_unless_somebody_has_added_to_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        for (content, written, is_kept, after) in [
            ("onetwo", 3, true, "one"),
            ("onetwo", 3, false, "one"),
            ("onetwo", 0, true, "onetwo"),
            ("onetwothree", 3, true, "onetwothree"),
        ] {
            fs::write(&path, content).unwrap();
            let file = OpenOptions::new().append(true).open(&path).unwrap();
            // Whoever has it for the write has it for this as well.
            turns::hold(&file, Duration::ZERO);
            let kept = is_kept.then_some(file);
            Undo { path: path.clone(), before: 3, written }.cut(kept);
            assert_eq!(fs::read_to_string(&path).unwrap(), after);
        }
    }

    #[test]
    #[cfg(unix)]
    fn it_is_the_file_that_was_written_to_and_nobody_elses() {
        let folder = tempfile::tempdir().unwrap();
        let [path, moved] = ["a", "a.1"].map(|name| folder.path().join(name));
        let mut file = OpenOptions::new().create(true).append(true).open(&path).unwrap();
        file.write_all(b"onetwo").unwrap();
        fs::rename(&path, &moved).unwrap();
        fs::write(&path, "others").unwrap();
        let undo = Undo { path: path.clone(), before: 3, written: 3 };
        undo.cut(Some(file));
        let text = |path| fs::read_to_string(path).unwrap();
        assert_eq!((text(&moved).as_str(), text(&path).as_str()), ("one", "others"));
        // Somebody else is in the middle of a write.
        let other = File::open(&path).unwrap();
        assert_eq!(turns::hold(&other, Duration::ZERO), Hold::Had);
        undo.cut(None);
        assert_eq!(text(&path), "others");
    }
}
