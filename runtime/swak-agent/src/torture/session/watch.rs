//! What is watched while faults are done.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime};

use swak_engine::books;

use super::super::events::Event;
use super::super::expect::Expect;
use super::super::fault::Fault;
use super::super::folder::files_below;
use super::super::held::{Held, held_below};
use super::super::last::left_by_last;
use super::super::mark::Mark;
use super::super::proxy::Proxy;
use super::super::relay::Losses;
use super::super::sources::{Source, locked};
use super::{MOST_PROBLEMS, Result, Session};

/// How often it is looked.
const LOOK: Duration = Duration::from_millis(20);

/// A line that has not come so long after later ones is not waited for any more.
const LOST_AFTER: Duration = Duration::from_secs(10);

/// The same for lines that may be lost: they are sent in order.
const SENT_LOST_AFTER: Duration = Duration::from_secs(1);

/// So many more of them are written at the end, to see that the last ones are lost.
const MOST_MORE: u32 = 60;

/// An agent that ends by itself more often than that is not started again.
const MOST_ENDS: u32 = 20;

/// How far it is looked for later lines.
const LATER: u64 = 5000;

/// What came out is acked, and its position stored with the next write of positions, within this time
/// at the latest.
pub(super) const GRACE: Duration = Duration::from_secs(2);

/// So many lines may have settled before others that set out earlier.
const OUT_OF_TURN: u64 = 5000;

/// So many lines may be between the agent and where they come out.
const ON_THEIR_WAY: u64 = 20_000;

impl Session {
    /// Waits and watches.
    pub(in crate::torture) fn pause(&mut self, time: Duration) -> Result {
        let until = Instant::now() + time;
        loop {
            self.watch_once()?;
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            sleep(left.min(LOOK));
        }
    }

    /// Waits for some time up to this many milliseconds.
    pub(super) fn pause_about(&mut self, most: u64) -> Result {
        let time = Duration::from_millis(self.random.within(10..most));
        self.pause(time)
    }

    /// Looks at everything once. An agent that has ended by itself is started again, and told of.
    pub(super) fn watch_once(&mut self) -> Result {
        self.read_folders()?;
        let losses: Vec<Losses> = locked(&self.sources).all.iter().map(Source::losses).collect();
        let lost_after = |source: usize| match losses[source] {
            Losses::None => LOST_AFTER,
            Losses::WhileDown | Losses::Always => SENT_LOST_AFTER,
        };
        let reached = {
            let tally = self.tally.lock().expect("no panic while the tally is locked");
            for (source, expect) in self.expects.iter().enumerate() {
                let (met, moved) = &mut self.watch.met[source];
                let before = *met;
                while is_met(&tally, expect, Mark { source, sequence: *met }) {
                    *met += 1;
                }
                // What does not come while later lines do is not waited for; it is told at the end.
                let later = (*met..*met + LATER)
                    .find(|sequence| is_met(&tally, expect, Mark { source, sequence: *sequence }));
                match later {
                    Some(later) if moved.elapsed() > lost_after(source) => *met = later,
                    Some(_) => {}
                    None => *moved = Instant::now(),
                }
                if *met > before {
                    *moved = Instant::now();
                }
            }
            tally.all_reached()
        };
        self.watch.history.note(reached);
        if let Some(failure) =
            self.writer_failure.lock().expect("no panic while it is locked").take()
        {
            return Err(failure);
        }
        self.end_outage_in_time()
    }

    /// Whether the agent still runs; one that has ended by itself is told of and started again.
    pub(super) fn revive(&mut self) -> Result {
        if let Some(status) = self.agent.ended() {
            let said = last_error(&self.agent.said());
            self.problem(format!("the agent ended by itself: {status}{said}"));
            self.after_kill(Fault::Kill)?;
            self.watch.ended += 1;
            if self.watch.ended > MOST_ENDS {
                return Err(std::io::Error::other("the agent ends by itself again and again"));
            }
            self.pause(LOOK * 10)?;
            self.start()?;
        }
        Ok(())
    }

    /// Something that is wrong beside the lines.
    pub(super) fn problem(&mut self, what: String) {
        if self.watch.problems.len() < MOST_PROBLEMS && !self.watch.problems.contains(&what) {
            self.watch.problems.push(what);
        }
    }

    /// Waits until every line has come out; whether it has. Gives up when none came for so long.
    pub(super) fn catch_up(&mut self, patience: Duration) -> Result<bool> {
        let mut last = (Instant::now(), 0);
        let (mut sent, mut more) = (Instant::now(), MOST_MORE);
        loop {
            self.pause(LOOK)?;
            if sent.elapsed() > SENT_LOST_AFTER && more > 0 {
                // The last ones may be lost, which only later ones tell.
                more -= 1;
                locked(&self.sources).write_where_lines_may_be_lost()?;
                sent = Instant::now();
            }
            self.revive()?;
            self.make_room()?;
            if self.watch.all_met() == locked(&self.sources).written() {
                return Ok(true);
            }
            let arrived = self.tally.lock().expect("no panic while the tally is locked").arrived;
            if arrived != last.1 {
                last = (Instant::now(), arrived);
            } else if last.0.elapsed() > patience {
                return Ok(false);
            }
        }
    }

    /// The first line of each source that has come out wherever it is to.
    pub(in crate::torture) fn first_come(&self) -> Vec<Option<u64>> {
        let written = locked(&self.sources).written();
        let tally = self.tally.lock().expect("no panic while the tally is locked");
        let sources = self.expects.iter().zip(written).enumerate();
        sources
            .map(|(source, (expect, written))| {
                (0..written)
                    .find(|sequence| is_met(&tally, expect, Mark { source, sequence: *sequence }))
            })
            .collect()
    }

    /// What was written before these lines need not come out.
    pub(in crate::torture) fn begin_at(&mut self, first: Vec<u64>) -> Vec<u64> {
        for (met, first) in self.watch.met.iter_mut().zip(&first) {
            met.0 = *first;
        }
        first
    }

    /// Notes a fault. `acked_until` is when what had come out was surely acked and its position
    /// stored; left out, now.
    pub(super) fn note(&mut self, fault: Fault, acked_until: Option<Option<Instant>>, copies: u64) {
        let expects: Vec<&Expect> = self.expects.iter().collect();
        let when = acked_until.unwrap_or_else(|| Some(Instant::now()));
        let known = self.watch.history.progress(when, &expects);
        let first =
            known.into_iter().zip(&self.watch.begins).map(|(known, begins)| known.max(*begins));
        let end = locked(&self.sources).written();
        let window = first.zip(end).collect();
        self.watch.events.push(Event {
            fault,
            at: self.watch.began.elapsed(),
            window,
            sent_from: self.watch.sent_from.clone(),
            copies,
            stored: Held::default(),
            held: Vec::new(),
            source: None,
        });
    }

    /// As [`Session::note`], of an agent that is down and begins again from what was acked.
    pub(super) fn note_end(&mut self, fault: Fault, acked_until: Option<Instant>) -> Result {
        self.note(fault, Some(acked_until), 1);
        let settled = self.settled_by_the_books();
        let event = self.watch.events.last_mut().expect("it was noted just now");
        if let ([(first, end)], Some(settled)) = (&mut *event.window, settled) {
            *first = settled.min(*end).max(*first);
        }
        self.begins_at_last_event();
        self.watch.begins_again = true;
        locked(&self.sources).set_down(true);
        self.proxies.iter().for_each(Proxy::close_all);
        // What a receiver has taken already comes out within this time.
        sleep(LOOK * 5);
        self.read_folders()?;
        let may_be_out = self.may_be_out();
        let mut held = held_below(&[&self.data, &self.buffers], &may_be_out)?;
        // Of what is sent on, the piece that was under way comes once more.
        held.push(left_by_last(&self.lasts, self.expects.len(), true)?);
        self.watch.events.last_mut().expect("it was noted just now").held = held;
        Ok(())
    }

    /// How many lines of the one source were surely not on their way when the ledger of the one task was
    /// stored with its positions. Nothing is known where several files or tasks share the count, or
    /// where damage let lines be read twice.
    fn settled_by_the_books(&self) -> Option<u64> {
        let is_damaged = self.watch.events.iter().any(|event| event.fault == Fault::Damage);
        if self.expects.len() != 1 || is_damaged {
            return None;
        }
        let books = books::read_all(&self.data).ok()?;
        let [one] = &*books else { return None };
        let sheet = &one.sheet;
        let under_way = sheet.in_flight + sheet.in_flight_once;
        // Batches need not settle in their order, but a position waits for the first.
        let unsettled = sheet.again.records + 2 * under_way.records + OUT_OF_TURN;
        sheet.received.records.checked_sub(unsettled)
    }

    /// By source: the lines before these may have come out by now, with what is on its way.
    pub(super) fn may_be_out(&self) -> Vec<u64> {
        let tally = self.tally.lock().expect("no panic while the tally is locked");
        (0..self.expects.len()).map(|source| tally.greatest(source) + ON_THEIR_WAY).collect()
    }

    /// The next life of the agent begins with what was unacked at the last event, or later.
    pub(super) fn begins_at_last_event(&mut self) {
        let event = self.watch.events.last().expect("it was noted just now");
        self.watch.begins = event.window.iter().map(|(first, _)| *first).collect();
        let sources = locked(&self.sources);
        self.watch.sent_from = sources.all.iter().map(Source::first_unsent).collect();
    }

    /// An agent that was down runs again.
    pub(super) fn note_start(&mut self) {
        locked(&self.sources).set_down(false);
        if std::mem::take(&mut self.watch.begins_again) {
            let mut tally = self.tally.lock().expect("no panic while the tally is locked");
            tally.begin_again(&self.watch.begins);
            self.watch.history.forget();
        }
    }

    /// Whether positions were ever stored.
    pub(in crate::torture) fn has_positions(&self) -> bool {
        let files = files_below(&self.data).unwrap_or_default();
        files.iter().any(|path| path.ends_with("state"))
    }

    /// When the positions were stored for the last time, less what an ack may take to get there.
    pub(super) fn positions_stored(&self) -> Option<Instant> {
        // Of each task the youngest of its files, of all tasks the one that was stored first.
        let mut ages: BTreeMap<PathBuf, Duration> = BTreeMap::new();
        for path in files_below(&self.data).ok()? {
            // What could not be written whole is not stored.
            let folder = path.parent().filter(|_| !path.ends_with("state.new"));
            let folder = folder.filter(|folder| **folder != self.data);
            let changed = path.metadata().and_then(|about| about.modified());
            if let (Some(folder), Ok(changed)) = (folder, changed) {
                let age = SystemTime::now().duration_since(changed).unwrap_or_default();
                let known = ages.entry(folder.to_owned()).or_insert(age);
                *known = age.min(*known);
            }
        }
        let age = ages.into_values().max()?;
        let stored = Instant::now().checked_sub(age + GRACE)?;
        // What came out while acks were held up was not acked within that time.
        let now = Instant::now();
        let outage = self.watch.outage.as_ref().map(|outage| (outage.began, now));
        let full = self.watch.full_since.map(|began| (began, now));
        let mut until = stored;
        // From the last one: it may lead into the one before.
        for (began, ended) in self.watch.held_up.iter().copied().chain(outage).chain(full).rev() {
            if until <= ended {
                until = until.min(began.checked_sub(GRACE)?);
            }
        }
        Some(until)
    }

    fn read_folders(&mut self) -> Result {
        if self.watch.full_since.is_some() {
            return Ok(());
        }
        for (sink, folder) in &mut self.folders {
            let tally = &self.tally;
            let mut arrived = Vec::new();
            let torn = folder.read_new(|mark| arrived.push(mark))?;
            let mut tally = tally.lock().expect("no panic while the tally is locked");
            arrived.into_iter().for_each(|mark| tally.arrive(*sink, mark));
            tally.torn += torn;
        }
        Ok(())
    }
}

/// Whether a line has come out wherever it is to.
pub(in crate::torture) fn is_met(
    tally: &super::super::tally::Tally,
    expect: &Expect,
    mark: Mark,
) -> bool {
    expect.is_met(&|unit| tally.copies(unit, mark) > 0)
}

/// The last error or panic in a log, as a clause.
pub(super) fn last_error(said: &str) -> String {
    let is_error = |line: &&str| {
        line.contains(" ERROR ") || line.starts_with("error") || line.contains("panicked")
    };
    said.lines().rfind(is_error).map_or_else(String::new, |line| format!(": {}", line.trim()))
}
