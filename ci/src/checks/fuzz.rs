//! Fuzzes the targets of `fuzz/`, one after the other. Their corpora, and what once failed, are run by
//! ordinary tests too; here new inputs are looked for.
//!
//! What is found that reaches new code stays in `fuzz/target/found`; with `--fix` the corpora in the
//! repository are made anew from it, as small as they can be.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::{Check, setup};
use crate::context::{Context, Result};

pub(super) const CHECK: Check = Check {
    name: "fuzz",
    what: "fuzz targets hold: all, or those named after it, each for `--seconds`",
    run,
};

/// No sanitizer: there is no unsafe code to look into, and without one every compiler will do.
const SANITIZER: [&str; 2] = ["--sanitizer", "none"];

/// What one input may take, and how long inputs become.
const LIMITS: [&str; 3] = ["-timeout=10", "-rss_limit_mb=1024", "-max_len=2048"];

/// The largest file of a corpus in the repository, in bytes.
const MOST_KEPT: &str = "-max_len=400";

/// Where the targets are.
const TARGETS: &str = "fuzz/fuzz_targets";

fn run(cx: &Context) -> Result {
    let known: Vec<_> = cx.files(TARGETS, ".rs")?.iter().map(|path| stem(path)).collect();
    if let Some(unknown) = cx.targets.iter().find(|name| !known.contains(name)) {
        return Err(format!(
            "there is no target `{unknown}`; the targets are: {}",
            known.join(", ")
        )
        .into());
    }
    setup::ensure(cx, &setup::CARGO_FUZZ);
    let chosen = if cx.targets.is_empty() { &known } else { &cx.targets };
    for target in chosen {
        fuzz(cx, target)?;
        if cx.fix {
            minimise(cx, target)?;
        }
    }
    Ok(())
}

/// Runs one target. The first folder of inputs is where new ones go.
fn fuzz(cx: &Context, target: &str) -> Result {
    let found = format!("fuzz/target/found/{target}");
    let folders = [found.clone(), corpus(target), format!("fuzz/past/{target}")];
    make_folder(cx, &found)?;
    let there = folders.iter().filter(|folder| cx.root.join(folder).is_dir());
    let mut args = vec!["fuzz", "run"];
    args.extend(SANITIZER);
    args.push(target);
    args.extend(there.map(String::as_str));
    let seconds = format!("-max_total_time={}", cx.seconds);
    args.extend(["--", &seconds, "-print_final_stats=1", "-verbosity=0"]);
    args.extend(LIMITS);
    cx.cargo(&args)
}

/// Makes the corpus of a target anew: the least number of small files that reach all that is reached
/// by what it was and what was found.
fn minimise(cx: &Context, target: &str) -> Result {
    let (old, kept) = (corpus(target), format!("fuzz/target/kept/{target}"));
    let found = format!("fuzz/target/found/{target}");
    let cannot = |error: io::Error| format!("cannot replace `{old}`: {error}");
    match fs::remove_dir_all(cx.root.join(&kept)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(cannot(error).into()),
        _ => make_folder(cx, &kept)?,
    }
    let mut args = vec!["fuzz", "run"];
    args.extend(SANITIZER);
    args.extend([target, &kept, &old, &found, "--", "-set_cover_merge=1", MOST_KEPT]);
    cx.cargo(&args)?;
    fs::remove_dir_all(cx.root.join(&old)).map_err(cannot)?;
    fs::rename(cx.root.join(&kept), cx.root.join(&old)).map_err(|error| cannot(error).into())
}

fn corpus(target: &str) -> String {
    format!("fuzz/corpus/{target}")
}

fn make_folder(cx: &Context, folder: &str) -> Result {
    let made = fs::create_dir_all(cx.root.join(folder));
    made.map_err(|error| format!("cannot make `{folder}`: {error}").into())
}

fn stem(path: &Path) -> String {
    let stem: PathBuf = path.file_stem().unwrap_or_default().into();
    stem.display().to_string()
}
