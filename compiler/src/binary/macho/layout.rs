//! Where things are in one Mach-O file.

use super::super::bytes::{MAX_NAMES, name, range, u32_le, u64_le};
use super::{MachoError, processor};

/// The header, and what the load commands say.
#[derive(Debug)]
pub(in super::super) struct Layout {
    pub(super) cpu: u32,
    pub(super) cpu_subtype: u32,
    pub(in super::super) file_type: u32,
    pub(super) command_count: u32,
    /// Where the load commands end.
    pub(super) commands_end: usize,
    /// The first byte that belongs to a section: so far can the commands grow.
    pub(super) first_section: u64,
    pub(super) segments: Vec<Segment>,
    pub(super) signature: Option<SignaturePlace>,
    /// How far the data that the commands name reaches into the file, without the signature.
    pub(super) data_end: u64,
    /// The libraries that it loads, as they are called.
    pub(in super::super) libraries: Vec<String>,
    /// Where libraries whose name begins with `@rpath` are looked for.
    pub(in super::super) rpaths: Vec<String>,
    /// The oldest system that it runs on, as `major << 16 | minor << 8 | patch`.
    pub(in super::super) minimum: Option<u32>,
    /// Whether it says that it is for macOS; old files do not.
    pub(in super::super) platform: Option<u32>,
}

#[derive(Debug)]
pub(super) struct Segment {
    /// Where its load command is.
    pub(super) command: usize,
    pub(super) name: String,
    pub(super) address: u64,
    pub(super) offset: u64,
    pub(super) size: u64,
}

/// Where the signature is, and where the file says so.
#[derive(Clone, Copy, Debug)]
pub(super) struct SignaturePlace {
    pub(super) command: usize,
    pub(super) offset: u32,
    pub(super) size: u32,
}

/// `MH_MAGIC_64`, little-endian.
const MAGIC: u32 = 0xfeed_facf;
pub(super) const HEADER: usize = 32;
/// `MH_EXECUTE`
pub(in super::super) const EXECUTABLE: u32 = 2;
/// `PLATFORM_MACOS`
pub(in super::super) const PLATFORM_MACOS: u32 = 1;

const SEGMENT: u32 = 0x19;
const SYMTAB: u32 = 0x2;
const DYSYMTAB: u32 = 0xb;
const RPATH: u32 = 0x8000_001c;
pub(super) const CODE_SIGNATURE: u32 = 0x1d;
const DYLD_INFO: [u32; 2] = [0x22, 0x8000_0022];
const VERSION_MIN_MACOS: u32 = 0x24;
const BUILD_VERSION: u32 = 0x32;
/// `LC_LOAD_DYLIB`, `LC_LOAD_WEAK_DYLIB`, `LC_REEXPORT_DYLIB`, `LC_LAZY_LOAD_DYLIB`,
/// `LC_LOAD_UPWARD_DYLIB`
const DYLIBS: [u32; 5] = [0xc, 0x8000_0018, 0x8000_001f, 0x20, 0x8000_0023];
/// Commands of an offset and a size in `__LINKEDIT`: split info, function starts, data in code,
/// code signing requirements, linker hints, exports, chained fixups, atom info.
const LINKEDIT_DATA: [u32; 8] = [0x1e, 0x26, 0x29, 0x2b, 0x2e, 0x8000_0033, 0x8000_0034, 0x36];

impl Layout {
    pub(in super::super) fn read(bytes: &[u8]) -> Result<Self, MachoError> {
        if u32_le(bytes, 0) != Some(MAGIC) {
            return Err(MachoError::NotMacho);
        }
        let header = |at| u32_le(bytes, at).ok_or(MachoError::Damaged("it ends in its header"));
        let command_count = header(16)?;
        let size = header(20)?;
        header(28)?;
        let commands = range(bytes, HEADER, size)
            .ok_or(MachoError::Damaged("its load commands reach beyond its end"))?;
        let mut layout = Layout {
            cpu: header(4)?,
            cpu_subtype: header(8)?,
            file_type: header(12)?,
            command_count,
            commands_end: HEADER + commands.len(),
            first_section: bytes.len() as u64,
            segments: Vec::new(),
            signature: None,
            data_end: 0,
            libraries: Vec::new(),
            rpaths: Vec::new(),
            minimum: None,
            platform: None,
        };
        let mut at = 0;
        for _ in 0..command_count {
            let bad = MachoError::Damaged("a load command reaches beyond the others");
            let size = u32_le(commands, at + 4).ok_or(bad.clone())? as usize;
            // Eight is a command with nothing in it; less would never come to an end.
            let command = Some(size).filter(|s| *s >= 8).and_then(|s| range(commands, at, s));
            layout.command(HEADER + at, command.ok_or(bad)?).ok_or(SHORT)?;
            at += size;
        }
        let names = [layout.libraries.len(), layout.rpaths.len(), layout.segments.len()];
        if names.into_iter().any(|n| n > MAX_NAMES) {
            return Err(MachoError::Damaged("it names more libraries than there are"));
        }
        Ok(layout)
    }

    /// The processor's name as Rust says it.
    pub(in super::super) fn processor(&self) -> &'static str {
        processor(self.cpu)
    }

    pub(super) fn segment(&self, name: &str) -> Option<&Segment> {
        self.segments.iter().find(|s| s.name == name)
    }

    /// `None` when the command is too short for what it is.
    fn command(&mut self, place: usize, command: &[u8]) -> Option<()> {
        let kind = u32_le(command, 0)?;
        match kind {
            SEGMENT => self.add_segment(place, command)?,
            CODE_SIGNATURE => {
                let (offset, size) = (u32_le(command, 8)?, u32_le(command, 12)?);
                self.signature = Some(SignaturePlace { command: place, offset, size });
            }
            SYMTAB => {
                self.reaches(command, 8, 16)?;
                self.reaches(command, 16, 1)?;
            }
            // Indirect symbols, and the relocations of old.
            DYSYMTAB => {
                self.reaches(command, 56, 4)?;
                self.reaches(command, 64, 8)?;
                self.reaches(command, 72, 8)?;
            }
            RPATH => self.rpaths.push(text(command)?),
            VERSION_MIN_MACOS => {
                self.minimum = Some(u32_le(command, 8)?);
                self.platform = Some(PLATFORM_MACOS);
            }
            BUILD_VERSION => {
                self.platform = Some(u32_le(command, 8)?);
                self.minimum = Some(u32_le(command, 12)?);
            }
            kind if DYLIBS.contains(&kind) => self.libraries.push(text(command)?),
            kind if DYLD_INFO.contains(&kind) => {
                for pair in 0..5 {
                    self.reaches(command, 8 + 8 * pair, 1)?;
                }
            }
            kind if LINKEDIT_DATA.contains(&kind) => self.reaches(command, 8, 1)?,
            _ => {}
        }
        Some(())
    }

    fn add_segment(&mut self, place: usize, command: &[u8]) -> Option<()> {
        let segment = Segment {
            command: place,
            name: name(command.get(8..24)?),
            address: u64_le(command, 24)?,
            offset: u64_le(command, 40)?,
            size: u64_le(command, 48)?,
        };
        let sections = u32_le(command, 64)?;
        for section in command.get(72..)?.chunks_exact(80).take(sections as usize) {
            let offset = u64::from(u32_le(section, 48)?);
            // A section of zeros has no place in the file.
            if offset > 0 && u64_le(section, 40)? > 0 {
                self.first_section = self.first_section.min(offset);
            }
        }
        self.segments.push(segment);
        Some(())
    }

    /// Notes how far the data reaches whose offset and count stand at `at`.
    fn reaches(&mut self, command: &[u8], at: usize, each: u64) -> Option<()> {
        let offset = u64::from(u32_le(command, at)?);
        let size = u64::from(u32_le(command, at + 4)?) * each;
        if size > 0 {
            self.data_end = self.data_end.max(offset + size);
        }
        Some(())
    }
}

const SHORT: MachoError = MachoError::Damaged("a load command is too short for what it is");

/// The text of a command, whose offset in the command stands at 8.
fn text(command: &[u8]) -> Option<String> {
    command.get(u32_le(command, 8)? as usize..).map(name)
}
