//! Waiting at the end of a busy file for what comes next, in the thread that has read it.
//!
//! What is written is read as soon as the system tells of it, without a word to the thread that keeps the
//! files: to hand a file to it and back takes longer than to read a few lines, and to wait for a moment in
//! between takes twice as long as to be woken up by the system. One file at a time is read like this. It
//! goes back when it is quiet, when another one needs the reader, and before the folders are looked at.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use platform::{Ear, Id};

/// The place at the end of a file, which one reader has at a time. Who keeps the files gives it, and
/// takes it back.
#[derive(Default)]
pub(super) struct Linger {
    state: Mutex<State>,
    has_grown: AtomicBool,
}

#[derive(Default)]
struct State {
    /// Somebody may wait.
    is_allowed: bool,
    /// What a reader listens with once it waited; `None` where that is not possible.
    ear: Option<Option<Ear>>,
    /// What it listens to.
    watch: Option<Id>,
}

/// One stay at the end of a file.
pub(super) struct Stay<'a> {
    linger: &'a Linger,
    heard: Option<(Ear, Id)>,
    pace: Pace,
}

impl Linger {
    /// The next reader that asks may wait.
    pub(super) fn allow(&self) {
        self.has_grown.store(true, Ordering::Relaxed);
        self.state().is_allowed = true;
    }

    /// Nobody may wait any more: who does comes back at once.
    pub(super) fn recall(&self) {
        let mut state = self.state();
        state.is_allowed = false;
        state.forget();
    }

    /// Whether anything was read since this was asked last.
    pub(super) fn has_grown(&self) -> bool {
        self.has_grown.swap(false, Ordering::Relaxed)
    }

    /// Something was read.
    pub(super) fn grew(&self) {
        self.has_grown.store(true, Ordering::Relaxed);
    }

    /// For a reader that has a file which may wait.
    pub(super) fn stay(&self) -> Stay<'_> {
        Stay { linger: self, heard: None, pace: Pace::new(Instant::now()) }
    }

    fn is_allowed(&self) -> bool {
        self.state().is_allowed
    }

    /// Listens to the file at this path, if somebody may wait.
    fn listen(&self, path: &Path) -> Option<(Ear, Id)> {
        let mut state = self.state();
        if !state.is_allowed {
            return None;
        }
        let ear = state.ear.get_or_insert_with(Ear::new).clone()?;
        let watch = ear.listen(path)?;
        state.watch = Some(watch);
        Some((ear, watch))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Ends what is listened to, which wakes up who does.
    fn forget(&mut self) {
        if let (Some(watch), Some(Some(ear))) = (self.watch.take(), &self.ear) {
            ear.forget(watch);
        }
    }
}

impl Stay<'_> {
    /// Waits until the file at this path may have been written to since it was last looked at. `false`
    /// when it is to go back.
    pub(super) fn is_worth_a_look(&mut self, path: &Path) -> bool {
        let Some((ear, watch)) = &self.heard else {
            self.heard = self.linger.listen(path);
            // What was written before is found by looking once more.
            return self.heard.is_some();
        };
        if !ear.hears(*watch) {
            return false;
        }
        if let Some(wait) = self.pace.wait(Instant::now()) {
            thread::sleep(wait);
        }
        self.linger.is_allowed()
    }
}

impl Drop for Stay<'_> {
    fn drop(&mut self) {
        if self.heard.is_some() {
            self.linger.recall();
        }
    }
}

/// How often a file is looked at: who writes each line by itself does not make us read each by itself.
struct Pace {
    /// When the next look is due, at the rate of one each [`STEP`].
    due: Instant,
    /// How often it was waited since it was last tried not to.
    rests: u32,
}

/// Who writes no more often than this, in the long run, is read at each write.
const STEP: Duration = Duration::from_micros(800);

/// Looks that may come sooner, as writers have no even pace.
const AHEAD: u32 = 10;

/// How long it is waited for more where writes come faster.
const REST: Duration = Duration::from_micros(2500);

/// After so many rests it is tried whether the writer is still so fast: that there is something to read
/// after each one says nothing about it.
const RESTS: u32 = 200;

impl Pace {
    fn new(now: Instant) -> Self {
        Pace { due: now, rests: 0 }
    }

    /// How long to wait before a look now.
    fn wait(&mut self, now: Instant) -> Option<Duration> {
        let earliest = now.checked_sub(STEP * AHEAD).unwrap_or(now);
        self.due = self.due.max(earliest) + STEP;
        if self.due <= now {
            return None;
        }
        self.due = now + REST;
        self.rests += 1;
        if self.rests == RESTS {
            (self.due, self.rests) = (earliest, 0);
        }
        Some(REST)
    }
}

#[cfg(target_os = "linux")]
mod platform {
    use std::mem::MaybeUninit;
    use std::os::fd::OwnedFd;
    use std::path::Path;
    use std::sync::Arc;

    use rustix::fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags};
    use rustix::io::Errno;

    /// An inotify(7) of its own, whose reader sleeps until something is told.
    #[derive(Clone)]
    pub(super) struct Ear(Arc<OwnedFd>);

    pub(super) type Id = i32;

    impl Ear {
        /// `None` when there are too many already.
        pub(super) fn new() -> Option<Self> {
            let inotify = inotify::init(CreateFlags::CLOEXEC).ok()?;
            Some(Ear(Arc::new(inotify)))
        }

        pub(super) fn listen(&self, path: &Path) -> Option<Id> {
            inotify::add_watch(&*self.0, path, WatchFlags::MODIFY).ok()
        }

        /// Waits for a change. `false` when it is listened to no more.
        pub(super) fn hears(&self, watch: Id) -> bool {
            let mut buffer = [MaybeUninit::uninit(); 1024];
            let mut reader = Reader::new(&*self.0, &mut buffer);
            let mut has_changed = false;
            loop {
                match reader.next() {
                    Ok(event) if event.events().contains(ReadFlags::QUEUE_OVERFLOW) => {
                        has_changed = true;
                    }
                    // What was listened to before may still be told of.
                    Ok(event) if event.wd() != watch => {}
                    Ok(event) if event.events().contains(ReadFlags::IGNORED) => return false,
                    Ok(_) => has_changed = true,
                    Err(Errno::INTR) => {}
                    Err(_) => return false,
                }
                if has_changed && reader.is_buffer_empty() {
                    return true;
                }
            }
        }

        pub(super) fn forget(&self, watch: Id) {
            // A file that is deleted is forgotten already.
            let _ = inotify::remove_watch(&*self.0, watch);
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod platform {
    use std::path::Path;

    /// Nothing tells of changes soon enough.
    #[derive(Clone)]
    pub(super) enum Ear {}

    pub(super) type Id = i32;

    impl Ear {
        pub(super) fn new() -> Option<Self> {
            None
        }

        pub(super) fn listen(&self, _: &Path) -> Option<Id> {
            match *self {}
        }

        pub(super) fn hears(&self, _: Id) -> bool {
            match *self {}
        }

        pub(super) fn forget(&self, _: Id) {
            match *self {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_are_as_many_as_the_pace_allows_however_many_writes_there_are() {
        let mut now = Instant::now();
        let mut pace = Pace::new(now);
        // One each millisecond never waits, and neither does one that catches up.
        for _ in 0..100 {
            now += Duration::from_millis(1);
            assert_eq!(pace.wait(now), None);
        }
        now += Duration::from_millis(20);
        assert!((1..AHEAD).all(|_| pace.wait(now).is_none()));
        let (mut looks, begun) = (0, now);
        while now < begun + Duration::from_secs(1) {
            now += pace.wait(now).unwrap_or_default() + Duration::from_micros(10);
            looks += 1;
        }
        assert!((380..=430).contains(&looks), "{looks}");
    }

    #[test]
    fn who_is_fast_no_more_is_read_at_each_write() {
        let begun = Instant::now();
        let (mut now, mut last_rest) = (begun, begun);
        let mut pace = Pace::new(begun);
        // Many at once, then one each millisecond; what comes between two looks is heard at once.
        let slow = (1..2000).map(|number| begun + Duration::from_millis(number));
        let mut writes = std::iter::repeat_n(begun, 20).chain(slow).peekable();
        while let Some(write) = writes.next() {
            now = now.max(write);
            if write > begun {
                while writes.next_if(|write| *write <= now).is_some() {}
            }
            if let Some(rest) = pace.wait(now) {
                now += rest;
                last_rest = now;
            }
            now += Duration::from_micros(10);
        }
        assert!(last_rest > begun, "it was fast once");
        assert!(last_rest < begun + Duration::from_secs(1), "{:?}", last_rest - begun);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_write_is_heard_and_so_is_who_wants_the_file_back() {
        use std::io::Write;

        let mut file = tempfile::NamedTempFile::new().unwrap();
        let path = file.path().to_owned();
        let linger = Linger::default();
        assert!(!linger.stay().is_worth_a_look(&path), "nobody may wait yet");
        for _ in 0..3 {
            linger.allow();
            let mut stay = linger.stay();
            assert!(stay.is_worth_a_look(&path), "the first time");
            for _ in 0..3 {
                file.write_all(b"x").unwrap();
                assert!(stay.is_worth_a_look(&path));
            }
            file.write_all(b"x").unwrap();
            linger.recall();
            assert!(!stay.is_worth_a_look(&path), "it is wanted");
        }
        linger.allow();
        assert!(!linger.stay().is_worth_a_look(&path.join("b")), "there is no such file");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn one_that_sleeps_comes_back_when_it_is_wanted() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let linger = Linger::default();
        linger.allow();
        thread::scope(|scope| {
            let waits = scope.spawn(|| {
                let mut stay = linger.stay();
                assert!(stay.is_worth_a_look(file.path()));
                stay.is_worth_a_look(file.path())
            });
            while linger.state().watch.is_none() && !waits.is_finished() {
                thread::yield_now();
            }
            linger.recall();
            assert!(!waits.join().unwrap());
        });
    }
}
