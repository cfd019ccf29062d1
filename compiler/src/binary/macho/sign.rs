//! An ad-hoc signature, as `codesign --sign -` makes one.
//!
//! macOS on Apple's processors starts nothing without a signature; an ad-hoc one says only that the
//! file is whole. A linker makes one, and every change to the file after that, such as stripping
//! it, spoils it. The format is in XNU's `osfmk/kern/cs_blobs.h`; everything in it is big-endian.

use sha2::{Digest as _, Sha256};

use super::super::bytes::{align, put};
use super::layout::{CODE_SIGNATURE, EXECUTABLE, Layout};
use super::{CPU_ARM64, MachoError, universal};

/// Gives an executable an ad-hoc signature in the place of the one that it has. `identifier` is the
/// name that it is signed for: the executable's own. In a universal file, every part is signed.
///
/// # Errors
/// When it is no Mach-O file of 64 bits, is damaged, or has no room in its header for the command
/// that names the signature.
pub fn sign(bytes: &[u8], identifier: &str) -> Result<Vec<u8>, MachoError> {
    if !(1..=255).contains(&identifier.len()) || identifier.contains('\0') {
        return Err(MachoError::BadIdentifier);
    }
    if !universal::is_universal(bytes) {
        return sign_thin(bytes, identifier);
    }
    let parts = universal::parts(bytes)?;
    let signed: Result<Vec<_>, _> = parts.iter().map(|part| sign_thin(part, identifier)).collect();
    universal::join(&signed?)
}

// What `cs_blobs.h` calls them, without `CSMAGIC_`, `CSSLOT_` and `CS_`.
pub(super) const EMBEDDED_SIGNATURE: u32 = 0xfade_0cc0;
pub(super) const CODEDIRECTORY: u32 = 0xfade_0c02;
pub(super) const REQUIREMENTS: u32 = 0xfade_0c01;
const BLOBWRAPPER: u32 = 0xfade_0b01;
pub(super) const SLOT_CODEDIRECTORY: u32 = 0;
pub(super) const SLOT_REQUIREMENTS: u32 = 2;
pub(super) const SLOT_SIGNATURE: u32 = 0x1_0000;
pub(super) const ADHOC: u32 = 2;
pub(super) const HASHTYPE_SHA256: u8 = 2;
/// With the fields of the executable segment.
const VERSION: u32 = 0x2_0400;
const EXECSEG_MAIN_BINARY: u64 = 1;
/// Linkers and `codesign` hash pages of this size on every processor.
const PAGE_BITS: u8 = 12;
const HASH: usize = 32;
/// The length of a code directory of this version without its identifier and hashes.
const CODEDIRECTORY_HEADER: usize = 88;
/// The signature begins and ends at a multiple of this.
const ALIGNMENT: u64 = 16;

fn sign_thin(bytes: &[u8], identifier: &str) -> Result<Vec<u8>, MachoError> {
    let layout = Layout::read(bytes)?;
    let linkedit =
        layout.segment("__LINKEDIT").ok_or(MachoError::Damaged("it has no __LINKEDIT"))?;
    let text = layout.segment("__TEXT").ok_or(MachoError::Damaged("it has no __TEXT"))?;
    if layout.segments.iter().any(|s| s.address > linkedit.address || s.offset > linkedit.offset) {
        return Err(MachoError::Damaged("__LINKEDIT is not its last segment"));
    }
    let end = linkedit.offset.checked_add(linkedit.size);
    let end = end.ok_or(MachoError::Damaged("__LINKEDIT has no end"))?;
    if end < bytes.len() as u64 {
        return Err(MachoError::Trailing);
    }
    if end > bytes.len() as u64 {
        return Err(MachoError::Damaged("it ends before its last segment does"));
    }
    // What comes before the signature is kept.
    let kept = layout.signature.map_or(end, |s| u64::from(s.offset));
    let before = linkedit.offset.max(layout.data_end).max(layout.commands_end as u64);
    if !(before..=end).contains(&kept) {
        return Err(MachoError::Damaged("its signature is not the last in __LINKEDIT"));
    }
    let start = align(kept, ALIGNMENT).and_then(|start| u32::try_from(start).ok());
    let start = start.ok_or(MachoError::TooLarge)?;
    let pages = start.div_ceil(1 << PAGE_BITS);
    let directory = CodeDirectory {
        identifier,
        pages,
        code_limit: start,
        text: (text.offset, text.size),
        main: layout.file_type == EXECUTABLE,
    };
    let size = align(directory.signature_size() as u64, ALIGNMENT).unwrap_or(u64::MAX);
    let size = u32::try_from(size).ok().filter(|size| start.checked_add(*size).is_some());
    let size = size.ok_or(MachoError::TooLarge)?;

    let mut signed = bytes[..kept as usize].to_vec();
    signed.resize(start as usize, 0);
    put_command(&mut signed, &layout, start, size)?;
    let linkedit_size = u64::from(start) + u64::from(size) - linkedit.offset;
    let page = if layout.cpu == CPU_ARM64 { 0x4000 } else { 0x1000 };
    let in_memory = align(linkedit_size, page).ok_or(MachoError::TooLarge)?;
    put(&mut signed, linkedit.command + 32, &in_memory.to_le_bytes());
    put(&mut signed, linkedit.command + 48, &linkedit_size.to_le_bytes());
    let signature = directory.signature(&signed);
    signed.extend_from_slice(&signature);
    signed.resize(start as usize + size as usize, 0);
    Ok(signed)
}

/// Writes where the signature is, into the load command that the file has or a new one.
fn put_command(bytes: &mut [u8], layout: &Layout, start: u32, size: u32) -> Result<(), MachoError> {
    let mut command = [0; 16];
    let words = [CODE_SIGNATURE, 16, start, size];
    for (place, word) in command.chunks_exact_mut(4).zip(words) {
        place.copy_from_slice(&word.to_le_bytes());
    }
    if let Some(place) = layout.signature {
        put(bytes, place.command, &command);
        return Ok(());
    }
    let at = layout.commands_end;
    let room = bytes.get(at..at + command.len()).is_some_and(|room| room.iter().all(|b| *b == 0));
    if !room || (at + command.len()) as u64 > layout.first_section {
        return Err(MachoError::NoRoom);
    }
    put(bytes, at, &command);
    let end = (at + command.len() - 32) as u32;
    put(bytes, 16, &(layout.command_count + 1).to_le_bytes());
    put(bytes, 20, &end.to_le_bytes());
    Ok(())
}

/// What is signed: the hash of each page, and where the code is.
struct CodeDirectory<'a> {
    identifier: &'a str,
    pages: u32,
    code_limit: u32,
    /// Offset and size of `__TEXT`.
    text: (u64, u64),
    /// Whether it is an executable.
    main: bool,
}

impl CodeDirectory<'_> {
    /// The hashes before that of the first page: of `Info.plist`, which there is none of, and of
    /// the requirements.
    const SPECIAL: u32 = 2;

    /// Where the hash of the first page is.
    fn first_hash(&self) -> usize {
        CODEDIRECTORY_HEADER + self.identifier.len() + 1 + Self::SPECIAL as usize * HASH
    }

    fn size(&self) -> usize {
        self.first_hash() + self.pages as usize * HASH
    }

    fn signature_size(&self) -> usize {
        let index = 12 + 3 * 8;
        index + self.size() + empty_requirements().len() + empty_wrapper().len()
    }

    fn signature(&self, code: &[u8]) -> Vec<u8> {
        let blobs = [
            (SLOT_CODEDIRECTORY, self.blob(code)),
            (SLOT_REQUIREMENTS, empty_requirements()),
            (SLOT_SIGNATURE, empty_wrapper()),
        ];
        let mut signature = Vec::with_capacity(self.signature_size());
        let words = [EMBEDDED_SIGNATURE, self.signature_size() as u32, blobs.len() as u32];
        words.iter().for_each(|word| signature.extend_from_slice(&word.to_be_bytes()));
        let mut at = 12 + blobs.len() * 8;
        for (slot, blob) in &blobs {
            signature.extend_from_slice(&slot.to_be_bytes());
            signature.extend_from_slice(&(at as u32).to_be_bytes());
            at += blob.len();
        }
        blobs.iter().for_each(|(_, blob)| signature.extend_from_slice(blob));
        signature
    }

    fn blob(&self, code: &[u8]) -> Vec<u8> {
        let mut blob = Vec::with_capacity(self.size());
        let mut word = |word: u32| blob.extend_from_slice(&word.to_be_bytes());
        word(CODEDIRECTORY);
        word(self.size() as u32);
        word(VERSION);
        word(ADHOC);
        word(self.first_hash() as u32);
        word(CODEDIRECTORY_HEADER as u32); // the identifier
        word(Self::SPECIAL);
        word(self.pages);
        word(self.code_limit);
        word(u32::from_be_bytes([HASH as u8, HASHTYPE_SHA256, 0, PAGE_BITS]));
        word(0); // spare
        word(0); // no scatter vector
        word(0); // no team
        word(0); // spare
        let mut long = |long: u64| blob.extend_from_slice(&long.to_be_bytes());
        long(0); // the code limit, were it larger than 32 bits
        long(self.text.0);
        long(self.text.1);
        long(if self.main { EXECSEG_MAIN_BINARY } else { 0 });
        blob.extend_from_slice(self.identifier.as_bytes());
        blob.push(0);
        // The special slots count downwards to the first page.
        blob.extend_from_slice(&Sha256::digest(empty_requirements()));
        blob.extend_from_slice(&[0; HASH]);
        for page in code.chunks(1 << PAGE_BITS) {
            blob.extend_from_slice(&Sha256::digest(page));
        }
        blob
    }
}

/// No requirement to be met by what the executable loads.
fn empty_requirements() -> Vec<u8> {
    [REQUIREMENTS, 12, 0].iter().flat_map(|word| word.to_be_bytes()).collect()
}

/// No certificate.
fn empty_wrapper() -> Vec<u8> {
    [BLOBWRAPPER, 8].iter().flat_map(|word| word.to_be_bytes()).collect()
}
