//! How an executable for a target can be run on this machine.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::find::{Tools, in_folder};
use super::process::ask;
use crate::target::{System, Triple};

/// The oldest Wine that Rust's standard library runs in: before, `bcryptprimitives.dll` is missing.
const OLDEST_WINE: u32 = 9;

/// How an executable is run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Emulator {
    /// By this machine itself.
    Directly,
    /// By a program that takes the executable and its arguments.
    Program {
        /// The program.
        program: PathBuf,
        /// What is set for it.
        environment: Vec<(OsString, OsString)>,
    },
}

/// How an executable of a target can be run here; `None` when it cannot.
pub fn emulator(triple: &Triple, tools: &Tools) -> Option<Emulator> {
    if triple.runs_here() {
        return Some(Emulator::Directly);
    }
    match (Triple::host().system(), triple.system()) {
        (System::Linux, System::Linux) if triple.is_musl() => {
            let program = qemu_names(triple.processor()).find_map(|name| tools.program(&name))?;
            Some(Emulator::Program { program, environment: Vec::new() })
        }
        (System::Linux | System::Macos, System::Windows)
            if triple.processor() == Triple::host().processor() =>
        {
            let program = wine(tools)?;
            is_new_enough(&program).then(|| Emulator::Program {
                program,
                // Wine's own words are not the agent's.
                environment: vec![("WINEDEBUG".into(), "-all".into())],
            })
        }
        _ => None,
    }
}

impl Emulator {
    /// The command that runs an executable; its arguments are to be added.
    pub fn command(&self, executable: &Path) -> std::process::Command {
        match self {
            Emulator::Directly => std::process::Command::new(executable),
            Emulator::Program { program, environment } => {
                let mut command = std::process::Command::new(program);
                command.arg(executable).envs(environment.iter().cloned());
                command
            }
        }
    }
}

fn wine(tools: &Tools) -> Option<PathBuf> {
    let in_path = ["wine64", "wine"].iter().find_map(|name| tools.program(name));
    in_path.or_else(|| in_folder(tools.places.wine.as_ref()?, "wine64"))
}

/// `wine-9.0 (Debian 9.0~repack-4)`
fn is_new_enough(wine: &Path) -> bool {
    ask(wine, &["--version"]).and_then(|said| major(&said)).is_some_and(|v| v >= OLDEST_WINE)
}

fn major(said: &str) -> Option<u32> {
    let digits = said.trim_start_matches(|c: char| !c.is_ascii_digit());
    digits.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

/// QEMU calls processors by other names than Rust does.
fn qemu_names(processor: &str) -> impl Iterator<Item = String> {
    let name = match processor {
        "i386" | "i586" | "i686" => "i386",
        "powerpc" => "ppc",
        "powerpc64" => "ppc64",
        "powerpc64le" => "ppc64le",
        name if name.starts_with("armeb") => "armeb",
        name if name.starts_with("arm") || name.starts_with("thumb") => "arm",
        name if name.starts_with("riscv32") => "riscv32",
        name if name.starts_with("riscv64") => "riscv64",
        name => name,
    };
    [format!("qemu-{name}"), format!("qemu-{name}-static")].into_iter()
}

#[cfg(all(test, unix))]
mod tests {
    use super::super::tests::{Machine, triple};
    use super::*;
    use crate::target::HOST;

    #[test]
    fn this_machine_needs_no_emulator() {
        let here = emulator(&triple(HOST), &Machine::bare().tools());
        assert_eq!(here, Some(Emulator::Directly));
    }

    #[test]
    #[cfg(all(target_os = "linux", target_arch = "x86_64"))]
    fn qemu_and_a_wine_that_is_new_enough_run_the_rest() {
        let machine = Machine::bare();
        let program = |word: &str| match emulator(&triple(word), &machine.tools()) {
            Some(Emulator::Program { program, .. }) => program.file_name().map(ToOwned::to_owned),
            _ => None,
        };
        assert_eq!(program("linux-aarch64"), None);
        machine.program("qemu-aarch64-static", "exit 0").program("qemu-arm", "exit 0");
        assert_eq!(program("linux-aarch64"), Some("qemu-aarch64-static".into()));
        assert_eq!(program("linux-armv7"), Some("qemu-arm".into()));
        assert_eq!(program("linux-aarch64-gnu"), None, "its libraries are not here");
        machine.program("wine64", "echo 'wine-8.0 (Debian 8.0~repack-4)'");
        assert_eq!(program("windows-x86_64"), None);
        machine.program("wine64", "echo 'wine-10.0 (Debian 10.0~repack-6)'");
        assert_eq!(program("windows-x86_64"), Some("wine64".into()));
        assert_eq!(program("windows-aarch64"), None);
        assert_eq!(program("macos-aarch64"), None);
    }
}
