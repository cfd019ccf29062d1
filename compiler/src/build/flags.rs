//! What the compiler is told: how to link, and about places, of which none of this machine's may stay in
//! an executable.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use super::sources::Crates;
use crate::resolve::{LINKS, Plan};
use crate::toolchain::Tools;

/// Cargo reads flags apart at this character.
const BETWEEN: &str = "\u{1f}";

/// The value of `CARGO_ENCODED_RUSTFLAGS`. It takes the place of the flags in Cargo's
/// configuration files, which belong to a machine and not to a build config.
///
/// Cargo leaves `--remap-path-prefix` out of the names that it gives to crates; so these flags may
/// differ from one machine to the next.
pub(super) fn encoded(
    plan: &Plan,
    crates: &Crates,
    tools: &Tools,
    linking: &[OsString],
) -> OsString {
    let places = prefixes(plan, crates, tools).into_iter().map(|(from, to)| {
        let mut flag = OsString::from("--remap-path-prefix=");
        flag.push(from);
        flag.push("=");
        flag.push(to);
        flag
    });
    let flags: Vec<_> = linking.iter().cloned().chain(places).collect();
    flags.join(OsStr::new(BETWEEN))
}

/// Folders of this machine, and what is said in their place; of several that fit, the last counts.
///
/// With other flags, Cargo compiles every crate anew. So as few as can be are of one crate alone.
fn prefixes(plan: &Plan, crates: &Crates, tools: &Tools) -> Vec<(PathBuf, String)> {
    // Where a person has a crate is nobody's business, nor how its folder lies to another one: all
    // that is said is the name of the folder.
    let mut local: BTreeSet<_> =
        crates.of_folders(&plan.workspace).filter_map(Path::parent).collect();
    local.insert(Path::new(LINKS));
    // What lies in the root itself has nothing to hide, and all lies in the root.
    let local = local.into_iter().filter(|folder| folder.parent().is_some());
    let mut prefixes: Vec<_> = local.map(|f| (f.to_owned(), "/crates".to_owned())).collect();
    prefixes.push((plan.build_dir.clone(), "/build".to_owned()));
    // From a registry, `serde-1.0.219` in a folder that is called after the registry; or the same
    // in a folder that `--vendor` made.
    let parents: BTreeSet<_> = crates.of_registries().filter_map(Path::parent).collect();
    prefixes.extend(parents.into_iter().map(|p| (p.to_owned(), "/crates".to_owned())));
    for (name, folder) in crates.of_repositories() {
        prefixes.push((folder.to_owned(), format!("/crates/{name}")));
    }
    // Where the source of the standard library is installed, the compiler names it by its place.
    if let Some(rust) = tools.rust() {
        prefixes.push((rust.source(), rust.source_name.clone()));
    }
    prefixes
}
