//! Workspace to executable: Cargo resolves and compiles, the new agent is asked what it holds, and
//! only then does it take its place in `dist/`.

mod cargo;
mod compile;
mod deliver;
mod error;
mod guard;
mod lock;
mod progress;
mod sources;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use semver::Version;
use serde::Serialize;
use swak_recipe::diag::Diagnostics;

use crate::check;
use crate::generate::{self, File, write_if_changed};
use crate::manifest;
use crate::resolve::{Plan, Request, Source, resolve};

pub use cargo::dropped_variables;
pub use error::{BuildError, Failure};
pub use progress::{Lines, Progress, Silent, Terminal};

/// What the command line says about versions and the network.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The lock must be there and stay as it is.
    pub locked: bool,
    /// The network is not used.
    pub offline: bool,
    /// What may take a newer version than the lock has.
    pub update: Update,
}

/// What may take a newer version than the lock has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Update {
    /// Nothing.
    #[default]
    Nothing,
    /// Everything.
    All,
    /// One crate.
    Crate(String),
}

/// What a build made.
#[derive(Clone, Debug, Serialize)]
pub struct Built {
    /// The agent: `swak-myprj`.
    pub name: String,
    /// Its version.
    pub version: Version,
    /// The executable.
    pub file: PathBuf,
    /// Its size in bytes.
    pub bytes: u64,
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

/// The plan of a build config, or every mistake in it: in what it says, in what is not there, and
/// in the recipe, as far as the sources of its plugins can be had without Cargo.
///
/// # Errors
/// Every mistake.
pub fn plan(file: &Path, request: &Request) -> Result<Plan, Diagnostics> {
    let (config, mut found) = manifest::read(file)?;
    let (mut plan, more) = resolve(&config, request);
    lock::fill_versions(&mut plan);
    found.extend(more);
    // Where something is missing from the plan, a plugin that the recipe names may be in it.
    if !found.is_empty()
        && let Err(more) = check::recipe(&plan, false, &sources::local(&plan))
    {
        found.extend(more);
    }
    Diagnostics::or_ok(found, plan)
}

/// Checks the recipe of a plan, as far as the sources of its plugins can be had without Cargo.
///
/// # Errors
/// Every mistake in the recipe.
pub fn check_before_cargo(plan: &Plan) -> Result<check::Checked, Failure> {
    check::recipe(plan, true, &sources::local(plan)).map_err(Failure::Input)
}

/// Checks the whole of a plan without compiling: crates that only Cargo can get are fetched.
///
/// # Errors
/// Mistakes in the recipe, and all that can go wrong while fetching.
pub fn check(
    plan: &mut Plan,
    options: &Options,
    progress: &mut dyn Progress,
) -> Result<check::Checked, Failure> {
    let checked = check_before_cargo(plan)?;
    lock::require(plan, options)?;
    if plan.remote_plugins().next().is_none() {
        return Ok(checked);
    }
    let _guard = guard::claim(plan, progress)?;
    let folder = plan.workspace.clone();
    lock::bring(plan, options, &folder)?;
    fetch(plan, options, &folder, progress).map(|fetched| fetched.checked)
}

/// Writes the workspace to a folder and leaves it there.
///
/// # Errors
/// As [`check()`], and when the folder holds something else or cannot be written.
pub fn generate_only(
    plan: &mut Plan,
    options: &Options,
    folder: &Path,
    progress: &mut dyn Progress,
) -> Result<check::Checked, Failure> {
    let mut checked = check_before_cargo(plan)?;
    generate::claim(folder).map_err(BuildError::from)?;
    prepare(plan, folder)?;
    lock::bring(plan, options, folder)?;
    if plan.remote_plugins().next().is_some() {
        checked = fetch(plan, options, folder, progress)?.checked;
    }
    generate::workspace(plan, folder).write(folder).map_err(BuildError::from)?;
    Ok(checked)
}

/// Builds the agent.
///
/// # Errors
/// Mistakes in the recipe, and all that can go wrong while building; the last executable is then
/// still as it was.
pub fn build(
    plan: &mut Plan,
    options: &Options,
    progress: &mut dyn Progress,
) -> Result<Built, Failure> {
    check_before_cargo(plan)?;
    lock::require(plan, options)?;
    deliver::prepare(plan)?;
    let _guard = guard::claim(plan, progress)?;
    // Waiting for another build is not building.
    let start = Instant::now();
    let folder = plan.workspace.clone();
    lock::bring(plan, options, &folder)?;
    let fetched = fetch(plan, options, &folder, progress)?;
    generate::workspace(plan, &folder).write(&folder).map_err(BuildError::from)?;

    let resolved = start.elapsed();
    let made = compile::compile(plan, options, &fetched.crates, progress)?;
    let compiled = start.elapsed();
    progress.step("asking the new agent what it holds");
    let staged = deliver::stage(plan, &made)?;
    let plugins = deliver::verify(plan, &staged, &fetched.checked)?;
    // The agent last: what fails before leaves the last one in its place.
    lock::keep(plan, &folder)?;
    let (file, bytes) = deliver::publish(plan, &staged)?;
    progress.finish();
    Ok(Built {
        name: plan.name.package(),
        version: plan.version.clone(),
        file,
        bytes,
        time: start.elapsed(),
        resolving: resolved,
        compiling: compiled.saturating_sub(resolved),
        crates: plan
            .plugins
            .iter()
            .filter_map(|p| Some((p.name.to_string(), p.version.clone()?)))
            .collect(),
        plugins,
        warnings: fetched.checked.warnings,
    })
}

struct Fetched {
    checked: check::Checked,
    crates: sources::Crates,
}

/// Lets Cargo resolve and fetch every crate, then fills in the versions that were open and checks
/// the recipe with the sources that were not there before.
fn fetch(
    plan: &mut Plan,
    options: &Options,
    folder: &Path,
    progress: &mut dyn Progress,
) -> Result<Fetched, Failure> {
    prepare(plan, folder)?;
    progress.step("resolving crates");
    let crates = sources::resolve(plan, options, folder, progress)?;
    lock::check(plan, options, folder)?;
    for plugin in &mut plan.plugins {
        if let Some(found) = crates.get(plugin.name.as_str()) {
            plugin.version = Some(found.version.clone());
        }
    }
    let mut libraries = sources::local(plan);
    for plugin in plan.plugins.iter().filter(|p| !matches!(p.source, Source::Path { .. })) {
        if let Some(library) = crates.get(plugin.name.as_str()).and_then(|c| c.library.clone()) {
            libraries.insert(plugin.name.clone(), library);
        }
    }
    let checked = check::recipe(plan, true, &libraries).map_err(Failure::Input)?;
    Ok(Fetched { checked, crates })
}

/// Writes as much of the workspace as Cargo needs to resolve it. The source is written whole only
/// when every version in it is known; Cargo wants to see that there is one.
fn prepare(plan: &Plan, folder: &Path) -> Result<(), BuildError> {
    if plan.plugins.iter().all(|p| p.version.is_some()) {
        generate::workspace(plan, folder).write(folder)?;
        return Ok(());
    }
    let manifest = generate::manifest(plan, folder);
    write_if_changed(&folder.join("Cargo.toml"), &manifest)?;
    let source = folder.join("src/main.rs");
    if !source.is_file() {
        let text = "fn main() {}\n".to_owned();
        write_if_changed(&source, &File { text, executable: false })?;
    }
    Ok(())
}

fn as_seconds<S: serde::Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(time.as_secs_f64())
}
