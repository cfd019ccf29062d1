//! Fuzzes the targets of `fuzz/`, one after the other. Their corpora, and what once failed, are run by
//! ordinary tests too; here new inputs are looked for.
//!
//! What is found that reaches new code stays in `fuzz/target/found`; with `--fix` the best of it comes
//! into the corpora of the repository. An input that fails is in `fuzz/artifacts`; once the mistake is
//! mended it belongs into `fuzz/past`, under a name that says what it was.

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

/// The largest file that is added to a corpus in the repository, and how many are.
const MOST_BYTES: &str = "-max_len=400";
const MOST_FILES: usize = 40;

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

/// Makes what was found part of the corpus in the repository: the least number of small files that
/// reach what is reached. Files that people named stay as they are.
fn minimise(cx: &Context, target: &str) -> Result {
    let (corpus, kept) = (corpus(target), format!("fuzz/target/kept/{target}"));
    let found = format!("fuzz/target/found/{target}");
    let cannot = |error: io::Error| format!("cannot make `{corpus}` anew: {error}");
    match fs::remove_dir_all(cx.root.join(&kept)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(cannot(error).into()),
        _ => make_folder(cx, &kept)?,
    }
    let mut args = vec!["fuzz", "run"];
    args.extend(SANITIZER);
    args.extend([target, &kept, &corpus, &found, "--"]);
    args.extend(["-set_cover_merge=1", "-use_counters=0", MOST_BYTES]);
    cx.cargo(&args)?;
    renew(&cx.root.join(&corpus), &cx.root.join(&kept)).map_err(|error| cannot(error).into())
}

/// Replaces the files of a corpus that nobody named by those that are kept, the largest of them.
fn renew(corpus: &Path, kept: &Path) -> io::Result<()> {
    for path in files(corpus)? {
        if !is_named(&path) {
            fs::remove_file(path)?;
        }
    }
    let named: Vec<_> = files(corpus)?.iter().map(fs::read).collect::<io::Result<_>>()?;
    let mut new = Vec::new();
    for path in files(kept)? {
        let bytes = fs::read(&path)?;
        if !named.contains(&bytes) {
            new.push((std::cmp::Reverse(bytes.len()), path));
        }
    }
    // Those that reach much are large, as a rule.
    new.sort();
    for (_, path) in new.iter().take(MOST_FILES) {
        fs::copy(path, corpus.join(path.file_name().unwrap_or_default()))?;
    }
    Ok(())
}

/// A name that is not a hash, which libFuzzer gives.
fn is_named(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().as_encoded_bytes();
    name.len() != 40 || !name.iter().all(u8::is_ascii_hexdigit)
}

fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    fs::read_dir(folder)?.map(|entry| entry.map(|e| e.path())).collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_named_stays_and_the_rest_is_made_anew() {
        let folder = tempfile::tempdir().expect("a folder");
        let (corpus, kept) = (folder.path().join("corpus"), folder.path().join("kept"));
        let hash = |n: usize| format!("{n:040x}");
        for (folder, name, text) in [
            (&corpus, "good".to_owned(), "named"),
            (&corpus, hash(1), "old"),
            (&kept, hash(2), "named"),
            (&kept, hash(3), "new"),
        ] {
            fs::create_dir_all(folder).expect("a folder");
            fs::write(folder.join(name), text).expect("a file");
        }
        renew(&corpus, &kept).expect("it is made anew");
        let mut names: Vec<_> = files(&corpus).expect("a folder");
        names.sort();
        assert_eq!(names, [corpus.join(hash(3)), corpus.join("good")]);
    }
}
