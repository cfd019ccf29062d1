//! Whether an executable is still what was signed.

use std::fmt;

use serde::Serialize;
use sha2::{Digest as _, Sha256};

use super::super::bytes::{name, range, u32_be, u64_be};
use super::layout::{Layout, SignaturePlace};
use super::sign::{
    ADHOC, CODEDIRECTORY, EMBEDDED_SIGNATURE, HASHTYPE_SHA256, REQUIREMENTS, SLOT_CODEDIRECTORY,
    SLOT_REQUIREMENTS, SLOT_SIGNATURE,
};

/// What is known of an executable's signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Signature {
    /// There is none.
    None,
    /// It says only that the file is whole, and it is.
    AdHoc {
        /// The name that it was signed for.
        identifier: String,
        /// Whether the linker made it.
        linker: bool,
    },
    /// It has a certificate. The file is whole; the certificate was not looked at.
    Certified {
        /// The name that it was signed for.
        identifier: String,
    },
    /// The file is not what was signed, or the signature is none.
    Invalid {
        /// Why.
        why: String,
    },
}

/// `CS_LINKER_SIGNED`
const LINKER_SIGNED: u32 = 0x2_0000;
/// `CSSLOT_ALTERNATE_CODEDIRECTORIES`: the first of five.
const SLOT_ALTERNATE: u32 = 0x1000;
/// A signature has a handful of parts.
const MAX_BLOBS: u32 = 64;

impl Signature {
    /// Looks at the signature of one Mach-O file and hashes every page again.
    pub(in super::super) fn of(bytes: &[u8], layout: &Layout) -> Self {
        let Some(place) = layout.signature else { return Signature::None };
        check(bytes, place).unwrap_or_else(|why| Signature::Invalid { why: why.to_owned() })
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Signature::None => f.write_str("none"),
            Signature::AdHoc { identifier, linker } => {
                let by = if *linker { ", made by the linker" } else { "" };
                write!(f, "ad-hoc, valid, for `{identifier}`{by}")
            }
            Signature::Certified { identifier } => {
                write!(f, "by a certificate that was not checked, for `{identifier}`")
            }
            Signature::Invalid { why } => write!(f, "invalid: {why}"),
        }
    }
}

fn check(bytes: &[u8], place: SignaturePlace) -> Result<Signature, &'static str> {
    let signature =
        range(bytes, place.offset, place.size).ok_or("it reaches beyond the end of the file")?;
    if u32_be(signature, 0) != Some(EMBEDDED_SIGNATURE) {
        return Err("there is none where the file says");
    }
    let length = u32_be(signature, 4).ok_or(SHORT)?;
    let signature = range(signature, 0, length).ok_or("it is longer than its place")?;
    let count = u32_be(signature, 8).filter(|n| *n <= MAX_BLOBS).ok_or(SHORT)?;
    let mut blobs = Vec::new();
    for entry in 0..count as usize {
        let slot = u32_be(signature, 12 + 8 * entry).ok_or(SHORT)?;
        let at = u32_be(signature, 16 + 8 * entry).ok_or(SHORT)? as usize;
        let length = at.checked_add(4).and_then(|at| u32_be(signature, at)).ok_or(SHORT)?;
        blobs.push((slot, range(signature, at, length).ok_or(SHORT)?));
    }
    let is_directory = |slot: u32| {
        slot == SLOT_CODEDIRECTORY || (SLOT_ALTERNATE..SLOT_ALTERNATE + 5).contains(&slot)
    };
    // Executables for old systems have a directory of SHA-1 too; the better one counts.
    let directory = blobs
        .iter()
        .filter(|(slot, _)| is_directory(*slot))
        .find(|(_, blob)| blob.get(37) == Some(&HASHTYPE_SHA256))
        .ok_or("it has no hashes of SHA-256")?
        .1;
    let identifier = check_pages(bytes, place.offset, directory)?;
    let requirements = blobs.iter().find(|(slot, _)| *slot == SLOT_REQUIREMENTS).map(|b| b.1);
    check_requirements(directory, requirements)?;
    let flags = u32_be(directory, 12).ok_or(SHORT)?;
    // A blob of eight bytes is a wrapper with nothing in it.
    let certified = blobs.iter().any(|(slot, blob)| *slot == SLOT_SIGNATURE && blob.len() > 8);
    Ok(match certified {
        true => Signature::Certified { identifier },
        false if flags & ADHOC == 0 => return Err("it has no certificate and is not ad-hoc"),
        false => Signature::AdHoc { identifier, linker: flags & LINKER_SIGNED != 0 },
    })
}

/// Hashes the pages again; gives the identifier.
fn check_pages(bytes: &[u8], end: u32, directory: &[u8]) -> Result<String, &'static str> {
    let word = |at| u32_be(directory, at).ok_or(SHORT);
    if word(0)? != CODEDIRECTORY {
        return Err("its list of hashes is none");
    }
    let (first, pages) = (word(16)? as usize, word(28)?);
    let limit = match u64_be(directory, 56) {
        Some(long) if word(8)? >= 0x2_0300 && long > 0 => long,
        _ => u64::from(word(32)?),
    };
    if limit != u64::from(end) {
        return Err("it does not cover the file up to itself");
    }
    let [hash, _, _, bits] = word(36)?.to_be_bytes();
    if hash != 32 || !(12..=16).contains(&bits) {
        return Err("it has hashes or pages of an unknown size");
    }
    let code = range(bytes, 0, limit).ok_or("it covers more than there is")?;
    if code.chunks(1 << bits).len() != pages as usize {
        return Err("it has too few or too many hashes");
    }
    let hashes = range(directory, first, u64::from(pages) * 32).ok_or(SHORT)?;
    let whole =
        code.chunks(1 << bits).zip(hashes.chunks(32)).all(|(p, h)| *Sha256::digest(p) == *h);
    if !whole {
        return Err("the file was changed after it was signed");
    }
    let identifier = directory.get(word(20)? as usize..).ok_or(SHORT)?;
    Ok(name(identifier))
}

/// The hash of the requirements stands before those of the pages; one of zeros is of none.
fn check_requirements(directory: &[u8], blob: Option<&[u8]>) -> Result<(), &'static str> {
    let first = u32_be(directory, 16).ok_or(SHORT)? as usize;
    if u32_be(directory, 24).ok_or(SHORT)? < SLOT_REQUIREMENTS {
        return if blob.is_none() { Ok(()) } else { Err("its requirements are not signed") };
    }
    let hash = first.checked_sub(64).and_then(|at| range(directory, at, 32)).ok_or(SHORT)?;
    let fits = match blob {
        None => hash.iter().all(|b| *b == 0),
        Some(blob) => u32_be(blob, 0) == Some(REQUIREMENTS) && *Sha256::digest(blob) == *hash,
    };
    if fits { Ok(()) } else { Err("its requirements are not those that were signed") }
}

const SHORT: &str = "it is cut off or damaged";
