//! All files of one input: whose turn it is, and what becomes of what the readers find.
//!
//! One thread keeps the files and never reads or waits for the pipeline itself, so that it notices what
//! happens to them whatever holds up the readers.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use swak_sdk::data::Batch;
use swak_sdk::plugin::{BlockingEmitter, Shutdown, Stopped};

use super::budget;
use super::discover::Discovery;
use super::followed::{Followed, SELDOM};
use super::identify::is_of_path;
use super::look::Waiting;
use super::parked::Parked;
use super::position::Position;
use super::readers::{Done, Readers, Work};
use super::rotated::{Rotations, Sources};
use super::tail::{Settings, Tail, Turn, TurnError};
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
    next_number: u64,
    /// The file of each source that is to be read last.
    last_of: HashMap<String, u64>,
    pub(super) parked: Parked<'a>,
    /// Sources whose rotated files are not old history.
    pub(super) known: Sources,
    pub(super) waiting: Waiting,
    /// Files that could not be opened, so that each is reported once.
    pub(super) unreadable: HashSet<FileId>,
    pub(super) next_scan: Instant,
    pub(super) scanned: bool,
    pub(super) is_first_start: bool,
    /// Since when files are being renamed.
    pub(super) in_flux: Option<Instant>,
    /// Whose turn it is.
    ready: VecDeque<u64>,
    /// When it is whose turn.
    due: BTreeSet<(Instant, u64)>,
    /// Files that have nothing to read, the longest so first: their descriptors are given up first.
    quiet: VecDeque<u64>,
    /// Compressed files that wait until others are read.
    later: VecDeque<u64>,
    /// Files that grew when they were looked at last.
    active: u32,
    pub(super) watch: Watch,
}

/// What the thread that keeps the files is told.
enum Message {
    /// A reader has done with a file; `None` when it ended by a panic.
    Read(Option<Done>),
    /// Something happened to a file or a folder.
    Told(Told),
    /// It is time to stop.
    Stop,
}

/// Each file that grows is looked at so much less often for each other one: looking has a price too.
const SHARE: Duration = Duration::from_micros(200);

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
            known: parked.sources().map(PathBuf::from).collect(),
            discovery,
            rotations,
            files: BTreeMap::new(),
            by_id: HashMap::new(),
            next_number: 0,
            last_of: HashMap::new(),
            parked,
            waiting: Waiting::default(),
            unreadable: HashSet::new(),
            next_scan: Instant::now(),
            scanned: false,
            in_flux: None,
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
            let report = move |done| drop(sender.send(Message::Read(done)));
            let mut readers = Readers::new(scope, self.settings, self.out, report);
            self.scan();
            if self.files.is_empty() {
                tracing::warn!("no file matches yet: {}", self.discovery.patterns());
            }
            while !shutdown.is_triggered() {
                if self.pace.follow && Instant::now() >= self.next_scan {
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

    /// A new file, to be read after all others of its source.
    pub(super) fn insert(&mut self, tail: Tail, gone: Option<Instant>) {
        let number = self.next_number;
        self.next_number += 1;
        self.by_id.insert(tail.id, number);
        self.files.insert(number, Followed::new(tail, gone, &self.pace));
        self.append(number);
    }

    /// Lets a file be read after all others of its source.
    pub(super) fn append(&mut self, number: u64) {
        let file = self.files.get_mut(&number).expect("it is followed");
        file.after =
            self.last_of.insert(file.source.clone(), number).filter(|last| *last != number);
        let after = file.after;
        self.make_ready(number);
        if let Some(before) = after.and_then(|before| self.files.get_mut(&before)) {
            before.next = Some(number);
            before.read_again();
            self.make_ready(after.expect("there is one before"));
        }
    }

    /// Takes a file out of the order of its source.
    pub(super) fn unlink(&mut self, number: u64) {
        let Some(file) = self.files.get_mut(&number) else { return };
        let (after, next) = (file.after.take(), file.next.take());
        if let Some(next) = next
            && let Some(file) = self.files.get_mut(&next)
        {
            file.after = after;
            self.make_ready(next);
        }
        if let Some(after) = after
            && let Some(file) = self.files.get_mut(&after)
        {
            file.next = next;
        }
        let source = self.files[&number].source.as_str();
        if self.last_of.get(source) == Some(&number) {
            match after {
                Some(after) => *self.last_of.get_mut(source).expect("it is there") = after,
                None => drop(self.last_of.remove(source)),
            }
        }
    }

    /// Stores where reading of a file begins, after all that is on its way of it.
    pub(super) fn store(&self, key: &str, position: &Position) {
        // Without records it goes nowhere, so that nobody can say that it is too late for it.
        let _ = self.out.emit_at(Batch::new(Vec::new()), key, position.to_json());
    }

    /// Its turn comes as soon as those before it had theirs.
    pub(super) fn make_ready(&mut self, number: u64) {
        let Some(file) = self.files.get_mut(&number) else { return };
        if let Some(due) = file.due.take() {
            self.due.remove(&(due, number));
        }
        if file.tail.is_none() {
            file.is_hinted = true;
        } else if !file.is_ready {
            file.is_ready = true;
            self.ready.push_back(number);
        }
    }

    fn schedule(&mut self, number: u64, when: Instant) {
        let Some(file) = self.files.get_mut(&number) else { return };
        if let Some(due) = file.due.replace(when) {
            self.due.remove(&(due, number));
        }
        self.due.insert((when, number));
    }

    /// How long small writes are gathered.
    fn gather(&self) -> Duration {
        match self.watch.is_deaf() {
            true => self.pace.poll,
            false => self.pace.gather.max(SHARE * self.active).min(self.pace.poll),
        }
    }

    /// Gives files whose turn it is to the readers that are free.
    fn dispatch<'scope, F>(&mut self, readers: &mut Readers<'scope, '_, F>)
    where
        F: Fn(Option<Done>) + Clone + Send + 'scope,
    {
        let now = Instant::now();
        while let Some(&(when, number)) = self.due.first()
            && when <= now
        {
            self.make_ready(number);
        }
        while !self.ready.is_empty() && readers.is_free(self.files.len(), self.pace.threads) {
            let Some(number) = self.ready.pop_front() else { break };
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
            // On a disk of this machine this takes less time than to wake up a reader.
            if file.is_watched && file.at_end && work == Work::Read && is_unchanged() {
                file.last_look = now;
                self.at_end(number, work, false);
                continue;
            }
            if let Some(tail) = file.give_away() {
                readers.start(number, tail, work);
            }
        }
    }

    /// Waits for whatever comes first. `false` when it is time to stop.
    fn wait<'scope, F>(
        &mut self,
        inbox: &Receiver<Message>,
        readers: &mut Readers<'scope, '_, F>,
    ) -> Result<bool, Stopped>
    where
        F: Fn(Option<Done>) + Clone + Send + 'scope,
    {
        let mut until = self.due.first().map(|(when, _)| *when);
        if self.pace.follow {
            until = Some(until.map_or(self.next_scan, |when| when.min(self.next_scan)));
        }
        let most = if tokio::runtime::Handle::try_current().is_ok() { Duration::MAX } else { DEAF };
        let now = Instant::now();
        let wait = until.map_or(most, |when| when.saturating_duration_since(now)).min(most);
        let mut next = inbox.recv_timeout(wait).ok();
        while let Some(message) = next {
            match message {
                Message::Stop => return Ok(false),
                Message::Told(told) => self.told(told),
                // The scope panics in its turn once all threads are joined.
                Message::Read(None) => return Ok(false),
                Message::Read(Some(done)) => {
                    readers.finished();
                    self.done(done)?;
                }
            }
            next = inbox.try_recv().ok();
        }
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

    /// A reader has done with a file.
    fn done(&mut self, done: Done) -> Result<(), Stopped> {
        let Done { number, tail, work, result, has_grown } = done;
        let now = Instant::now();
        let file = self.files.get_mut(&number).expect("a file stays while it is read");
        file.take_back(tail);
        if has_grown {
            file.last_growth = now;
        }
        if has_grown != file.is_active {
            file.is_active = has_grown;
            self.active = if has_grown { self.active + 1 } else { self.active - 1 };
        }
        if is_of_path(file.id) && !matches!(result, Ok(Turn::More)) {
            // Its path may lead elsewhere by now.
            file.close();
        }
        match result {
            Ok(Turn::More) => {
                file.has_failed = false;
                self.make_ready(number);
            }
            Ok(Turn::Truncated(old)) => self.truncated(number, *old),
            Ok(Turn::Later) => {
                file.close();
                self.later.push_back(number);
                // It is heard when one of this input is done, but not of others.
                self.schedule(number, now + self.pace.rescan);
            }
            Ok(Turn::End | Turn::Quiet) => {
                file.has_failed = false;
                self.at_end(number, work, has_grown);
                if let Some(waiting) = self.later.pop_front() {
                    self.make_ready(waiting);
                }
            }
            Err(TurnError::Stopped) => return Err(Stopped),
            Err(TurnError::Moved) => {
                if file.gone.is_none() {
                    self.next_scan = now;
                }
                self.failed(number, self.pace.poll);
            }
            Err(TurnError::Io(error)) => {
                if !file.has_failed {
                    tracing::warn!(path = %file.path.display(), "cannot read this file: {error}");
                    self.settings.counters.error();
                }
                file.has_failed = true;
                self.failed(number, self.pace.rescan);
            }
        }
        self.keep_budget();
        Ok(())
    }

    /// The end of a file was reached.
    fn at_end(&mut self, number: u64, work: Work, has_grown: bool) {
        let (now, gather) = (Instant::now(), self.gather());
        let file = self.files.get_mut(&number).expect("it was there before");
        if std::mem::take(&mut file.is_stale) {
            self.make_ready(number);
            return;
        }
        file.at_end = true;
        if let Some(next) = file.next.filter(|_| file.is_read()) {
            self.make_ready(next);
        }
        let file = self.files.get_mut(&number).expect("it was there before");
        if work == Work::Read
            && let Some(overdue) = file.overdue(&self.pace, now)
        {
            file.work = overdue;
            self.make_ready(number);
            return;
        }
        if file.is_over(&self.pace, now) {
            self.finish(number);
            return;
        }
        if std::mem::take(&mut file.is_hinted) {
            self.schedule(number, now + gather);
            return;
        }
        let mut is_new_watch = false;
        if !has_grown && file.gone.is_none() && !file.is_watched {
            file.is_watched = self.watch.file(number, &file.path);
            is_new_watch = file.is_watched;
        }
        if !has_grown && (is_new_watch || !file.is_watched) {
            self.quiet.push_back(number);
        }
        // What was written before the system was asked to tell of it, it does not tell.
        let wait = if is_new_watch { gather } else { file.wait(has_grown, gather, &self.pace) };
        let may_have_moved =
            file.gone.is_none() && !file.is_watched && file.pause < self.pace.rescan;
        if may_have_moved && file.tail.as_ref().is_some_and(|tail| !tail.is_at_path()) {
            self.next_scan = now;
        }
        self.schedule(number, now + wait);
    }

    fn failed(&mut self, number: u64, wait: Duration) {
        let now = Instant::now();
        let file = self.files.get_mut(&number).expect("it was there before");
        if file.gone.is_some() || !self.pace.follow {
            file.at_end = true;
            if let Some(next) = file.next {
                self.make_ready(next);
            }
        }
        let file = self.files.get_mut(&number).expect("it was there before");
        if file.at_end && file.is_over(&self.pace, now) {
            self.finish(number);
        } else {
            self.schedule(number, now + wait);
        }
    }

    /// What was read of a file is no longer in it. It may be in a copy of it, which is to be read first.
    fn truncated(&mut self, number: u64, old: Position) {
        let key = self.parked.new_key();
        let file = self.files.get_mut(&number).expect("it was there before");
        tracing::info!(path = %file.path.display(), "the file was truncated; reading from its beginning");
        file.at_end = false;
        let is_head = file.path.as_os_str() == file.source.as_str();
        let is_kept = is_head || (file.gone.is_some() && !is_of_path(file.id));
        let tail = file.tail.as_mut().expect("it was given back");
        let old_key = std::mem::replace(&mut tail.key, key.clone());
        let start = tail.position();
        self.set_replaced(old_key, old);
        if is_kept {
            let file = self.files.get_mut(&number).expect("it was there before");
            file.is_held = true;
            self.store(&key, &start);
        } else {
            // What it is now is found out as for any other new file.
            drop(self.remove(number));
        }
        self.unlink(number);
        self.next_scan = Instant::now();
    }

    /// Remembers up to where a file was read that holds something else by now.
    pub(super) fn set_replaced(&mut self, key: String, mut position: Position) {
        position.replaced = true;
        self.store(&key, &position);
        self.parked.put(key, position);
        self.waiting.new_orphans();
    }

    /// Follows a file no longer.
    fn finish(&mut self, number: u64) {
        if let Some(mut tail) = self.remove(number) {
            tail.check_end(self.settings);
            tracing::debug!(file = ?tail, "done with this file");
            self.parked.put_seen(tail.key.clone(), tail.position(), tail.seen());
            if self.pace.follow {
                self.next_scan = self.next_scan.min(Instant::now() + self.pace.rescan);
            }
        }
    }

    fn remove(&mut self, number: u64) -> Option<Box<Tail>> {
        self.unlink(number);
        let file = self.files.remove(&number)?;
        if let Some(due) = file.due {
            self.due.remove(&(due, number));
        }
        self.active -= u32::from(file.is_active);
        // Another file may have its identity by now.
        if self.by_id.get(&file.id) == Some(&number) {
            self.by_id.remove(&file.id);
        }
        file.tail
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
        if budget::is_exceeded() {
            self.files.values_mut().rev().for_each(Followed::close);
        }
        // Each file is in it once for each time that it was quiet.
        if self.quiet.len() > 2 * self.files.len() + 16 {
            let mut seen = HashSet::new();
            self.quiet.retain(|number| seen.insert(*number));
        }
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
