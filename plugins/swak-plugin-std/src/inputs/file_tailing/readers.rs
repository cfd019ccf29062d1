//! The threads that read: each takes one file at a time, gives it a few turns and hands it back, so
//! that a slow disk or a full pipeline holds up the others only as long as there are threads.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
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
    waiting: Arc<Mutex<Receiver<Job>>>,
    threads: usize,
    under_way: usize,
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

struct Job {
    number: u64,
    tail: Box<Tail>,
    work: Work,
    manner: Manner,
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

/// Blocks that are read of a file before the next one has its turn.
const TURNS: usize = 4;

/// How long a file is read at once when no other one waits: to hand it back after each few blocks costs as
/// much as reading one, and what is known of it meanwhile is how it was before.
const SPELL: Duration = Duration::from_millis(5);

/// A file that does not grow for so long is not waited at any more.
const QUIET: Duration = Duration::from_millis(250);

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
            let reading = Reading { settings, out, do_others_wait, linger };
            self.scope.spawn(move || work(&waiting, &reading, &report));
        }
        self.under_way < self.threads
    }

    /// Gives a file to a thread. Only one at a time is waited at.
    pub(super) fn start(&mut self, number: u64, tail: Box<Tail>, work: Work, manner: Manner) {
        self.under_way += 1;
        let manner = if self.lingering.is_none() { manner } else { Manner::Once };
        if manner != Manner::Once {
            let check = Instant::now() + QUIET;
            self.lingering = Some(Lingering { number, is_recalled: false, check });
            self.linger.allow();
        }
        // The threads end after this is gone, but for a panic, which is reported.
        let _ = self.jobs.send(Job { number, tail, work, manner });
    }

    /// Says whether there are files whose turn it is and that no thread has.
    pub(super) fn others_wait(&mut self, do_wait: bool) {
        self.do_others_wait.store(do_wait, Ordering::Relaxed);
        if do_wait {
            self.recall();
        }
    }

    /// Asks for the file back that is waited at. Whether there is one, and it was not asked for before.
    pub(super) fn recall(&mut self) -> bool {
        let Some(lingering) = self.lingering.as_mut().filter(|l| !l.is_recalled) else {
            return false;
        };
        lingering.is_recalled = true;
        self.linger.recall();
        true
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

    /// A file was handed back.
    pub(super) fn finished(&mut self, number: u64) {
        self.under_way -= 1;
        self.lingering.take_if(|lingering| lingering.number == number);
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
}

fn work(waiting: &Mutex<Receiver<Job>>, reading: &Reading<'_>, report: &impl Fn(Option<Done>)) {
    let _guard = OnPanic(report);
    let Reading { settings, out, .. } = *reading;
    loop {
        let job = waiting.lock().expect("no panic while a thread waits for work").recv();
        let Ok(Job { number, mut tail, work, manner }) = job else { break };
        let (mut has_grown, mut has_lingered) = (false, false);
        let result = match work {
            Work::OpenRecord => tail.emit_open_record(settings, out).map(|()| Turn::End),
            Work::Rest => tail.emit_rest(settings, out).map(|()| Turn::End),
            Work::Read => reading.read(&mut tail, manner, &mut has_grown, &mut has_lingered),
        };
        report(Some(Done { number, tail, work, result, has_grown, has_lingered }));
    }
}

impl Reading<'_> {
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
struct OnPanic<'a, F: Fn(Option<Done>)>(&'a F);

impl<F: Fn(Option<Done>)> Drop for OnPanic<'_, F> {
    fn drop(&mut self) {
        if thread::panicking() {
            (self.0)(None);
        }
    }
}
