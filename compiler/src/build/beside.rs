//! What goes into `dist/` beside the executables: everything of [`crate::release`], the sums, and
//! the record of the build.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::Context;
use super::deliver::Parcel;
use super::error::{BuildError, Failed};
use super::make::Made;
use crate::release::record::{RECORD_FORMAT, Record, TargetRecord, seconds};
use crate::release::sums::{self, SUMS_FILE, sha256};
use crate::release::{self, Moment, Release, files};
use crate::resolve::{Plan, Planned};
use crate::target::Target;

/// The largest file of sums that is read, in bytes.
const SUMS_LIMIT: u64 = 16 << 20;

/// What a build changes in `dist/`.
pub(super) struct Delivery {
    /// Every file that it leaves, the executables among them; the sums and the record last, so that
    /// they never speak of what is not there.
    pub(super) parcels: Vec<Parcel>,
    /// What an earlier build left and would be taken for new.
    pub(super) stale: Vec<PathBuf>,
}

/// Makes all that lies beside the executables.
pub(super) fn delivery(
    plan: &Plan,
    made: Vec<Made>,
    failed: &[Failed],
    cx: &Context<'_>,
    time: Duration,
) -> Result<Delivery, BuildError> {
    let record = record(plan, &made, cx, time)?;
    let mut parcels = artifacts(plan, &made, cx);
    for one in made {
        let planned = plan.planned(&one.target);
        if let Some(also) = &planned.also {
            parcels.push(Parcel { to: also.clone(), bytes: one.bytes.clone(), executable: true });
        }
        parcels.push(Parcel { to: planned.file.clone(), bytes: one.bytes, executable: true });
    }
    let old = old_sums(plan);
    let stale = stale(plan, &parcels, failed, &old);
    let sums = merge(plan, &parcels, &stale, &old);
    parcels.push(file(plan, SUMS_FILE, sums.into_bytes()));
    parcels.push(file(plan, &files::record(&plan.name), record.to_bytes()));
    Ok(Delivery { parcels, stale })
}

/// All that is of a target that failed; of one that was made, what is not made for it any more, such
/// as a package, as far as the sums say that a build left it.
fn stale(plan: &Plan, parcels: &[Parcel], failed: &[Failed], old: &str) -> Vec<PathBuf> {
    let new: HashSet<_> = parcels.iter().map(|parcel| parcel.to.as_path()).collect();
    let summed: HashSet<_> = sums::names(old).map(|name| plan.out.join(name)).collect();
    let of_target = |planned: &Planned| {
        let failed = failed.iter().any(|one| one.target == planned.target);
        let files = of_target(plan, &planned.target).into_iter();
        files.filter(|file| failed || summed.contains(file)).collect::<Vec<_>>()
    };
    let files = plan.targets.iter().flat_map(of_target);
    files.filter(|file| !new.contains(file.as_path())).collect()
}

/// Every file that a build may leave for one target.
fn of_target(plan: &Plan, target: &Target) -> Vec<PathBuf> {
    let planned = plan.planned(target);
    let mut names = vec![files::sbom(&plan.name, target), files::dockerfile(&plan.name, target)];
    let formats = release::Format::ALL.into_iter().filter(|format| format.fits(target));
    names.extend(formats.map(|f| files::package(&plan.name, &plan.version, target, f)));
    let names = names.iter().map(|name| plan.out.join(name));
    names.chain([planned.file.clone()]).chain(planned.also.clone()).collect()
}

fn artifacts(plan: &Plan, made: &[Made], cx: &Context<'_>) -> Vec<Parcel> {
    let graphs: Vec<_> = made.iter().map(|one| cx.graphs.of(&one.target)).collect();
    let ready: Vec<_> = made
        .iter()
        .zip(&graphs)
        .map(|(one, graph)| release::Made { target: &one.target, executable: &one.bytes, graph })
        .collect();
    let release = Release::of(plan, Moment::of(std::env::var("SOURCE_DATE_EPOCH").ok().as_deref()));
    let artifacts = release.artifacts(&ready).into_iter();
    artifacts.map(|artifact| file(plan, &artifact.name, artifact.bytes)).collect()
}

/// The sums as they are now. What cannot be read, or is none, has no lines.
fn old_sums(plan: &Plan) -> String {
    let path = plan.out.join(SUMS_FILE);
    let small = fs::metadata(&path).is_ok_and(|m| m.len() <= SUMS_LIMIT);
    small.then(|| fs::read_to_string(&path).ok()).flatten().unwrap_or_default()
}

/// The lines of other agents in the same folder stay.
fn merge(plan: &Plan, parcels: &[Parcel], stale: &[PathBuf], old: &str) -> String {
    let name = |path: &Path| path.file_name().map(|n| n.to_string_lossy().into_owned());
    let made: BTreeMap<_, _> =
        parcels.iter().filter_map(|p| Some((name(&p.to)?, sha256(&p.bytes)))).collect();
    sums::merge(old, &made, |name| {
        let path = plan.out.join(name);
        path.is_file() && !stale.contains(&path)
    })
}

fn record(
    plan: &Plan,
    made: &[Made],
    cx: &Context<'_>,
    time: Duration,
) -> Result<Record, BuildError> {
    let missing = |what: &str| BuildError::Answer(format!("it does not say {what}"));
    let target = |one: &Made| TargetRecord {
        name: one.target.name.clone(),
        triples: one.target.triples.iter().map(ToString::to_string).collect(),
        toolchain: toolchain(plan, &one.target, cx),
        file: plan
            .planned(&one.target)
            .file
            .file_name()
            .map(|n| n.to_string_lossy().into_owned())
            .unwrap_or_default(),
        bytes: one.bytes.len() as u64,
        sha256: sha256(&one.bytes),
        checked: one.checked.clone(),
        seconds: seconds(one.time),
    };
    Ok(Record {
        format: RECORD_FORMAT,
        name: plan.name.package(),
        version: plan.version.clone(),
        swak: plan.runtime.version.clone().ok_or_else(|| missing("the version of the runtime"))?,
        plugins: plan
            .plugins
            .iter()
            .filter_map(|p| Some((p.name.to_string(), p.version.clone()?)))
            .collect(),
        rustc: cx.tools.rust().map(|rust| rust.version.clone()).unwrap_or_default(),
        config_sha256: plan.config_sha256.clone(),
        lock_sha256: plan.lock_sha256.clone().ok_or_else(|| missing("what it locked"))?,
        profile: plan.profile.folder().to_owned(),
        targets: made.iter().map(target).collect(),
        seconds: seconds(time),
    })
}

/// What linked a target: `cargo-zigbuild 0.24.0, zig 0.17.1`, or plain `cargo`.
fn toolchain(plan: &Plan, target: &Target, cx: &Context<'_>) -> String {
    let chosen = plan.toolchains.iter().find(|c| target.triples.first() == Some(&c.triple));
    let versions = chosen.map(|c| c.versions(cx.tools)).unwrap_or_default();
    if versions.is_empty() { "cargo".to_owned() } else { versions.join(", ") }
}

fn file(plan: &Plan, name: &str, bytes: Vec<u8>) -> Parcel {
    Parcel { to: plan.out.join(name), bytes, executable: false }
}
