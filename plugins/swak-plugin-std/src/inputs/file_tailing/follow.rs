//! All files of one input: which there are, whose turn it is, and what became of those that were
//! renamed or deleted.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::{Duration, Instant};

use swak_sdk::plugin::{BlockingEmitter, Shutdown, Stopped};

use super::discover::{Discovery, Found, find_in_folder};
use super::parked::{Parked, Renamed, folder_of};
use super::tail::{Settings, Tail, Turn, TurnError};
use crate::identity::FileId;

/// How files are followed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// Go on when the ends of all files are reached.
    pub(super) follow: bool,
    /// Files that are there at the very first start are read from their end on.
    pub(super) skip_present: bool,
    /// How soon a file that just grew is looked at again.
    pub(super) poll: Duration,
    /// How often to look for new and renamed files, and at files that are quiet.
    pub(super) rescan: Duration,
    /// How long a file that was renamed or deleted is still read.
    pub(super) rotate_wait: Duration,
    /// How long a last line may stay without an end before it is taken as it is.
    pub(super) last_line_wait: Option<Duration>,
}

/// Follows all files of one input.
pub(super) struct Follower<'a> {
    settings: &'a Settings,
    pace: Pace,
    out: &'a BlockingEmitter,
    discovery: Discovery,
    /// By number, in the order in which they were found.
    files: BTreeMap<u64, Followed>,
    by_id: HashMap<FileId, u64>,
    next_number: u64,
    parked: Parked<'a>,
    /// Files that could not be opened, so that each is reported once.
    unreadable: HashSet<FileId>,
    next_scan: Instant,
    scanned: bool,
    skip_present: bool,
}

struct Followed {
    tail: Tail,
    /// No pattern leads to it since.
    gone: Option<Instant>,
    /// The file that had its path before, while that one is still read.
    after: Option<u64>,
    next_look: Instant,
    pause: Duration,
    last_growth: Instant,
    /// All of it was read, as far as is known.
    at_end: bool,
    failed: bool,
}

/// Files that are held open; more are closed between their turns.
const MAX_OPEN: usize = 256;

impl<'a> Follower<'a> {
    /// Nothing is looked at yet.
    pub(super) fn new(
        settings: &'a Settings,
        pace: Pace,
        discovery: Discovery,
        out: &'a BlockingEmitter,
    ) -> Self {
        let (parked, first_start) = Parked::restore(out.checkpoints());
        Follower {
            settings,
            pace,
            out,
            discovery,
            files: BTreeMap::new(),
            by_id: HashMap::new(),
            next_number: 0,
            parked,
            unreadable: HashSet::new(),
            next_scan: Instant::now(),
            scanned: false,
            skip_present: pace.skip_present && first_start,
        }
    }

    /// Follows until it is time to stop, or until all ends are reached if that is asked for.
    pub(super) fn run(mut self, shutdown: &Shutdown) -> Result<(), Stopped> {
        self.scan();
        if self.files.is_empty() {
            tracing::warn!("no file matches yet: {}", self.discovery.patterns());
        }
        while !shutdown.is_triggered() {
            if self.pace.follow && Instant::now() >= self.next_scan {
                self.scan();
            }
            let busy = self.round()?;
            self.retire()?;
            if self.files.is_empty() && !self.pace.follow {
                break;
            }
            if !busy && shutdown.blocking_sleep(self.pace.poll) {
                break;
            }
        }
        Ok(())
    }

    /// Looks which files there are.
    fn scan(&mut self) {
        let scan = self.discovery.scan();
        let mut present = HashSet::with_capacity(scan.files.len());
        let mut new = Vec::new();
        for found in &scan.files {
            // The same file by two names is followed once.
            if !present.insert(found.id) {
                continue;
            }
            match self.by_id.get(&found.id).and_then(|number| self.files.get_mut(number)) {
                Some(file) => {
                    if file.tail.path != found.path {
                        file.tail.path.clone_from(&found.path);
                    }
                    file.gone = None;
                }
                None => new.push(found.clone()),
            }
        }
        let now = Instant::now();
        for file in self.files.values_mut().filter(|file| file.gone.is_none()) {
            let tail = &file.tail;
            let is_deleted =
                || tail.is_deleted() || (tail.is_open() && scan.is_being_deleted(&tail.path));
            let is_gone = || !scan.may_be_at(&tail.path) || is_deleted();
            if !present.contains(&tail.id) && is_gone() {
                tracing::debug!(file = ?file.tail, "renamed or deleted; reading what is left");
                file.gone = Some(now);
                file.at_end = false;
                file.look_now();
                find_again(&mut file.tail);
            }
        }
        if !self.scanned {
            // Before the files that have their names now.
            self.take_up_renamed(&present);
        }
        for found in new {
            self.add(found);
        }
        (self.scanned, self.skip_present) = (true, false);
        self.next_scan = Instant::now() + self.pace.rescan;
    }

    fn add(&mut self, found: Found) {
        let mut tail = Tail::new(found.path, found.id);
        if let Err(error) = self.begin(&mut tail) {
            // It will be found again by the next scan.
            if let TurnError::Io(error) = error
                && self.unreadable.insert(tail.id)
            {
                tracing::warn!(path = %tail.path.display(), "cannot read this file: {error}");
                self.settings.counters.error();
            }
            return;
        }
        self.unreadable.remove(&tail.id);
        tracing::debug!(file = ?tail, "following");
        if self.files.len() >= MAX_OPEN {
            tail.close();
        }
        self.insert(tail, None);
    }

    /// Sets a new tail to where reading begins.
    fn begin(&mut self, tail: &mut Tail) -> Result<(), TurnError> {
        if let Some(position) = self.parked.find(tail.id) {
            if tail.resume(&position, self.settings)? {
                self.parked.take(&position, tail);
            } else if position.id() == tail.id {
                tracing::info!(path = %tail.path.display(), "not the file that it was; reading from its beginning");
                self.parked.forget(&position);
            }
        } else if self.skip_present {
            tail.skip_to_end(self.settings)?;
            self.out.checkpoints().set(&tail.key, &tail.position().to_json());
        }
        Ok(())
    }

    fn insert(&mut self, tail: Tail, gone: Option<Instant>) {
        let now = Instant::now();
        let after = self
            .files
            .iter()
            .rev()
            .find(|(_, file)| file.gone.is_some() && file.tail.source() == tail.source())
            .map(|(number, _)| *number);
        let number = self.next_number;
        self.next_number += 1;
        self.by_id.insert(tail.id, number);
        let file = Followed {
            tail,
            gone,
            after,
            next_look: now,
            pause: self.pace.poll,
            last_growth: now,
            at_end: false,
            failed: false,
        };
        self.files.insert(number, file);
    }

    /// Reads files to their end that were renamed while nobody looked.
    fn take_up_renamed(&mut self, present: &HashSet<FileId>) {
        self.parked.forget_deleted(present);
        for Renamed { path, position } in self.parked.renamed(present) {
            let mut tail = Tail::renamed(path, position.id(), &position.path);
            match tail.resume(&position, self.settings) {
                Ok(true) => {
                    self.parked.take(&position, &tail);
                    self.insert(tail, Some(Instant::now()));
                }
                Ok(false) => self.parked.forget(&position),
                Err(error) => {
                    tracing::warn!(path = %tail.path.display(), "cannot read this file: {error}");
                }
            }
        }
    }

    /// Gives every file that may have something one turn. `true` if one of them has more.
    fn round(&mut self) -> Result<bool, Stopped> {
        let now = Instant::now();
        let mut open = self.files.values().filter(|f| f.tail.is_open()).count();
        // A record that may go on is part of what is read before the file after it.
        let before = |file: &Followed| self.files.get(&file.after?).map(|before| before.is_read());
        let waiting: HashSet<u64> = self
            .files
            .iter()
            .filter(|(_, file)| before(file) == Some(false))
            .map(|(number, _)| *number)
            .collect();
        let mut busy = false;
        let mut moved = false;
        for (number, file) in &mut self.files {
            if now < file.next_look || waiting.contains(number) {
                continue;
            }
            let was_open = file.tail.is_open();
            match file.tail.turn(self.settings, self.out) {
                Ok(turn) => {
                    file.failed = false;
                    file.turned(turn, now, self.pace);
                    busy |= turn == Turn::More;
                    moved |= turn != Turn::More
                        && file.gone.is_none()
                        && file.pause < self.pace.rescan
                        && !file.tail.is_at_path();
                }
                Err(TurnError::Stopped) => return Err(Stopped),
                Err(TurnError::Moved) => {
                    moved |= file.gone.is_none();
                    file.at_end |= file.gone.is_some() || !self.pace.follow;
                    file.rest_until(now + self.pace.poll);
                }
                Err(TurnError::Io(error)) => {
                    if !file.failed {
                        tracing::warn!(file = ?file.tail, "cannot read this file: {error}");
                        self.settings.counters.error();
                    }
                    file.failed = true;
                    file.at_end |= file.gone.is_some() || !self.pace.follow;
                    file.rest_until(now + self.pace.rescan);
                }
            }
            open = open - usize::from(was_open) + usize::from(file.tail.is_open());
            if open > MAX_OPEN && file.gone.is_none() && file.tail.is_open() {
                file.tail.close();
                open -= 1;
            }
        }
        if moved {
            self.next_scan = now;
        }
        Ok(busy)
    }

    /// Ends the files that nothing more will come of, and the last lines that nothing will end.
    fn retire(&mut self) -> Result<(), Stopped> {
        let now = Instant::now();
        let (follow, wait) = (self.pace.follow, self.pace.rotate_wait);
        let mut done = Vec::new();
        for (number, file) in &mut self.files {
            if !file.at_end {
                continue;
            }
            let over = match file.gone {
                Some(gone) => !follow || now >= gone.max(file.last_growth) + wait,
                None => !follow,
            };
            // Who compresses a file does it once: nothing is expected after its end.
            let last_line_wait =
                if file.tail.is_whole() { Some(wait) } else { self.pace.last_line_wait };
            let overdue = last_line_wait.is_some_and(|w| now >= file.last_growth + w);
            let multiline = self.settings.multiline.as_ref();
            let waited = multiline.is_some_and(|m| now >= file.last_growth + m.timeout());
            let emitted = if (over || overdue) && file.tail.has_rest() {
                file.tail.emit_rest(self.settings, self.out)
            } else if waited && file.tail.has_open_record() {
                file.tail.emit_open_record(self.settings, self.out)
            } else {
                Ok(())
            };
            match emitted {
                Ok(()) | Err(TurnError::Moved) => {}
                Err(TurnError::Stopped) => return Err(Stopped),
                Err(TurnError::Io(error)) => {
                    tracing::warn!(file = ?file.tail, "cannot read the last line: {error}");
                    self.settings.counters.error();
                }
            }
            if over {
                file.tail.check_end(self.settings);
                done.push(*number);
            }
        }
        let finished = done.into_iter().filter(|number| self.finish(*number)).count();
        if finished > 0 && follow {
            // With each rotation, the oldest file is deleted.
            let present = self.by_id.keys().copied().collect();
            self.parked.forget_deleted(&present);
        }
        Ok(())
    }

    /// Follows a file no longer, unless it is deleted and not delivered yet. The position of a
    /// deleted file is forgotten.
    fn finish(&mut self, number: u64) -> bool {
        let Some(file) = self.files.get(&number) else { return true };
        let checkpoints = self.out.checkpoints();
        if file.gone.is_some() && file.tail.is_deleted() {
            // While it is open its inode, and with that its key, is no other file's.
            if checkpoints.in_flight(&file.tail.key) > 0 {
                return false;
            }
            checkpoints.remove(&file.tail.key);
        } else {
            self.parked.put(file.tail.position());
        }
        tracing::debug!(file = ?file.tail, "done with this file");
        self.by_id.remove(&file.tail.id);
        self.files.remove(&number);
        true
    }
}

impl Followed {
    /// Whether all of it was read, and its records are complete but for a last line without an end.
    fn is_read(&self) -> bool {
        self.at_end && !self.tail.has_open_record()
    }

    fn turned(&mut self, turn: Turn, now: Instant, pace: Pace) {
        match turn {
            Turn::More => {
                self.last_growth = now;
                self.look_now();
            }
            Turn::End => {
                self.last_growth = now;
                self.at_end = true;
                self.pause = pace.poll;
                self.rest_until(now + self.pause);
            }
            Turn::Quiet => {
                self.at_end = true;
                // A file that is quiet for long is looked at as seldom as new files are.
                self.pause = (self.pause + self.pause / 4).min(pace.rescan.max(pace.poll));
                self.rest_until(now + self.pause);
            }
        }
    }

    fn look_now(&mut self) {
        self.next_look = Instant::now();
    }

    fn rest_until(&mut self, when: Instant) {
        self.next_look = when;
    }
}

/// A file that is not open can only be read under its new name.
fn find_again(tail: &mut Tail) {
    if !tail.is_open()
        && let Ok(Some(path)) = find_in_folder(folder_of(&tail.path), tail.id)
    {
        tail.path = path;
    }
}
