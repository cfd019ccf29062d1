//! Workspace to executable: Cargo resolves and compiles, the new agent is asked what it holds, and
//! only then does it take its place in `dist/`.

mod ask;
mod beside;
mod built;
mod cargo;
mod compile;
mod deliver;
mod error;
mod flags;
mod graphs;
mod guard;
mod lock;
mod make;
mod origins;
mod progress;
mod sources;
mod twice;
mod vendor;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Instant;

use swak_recipe::diag::{Diagnostic, Diagnostics};

use crate::check;
use crate::generate::{self, File, write_if_changed};
use crate::manifest;
use crate::resolve::{Plan, Request, Source, resolve};
use crate::toolchain::{Tools, choose};
use graphs::Graphs;

pub use built::{Built, BuiltTarget};
pub use cargo::dropped_variables;
pub use error::told;
pub use error::{BuildError, Failed, Failure};
pub use progress::{Lines, Progress, Silent, Terminal};
pub use twice::verify;

/// What the command line says about versions and the network.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The lock must be there and stay as it is.
    pub locked: bool,
    /// The network is not used.
    pub offline: bool,
    /// What may take a newer version than the lock has.
    pub update: Update,
    /// The folder that holds every crate, and gets those that it lacks unless [`Self::offline`].
    pub vendor: Option<PathBuf>,
}

impl Options {
    /// What Cargo is told about where crates come from.
    fn for_cargo(&self) -> Vec<OsString> {
        let vendor = self.vendor.iter().flat_map(|folder| vendor::arguments(folder));
        vendor.chain(self.offline.then(|| "--offline".into())).collect()
    }
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

/// The plan of a build config, or every mistake in it: in what it says, in what is not there, and
/// in the recipe, as far as the sources of its plugins can be had without Cargo.
///
/// # Errors
/// Every mistake.
pub fn plan(file: &Path, request: &Request) -> Result<Plan, Diagnostics> {
    let (config, mut found) = manifest::read(file)?;
    let (mut plan, more) = resolve(&config, request);
    lock::fill_versions(&mut plan);
    let tools = Tools::find_in(&plan.workspace);
    plan.toolchains =
        plan.triples().into_iter().map(|triple| choose(triple, plan.toolchain, &tools)).collect();
    found.extend(more);
    if let Some(path) = plan.not_utf8() {
        let said = format!("the name of `{}` is not UTF-8, which Cargo wants", path.display());
        found.push(Diagnostic::error("path-not-utf-8", said).help("use another folder or name"));
    }
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
    // Whether a lock still fits is known to Cargo alone.
    if plan.remote_plugins().next().is_none() && !options.locked {
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
    plan.lock_sha256 = lock::hash(folder)?;
    if plan.remote_plugins().next().is_some() || options.locked {
        checked = fetch(plan, options, folder, progress)?.checked;
    }
    generate::workspace(plan, folder).write(folder).map_err(BuildError::from)?;
    Ok(checked)
}

/// Builds the agent for every target of the plan.
///
/// # Errors
/// Mistakes in the recipe, and all that can go wrong while building. When nothing could be made,
/// what is in the folder of the agent is as it was; when some targets could, they are there, the
/// others are not, and [`Built::failed`] says why.
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
    let graphs = Graphs::ask(plan, options, &folder, &fetched.crates)?;
    let mut warnings = graphs.check_licenses(plan)?;
    warnings.extend(plan.wanted.warnings(&plan.built()));
    warnings.extend(fetched.checked.warnings.iter().cloned());
    let tools = Tools::find_in(&plan.workspace);
    let cx = Context { options, crates: &fetched.crates, graphs: &graphs, tools: &tools };
    origins::settle(plan, fetched.crates.metadata())?;
    let (made, failed) = make::all(plan, &fetched.checked, &cx, progress)?;
    if made.is_empty() {
        return Err(Failure::Targets(failed));
    }
    let compiled = start.elapsed();
    // The agent last: what fails before leaves the last one in its place.
    lock::keep(plan, &folder)?;
    let built = Built {
        name: plan.name.package(),
        version: plan.version.clone(),
        targets: made.iter().map(|one| BuiltTarget::of(one, plan)).collect(),
        failed,
        time: start.elapsed(),
        resolving: resolved,
        compiling: compiled.saturating_sub(resolved),
        crates: plan
            .plugins
            .iter()
            .filter_map(|p| Some((p.name.to_string(), p.version.clone()?)))
            .collect(),
        plugins: fetched.checked.declared.values().map(Vec::len).sum(),
        warnings,
    };
    // The file of sums is read and written anew.
    let _place = deliver::claim(plan, progress);
    let delivery = beside::delivery(plan, made, &built.failed, &cx, built.time)?;
    deliver::publish(plan, delivery.parcels, &delivery.stale)?;
    progress.finish();
    Ok(built)
}

/// What every step of a build needs to know beside the plan.
struct Context<'a> {
    options: &'a Options,
    crates: &'a sources::Crates,
    graphs: &'a Graphs,
    tools: &'a Tools,
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
    sources::update(plan, options, folder, progress)?;
    vendor::collect(plan, options, folder, progress)?;
    let crates = sources::resolve(plan, options, folder, progress)?;
    lock::check(plan, options, folder)?;
    plan.lock_sha256 = lock::hash(folder)?;
    plan.runtime.version = crates.get(sources::RUNTIME).map(|found| found.version.clone());
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

/// Writes as much of the workspace as Cargo needs to resolve it: versions and the lock's hash are
/// known only then. Cargo wants to see that there is a source.
fn prepare(plan: &Plan, folder: &Path) -> Result<(), BuildError> {
    generate::write_manifest(plan, folder)?;
    for name in ["build.rs", "src/main.rs"] {
        let source = folder.join(name);
        if !source.is_file() {
            let text = "fn main() {}\n".to_owned();
            write_if_changed(&source, &File { text, executable: false })?;
        }
    }
    Ok(())
}
