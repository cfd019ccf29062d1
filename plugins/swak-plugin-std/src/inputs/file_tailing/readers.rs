//! The threads that read: each takes one file at a time, gives it a few turns and hands it back, so
//! that a slow disk or a full pipeline holds up the others only as long as there are threads.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::{self, Scope};
use std::time::{Duration, Instant};

use swak_sdk::plugin::BlockingEmitter;

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
    /// Whether there are files whose turn it is and that no thread has.
    do_others_wait: Arc<AtomicBool>,
}

struct Job {
    number: u64,
    tail: Box<Tail>,
    work: Work,
}

/// Files for which another thread is worth it.
const FILES_PER_THREAD: usize = 64;

/// Blocks that are read of a file before the next one has its turn.
const TURNS: usize = 4;

/// How long a file is read at once when no other one waits: to hand it back after each few blocks costs as
/// much as reading one, and what is known of it meanwhile is how it was before.
const SPELL: Duration = Duration::from_millis(5);

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
            do_others_wait: Arc::default(),
        }
    }

    /// Whether a thread is free, once there are as many as so many files deserve, up to `most`.
    pub(super) fn is_free(&mut self, files: usize, most: usize) -> bool {
        let wanted = (files / FILES_PER_THREAD + 1).min(most);
        while self.threads < wanted {
            self.threads += 1;
            let (settings, out) = (self.settings, self.out);
            let (report, waiting) = (self.report.clone(), Arc::clone(&self.waiting));
            let do_others_wait = Arc::clone(&self.do_others_wait);
            let reading = Reading { settings, out, do_others_wait };
            self.scope.spawn(move || work(&waiting, &reading, &report));
        }
        self.under_way < self.threads
    }

    /// Gives a file to a thread.
    pub(super) fn start(&mut self, number: u64, tail: Box<Tail>, work: Work) {
        self.under_way += 1;
        // The threads end after this is gone, but for a panic, which is reported.
        let _ = self.jobs.send(Job { number, tail, work });
    }

    /// Says whether there are files whose turn it is and that no thread has.
    pub(super) fn others_wait(&self, do_wait: bool) {
        self.do_others_wait.store(do_wait, Ordering::Relaxed);
    }

    /// A file was handed back.
    pub(super) fn finished(&mut self) {
        self.under_way -= 1;
    }
}

/// What a thread reads with.
struct Reading<'env> {
    settings: &'env Settings,
    out: &'env BlockingEmitter,
    do_others_wait: Arc<AtomicBool>,
}

fn work(waiting: &Mutex<Receiver<Job>>, reading: &Reading<'_>, report: &impl Fn(Option<Done>)) {
    let _guard = OnPanic(report);
    let Reading { settings, out, .. } = *reading;
    loop {
        let job = waiting.lock().expect("no panic while a thread waits for work").recv();
        let Ok(Job { number, mut tail, work }) = job else { break };
        let mut has_grown = false;
        let result = match work {
            Work::OpenRecord => tail.emit_open_record(settings, out).map(|()| Turn::End),
            Work::Rest => tail.emit_rest(settings, out).map(|()| Turn::End),
            Work::Read => reading.read(&mut tail, &mut has_grown),
        };
        report(Some(Done { number, tail, work, result, has_grown }));
    }
}

impl Reading<'_> {
    fn read(&self, tail: &mut Tail, has_grown: &mut bool) -> Result<Turn, TurnError> {
        let began = Instant::now();
        let mut turns = 0;
        loop {
            let turn = tail.turn(self.settings, self.out)?;
            *has_grown |= matches!(turn, Turn::More | Turn::End);
            turns += 1;
            let is_over = || match self.do_others_wait.load(Ordering::Relaxed) {
                true => turns >= TURNS,
                false => began.elapsed() >= SPELL,
            };
            if turn != Turn::More || is_over() {
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
