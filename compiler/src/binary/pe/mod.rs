//! Executables of Windows: PE, and the resources in them.
//!
//! The format is that of Microsoft's "PE Format". What people see in the properties of a file is a
//! resource: a tree of type, name and language with data at its leaves.

pub mod version;

mod headers;
mod manifest;
mod resources;

pub use version::{VersionInfo, set_version_info};

pub(super) use headers::Headers;
pub(super) use resources::Resources;

/// Why the resources of a PE file cannot be read or set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PeError {
    /// It does not begin as one.
    #[error("it is not an executable of Windows")]
    NotPe,
    /// A place that it names is not in the file.
    #[error("it is cut off or damaged: {0}")]
    Damaged(&'static str),
    /// The headers have no room for one more section.
    #[error("its headers have no room for a section of resources")]
    NoRoom,
    /// A change spoils a signature.
    #[error("it is signed, and a change would spoil the signature")]
    Signed,
    /// Addresses are numbers of 32 bits.
    #[error("it is too large: 4 GiB is the most")]
    TooLarge,
    /// A text of the version information is longer than the format allows.
    #[error("the {0} is longer than version information can hold: 3999 characters")]
    TooLong(&'static str),
}

#[cfg(test)]
mod tests;
