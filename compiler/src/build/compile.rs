//! Compiling the workspace.

use std::collections::HashSet;
use std::path::PathBuf;
use std::process::Command;
use std::sync::mpsc;
use std::thread;

use cargo_metadata::diagnostic::DiagnosticLevel;
use cargo_metadata::{Message, PackageId};

use super::cargo::{self, Words};
use super::error::BuildError;
use super::sources::Crates;
use super::{Context, Progress, flags};
use crate::resolve::Plan;
use crate::target::Triple;
use crate::toolchain::{Chosen, Invocation, Kind, Site};

/// How many errors of the compiler are shown.
const MOST_ERRORS: usize = 20;

/// Compiles for one triple, and gives the path of the executable in Cargo's target folder.
pub(super) fn compile(
    plan: &Plan,
    chosen: &Chosen,
    cx: &Context<'_>,
    progress: &mut dyn Progress,
) -> Result<PathBuf, BuildError> {
    let sources: Vec<_> = plan.trees.iter().map(|tree| tree.root.clone()).collect();
    let site = Site { sources: &sources, folder: &plan.build_dir };
    let started = chosen.invocation(cx.tools, &site);
    let command = command(plan, chosen, &started, cx, progress.wants_color());
    let mut child = cargo::start(command)?;
    let stdout = child.stdout.take().expect("standard output is piped");
    let stderr = child.stderr.take().expect("standard error is piped");
    let (send, events) = mpsc::channel();
    let sends_words = send.clone();
    let readers = [
        thread::spawn(move || {
            cargo::each_line(stderr, |line| drop(sends_words.send(Event::Words(line))));
        }),
        thread::spawn(move || {
            cargo::each_line(stdout, |line| {
                if let Ok(message) = serde_json::from_str(&line) {
                    drop(send.send(Event::Message(Box::new(message))));
                }
            });
        }),
    ];
    let mut seen = Seen::new(plan, cx.graphs.count(&chosen.triple), cx.crates);
    for event in events {
        seen.take(event, progress);
    }
    for reader in readers {
        reader.join().expect("reading lines does not panic");
    }
    let status = child.wait().map_err(|e| BuildError::Answer(e.to_string()))?;
    if status.code().is_none() {
        return Err(BuildError::Interrupted);
    }
    if !status.success() {
        return Err(seen.into_error());
    }
    let said = seen.executable;
    let said = said.ok_or_else(|| BuildError::Answer("it names no executable".to_owned()))?;
    Ok(started.outside(&said, &target_dir(plan, &chosen.triple)))
}

/// The triple is always named, this machine's too: then what runs while building is compiled once
/// for all triples, and flags are for the agent alone.
fn command(
    plan: &Plan,
    chosen: &Chosen,
    started: &Invocation,
    cx: &Context<'_>,
    color: bool,
) -> Command {
    let mut command = match chosen.kind {
        Kind::Cargo => cargo::command(&plan.workspace),
        _ => cargo::clean(started.program.as_os_str(), &plan.workspace),
    };
    for name in &started.without {
        command.env_remove(name);
    }
    command.envs(started.environment.iter().cloned()).args(&started.arguments);
    if started.target_dir.is_none() {
        // Another folder for what lies between, of a configuration file, would be seen in a path.
        command.env("CARGO_BUILD_BUILD_DIR", target_dir(plan, &chosen.triple));
    }
    command
        .env("CARGO_ENCODED_RUSTFLAGS", flags::encoded(plan, cx.crates, cx.tools, &started.flags));
    command.env("SWAK_PROFILE", plan.profile.folder());
    let tools = chosen.versions(cx.tools);
    if !tools.is_empty() {
        command.env("SWAK_LINKED_BY", tools.join(", "));
    }
    // In the workspace, without its path: inside a container it is another one.
    command
        .args(["--locked", "--profile", plan.profile.cargo_name(), "--target-dir"])
        .arg(target_dir(plan, &chosen.triple));
    let format = if color { "json-diagnostic-rendered-ansi" } else { "json" };
    command.args(["--message-format", format]);
    command.args(cx.options.for_cargo());
    command
}

/// With a glibc of its own, a triple would take turns with the plain one in Cargo's folder for it:
/// each would overwrite the other's executable, and compile everything again.
fn target_dir(plan: &Plan, triple: &Triple) -> PathBuf {
    match triple.glibc() {
        Some(minor) => plan.target_dir.join(format!("glibc-2.{minor}")),
        None => plan.target_dir.clone(),
    }
}

enum Event {
    Words(String),
    Message(Box<Message>),
}

/// What was seen of a build so far.
struct Seen<'a> {
    package: String,
    plan: &'a Plan,
    crates: &'a Crates,
    /// How many crates there are to compile.
    count: usize,
    done: HashSet<PackageId>,
    executable: Option<PathBuf>,
    /// The crate that failed first.
    failed: Option<String>,
    errors: Vec<String>,
    words: Words,
}

impl<'a> Seen<'a> {
    fn new(plan: &'a Plan, count: usize, crates: &'a Crates) -> Self {
        Seen {
            package: plan.name.package(),
            plan,
            crates,
            count,
            done: HashSet::new(),
            executable: None,
            failed: None,
            errors: Vec::new(),
            words: Words::default(),
        }
    }

    fn take(&mut self, event: Event, progress: &mut dyn Progress) {
        match event {
            Event::Words(line) => {
                let line = self.plan.trees.told_truly(&line, &self.plan.workspace);
                progress.cargo_says(&line);
                if self.failed.is_none() {
                    self.failed = failed_crate(&line);
                }
                self.words.add(&line);
            }
            Event::Message(message) => self.message(*message, progress),
        }
    }

    fn message(&mut self, message: Message, progress: &mut dyn Progress) {
        match message {
            Message::CompilerArtifact(artifact) => {
                if artifact.target.name == self.package
                    && let Some(path) = artifact.executable
                {
                    self.executable = Some(path.into_std_path_buf());
                }
                // A build script is only a part of its crate.
                if !artifact.target.is_custom_build() && self.done.insert(artifact.package_id) {
                    progress.compiled(self.done.len(), self.count, &artifact.target.name);
                }
            }
            Message::CompilerMessage(said)
                if matches!(said.message.level, DiagnosticLevel::Error | DiagnosticLevel::Ice) =>
            {
                if self.failed.is_none() {
                    let name = self.crates.describe(&said.package_id);
                    self.failed = Some(name.unwrap_or(&said.target.name).to_owned());
                }
                let rendered = said.message.rendered.unwrap_or(said.message.message);
                if self.errors.len() < MOST_ERRORS {
                    let trees = &self.plan.trees;
                    self.errors.push(trees.told_truly(&rendered, &self.plan.workspace));
                }
            }
            _ => {}
        }
    }

    /// The crate first, then what the compiler said; what Cargo itself said when it was not the
    /// compiler that failed: a build script, the linker.
    fn into_error(self) -> BuildError {
        let words = if self.errors.is_empty() {
            self.words.text().to_owned()
        } else {
            self.errors.join("\n")
        };
        BuildError::Compile { krate: self.failed, words }
    }
}

/// The crate in Cargo's `error: failed to run custom build command for …` and its like.
fn failed_crate(line: &str) -> Option<String> {
    let rest = ["failed to run custom build command for `", "could not compile `"]
        .iter()
        .find_map(|start| line.split_once(start))?
        .1;
    let (name, _) = rest.split_once('`')?;
    let name = name.split(" (").next().unwrap_or(name);
    Some(name.replace(" v", " "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failing_build_script_names_its_crate() {
        let line = "error: failed to run custom build command for `ring v0.17.8`";
        assert_eq!(failed_crate(line).as_deref(), Some("ring 0.17.8"));
        let line = "error: could not compile `swak-plugin-x` (lib) due to 1 previous error";
        assert_eq!(failed_crate(line).as_deref(), Some("swak-plugin-x"));
        let line = "error: failed to run custom build command for `x v1.0.0 (/home/me/x)`";
        assert_eq!(failed_crate(line).as_deref(), Some("x 1.0.0"));
        assert_eq!(failed_crate("   Compiling x v1.0.0"), None);
    }
}
