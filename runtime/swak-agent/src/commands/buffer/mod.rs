//! `buffer`: looks into the folder of an `out.DiskBuffer`, and mends it.

mod check;
mod dump;
mod mend;

use std::fs;
use std::path::{Path, PathBuf};

use swak_buffer::{FileSystem, LockError, OpenError, looks_like_buffer};
use swak_recipe::diag::Diagnostic;

use super::Result;
use crate::Console;
use crate::cli::{BufferArgs, BufferCommand};
use crate::failure::Failure;

pub(super) fn run(args: &BufferArgs, console: &mut Console<'_>) -> Result {
    match &args.command {
        BufferCommand::Check(args) => check::run(args, console),
        BufferCommand::Dump(args) => dump::run(args, console),
        BufferCommand::Replay(args) => mend::replay(args, console),
        BufferCommand::Repair(args) => mend::repair(args, console),
    }
}

/// How deep buffers lie in a data folder, at the most.
const DEPTH: usize = 4;

/// The buffers in a folder: itself, or those below it.
fn buffers(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    match fs::metadata(folder) {
        Ok(metadata) if metadata.is_dir() => {}
        Ok(_) => return Err(not_a_buffer(folder, "is not a folder")),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let what = format!("there is no folder {}", folder.display());
            return Err(Diagnostic::error("no-such-folder", what).help(HELP).into());
        }
        Err(error) => return Err(unreadable(folder, &error)),
    }
    find(folder, DEPTH, &mut found).map_err(|error| unreadable(folder, &error))?;
    if found.is_empty() {
        return Err(not_a_buffer(folder, "holds no buffer"));
    }
    found.sort();
    Ok(found)
}

/// The only buffer in a folder.
fn one_buffer(folder: &Path) -> Result<PathBuf> {
    let mut found = buffers(folder)?;
    if found.len() > 1 {
        let names: Vec<_> = found.iter().map(|path| path.display().to_string()).collect();
        let what = format!("{} holds {} buffers", folder.display(), found.len());
        let help = format!("name one of them: {}", names.join(", "));
        return Err(Diagnostic::error("several-buffers", what).help(help).into());
    }
    Ok(found.remove(0))
}

const HELP: &str =
    "name the folder that out.DiskBuffer was given as `path`, or the agent's data folder";

fn find(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) -> std::io::Result<()> {
    if looks_like_buffer(folder)? {
        found.push(folder.to_owned());
        return Ok(());
    }
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if depth > 0 && entry.file_type()?.is_dir() {
            find(&entry.path(), depth - 1, found)?;
        }
    }
    Ok(())
}

/// Keeps the agent out while a buffer is changed.
fn lock(folder: &Path) -> Result<FileSystem> {
    FileSystem::lock_existing(folder).map_err(|error| {
        let (code, help) = match error {
            LockError::NotFound { .. } | LockError::NotAFolder { .. } => ("no-such-folder", HELP),
            LockError::Locked { .. } => ("buffer-locked", "stop the agent first"),
            LockError::ReadOnly { .. } => {
                ("buffer-read-only", "run this as the user that the agent runs as")
            }
            LockError::Io { .. } => ("buffer-unreadable", "see what the system says"),
        };
        Failure::Tried(Diagnostic::error(code, error.to_string()).help(help).into())
    })
}

/// Why a buffer cannot be read or changed, as people see it.
fn refused(folder: &Path, error: &OpenError) -> Failure {
    let (code, help) = match error {
        OpenError::Newer { .. } => ("buffer-newer", "use the agent that has written it"),
        OpenError::Io { source, .. } if source.kind() == std::io::ErrorKind::StorageFull => {
            ("buffer-unreadable", "make room on the disk first")
        }
        OpenError::Io { .. } => {
            ("buffer-unreadable", "see what the system says; may this user read and write there?")
        }
    };
    let what = format!("the buffer in {}: {error}", folder.display());
    Failure::Tried(Diagnostic::error(code, what).help(help).into())
}

fn not_a_buffer(folder: &Path, what: &str) -> Failure {
    let what = format!("{} {what}", folder.display());
    Diagnostic::error("not-a-buffer", what).help(HELP).into()
}

fn unreadable(folder: &Path, error: &std::io::Error) -> Failure {
    let what = format!("cannot read the folder {}: {error}", folder.display());
    let help = "run this as the user that the agent runs as";
    Failure::Tried(Diagnostic::error("buffer-unreadable", what).help(help).into())
}

/// `1 record`, `2 records`
fn counted(n: u64, one: &str) -> String {
    if n == 1 { format!("1 {one}") } else { format!("{n} {one}s") }
}
