//! One file is written to by one output at a time.
//!
//! Two tasks may append to one file. What one of them writes is only then a whole run of lines, and can
//! only then be taken back when the disk is full, if the other one waits for that long. Tasks of one
//! agent take turns; agents lock the file, but on Windows, where nobody could read a file that is locked.

use std::collections::HashMap;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, PoisonError, Weak};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How long a file is waited for that another process has locked: it may be no agent, and have it for
/// long.
pub(super) const PATIENCE: Duration = Duration::from_secs(1);

/// The turn of whoever locks it.
pub(super) type Turn = Arc<Mutex<()>>;

/// The turns at a file of this path, which all outputs of this process share.
pub(super) fn of(path: &Path) -> Turn {
    static TURNS: LazyLock<Mutex<Turns>> = LazyLock::new(Mutex::default);
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    TURNS.lock().unwrap_or_else(PoisonError::into_inner).of(path)
}

/// Whether other agents are kept from writing to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hold {
    /// They are.
    Had,
    /// Somebody else has locked it for longer than it was waited for.
    Refused,
    /// Nobody can be, as on Windows and on a file system without locks.
    Unsupported,
}

/// Locks a file against other agents, until [`let_go`] or until it is closed.
pub(super) fn hold(file: &File, patience: Duration) -> Hold {
    const PAUSE: Duration = Duration::from_millis(2);
    if !cfg!(unix) {
        return Hold::Unsupported;
    }
    let began = Instant::now();
    loop {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) if began.elapsed() < patience => sleep(PAUSE),
            Err(TryLockError::WouldBlock) => return Hold::Refused,
            Err(TryLockError::Error(_)) => return Hold::Unsupported,
            Ok(()) => return Hold::Had,
        }
    }
}

/// Lets other agents write.
pub(super) fn let_go(file: &File) {
    if cfg!(unix) {
        // What is not locked needs not be let go.
        let _ = file.unlock();
    }
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
    #[cfg(unix)]
    fn a_file_is_held_until_it_is_let_go_or_closed() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let open = || File::open(file.path()).unwrap();
        let (first, second) = (open(), open());
        let hold = |file: &File| hold(file, Duration::ZERO);
        assert_eq!([hold(&first), hold(&first)], [Hold::Had; 2]);
        assert_eq!(hold(&second), Hold::Refused);
        let_go(&first);
        assert_eq!(hold(&second), Hold::Had);
        drop(second);
        assert_eq!(hold(&first), Hold::Had);
    }

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
