//! Which files were emptied when they were opened first.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;

/// The files that were emptied, so that none of them is a second time.
///
/// A template may name ever new files. Of each a hash is kept; when there are too many, and where two
/// have one hash, a file is not emptied: it then holds what is older too, and nothing is lost.
#[derive(Debug, Default)]
pub(super) struct Emptied {
    hashes: HashSet<u64>,
    has_told: bool,
}

/// Some 5 MB.
const MOST: usize = 250_000;

impl Emptied {
    /// Whether the file is to be emptied before it is written to.
    pub(super) fn is_due(&mut self, path: &Path) -> bool {
        if self.hashes.len() < MOST {
            return !self.hashes.contains(&hash(path));
        }
        if !self.hashes.contains(&hash(path)) && !std::mem::replace(&mut self.has_told, true) {
            let path = path.display();
            tracing::warn!(
                "{MOST} files were emptied; {path} and all further ones are appended to instead"
            );
        }
        false
    }

    /// It was emptied.
    pub(super) fn done(&mut self, path: &Path) {
        self.hashes.insert(hash(path));
    }
}

fn hash(path: &Path) -> u64 {
    let mut hasher = DefaultHasher::new();
    path.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_file_is_due_once_and_beyond_the_most_none_is() {
        let mut emptied = Emptied::default();
        for i in 0..MOST {
            let path = i.to_string();
            assert!(emptied.is_due(path.as_ref()));
            emptied.done(path.as_ref());
            assert!(!emptied.is_due(path.as_ref()));
        }
        assert!(!emptied.is_due("one more".as_ref()) && emptied.has_told);
        assert_eq!(emptied.hashes.len(), MOST);
    }
}
