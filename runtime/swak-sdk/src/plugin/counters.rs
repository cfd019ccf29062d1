//! What is counted for each step.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::data::Name;

/// What is counted for one step of a task, in records.
///
/// For each step that makes one record of one: received = sent + filtered + dropped + still held.
/// A step that hands records to several others counts each once. What a run that failed still held is
/// read again, and counts as received once more.
#[derive(Debug, Default)]
pub struct Counters {
    place: Name,
    received: AtomicU64,
    sent: AtomicU64,
    filtered: AtomicU64,
    errors: AtomicU64,
    dropped: Mutex<BTreeMap<String, u64>>,
}

/// The counters at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CountersSnapshot {
    /// Records that came in from the step before, or from outside. For an output in a failover: those
    /// that it did not hand back.
    pub received: u64,
    /// Records that went to the step after, or were delivered.
    pub sent: u64,
    /// Records that the recipe asked to leave out.
    pub filtered: u64,
    /// Things that went wrong and were tried again, or records that were kept though a step could
    /// not read them.
    pub errors: u64,
    /// Records that were lost, by reason.
    pub dropped: BTreeMap<String, u64>,
}

impl Counters {
    /// All at zero, for the step that people see so: `2 out.Filter`.
    pub fn at(place: Name) -> Self {
        Counters { place, ..Counters::default() }
    }

    /// The step as people see it.
    pub fn place(&self) -> &Name {
        &self.place
    }

    /// Counts records that came in.
    pub fn received(&self, n: usize) {
        self.received.fetch_add(n as u64, Ordering::Relaxed);
    }

    /// Counts records that went out.
    pub fn sent(&self, n: usize) {
        self.sent.fetch_add(n as u64, Ordering::Relaxed);
    }

    /// Counts records that the recipe asked to leave out.
    pub fn filtered(&self, n: usize) {
        self.filtered.fetch_add(n as u64, Ordering::Relaxed);
    }

    /// Counts something that went wrong and lost no record.
    pub fn error(&self) {
        self.errors.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts records that were lost. `reason` is one of a few fixed phrases, not data.
    pub fn dropped(&self, n: usize, reason: &str) {
        if n == 0 {
            return;
        }
        let mut dropped = self.dropped.lock().expect("no panic while counters are locked");
        match dropped.get_mut(reason) {
            Some(count) => *count += n as u64,
            None => {
                dropped.insert(reason.to_owned(), n as u64);
            }
        }
    }

    /// The numbers now.
    pub fn snapshot(&self) -> CountersSnapshot {
        CountersSnapshot {
            received: self.received.load(Ordering::Relaxed),
            sent: self.sent.load(Ordering::Relaxed),
            filtered: self.filtered.load(Ordering::Relaxed),
            errors: self.errors.load(Ordering::Relaxed),
            dropped: self.dropped.lock().expect("no panic while counters are locked").clone(),
        }
    }
}
