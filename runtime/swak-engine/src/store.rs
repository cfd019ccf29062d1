//! Positions and ledger of a running task, on disk.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use swak_sdk::data::Name;
use swak_sdk::ledger::Ledger;
use swak_sdk::plugin::CheckpointStore;
use tokio::sync::Notify;

use crate::books::{self, Books};

/// The positions and the ledger of one task, kept in memory and written to its folder when told to.
///
/// Books that cannot be read, or are not there any more, are said in the log, and the former put aside:
/// the agent starts, and what was read before is read again.
#[derive(Clone)]
pub(crate) struct FileStore(Arc<Inner>);

struct Inner {
    task: String,
    folder: PathBuf,
    ledger: Arc<Ledger>,
    positions: Mutex<Positions>,
    /// Held while writing, so that two writers do not overtake each other.
    writing: Mutex<Writing>,
    /// The task ran before, and nothing is known of its positions.
    lost: bool,
}

struct Positions {
    by_key: BTreeMap<String, String>,
    dirty: bool,
}

struct Writing {
    generation: u64,
    /// Of the ledger, when it was last written.
    version: u64,
    /// Whether the last write failed.
    failing: bool,
}

/// Nothing panics while it holds one of these locks.
const UNBROKEN: &str = "no panic while positions are locked";

impl FileStore {
    /// Reads the books of a task from its folder, if there are any. `unacked` bounds what may be on
    /// its way, in bytes; `input` is the step at which a loss in a crash is noted; `store_soon` wakes
    /// whoever is to flush.
    pub(crate) fn open(
        task: &str,
        folder: PathBuf,
        unacked: u64,
        input: &Name,
        store_soon: Arc<Notify>,
    ) -> io::Result<Self> {
        // Made with the first books: who deletes those does not make this the first start.
        let ran_before = folder.is_dir();
        let found = books::find(&folder)?;
        if found.books.is_none() && found.damaged.is_empty() && ran_before {
            tracing::error!(
                task,
                "the positions are gone from {}; everything that is still there is read again",
                folder.display()
            );
        }
        if !found.damaged.is_empty() {
            let aside = books::put_aside(&found.damaged)?;
            let aside: Vec<_> = aside.iter().map(|path| path.display().to_string()).collect();
            let aside = aside.join(", ");
            match &found.books {
                Some(_) => tracing::error!(
                    task,
                    "damaged positions were put aside as {aside}; those from shortly before are used"
                ),
                None => tracing::error!(
                    task,
                    "the positions are damaged and were put aside as {aside}; \
                     everything that is still there is read again"
                ),
            }
        }
        books::finish(&folder, &found)?;
        let books = found.books.unwrap_or_default();
        let lost = ran_before && books.positions.is_empty();
        Ok(FileStore(Arc::new(Inner {
            task: task.to_owned(),
            folder,
            ledger: Arc::new(Ledger::new(books.sheet, unacked, input).waking(store_soon)),
            positions: Mutex::new(Positions { by_key: books.positions, dirty: false }),
            writing: Mutex::new(Writing {
                generation: found.generation,
                version: 0,
                failing: false,
            }),
            lost,
        })))
    }

    /// The ledger of the task.
    pub(crate) fn ledger(&self) -> &Arc<Ledger> {
        &self.0.ledger
    }

    /// Whether they could not be written the last time.
    pub(crate) fn is_failing(&self) -> bool {
        self.0.writing.lock().expect(UNBROKEN).failing
    }

    /// Whether there is something that is not written yet.
    pub(crate) fn is_behind(&self) -> bool {
        let written = self.0.writing.lock().expect(UNBROKEN).version;
        self.lock().dirty || self.0.ledger.version() != written
    }

    /// Makes positions and ledger durable if they changed. While that fails the input goes on until as
    /// much is on its way as may be: all of that is read again after a kill. Tells of the first failure
    /// and of the recovery: a disk that is full does not fill the log each second.
    pub(crate) fn flush(&self) -> io::Result<()> {
        let mut writing = self.0.writing.lock().expect(UNBROKEN);
        let version = self.0.ledger.version();
        let (books, passed) = {
            let mut positions = self.lock();
            if !positions.dirty && version == writing.version {
                return Ok(());
            }
            positions.dirty = false;
            // In this order: what a position has moved over is in the books.
            let positions = positions.by_key.clone();
            let (sheet, passed) = self.0.ledger.sheet_to_store();
            (Books { task: self.0.task.clone(), positions, sheet }, passed)
        };
        // One that failed may lie under any of the names: no two may be of one generation.
        writing.generation += 1;
        let written = books::write(&self.0.folder, writing.generation, &books);
        let (task, folder) = (&*self.0.task, self.0.folder.display());
        match &written {
            Err(error) => {
                self.lock().dirty = true;
                if !writing.failing {
                    tracing::error!(
                        task,
                        "cannot write the positions to {folder}: {error}; will try again, and the \
                         input waits when as much is read as may be unacked"
                    );
                }
            }
            Ok(()) => {
                writing.version = version;
                self.0.ledger.stored(passed);
                if writing.failing {
                    tracing::info!(task, "the positions are written to {folder} again");
                }
            }
        }
        writing.failing = written.is_err();
        written
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Positions> {
        self.0.positions.lock().expect(UNBROKEN)
    }
}

impl CheckpointStore for FileStore {
    fn get(&self, key: &str) -> Option<String> {
        self.lock().by_key.get(key).cloned()
    }

    fn set(&self, key: &str, position: &str) {
        let mut positions = self.lock();
        positions.dirty = true;
        match positions.by_key.get_mut(key) {
            Some(old) => position.clone_into(old),
            None => {
                positions.by_key.insert(key.to_owned(), position.to_owned());
            }
        }
    }

    fn remove(&self, key: &str) {
        let mut positions = self.lock();
        positions.dirty |= positions.by_key.remove(key).is_some();
    }

    fn entries(&self) -> Vec<(String, String)> {
        self.lock().by_key.iter().map(|(k, p)| (k.clone(), p.clone())).collect()
    }

    fn were_lost(&self) -> bool {
        self.0.lost
    }

    fn store_soon(&self) {
        self.0.ledger.store_soon();
    }

    fn passed(&self, cost: u64) {
        self.0.ledger.passed(cost);
    }

    fn released(&self, cost: u64) {
        self.0.ledger.released(cost);
    }
}

/// Positions that last as long as the process: for tests.
#[derive(Clone, Default)]
pub struct MemoryStore(Arc<Mutex<BTreeMap<String, String>>>);

impl MemoryStore {
    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, String>> {
        self.0.lock().expect(UNBROKEN)
    }
}

impl CheckpointStore for MemoryStore {
    fn get(&self, key: &str) -> Option<String> {
        self.lock().get(key).cloned()
    }

    fn set(&self, key: &str, position: &str) {
        self.lock().insert(key.to_owned(), position.to_owned());
    }

    fn remove(&self, key: &str) {
        self.lock().remove(key);
    }

    fn entries(&self) -> Vec<(String, String)> {
        self.lock().iter().map(|(k, p)| (k.clone(), p.clone())).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn open(folder: &std::path::Path) -> FileStore {
        FileStore::open("web", folder.to_owned(), 1 << 20, &Name::from("1 in.X"), Arc::default())
            .unwrap()
    }

    #[test]
    fn positions_come_back_after_a_flush() {
        let data = tempfile::tempdir().unwrap();
        let folder = data.path().join("web");
        let store = open(&folder);
        assert!(!store.is_behind());
        store.set("a", "1");
        store.set("b", "2");
        store.remove("b");
        assert!(store.is_behind());
        store.flush().unwrap();
        assert!(!store.is_behind());
        store.ledger().passed(1);
        assert!(store.is_behind());
        store.set("a", "not written");
        let again = open(&folder);
        assert_eq!(again.entries(), [("a".to_owned(), "1".to_owned())]);
        assert!(!again.were_lost());
    }

    #[test]
    fn damaged_books_are_put_aside_and_those_before_are_used() {
        let data = tempfile::tempdir().unwrap();
        let folder = data.path().join("web");
        let store = open(&folder);
        for position in ["1", "2"] {
            store.set("a", position);
            store.flush().unwrap();
        }
        fs::write(folder.join("state"), "?").unwrap();
        let store = open(&folder);
        assert_eq!((store.get("a").as_deref(), store.were_lost()), (Some("1"), false));
        assert!(folder.join("state.damaged").exists());
        fs::write(folder.join("state.old"), "?").unwrap();
        let store = open(&folder);
        assert!(store.entries().is_empty() && store.were_lost());
        store.set("a", "3");
        store.flush().unwrap();
        assert_eq!(open(&folder).get("a").as_deref(), Some("3"));
        assert!(!open(&folder).were_lost());
        for entry in fs::read_dir(&folder).unwrap() {
            fs::remove_file(entry.unwrap().path()).unwrap();
        }
        assert!(open(&folder).were_lost(), "a folder that is empty is no new one");
    }

    #[tokio::test]
    async fn what_an_input_sets_is_stored_soon() {
        let data = tempfile::tempdir().unwrap();
        let (folder, soon) = (data.path().join("web"), Arc::<Notify>::default());
        let input = Name::from("1 in.X");
        let store = FileStore::open("web", folder, 1 << 20, &input, Arc::clone(&soon)).unwrap();
        let checkpoints = swak_sdk::plugin::Checkpoints::new(Box::new(store));
        checkpoints.set("started", "{}");
        // It is kept until somebody looks; without it, this waits for ever.
        tokio::time::timeout(std::time::Duration::from_secs(60), soon.notified()).await.unwrap();
    }
}
