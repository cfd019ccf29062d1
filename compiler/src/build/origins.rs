//! What was compiled from one folder is not taken for what is in another.
//!
//! Cargo knows a crate in the workspace by its path there, and takes it for fresh when its files
//! are older than what it compiled. Several workspaces share one target folder: in those of two
//! build configs with one name the agent has the same path, and behind a link
//! ([`crate::resolve::Trees`]) the same path leads to another folder as soon as the build config
//! names another one. So it is written down from which folder each crate was compiled last; what
//! was compiled from another one is forgotten.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use cargo_metadata::Metadata;

use super::error::BuildError;
use crate::generate::{File, write_if_changed};
use crate::resolve::Plan;

/// The file in the build folder: the folder of each crate, by its name and its path in the
/// workspace.
const RECORD: &str = "origins.json";

/// Where Cargo keeps what it knows of compiled crates, in each folder of a profile.
const FINGERPRINTS: &str = ".fingerprint";

/// How deep in the target folder that can be: below a glibc, a triple and a profile.
const DEPTH: usize = 4;

/// Makes Cargo compile anew what it last compiled from another folder, for every target and profile.
pub(super) fn settle(plan: &Plan, metadata: &Metadata) -> Result<(), BuildError> {
    let path = plan.build_dir.join(RECORD);
    // Without a record, or with one that cannot be read, nothing is known.
    let mut record: BTreeMap<String, PathBuf> = fs::read(&path)
        .ok()
        .and_then(|text| serde_json::from_slice(&text).ok())
        .unwrap_or_default();
    let mut moved = Vec::new();
    for package in &metadata.packages {
        let folder = package.manifest_path.parent().expect("a file is in a folder").as_std_path();
        let Ok(inside) = folder.strip_prefix(&plan.workspace) else { continue };
        let origin = folder.canonicalize().map_err(BuildError::io("find", folder))?;
        let key = format!("{} {}", package.name, inside.display());
        if record.get(&key) != Some(&origin) {
            moved.push(package.name.as_str());
            record.insert(key, origin);
        }
    }
    if moved.is_empty() {
        return Ok(());
    }
    forget(&plan.target_dir, &moved, DEPTH).map_err(BuildError::io("clean", &plan.target_dir))?;
    // Only now: whatever went wrong before is tried again.
    let mut text = serde_json::to_string_pretty(&record).expect("it is plain data");
    text.push('\n');
    Ok(write_if_changed(&path, &File { text, executable: false })?)
}

/// Removes what Cargo knows of these crates, anywhere below a folder.
fn forget(folder: &Path, names: &[&str], depth: usize) -> io::Result<()> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let entry = entry?;
        let (name, path) = (entry.file_name(), entry.path());
        if !entry.file_type()?.is_dir() {
            continue;
        }
        if folder.ends_with(FINGERPRINTS) {
            let name = name.to_string_lossy();
            // `swak-x-50b47ce00c1f5e6d`
            if name.rsplit_once('-').is_some_and(|(name, _)| names.contains(&name)) {
                fs::remove_dir_all(path)?;
            }
        } else if name == FINGERPRINTS || depth > 1 {
            forget(&path, names, depth - 1)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_known_of_the_named_crates_is_forgotten() {
        let folder = tempfile::tempdir().expect("a folder");
        let known = |name: &str| folder.path().join(name);
        let [gone, stay]: [&[&str]; 2] = [
            &["debug/.fingerprint/swak-x-12", "glibc-2.17/t/small/.fingerprint/swak-x-34"],
            &["t/debug/.fingerprint/swak-x-y-12", "t/debug/deps/swak-x-12"],
        ];
        for name in gone.iter().chain(stay) {
            fs::create_dir_all(known(name)).expect("writable");
        }
        forget(folder.path(), &["swak-x"], DEPTH).expect("readable");
        for name in gone {
            assert!(!known(name).exists(), "{name}");
        }
        for name in stay {
            assert!(known(name).exists(), "{name}");
        }
        forget(&known("nowhere"), &["swak-x"], DEPTH).expect("there is nothing to forget");
    }
}
