//! One followed file as the coordinator sees it, also while a thread reads it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::discover::Found;
use super::follow::Pace;
use super::identify::is_of_path;
use super::progress::Progress;
use super::readers::Work;
use super::tail::Tail;
use crate::identity::FileId;

/// A file that is followed.
pub(super) struct Followed {
    /// `None` while a thread reads it.
    pub(super) tail: Option<Box<Tail>>,
    /// Where it was seen last.
    pub(super) path: PathBuf,
    pub(super) id: FileId,
    pub(super) born: Option<i64>,
    pub(super) source: String,
    /// Where it lies, when its path is a symbolic link.
    pub(super) target: Option<PathBuf>,
    /// When its content began, if it was truncated.
    pub(super) begun: Option<i64>,
    /// Up to where it was read when it was here last.
    pub(super) offset: u64,
    /// Up to where it is read, also while a thread does so.
    pub(super) progress: Arc<Progress>,
    /// No pattern leads to it since.
    pub(super) gone: Option<Instant>,
    /// The file of the same source that is to be read before.
    pub(super) after: Option<u64>,
    /// The one that is to be read after it.
    pub(super) next: Option<u64>,
    /// Lower for those of the same source that are to be read before, whatever their numbers.
    pub(super) place: u64,
    /// All of it was read, as far as is known.
    pub(super) at_end: bool,
    /// Its last record is not complete.
    pub(super) has_rest: bool,
    /// Its last lines are those of a record that may go on.
    pub(super) has_open_record: bool,
    /// It is compressed and was read whole.
    pub(super) is_whole: bool,
    /// It holds a descriptor.
    pub(super) is_open: bool,
    /// Not read before the next look at the folders, which may find what is to be read before.
    pub(super) is_held: bool,
    /// What is done when its turn comes.
    pub(super) work: Work,
    /// It grew when it was looked at last.
    pub(super) is_active: bool,
    /// It lost its name while it was being read: the end that is found may not be the last one.
    pub(super) is_stale: bool,
    /// The system told of it while it was being read.
    pub(super) is_hinted: bool,
    /// It grew when it was read last, and its reader waited for more.
    pub(super) has_lingered: bool,
    pub(super) last_look: Instant,
    /// An error was reported.
    pub(super) has_failed: bool,
    /// The system tells when it is written to.
    pub(super) is_watched: bool,
    pub(super) last_growth: Instant,
    pub(super) pause: Duration,
    /// In the queue of those whose turn it is.
    pub(super) is_ready: bool,
    /// When it is looked at again.
    pub(super) due: Option<Instant>,
}

impl Followed {
    /// A file that was not looked at yet.
    pub(super) fn new(tail: Tail, gone: Option<Instant>, pace: &Pace) -> Self {
        let mut followed = Followed {
            path: tail.path.clone(),
            id: tail.id,
            born: tail.born,
            source: tail.source().to_owned(),
            target: tail.target.clone(),
            begun: tail.begun,
            offset: 0,
            progress: tail.progress(),
            tail: None,
            gone,
            after: None,
            next: None,
            place: 0,
            at_end: false,
            has_rest: false,
            has_open_record: false,
            is_whole: false,
            is_open: false,
            is_held: false,
            work: Work::Read,
            is_active: false,
            is_stale: false,
            is_hinted: false,
            has_lingered: false,
            last_look: Instant::now(),
            has_failed: false,
            is_watched: false,
            last_growth: Instant::now(),
            pause: pace.poll,
            is_ready: false,
            due: None,
        };
        followed.take_back(Box::new(tail));
        followed
    }

    /// A thread has done with it, or it is new.
    pub(super) fn take_back(&mut self, tail: Box<Tail>) {
        (self.offset, _) = tail.read_up_to();
        self.begun = tail.begun;
        self.has_rest = tail.has_rest();
        self.has_open_record = tail.has_open_record();
        self.is_whole = tail.is_whole();
        self.is_open = tail.is_open();
        self.tail = Some(tail);
    }

    /// It was found there.
    pub(super) fn is_at(&mut self, found: &Found) {
        self.path.clone_from(&found.path);
        self.target.clone_from(&found.target);
    }

    /// Lets a thread have it.
    pub(super) fn give_away(&mut self) -> Option<Box<Tail>> {
        let mut tail = self.tail.take()?;
        if tail.path != self.path {
            tail.path.clone_from(&self.path);
            tail.target.clone_from(&self.target);
        }
        self.last_look = Instant::now();
        Some(tail)
    }

    /// It may have been written to before it lost its name: it is to be read to its end once more.
    pub(super) fn read_again(&mut self) {
        self.at_end = false;
        self.is_stale = self.tail.is_none();
    }

    /// Lets go of its descriptor, if it can be opened again.
    pub(super) fn close(&mut self) {
        if let Some(tail) = &mut self.tail
            && (self.gone.is_none() || is_of_path(self.id))
        {
            tail.close();
            self.is_open = false;
        }
    }

    /// Whether all of it was read, and its records are complete but for a last line without an end.
    pub(super) fn is_read(&self) -> bool {
        self.at_end && !self.has_open_record
    }

    /// What is to be taken of its end, although it is not complete.
    pub(super) fn overdue(&self, pace: &Pace, now: Instant) -> Option<Work> {
        let waited = now.saturating_duration_since(self.last_growth);
        let is_overdue = self.last_line_wait(pace).is_some_and(|wait| waited >= wait);
        if self.has_rest && (is_overdue || self.is_over(pace, now)) {
            return Some(Work::Rest);
        }
        let is_complete = pace.record_wait.is_some_and(|wait| waited >= wait);
        (self.has_open_record && is_complete).then_some(Work::OpenRecord)
    }

    fn last_line_wait(&self, pace: &Pace) -> Option<Duration> {
        // Who compresses a file does it once: nothing is expected after its end.
        if self.is_whole { Some(pace.rotate_wait) } else { pace.last_line_wait }
    }

    /// Whether nothing more will come of it, once its end is reached.
    pub(super) fn is_over(&self, pace: &Pace, now: Instant) -> bool {
        match self.gone {
            // What its path leads to is found out as for any other rotated file.
            Some(_) if is_of_path(self.id) => true,
            Some(gone) => !pace.follow || now >= gone.max(self.last_growth) + pace.rotate_wait,
            None => !pace.follow,
        }
    }

    /// Whether a thread may wait at its end for more. One that waits only so long for the end of a last line
    /// or record, or has others after it, is handed back.
    pub(super) fn may_linger(&self, pace: &Pace) -> bool {
        pace.follow
            && pace.last_line_wait.is_none()
            && pace.record_wait.is_none()
            && self.gone.is_none()
            && self.next.is_none()
            && !is_of_path(self.id)
    }

    /// How long to wait after its end was reached.
    pub(super) fn wait(&mut self, has_grown: bool, gather: Duration, pace: &Pace) -> Duration {
        let now = Instant::now();
        let wait = if has_grown {
            self.pause = pace.poll;
            gather
        } else if self.gone.is_some() {
            pace.poll
        } else if self.is_watched {
            pace.rescan * SELDOM
        } else {
            // A file that is quiet for long is looked at as seldom as new files are.
            self.pause = (self.pause + self.pause / 4).min(pace.rescan.max(pace.poll));
            self.pause
        };
        let rest = self.last_line_wait(pace).filter(|_| self.has_rest);
        let record = pace.record_wait.filter(|_| self.has_open_record);
        let until = |most: Duration| (self.last_growth + most).saturating_duration_since(now);
        let waits = rest.into_iter().chain(record).map(until);
        // What could not be taken at its time is not tried again at once.
        waits.filter(|wait| !wait.is_zero()).fold(wait, Duration::min)
    }
}

/// What the system tells of is looked at this much more seldom: it may have missed something.
pub(super) const SELDOM: u32 = 10;
