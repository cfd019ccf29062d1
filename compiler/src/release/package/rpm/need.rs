//! What must be there before the package can be installed.

use super::super::needs;
use crate::release::Made;

/// `=`, as a package's own version is said.
pub(super) const EQUAL: u32 = 8;
/// `<=`, of what rpm itself must know.
const RPMLIB: u32 = 2 | EQUAL | 1 << 24;
/// The program that runs the scripts after the installation, and before and after the removal.
const INTERPRETER: u32 = 1 << 8 | 1 << 10 | 1 << 11 | 1 << 12;

/// One need, as the lists `REQUIRENAME`, `REQUIREFLAGS` and `REQUIREVERSION` have it.
pub(super) struct Need {
    pub(super) name: String,
    pub(super) flags: u32,
    pub(super) version: &'static str,
}

impl Need {
    /// What rpm itself must know, what runs the scripts, and the C library of an executable that
    /// is not static.
    pub(super) fn all(made: &Made<'_>) -> Vec<Self> {
        let need = |name: &str, flags, version| Need { name: name.to_owned(), flags, version };
        let mut all = vec![
            need("rpmlib(CompressedFileNames)", RPMLIB, "3.0.4-1"),
            need("rpmlib(FileDigests)", RPMLIB, "4.6.0-1"),
            need("rpmlib(PayloadFilesHavePrefix)", RPMLIB, "4.0-1"),
            need("rpmlib(TildeInVersions)", RPMLIB, "4.10.0-1"),
            need("/bin/sh", INTERPRETER, ""),
        ];
        let triple = made.target.triples.first().expect("a target has a triple");
        if let Some(needs) = needs::of(triple, made.executable) {
            // Where pointers have 64 bits, the name of a library says so.
            let wide = !matches!(triple.processor(), "armv7" | "i686");
            let end = if wide { "(64bit)" } else { "" };
            all.push(need(&format!("libc.so.6(GLIBC_2.{}){end}", named(needs.glibc)), 0, ""));
            if needs.libgcc {
                let end = if wide { "()(64bit)" } else { "" };
                all.push(need(&format!("libgcc_s.so.1{end}"), 0, ""));
            }
        }
        all
    }
}

/// The newest version of a glibc that its C library has a name for, which is what packages provide:
/// 2.19 to 2.21 brought nothing new and have none.
fn named(glibc: u16) -> u16 {
    if (19..=21).contains(&glibc) { 18 } else { glibc }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_that_no_glibc_provides_is_not_asked_for() {
        let asked = [17, 18, 19, 20, 21, 22, 34].map(named);
        assert_eq!(asked, [17, 18, 18, 18, 18, 22, 34]);
    }
}
