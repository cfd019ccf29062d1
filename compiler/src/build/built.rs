//! What a build made, for those who asked for it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use semver::Version;
use serde::Serialize;

use super::error::Failed;
use super::make::Made;
use crate::release::record::Checked;
use crate::release::sums::sha256;
use crate::resolve::Plan;
use crate::target::Target;

/// What a build made.
#[derive(Debug, Serialize)]
pub struct Built {
    /// The agent: `swak-myprj`.
    pub name: String,
    /// Its version.
    pub version: Version,
    /// The targets that were made.
    pub targets: Vec<BuiltTarget>,
    /// The targets that were not, and why.
    #[serde(skip)]
    pub failed: Vec<Failed>,
    /// How long it took, without the waiting for another build in the same folder.
    #[serde(serialize_with = "as_seconds", rename = "seconds")]
    pub time: Duration,
    /// How much of it Cargo resolved and fetched crates.
    #[serde(serialize_with = "as_seconds", rename = "resolving_seconds")]
    pub resolving: Duration,
    /// How much of it Cargo compiled.
    #[serde(serialize_with = "as_seconds", rename = "compiling_seconds")]
    pub compiling: Duration,
    /// The plugin crates that it holds.
    pub crates: BTreeMap<String, Version>,
    /// How many plugins they give it.
    pub plugins: usize,
    /// What is worth a look, in the recipe for one, as people read it.
    pub warnings: Vec<String>,
}

/// What was made for one target.
#[derive(Clone, Debug, Serialize)]
pub struct BuiltTarget {
    /// The target.
    #[serde(flatten)]
    pub target: Target,
    /// The executable.
    pub file: PathBuf,
    /// The same, under the agent's own name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub also: Option<PathBuf>,
    /// Its size in bytes.
    pub bytes: u64,
    /// Its hash, in hexadecimal digits.
    pub sha256: String,
    /// How it was found out what it holds.
    pub checked: Checked,
    /// How long Cargo took for it.
    #[serde(serialize_with = "as_seconds", rename = "seconds")]
    pub time: Duration,
}

impl BuiltTarget {
    pub(super) fn of(made: &Made, plan: &Plan) -> Self {
        let planned = plan.planned(&made.target);
        BuiltTarget {
            target: made.target.clone(),
            file: planned.file.clone(),
            also: planned.also.clone(),
            bytes: made.bytes.len() as u64,
            sha256: sha256(&made.bytes),
            checked: made.checked.clone(),
            time: made.time,
        }
    }
}

fn as_seconds<S: serde::Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(time.as_secs_f64())
}
