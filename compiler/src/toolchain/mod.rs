//! With what a target is compiled and linked: plain Cargo where this machine's own linker can do
//! it, `cargo-zigbuild` for the rest, `cross` where a container engine is what there is.
//!
//! [`Tools`] is what this machine has. [`choose`] says what is taken for a target and never fails;
//! [`Chosen::check`] says what that takes and is not there, each with the command that mends it;
//! [`Chosen::invocation`] says how it is started. [`doctor`] is all of that for a person.

mod c;
mod cargo;
mod choose;
mod container;
mod cross;
pub mod doctor;
mod emulator;
mod find;
mod linker;
mod need;
mod places;
mod process;
mod python;
mod rust;
mod zig;
mod zigbuild;

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::target::Triple;

pub(crate) use c::is_missing as lacks_a_c_compiler;
pub use choose::{Chosen, choose};
pub use emulator::{Emulator, emulator};
pub use find::Tools;
pub use need::{Fix, MissingTools, Need};
pub use places::{CARGO_ZIGBUILD, ZIG};
pub use rust::{Library, Rust};

/// A way to compile and link for a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Plain Cargo, with the linker of this machine
    Cargo,
    /// cargo-zigbuild: zig links for any system
    Zigbuild,
    /// cross: Cargo in a container that has the target's linker
    Cross,
}

/// Where a build takes place.
#[derive(Clone, Copy, Debug)]
pub struct Site<'a> {
    /// An absolute folder that no other build uses at the same time: what a toolchain writes for itself goes
    /// into folders of it.
    pub folder: &'a Path,
    /// The folders of the crates that are neither in the workspace nor fetched by Cargo.
    pub sources: &'a [PathBuf],
}

/// How a build is started: in the folder of the workspace, with what is built and how (`--profile`)
/// after the arguments. A path in what is added is understood by every toolchain when it is
/// relative to that folder, or is that of `--target-dir`; what is said of one is for
/// [`Invocation::outside`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invocation {
    /// The program.
    pub program: PathBuf,
    /// The subcommand, the target, and what a library built from source needs.
    pub arguments: Vec<OsString>,
    /// What is set for it alone.
    pub environment: Vec<(OsString, OsString)>,
    /// What is set on this machine and would change what is built: not handed on.
    pub without: Vec<OsString>,
    /// What the compiler is told about linking.
    pub flags: Vec<OsString>,
    /// Cargo's target folder as the build sees it, when it runs in a container.
    pub target_dir: Option<PathBuf>,
}

/// A way to compile and link, on this machine.
pub trait Toolchain {
    /// Which one.
    fn kind(&self) -> Kind;

    /// The tools beside Cargo and Rust that decide what comes out, with their versions:
    /// `["cargo-zigbuild 0.24.0", "zig 0.17.1"]`. Those that are not there are left out.
    fn versions(&self) -> Vec<String>;

    /// All that a target takes, what is there and what is not.
    fn needs(&self, triple: &Triple) -> Vec<Need>;

    /// How a build for a target is started. What is missing is named as it would be found in the
    /// path, so that starting it fails with that name.
    fn invocation(&self, triple: &Triple, site: &Site<'_>) -> Invocation;
}

impl Kind {
    /// Every kind.
    pub const ALL: [Kind; 3] = [Kind::Cargo, Kind::Zigbuild, Kind::Cross];

    /// As a build config and the command line say it.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Cargo => "cargo",
            Kind::Zigbuild => "zigbuild",
            Kind::Cross => "cross",
        }
    }

    /// The kind of a name.
    pub fn parse(name: &str) -> Option<Self> {
        Kind::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The toolchain of this kind, of what a machine has.
    pub fn of(self, tools: &Tools) -> Box<dyn Toolchain + '_> {
        match self {
            Kind::Cargo => Box::new(cargo::Plain { tools }),
            Kind::Zigbuild => Box::new(zigbuild::Zigbuild { tools }),
            Kind::Cross => Box::new(cross::Cross { tools }),
        }
    }
}

impl Invocation {
    /// The path, here, of something in Cargo's target folder that the build speaks of.
    pub fn outside(&self, said: &Path, target_dir: &Path) -> PathBuf {
        let inside = self.target_dir.as_ref().and_then(|inside| said.strip_prefix(inside).ok());
        inside.map_or_else(|| said.to_owned(), |rest| target_dir.join(rest))
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(all(test, unix))]
mod tests;
