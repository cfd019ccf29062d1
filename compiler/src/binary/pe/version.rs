//! Version information: what Windows shows in the properties of a file.
//!
//! The resource is `VS_VERSIONINFO`: blocks of a length, a length of the value, a type, a name in
//! UTF-16, the value, and more blocks, each beginning at a multiple of four.

use std::collections::BTreeMap;

use semver::Version;

use super::super::bytes::{range, u16_le};
use super::manifest;
use super::resources::{ENGLISH, MANIFEST, Resources, VERSION};
use super::{Headers, PeError};

/// What is said of an executable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionInfo {
    /// What it belongs to, and its own name: `swak-myprj`.
    pub product: String,
    /// What the file is called: `swak-myprj-windows-x86_64.exe`.
    pub file_name: String,
    /// Its version. In numbers, Windows knows 0 to 65535: a larger one is 65535 there, and whole in
    /// the text.
    pub version: Version,
    /// One line on what it is: Windows shows it as the program's name.
    pub description: String,
    /// Who made it.
    pub company: Option<String>,
    /// Whose it is.
    pub copyright: Option<String>,
}

/// Gives an executable version information in the place of any that it has, and a manifest if it
/// has none: UTF-8 as its code page, long paths, and no more rights than it is given. Other
/// resources stay. A checksum is made anew where there was one.
///
/// # Errors
/// When it is no executable of Windows, is damaged or signed, has no room in its headers, or a text
/// is too long.
pub fn set_version_info(bytes: &[u8], info: &VersionInfo) -> Result<Vec<u8>, PeError> {
    let headers = Headers::read(bytes)?;
    if headers.is_signed(bytes) {
        return Err(PeError::Signed);
    }
    let mut resources = Resources::read(bytes, &headers)?;
    resources.set(VERSION, info.to_bytes()?);
    if resources.first(MANIFEST).is_none() {
        resources.set(MANIFEST, manifest::MANIFEST.into());
    }
    headers.with_resources(bytes, |address| resources.section(address))
}

/// UTF-16, little-endian.
const UNICODE: u16 = 1200;
/// In UTF-16 units with the zero at the end: eight texts of this length fit into the 65535 bytes
/// that all of them may have.
const MAX_TEXT: usize = 4000;
/// Blocks in blocks: information, strings, table, string.
const MAX_DEPTH: usize = 4;

impl VersionInfo {
    fn to_bytes(&self) -> Result<Vec<u8>, PeError> {
        let version = self.version.to_string();
        let texts = [
            ("CompanyName", self.company.as_deref(), "company"),
            ("FileDescription", Some(self.description.as_str()), "description"),
            ("FileVersion", Some(version.as_str()), "version"),
            ("InternalName", Some(self.product.as_str()), "product's name"),
            ("LegalCopyright", self.copyright.as_deref(), "copyright"),
            ("OriginalFilename", Some(self.file_name.as_str()), "file's name"),
            ("ProductName", Some(self.product.as_str()), "product's name"),
            ("ProductVersion", Some(version.as_str()), "version"),
        ];
        let mut strings = Vec::new();
        for (name, text, what) in texts {
            let Some(text) = text else { continue };
            let mut value: Vec<u16> = text.encode_utf16().take_while(|unit| *unit != 0).collect();
            value.push(0);
            if value.len() > MAX_TEXT {
                return Err(PeError::TooLong(what));
            }
            let value: Vec<u8> = value.iter().flat_map(|unit| unit.to_le_bytes()).collect();
            strings.push(Block { name, value, text: true, inner: Vec::new() });
        }
        let language = format!("{ENGLISH:04x}{UNICODE:04x}");
        let table = Block { name: &language, value: Vec::new(), text: true, inner: strings };
        let file =
            Block { name: "StringFileInfo", value: Vec::new(), text: true, inner: vec![table] };
        let value = [ENGLISH, UNICODE].iter().flat_map(|n| n.to_le_bytes()).collect();
        let inner = vec![Block { name: "Translation", value, text: false, inner: Vec::new() }];
        let var = Block { name: "VarFileInfo", value: Vec::new(), text: true, inner };
        let inner = vec![file, var];
        let all = Block { name: "VS_VERSION_INFO", value: self.fixed(), text: false, inner };
        let mut bytes = Vec::new();
        all.write(&mut bytes);
        Ok(bytes)
    }

    /// `VS_FIXEDFILEINFO`
    fn fixed(&self) -> Vec<u8> {
        let short = |number: u64| number.min(u64::from(u16::MAX)) as u32;
        let version = &self.version;
        let high = short(version.major) << 16 | short(version.minor);
        let low = short(version.patch) << 16;
        let prerelease = if version.pre.is_empty() { 0 } else { 2 };
        let words = [
            0xfeef_04bd, // the signature
            0x0001_0000, // version 1.0 of the structure
            high,        // of the file
            low,
            high, // of the product
            low,
            0x3f, // every flag counts
            prerelease,
            0x0004_0004, // for Windows NT, 32-bit interface
            1,           // an application
            0,           // and no more special one
            0,           // no date
            0,
        ];
        words.iter().flat_map(|word: &u32| word.to_le_bytes()).collect()
    }
}

struct Block<'a> {
    name: &'a str,
    value: Vec<u8>,
    /// Whether the value's length counts UTF-16 units.
    text: bool,
    inner: Vec<Block<'a>>,
}

impl Block<'_> {
    fn write(&self, bytes: &mut Vec<u8>) {
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        let start = bytes.len();
        let value = if self.text { self.value.len() / 2 } else { self.value.len() };
        for number in [0, value as u16, u16::from(self.text)] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        for unit in self.name.encode_utf16().chain([0]) {
            bytes.extend_from_slice(&unit.to_le_bytes());
        }
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes.extend_from_slice(&self.value);
        self.inner.iter().for_each(|inner| inner.write(bytes));
        let length = (bytes.len() - start) as u16;
        bytes[start..start + 2].copy_from_slice(&length.to_le_bytes());
    }
}

/// The texts in version information, by their names; those of a damaged one as far as they go.
pub(in super::super) fn texts(bytes: &[u8]) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    collect(bytes, MAX_DEPTH, &mut found);
    found
}

fn collect(mut bytes: &[u8], depth: usize, found: &mut BTreeMap<String, String>) {
    while let Some(length) = u16_le(bytes, 0).map(usize::from).filter(|n| *n >= 6) {
        let Some(block) = range(bytes, 0usize, length) else { return };
        if read_block(block, depth, found).is_none() {
            return;
        }
        bytes = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
}

fn read_block(block: &[u8], depth: usize, found: &mut BTreeMap<String, String>) -> Option<()> {
    let units = |bytes: &[u8]| {
        let units = bytes.chunks_exact(2).map(|u| u16::from_le_bytes([u[0], u[1]]));
        units.take_while(|u| *u != 0).collect::<Vec<_>>()
    };
    let (length, is_text) = (usize::from(u16_le(block, 2)?), u16_le(block, 4)? == 1);
    let name = units(&block[6..]);
    let value_at = (6 + 2 * name.len() + 2).next_multiple_of(4);
    let value = block.get(value_at..).unwrap_or_default();
    // Some tools count bytes where the format counts units.
    let held = if is_text && depth > 1 { length * 2 } else { length };
    if depth == 1 {
        let text = String::from_utf16_lossy(&units(value));
        found.insert(String::from_utf16_lossy(&name), text);
        return Some(());
    }
    let inner = value.get(held.next_multiple_of(4)..).unwrap_or_default();
    collect(inner, depth - 1, found);
    Some(())
}
