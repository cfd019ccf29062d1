//! One build at a time in one build folder.

use std::fs::{self, File, TryLockError};
use std::path::Path;

use super::Progress;
use super::error::BuildError;
use crate::resolve::Plan;

/// Held while a build works; the system lets go of it however the build ends.
pub(super) struct Guard {
    _file: File,
}

/// Waits until no other build works in the plan's build folder.
pub(super) fn claim(plan: &Plan, progress: &mut dyn Progress) -> Result<Guard, BuildError> {
    let folder = plan.target_dir.parent().expect("the target folder is in the build folder");
    fs::create_dir_all(folder).map_err(BuildError::io("make the folder", folder))?;
    keep_out_of_git(folder);
    let path = folder.join("lock");
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(BuildError::io("open", &path))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            progress.step("waiting for another build in the same folder");
            file.lock().map_err(BuildError::io("lock", &path))?;
        }
        Err(TryLockError::Error(source)) => return Err(BuildError::io("lock", &path)(source)),
    }
    Ok(Guard { _file: file })
}

/// What is compiled belongs neither to a repository nor to a backup. A folder without these files
/// does its work too, so that a failure is none.
fn keep_out_of_git(folder: &Path) {
    let ignore = folder.join(".gitignore");
    if !ignore.exists() {
        drop(fs::write(ignore, "*\n"));
    }
    let tag = folder.join("CACHEDIR.TAG");
    if !tag.exists() {
        drop(fs::write(tag, "Signature: 8a477f597d28d172789f06886806bc55\n"));
    }
}
