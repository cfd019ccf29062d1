//! All files of one input: whose turn it is, and what becomes of what the readers find.
//!
//! One thread keeps the files and never reads or waits for the pipeline itself, so that it notices what
//! happens to them whatever holds up the readers.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use swak_sdk::plugin::{BlockingEmitter, Shutdown, Stopped};

use super::budget;
use super::discover::Discovery;
use super::flux::Flux;
use super::followed::{Followed, SELDOM};
use super::parked::Parked;
use super::readers::{Job, Manner, Readers, Work};
use super::rotated::{Rotations, Targets};
use super::tail::Settings;
use super::waiting::Waiting;
use super::watch::{Hint, Told, Watch};
use crate::identity::FileId;

/// How files are followed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// Go on when the ends of all files are reached.
    pub(super) follow: bool,
    /// Files that are there at the very first start are read from their end on.
    pub(super) skip_present: bool,
    /// How soon a file that just grew is looked at again, where the system does not tell of it.
    pub(super) poll: Duration,
    /// How long small writes are gathered where the system tells of them.
    pub(super) gather: Duration,
    /// How often to look for new and renamed files, and at files that are quiet.
    pub(super) rescan: Duration,
    /// How long a file that was renamed or deleted is still read.
    pub(super) rotate_wait: Duration,
    /// How long a last line may stay without an end before it is taken as it is.
    pub(super) last_line_wait: Option<Duration>,
    /// How long a record of several lines waits for its next line.
    pub(super) record_wait: Option<Duration>,
    /// Threads that read, at the most.
    pub(super) threads: usize,
}

/// Follows all files of one input.
pub(super) struct Follower<'a> {
    pub(super) settings: &'a Settings,
    pub(super) pace: Pace,
    pub(super) out: &'a BlockingEmitter,
    pub(super) discovery: Discovery,
    pub(super) rotations: Rotations,
    /// By number, in the order in which they were found.
    pub(super) files: BTreeMap<u64, Followed>,
    pub(super) by_id: HashMap<FileId, u64>,
    pub(super) next_number: u64,
    pub(super) next_place: u64,
    /// The file of each source that is to be read last.
    pub(super) last_of: HashMap<String, u64>,
    pub(super) parked: Parked<'a>,
    /// Sources whose rotated files are not old history, and when something of them was last there.
    pub(super) known: HashMap<PathBuf, Instant>,
    /// Where sources lie that are symbolic links.
    pub(super) targets: Targets,
    pub(super) waiting: Waiting,
    /// Files that could not be opened, so that each is reported once.
    pub(super) unreadable: HashSet<FileId>,
    /// Files that hold something else than what was read of them, until they are followed, and when they
    /// had been written to as that was found.
    pub(super) begun_anew: HashMap<FileId, Option<i64>>,
    began: Instant,
    pub(super) next_scan: Instant,
    /// The file that a look waits for.
    pub(super) waits_for: Option<u64>,
    pub(super) scanned: bool,
    pub(super) is_first_start: bool,
    /// Since when files are being renamed.
    pub(super) in_flux: Option<Instant>,
    /// In which folders.
    pub(super) flux: Flux,
    /// Whose turn it is.
    pub(super) ready: VecDeque<u64>,
    /// When it is whose turn.
    pub(super) due: BTreeSet<(Instant, u64)>,
    /// Files that have nothing to read, the longest so first: their descriptors are given up first.
    pub(super) quiet: VecDeque<u64>,
    /// Compressed files that wait until others are read.
    pub(super) later: VecDeque<u64>,
    /// Files that grew when they were looked at last.
    pub(super) active: u32,
    pub(super) watch: Watch,
}

/// What the thread that keeps the files is told.
enum Message {
    /// Readers have done with files; `false` when one ended by a panic.
    Read(bool),
    /// Something happened to a file or a folder.
    Told(Told),
    /// It is time to stop.
    Stop,
}

/// Each file that grows is looked at so much less often for each other one: looking has a price too.
const SHARE: Duration = Duration::from_micros(200);

/// How long a look waits for the file that a reader waits at; one that is being written elsewhere just then
/// may take longer.
const WAY_BACK: Duration = Duration::from_millis(10);

/// The longest sleep when nothing wakes us up to stop.
const DEAF: Duration = Duration::from_millis(100);

impl<'a> Follower<'a> {
    /// Nothing is looked at yet.
    pub(super) fn new(
        settings: &'a Settings,
        pace: Pace,
        discovery: Discovery,
        rotations: Rotations,
        out: &'a BlockingEmitter,
    ) -> Self {
        let (parked, is_first_start) = Parked::restore(out.checkpoints());
        Follower {
            settings,
            pace,
            out,
            known: parked.sources().map(|source| (PathBuf::from(source), Instant::now())).collect(),
            targets: Targets::new(),
            discovery,
            rotations,
            files: BTreeMap::new(),
            by_id: HashMap::new(),
            next_number: 0,
            next_place: 0,
            last_of: HashMap::new(),
            parked,
            waiting: Waiting::default(),
            unreadable: HashSet::new(),
            begun_anew: HashMap::new(),
            began: Instant::now(),
            next_scan: Instant::now(),
            waits_for: None,
            scanned: false,
            in_flux: None,
            flux: Flux::default(),
            is_first_start,
            ready: VecDeque::new(),
            due: BTreeSet::new(),
            quiet: VecDeque::new(),
            later: VecDeque::new(),
            active: 0,
            watch: Watch::none(),
        }
    }

    /// Follows until it is time to stop, or until all ends are reached if that is asked for.
    pub(super) fn run(mut self, shutdown: &Shutdown) -> Result<(), Stopped> {
        let (sender, inbox) = channel();
        let _stop = wake_to_stop(shutdown, sender.clone());
        if self.pace.follow {
            let sender = sender.clone();
            self.watch = Watch::new(move |told| sender.send(Message::Told(told)).is_ok());
        }
        thread::scope(|scope| {
            // A reader that outlives this thread has nobody to report to.
            let report = move |is_well| drop(sender.send(Message::Read(is_well)));
            let mut readers = Readers::new(scope, self.settings, self.out, report);
            self.scan();
            if self.files.is_empty() && self.scanned {
                tracing::warn!("no file matches yet: {}", self.discovery.patterns());
            }
            while !shutdown.is_triggered() {
                let is_due = self.looks_again() && Instant::now() >= self.next_scan;
                if is_due && !self.recall(&mut readers) {
                    self.scan();
                }
                self.dispatch(&mut readers);
                if self.files.is_empty() && !self.pace.follow {
                    break;
                }
                if !self.wait(&inbox, &mut readers)? {
                    break;
                }
            }
            Ok(())
        })
    }

    /// Whether files are looked for once more: to follow them, or to find out what became of one that
    /// was truncated while it was read.
    fn looks_again(&self) -> bool {
        self.pace.follow || self.files.values().any(|file| file.is_held)
    }

    /// Asks for the file back that a reader waits at, so that it is known how it is while the folders are
    /// looked at. Whether the look waits for it: it does so once, as a file that is caught up is given away
    /// again and again, and what is made and deleted meanwhile is never seen.
    fn recall<'scope, F>(&mut self, readers: &mut Readers<'scope, '_, F>) -> bool
    where
        F: Fn(bool) + Clone + Send + 'scope,
    {
        if self.waits_for.take().is_some() {
            return false;
        }
        self.waits_for = readers.recall();
        if self.waits_for.is_some() {
            self.next_scan = Instant::now() + WAY_BACK;
        }
        self.waits_for.is_some()
    }

    /// How long small writes are gathered.
    pub(super) fn gather(&self) -> Duration {
        match self.watch.is_deaf() {
            true => self.pace.poll,
            false => self.pace.gather.max(SHARE * self.active).min(self.pace.poll),
        }
    }

    /// Gives files whose turn it is to the readers that are free.
    fn dispatch<'scope, F>(&mut self, readers: &mut Readers<'scope, '_, F>)
    where
        F: Fn(bool) + Clone + Send + 'scope,
    {
        let now = Instant::now();
        while let Some(&(when, number)) = self.due.first()
            && when <= now
        {
            self.make_ready(number);
        }
        readers.grow(self.files.len(), self.pace.threads);
        while !self.ready.is_empty()
            && let room @ 1.. = readers.room(self.ready.len())
        {
            let jobs = self.jobs(room, now);
            readers.start(jobs);
        }
        readers.others_wait(!self.ready.is_empty());
    }

    /// What is to be read next, at most so many files.
    fn jobs(&mut self, most: usize, now: Instant) -> Vec<Job> {
        let mut jobs = Vec::new();
        while jobs.len() < most
            && let Some(number) = self.ready.pop_front()
        {
            let Some(file) = self.files.get_mut(&number) else { continue };
            file.is_ready = false;
            let before = file.after;
            if file.is_held
                || before.is_some_and(|n| self.files.get(&n).is_some_and(|b| !b.is_read()))
            {
                // Made ready again by what it waits for.
                continue;
            }
            let file = self.files.get_mut(&number).expect("it was there above");
            let work = std::mem::replace(&mut file.work, Work::Read);
            let is_unchanged = || file.tail.as_ref().is_some_and(|t| t.is_unchanged(self.settings));
            let is_heard = self.watch.hears_of(&file.path);
            // On a disk of this machine this takes less time than to wake up a reader.
            let is_looked_at = is_heard && file.at_end && work == Work::Read && !file.has_lingered;
            if is_looked_at && is_unchanged() {
                file.last_look = now;
                self.active -= u32::from(std::mem::take(&mut file.is_active));
                self.at_end(number, work, false);
                continue;
            }
            let is_only_one = self.active == u32::from(file.is_active);
            let manner = match is_only_one && is_heard && file.may_linger(&self.pace) {
                true if file.has_lingered => Manner::Busy,
                true => Manner::IfGrown,
                false => Manner::Once,
            };
            if let Some(tail) = file.give_away() {
                jobs.push(Job { number, tail, work, manner });
            }
        }
        jobs
    }

    /// Waits for whatever comes first. `false` when it is time to stop.
    fn wait<'scope, F>(
        &mut self,
        inbox: &Receiver<Message>,
        readers: &mut Readers<'scope, '_, F>,
    ) -> Result<bool, Stopped>
    where
        F: Fn(bool) + Clone + Send + 'scope,
    {
        let mut until = self.due.first().map(|(when, _)| *when);
        if self.looks_again() {
            until = Some(until.map_or(self.next_scan, |when| when.min(self.next_scan)));
        }
        let most = if tokio::runtime::Handle::try_current().is_ok() { Duration::MAX } else { DEAF };
        let now = Instant::now();
        let checks = readers.check_lingering(now).into_iter().chain(readers.check_done(now));
        until = until.into_iter().chain(checks).min();
        let wait = until.map_or(most, |when| when.saturating_duration_since(now)).min(most);
        let mut next = inbox.recv_timeout(wait).ok();
        while let Some(message) = next {
            match message {
                Message::Stop => return Ok(false),
                Message::Told(told) => self.told(told),
                // The scope panics in its turn once all threads are joined.
                Message::Read(false) => return Ok(false),
                // It is looked below what is done.
                Message::Read(true) => {}
            }
            next = inbox.try_recv().ok();
        }
        // Also what was read by a thread that is held up by its next file.
        readers.done().into_iter().try_for_each(|done| self.done(done))?;
        Ok(true)
    }

    fn told(&mut self, told: Told) {
        let now = Instant::now();
        let gather = self.gather();
        for hint in self.watch.hints(told) {
            match hint {
                Hint::Folder => self.next_scan = self.next_scan.min(now + self.pace.gather),
                Hint::File(number) => {
                    let Some(file) = self.files.get_mut(&number) else { continue };
                    file.is_watched = false;
                    let when = (file.last_look + gather).max(now);
                    if file.tail.is_none() {
                        file.is_hinted = true;
                    } else if file.due.is_none_or(|due| due > when) && !file.is_ready {
                        self.schedule(number, when);
                    }
                }
            }
        }
    }

    /// Gives up descriptors while there are too many: those of quiet files first, then those of the
    /// others, which are opened again when they are read.
    pub(super) fn keep_budget(&mut self) {
        while budget::is_exceeded()
            && let Some(number) = self.quiet.pop_front()
        {
            if let Some(file) = self.files.get_mut(&number)
                && file.at_end
                && !file.is_active
            {
                file.close();
            }
        }
        if self.quiet.is_empty() && budget::is_exceeded() {
            self.files.values_mut().rev().for_each(Followed::close);
        }
        // Each file is in it once for each time that it was quiet.
        if self.quiet.len() > 2 * self.files.len() + 16 {
            let mut seen = HashSet::new();
            self.quiet.retain(|number| seen.insert(*number));
        }
    }

    /// The next moment at which what is quiet is looked at: one wake-up for all files that are.
    pub(super) fn together(&self, when: Instant) -> Instant {
        let step = self.pace.rescan.max(Duration::from_millis(1)).as_nanos();
        let since = when.saturating_duration_since(self.began).as_nanos();
        let wait = u64::try_from((step - since % step) % step).unwrap_or_default();
        when + Duration::from_nanos(wait)
    }

    /// When to look for files again.
    pub(super) fn rescan(&self, is_watched: bool, is_unsettled: bool) -> Duration {
        let seldom = if is_watched && !is_unsettled { SELDOM } else { 1 };
        self.pace.rescan * seldom
    }
}

/// Sends a message when it is time to stop, for as long as what this gives lives.
fn wake_to_stop(shutdown: &Shutdown, sender: Sender<Message>) -> Option<AbortOnDrop> {
    let runtime = tokio::runtime::Handle::try_current().ok()?;
    let mut shutdown = shutdown.clone();
    let task = runtime.spawn(async move {
        shutdown.triggered().await;
        // Whoever is gone has stopped.
        let _ = sender.send(Message::Stop);
    });
    Some(AbortOnDrop(task))
}

/// A task that ends with its owner.
struct AbortOnDrop(tokio::task::JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inputs::file_tailing::harness::Still;
    use crate::inputs::file_tailing::readers::Done;
    use crate::inputs::file_tailing::tail::{Tail, Turn};

    /// What a reader is given that may wait at the end of the file.
    fn job(number: u64, tail: Box<Tail>) -> Vec<Job> {
        vec![Job { number, tail, work: Work::Read, manner: Manner::IfGrown }]
    }

    #[test]
    fn a_look_waits_once_for_a_file_that_is_caught_up() {
        const LIMIT: Duration = Duration::from_secs(60);
        let still = Still::new();
        let mut follower = still.follower();
        let tail = Tail::new(still.write("a.log", "1\n"), "a.log", "a".into());
        follower.insert(tail, None);
        let (report, reports) = channel();
        thread::scope(|scope| {
            let report = move |_| report.send(()).unwrap();
            let mut readers = Readers::new(scope, follower.settings, follower.out, report);
            readers.grow(1, 1);
            let tail = follower.files.get_mut(&0).unwrap().give_away().unwrap();
            readers.start(job(0, tail));
            let far = Instant::now() + LIMIT;
            follower.next_scan = far;
            assert!(follower.recall(&mut readers));
            assert!(follower.next_scan < far, "it is not waited for long");
            follower.next_scan = far;
            reports.recv_timeout(LIMIT).unwrap();
            for done in readers.done() {
                // Its reader did not get so far that it waited.
                let done = Done { result: Ok(Turn::More), has_lingered: false, ..done };
                follower.done(done).unwrap();
            }
            assert!(follower.next_scan <= Instant::now(), "it is known now how it is");
            assert!(!follower.recall(&mut readers));
            // Nor is another one waited for in its stead.
            let tail = follower.files.get_mut(&0).unwrap().give_away().unwrap();
            readers.start(job(0, tail));
            assert!(follower.recall(&mut readers));
            reports.recv_timeout(LIMIT).unwrap();
            let other = readers.done().remove(0).tail;
            readers.start(job(1, other));
            assert!(!follower.recall(&mut readers));
        });
    }

    #[test]
    fn what_is_done_is_known_although_the_next_file_holds_up_its_reader() {
        let (still, taker) = Still::full();
        let mut follower = still.follower();
        for name in ["0", "1", "2", "3", "4", "5", "6", "7"] {
            let found = if name == "1" { still.write_much(name) } else { still.write(name, "") };
            follower.insert(Tail::new(found, name, name.into()), None);
        }
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let _wakes_to_stop = runtime.enter();
        thread::scope(|scope| {
            let _taker = taker;
            let (sender, inbox) = channel();
            let report = move |is_well| drop(sender.send(Message::Read(is_well)));
            let mut readers = Readers::new(scope, follower.settings, follower.out, report);
            follower.next_scan = Instant::now() + Duration::from_secs(60);
            follower.dispatch(&mut readers);
            let is_away = |number| follower.files[&number].tail.is_none();
            assert!(is_away(0) && is_away(1) && is_away(2));
            while follower.files[&0].tail.is_none() {
                follower.wait(&inbox, &mut readers).unwrap();
            }
            assert!(Instant::now() < follower.next_scan, "the next look woke us up");
            assert!(follower.files[&1].tail.is_none());
        });
    }
}
