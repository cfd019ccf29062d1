//! The number that tells one executable from another: crash reports are matched to symbols by it.
//!
//! Some linkers draw it, or make it from the names of their input, so that it differs from one
//! build to the next. Here it comes from what is in the file, as with Apple's own linker.

use sha2::{Digest as _, Sha256};

use super::super::bytes::{put, range, u32_le};
use super::layout::{HEADER, Layout};
use super::{MachoError, universal};

/// `LC_UUID`: the command, its size, and sixteen bytes.
const UUID: u32 = 0x1b;
const LENGTH: usize = 16;

/// Makes the number of an executable from its content; in a universal file, that of every part. A
/// file without one stays as it is. The signature is not valid any more: sign it anew.
///
/// # Errors
/// When it is no Mach-O file of 64 bits, or is damaged.
pub fn set_uuid(bytes: &[u8]) -> Result<Vec<u8>, MachoError> {
    if !universal::is_universal(bytes) {
        return set_thin(bytes);
    }
    let parts = universal::parts(bytes)?;
    let made: Result<Vec<_>, _> = parts.into_iter().map(set_thin).collect();
    universal::join(&made?)
}

fn set_thin(bytes: &[u8]) -> Result<Vec<u8>, MachoError> {
    let layout = Layout::read(bytes)?;
    let mut made = bytes.to_vec();
    let Some(at) = place(bytes, &layout) else { return Ok(made) };
    put(&mut made, at, &[0; LENGTH]);
    // The signature speaks of the number and cannot be part of it.
    let end = layout.signature.map_or(made.len(), |s| made.len().min(s.offset as usize));
    let hash = Sha256::digest(&made[..end]);
    let mut uuid = [0; LENGTH];
    uuid.copy_from_slice(&hash[..LENGTH]);
    // Version 8, of one's own making, and the variant (RFC 9562, sections 4 and 5.8).
    uuid[6] = uuid[6] & 0x0f | 0x80;
    uuid[8] = uuid[8] & 0x3f | 0x80;
    put(&mut made, at, &uuid);
    Ok(made)
}

/// Where the sixteen bytes are. [`Layout::read`] has seen that the commands are whole.
fn place(bytes: &[u8], layout: &Layout) -> Option<usize> {
    let mut at = HEADER;
    for _ in 0..layout.command_count {
        let size = u32_le(bytes, at + 4)? as usize;
        if u32_le(bytes, at)? == UUID {
            return range(bytes, at + 8, LENGTH as u32).map(|_| at + 8);
        }
        at += size;
    }
    None
}
