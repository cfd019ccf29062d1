//! Executables of macOS: Mach-O, and the universal files that hold several of them.
//!
//! The format is that of Apple's `mach-o/loader.h`, `mach-o/fat.h` and, for signatures,
//! `kern/cs_blobs.h` (XNU). Only what macOS still runs is read: 64 bits, little-endian.

pub mod universal;

mod layout;
mod sign;
mod signature;
mod uuid;

pub use sign::sign;
pub use signature::Signature;
pub use uuid::set_uuid;

pub(super) use layout::{EXECUTABLE, Layout, PLATFORM_MACOS};

/// Why a Mach-O file cannot be read, signed or joined.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MachoError {
    /// It does not begin as one.
    #[error("it is not a Mach-O file of 64 bits")]
    NotMacho,
    /// A place that it names is not in the file.
    #[error("it is cut off or damaged: {0}")]
    Damaged(&'static str),
    /// The load commands have no room for one more before the code begins.
    #[error("its header has no room for a signature: link it with `-headerpad 0x20`")]
    NoRoom,
    /// A signature covers the file to its end, so that nothing can come after it.
    #[error("something stands behind its last segment, where the signature belongs")]
    Trailing,
    /// The name that a signature is for cannot be written.
    #[error("a signature's identifier is 1 to 255 characters without a zero byte")]
    BadIdentifier,
    /// Offsets are numbers of 32 bits.
    #[error("it is too large: 4 GiB is the most")]
    TooLarge,
    /// A universal file holds one executable for each processor.
    #[error("it holds two executables for {0}")]
    Twice(&'static str),
    /// There is nothing to join.
    #[error("it holds no executable")]
    Empty,
}

/// The processor's name as Rust says it.
fn processor(cpu: u32) -> &'static str {
    match cpu {
        CPU_X86_64 => "x86_64",
        CPU_ARM64 => "aarch64",
        _ => "an unknown processor",
    }
}

const CPU_X86_64: u32 = 0x0100_0007;
const CPU_ARM64: u32 = 0x0100_000c;

#[cfg(test)]
mod tests;
