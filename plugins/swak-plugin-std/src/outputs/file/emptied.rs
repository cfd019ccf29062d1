//! Which files were emptied when they were opened first.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use swak_sdk::plugin::Counters;

/// The files that were emptied, so that none of them is a second time.
///
/// A template may name ever new files. Of each a hash is kept; when there are too many, and where two
/// have one hash, a file is not emptied: it then holds what is older too, and nothing is lost.
#[derive(Debug, Default)]
pub(super) struct Emptied {
    hashes: HashSet<u64>,
    has_told: bool,
}

/// Those of a step of a task, which all of its runs share.
pub(super) type EmptiedByStep = Arc<Mutex<Emptied>>;

/// Those that a step has emptied since its task was started. With `resumes` its task was not: it goes on
/// after a failure, and what was emptied and written before that must stay, while what was never opened is
/// still of an earlier start. The step is known by its counters, which outlive its runs.
pub(super) fn by_step(counters: &Arc<Counters>, resumes: bool) -> EmptiedByStep {
    static STEPS: Mutex<Vec<(Weak<Counters>, EmptiedByStep)>> = Mutex::new(Vec::new());
    let mut steps = STEPS.lock().unwrap_or_else(PoisonError::into_inner);
    let step = Arc::downgrade(counters);
    steps.retain(|(of, _)| of.strong_count() > 0 && (resumes || !of.ptr_eq(&step)));
    if let Some((_, emptied)) = steps.iter().find(|(of, _)| of.ptr_eq(&step)) {
        return Arc::clone(emptied);
    }
    let emptied = EmptiedByStep::default();
    steps.push((step, Arc::clone(&emptied)));
    emptied
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
    fn a_step_has_its_own_until_its_task_is_started_anew() {
        let (step, other) = (Arc::default(), Arc::default());
        let first = by_step(&step, false);
        assert!(Arc::ptr_eq(&first, &by_step(&step, true)));
        assert!(!Arc::ptr_eq(&first, &by_step(&other, true)));
        let anew = by_step(&step, false);
        assert!(!Arc::ptr_eq(&first, &anew));
        assert!(Arc::ptr_eq(&anew, &by_step(&step, true)));
    }

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
