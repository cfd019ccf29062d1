//! Whether the contract was kept.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use super::events::Event;
use super::expect::Expect;
use super::fault::Fault;
use super::mark::Mark;
use super::relay::Losses;
use super::rows::Rows;
use super::session::is_met;
use super::tally::Tally;

/// What is judged.
pub(super) struct Evidence<'a> {
    pub(super) tally: &'a Tally,
    pub(super) events: &'a [Event],
    pub(super) sources: Vec<SourceEvidence<'a>>,
    /// How often each fault was done.
    pub(super) done: &'a BTreeMap<Fault, u32>,
    /// The lines before were written while it was not known whether they would be read.
    pub(super) first: &'a [u64],
    /// Whether the recipe may leave lines out.
    pub(super) filtered: bool,
}

/// What is known of a source.
pub(super) struct SourceEvidence<'a> {
    pub(super) path: PathBuf,
    /// Where its lines were to come out.
    pub(super) expect: &'a Expect,
    /// How many were written.
    pub(super) written: u64,
    /// When they may be lost.
    pub(super) losses: Losses,
}

/// What stops allow of which one did not end in time.
const CUT_SHORT: &str = "as a kill, where it took too long; else nothing";

/// What came of a run.
#[derive(Debug, Default)]
pub(super) struct Verdict {
    pub(super) sources: Vec<SourceVerdict>,
    pub(super) faults: Vec<FaultVerdict>,
    pub(super) torn: u64,
    pub(super) strange: u64,
}

/// What came of the lines of a source.
#[derive(Debug)]
pub(super) struct SourceVerdict {
    pub(super) path: PathBuf,
    pub(super) written: u64,
    /// Lines that did not come out.
    pub(super) lost: Rows,
    /// What was done when the first of them was on its way, and how long after the beginning.
    pub(super) lost_at: Option<(Fault, Duration)>,
    /// Lines that did not come out, and need not.
    pub(super) left_out: u64,
    /// Copies beyond the first.
    pub(super) doubled: u64,
    /// Lines of which copies came that no fault explains.
    pub(super) unexplained: Rows,
    /// How many copies these are.
    pub(super) unexplained_copies: u64,
    /// Lines that came out of order.
    pub(super) late: Rows,
}

/// What came of a kind of fault.
#[derive(Debug)]
pub(super) struct FaultVerdict {
    pub(super) fault: Fault,
    pub(super) done: u32,
    /// What the contract allows for what happened.
    pub(super) allows: &'static str,
    pub(super) lost: u64,
    pub(super) doubled: u64,
    /// The most lines that were on their way when it happened.
    pub(super) window: u64,
    /// When it happened first so that lines were lost.
    pub(super) first_loss: Option<Duration>,
}

impl Evidence<'_> {
    /// Whether nobody answers for a line of a source of this kind.
    fn may_be_lost(&self, losses: Losses, mark: Mark) -> bool {
        let was_sent = |event: &Event| event.may_lose(mark.source, mark.sequence);
        match losses {
            Losses::None => false,
            Losses::WhileDown => self.events.iter().any(was_sent),
            Losses::Always => true,
        }
    }
}

impl Verdict {
    /// Judges a run.
    pub(super) fn of(evidence: &Evidence<'_>) -> Self {
        let mut verdict = Verdict {
            torn: evidence.tally.torn,
            strange: evidence.tally.strange,
            ..Verdict::default()
        };
        let mut faults: BTreeMap<Fault, FaultVerdict> = BTreeMap::new();
        for (fault, done) in evidence.done {
            faults.insert(*fault, FaultVerdict::new(*fault, *done));
        }
        // What the run itself does at its end, such as a last stop, is told when something came of it.
        for event in evidence.events {
            let fault =
                faults.entry(event.fault).or_insert_with(|| FaultVerdict::new(event.fault, 0));
            fault.window = fault.window.max(event.size());
            if event.fault == Fault::Stop && event.copies > 0 {
                fault.allows = CUT_SHORT;
            }
        }
        for (source, about) in evidence.sources.iter().enumerate() {
            let mut one = SourceVerdict::new(about.path.clone(), about.written);
            for sequence in evidence.first[source]..about.written {
                let mark = Mark { source, sequence };
                if is_met(evidence.tally, about.expect, mark) {
                    continue;
                }
                if evidence.filtered || evidence.may_be_lost(about.losses, mark) {
                    one.left_out += 1;
                    continue;
                }
                one.lost.push(sequence);
                let cause = evidence.events.iter().find(|event| event.covers(source, sequence));
                one.lost_at = one.lost_at.or(cause.map(|event| (event.fault, event.at)));
                if let Some(fault) = cause.and_then(|event| faults.get_mut(&event.fault)) {
                    fault.lost += 1;
                    fault.first_loss = fault.first_loss.or(cause.map(|event| event.at));
                }
            }
            verdict.sources.push(one);
        }
        let mut late = vec![Vec::new(); verdict.sources.len()];
        for mark in evidence.tally.late() {
            late[mark.source].push(mark.sequence);
        }
        for (one, late) in verdict.sources.iter_mut().zip(late) {
            one.late = Rows::of(late);
        }
        verdict.explain_copies(evidence, &mut faults);
        verdict.faults = faults.into_values().collect();
        verdict
    }

    /// Whether the contract was kept.
    pub(super) fn holds(&self) -> bool {
        self.sources.iter().all(SourceVerdict::holds) && self.strange == 0
    }

    /// Each copy is put down to the faults that allow it, in the order in which they happened. What was on
    /// a connection is not known, and a stop that delivered all allows nothing, so that those come last.
    fn explain_copies(
        &mut self,
        evidence: &Evidence<'_>,
        faults: &mut BTreeMap<Fault, FaultVerdict>,
    ) {
        let mut unexplained = vec![Vec::new(); self.sources.len()];
        for (_, mark, copies) in evidence.tally.doubled() {
            let mut left = u64::from(copies);
            self.sources[mark.source].doubled += left;
            // A broken connection explains what no kill does, and a stop that took too long the rest.
            for turn in 0..3 {
                for event in evidence.events {
                    if left == 0 {
                        break;
                    }
                    let its_turn = match event.fault {
                        Fault::Stop => 2,
                        fault if fault.is_of_server() => 1,
                        _ => 0,
                    };
                    if turn != its_turn {
                        continue;
                    }
                    let explained = left.min(event.allows(mark.source, mark.sequence));
                    left -= explained;
                    if let Some(fault) = faults.get_mut(&event.fault) {
                        fault.doubled += explained;
                    }
                }
            }
            if left > 0 {
                self.sources[mark.source].unexplained_copies += left;
                unexplained[mark.source].push(mark.sequence);
            }
        }
        for (one, unexplained) in self.sources.iter_mut().zip(unexplained) {
            one.unexplained = Rows::of(unexplained);
        }
    }
}

impl SourceVerdict {
    /// Of lines that all came once.
    pub(super) fn new(path: PathBuf, written: u64) -> Self {
        SourceVerdict {
            path,
            written,
            lost: Rows::default(),
            lost_at: None,
            left_out: 0,
            doubled: 0,
            unexplained: Rows::default(),
            unexplained_copies: 0,
            late: Rows::default(),
        }
    }

    /// Whether the contract was kept for its lines.
    pub(super) fn holds(&self) -> bool {
        self.lost.is_empty() && self.late.is_empty() && self.unexplained_copies == 0
    }
}

impl FaultVerdict {
    fn new(fault: Fault, done: u32) -> Self {
        let allows = fault.allows();
        FaultVerdict { fault, done, allows, lost: 0, doubled: 0, window: 0, first_loss: None }
    }
}

#[cfg(test)]
mod tests {
    use super::super::held::Held;
    use super::super::rewrite::{Sink, SinkKind};
    use super::*;

    /// Ten lines were written to one source; this many copies of each have come.
    fn judge(copies: [u16; 10], events: &[Event]) -> Verdict {
        judge_sent(copies, events, Losses::None)
    }

    fn judge_sent(copies: [u16; 10], events: &[Event], losses: Losses) -> Verdict {
        let sink = Sink { name: "out.X".into(), unit: 0, kind: SinkKind::StandIn };
        let mut tally = Tally::new(1, 1, &[sink]);
        for (sequence, copies) in (0..).zip(copies) {
            (0..copies).for_each(|_| tally.arrive(0, Mark { source: 0, sequence }));
        }
        let done = [(Fault::Kill, 1)].into();
        Verdict::of(&Evidence {
            tally: &tally,
            events,
            sources: vec![SourceEvidence {
                path: "a.log".into(),
                expect: &Expect::Unit(0),
                written: 10,
                losses,
            }],
            done: &done,
            first: &[0],
            filtered: false,
        })
    }

    fn event(fault: Fault, first: u64, end: u64, copies: u64) -> Event {
        Event {
            fault,
            at: Duration::from_secs(1),
            window: vec![(first, end)],
            sent_from: vec![0],
            copies,
            stored: Held::default(),
            held: Vec::new(),
            source: None,
        }
    }

    #[test]
    fn a_run_in_which_all_came_once_holds() {
        let verdict = judge([1; 10], &[]);
        assert!(verdict.holds());
        assert_eq!(verdict.faults.len(), 1);
    }

    #[test]
    fn what_did_not_come_is_lost_and_put_down_to_a_fault() {
        let verdict = judge([1, 1, 0, 0, 1, 1, 1, 1, 0, 1], &[event(Fault::Kill, 2, 4, 1)]);
        assert!(!verdict.holds());
        assert_eq!(verdict.sources[0].lost, Rows::of(vec![2, 3, 8]));
        assert_eq!(verdict.sources[0].lost_at, Some((Fault::Kill, Duration::from_secs(1))));
        assert_eq!((verdict.faults[0].lost, verdict.faults[0].window), (2, 2));
    }

    #[test]
    fn a_kill_allows_one_more_copy_of_what_was_on_its_way() {
        let copies = [1, 1, 2, 2, 1, 1, 1, 1, 1, 1];
        let verdict = judge(copies, &[event(Fault::Kill, 2, 4, 1)]);
        assert!(verdict.holds());
        assert_eq!((verdict.faults[0].doubled, verdict.sources[0].doubled), (2, 2));
        let verdict = judge(copies, &[event(Fault::Kill, 3, 4, 1)]);
        assert_eq!((verdict.holds(), verdict.sources[0].unexplained_copies), (false, 1));
        assert_eq!(verdict.sources[0].unexplained, Rows::of(vec![2]));
        let verdict = judge([1, 1, 3, 1, 1, 1, 1, 1, 1, 1], &[event(Fault::Kill, 2, 4, 1)]);
        assert!(!verdict.holds());
    }

    #[test]
    fn an_orderly_stop_allows_none() {
        let verdict = judge([1, 1, 2, 1, 1, 1, 1, 1, 1, 1], &[event(Fault::Stop, 0, 10, 0)]);
        assert!(!verdict.holds());
    }

    #[test]
    fn what_nobody_answers_for_may_be_lost_with_the_agent() {
        let copies = [1, 1, 0, 0, 1, 1, 1, 1, 1, 1];
        let kill = [event(Fault::Kill, 2, 4, 1)];
        let judged = |events: &[Event], losses| {
            let verdict = judge_sent(copies, events, losses);
            (verdict.holds(), verdict.sources[0].left_out)
        };
        assert_eq!(judged(&kill, Losses::None), (false, 0));
        assert_eq!(judged(&kill, Losses::WhileDown), (true, 2));
        assert_eq!(judged(&[event(Fault::Kill, 3, 4, 1)], Losses::WhileDown), (false, 1));
        assert_eq!(judged(&[event(Fault::Freeze, 2, 4, 0)], Losses::WhileDown), (false, 0));
        assert_eq!(judged(&[], Losses::Always), (true, 2));
        // The windows of these are wide, and nothing goes down with them.
        for fault in [Fault::Damage, Fault::DiskFull] {
            assert_eq!(judged(&[event(fault, 0, 10, 1)], Losses::WhileDown), (false, 0), "{fault}");
        }
        // Damage lets the next kill look back to the first line, for copies alone.
        let later = Event { sent_from: vec![3], ..event(Fault::Kill, 0, 10, 1) };
        assert_eq!(judged(&[later], Losses::WhileDown), (false, 1));
    }

    #[test]
    fn copies_stand_at_a_fault_that_allows_them() {
        let copies = [1, 1, 2, 2, 2, 1, 1, 1, 1, 1];
        let stop = event(Fault::Stop, 0, 10, 1);
        let dead = event(Fault::Dead, 0, 4, 1);
        let kill = event(Fault::Kill, 0, 3, 1);
        let verdict = judge(copies, &[stop, dead, kill]);
        assert!(verdict.holds());
        let rows: Vec<_> = verdict.faults.iter().map(|one| (one.doubled, one.allows)).collect();
        let of_server = Fault::Dead.allows();
        assert_eq!(rows, [(1, Fault::Kill.allows()), (1, CUT_SHORT), (1, of_server)]);
        let verdict = judge([1; 10], &[event(Fault::Stop, 0, 10, 0)]);
        assert_eq!(verdict.faults[1].allows, "nothing");
    }
}
