//! The threads that read: each takes a file, or some where many wait, gives each a few turns and hands them
//! back, so that a slow disk or a full pipeline holds up the others only as long as there are threads.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, Scope};
use std::time::{Duration, Instant};

use swak_sdk::plugin::BlockingEmitter;

use super::linger::Linger;
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
    /// It was waited at its end for more.
    pub(super) has_lingered: bool,
}

/// Threads that read.
pub(super) struct Readers<'scope, 'env, F> {
    scope: &'scope Scope<'scope, 'env>,
    settings: &'env Settings,
    out: &'env BlockingEmitter,
    report: F,
    jobs: Sender<Vec<Job>>,
    waiting: Arc<Mutex<Receiver<Vec<Job>>>>,
    done: Arc<Mutex<Vec<Done>>>,
    threads: usize,
    /// Threads that have something to do.
    busy: usize,
    /// Whether there are files whose turn it is and that no thread has.
    do_others_wait: Arc<AtomicBool>,
    linger: Arc<Linger>,
    lingering: Option<Lingering>,
}

/// A file at whose end may be waited for more.
struct Lingering {
    number: u64,
    is_recalled: bool,
    /// When it is looked whether it is still busy.
    check: Instant,
}

/// What is to be done with which file.
pub(super) struct Job {
    pub(super) number: u64,
    pub(super) tail: Box<Tail>,
    pub(super) work: Work,
    pub(super) manner: Manner,
}

/// What becomes of a file whose end is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manner {
    /// It is handed back.
    Once,
    /// More is waited for if it has grown.
    IfGrown,
    /// More is waited for.
    Busy,
}

/// Files for which another thread is worth it.
const FILES_PER_THREAD: usize = 64;

/// Files that a thread has at once.
const MOST_AT_ONCE: usize = 16;

/// Blocks that are read of a file before the next one has its turn.
const TURNS: usize = 4;

/// How long a file is read at once when no other one waits: to hand it back after each few blocks costs as
/// much as reading one, and what is known of it meanwhile is how it was before.
const SPELL: Duration = Duration::from_millis(5);

/// A file that does not grow for so long is not waited at any more.
const QUIET: Duration = Duration::from_millis(250);

impl<'scope, 'env, F> Readers<'scope, 'env, F>
where
    F: Fn(bool) + Clone + Send + 'scope,
{
    /// No thread yet. `report` is called in them with `true` when files were worked on, which are then among
    /// [`Readers::done`], and with `false` when one ends by a panic.
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
            done: Arc::default(),
            threads: 0,
            busy: 0,
            do_others_wait: Arc::default(),
            linger: Arc::default(),
            lingering: None,
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
            let linger = Arc::clone(&self.linger);
            let done = Arc::clone(&self.done);
            let reading = Reading { settings, out, do_others_wait, linger, done };
            self.scope.spawn(move || work(&waiting, &reading, &report));
        }
        self.busy < self.threads
    }

    /// How many of so many files a thread is given at once: to give it each by itself takes about as long as
    /// to read a block.
    pub(super) fn share(&self, files: usize) -> usize {
        (files / (2 * self.threads.max(1))).clamp(1, MOST_AT_ONCE)
    }

    /// Gives files to a thread. Only one at a time is waited at, and only by a thread that has no other.
    pub(super) fn start(&mut self, mut jobs: Vec<Job>) {
        if jobs.is_empty() {
            return;
        }
        self.busy += 1;
        match &mut jobs[..] {
            [Job { number, manner, .. }] if *manner != Manner::Once && self.lingering.is_none() => {
                let check = Instant::now() + QUIET;
                self.lingering = Some(Lingering { number: *number, is_recalled: false, check });
                self.linger.allow();
            }
            jobs => jobs.iter_mut().for_each(|job| job.manner = Manner::Once),
        }
        // The threads end after this is gone, but for a panic, which is reported.
        let _ = self.jobs.send(jobs);
    }

    /// Says whether there are files whose turn it is and that no thread has.
    pub(super) fn others_wait(&mut self, do_wait: bool) {
        self.do_others_wait.store(do_wait, Ordering::Relaxed);
        if do_wait {
            self.recall();
        }
    }

    /// Asks for the file back that is waited at, or will be. Which one, if it was not asked for before.
    pub(super) fn recall(&mut self) -> Option<u64> {
        let lingering = self.lingering.as_mut().filter(|lingering| !lingering.is_recalled)?;
        lingering.is_recalled = true;
        self.linger.recall();
        Some(lingering.number)
    }

    /// Asks for the file back that is waited at if it is quiet, and says when to look again.
    pub(super) fn check_lingering(&mut self, now: Instant) -> Option<Instant> {
        let lingering = self.lingering.as_mut().filter(|lingering| !lingering.is_recalled)?;
        if now < lingering.check {
            return Some(lingering.check);
        }
        lingering.check = now + QUIET;
        let next = self.linger.has_grown().then_some(lingering.check);
        if next.is_none() {
            self.recall();
        }
        next
    }

    /// A thread has done with all that it had.
    pub(super) fn finished(&mut self) {
        self.busy -= 1;
    }

    /// The files that were handed back since this was asked last.
    pub(super) fn done(&mut self) -> Vec<Done> {
        let done = std::mem::take(&mut *self.done.lock().unwrap_or_else(PoisonError::into_inner));
        let is_back = |number| done.iter().any(|done| done.number == number);
        self.lingering.take_if(|lingering| is_back(lingering.number));
        done
    }
}

impl<F> Drop for Readers<'_, '_, F> {
    fn drop(&mut self) {
        // Who waits at the end of a file is to end now.
        self.linger.recall();
    }
}

/// What a thread reads with.
struct Reading<'env> {
    settings: &'env Settings,
    out: &'env BlockingEmitter,
    do_others_wait: Arc<AtomicBool>,
    linger: Arc<Linger>,
    done: Arc<Mutex<Vec<Done>>>,
}

fn work(waiting: &Mutex<Receiver<Vec<Job>>>, reading: &Reading<'_>, report: &impl Fn(bool)) {
    let _guard = OnPanic(report);
    loop {
        let jobs = waiting.lock().expect("no panic while a thread waits for work").recv();
        let Ok(jobs) = jobs else { break };
        let mut left = jobs.len();
        for job in jobs {
            left -= 1;
            let done = reading.work(job, left > 0);
            reading.done.lock().unwrap_or_else(PoisonError::into_inner).push(done);
        }
        report(true);
    }
}

impl Reading<'_> {
    /// Works on a file; with `is_waited_for` it has others after it.
    fn work(&self, job: Job, is_waited_for: bool) -> Done {
        let Job { number, mut tail, work, manner } = job;
        let (mut has_grown, mut has_lingered) = (false, false);
        let result = match work {
            Work::OpenRecord => tail.emit_open_record(self.settings, self.out).map(|()| Turn::End),
            Work::Rest => tail.emit_rest(self.settings, self.out).map(|()| Turn::End),
            Work::Read if is_waited_for => self.read_some(&mut tail, &mut has_grown),
            Work::Read => self.read(&mut tail, manner, &mut has_grown, &mut has_lingered),
        };
        Done { number, tail, work, result, has_grown, has_lingered }
    }

    /// Reads a few blocks.
    fn read_some(&self, tail: &mut Tail, has_grown: &mut bool) -> Result<Turn, TurnError> {
        for turns in 1.. {
            let turn = tail.turn(self.settings, self.out)?;
            *has_grown |= matches!(turn, Turn::More | Turn::End);
            if turn != Turn::More || turns >= TURNS {
                return Ok(turn);
            }
        }
        Ok(Turn::More)
    }

    fn read(
        &self,
        tail: &mut Tail,
        manner: Manner,
        has_grown: &mut bool,
        has_lingered: &mut bool,
    ) -> Result<Turn, TurnError> {
        let mut stay = (manner != Manner::Once).then(|| self.linger.stay());
        let (mut began, mut turns) = (Instant::now(), 0);
        loop {
            let turn = tail.turn(self.settings, self.out)?;
            if matches!(turn, Turn::More | Turn::End) {
                *has_grown = true;
                if stay.is_some() {
                    self.linger.grew();
                }
            }
            turns += 1;
            let goes_on = match (&turn, &mut stay) {
                (Turn::More, _) => match self.do_others_wait.load(Ordering::Relaxed) {
                    true => turns < TURNS,
                    false => began.elapsed() < SPELL,
                },
                (Turn::End | Turn::Quiet, Some(stay))
                    if (*has_grown || manner == Manner::Busy) && tail.is_heard() =>
                {
                    *has_lingered = true;
                    let is_worth_a_look = stay.is_worth_a_look(&tail.path);
                    (began, turns) = (Instant::now(), 0);
                    is_worth_a_look
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
struct OnPanic<'a, F: Fn(bool)>(&'a F);

impl<F: Fn(bool)> Drop for OnPanic<'_, F> {
    fn drop(&mut self) {
        if thread::panicking() {
            (self.0)(false);
        }
    }
}
