//! From compiled executables to what is fit to ship, one target after the other.
//!
//! A target that fails does not keep the others from being made, unless what failed will fail for
//! them as well.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, Instant};

use crate::binary::{self, macho, pe};
use crate::check::Checked;
use crate::release::record::Checked as How;
use crate::resolve::{Plan, Planned};
use crate::target::{System, Target, Triple};
use crate::toolchain::Chosen;

use super::ask;
use super::compile::compile;
use super::error::{BuildError, Failed};
use super::{Context, Progress};

/// The executable of one target.
pub(super) struct Made {
    pub(super) target: Target,
    /// What is to be shipped.
    pub(super) bytes: Vec<u8>,
    /// How it was asked what it holds.
    pub(super) checked: How,
    pub(super) time: Duration,
}

/// Makes every target of a plan.
///
/// # Errors
/// Only for what ends the whole build: Cargo was ended, or the disk is full.
pub(super) fn all(
    plan: &Plan,
    checked: &Checked,
    cx: &Context<'_>,
    progress: &mut dyn Progress,
) -> Result<(Vec<Made>, Vec<Failed>), BuildError> {
    let mut compiled = BTreeMap::new();
    let (ready, lacking) = ready(plan, cx, progress);
    compiled.extend(lacking.into_iter().map(|(triple, error)| (triple, Err(Rc::new(error)))));
    for chosen in ready {
        progress.step(&format!("compiling for {}", chosen.triple));
        let start = Instant::now();
        let done = match compile(plan, chosen, cx, progress) {
            Err(error) if error.ends_the_build() => return Err(error),
            done => done.map(|path| (path, start.elapsed())).map_err(Rc::new),
        };
        compiled.insert(chosen.triple.to_string(), done);
    }
    let (mut made, mut failed) = (Vec::new(), Vec::new());
    for planned in &plan.targets {
        let fail = |error| Failed { target: planned.target.clone(), error };
        match parts(&planned.target, &compiled) {
            Err(error) => failed.push(fail(error)),
            Ok(parts) => {
                let name = &planned.target.name;
                progress.step(&format!("{name}: asking the new agent what it holds"));
                match finish(plan, planned, &parts, checked, cx) {
                    Ok(one) => made.push(one),
                    Err(error) if error.ends_the_build() => return Err(error),
                    Err(error) => failed.push(fail(Rc::new(error))),
                }
            }
        }
    }
    Ok((made, failed))
}

/// What can be compiled here, and what lacks a tool. Who waits for the rest is told at once.
fn ready<'a>(
    plan: &'a Plan,
    cx: &Context<'_>,
    progress: &mut dyn Progress,
) -> (Vec<&'a Chosen>, Vec<(String, BuildError)>) {
    let (mut ready, mut lacking) = (Vec::new(), Vec::new());
    for chosen in &plan.toolchains {
        match chosen.check(cx.tools) {
            Ok(()) => ready.push(chosen),
            Err(missing) => {
                progress.notice(&missing.to_string());
                lacking.push((chosen.triple.to_string(), missing.into()));
            }
        }
    }
    (ready, lacking)
}

type Compiled = BTreeMap<String, Result<(PathBuf, Duration), Rc<BuildError>>>;

/// What was compiled for a target.
fn parts(target: &Target, compiled: &Compiled) -> Result<Vec<(PathBuf, Duration)>, Rc<BuildError>> {
    let of = |triple: &Triple| {
        compiled.get(&triple.to_string()).expect("every triple of the plan was compiled").clone()
    };
    target.triples.iter().map(of).collect()
}

/// Turns what was compiled for a target into its executable.
fn finish(
    plan: &Plan,
    planned: &Planned,
    parts: &[(PathBuf, Duration)],
    checked: &Checked,
    cx: &Context<'_>,
) -> Result<Made, BuildError> {
    let target = &planned.target;
    let time = parts.iter().map(|(_, time)| *time).sum();
    let read =
        |(path, _): &(PathBuf, Duration)| fs::read(path).map_err(BuildError::io("read", path));
    let parts = parts.iter().map(read).collect::<Result<_, _>>()?;
    let bytes = dress(plan, target, parts)?;
    fit(target, &bytes)?;
    let staged = plan.workspace.join("staged").join(planned.file.file_name().unwrap_or_default());
    write_executable(&staged, &bytes)?;
    let how = ask::verify(plan, target, &staged, &bytes, checked, cx.tools)?;
    Ok(Made { target: target.clone(), bytes, checked: how, time })
}

/// What the system of a target wants to find in an executable beside the program.
fn dress(plan: &Plan, target: &Target, mut parts: Vec<Vec<u8>>) -> Result<Vec<u8>, BuildError> {
    let bad = |e: &dyn std::error::Error| BuildError::Executable(e.to_string());
    let package = plan.name.package();
    match target.system() {
        System::Windows => {
            let info = pe::VersionInfo {
                product: package.clone(),
                file_name: format!("{package}.exe"),
                version: plan.version.clone(),
                description: format!("The Swak agent {package}"),
                company: None,
                copyright: None,
            };
            pe::set_version_info(&parts.remove(0), &info).map_err(|e| bad(&e))
        }
        System::Macos => {
            let whole = if target.is_universal() {
                macho::universal::join(&parts).map_err(|e| bad(&e))?
            } else {
                parts.remove(0)
            };
            let whole = macho::set_uuid(&whole).map_err(|e| bad(&e))?;
            // Whatever was changed since the linker signed it: without a valid signature, Apple's
            // processors run nothing.
            macho::sign(&whole, &package).map_err(|e| bad(&e))
        }
        System::Linux | System::Other => Ok(parts.remove(0)),
    }
}

/// Nothing leaves that its users could not start.
fn fit(target: &Target, bytes: &[u8]) -> Result<(), BuildError> {
    let look = binary::look(bytes).map_err(|e| BuildError::Executable(e.to_string()))?;
    let complaints: Vec<_> =
        target.triples.iter().flat_map(|t: &Triple| look.complaints(t)).collect();
    if complaints.is_empty() { Ok(()) } else { Err(BuildError::Unfit(complaints)) }
}

/// Writes a new file, not new bytes in an old one that may still be running.
fn write_executable(path: &Path, bytes: &[u8]) -> Result<(), BuildError> {
    let folder = path.parent().expect("it is in a folder");
    fs::create_dir_all(folder).map_err(BuildError::io("make the folder", folder))?;
    drop(fs::remove_file(path));
    fs::write(path, bytes).map_err(BuildError::io("write", path))?;
    super::deliver::make_executable(path).map_err(BuildError::io("write", path))
}
