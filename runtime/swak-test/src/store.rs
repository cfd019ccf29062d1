//! Positions for inputs that a test runs without an engine.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use swak_sdk::plugin::CheckpointStore;

/// Positions in memory. Clones are the same store, so that what an input has stored can be looked at,
/// and given to the next one.
#[derive(Clone, Debug, Default)]
pub struct InMemory(Arc<Mutex<BTreeMap<String, String>>>);

impl InMemory {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, String>> {
        self.0.lock().expect("no panic while positions are locked")
    }
}

impl CheckpointStore for InMemory {
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
        self.lock().clone().into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_see_the_same_positions() {
        let store = InMemory::default();
        let same = store.clone();
        store.set("a", "1");
        store.set("a", "2");
        store.set("b", "3");
        assert_eq!(same.get("a").as_deref(), Some("2"));
        same.remove("b");
        assert_eq!(store.entries(), [("a".to_owned(), "2".to_owned())]);
    }
}
