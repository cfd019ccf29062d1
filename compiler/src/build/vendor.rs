//! A folder with every crate, to build from without a network.

use std::ffi::OsString;
use std::fs;
use std::path::Path;

use toml_edit::Value;

use super::cargo;
use super::error::BuildError;
use super::sources::run;
use super::{Options, Progress};
use crate::generate::{File, WriteError, write_if_changed};
use crate::resolve::Plan;
use crate::toolchain::Tools;

/// The file in the folder that tells Cargo about it.
const CONFIG: &str = "cargo-config.toml";

/// The file that says whose the folder is: Cargo removes everything from it that is no crate of the
/// build, but for what begins with a dot.
const MARK: &str = ".swak-vendor";

/// The name that `cargo vendor` gives to the folder.
const SOURCE: &str = "vendored-sources";

/// What Cargo is told to take its crates from the folder, wherever that is now.
pub(super) fn arguments(folder: &Path) -> [OsString; 4] {
    let place = Value::from(folder.to_string_lossy().as_ref());
    let place = format!("source.{SOURCE}.directory={place}");
    ["--config".into(), folder.join(CONFIG).into(), "--config".into(), place.into()]
}

/// Brings every crate of the workspace's lock into the folder. Offline, they must be there.
pub(super) fn collect(
    plan: &Plan,
    options: &Options,
    workspace: &Path,
    progress: &mut dyn Progress,
) -> Result<(), BuildError> {
    let Some(folder) = &options.vendor else { return Ok(()) };
    let config = folder.join(CONFIG);
    if options.offline {
        let there = config.is_file();
        return there.then_some(()).ok_or_else(|| BuildError::NotVendored(folder.clone()));
    }
    progress.step("collecting crates");
    claim(folder)?;
    let mut command = cargo::command(workspace);
    // A mirror that a person set up for Cargo is where the crates come from here, too.
    command.args(["vendor", "--versioned-dirs", "--respect-source-config", "--manifest-path"]);
    command.arg(workspace.join("Cargo.toml")).arg(folder);
    // A standard library that is built from source has crates of its own.
    if plan.toolchains.iter().any(|chosen| chosen.build_std)
        && let Some(manifest) = Tools::find_in(workspace).library_manifest()
    {
        // Its manifest says things that only Cargo's nightly reads by itself.
        command.arg("--sync").arg(manifest).env("RUSTC_BOOTSTRAP", "1");
    }
    let (ok, answer, words) = run(command, progress)?;
    if !ok {
        let words = plan.trees.told_truly(&words, workspace);
        return Err(BuildError::Vendor { folder: folder.clone(), words });
    }
    Ok(write_if_changed(&config, &File { text: answer, executable: false })?)
}

/// Makes the folder, or finds that it is empty or was filled by an earlier build.
fn claim(folder: &Path) -> Result<(), BuildError> {
    fs::create_dir_all(folder).map_err(BuildError::io("make the folder", folder))?;
    let mark = folder.join(MARK);
    if !mark.exists()
        && fs::read_dir(folder).map_err(BuildError::io("make the folder", folder))?.next().is_some()
    {
        return Err(WriteError::Occupied(folder.to_owned()).into());
    }
    let text = "Filled by swak-makebuild, which removes what it did not put here.\n".to_owned();
    Ok(write_if_changed(&mark, &File { text, executable: false })?)
}
