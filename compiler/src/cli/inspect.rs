//! `inspect`: what a file is, without running it.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use serde_json::{Value, json};
use swak_recipe::diag::{Diagnostic, Diagnostics};

use super::report::{Report, size};
use crate::binary::look::{Format, Look, Part};
use crate::binary::{Facts, LookError, facts, look};
use crate::build::Failure;

/// A file that is larger is no agent, and too much to hold: 1 GiB.
const LIMIT: u64 = 1 << 30;

/// Says what a file is.
pub(super) fn run(file: &Path, report: &Report) -> Result<(), Failure> {
    let bytes = read(file).map_err(|error| input(error.into_diagnostic(file)))?;
    let found = look(&bytes).map_err(|error| input(Mistake::Look(error).into_diagnostic(file)))?;
    let json = || {
        // As they stand in the file: a newer compiler may have written more than is known here.
        let facts = facts::raw(&bytes).and_then(|json| serde_json::from_str::<Value>(json).ok());
        json!({
            // A path need not be UTF-8, which JSON is.
            "file": file.to_string_lossy(),
            "format": found.format,
            "bytes": found.bytes,
            "facts": facts,
            "parts": found.parts,
        })
    };
    report.found(json, || text(file, &found));
    Ok(())
}

/// Why a file could not be looked at.
enum Mistake {
    Missing,
    Unreadable(io::Error),
    NoFile,
    TooLarge,
    Look(LookError),
}

impl Mistake {
    fn into_diagnostic(self, file: &Path) -> Diagnostic {
        let file = file.display();
        match self {
            Mistake::Missing => {
                Diagnostic::error("file-not-found", format!("there is no file `{file}`"))
                    .help("executables are in `dist` after a build, or where `--out` said")
            }
            Mistake::Unreadable(error) => {
                Diagnostic::error("file-unreadable", format!("cannot read `{file}`: {error}"))
            }
            Mistake::NoFile => Diagnostic::error("not-a-file", format!("`{file}` is not a file"))
                .help("name one executable: `swak-makebuild inspect dist/swak-myprj`"),
            Mistake::TooLarge => Diagnostic::error(
                "file-too-large",
                format!("`{file}` is larger than 1 GiB, which no agent is"),
            ),
            Mistake::Look(error) => {
                let told =
                    Diagnostic::error(error.code(), format!("cannot inspect `{file}`: {error}"));
                told.help(match error {
                    LookError::NotExecutable(_) => {
                        "name an executable of Linux, Windows or macOS; of a package, the one in it"
                    }
                    LookError::Damaged { .. } => {
                        "was it copied whole? Compare it with `SHA256SUMS` of its build"
                    }
                })
            }
        }
    }
}

fn input(mistake: Diagnostic) -> Failure {
    Failure::Input(Diagnostics::from(mistake))
}

fn read(file: &Path) -> Result<Vec<u8>, Mistake> {
    let missing = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => Mistake::Missing,
        _ => Mistake::Unreadable(error),
    };
    // Looked at before it is opened: to open a pipe is to wait for somebody who writes.
    let is_file = file.metadata().map_err(missing)?.is_file();
    if !is_file {
        return Err(Mistake::NoFile);
    }
    let mut bytes = Vec::new();
    let opened = File::open(file).map_err(missing)?;
    opened.take(LIMIT + 1).read_to_end(&mut bytes).map_err(Mistake::Unreadable)?;
    if bytes.len() as u64 > LIMIT { Err(Mistake::TooLarge) } else { Ok(bytes) }
}

fn text(file: &Path, look: &Look) -> String {
    let mut text = format!("{}: {}, {}\n", file.display(), look.format, size(look.bytes));
    for part in &look.parts {
        text.push('\n');
        for (name, value) in rows(look.format, part) {
            writeln!(text, "{name:<16} {}", plain(&value))
                .expect("a string takes what is written to it");
        }
    }
    if look.facts().is_none() {
        text.push_str("\nIt holds no facts of a build: it is not an agent of Swak's.\n");
    }
    text
}

/// Without what would steer the terminal: most of it is what the file says, be it whose it may.
fn plain(value: &str) -> String {
    value.replace(char::is_control, "\u{fffd}")
}

/// What is known of a part, line by line.
fn rows(format: Format, part: &Part) -> Vec<(&'static str, String)> {
    let mut rows =
        vec![("processor", part.processor.clone()), ("linkage", part.linkage.to_string())];
    rows.extend(part.libraries.iter().map(|library| ("loads", library.clone())));
    rows.extend(part.library_paths.iter().map(|path| ("looks in", path.clone())));
    let mut row = |name, value: Option<String>| rows.extend(value.map(|value| (name, value)));
    row("loaded by", part.interpreter.clone());
    row("oldest glibc", part.glibc.map(|version| version.to_string()));
    let (system, by) = match format {
        Format::Pe => ("oldest Windows", ", as the linker wrote it"),
        _ => ("oldest macOS", ""),
    };
    row(system, part.minimum_system.as_ref().map(|version| format!("{version}{by}")));
    row("subsystem", part.subsystem.map(str::to_owned));
    row("signature", part.signature.as_ref().map(ToString::to_string));
    row(
        "signature",
        part.authenticode.map(|signed| match signed {
            true => "Authenticode, not checked".to_owned(),
            false => "none".to_owned(),
        }),
    );
    rows.extend(
        part.version_info.iter().map(|(name, text)| ("version info", format!("{name}: {text}"))),
    );
    rows.extend(part.facts.iter().flat_map(told));
    rows
}

fn told(facts: &Facts) -> Vec<(&'static str, String)> {
    let mut rows = vec![
        ("agent", format!("{} {}", facts.name, facts.version)),
        ("built for", format!("{}, profile {}", facts.target, facts.profile)),
        ("built by", format!("swak-makebuild {}, {}", facts.swak, facts.toolchain)),
    ];
    rows.extend(
        facts.plugins.iter().map(|(name, version)| ("plugin", format!("{name} {version}"))),
    );
    rows.push(("build config", format!("SHA-256 {}", facts.config_sha256)));
    rows.push(("lock", format!("SHA-256 {}", facts.lock_sha256)));
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::binary::samples;

    fn refused(file: &Path) -> String {
        let failure = run(file, &Report::new(false)).expect_err("no executable");
        assert_eq!(failure.exit_status(), 2);
        failure.into_parts().remove(0).0.render(false)
    }

    #[test]
    fn what_is_no_executable_is_said_to_be_what_it_is() {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let file = folder.path().join("myprj-build.yml");
        assert!(refused(&file).contains("error[file-not-found]: there is no file"));
        assert!(refused(folder.path()).contains("error[not-a-file]"));
        std::fs::write(&file, "name: myprj\n").expect("written");
        let text = refused(&file);
        assert!(
            text.contains("error[not-an-executable]") && text.contains("it is a text"),
            "{text}"
        );
        std::fs::write(&file, b"\x7fELF\x02").expect("written");
        assert!(refused(&file).contains("error[damaged-executable]"));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_path_that_is_not_utf_8_is_answered_as_json() {
        use std::os::unix::ffi::OsStrExt as _;
        let folder = tempfile::tempdir().expect("a folder for the test");
        let file = folder.path().join(std::ffi::OsStr::from_bytes(b"swak-\xff"));
        std::fs::write(&file, samples::linux_musl()).expect("written");
        assert!(run(&file, &Report::new(true)).is_ok());
    }

    #[test]
    fn what_a_file_says_does_not_steer_the_terminal() {
        let mut bytes = samples::macos_arm();
        let at = memchr::memmem::find(&bytes, b"/usr/lib/libSystem").expect("it loads it");
        bytes[at..at + 4].copy_from_slice(b"\x1b[2J");
        let text = text(Path::new("hello"), &look(&bytes).expect("an executable"));
        assert!(text.contains("loads            \u{fffd}[2J/lib/libSystem.B.dylib\n"), "{text}");
    }

    #[test]
    fn an_executable_without_facts_is_told_so() {
        let found = look(&samples::macos_arm()).expect("an executable");
        let expected = "\
hello: Mach-O, 49.8 kB

processor        aarch64
linkage          dynamic
loads            /usr/lib/libSystem.B.dylib
oldest macOS     15.0
signature        ad-hoc, valid, for `hello-aarch64-macos`, made by the linker

It holds no facts of a build: it is not an agent of Swak's.
";
        assert_eq!(text(Path::new("hello"), &found), expected);
    }
}
