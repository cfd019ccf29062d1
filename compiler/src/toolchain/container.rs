//! The container engine that `cross` works with.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::find::Tools;
use super::process::ask_within;

/// How long an engine may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// A container engine that answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Engine {
    pub(super) name: &'static str,
    pub(super) program: PathBuf,
    /// The server's, not the client's.
    pub(super) version: String,
}

/// The first that answers, in the order in which `cross` looks; else the first that is there.
pub(super) fn find(tools: &Tools) -> Result<Engine, Option<PathBuf>> {
    let mut silent = None;
    let formats = [("docker", "{{.ServerVersion}}"), ("podman", "{{.Version.Version}}")];
    // One that is named, with or without its folder, is the only one.
    let named = tools.places.engine.as_deref();
    for (name, format) in formats {
        let is_it = |named: &Path| named.file_stem().is_some_and(|n| n.to_string_lossy() == name);
        let program = match named {
            Some(named) if !is_it(named) => None,
            Some(named) if named.is_absolute() => Some(named.to_owned()),
            _ => tools.program(name),
        };
        let Some(program) = program else { continue };
        match ask_within(PATIENCE, &program, &["info", "--format", format]) {
            // Docker's client says nothing, and ends well, when no server answers.
            Some(version) if !version.is_empty() => {
                return Ok(Engine { name, program, version });
            }
            _ => silent = silent.or(Some(program)),
        }
    }
    Err(silent)
}
