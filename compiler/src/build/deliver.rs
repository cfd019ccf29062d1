//! From Cargo's target folder to `dist/`.
//!
//! The executable is copied aside first and asked what it holds; only one that answers rightly is
//! renamed into its place. Whatever fails or is interrupted before that leaves the last one there.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde::Deserialize;

use super::error::BuildError;
use crate::check::Checked;
use crate::resolve::Plan;

/// How long the new agent may take to say what it holds.
const PATIENCE: Duration = Duration::from_secs(60);
/// The longest answer that is read, in bytes.
const LONGEST_ANSWER: u64 = 64 << 20;

/// Makes the folder that the agent will be put into and tries to write there: who waited for a
/// whole build should not learn only then that it cannot be delivered.
pub(super) fn prepare(plan: &Plan) -> Result<(), BuildError> {
    let target = plan.output.first().expect("a plan has a target");
    let folder = target.parent().expect("it is in a folder");
    fs::create_dir_all(folder).map_err(io("make the folder", folder))?;
    drop(tempfile::NamedTempFile::new_in(folder).map_err(io("write in", folder))?);
    if target.is_dir() {
        return Err(io("write", target)(std::io::ErrorKind::IsADirectory.into()));
    }
    Ok(())
}

/// Copies the executable aside, into the build folder.
pub(super) fn stage(plan: &Plan, made: &Path) -> Result<PathBuf, BuildError> {
    let name = made.file_name().expect("an executable has a name");
    let staged = plan.workspace.join("staged").join(name);
    let folder = staged.parent().expect("it is in a folder");
    fs::create_dir_all(folder).map_err(io("make the folder", folder))?;
    // A new file, not new bytes in an old one that may still be running.
    drop(fs::remove_file(&staged));
    fs::copy(made, &staged).map_err(io("write", &staged))?;
    Ok(staged)
}

/// Runs the new agent's `list --json` and holds it against the plan and against what the crates
/// declare. Gives the number of plugins.
pub(super) fn verify(plan: &Plan, staged: &Path, checked: &Checked) -> Result<usize, BuildError> {
    let answer = ask(staged)?;
    let listed: Listed =
        serde_json::from_str(&answer).map_err(|e| BuildError::Agent(e.to_string()))?;
    let wrong = differences(plan, checked, &listed);
    if wrong.is_empty() { Ok(listed.plugins.len()) } else { Err(BuildError::Differs(wrong)) }
}

/// Puts the executable into its place. Gives its path and its size in bytes.
pub(super) fn publish(plan: &Plan, staged: &Path) -> Result<(PathBuf, u64), BuildError> {
    let target = plan.output.first().expect("a plan has a target");
    let folder = target.parent().expect("it is in a folder");
    fs::create_dir_all(folder).map_err(io("make the folder", folder))?;
    let bytes = fs::metadata(staged).map_err(io("read", staged))?.len();
    if fs::rename(staged, target).is_err() {
        // Another file system: copied beside its place, then renamed.
        let beside = tempfile::NamedTempFile::new_in(folder).map_err(io("write in", folder))?;
        fs::copy(staged, beside.path()).map_err(io("write", target))?;
        beside.persist(target).map_err(|e| BuildError::Io {
            what: "write",
            path: target.clone(),
            source: e.error,
        })?;
    }
    Ok((target.clone(), bytes))
}

/// What `list --json` says.
#[derive(Deserialize)]
struct Listed {
    crates: Vec<ListedCrate>,
    plugins: Vec<ListedPlugin>,
}

#[derive(Deserialize)]
struct ListedCrate {
    name: String,
    version: String,
}

#[derive(Deserialize)]
struct ListedPlugin {
    plugin: String,
    #[serde(rename = "crate")]
    krate: Option<String>,
}

fn differences(plan: &Plan, checked: &Checked, listed: &Listed) -> Vec<String> {
    let version = |v: &Option<semver::Version>| v.as_ref().map(ToString::to_string);
    let wanted: BTreeMap<&str, String> = plan
        .plugins
        .iter()
        .map(|p| (p.name.as_str(), version(&p.version).unwrap_or_default()))
        .collect();
    let held: BTreeMap<&str, String> =
        listed.crates.iter().map(|c| (c.name.as_str(), c.version.clone())).collect();
    let mut wrong = Vec::new();
    for (name, version) in &wanted {
        match held.get(name) {
            None => wrong.push(format!("`{name}` is missing")),
            Some(other) if other != version => {
                wrong.push(format!("`{name}` is {other}, not {version}"));
            }
            Some(_) => {}
        }
    }
    let more = held.keys().filter(|name| !wanted.contains_key(*name));
    wrong.extend(more.map(|name| format!("`{name}` was not asked for")));

    let plugins: BTreeSet<(&str, &str)> = listed
        .plugins
        .iter()
        .filter_map(|p| Some((p.krate.as_deref()?, p.plugin.as_str())))
        .collect();
    for (name, declared) in &checked.declared {
        let missing = declared.iter().filter(|path| !plugins.contains(&(name.as_str(), path)));
        wrong.extend(
            missing.map(|path| {
                format!("`{path}` of `{name}` is missing: does its `register` name it?")
            }),
        );
    }
    wrong
}

fn ask(agent: &Path) -> Result<String, BuildError> {
    let fail = |e: std::io::Error| BuildError::Agent(e.to_string());
    let mut child = Command::new(agent)
        .args(["list", "--json"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(fail)?;
    let stdout = child.stdout.take().expect("standard output is piped");
    let stderr = child.stderr.take().expect("standard error is piped");
    let read = |stream: Box<dyn std::io::Read + Send>| {
        thread::spawn(move || {
            let mut bytes = Vec::new();
            // What cannot be read is an answer that cannot be understood.
            drop(stream.take(LONGEST_ANSWER).read_to_end(&mut bytes));
            String::from_utf8_lossy(&bytes).into_owned()
        })
    };
    let (answer, complaint) = (read(Box::new(stdout)), read(Box::new(stderr)));
    let start = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().map_err(fail)? {
            break status;
        }
        if start.elapsed() > PATIENCE {
            drop(child.kill());
            drop(child.wait());
            return Err(BuildError::Agent(format!("nothing in {} s", PATIENCE.as_secs())));
        }
        thread::sleep(Duration::from_millis(10));
    };
    let answer = answer.join().expect("reading does not panic");
    let complaint = complaint.join().expect("reading does not panic");
    if !status.success() {
        let last: Vec<_> = complaint.lines().rev().take(20).collect();
        let last: Vec<_> = last.into_iter().rev().collect();
        return Err(BuildError::Agent(format!("{status}\n{}", last.join("\n"))));
    }
    Ok(answer)
}

fn io(what: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> BuildError + use<> {
    let path = path.to_owned();
    move |source| BuildError::Io { what, path, source }
}
