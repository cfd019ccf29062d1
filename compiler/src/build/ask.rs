//! Asking a new agent what it holds: by running it where that is possible, else by reading it.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde::Deserialize;

use super::error::BuildError;
use crate::binary::facts;
use crate::check::Checked;
use crate::release::record::Checked as How;
use crate::resolve::Plan;
use crate::target::Target;
use crate::toolchain::{Emulator, Tools, emulator};

/// How long the new agent may take to say what it holds.
const PATIENCE: Duration = Duration::from_secs(60);
/// The longest answer that is read, in bytes.
const LONGEST_ANSWER: u64 = 64 << 20;

/// Holds an agent against the plan: the facts in its file, and, where it can be run here, its own
/// `list --json` against what the crates declare as well.
pub(super) fn verify(
    plan: &Plan,
    target: &Target,
    staged: &Path,
    bytes: &[u8],
    checked: &Checked,
    tools: &Tools,
) -> Result<How, BuildError> {
    let found = facts::read(bytes).ok_or_else(|| {
        BuildError::Agent("its file does not hold the facts of an agent".to_owned())
    })?;
    let mut wrong = differences(plan, &found.plugins);
    if found.config_sha256 != plan.config_sha256
        || Some(&found.lock_sha256) != plan.lock_sha256.as_ref()
    {
        wrong.push("it was compiled from another build config or another lock".to_owned());
    }
    if !wrong.is_empty() {
        return Err(BuildError::Differs(wrong));
    }
    // Of a universal file, an emulator would run one part only.
    let emulator = match target.triples.as_slice() {
        [triple] => emulator(triple, tools),
        _ => None,
    };
    let Some(emulator) = emulator else { return Ok(How::Read) };
    let answer = ask(emulator.command(staged))?;
    let listed: Listed =
        serde_json::from_str(&answer).map_err(|e| BuildError::Agent(e.to_string()))?;
    let held = listed.crates.iter().map(|c| (c.name.clone(), c.version.clone())).collect();
    let mut wrong = differences(plan, &held);
    wrong.extend(missing(checked, &listed));
    if !wrong.is_empty() {
        return Err(BuildError::Differs(wrong));
    }
    Ok(match &emulator {
        Emulator::Directly => How::Run,
        Emulator::Program { program, .. } => {
            let name = program.file_name().unwrap_or_default();
            How::Emulated(name.to_string_lossy().into_owned())
        }
    })
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

/// How the crates that an agent holds differ from those of the plan.
fn differences(plan: &Plan, held: &BTreeMap<String, String>) -> Vec<String> {
    let version = |v: &Option<semver::Version>| v.as_ref().map(ToString::to_string);
    let wanted: BTreeMap<&str, String> = plan
        .plugins
        .iter()
        .map(|p| (p.name.as_str(), version(&p.version).unwrap_or_default()))
        .collect();
    let mut wrong = Vec::new();
    for (name, version) in &wanted {
        match held.get(*name) {
            None => wrong.push(format!("`{name}` is missing")),
            Some(other) if other != version => {
                wrong.push(format!("`{name}` is {other}, not {version}"));
            }
            Some(_) => {}
        }
    }
    let more = held.keys().filter(|name| !wanted.contains_key(name.as_str()));
    wrong.extend(more.map(|name| format!("`{name}` was not asked for")));
    wrong
}

/// Plugins that the crates declare and an agent does not have.
fn missing(checked: &Checked, listed: &Listed) -> Vec<String> {
    let mut wrong = Vec::new();

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

fn ask(mut agent: Command) -> Result<String, BuildError> {
    let fail = |e: std::io::Error| BuildError::Agent(e.to_string());
    let mut child = agent
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
