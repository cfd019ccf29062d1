//! Processors as Linux distributions call them.

use crate::target::Triple;

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
    // Android and others have Linux's core and not its file system.
    let is_plain = ["-linux-gnu", "-linux-musl"].iter().any(|w| triple.name().contains(w));
    // With pointers of half the size it is another system.
    let is_narrow = ["x32", "ilp32"].iter().any(|end| triple.name().ends_with(end));
    if !is_plain || is_narrow {
        return None;
    }
    let hard_float = triple.name().ends_with("eabihf");
    Some(match triple.processor() {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::Target;

    #[test]
    fn a_processor_has_the_names_of_distributions() {
        let names = |word: &str| names(&Target::parse(word).expect("a target").triples[0]);
        assert_eq!(names("linux-x86_64"), Some(("amd64", "x86_64")));
        assert_eq!(names("linux-aarch64-gnu.2.28"), Some(("arm64", "aarch64")));
        assert_eq!(names("linux-armv7"), Some(("armhf", "armv7hl")));
        for other in [
            "windows-x86_64",
            "macos-aarch64",
            "aarch64-linux-android",
            "x86_64-unknown-linux-gnux32",
            "aarch64-unknown-linux-gnu_ilp32",
            "armv7-unknown-linux-gnueabi",
        ] {
            assert_eq!(names(other), None, "{other}");
        }
    }
}
