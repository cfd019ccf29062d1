//! What can go wrong in a build.

use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use swak_recipe::diag::{Diagnostic, Diagnostics};

use crate::generate::WriteError;
use crate::target::Target;
use crate::toolchain::{MissingTools, lacks_a_c_compiler};

/// What the compiler and the linker say when they cannot write for want of room.
const DISK_FULL: &str = "No space left on device";

/// Why there is no agent.
#[derive(Debug)]
pub enum Failure {
    /// Mistakes in what was given: exit status 2.
    Input(Diagnostics),
    /// Something that was tried did not work.
    Build(BuildError),
    /// No target could be made; each with the reason.
    Targets(Vec<Failed>),
}

/// A target that could not be made.
#[derive(Debug)]
pub struct Failed {
    /// The target.
    pub target: Target,
    /// Why. Targets that share what is compiled share what went wrong.
    pub error: Rc<BuildError>,
}

/// Something that was tried and did not work.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// There is no Cargo.
    #[error("cannot start Cargo (`{program}`)")]
    NoCargo {
        /// What was started.
        program: String,
        /// What the system said.
        source: io::Error,
    },
    /// Cargo found no set of crates that fit each other, or could not fetch one.
    #[error("Cargo could not resolve the crates")]
    Resolve {
        /// What Cargo said.
        words: String,
        /// Whether the network was forbidden.
        offline: bool,
    },
    /// What Cargo answered could not be understood.
    #[error("Cargo's answer could not be read: {0}")]
    Answer(String),
    /// A crate does not compile.
    #[error("{}", .krate.as_deref().map_or("Cargo failed".to_owned(), |k| format!("`{k}` does not compile")))]
    Compile {
        /// The crate that failed first, with its version.
        krate: Option<String>,
        /// What the compiler said.
        words: String,
    },
    /// What a target takes is not on this machine.
    #[error(transparent)]
    Tools(#[from] MissingTools),
    /// What came out of the linker is not what it should be.
    #[error("the linker's file cannot be used: {0}")]
    Executable(String),
    /// The executable would not start on the machines that it is for.
    #[error("the executable is not fit to ship")]
    Unfit(Vec<String>),
    /// `--vendor` and `--offline`, and the folder was never filled.
    #[error("`{}` holds no collected crates", .0.display())]
    NotVendored(PathBuf),
    /// The crates could not be collected.
    #[error("Cargo could not collect the crates in {}", .folder.display())]
    Vendor {
        /// The folder.
        folder: PathBuf,
        /// What Cargo said.
        words: String,
    },
    /// `--verify`: the second build came to something else.
    #[error("a second build gives other bytes")]
    NotTheSame(Vec<String>),
    /// Cargo was ended from outside.
    #[error("Cargo was ended before it was done")]
    Interrupted,
    /// `--locked`, and there is no lock.
    #[error("there is no lock `{}`", .0.display())]
    NoLock(PathBuf),
    /// `--locked`, and the lock does not fit the build config.
    #[error("the lock `{}` does not fit the build config any more", .path.display())]
    StaleLock {
        /// The lock.
        path: PathBuf,
        /// What would change, one line each: `+ serde 1.0.2`.
        changes: Vec<String>,
    },
    /// The lock is not one.
    #[error("`{}` is not a lock: {why}", .path.display())]
    BadLock {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// `--update` names a crate that the agent does not have.
    #[error("the agent has no crate `{krate}` that could be updated")]
    NoSuchCrate {
        /// The crate.
        krate: String,
        /// The one that may have been meant.
        nearest: Option<String>,
    },
    /// `--update` names a crate that cannot be updated.
    #[error("Cargo could not update `{krate}`")]
    Update {
        /// The crate.
        krate: String,
        /// What Cargo said.
        words: String,
    },
    /// A generated file could not be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// A file or folder of the build could not be used.
    #[error("cannot {what} {}", .path.display())]
    Io {
        /// What was tried: `write`.
        what: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The new agent did not answer.
    #[error("the new agent does not answer to `list --json`: {0}")]
    Agent(String),
    /// The new agent holds something else than was asked for.
    #[error("the new agent does not hold what was asked for")]
    Differs(Vec<String>),
}

impl Failure {
    /// 2 for a mistake in what was given, 1 for a failure in what was tried.
    pub fn exit_status(&self) -> u8 {
        match self {
            Failure::Input(_) => 2,
            Failure::Build(error) if error.is_mistake() => 2,
            Failure::Build(_) | Failure::Targets(_) => 1,
        }
    }

    /// What went wrong, each with what Cargo or the compiler said about it, to be shown as it is.
    pub fn into_parts(self) -> Vec<(Diagnostics, Option<String>)> {
        match self {
            Failure::Input(found) => vec![(found, None)],
            Failure::Build(error) => vec![(error.diagnostic(None).into(), error.words())],
            Failure::Targets(failed) => told(&failed),
        }
    }
}

/// What went wrong with each target. What went wrong in the same way with several, in what they
/// share, is told once.
pub fn told(failed: &[Failed]) -> Vec<(Diagnostics, Option<String>)> {
    let mut seen: Vec<(&Rc<BuildError>, Vec<&str>)> = Vec::new();
    for one in failed {
        match seen.iter_mut().find(|(error, _)| Rc::ptr_eq(error, &one.error)) {
            Some((_, targets)) => targets.push(&one.target.name),
            None => seen.push((&one.error, vec![&one.target.name])),
        }
    }
    let tell = |(error, targets): (&Rc<BuildError>, Vec<&str>)| {
        (error.diagnostic(Some(&targets.join(", "))).into(), error.words())
    };
    seen.into_iter().map(tell).collect()
}

impl BuildError {
    /// What becomes of a failure of the system: `map_err(BuildError::io("write", path))`.
    pub(super) fn io(
        what: &'static str,
        path: &Path,
    ) -> impl FnOnce(io::Error) -> BuildError + use<> {
        let path = path.to_owned();
        move |source| BuildError::Io { what, path, source }
    }

    /// Whether no other target needs to be tried: it would fail in the same way, or a person has
    /// had enough.
    pub(super) fn ends_the_build(&self) -> bool {
        match self {
            BuildError::Interrupted | BuildError::NoCargo { .. } => true,
            BuildError::Compile { words, .. } => words.contains(DISK_FULL),
            BuildError::Io { source, .. } => source.kind() == io::ErrorKind::StorageFull,
            _ => false,
        }
    }

    /// What Cargo or the compiler said.
    fn words(&self) -> Option<String> {
        match self {
            BuildError::Resolve { words, .. }
            | BuildError::Compile { words, .. }
            | BuildError::Vendor { words, .. }
            | BuildError::Update { words, .. } => Some(words.clone()).filter(|w| !w.is_empty()),
            _ => None,
        }
    }

    /// Whether it is a mistake in what was given.
    fn is_mistake(&self) -> bool {
        matches!(
            self,
            BuildError::NoLock(_)
                | BuildError::StaleLock { .. }
                | BuildError::BadLock { .. }
                | BuildError::NoSuchCrate { .. }
                | BuildError::NotVendored(_)
                | BuildError::Write(WriteError::Occupied(_))
        )
    }

    fn code(&self) -> &'static str {
        match self {
            BuildError::NoCargo { .. } => "no-cargo",
            BuildError::Resolve { .. } => "resolve-failed",
            BuildError::Answer(_) => "cargo-answer",
            BuildError::Compile { .. } => "compile-failed",
            BuildError::Tools(missing) => missing.code(),
            BuildError::Executable(_) => "executable-unreadable",
            BuildError::Unfit(_) => "executable-unfit",
            BuildError::NotTheSame(_) => "not-reproducible",
            BuildError::NotVendored(_) => "not-vendored",
            BuildError::Vendor { .. } => "vendor-failed",
            BuildError::Interrupted => "interrupted",
            BuildError::NoLock(_) => "lock-missing",
            BuildError::StaleLock { .. } => "lock-stale",
            BuildError::BadLock { .. } => "lock-unreadable",
            BuildError::NoSuchCrate { .. } => "unknown-crate",
            BuildError::Update { .. } => "update-failed",
            BuildError::Write(WriteError::Occupied(_)) => "folder-occupied",
            BuildError::Write(WriteError::Io { .. }) | BuildError::Io { .. } => "file-failed",
            BuildError::Agent(_) => "agent-silent",
            BuildError::Differs(_) => "agent-differs",
        }
    }

    /// In the words that people are told. The target is said where a build has named ones.
    fn diagnostic(&self, target: Option<&str>) -> Diagnostic {
        if let BuildError::Tools(missing) = self {
            return missing.diagnostic();
        }
        let mut message = self.to_string();
        match (self, target) {
            (BuildError::Compile { .. }, Some(target)) => {
                message.push_str(&format!(" for {target}"));
            }
            (_, Some(target)) => message.push_str(&format!(" ({target})")),
            (_, None) => {}
        }
        if let BuildError::NoCargo { source, .. }
        | BuildError::Io { source, .. }
        | BuildError::Write(WriteError::Io { source, .. }) = self
        {
            message = format!("{message}: {source}");
        }
        if let BuildError::StaleLock { changes: lines, .. }
        | BuildError::Differs(lines)
        | BuildError::Unfit(lines)
        | BuildError::NotTheSame(lines) = self
        {
            for line in lines {
                message.push_str("\n  ");
                message.push_str(line);
            }
        }
        let error = Diagnostic::error(self.code(), message);
        match self {
            BuildError::NoCargo { .. } => error.help("install Rust: https://rustup.rs"),
            // Cargo names the option where the network is what was missing.
            BuildError::Resolve { offline: true, words } if words.contains("offline") => {
                error.help("run it once without `--offline`, so that Cargo can fetch the crates")
            }
            BuildError::Resolve { .. } => error.help("Cargo's own words follow"),
            BuildError::Answer(_) => error.help("is this Cargo at least 1.95?"),
            BuildError::Compile { words, .. } if words.contains(DISK_FULL) => {
                error.help("the disk is full: make room, or name another folder with `--build-dir`")
            }
            BuildError::Compile { words, .. } if lacks_a_c_compiler(words) => {
                let target = target.and_then(|named| named.split(", ").next()).unwrap_or("TARGET");
                error
                    .help("a crate brings C, and this machine has no C compiler for the target")
                    .help(format!(
                        "zig is one: `swak-makebuild doctor --target {target} --fix` gets it"
                    ))
                    .help("or install one; for musl: `apt-get install musl-tools`")
            }
            BuildError::Compile { .. } => error.help("the compiler's own words follow"),
            BuildError::NoLock(_) => error.help("build once without `--locked`, which writes it"),
            BuildError::StaleLock { .. } => {
                error.help("build without `--locked`, or with `--update`, and commit the lock")
            }
            BuildError::BadLock { .. } => {
                error.help("delete it: the next build writes it anew, with the newest versions")
            }
            BuildError::NoSuchCrate { nearest: Some(name), .. } => {
                error.help(format!("did you mean `{name}`?"))
            }
            BuildError::NoSuchCrate { nearest: None, .. } => {
                error.help("the lock beside the build config names every crate that it has")
            }
            BuildError::Io { .. } => {
                error.help("name other folders with `--build-dir` and `--out`")
            }
            BuildError::Write(WriteError::Io { .. }) => {
                error.help("see whether you may write there, and whether there is room")
            }
            BuildError::Interrupted => error.help("run it again: it goes on from there"),
            BuildError::NotTheSame(_) => error
                .help("a build script that looks at the clock or at its folder may be the reason"),
            BuildError::NotVendored(_) => {
                error.help("run it once without `--offline`, which fills it")
            }
            BuildError::Unfit(_) | BuildError::Executable(_) => {
                error.help("a crate that links a library of its own may be the reason")
            }
            BuildError::Vendor { .. } | BuildError::Update { .. } => {
                error.help("Cargo's own words follow")
            }
            BuildError::Write(WriteError::Occupied(_)) => {
                error.help("name a folder that is empty or new")
            }
            BuildError::Differs(_) | BuildError::Agent(_) => {
                error.help("the last executable is still in its place")
            }
            // What is missing says it by itself.
            BuildError::Tools(_) => error,
        }
    }
}

impl From<BuildError> for Failure {
    fn from(error: BuildError) -> Self {
        Failure::Build(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(error: &BuildError) -> String {
        Diagnostics::from(error.diagnostic(None)).render(false)
    }

    #[test]
    fn only_what_the_network_would_mend_asks_for_the_network() {
        let resolve =
            |words: &str| told(&BuildError::Resolve { words: words.to_owned(), offline: true });
        let missing = "error: no matching package named `x` found\nAs a reminder, you're using \
                       offline mode (--offline)";
        assert!(resolve(missing).contains("run it once without `--offline`"));
        assert!(!resolve("error: unknown codegen option: `x`").contains("--offline"));
    }

    #[test]
    fn a_c_compiler_that_is_missing_is_told_with_what_brings_one() {
        let words = "error: failed to run custom build command for `ring v0.17.14`\n  error occurred in \
                     cc-rs: failed to find tool \"x86_64-linux-musl-gcc\": No such file or directory";
        let error = BuildError::Compile { krate: None, words: words.to_owned() };
        let told = told(&error);
        assert!(
            told.contains("help: a crate brings C, and this machine has no C compiler"),
            "{told}"
        );
        assert!(told.contains("doctor --target TARGET --fix` gets it"), "{told}");
    }

    #[test]
    fn a_full_disk_is_not_left_to_the_words_of_the_compiler() {
        let words = "error: failed to write file x: No space left on device (os error 28)";
        let error = BuildError::Compile { krate: None, words: words.to_owned() };
        assert!(told(&error).contains("help: the disk is full"));
    }
}
