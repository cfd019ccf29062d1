//! What makes an executable unfit to ship for a target.

use super::{Format, Linkage, Look, Part};
use crate::binary::macho::Signature;
use crate::target::{System, Triple};

impl Look {
    /// What is not fit to ship for one triple, a line each; none when all is well. Of a universal
    /// file, the part for the triple's processor is looked at. Of a system that Swak does not know,
    /// only the processor is.
    pub fn complaints(&self, triple: &Triple) -> Vec<String> {
        let fits = match triple.system() {
            System::Linux => self.format == Format::Elf,
            System::Windows => self.format == Format::Pe,
            System::Macos => matches!(self.format, Format::MachO | Format::Universal),
            System::Other => true,
        };
        if !fits {
            return vec![format!(
                "it is an executable of the format {}, which {triple} does not \
                                 run",
                self.format
            )];
        }
        let wanted = processor(triple.processor());
        let Some(part) = self.parts.iter().find(|part| part.processor == wanted) else {
            let found: Vec<_> = self.parts.iter().map(|part| part.processor.as_str()).collect();
            return vec![format!("it is for {}, not for {wanted}", found.join(" and "))];
        };
        let mut found = Vec::new();
        match triple.system() {
            System::Linux => part.complain_on_linux(triple, &mut found),
            System::Windows => part.complain_on_windows(&mut found),
            System::Macos => part.complain_on_macos(&mut found),
            System::Other => {}
        }
        let names = [triple.name().to_owned(), triple.to_string()];
        if let Some(facts) = part.facts.as_ref().filter(|facts| !names.contains(&facts.target)) {
            found.push(format!("it says that it was built for {}", facts.target));
        }
        found
    }
}

impl Part {
    fn complain_on_linux(&self, triple: &Triple, found: &mut Vec<String>) {
        if triple.is_musl() {
            if self.linkage != Linkage::Static {
                let what = self.libraries.first().or(self.interpreter.as_ref());
                let what = what.map_or("libraries", String::as_str);
                found.push(format!("it is not static: it loads {what}"));
            }
        } else {
            let foreign = |name: &&String| !is_glibc(name);
            for library in self.libraries.iter().filter(foreign) {
                found.push(format!("it loads {library}, which is not on every Linux"));
            }
            let own = |path: &&String| !path.starts_with("/lib");
            if let Some(path) = self.interpreter.as_ref().filter(own) {
                found.push(format!("it is loaded by {path}, which is this machine's own"));
            }
        }
        if let (Some(floor), Some(needed)) = (triple.glibc(), self.glibc)
            && (needed.major, needed.minor) > (2, floor)
        {
            found.push(format!("it needs glibc {needed}, and 2.{floor} was named as the oldest"));
        }
        self.complain_of_paths(found);
    }

    fn complain_on_windows(&self, found: &mut Vec<String>) {
        for library in self.libraries.iter().filter(|name| !is_windows_own(name)) {
            found.push(format!("it loads {library}, which is not a part of Windows"));
        }
    }

    fn complain_on_macos(&self, found: &mut Vec<String>) {
        let own = |name: &&String| {
            let own = ["/usr/lib/", "/System/Library/"];
            !own.iter().any(|own| name.starts_with(own)) || name.contains("/../")
        };
        for library in self.libraries.iter().filter(own) {
            found.push(format!("it loads {library}, which is not a part of macOS"));
        }
        match &self.signature {
            Some(Signature::None) => found.push("it has no signature".to_owned()),
            Some(Signature::Invalid { why }) => {
                found.push(format!("its signature is invalid: {why}"));
            }
            _ => {}
        }
        self.complain_of_paths(found);
    }

    /// A whole path of another folder than the system's is one of the machine that built it.
    fn complain_of_paths(&self, found: &mut Vec<String>) {
        let own = |path: &&String| {
            let system = ["/lib", "/lib64", "/usr/lib", "/usr/lib64", "/System/Library"];
            let within = |folder: &&str| {
                path.strip_prefix(*folder)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            };
            path.starts_with('/') && (!system.iter().any(within) || path.contains("/.."))
        };
        for path in self.library_paths.iter().filter(own) {
            found.push(format!("it looks for libraries in {path}, a folder of this machine"));
        }
    }
}

/// Whether it is a library of glibc, or `libgcc_s`, which every Linux with glibc has.
fn is_glibc(name: &str) -> bool {
    let stem = name.split_once(".so").map_or(name, |(stem, _)| stem);
    let own = ["libc", "libdl", "libgcc_s", "libm", "libpthread", "libresolv", "librt", "libutil"];
    own.contains(&stem) || stem.starts_with("ld-linux") || stem == "ld64"
}

/// The libraries of Windows that programs use; all begin of `api-ms-win-` and `ext-ms-win-` are
/// doors to them.
static WINDOWS: &[&str] = &[
    "activeds",
    "advapi32",
    "authz",
    "avrt",
    "bcrypt",
    "bcryptprimitives",
    "cabinet",
    "cfgmgr32",
    "clusapi",
    "combase",
    "comctl32",
    "comdlg32",
    "credui",
    "crypt32",
    "cryptbase",
    "cryptnet",
    "d3d11",
    "d3d12",
    "dbghelp",
    "dhcpcsvc",
    "dnsapi",
    "dwmapi",
    "dxgi",
    "esent",
    "fltlib",
    "fwpuclnt",
    "gdi32",
    "httpapi",
    "imagehlp",
    "imm32",
    "iphlpapi",
    "kernel32",
    "kernelbase",
    "mpr",
    "msi",
    "msvcrt",
    "mswsock",
    "ncrypt",
    "netapi32",
    "netutils",
    "normaliz",
    "ntdll",
    "ntdsapi",
    "odbc32",
    "ole32",
    "oleaut32",
    "pdh",
    "powrprof",
    "propsys",
    "psapi",
    "rpcrt4",
    "sechost",
    "secur32",
    "setupapi",
    "shell32",
    "shlwapi",
    "sspicli",
    "tdh",
    "ucrtbase",
    "user32",
    "userenv",
    "uxtheme",
    "version",
    "virtdisk",
    "wevtapi",
    "winhttp",
    "wininet",
    "winmm",
    "winspool",
    "wintrust",
    "wldap32",
    "ws2_32",
    "wtsapi32",
    "xmllite",
];

fn is_windows_own(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let stem = name.strip_suffix(".dll").or(name.strip_suffix(".drv")).unwrap_or(&name);
    let door = ["api-ms-win-", "ext-ms-win-"].iter().any(|door| stem.starts_with(door));
    door || WINDOWS.binary_search(&stem).is_ok()
}

/// A processor by the first word of a triple, in the words of [`Part::processor`].
fn processor(word: &str) -> &str {
    match word {
        "i386" | "i486" | "i586" | "i686" => "x86",
        word if word.starts_with("arm") || word.starts_with("thumb") => match word {
            "arm64e" | "arm64ec" => "aarch64",
            _ => "arm",
        },
        word if word.starts_with("riscv64") => "riscv64",
        word if word.starts_with("riscv32") => "riscv32",
        "x86_64h" => "x86_64",
        word => word,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_windows_libraries_can_be_searched() {
        assert!(WINDOWS.is_sorted());
        for own in ["KERNEL32.dll", "api-ms-win-core-synch-l1-2-0.dll", "ws2_32.dll", "ntdll.dll"] {
            assert!(is_windows_own(own), "{own}");
        }
        for foreign in
            ["libgcc_s_seh-1.dll", "VCRUNTIME140.dll", "libunwind.dll", "libssl-3-x64.dll"]
        {
            assert!(!is_windows_own(foreign), "{foreign}");
        }
    }
}
