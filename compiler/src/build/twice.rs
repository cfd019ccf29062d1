//! Building a second time, in another folder, and comparing.

use std::fs;
use std::path::{Path, PathBuf};

use super::error::{BuildError, Failure};
use super::{Built, Options, Progress, Update};
use crate::resolve::{Plan, Request};

/// Builds again what was just built, in a folder of its own that is gone afterwards, with the same
/// lock, and holds the executables against each other.
///
/// # Errors
/// When they differ, and all that can go wrong in a build.
pub fn verify(
    plan: &Plan,
    built: &Built,
    request: &Request,
    options: &Options,
    progress: &mut dyn Progress,
) -> Result<(), Failure> {
    progress.step("building a second time, to compare");
    let folder = in_folder(&plan.build_dir)?;
    let request = Request {
        out: folder.path().join("dist"),
        build_dir: Some(folder.path().join("build")),
        ..request.clone()
    };
    let options = Options { locked: true, update: Update::Nothing, ..options.clone() };
    let mut plan = super::plan(&plan.config, &request).map_err(Failure::Input)?;
    let again = super::build(&mut plan, &options, progress)?;
    if !again.failed.is_empty() {
        return Err(Failure::Targets(again.failed));
    }
    let mut different = Vec::new();
    for first in &built.targets {
        let Some(second) = again.targets.iter().find(|t| t.target == first.target) else {
            continue;
        };
        if first.sha256 != second.sha256 {
            let at = first_difference(&first.file, &second.file)?;
            different.push(format!("{}: from byte {at} on", first.target.name));
        }
    }
    if different.is_empty() { Ok(()) } else { Err(BuildError::NotTheSame(different).into()) }
}

/// Below the build folder, which keeps itself out of Git: a build that is killed leaves it there.
fn in_folder(folder: &Path) -> Result<tempfile::TempDir, BuildError> {
    let made = tempfile::Builder::new().prefix("verify-").tempdir_in(folder);
    made.map_err(BuildError::io("make a folder in", folder))
}

fn first_difference(a: &PathBuf, b: &PathBuf) -> Result<usize, BuildError> {
    let read = |path: &PathBuf| fs::read(path).map_err(BuildError::io("read", path));
    let (a, b) = (read(a)?, read(b)?);
    Ok(a.iter().zip(&b).position(|(a, b)| a != b).unwrap_or(a.len().min(b.len())))
}
