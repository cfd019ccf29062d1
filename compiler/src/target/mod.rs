//! What an agent can be built for: an operating system and a processor.
//!
//! People say an alias (`linux-x86_64`) or a Rust triple; both read as the same [`Target`]. Most
//! targets are one [`Triple`]; a universal one is several, whose executables become one file.

mod alias;

use std::fmt;

use serde::{Serialize, Serializer};
use swak_recipe::diag::did_you_mean;

/// The Rust triple of the machine that this compiler runs on.
pub const HOST: &str = env!("SWAK_HOST");

/// The oldest glibc that Rust's standard library runs with: 2.17.
const OLDEST_GLIBC: u16 = 17;

/// What is compiled for at once: a Rust triple, and the oldest glibc to run with.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Triple {
    name: String,
    /// `17` for 2.17.
    glibc: Option<u16>,
}

/// One thing to build an agent for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Target {
    /// `linux-x86_64`; the triple where there is no alias. File names end in it.
    pub name: String,
    /// What is compiled; more than one become one universal file.
    pub triples: Vec<Triple>,
}

/// Why a word is not a target.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// Neither an alias nor a triple.
    #[error("unknown target `{name}`")]
    Unknown {
        /// As it was written.
        name: String,
        /// The nearest word that is one.
        nearest: Option<&'static str>,
    },
    /// A glibc on a target that has none, or one that is no version.
    #[error("`.{version}` is not a version of glibc that `{target}` can be built for")]
    Glibc {
        /// The target without it.
        target: String,
        /// As it was written.
        version: String,
    },
}

impl Triple {
    /// This machine's.
    pub fn host() -> Self {
        Triple { name: HOST.to_owned(), glibc: None }
    }

    /// The triple as `rustc` knows it, without a glibc.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The oldest glibc to run with, as its minor version: `17` for 2.17.
    pub fn glibc(&self) -> Option<u16> {
        self.glibc
    }

    /// Whether this is exactly what the machine's own Rust builds when nothing is said.
    pub fn is_host(&self) -> bool {
        self.name == HOST && self.glibc.is_none()
    }

    /// The operating system that it is for.
    pub fn system(&self) -> System {
        System::of(&self.name)
    }

    /// The processor: `x86_64`, `aarch64`.
    pub fn processor(&self) -> &str {
        self.name.split('-').next().unwrap_or_default()
    }

    /// Whether its executables are statically linked against musl.
    pub fn is_musl(&self) -> bool {
        self.name.contains("-linux-musl")
    }

    /// Whether this machine runs its executables by itself.
    pub fn runs_here(&self) -> bool {
        let host = Triple::host();
        self.system() == host.system()
            && self.processor() == host.processor()
            && (self.name == HOST || self.runs_on_any(host.is_musl()))
    }

    /// Whether every machine of its system and processor runs it: on Linux, what is not static wants
    /// its own libc there. Android's is on no other machine, and beside musl there is no glibc.
    fn runs_on_any(&self, musl: bool) -> bool {
        let glibc = self.name.ends_with("-linux-gnu") && !musl;
        self.system() != System::Linux || self.is_musl() || glibc
    }
}

/// An operating system, as far as it decides what an executable is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum System {
    /// ELF.
    Linux,
    /// PE.
    Windows,
    /// Mach-O.
    Macos,
    /// Another one: known to Rust, not to Swak.
    Other,
}

impl System {
    fn of(triple: &str) -> Self {
        if triple.contains("-linux-") {
            System::Linux
        } else if triple.contains("-windows-") {
            System::Windows
        } else if triple.ends_with("-apple-darwin") {
            System::Macos
        } else {
            System::Other
        }
    }

    /// What an executable's file name ends in: `.exe` or nothing.
    pub fn exe_suffix(self) -> &'static str {
        if self == System::Windows { ".exe" } else { "" }
    }
}

impl Target {
    /// This machine's own.
    pub fn host() -> Self {
        Target::of(Triple::host())
    }

    /// Reads a word that may stand for several: `all` is one of each system and processor.
    ///
    /// # Errors
    /// When it is no target.
    pub fn named(written: &str) -> Result<Vec<Self>, TargetError> {
        match written {
            "all" => alias::all().map(Target::parse).collect(),
            one => Ok(vec![Target::parse(one)?]),
        }
    }

    /// Reads an alias or a triple, with the oldest glibc after a dot: `linux-x86_64-gnu.2.17`.
    ///
    /// # Errors
    /// When it is neither.
    pub fn parse(written: &str) -> Result<Self, TargetError> {
        let (name, glibc) = match written.split_once('.') {
            Some((name, version)) => (name, Some(version)),
            None => (written, None),
        };
        let triples = alias::triples(name).ok_or_else(|| TargetError::Unknown {
            name: written.to_owned(),
            nearest: did_you_mean(name, alias::words()),
        })?;
        let glibc = match glibc {
            Some(version) => Some(minor(version, &triples).ok_or_else(|| TargetError::Glibc {
                target: name.to_owned(),
                version: version.to_owned(),
            })?),
            None => None,
        };
        match triples.as_slice() {
            [one] => Ok(Target::of(Triple { name: (*one).to_owned(), glibc })),
            several => Ok(Target {
                name: name.to_owned(),
                triples: several
                    .iter()
                    .map(|one| Triple { name: (*one).to_owned(), glibc: None })
                    .collect(),
            }),
        }
    }

    /// The target of one triple, under the name that people call it by.
    fn of(triple: Triple) -> Self {
        let name = alias::of(&triple.name).unwrap_or(&triple.name);
        let name = match triple.glibc {
            Some(minor) => format!("{name}.2.{minor}"),
            None => name.to_owned(),
        };
        Target { name, triples: vec![triple] }
    }

    /// The operating system that it is for.
    pub fn system(&self) -> System {
        self.triples.first().map_or(System::Other, Triple::system)
    }

    /// Whether one file holds executables for several processors.
    pub fn is_universal(&self) -> bool {
        self.triples.len() > 1
    }

    /// Whether this machine runs its executable by itself.
    pub fn runs_here(&self) -> bool {
        self.triples.iter().any(Triple::runs_here)
    }

    /// What an executable's file name ends in: `.exe` or nothing.
    pub fn exe_suffix(&self) -> &'static str {
        self.system().exe_suffix()
    }
}

/// The minor version in `2.17`, for one target of Linux with glibc.
fn minor(version: &str, triples: &[&str]) -> Option<u16> {
    let [triple] = triples else { return None };
    let minor = version.strip_prefix("2.")?;
    let plain = !minor.is_empty() && minor.len() <= 3 && minor.bytes().all(|b| b.is_ascii_digit());
    let minor = minor.parse().ok().filter(|m| plain && *m >= OLDEST_GLIBC)?;
    triple.contains("-linux-gnu").then_some(minor)
}

impl TargetError {
    /// Its stable code.
    pub fn code(&self) -> &'static str {
        match self {
            TargetError::Unknown { .. } => "unknown-target",
            TargetError::Glibc { .. } => "bad-glibc",
        }
    }

    /// What to do about it.
    pub fn help(&self) -> String {
        match self {
            TargetError::Unknown { nearest: Some(word), .. } => {
                format!("did you mean `{word}`? The targets are: {}", alias::list())
            }
            TargetError::Unknown { nearest: None, .. } => {
                format!("the targets are: {}, and any triple of Rust's", alias::list())
            }
            TargetError::Glibc { .. } => format!(
                "write it as in `linux-x86_64-gnu.2.17`: 2.{OLDEST_GLIBC} is the oldest, and only \
                 Linux's `-gnu` targets have a glibc"
            ),
        }
    }
}

/// As `rustc` knows it, and the glibc after a dot.
impl fmt::Display for Triple {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        match self.glibc {
            Some(minor) => write!(f, ".2.{minor}"),
            None => Ok(()),
        }
    }
}

impl Serialize for Triple {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// `linux-x86_64 (x86_64-unknown-linux-musl)`
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        let triples: Vec<_> = self.triples.iter().map(Triple::to_string).collect();
        let triples = triples.join(" + ");
        if triples == self.name { Ok(()) } else { write!(f, " ({triples})") }
    }
}

#[cfg(test)]
mod tests;
