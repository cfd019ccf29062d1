//! One file is written to by one output at a time.
//!
//! Two tasks of an agent may append to one file. What one of them writes is only then a whole run of
//! lines, and can only then be taken back when the disk is full, if the other one waits for that long.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, PoisonError, Weak};

/// The turn of whoever locks it.
pub(super) type Turn = Arc<Mutex<()>>;

/// The turns at a file of this path, which all outputs of this process share.
pub(super) fn of(path: &Path) -> Turn {
    static TURNS: LazyLock<Mutex<Turns>> = LazyLock::new(Mutex::default);
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    TURNS.lock().unwrap_or_else(PoisonError::into_inner).of(path)
}

#[derive(Default)]
struct Turns {
    by_path: HashMap<PathBuf, Weak<Mutex<()>>>,
    /// With so many, those that nobody has any more are forgotten.
    limit: usize,
}

/// Fewer are not looked through.
const FEW: usize = 1024;

impl Turns {
    fn of(&mut self, path: PathBuf) -> Turn {
        if let Some(turn) = self.by_path.get(&path).and_then(Weak::upgrade) {
            return turn;
        }
        if self.by_path.len() >= self.limit {
            self.by_path.retain(|_, turn| turn.strong_count() > 0);
            self.limit = (2 * self.by_path.len()).max(FEW);
        }
        let turn = Turn::default();
        self.by_path.insert(path, Arc::downgrade(&turn));
        turn
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_has_one_turn_and_what_nobody_has_is_forgotten() {
        let mut turns = Turns::default();
        let first = turns.of("a".into());
        assert!(Arc::ptr_eq(&first, &turns.of("a".into())));
        assert!(!Arc::ptr_eq(&first, &turns.of("b".into())));
        for i in 0..10 * FEW {
            turns.of(i.to_string().into());
        }
        assert!(turns.by_path.len() <= FEW, "{}", turns.by_path.len());
        assert!(Arc::ptr_eq(&first, &turns.of("a".into())));
    }
}
