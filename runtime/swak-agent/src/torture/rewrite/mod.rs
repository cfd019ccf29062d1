//! A person's recipe, made fit for torture: every path of it leads below a folder of our own, every
//! output to something that we control. Transforms, flow words and all other options stay as they are.

mod outputs;
mod places;
mod sockets;
mod tasks;
mod values;

use std::path::{Path, PathBuf};

use swak_recipe::diag::Diagnostics;
use swak_recipe::syntax::{Script, Spelling};
use swak_recipe::{Catalog, Environment, write};

use super::expect::Expect;
use super::line::Shape;
use super::relay::Transport;
pub(super) use outputs::FOLLOWER;
use tasks::Rewriter;

/// What the rewriting is given.
pub(super) struct Place<'a> {
    /// The plugins of this agent.
    pub(super) catalog: &'a dyn Catalog,
    /// What `env(…)` and `option(…)` are answered with.
    pub(super) environment: &'a dyn Environment,
    /// Where the followed files are to lie.
    pub(super) files: &'a Path,
    /// Where files that outputs and buffers write are to lie.
    pub(super) state: &'a Path,
    /// A server of our own for this sink, as `127.0.0.1:12345`.
    pub(super) address: &'a mut dyn FnMut(usize) -> std::io::Result<String>,
    /// A free port on loopback, as `127.0.0.1:12345`.
    pub(super) free_port: &'a mut dyn FnMut() -> std::io::Result<String>,
}

/// A recipe that was made fit for torture.
#[derive(Debug)]
pub(super) struct Rewritten {
    /// As it is run.
    pub(super) recipe: String,
    /// The files to write.
    pub(super) sources: Vec<SourcePlan>,
    /// What sends to inputs that listen.
    pub(super) senders: Vec<Sender>,
    /// What stands where the outputs stood.
    pub(super) sinks: Vec<Sink>,
    /// How many units there are: outputs that stand in for each other are one.
    pub(super) units: usize,
    /// What most lines of such recipes look like.
    pub(super) shape: Shape,
    /// Whether an input begins at the end of files that are there at its start.
    pub(super) skips_present: bool,
    /// What is not as in the recipe, for people.
    pub(super) notes: Vec<String>,
}

/// An output of this agent that sends what is in a file to an input of the recipe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sender {
    pub(super) path: PathBuf,
    /// As a recipe names it: `out.Fluentd`.
    pub(super) output: String,
    /// Where the input listens.
    pub(super) address: String,
    /// What both sides must have alike.
    pub(super) options: Vec<(String, String)>,
}

/// A file that the recipe follows, or lines that are sent to it.
#[derive(Debug)]
pub(super) struct SourcePlan {
    /// Of lines that are sent, what they are called by.
    pub(super) path: PathBuf,
    /// How they are sent, and where to; else they stand in the file.
    pub(super) sent: Option<(Transport, String)>,
    /// Where its lines are to come out.
    pub(super) expect: Expect,
}

/// What stands where an output stood.
#[derive(Clone, Debug)]
pub(super) struct Sink {
    /// As people know it: `out.Fluentd (2)`.
    pub(super) name: String,
    /// Outputs that stand in for each other share a unit.
    pub(super) unit: usize,
    pub(super) kind: SinkKind,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum SinkKind {
    /// Files below this folder.
    Files(PathBuf),
    /// A server of our own behind the real output; an agent with this input receives.
    Peer { input: String, options: Vec<(String, String)> },
    /// The stand-in output.
    StandIn,
    /// Files below this folder from which records are sent on: nothing comes out there.
    Between(PathBuf),
}

/// Makes a recipe fit for torture. The script is a checked one, its names written out.
///
/// # Errors
/// `cannot-torture`: no task of it reads anything that can be made up; and `torture-port`.
pub(super) fn rewrite(mut script: Script, place: Place<'_>) -> Result<Rewritten, Diagnostics> {
    let mut rewriter = Rewriter::new(place);
    let fed = rewriter.script(&mut script)?;
    let sources = rewriter.sources(&fed)?;
    Ok(Rewritten {
        recipe: write::write(&script, Spelling::Python),
        sources,
        senders: rewriter.senders,
        units: rewriter.units,
        shape: match (rewriter.json, rewriter.syslog) {
            (true, _) => Shape::Json,
            (_, true) => Shape::Syslog,
            _ => Shape::Log,
        },
        skips_present: rewriter.skips_present,
        sinks: rewriter.sinks,
        notes: rewriter.notes,
    })
}

#[cfg(test)]
mod tests;
