//! How far files hold nothing but whole records.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use crate::identity::FileId;

/// How far files hold nothing but whole records, as far as is known: up to the end of what this process
/// has written to them last. What others have added since may be torn.
#[derive(Debug, Default)]
pub(super) struct Whole {
    known: HashMap<PathBuf, (FileId, u64)>,
}

/// How many files are known; of others all is looked at when they are opened again.
const MOST_KNOWN: usize = 10_000;

impl Whole {
    /// How far this file is whole, which is at this path and so long. One that was made anew or cut is
    /// another one.
    pub(super) fn up_to(&self, path: &Path, file: Option<FileId>, len: u64) -> u64 {
        match self.known.get(path) {
            Some((id, known)) if *known <= len && file == Some(*id) => *known,
            _ => 0,
        }
    }

    /// It is whole up to there.
    pub(super) fn is(&mut self, path: &Path, file: Option<FileId>, len: u64) {
        let Some(id) = file else { return self.forget(path) };
        if let Some(known) = self.known.get_mut(path) {
            *known = (id, len);
            return;
        }
        if self.known.len() >= MOST_KNOWN {
            self.known.clear();
        }
        self.known.insert(path.to_owned(), (id, len));
    }

    /// Nothing is known of it any more.
    pub(super) fn forget(&mut self, path: &Path) {
        self.known.remove(path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_is_one_file_until_it_is_cut() {
        let [first, second] = [1, 2].map(|inode| Some(FileId { device: 1, inode }));
        let path = Path::new("a");
        let mut whole = Whole::default();
        assert_eq!(whole.up_to(path, first, 5), 0);
        whole.is(path, first, 5);
        let up_to = |whole: &Whole, len| whole.up_to(path, first, len);
        assert_eq!([4, 5, 9].map(|len| up_to(&whole, len)), [0, 5, 5]);
        assert_eq!(whole.up_to(path, second, 9), 0);
        assert_eq!(whole.up_to(Path::new("b"), first, 9), 0);
        whole.is(path, first, 7);
        assert_eq!(up_to(&whole, 9), 7);
        whole.forget(path);
        assert_eq!(up_to(&whole, 9), 0);
        for i in 0..=MOST_KNOWN {
            whole.is(i.to_string().as_ref(), first, 5);
        }
        assert!(whole.known.len() <= MOST_KNOWN);
    }
}
