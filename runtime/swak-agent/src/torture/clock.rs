//! A clock that jumps.
//!
//! With libfaketime on the machine the agent's own clock jumps: the library is loaded before it, and
//! reads from a file how far the clock is off. An executable without shared libraries cannot be
//! deceived so. The times of the followed files jump with it, by days into the past or the future; alone
//! they jump into the future.

use std::ffi::OsString;
use std::fs::{self, FileTimes};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::random::Random;

/// The agent's clock.
#[derive(Debug)]
pub(super) struct Clock {
    /// What the library reads, when there is a library.
    offset: Option<PathBuf>,
    library: Option<PathBuf>,
}

/// Where Debian, Fedora and Alpine put it.
const LIBRARIES: [&str; 6] = [
    "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1",
    "/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1",
    "/usr/lib64/faketime/libfaketimeMT.so.1",
    "/usr/lib/faketime/libfaketimeMT.so.1",
    "/usr/local/lib/faketime/libfaketimeMT.so.1",
    "/usr/lib/libfaketimeMT.so.1",
];

/// The farthest jump.
const FAR: u64 = 10 * 24 * 3600;

impl Clock {
    /// A clock that is right, with a file in this folder to change it.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(super) fn new(folder: &Path) -> io::Result<Self> {
        let library = LIBRARIES.iter().map(PathBuf::from).find(|path| path.exists());
        let library = library.filter(|_| cfg!(target_os = "linux"));
        let offset = library.as_ref().map(|_| folder.join("clock"));
        if let Some(path) = &offset {
            fs::write(path, "+0\n")?;
        }
        Ok(Clock { offset, library })
    }

    /// What the agent must have in its environment.
    pub(super) fn environment(&self) -> Vec<(OsString, OsString)> {
        let (Some(library), Some(offset)) = (&self.library, &self.offset) else {
            return Vec::new();
        };
        vec![
            ("LD_PRELOAD".into(), library.into()),
            ("FAKETIME_TIMESTAMP_FILE".into(), offset.into()),
            ("FAKETIME_NO_CACHE".into(), "1".into()),
            // Waiting goes by the monotonic clock, which never jumps.
            ("FAKETIME_DONT_FAKE_MONOTONIC".into(), "1".into()),
        ]
    }

    /// Whether the agent's own clock can jump.
    pub(super) fn is_own(&self) -> bool {
        self.library.is_some()
    }

    /// Jumps: the clock, and the times of these files the same way, each at the most as far. They may have
    /// vanished.
    ///
    /// # Errors
    /// As the system says.
    pub(super) fn jump(&self, files: &[PathBuf], random: &mut Random) -> io::Result<()> {
        let far = random.within(1..FAR);
        // Files of the past beside a clock that is right are history, and not read.
        let is_back = random.chance(50) && self.offset.is_some();
        if let Some(path) = &self.offset {
            let sign = if is_back { '-' } else { '+' };
            fs::write(path, format!("{sign}{far}\n"))?;
        }
        for path in files {
            let far = Duration::from_secs(random.within(0..far));
            let now = SystemTime::now();
            let time = if is_back { now - far } else { now + far };
            match fs::File::options().append(true).open(path) {
                Ok(file) => file.set_times(FileTimes::new().set_modified(time))?,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// Removes what libfaketime keeps in memory for a process, which one that is killed leaves behind.
pub(super) fn forget(process: u32) {
    if cfg!(target_os = "linux") {
        for name in ["faketime_shm_", "sem.faketime_sem_"] {
            let _ = fs::remove_file(format!("/dev/shm/{name}{process}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_get_other_times() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("a");
        fs::write(&path, "x").unwrap();
        let before = path.metadata().unwrap().modified().unwrap();
        let clock = Clock::new(place.path()).unwrap();
        let files = [path.clone(), place.path().join("gone")];
        clock.jump(&files, &mut Random::new(1)).unwrap();
        assert_ne!(path.metadata().unwrap().modified().unwrap(), before);
        assert_eq!(clock.is_own(), !clock.environment().is_empty());
    }
}
