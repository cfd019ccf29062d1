//! Which toolchain a target is built with.

use std::fmt;

use serde::Serialize;

use super::cargo::links_here;
use super::{Invocation, Kind, MissingTools, Site, Toolchain, Tools};
use crate::target::Triple;

/// What a target is built with, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Chosen {
    /// The target.
    pub triple: Triple,
    /// The toolchain.
    pub kind: Kind,
    /// Why this one, in a few words.
    pub because: String,
    /// Whether the standard library is built from source.
    pub build_std: bool,
}

/// What a target is built with: what was asked for; plain Cargo where this machine links, but for musl
/// where zig is there, which compiles C for it too; else cargo-zigbuild, unless it is not there and
/// `cross` is.
pub fn choose(triple: &Triple, wanted: Option<Kind>, tools: &Tools) -> Chosen {
    let (kind, because) = match wanted {
        Some(kind) => (kind, "asked for".to_owned()),
        None => by_itself(triple, tools),
    };
    // A container brings its own library, or builds it by itself.
    let build_std = kind != Kind::Cross && tools.builds_library(triple);
    Chosen { triple: triple.clone(), kind, because, build_std }
}

fn by_itself(triple: &Triple, tools: &Tools) -> (Kind, String) {
    let zig = tools.zig().is_some() && tools.zigbuild().is_some();
    if let Some(because) = links_here(triple) {
        // Rust brings what it links; for C, which some crates bring, there is a compiler in zig.
        if triple.is_musl() && zig {
            return (Kind::Zigbuild, "zig compiles C for musl, too".to_owned());
        }
        return (Kind::Cargo, because.to_owned());
    }
    if let Some(minor) = triple.glibc() {
        return (Kind::Zigbuild, format!("zig has glibc 2.{minor}"));
    }
    // Whoever has neither is told to get zig: it needs no more than Python.
    if !zig && tools.cross().is_some() && tools.engine().is_ok() {
        return (Kind::Cross, "zig is not here, a container engine is".to_owned());
    }
    (Kind::Zigbuild, "zig links for every system".to_owned())
}

/// `zigbuild, zig links for every system; the standard library is built from source`
impl fmt::Display for Chosen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}", self.kind, self.because)?;
        if self.build_std {
            f.write_str("; the standard library is built from source")?;
        }
        Ok(())
    }
}

impl Chosen {
    /// The toolchain.
    pub fn toolchain<'a>(&self, tools: &'a Tools) -> Box<dyn Toolchain + 'a> {
        self.kind.of(tools)
    }

    /// How a build for the target is started.
    pub fn invocation(&self, tools: &Tools, site: &Site<'_>) -> Invocation {
        self.toolchain(tools).invocation(&self.triple, site)
    }

    /// The tools beside Cargo and Rust that decide what comes out, with their versions.
    pub fn versions(&self, tools: &Tools) -> Vec<String> {
        self.toolchain(tools).versions()
    }

    /// Looks whether all that the target takes is there.
    ///
    /// # Errors
    /// Everything that is missing, at once.
    pub fn check(&self, tools: &Tools) -> Result<(), MissingTools> {
        let needs = self.toolchain(tools).needs(&self.triple);
        let missing: Vec<_> = needs.into_iter().filter(|need| need.is_missing()).collect();
        if missing.is_empty() {
            return Ok(());
        }
        Err(MissingTools { triple: self.triple.clone(), missing })
    }
}
