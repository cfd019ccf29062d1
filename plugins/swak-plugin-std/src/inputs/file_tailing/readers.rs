//! The threads that read: each takes a file from those that wait, gives it a few turns and hands it back, so
//! that a slow disk or a full pipeline holds up the others only once it has all threads.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
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
    jobs: Sender<Job>,
    shared: Arc<Shared>,
    threads: usize,
    /// Files that were given to the threads and are not back.
    away: usize,
    lingering: Option<Lingering>,
}

/// What the threads have in common with who gives them files.
struct Shared {
    jobs: Mutex<Receiver<Job>>,
    /// Files that were given to the threads and that none has taken yet.
    queued: AtomicUsize,
    done: Mutex<Vec<Done>>,
    /// Whether there are files whose turn it is and that were not given to the threads.
    do_others_wait: AtomicBool,
    linger: Linger,
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

/// Files that are given to a thread at once, and after which it is told that they are done.
const MOST_AT_ONCE: usize = 16;

/// How long a file that is done may stay untold, when its thread is held up by the next one.
const UNTOLD: Duration = Duration::from_millis(100);

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
    /// No thread yet. `report` is called in them with `true` when files were worked on and no other one is
    /// taken, or many were, which are then among [`Readers::done`], and with `false` when one ends by a panic.
    pub(super) fn new(
        scope: &'scope Scope<'scope, 'env>,
        settings: &'env Settings,
        out: &'env BlockingEmitter,
        report: F,
    ) -> Self {
        let (jobs, waiting) = channel();
        let shared = Shared {
            jobs: Mutex::new(waiting),
            queued: AtomicUsize::new(0),
            done: Mutex::default(),
            do_others_wait: AtomicBool::new(false),
            linger: Linger::default(),
        };
        let shared = Arc::new(shared);
        Readers { scope, settings, out, report, jobs, shared, threads: 0, away: 0, lingering: None }
    }

    /// Lets there be as many threads as so many files deserve, up to `most`.
    pub(super) fn grow(&mut self, files: usize, most: usize) {
        let wanted = (files / FILES_PER_THREAD + 1).min(most);
        while self.threads < wanted {
            self.threads += 1;
            let (settings, out, report) = (self.settings, self.out, self.report.clone());
            let reading = Reading { settings, out, shared: Arc::clone(&self.shared) };
            self.scope.spawn(move || reading.run(&report));
        }
    }

    /// How many of so many files, whose turn it is, are given to the threads now: to give them each by itself
    /// takes about as long as to read a block.
    pub(super) fn room(&self, files: usize) -> usize {
        let share = (files / (2 * self.threads.max(1))).clamp(1, MOST_AT_ONCE);
        (share * self.threads).saturating_sub(self.away)
    }

    /// Gives files to the threads. Only one at a time is waited at, and only if no other needs its thread.
    pub(super) fn start(&mut self, jobs: Vec<Job>) {
        self.away += jobs.len();
        let has_each_a_thread = self.away <= self.threads;
        self.shared.queued.fetch_add(jobs.len(), Ordering::Relaxed);
        for mut job in jobs {
            if !has_each_a_thread || self.lingering.is_some() {
                job.manner = Manner::Once;
            } else if job.manner != Manner::Once {
                let check = Instant::now() + QUIET;
                self.lingering = Some(Lingering { number: job.number, is_recalled: false, check });
                self.shared.linger.allow();
            }
            self.jobs.send(job).expect("who takes it is shared with the threads");
        }
    }

    /// Says whether there are files whose turn it is and that were not given to the threads.
    pub(super) fn others_wait(&mut self, do_wait: bool) {
        self.shared.do_others_wait.store(do_wait, Ordering::Relaxed);
        if do_wait || self.away > self.threads {
            self.recall();
        }
    }

    /// Asks for the file back that is waited at, or will be. Which one, if it was not asked for before.
    pub(super) fn recall(&mut self) -> Option<u64> {
        let lingering = self.lingering.as_mut().filter(|lingering| !lingering.is_recalled)?;
        lingering.is_recalled = true;
        self.shared.linger.recall();
        Some(lingering.number)
    }

    /// Asks for the file back that is waited at if it is quiet, and says when to look again.
    pub(super) fn check_lingering(&mut self, now: Instant) -> Option<Instant> {
        let lingering = self.lingering.as_mut().filter(|lingering| !lingering.is_recalled)?;
        if now < lingering.check {
            return Some(lingering.check);
        }
        lingering.check = now + QUIET;
        let next = self.shared.linger.has_grown().then_some(lingering.check);
        if next.is_none() {
            self.recall();
        }
        next
    }

    /// When to ask at the latest what is done, if that may not be told.
    pub(super) fn check_done(&self, now: Instant) -> Option<Instant> {
        // In this order: what is done after the second look, with nothing queued at the first one, is told.
        let is_untold = self.shared.is_any_queued() || !self.shared.done().is_empty();
        is_untold.then(|| now + UNTOLD)
    }

    /// The files that were handed back since this was asked last.
    pub(super) fn done(&mut self) -> Vec<Done> {
        let done = std::mem::take(&mut *self.shared.done());
        self.away -= done.len();
        let is_back = |number| done.iter().any(|done| done.number == number);
        self.lingering.take_if(|lingering| is_back(lingering.number));
        done
    }
}

impl<F> Drop for Readers<'_, '_, F> {
    fn drop(&mut self) {
        // Who waits at the end of a file is to end now.
        self.shared.linger.recall();
    }
}

impl Shared {
    /// The next file, once there is one. `None` when there will be no more.
    fn take(&self) -> Option<Job> {
        let jobs = self.jobs.lock().expect("no panic while a thread waits for work");
        let job = jobs.recv().ok()?;
        self.queued.fetch_sub(1, Ordering::Relaxed);
        Some(job)
    }

    fn done(&self) -> MutexGuard<'_, Vec<Done>> {
        self.done.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands a file back. Whether it is to be told: to wake up who keeps the files for each one takes about
    /// as long as to read a block.
    fn hand_back(&self, file: Done) -> bool {
        let mut done = self.done();
        done.push(file);
        done.len().is_multiple_of(MOST_AT_ONCE) || !self.is_any_queued()
    }

    fn is_any_queued(&self) -> bool {
        self.queued.load(Ordering::Relaxed) > 0
    }

    /// Whether another file needs the thread.
    fn do_others_wait(&self) -> bool {
        self.do_others_wait.load(Ordering::Relaxed) || self.is_any_queued()
    }
}

/// What a thread reads with.
struct Reading<'env> {
    settings: &'env Settings,
    out: &'env BlockingEmitter,
    shared: Arc<Shared>,
}

impl Reading<'_> {
    /// Works on files until there will be no more.
    fn run(&self, report: &impl Fn(bool)) {
        let _guard = OnPanic(report);
        while let Some(job) = self.shared.take() {
            let done = self.work(job);
            if self.shared.hand_back(done) {
                report(true);
            }
        }
    }

    fn work(&self, job: Job) -> Done {
        let Job { number, mut tail, work, manner } = job;
        let (mut has_grown, mut has_lingered) = (false, false);
        let result = match work {
            Work::OpenRecord => tail.emit_open_record(self.settings, self.out).map(|()| Turn::End),
            Work::Rest => tail.emit_rest(self.settings, self.out).map(|()| Turn::End),
            Work::Read => self.read(&mut tail, manner, &mut has_grown, &mut has_lingered),
        };
        Done { number, tail, work, result, has_grown, has_lingered }
    }

    fn read(
        &self,
        tail: &mut Tail,
        manner: Manner,
        has_grown: &mut bool,
        has_lingered: &mut bool,
    ) -> Result<Turn, TurnError> {
        let mut stay = (manner != Manner::Once).then(|| self.shared.linger.stay());
        let (mut began, mut turns) = (Instant::now(), 0);
        loop {
            let turn = tail.turn(self.settings, self.out)?;
            if matches!(turn, Turn::More | Turn::End) {
                *has_grown = true;
                if stay.is_some() {
                    self.shared.linger.grew();
                }
            }
            turns += 1;
            let goes_on = match (&turn, &mut stay) {
                (Turn::More, _) => match self.shared.do_others_wait() {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inputs::file_tailing::harness::Still;

    #[test]
    fn a_file_that_holds_up_its_reader_holds_up_no_other_file() {
        let (still, taker) = Still::full();
        let follower = still.follower();
        let mut found = vec![still.write_much("0")];
        found.extend((1..16).map(|number| still.write(&number.to_string(), "")));
        let jobs = found.into_iter().zip(0..).map(|(found, number)| {
            let tail = Box::new(Tail::new(found, "a.log", number.to_string()));
            Job { number, tail, work: Work::Read, manner: Manner::Once }
        });
        let (report, reports) = channel();
        thread::scope(|scope| {
            let _taker = taker;
            let report = move |is_well| report.send(is_well).unwrap();
            let mut readers = Readers::new(scope, follower.settings, follower.out, report);
            readers.grow(2 * FILES_PER_THREAD, 2);
            readers.start(jobs.collect());
            let mut done = Vec::new();
            while done.len() < 15 {
                reports.recv_timeout(Duration::from_secs(60)).expect("the other thread reads them");
                for Done { number, tail, work, .. } in readers.done() {
                    match number {
                        // It may come back once, after the block that nobody has to take.
                        0 => readers.start(vec![Job { number, tail, work, manner: Manner::Once }]),
                        number => done.push(number),
                    }
                }
            }
            done.sort_unstable();
            assert_eq!(done, Vec::from_iter(1..16));
        });
    }
}
