//! Processors as Linux distributions call them.

use crate::target::{System, Triple};

/// A processor in a `.deb` (<https://wiki.debian.org/SupportedArchitectures>).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Debian(&'static str);

/// A processor in an `.rpm`, as `rpm --eval %_arch` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RpmArch(&'static str);

impl Debian {
    /// That of a Linux triple; `None` for other systems, and where Debian has no name for it.
    pub fn of(triple: &Triple) -> Option<Self> {
        names(triple).map(|(debian, _)| Debian(debian))
    }

    /// `amd64`
    pub fn name(self) -> &'static str {
        self.0
    }
}

impl RpmArch {
    /// That of a Linux triple; `None` for other systems, and where rpm has no name for it.
    pub fn of(triple: &Triple) -> Option<Self> {
        names(triple).map(|(_, rpm)| RpmArch(rpm))
    }

    /// `x86_64`
    pub fn name(self) -> &'static str {
        self.0
    }
}

fn names(triple: &Triple) -> Option<(&'static str, &'static str)> {
    if triple.system() != System::Linux {
        return None;
    }
    let hard_float = triple.name().ends_with("eabihf");
    Some(match triple.processor() {
        // With pointers of half the size it is another system.
        "x86_64" if triple.name().ends_with("x32") => return None,
        "x86_64" => ("amd64", "x86_64"),
        "aarch64" => ("arm64", "aarch64"),
        "armv7" if hard_float => ("armhf", "armv7hl"),
        "i686" => ("i386", "i686"),
        "riscv64gc" => ("riscv64", "riscv64"),
        "s390x" => ("s390x", "s390x"),
        "powerpc64le" => ("ppc64el", "ppc64le"),
        "loongarch64" => ("loong64", "loongarch64"),
        _ => return None,
    })
}
