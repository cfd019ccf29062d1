//! From the build folder to `dist/`.
//!
//! Everything is there, whole, before the first file takes its place: whatever fails or is
//! interrupted before that leaves what was there as it was. When a file cannot take its place, those
//! that have done so give it back.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::Progress;
use super::error::BuildError;
use crate::resolve::Plan;

/// How the name of a folder begins in which files wait for their places.
const WAITING: &str = ".swak-new-";

/// A file on its way.
pub(super) struct Parcel {
    /// Where it goes.
    pub(super) to: PathBuf,
    /// What is in it.
    pub(super) bytes: Vec<u8>,
    /// May be run.
    pub(super) executable: bool,
}

/// Makes the folder that the agent will be put into and tries to write there: who waited for a
/// whole build should not learn only then that it cannot be delivered.
pub(super) fn prepare(plan: &Plan) -> Result<(), BuildError> {
    fs::create_dir_all(&plan.out).map_err(BuildError::io("make the folder", &plan.out))?;
    drop(NamedTempFile::new_in(&plan.out).map_err(BuildError::io("write in", &plan.out))?);
    match plan.files().find(|file| file.is_dir()) {
        Some(taken) => Err(BuildError::io("write", taken)(io::ErrorKind::IsADirectory.into())),
        None => Ok(()),
    }
}

/// The folder of the agents, held while files take their places.
pub(super) struct Place {
    _folder: File,
}

/// Waits until no other build puts its files into the same folder: agents that share one share the
/// file of sums. `None` where a folder cannot be held, on Windows and on file systems without locks.
pub(super) fn claim(plan: &Plan, progress: &mut dyn Progress) -> Option<Place> {
    let folder = File::open(&plan.out).ok()?;
    match folder.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            progress.step("waiting for another build that delivers into the same folder");
            folder.lock().ok()?;
        }
        Err(TryLockError::Error(_)) => return None,
    }
    // Nobody else is at work here: what waits was left by a build that was killed.
    for entry in fs::read_dir(&plan.out).ok()?.filter_map(Result::ok) {
        if entry.file_name().to_string_lossy().starts_with(WAITING) {
            // It takes room, and does no harm.
            drop(fs::remove_dir_all(entry.path()));
        }
    }
    Some(Place { _folder: folder })
}

/// Puts every file into its place and takes away those that are of an earlier build.
///
/// The files are written to the disk in a folder beside the places first; only renaming is left
/// then, which takes no room and no time.
pub(super) fn publish(
    plan: &Plan,
    parcels: Vec<Parcel>,
    stale: &[PathBuf],
) -> Result<(), BuildError> {
    let folder = tempfile::Builder::new()
        .prefix(WAITING)
        .tempdir_in(&plan.out)
        .map_err(BuildError::io("write in", &plan.out))?;
    let mut ready = Vec::new();
    for (n, parcel) in parcels.into_iter().enumerate() {
        let beside = folder.path().join(n.to_string());
        let write = || {
            let mut file = File::create(&beside)?;
            io::Write::write_all(&mut file, &parcel.bytes)?;
            file.sync_all()?;
            if parcel.executable { make_executable(&beside) } else { Ok(()) }
        };
        write().map_err(BuildError::io("write", &parcel.to))?;
        ready.push((beside, parcel.to));
    }
    let mut places = Places { folder: folder.path(), taken: Vec::new() };
    // What is old goes first: between the two, a file is missing rather than wrong.
    let gone = stale.iter().map(|path| (path, None));
    let new = ready.iter().map(|(beside, to)| (to, Some(beside)));
    for (place, file) in gone.chain(new) {
        if let Err(error) = places.take(place, file.map(PathBuf::as_path)) {
            places.give_back();
            let what = if file.is_some() { "write" } else { "remove" };
            return Err(BuildError::io(what, place)(error));
        }
    }
    Ok(())
}

/// Places that were taken, and what was there before.
struct Places<'a> {
    /// Where that is kept.
    folder: &'a Path,
    taken: Vec<(&'a Path, Option<PathBuf>)>,
}

impl<'a> Places<'a> {
    /// Puts a file into a place, or nothing.
    fn take(&mut self, place: &'a Path, file: Option<&Path>) -> io::Result<()> {
        if fs::symlink_metadata(place).is_ok_and(|there| there.is_dir()) {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        let old = self.folder.join(format!("old-{}", self.taken.len()));
        let old = match keep(place, &old) {
            Ok(()) => Some(old),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        self.taken.push((place, old));
        match file {
            Some(file) => fs::rename(file, place),
            None => remove(place),
        }
    }

    /// Makes every place what it was.
    fn give_back(self) {
        for (place, old) in self.taken.into_iter().rev() {
            // What went wrong first is what is told.
            drop(match old {
                Some(old) => fs::rename(old, place),
                None => remove(place),
            });
        }
    }
}

/// Gives a file a second name, so that it is not gone for a moment; where there are no second
/// names, the other one instead.
fn keep(file: &Path, other: &Path) -> io::Result<()> {
    match fs::hard_link(file, other) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => fs::rename(file, other),
        done => done,
    }
}

fn remove(file: &Path) -> io::Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Lets everyone run a file.
#[cfg(unix)]
pub(super) fn make_executable(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))
}

/// Windows knows by the name.
#[cfg(not(unix))]
pub(super) fn make_executable(_: &Path) -> io::Result<()> {
    Ok(())
}
