//! What a file is, without running it.

mod complaints;
mod elf;
mod macho;
mod other;
mod pe;

use std::collections::BTreeMap;
use std::fmt;

use serde::{Serialize, Serializer};

use super::facts::Facts;
use super::macho::{MachoError, Signature, universal};
use super::pe::PeError;

/// What is known of an executable file.
#[derive(Clone, Debug, Serialize)]
pub struct Look {
    /// How the file is made.
    pub format: Format,
    /// Its length in bytes.
    pub bytes: u64,
    /// One for each processor: one, unless it is universal.
    pub parts: Vec<Part>,
}

/// How an executable file is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// Linux and most other Unix systems.
    Elf,
    /// Windows.
    Pe,
    /// macOS.
    MachO,
    /// macOS, for several processors.
    Universal,
}

/// An executable for one processor.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Part {
    /// As Rust calls it: `x86_64`, `aarch64`, `arm`, `x86`.
    pub processor: String,
    /// Whether it brings everything itself.
    pub linkage: Linkage,
    /// The libraries that it loads, in the order of the file; none when it is static.
    pub libraries: Vec<String>,
    /// The folders that it names to look for libraries in.
    pub library_paths: Vec<String>,
    /// ELF: the program that loads the libraries.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interpreter: Option<String>,
    /// The oldest glibc that has everything it needs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub glibc: Option<Glibc>,
    /// The oldest macOS or Windows that it says it runs on: `11.0`, `6.0`. Linkers write 6.0 for
    /// Windows whatever the program needs; Rust's programs need Windows 10.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minimum_system: Option<String>,
    /// PE: `console`, `windows`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subsystem: Option<&'static str>,
    /// Mach-O: its signature, and whether the file is still what was signed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signature: Option<Signature>,
    /// PE: whether there is a signature of Authenticode's. It is not checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authenticode: Option<bool>,
    /// PE: the texts of its version information.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub version_info: BTreeMap<String, String>,
    /// What the build wrote into it; `None` when it is no agent.
    pub facts: Option<Facts>,
}

/// Whether an executable brings everything itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Linkage {
    /// It loads no library.
    Static,
    /// It loads libraries, be they only the system's own.
    #[default]
    Dynamic,
}

/// A version of glibc: `2.17`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Glibc {
    /// `2`
    pub major: u16,
    /// `17`
    pub minor: u16,
}

/// Why nothing can be said of a file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LookError {
    /// It is something else.
    #[error("it is {0}, not an executable")]
    NotExecutable(&'static str),
    /// It begins as an executable and does not go on as one.
    #[error("it is a damaged {format} file: {why}")]
    Damaged {
        /// What it begins as.
        format: &'static str,
        /// What is wrong.
        why: String,
    },
}

/// Says what a file is.
///
/// # Errors
/// When it is no executable, or a damaged one.
pub fn look(bytes: &[u8]) -> Result<Look, LookError> {
    let (format, parts) = if bytes.starts_with(b"\x7fELF") {
        (Format::Elf, vec![elf::part(bytes)?])
    } else if bytes.starts_with(b"MZ") {
        (Format::Pe, vec![pe::part(bytes)?])
    } else if universal::is_universal(bytes) {
        let parts = universal::parts(bytes)?;
        let parts: Result<Vec<_>, _> = parts.into_iter().map(macho::part).collect();
        (Format::Universal, parts?)
    } else if macho::begins(bytes) {
        (Format::MachO, vec![macho::part(bytes)?])
    } else {
        return Err(LookError::NotExecutable(other::what(bytes)));
    };
    Ok(Look { format, bytes: bytes.len() as u64, parts })
}

impl Look {
    /// What the build wrote into it; `None` when it is no agent. A universal file's parts say the
    /// same but for the target: this is the first one's.
    pub fn facts(&self) -> Option<&Facts> {
        self.parts.iter().find_map(|part| part.facts.as_ref())
    }
}

impl LookError {
    /// Its stable code.
    pub fn code(&self) -> &'static str {
        match self {
            LookError::NotExecutable(_) => "not-an-executable",
            LookError::Damaged { .. } => "damaged-executable",
        }
    }
}

impl From<MachoError> for LookError {
    fn from(error: MachoError) -> Self {
        LookError::Damaged { format: "Mach-O", why: error.to_string() }
    }
}

impl From<PeError> for LookError {
    fn from(error: PeError) -> Self {
        match error {
            PeError::NotPe => LookError::NotExecutable("a program for DOS"),
            error => LookError::Damaged { format: "PE", why: error.to_string() },
        }
    }
}

impl From<object::Error> for LookError {
    fn from(error: object::Error) -> Self {
        LookError::Damaged { format: "ELF", why: error.to_string() }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Format::Elf => "ELF",
            Format::Pe => "PE",
            Format::MachO => "Mach-O",
            Format::Universal => "Mach-O, universal",
        })
    }
}

impl fmt::Display for Linkage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Linkage::Static => "static",
            Linkage::Dynamic => "dynamic",
        })
    }
}

impl fmt::Display for Glibc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

impl Serialize for Glibc {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests;
