//! What an ELF file says of itself.

use object::elf;
use object::read::elf::{Dyn as _, FileHeader, ProgramHeader as _};

use super::super::bytes::{MAX_NAMES, array, name};
use super::super::facts;
use super::{Glibc, Linkage, LookError, Part};

pub(super) fn part(bytes: &[u8]) -> Result<Part, LookError> {
    match bytes.get(4) {
        Some(&elf::ELFCLASS32) => read::<elf::FileHeader32<object::Endianness>>(bytes),
        Some(&elf::ELFCLASS64) => read::<elf::FileHeader64<object::Endianness>>(bytes),
        _ => Err(damaged("it is neither of 32 nor of 64 bits")),
    }
}

fn read<Elf: FileHeader<Endian = object::Endianness>>(bytes: &[u8]) -> Result<Part, LookError> {
    let header = Elf::parse(bytes)?;
    let endian = header.endian()?;
    let segments = header.program_headers(endian, bytes)?;
    if segments.len() > MAX_NAMES {
        return Err(damaged("it has more segments than there are"));
    }
    // The first of each counts, as it does for the system.
    let first = |kind| segments.iter().find(|segment| segment.p_type(endian) == kind);
    let interpreter = match first(elf::PT_INTERP) {
        Some(segment) => segment.interpreter(endian, bytes)?.map(name),
        None => None,
    };
    let dynamics: &[Elf::Dyn] = match first(elf::PT_DYNAMIC) {
        Some(segment) => segment.dynamic(endian, bytes)?.unwrap_or_default(),
        None => &[],
    };
    let end = dynamics.iter().position(|d| d.tag(endian) == elf::DT_NULL);
    let dynamics = &dynamics[..end.unwrap_or(dynamics.len())];
    let value = |tag| dynamics.iter().find(|d| d.tag(endian) == tag).map(|d| d.val(endian));
    match header.e_type(endian) {
        elf::ET_EXEC => {}
        elf::ET_DYN => {
            let pie = value(elf::DT_FLAGS_1).is_some_and(|f| f & u64::from(elf::DF_1_PIE) != 0);
            if interpreter.is_none() && !pie {
                return Err(LookError::NotExecutable("a library"));
            }
        }
        elf::ET_REL => return Err(LookError::NotExecutable("an object file")),
        elf::ET_CORE => return Err(LookError::NotExecutable("a core dump")),
        _ => return Err(LookError::NotExecutable("an ELF file of another kind")),
    }
    // What is in memory at an address, as far as it comes from the file.
    let at = |address: u64| {
        segments.iter().filter(|s| s.p_type(endian) == elf::PT_LOAD).find_map(|segment| {
            let skip = address.checked_sub(segment.p_vaddr(endian).into())?;
            segment.data(endian, bytes).ok()?.get(usize::try_from(skip).ok()?..)
        })
    };
    let strings = match value(elf::DT_STRTAB) {
        Some(address) => at(address).ok_or(damaged("its names are not in the file"))?,
        None => &[],
    };
    let names = |tags: &[i64]| {
        let found = dynamics.iter().filter(|d| tags.contains(&d.tag(endian)));
        let found = found.take(MAX_NAMES).map(|d| {
            let at = usize::try_from(d.val(endian)).ok().and_then(|at| strings.get(at..));
            at.map(name).ok_or(damaged("a name is not in the file"))
        });
        found.collect::<Result<Vec<_>, _>>()
    };
    let libraries = names(&[elf::DT_NEEDED])?;
    let paths = names(&[elf::DT_RPATH, elf::DT_RUNPATH])?;
    let glibc = value(elf::DT_VERNEED).and_then(at).map(|needs| {
        let little = header.is_little_endian();
        glibc(needs, strings, little).ok_or(damaged("its versions are not in the file"))
    });
    let fixed = interpreter.is_none() && libraries.is_empty();
    Ok(Part {
        processor: processor(header, endian),
        linkage: if fixed { Linkage::Static } else { Linkage::Dynamic },
        libraries,
        // Many entries may share one text that is all colons.
        library_paths: paths
            .iter()
            .flat_map(|path| path.split(':'))
            .take(MAX_NAMES)
            .map(str::to_owned)
            .collect(),
        interpreter,
        glibc: glibc.transpose()?.flatten(),
        facts: facts::read(bytes),
        ..Part::default()
    })
}

fn processor<Elf: FileHeader>(header: &Elf, endian: Elf::Endian) -> String {
    let little = header.is_little_endian();
    match header.e_machine(endian) {
        elf::EM_X86_64 => "x86_64",
        elf::EM_AARCH64 => "aarch64",
        elf::EM_386 => "x86",
        elf::EM_ARM => "arm",
        elf::EM_RISCV if header.is_class_64() => "riscv64",
        elf::EM_RISCV => "riscv32",
        elf::EM_LOONGARCH => "loongarch64",
        elf::EM_S390 => "s390x",
        elf::EM_PPC64 if little => "powerpc64le",
        elf::EM_PPC64 => "powerpc64",
        elf::EM_PPC => "powerpc",
        _ => "an unknown processor",
    }
    .to_owned()
}

/// The newest version of glibc that a symbol is asked of: `Elf64_Verneed`, each with a list of
/// `Elf64_Vernaux`; the same for 32 bits. `None` when they lead out of the file, `Some(None)` when
/// no version is one of glibc's.
fn glibc(needs: &[u8], strings: &[u8], little: bool) -> Option<Option<Glibc>> {
    let short = |at| {
        let short = array(needs, at)?;
        Some(usize::from(if little {
            u16::from_le_bytes(short)
        } else {
            u16::from_be_bytes(short)
        }))
    };
    let long = |at| {
        let long = array(needs, at)?;
        Some(if little { u32::from_le_bytes(long) } else { u32::from_be_bytes(long) } as usize)
    };
    let mut newest = None;
    let mut budget = MAX_NAMES;
    let mut need = 0;
    loop {
        let mut version = need + long(need + 8)?;
        for _ in 0..short(need + 2)? {
            budget = budget.checked_sub(1)?;
            let text = strings.get(long(version + 8)?..)?;
            newest = newest.max(number(&text[..text.len().min(32)]));
            version += long(version + 12)?;
        }
        budget = budget.checked_sub(1)?;
        match long(need + 12)? {
            0 => return Some(newest),
            next => need += next,
        }
    }
}

/// `GLIBC_2.17`, `GLIBC_2.2.5`; the others are not versions, but for one that came with 2.36.
fn number(text: &[u8]) -> Option<Glibc> {
    let text = name(text);
    if text == "GLIBC_ABI_DT_RELR" {
        return Some(Glibc { major: 2, minor: 36 });
    }
    let mut numbers = text.strip_prefix("GLIBC_")?.split('.');
    let mut number = || numbers.next()?.parse().ok();
    Some(Glibc { major: number()?, minor: number()? })
}

fn damaged(why: &str) -> LookError {
    LookError::Damaged { format: "ELF", why: why.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_glibc_are_numbers() {
        let told = |text: &str| number(text.as_bytes()).map(|v| v.to_string());
        assert_eq!(told("GLIBC_2.17\0x").as_deref(), Some("2.17"));
        assert_eq!(told("GLIBC_2.2.5").as_deref(), Some("2.2"));
        assert_eq!(told("GLIBC_ABI_DT_RELR").as_deref(), Some("2.36"));
        assert_eq!(told("GLIBC_PRIVATE"), None);
        assert_eq!(told("GCC_3.0"), None);
        assert!(number(b"GLIBC_2.9") < number(b"GLIBC_2.17"));
    }
}
