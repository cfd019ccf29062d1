//! Positions on disk.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use swak_sdk::plugin::CheckpointStore;

/// The positions of one task, kept in memory and written to a file when told to.
///
/// The file is written aside, synced and renamed, and the folder synced, so that a crash leaves the
/// old positions or the new ones. A file that cannot be read is put aside and said in the log: the
/// agent starts, and what was read before is read again.
#[derive(Clone)]
pub(crate) struct FileStore(Arc<Inner>);

struct Inner {
    path: PathBuf,
    state: Mutex<State>,
    /// Held while writing, so that two writers do not overtake each other. Whether the last write
    /// failed.
    writing: Mutex<bool>,
}

struct State {
    positions: BTreeMap<String, String>,
    dirty: bool,
}

impl FileStore {
    /// Reads the positions in `path`, if there are any.
    pub(crate) fn open(path: PathBuf) -> io::Result<Self> {
        let positions = match fs::read(&path) {
            Ok(text) => match serde_json::from_slice(&text) {
                Ok(positions) => positions,
                Err(error) => {
                    let aside = path.with_extension("damaged");
                    fs::rename(&path, &aside)?;
                    tracing::error!(
                        "{} is damaged ({error}) and was put aside as {}; inputs begin as if they \
                         were new",
                        path.display(),
                        aside.display()
                    );
                    BTreeMap::new()
                }
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => BTreeMap::new(),
            Err(error) => return Err(error),
        };
        let state = Mutex::new(State { positions, dirty: false });
        Ok(FileStore(Arc::new(Inner { path, state, writing: Mutex::new(false) })))
    }

    /// Makes the positions durable if they changed. Tells of the first failure and of the recovery: a
    /// disk that is full does not fill the log each second.
    pub(crate) fn flush(&self) -> io::Result<()> {
        let mut failing = self.0.writing.lock().expect("no panic while positions are written");
        let text = {
            let mut state = self.lock();
            if !state.dirty {
                return Ok(());
            }
            state.dirty = false;
            serde_json::to_vec(&state.positions).expect("a map of strings is JSON")
        };
        let written = replace(&self.0.path, &text);
        let path = self.0.path.display();
        match &written {
            Err(error) => {
                self.lock().dirty = true;
                if !*failing {
                    tracing::error!(
                        "cannot write the positions to {path}: {error}; will try again"
                    );
                }
            }
            Ok(()) if *failing => tracing::info!("the positions are written to {path} again"),
            Ok(()) => {}
        }
        *failing = written.is_err();
        written
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.state.lock().expect("no panic while positions are locked")
    }
}

impl CheckpointStore for FileStore {
    fn get(&self, key: &str) -> Option<String> {
        self.lock().positions.get(key).cloned()
    }

    fn set(&self, key: &str, position: &str) {
        let mut state = self.lock();
        state.dirty = true;
        match state.positions.get_mut(key) {
            Some(old) => position.clone_into(old),
            None => {
                state.positions.insert(key.to_owned(), position.to_owned());
            }
        }
    }

    fn remove(&self, key: &str) {
        let mut state = self.lock();
        state.dirty |= state.positions.remove(key).is_some();
    }

    fn entries(&self) -> Vec<(String, String)> {
        self.lock().positions.iter().map(|(k, p)| (k.clone(), p.clone())).collect()
    }
}

/// Positions that last as long as the process: for tests.
#[derive(Clone, Default)]
pub struct MemoryStore(Arc<Mutex<BTreeMap<String, String>>>);

impl MemoryStore {
    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, String>> {
        self.0.lock().expect("no panic while positions are locked")
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

/// Puts `text` in the place of the file, as a whole or not at all.
fn replace(path: &Path, text: &[u8]) -> io::Result<()> {
    let folder = path.parent().expect("a file of positions lies in a folder");
    fs::create_dir_all(folder)?;
    let aside = path.with_extension("new");
    let mut file = File::create(&aside)?;
    file.write_all(text)?;
    file.sync_all()?;
    drop(file);
    fs::rename(&aside, path)?;
    sync_folder(folder)
}

/// Without this a rename may be forgotten in a power failure.
#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    match File::open(folder)?.sync_all() {
        // Some file systems, as those over the network, cannot and need not be told.
        Err(error)
            if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) =>
        {
            Ok(())
        }
        result => result,
    }
}

/// Windows writes folder entries through by itself, and has no call for it.
#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_come_back_after_a_flush() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("task/checkpoints.json");
        let store = FileStore::open(path.clone()).unwrap();
        store.set("a", "1");
        store.set("b", "2");
        store.remove("b");
        store.flush().unwrap();
        store.set("a", "not written");
        let again = FileStore::open(path).unwrap();
        assert_eq!(again.entries(), [("a".to_owned(), "1".to_owned())]);
    }

    #[test]
    fn a_damaged_file_is_put_aside() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("checkpoints.json");
        fs::write(&path, b"{\"a\":\"1\"").unwrap();
        let store = FileStore::open(path.clone()).unwrap();
        assert!(store.entries().is_empty());
        assert!(path.with_extension("damaged").exists());
        store.set("a", "2");
        store.flush().unwrap();
        assert_eq!(FileStore::open(path).unwrap().get("a").as_deref(), Some("2"));
    }
}
