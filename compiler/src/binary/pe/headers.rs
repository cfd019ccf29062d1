//! Where things are in a PE file, and one section more in it.

use super::super::bytes::{align, put, range, u16_le, u32_le};
use super::PeError;

/// The headers, as far as they are needed.
#[derive(Debug)]
pub(in super::super) struct Headers {
    /// Where the COFF header is.
    coff: usize,
    /// Where the optional header is.
    optional: usize,
    /// Where the data directories are, and how many.
    directories: (usize, u32),
    /// Where the table of sections is.
    table: usize,
    pub(super) sections: Vec<Section>,
}

/// A section: a range of addresses, and the bytes in the file that come there.
#[derive(Clone, Debug)]
pub(super) struct Section {
    pub(super) address: u32,
    pub(super) size: u32,
    pub(super) file_offset: u32,
    pub(super) file_size: u32,
}

const SECTION: usize = 40;
const DIRECTORY_IMPORTS: u32 = 1;
const DIRECTORY_RESOURCES: u32 = 2;
const DIRECTORY_CERTIFICATES: u32 = 4;
const DIRECTORY_DELAYED_IMPORTS: u32 = 13;
/// `IMAGE_SCN_CNT_INITIALIZED_DATA | IMAGE_SCN_MEM_READ`
const READ_ONLY_DATA: u32 = 0x4000_0040;

// Offsets in the optional header that are the same for 32 and 64 bits.
const INITIALIZED_SIZE: usize = 8;
const SECTION_ALIGNMENT: usize = 32;
const FILE_ALIGNMENT: usize = 36;
const SUBSYSTEM_VERSION: usize = 48;
const IMAGE_SIZE: usize = 56;
const HEADERS_SIZE: usize = 60;
const CHECKSUM: usize = 64;
const SUBSYSTEM: usize = 68;

impl Headers {
    pub(in super::super) fn read(bytes: &[u8]) -> Result<Self, PeError> {
        if !bytes.starts_with(b"MZ") {
            return Err(PeError::NotPe);
        }
        let signature = u32_le(bytes, 0x3c).ok_or(PeError::NotPe)? as usize;
        if range(bytes, signature, 4usize) != Some(b"PE\0\0") {
            return Err(PeError::NotPe);
        }
        Headers::at(bytes, signature + 4).ok_or(PeError::Damaged("it ends in its headers"))
    }

    fn at(bytes: &[u8], coff: usize) -> Option<Self> {
        let optional = coff.checked_add(20)?;
        let (count, size) = (u16_le(bytes, coff + 2)?, u16_le(bytes, coff + 16)?);
        // The optional header is read in its own bounds only.
        let header = range(bytes, optional, size)?;
        let directories = match u16_le(header, 0)? {
            0x10b => 96,
            0x20b => 112,
            _ => return None,
        };
        let said = u32_le(header, directories - 4)?;
        let held = (header.len() - directories) / 8;
        let table = optional + header.len();
        let table_bytes = range(bytes, table, usize::from(count) * SECTION)?;
        let section = |section: &[u8]| {
            Some(Section {
                size: u32_le(section, 8)?,
                address: u32_le(section, 12)?,
                file_size: u32_le(section, 16)?,
                file_offset: u32_le(section, 20)?,
            })
        };
        let sections: Option<_> = table_bytes.chunks_exact(SECTION).map(section).collect();
        Some(Headers {
            coff,
            optional,
            directories: (optional + directories, said.min(held as u32)),
            table,
            sections: sections?,
        })
    }

    /// `IMAGE_FILE_HEADER.Machine`
    pub(in super::super) fn machine(&self, bytes: &[u8]) -> u16 {
        u16_le(bytes, self.coff).unwrap_or_default()
    }

    /// Whether it is a library.
    pub(in super::super) fn is_library(&self, bytes: &[u8]) -> bool {
        u16_le(bytes, self.coff + 18).unwrap_or_default() & 0x2000 != 0
    }

    /// `IMAGE_SUBSYSTEM_…`
    pub(in super::super) fn subsystem(&self, bytes: &[u8]) -> u16 {
        u16_le(bytes, self.optional + SUBSYSTEM).unwrap_or_default()
    }

    /// The oldest Windows that it says it runs on, major and minor.
    pub(in super::super) fn subsystem_version(&self, bytes: &[u8]) -> (u16, u16) {
        let at = self.optional + SUBSYSTEM_VERSION;
        let number = |at| u16_le(bytes, at).unwrap_or_default();
        (number(at), number(at + 2))
    }

    /// Whether it has a signature of Authenticode's.
    pub(in super::super) fn is_signed(&self, bytes: &[u8]) -> bool {
        self.directory(bytes, DIRECTORY_CERTIFICATES).is_some()
    }

    /// Where the table of imported libraries is.
    pub(in super::super) fn imports(&self, bytes: &[u8]) -> Option<u32> {
        self.directory(bytes, DIRECTORY_IMPORTS).map(|d| d.0)
    }

    /// Where the table of the libraries is that are loaded when they are first used.
    pub(in super::super) fn delayed_imports(&self, bytes: &[u8]) -> Option<u32> {
        self.directory(bytes, DIRECTORY_DELAYED_IMPORTS).map(|d| d.0)
    }

    /// Where the resources are: address and size.
    pub(super) fn resources(&self, bytes: &[u8]) -> Option<(u32, u32)> {
        self.directory(bytes, DIRECTORY_RESOURCES)
    }

    /// What is at an address, up to the end of its section.
    pub(in super::super) fn from<'a>(&self, bytes: &'a [u8], address: u32) -> Option<&'a [u8]> {
        let section = self.sections.iter().find(|s| s.holds(address))?;
        let data = range(bytes, section.file_offset, section.file_size.min(section.size))?;
        data.get((address - section.address) as usize..)
    }

    fn directory(&self, bytes: &[u8], index: u32) -> Option<(u32, u32)> {
        let at = self.directory_place(index)?;
        let (address, size) = (u32_le(bytes, at)?, u32_le(bytes, at + 4)?);
        (address != 0 && size != 0).then_some((address, size))
    }

    fn directory_place(&self, index: u32) -> Option<usize> {
        (index < self.directories.1).then_some(self.directories.0 + 8 * index as usize)
    }

    /// Puts resources into a section of their own: in the place of the last section when that holds
    /// the resources and nothing else, else into a new one behind all others. `data` is made from
    /// the address that it will have.
    pub(super) fn with_resources(
        mut self,
        bytes: &[u8],
        data: impl FnOnce(u32) -> Result<Vec<u8>, PeError>,
    ) -> Result<Vec<u8>, PeError> {
        let mut file = bytes.to_vec();
        if self.ends_with_resources(bytes) {
            // What stood in the table is cleared: it is the room for the new section.
            let last = self.sections.pop().expect("the last one holds them");
            file.truncate(last.file_offset as usize);
            self.put_count(&mut file);
            let place = self.table + SECTION * self.sections.len();
            put(&mut file, place, &[0; SECTION]);
            self.add(&mut file, INITIALIZED_SIZE, last.file_size.wrapping_neg());
        }
        let number = |at| u32_le(bytes, self.optional + at).ok_or(HEADER);
        let alignment = |at: usize, least: u32| {
            let alignment = number(at)?;
            let good = alignment.is_power_of_two() && (least..=0x1_0000).contains(&alignment);
            if good {
                Ok(u64::from(alignment))
            } else {
                Err(PeError::Damaged("its sections are aligned to no power of two"))
            }
        };
        let file_alignment = alignment(FILE_ALIGNMENT, 0x10)?;
        let section_alignment = alignment(SECTION_ALIGNMENT, 0x10)?;
        let fit = |number: Option<u64>| {
            number.and_then(|n| u32::try_from(n).ok()).ok_or(PeError::TooLarge)
        };

        let header = self.table + SECTION * self.sections.len();
        let first = self.sections.iter().filter(|s| s.file_size > 0).map(|s| s.file_offset).min();
        let room_ends = number(HEADERS_SIZE)?.min(first.unwrap_or(u32::MAX)) as usize;
        let room = range(&file, header, SECTION);
        if header + SECTION > room_ends || !room.is_some_and(is_zero) {
            return Err(PeError::NoRoom);
        }
        let end = |s: &Section| u64::from(s.address) + u64::from(s.size.max(1));
        let end = self.sections.iter().map(end).max().ok_or(HEADER)?;
        let address = fit(align(end, section_alignment))?;
        let data = data(address)?;
        let size = fit(Some(data.len() as u64))?;
        let file_offset = fit(align(file.len() as u64, file_alignment))?;
        let file_size = fit(align(data.len() as u64, file_alignment))?;
        let file_end = fit(Some(u64::from(file_offset) + u64::from(file_size)))?;
        let image_end = align(u64::from(address) + u64::from(size), section_alignment);

        file.resize(file_offset as usize, 0);
        file.extend_from_slice(&data);
        file.resize(file_end as usize, 0);
        let mut section = *b".rsrc\0\0\0--------------------------------";
        section[8..].fill(0);
        let numbers = [(8, size), (12, address), (16, file_size), (20, file_offset)];
        for (at, number) in numbers.into_iter().chain([(36, READ_ONLY_DATA)]) {
            put(&mut section, at, &number.to_le_bytes());
        }
        put(&mut file, header, &section);
        self.sections.push(Section { address, size, file_offset, file_size });
        self.put_count(&mut file);
        self.add(&mut file, INITIALIZED_SIZE, file_size);
        put(&mut file, self.optional + IMAGE_SIZE, &fit(image_end)?.to_le_bytes());
        let directory = self.directory_place(DIRECTORY_RESOURCES).ok_or(HEADER)?;
        put(&mut file, directory, &address.to_le_bytes());
        put(&mut file, directory + 4, &size.to_le_bytes());
        self.sum(&mut file);
        Ok(file)
    }

    /// Whether the last section, in memory and in the file, is that of the resources.
    fn ends_with_resources(&self, bytes: &[u8]) -> bool {
        let (Some((address, _)), Some(last)) = (self.resources(bytes), self.sections.last()) else {
            return false;
        };
        last.address == address
            && self.sections.len() > 1
            && self.sections.iter().all(|s| s.address <= last.address)
            && self.sections.iter().all(|s| s.file_offset <= last.file_offset)
            && u64::from(last.file_offset) + u64::from(last.file_size) == bytes.len() as u64
            && self.table + SECTION * self.sections.len() <= last.file_offset as usize
            // No other directory points into it.
            && (0..self.directories.1)
                .filter(|index| *index != DIRECTORY_RESOURCES && *index != DIRECTORY_CERTIFICATES)
                .filter_map(|index| self.directory(bytes, index))
                .all(|(other, _)| !last.holds(other))
    }

    fn put_count(&self, file: &mut [u8]) {
        put(file, self.coff + 2, &(self.sections.len() as u16).to_le_bytes());
    }

    fn add(&self, file: &mut [u8], at: usize, more: u32) {
        let at = self.optional + at;
        let number = u32_le(file, at).unwrap_or_default().wrapping_add(more);
        put(file, at, &number.to_le_bytes());
    }

    /// Sums the file up where it had a sum: 16-bit words, the carry added, and the length.
    fn sum(&self, file: &mut [u8]) {
        let at = self.optional + CHECKSUM;
        if u32_le(file, at).is_none_or(|sum| sum == 0) {
            return;
        }
        put(file, at, &[0; 4]);
        let sum = file.chunks(2).fold(0u32, |sum, word| {
            let word = u16::from_le_bytes([word[0], word.get(1).copied().unwrap_or_default()]);
            let sum = sum + u32::from(word);
            (sum & 0xffff) + (sum >> 16)
        });
        let sum = sum.wrapping_add(file.len() as u32);
        put(file, at, &sum.to_le_bytes());
    }
}

impl Section {
    fn holds(&self, address: u32) -> bool {
        address.checked_sub(self.address).is_some_and(|at| at < self.size)
    }
}

fn is_zero(bytes: &[u8]) -> bool {
    bytes.iter().all(|b| *b == 0)
}

const HEADER: PeError = PeError::Damaged("it has no optional header of the usual size");
