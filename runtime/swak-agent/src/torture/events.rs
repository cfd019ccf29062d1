//! What was done when, and which lines were on their way then.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::expect::Expect;
use super::fault::Fault;
use super::held::Held;

/// A fault that happened.
#[derive(Clone, Debug)]
pub(super) struct Event {
    pub(super) fault: Fault,
    /// Since the beginning.
    pub(super) at: Duration,
    /// By source: the first line that may not have been acked, and one more than the last that was
    /// written when it was over.
    pub(super) window: Vec<(u64, u64)>,
    /// By source: the first line that was sent to the life of the agent in which it happened.
    pub(super) sent_from: Vec<u64>,
    /// How many more copies of each of these lines the contract allows, and of those in `stored`.
    pub(super) copies: u64,
    /// What the last output of a failover had stored when it happened, to be sent on.
    pub(super) stored: Held,
    /// What disk buffers held when it happened: each hands that on once more.
    pub(super) held: Vec<Held>,
    /// The file that it was done to, if it was done to one.
    pub(super) source: Option<usize>,
}

impl Event {
    /// Whether a line was on its way.
    pub(super) fn covers(&self, source: usize, sequence: u64) -> bool {
        let (first, end) = self.window[source];
        (first..end).contains(&sequence)
    }

    /// Whether a line that was sent, and for which nobody answers, may be gone with the agent.
    pub(super) fn may_lose(&self, source: usize, sequence: u64) -> bool {
        let of_this_life = sequence >= self.sent_from[source];
        self.fault.may_lose_what_was_sent() && of_this_life && self.covers(source, sequence)
    }

    /// How many more copies of a line it allows.
    pub(super) fn allows(&self, source: usize, sequence: u64) -> u64 {
        let is_sent = self.covers(source, sequence) || self.stored.has(source, sequence);
        let again = if is_sent { self.copies } else { 0 };
        let held = self.held.iter().filter(|held| held.has(source, sequence)).count();
        again + held as u64
    }

    /// For programs.
    pub(super) fn to_json(&self) -> Value {
        let window = self.window.iter().map(|(first, end)| json!([first, end]));
        json!({
            "fault": self.fault.name(),
            "seconds": self.at.as_secs_f64(),
            "unacked": window.collect::<Vec<_>>(),
            "copies": self.copies,
            "held_by_buffers": self.held.iter().map(Held::lines).collect::<Vec<_>>(),
            "source": self.source,
        })
    }

    /// How many lines were on their way.
    pub(super) fn size(&self) -> u64 {
        self.window.iter().map(|(first, end)| end.saturating_sub(*first)).sum()
    }
}

/// What had come out when.
#[derive(Debug)]
pub(super) struct History {
    /// By unit and source, those of a unit beside each other.
    samples: VecDeque<(Instant, Vec<u64>)>,
    sources: usize,
}

/// Some minutes, looked at every few milliseconds.
const MOST_SAMPLES: usize = 20_000;

impl History {
    pub(super) fn new(sources: usize) -> Self {
        History { samples: VecDeque::new(), sources }
    }

    /// Forgets everything: what came out in another life of the agent says nothing of this one.
    pub(super) fn forget(&mut self) {
        self.samples.clear();
    }

    /// Notes what has come out by now.
    pub(super) fn note(&mut self, reached: Vec<u64>) {
        if self.samples.back().is_some_and(|(_, last)| *last == reached) {
            return;
        }
        if self.samples.len() == MOST_SAMPLES {
            self.samples.pop_front();
        }
        self.samples.push_back((Instant::now(), reached));
    }

    /// How many lines of each source had come out at a moment, at the least.
    pub(super) fn progress(&self, when: Option<Instant>, expects: &[&Expect]) -> Vec<u64> {
        let at = when.map(|when| self.samples.partition_point(|(time, _)| *time <= when));
        let sample = at.and_then(|at| at.checked_sub(1)).map(|at| &self.samples[at].1);
        let each = expects.iter().enumerate().map(|(source, expect)| {
            let reached =
                |unit: usize| sample.map_or(0, |reached| reached[unit * self.sources + source]);
            expect.progress(&reached)
        });
        each.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn history_tells_what_was_known_then() {
        let mut history = History::new(2);
        let before = Instant::now();
        history.note(vec![5, 6, 1, 2]);
        let between = Instant::now();
        std::thread::sleep(Duration::from_millis(1));
        history.note(vec![9, 9, 9, 9]);
        history.note(vec![9, 9, 9, 9]);
        assert_eq!(history.samples.len(), 2);
        let both = Expect::All(vec![Expect::Unit(0), Expect::Unit(1)]);
        let expects = [&both, &Expect::Unit(0)];
        let at = |when| history.progress(when, &expects);
        assert_eq!(at(Some(between)), [1, 6]);
        assert_eq!(at(Some(Instant::now())), [9, 9]);
        assert_eq!(at(before.checked_sub(Duration::from_millis(1))), [0, 0]);
        assert_eq!(at(None), [0, 0]);
        history.forget();
        assert_eq!(history.progress(Some(Instant::now()), &expects), [0, 0]);
    }

    #[test]
    fn a_window_holds_what_was_on_its_way() {
        let window = vec![(3, 5), (7, 7)];
        let event = Event {
            fault: Fault::Kill,
            at: Duration::ZERO,
            window,
            sent_from: vec![4, 0],
            copies: 1,
            stored: Held::of(vec![vec![1]]),
            held: Vec::new(),
            source: None,
        };
        assert_eq!(event.size(), 2);
        assert!(event.covers(0, 3) && event.covers(0, 4));
        assert!(!event.covers(0, 2) && !event.covers(0, 5) && !event.covers(1, 7));
        let allowed: Vec<_> = (0..6).map(|sequence| event.allows(0, sequence)).collect();
        assert_eq!(allowed, [0, 1, 0, 1, 1, 0]);
        // What an earlier life was sent is not lost with this one.
        assert!(event.may_lose(0, 4) && !event.may_lose(0, 3));
    }
}
