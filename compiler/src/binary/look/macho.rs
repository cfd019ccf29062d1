//! What one Mach-O file says of itself.

use super::super::bytes::u32_le;
use super::super::facts;
use super::super::macho::{EXECUTABLE, Layout, PLATFORM_MACOS, Signature};
use super::{Linkage, LookError, Part};

/// Whether a file begins as a Mach-O file for a little-endian processor, of 32 or 64 bits.
pub(super) fn begins(bytes: &[u8]) -> bool {
    matches!(u32_le(bytes, 0), Some(0xfeed_face | 0xfeed_facf))
}

pub(super) fn part(bytes: &[u8]) -> Result<Part, LookError> {
    let layout = Layout::read(bytes)?;
    match layout.file_type {
        EXECUTABLE => {}
        1 => return Err(LookError::NotExecutable("an object file")),
        6 => return Err(LookError::NotExecutable("a library")),
        _ => return Err(LookError::NotExecutable("a Mach-O file of another kind")),
    }
    if layout.platform.is_some_and(|p| p != PLATFORM_MACOS) {
        return Err(LookError::NotExecutable("for another system of Apple's"));
    }
    Ok(Part {
        processor: layout.processor().to_owned(),
        linkage: if layout.libraries.is_empty() { Linkage::Static } else { Linkage::Dynamic },
        signature: Some(Signature::of(bytes, &layout)),
        minimum_system: layout.minimum.map(version),
        libraries: layout.libraries,
        library_paths: layout.rpaths,
        facts: facts::read(bytes),
        ..Part::default()
    })
}

/// `11.0`, `10.12`, `10.15.4`
fn version(number: u32) -> String {
    let [_, _, minor, patch] = number.to_be_bytes();
    let major = number >> 16;
    if patch == 0 { format!("{major}.{minor}") } else { format!("{major}.{minor}.{patch}") }
}
