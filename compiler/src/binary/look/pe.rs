//! What a PE file says of itself.

use super::super::bytes::{MAX_NAMES, name, u32_le};
use super::super::facts;
use super::super::pe::version::texts;
use super::super::pe::{Headers, PeError, Resources};
use super::{Linkage, LookError, Part};

pub(super) fn part(bytes: &[u8]) -> Result<Part, LookError> {
    let headers = Headers::read(bytes)?;
    if headers.is_library(bytes) {
        return Err(LookError::NotExecutable("a library"));
    }
    let processor = match headers.machine(bytes) {
        0x8664 => "x86_64",
        0xaa64 => "aarch64",
        0x14c => "x86",
        0x1c4 => "arm",
        _ => "an unknown processor",
    };
    // `IMAGE_IMPORT_DESCRIPTOR` has the name's address at 12, `IMAGE_DELAYLOAD_DESCRIPTOR` at 4.
    let mut libraries = names(bytes, &headers, headers.imports(bytes), 20, 12)?;
    libraries.extend(names(bytes, &headers, headers.delayed_imports(bytes), 32, 4)?);
    let (major, minor) = headers.subsystem_version(bytes);
    let resources = Resources::read(bytes, &headers)?;
    Ok(Part {
        processor: processor.to_owned(),
        linkage: if libraries.is_empty() { Linkage::Static } else { Linkage::Dynamic },
        libraries,
        minimum_system: Some(format!("{major}.{minor}")),
        subsystem: Some(match headers.subsystem(bytes) {
            2 => "windows",
            3 => "console",
            1 => "native",
            10..=13 => "efi",
            _ => "other",
        }),
        authenticode: Some(headers.is_signed(bytes)),
        version_info: resources.version().map(texts).unwrap_or_default(),
        facts: facts::read(bytes),
        ..Part::default()
    })
}

/// The libraries that a table of descriptors names; the last descriptor has no name.
fn names(
    bytes: &[u8],
    headers: &Headers,
    table: Option<u32>,
    each: usize,
    name_at: usize,
) -> Result<Vec<String>, PeError> {
    let Some(address) = table else { return Ok(Vec::new()) };
    let bad = PeError::Damaged("its imports are not in the file");
    let table = headers.from(bytes, address).ok_or(bad.clone())?;
    let mut found = Vec::new();
    for descriptor in table.chunks_exact(each).take(MAX_NAMES) {
        let address = u32_le(descriptor, name_at).filter(|address| *address != 0);
        let Some(address) = address else { return Ok(found) };
        found.push(name(headers.from(bytes, address).ok_or(bad.clone())?));
    }
    Err(PeError::Damaged("its imports have no end"))
}
