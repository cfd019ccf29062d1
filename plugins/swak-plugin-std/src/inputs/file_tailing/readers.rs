//! The threads that read: each takes one file at a time, gives it a few turns and hands it back, so
//! that a slow disk or a full pipeline holds up the others only as long as there are threads.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::{self, Scope};
use std::time::{Duration, Instant};

use swak_sdk::plugin::BlockingEmitter;

use super::linger::{Ear, Recall};
use super::tail::{Settings, Tail, Turn, TurnError};

/// What is to be done with a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Work {
    /// Read on.
    Read,
    /// Take the last lines of a record that may go on.
    OpenRecord,
    /// Take the last record although it may go on, or its last line has no end.
    Rest,
}

/// A file that was worked on.
pub(super) struct Done {
    pub(super) number: u64,
    pub(super) tail: Box<Tail>,
    pub(super) work: Work,
    pub(super) result: Result<Turn, TurnError>,
    /// Something was read, whatever the last turn found.
    pub(super) has_grown: bool,
}

/// Threads that read.
pub(super) struct Readers<'scope, 'env, F> {
    scope: &'scope Scope<'scope, 'env>,
    settings: &'env Settings,
    out: &'env BlockingEmitter,
    report: F,
    jobs: Sender<Job>,
    waiting: Arc<Mutex<Receiver<Job>>>,
    threads: usize,
    under_way: usize,
    recall: Recall,
}

struct Job {
    number: u64,
    tail: Box<Tail>,
    work: Work,
    may_stay: bool,
}

/// Files for which another thread is worth it.
const FILES_PER_THREAD: usize = 64;

/// Blocks that are read of a file before the next one has its turn.
const TURNS: usize = 4;

/// How long a file is read at once when no other one waits. To hand it back after each few blocks costs
/// as much as reading one.
const SPELL: Duration = Duration::from_millis(20);

impl<'scope, 'env, F> Readers<'scope, 'env, F>
where
    F: Fn(Option<Done>) + Clone + Send + 'scope,
{
    /// No thread yet. `report` is called in them with every file that was worked on, and with `None`
    /// when one ends by a panic.
    pub(super) fn new(
        scope: &'scope Scope<'scope, 'env>,
        settings: &'env Settings,
        out: &'env BlockingEmitter,
        report: F,
    ) -> Self {
        let (jobs, waiting) = channel();
        let waiting = Arc::new(Mutex::new(waiting));
        Readers {
            scope,
            settings,
            out,
            report,
            jobs,
            waiting,
            threads: 0,
            under_way: 0,
            recall: Recall::new(),
        }
    }

    /// Whether a thread is free, once there are as many as so many files deserve, up to `most`.
    pub(super) fn is_free(&mut self, files: usize, most: usize) -> bool {
        let wanted = (files / FILES_PER_THREAD + 1).min(most);
        while self.threads < wanted {
            self.threads += 1;
            let (settings, out) = (self.settings, self.out);
            let (report, waiting) = (self.report.clone(), Arc::clone(&self.waiting));
            let reading = Reading {
                settings,
                out,
                ear: Ear::new(self.recall.clone()),
                recall: self.recall.clone(),
            };
            self.scope.spawn(move || work(&waiting, reading, &report));
        }
        self.under_way < self.threads
    }

    /// Gives a file to a thread. With `may_stay` it may wait a while for more at the end of the file.
    pub(super) fn start(&mut self, number: u64, tail: Box<Tail>, work: Work, may_stay: bool) {
        self.under_way += 1;
        // The threads end after this is gone, but for a panic, which is reported.
        let _ = self.jobs.send(Job { number, tail, work, may_stay });
    }

    /// Says whether there are files whose turn it is and that no thread has.
    pub(super) fn others_wait(&self, do_wait: bool) {
        self.recall.set_wanted(do_wait);
    }

    /// A file was handed back.
    pub(super) fn finished(&mut self) {
        self.under_way -= 1;
    }
}

impl<F> Drop for Readers<'_, '_, F> {
    fn drop(&mut self) {
        // Who waits at the end of a file is to end now.
        self.recall.set_wanted(true);
    }
}

/// What a thread reads with.
struct Reading<'env> {
    settings: &'env Settings,
    out: &'env BlockingEmitter,
    ear: Ear,
    recall: Recall,
}

fn work(waiting: &Mutex<Receiver<Job>>, mut reading: Reading<'_>, report: &impl Fn(Option<Done>)) {
    let _guard = OnPanic(report);
    let Reading { settings, out, .. } = reading;
    loop {
        let job = waiting.lock().expect("no panic while a thread waits for work").recv();
        let Ok(Job { number, mut tail, work, may_stay }) = job else { break };
        let mut has_grown = false;
        let result = match work {
            Work::OpenRecord => tail.emit_open_record(settings, out).map(|()| Turn::End),
            Work::Rest => tail.emit_rest(settings, out).map(|()| Turn::End),
            Work::Read => reading.read(&mut tail, may_stay, &mut has_grown),
        };
        report(Some(Done { number, tail, work, result, has_grown }));
    }
}

impl Reading<'_> {
    fn read(
        &mut self,
        tail: &mut Tail,
        may_stay: bool,
        has_grown: &mut bool,
    ) -> Result<Turn, TurnError> {
        let (mut began, mut turns, mut stay) = (Instant::now(), 0, self.ear.stay());
        loop {
            let turn = tail.turn(self.settings, self.out)?;
            *has_grown |= matches!(turn, Turn::More | Turn::End);
            turns += 1;
            let goes_on = match turn {
                Turn::More if self.recall.is_wanted() => turns < TURNS,
                Turn::More => began.elapsed() < SPELL,
                Turn::End | Turn::Quiet if may_stay && *has_grown => {
                    let is_worth_it = stay.is_worth_a_look(&tail.path);
                    (began, turns) = (Instant::now(), 0);
                    is_worth_it
                }
                _ => false,
            };
            if !goes_on {
                return Ok(turn);
            }
        }
    }
}

/// Tells of a panic, because the file that was worked on will not come back.
struct OnPanic<'a, F: Fn(Option<Done>)>(&'a F);

impl<F: Fn(Option<Done>)> Drop for OnPanic<'_, F> {
    fn drop(&mut self) {
        if thread::panicking() {
            (self.0)(None);
        }
    }
}
