//! An executable file after linking: what is known of it, and what is changed in it.
//!
//! Everything here works on bytes and is deterministic: the same bytes in, the same bytes out.
//! Nothing is run, and no input is trusted: one that is cut off or lies about its offsets gives a
//! typed error, never a panic, and never more memory than a small multiple of the file.
//!
//! - [`facts`]: what a build wrote into its agent, read from the file.
//! - [`look`](look()): format, processor, imports, signature, and what makes a file unfit to ship.
//! - [`macho`]: an ad-hoc signature, and several processors in one file.
//! - [`pe`]: version information and a manifest.

pub mod facts;
pub mod look;
pub mod macho;
pub mod pe;

mod bytes;
#[cfg(test)]
pub(crate) mod samples;

pub use facts::Facts;
pub use look::{Look, LookError, look};
