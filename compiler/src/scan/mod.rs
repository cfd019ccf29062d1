//! What a plugin crate declares, read from its source without compiling it.
//!
//! `#[derive(Options)]` with `#[plugin(…)]` says all there is to know of a plugin's options; this
//! reads the same attributes as the macro in `swak-macros` and comes to the same
//! [`PluginSpec`]s, so that a recipe can be checked before Cargo compiles anything. What cannot be
//! read so, such as the type of another crate, is taken for "anything", never for a mistake: the
//! agent itself checks again.

mod attrs;
mod cfg;
mod docs;
mod files;
mod literal;
mod names;
mod own;
mod types;

use std::path::{Path, PathBuf};

use swak_sdk::options::PluginSpec;

/// What was found in a crate.
#[derive(Clone, Debug, Default)]
pub struct Scanned {
    /// Its plugins, by package and name.
    pub plugins: Vec<PluginSpec>,
    /// Parts of the source that could not be read; the crate may hold more plugins than were found
    /// when there are any.
    pub gaps: Vec<Gap>,
}

/// A part of a crate's source that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The file.
    pub file: PathBuf,
    /// Why: `cannot be read`.
    pub why: String,
}

/// Reads a crate from the root of its library: `src/lib.rs`.
pub fn scan(library: &Path) -> Scanned {
    let source = files::load(library);
    let mut scanned = types::specs(&source.items);
    scanned.gaps.extend(source.gaps);
    scanned.plugins.sort_by_key(PluginSpec::path);
    scanned
}

#[cfg(test)]
mod tests;
