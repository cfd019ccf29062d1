//! Waiting at the end of a file for what comes next, in the thread that has read it.
//!
//! A file that is written to all the time is looked at as soon as the system tells of it, without a word
//! to the thread that keeps the files: from there to a reader and back are more switches between threads
//! than the rest of the way of a few lines. It is given back when another one needs the thread.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// How long a file stays with its reader.
const LONGEST: Duration = Duration::from_millis(250);

/// How soon it is looked at again: each look costs some twenty microseconds.
const GAP: Duration = Duration::from_micros(500);

/// What tells readers that wait at the end of a file to come back. Clones are the same.
#[derive(Clone)]
pub(super) struct Recall(Arc<Inner>);

struct Inner {
    /// Other files wait for a reader.
    is_wanted: AtomicBool,
    /// Readers that wait.
    waiting: AtomicUsize,
    bell: Option<platform::Bell>,
}

/// One reader's way to wait, which costs nothing until it does.
pub(super) struct Ear {
    recall: Recall,
    inotify: Option<platform::Ear>,
}

/// One stay at the end of a file.
pub(super) struct Stay<'a> {
    ear: &'a mut Ear,
    /// Until then, once it has begun.
    until: Option<Instant>,
    last_look: Instant,
}

impl Recall {
    pub(super) fn new() -> Self {
        Recall(Arc::new(Inner {
            is_wanted: AtomicBool::new(false),
            waiting: AtomicUsize::new(0),
            bell: platform::Bell::new(),
        }))
    }

    /// Says whether there are files whose turn it is and that no reader has.
    pub(super) fn set_wanted(&self, is_wanted: bool) {
        let Inner { is_wanted: known, waiting, bell } = &*self.0;
        known.store(is_wanted, Ordering::SeqCst);
        if is_wanted
            && waiting.load(Ordering::SeqCst) > 0
            && let Some(bell) = bell
        {
            bell.ring();
        }
    }

    /// Whether there are.
    pub(super) fn is_wanted(&self) -> bool {
        self.0.is_wanted.load(Ordering::SeqCst)
    }
}

impl Ear {
    pub(super) fn new(recall: Recall) -> Self {
        Ear { recall, inotify: None }
    }

    /// A stay at the end of a file, which begins when it is first asked about a look.
    pub(super) fn stay(&mut self) -> Stay<'_> {
        Stay { ear: self, until: None, last_look: Instant::now() }
    }
}

impl Stay<'_> {
    /// Waits until the file at this path may have been written to since it was last looked at. `false`
    /// when it is time to give it back.
    pub(super) fn is_worth_a_look(&mut self, path: &Path) -> bool {
        let Ear { recall, inotify } = &mut *self.ear;
        let Some(bell) = &recall.0.bell else { return false };
        if inotify.is_none() {
            *inotify = platform::Ear::new();
        }
        let Some(inotify) = inotify else { return false };
        let Some(until) = self.until else {
            if recall.is_wanted() || !inotify.listen(path) {
                return false;
            }
            // What was written before is found by looking once more.
            self.last_look = Instant::now();
            self.until = Some(self.last_look + LONGEST);
            return true;
        };
        let waiting = &recall.0.waiting;
        waiting.fetch_add(1, Ordering::SeqCst);
        // Who wants it now has seen that somebody waits, or is seen here.
        let left = until.saturating_duration_since(Instant::now());
        let heard = !recall.is_wanted() && inotify.hears(bell, left);
        waiting.fetch_sub(1, Ordering::SeqCst);
        if heard {
            std::thread::sleep(GAP.saturating_sub(self.last_look.elapsed()));
            self.last_look = Instant::now();
        }
        heard
    }
}

impl Drop for Stay<'_> {
    fn drop(&mut self) {
        if let Some(inotify) = &mut self.ear.inotify {
            inotify.forget();
        }
    }
}

#[cfg(target_os = "linux")]
mod platform {
    use std::mem::MaybeUninit;
    use std::os::fd::OwnedFd;
    use std::path::Path;
    use std::time::Duration;

    use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
    use rustix::fs::inotify::{self, CreateFlags, Reader, WatchFlags};

    pub(super) struct Bell(OwnedFd);

    /// An inotify(7) of its own, with one watch at the most.
    pub(super) struct Ear {
        inotify: OwnedFd,
        watch: Option<i32>,
    }

    impl Bell {
        pub(super) fn new() -> Option<Self> {
            eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK).ok().map(Bell)
        }

        pub(super) fn ring(&self) {
            // It fails when it was rung very often and nobody came yet.
            let _ = rustix::io::write(&self.0, &1u64.to_ne_bytes());
        }
    }

    impl Ear {
        /// `None` when there are too many already.
        pub(super) fn new() -> Option<Self> {
            let inotify = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC).ok()?;
            Some(Ear { inotify, watch: None })
        }

        pub(super) fn listen(&mut self, path: &Path) -> bool {
            self.watch = inotify::add_watch(&self.inotify, path, WatchFlags::MODIFY).ok();
            self.watch.is_some()
        }

        /// Waits for a change. `false` when the bell rings, or for so long there is none.
        pub(super) fn hears(&self, Bell(bell): &Bell, limit: Duration) -> bool {
            let mut both =
                [PollFd::new(&self.inotify, PollFlags::IN), PollFd::new(bell, PollFlags::IN)];
            let limit = Timespec::try_from(limit).expect("it is less than a second");
            // A signal is taken for the end of the time.
            if poll(&mut both, Some(&limit)).is_err() {
                return false;
            }
            if !both[1].revents().is_empty() {
                let _ = rustix::io::read(bell, &mut [0; 8]);
                return false;
            }
            let has_changed = !both[0].revents().is_empty();
            if has_changed {
                self.drain();
            }
            has_changed
        }

        pub(super) fn forget(&mut self) {
            if let Some(watch) = self.watch.take() {
                // A file that is deleted is forgotten already.
                let _ = inotify::remove_watch(&self.inotify, watch);
                self.drain();
            }
        }

        fn drain(&self) {
            let mut buffer = [MaybeUninit::uninit(); 1024];
            let mut reader = Reader::new(&self.inotify, &mut buffer);
            // What does not fit makes us look once more.
            while reader.next().is_ok() && !reader.is_buffer_empty() {}
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod platform {
    use std::path::Path;
    use std::time::Duration;

    /// Nothing tells of changes soon enough.
    pub(super) enum Bell {}

    pub(super) enum Ear {}

    impl Bell {
        pub(super) fn new() -> Option<Self> {
            None
        }

        pub(super) fn ring(&self) {
            match *self {}
        }
    }

    impl Ear {
        pub(super) fn new() -> Option<Self> {
            None
        }

        pub(super) fn listen(&mut self, _: &Path) -> bool {
            match *self {}
        }

        pub(super) fn hears(&self, _: &Bell, _: Duration) -> bool {
            match *self {}
        }

        pub(super) fn forget(&mut self) {
            match *self {}
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::fs;
    use std::io::Write;

    use super::*;

    #[test]
    fn a_write_is_heard_and_so_is_who_wants_the_reader() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let mut file = fs::File::create(&path).unwrap();
        let recall = Recall::new();
        let mut ear = Ear::new(recall.clone());
        let mut stay = ear.stay();
        assert!(stay.is_worth_a_look(&path), "the first time");
        stay.until = Some(Instant::now() + Duration::from_millis(999));
        for _ in 0..3 {
            file.write_all(b"x").unwrap();
            assert!(stay.is_worth_a_look(&path));
        }
        recall.set_wanted(true);
        file.write_all(b"x").unwrap();
        assert!(!stay.is_worth_a_look(&path));
        recall.set_wanted(false);
        // What was written meanwhile was not taken for looked at.
        assert!(stay.is_worth_a_look(&path));
        stay.until = Some(Instant::now());
        assert!(!stay.is_worth_a_look(&path), "nothing was written");
        drop(stay);
        assert!(!ear.stay().is_worth_a_look(&folder.path().join("b")), "there is no such file");
    }

    #[test]
    fn one_that_waits_comes_back_when_it_is_wanted() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let recall = Recall::new();
        let mut ear = Ear::new(recall.clone());
        let waits = std::thread::spawn(move || {
            let mut stay = ear.stay();
            assert!(stay.is_worth_a_look(file.path()));
            stay.until = Some(Instant::now() + Duration::from_millis(999));
            stay.is_worth_a_look(file.path())
        });
        while recall.0.waiting.load(Ordering::SeqCst) == 0 && !waits.is_finished() {
            std::thread::yield_now();
        }
        recall.set_wanted(true);
        assert!(!waits.join().unwrap());
    }
}
