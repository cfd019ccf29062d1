//! `buffer replay` and `buffer repair`: what changes a buffer.

use swak_buffer::Replay;
use swak_recipe::diag::Diagnostic;

use super::super::Result;
use super::{counted, lock, one_buffer, refused};
use crate::Console;
use crate::cli::{BufferRepairArgs, BufferReplayArgs};

/// Sets the read position back, or forward over what is given up.
pub(super) fn replay(args: &BufferReplayArgs, console: &mut Console<'_>) -> Result {
    let folder = one_buffer(&args.folder)?;
    let storage = lock(&folder)?;
    let replayed = swak_buffer::replay(&storage, args.from, args.skip);
    let done = match replayed.map_err(|error| refused(&folder, &error))? {
        Replay::Done(done) => done,
        Replay::NoSuchFrame => {
            let what = match args.from {
                Some(from) => format!("{} holds no frame {from} or after it", folder.display()),
                None => format!("{} holds no frame", folder.display()),
            };
            let help = "`buffer dump --all` prints what there is";
            return Err(Diagnostic::error("no-such-frame", what).help(help).into());
        }
        Replay::WouldSkip(count) => {
            let waiting = counted(count.records, "record");
            let what = format!("{waiting} before that frame would never be delivered");
            let help = "`--skip` gives them up; the agent counts them as dropped then";
            return Err(Diagnostic::error("undelivered-frames", what).help(help).into());
        }
    };
    let before = match done.before {
        Some(before) => format!("it was before frame {}", before.seq),
        None => "it was lost".to_owned(),
    };
    let mut text = format!(
        "The read position is before frame {} now; {before}.\n{} will be delivered when the agent \
         starts.\n",
        done.now.seq,
        counted(done.waiting.records, "record"),
    );
    if !done.skipped.is_zero() {
        let skipped = counted(done.skipped.records, "record");
        text.push_str(&format!("{skipped} will not; the agent counts them as dropped.\n"));
    }
    console.print(&text)
}

/// Puts aside what is damaged.
pub(super) fn repair(args: &BufferRepairArgs, console: &mut Console<'_>) -> Result {
    let folder = one_buffer(&args.folder)?;
    let storage = lock(&folder)?;
    let done = swak_buffer::repair(&storage).map_err(|error| refused(&folder, &error))?;
    if done.is_nothing() {
        return console.print("There is nothing to repair.\n");
    }
    let mut text = String::new();
    for name in &done.rewritten {
        text.push_str(&format!("{name} was written anew.\n"));
    }
    for name in &done.put_aside {
        text.push_str(&format!("What was damaged is kept as {name}.\n"));
    }
    if done.position_reset {
        text.push_str("The read position was lost: everything on disk is delivered again.\n");
    }
    if !done.marked.is_zero() {
        let lost = counted(done.marked.records, "record");
        text.push_str(&format!("{lost} could not be saved; the agent counts them as dropped.\n"));
    }
    console.print(&text)
}
