//! Those that are measured, and how each is started on a job: `ci/bench/NAME/WORKLOAD.*` are the recipes
//! and configurations. Who has none for a workload takes no part in it.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result};

/// A program that can do the work.
pub(crate) struct Contestant {
    /// As the tables name it.
    pub(crate) name: String,
    /// What it says of its version.
    pub(crate) version: String,
    /// How large it is on the disk: the executable and its own libraries, in bytes.
    pub(crate) size: u64,
    kind: Kind,
    program: PathBuf,
    /// The folder that its package was unpacked to; `/` when it is installed.
    root: PathBuf,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Swak,
    Rsyslog,
    SyslogNg,
}

/// Where one run takes place; every path is new for it.
pub(crate) struct Place {
    /// For configuration, state and output.
    pub(crate) folder: PathBuf,
    /// The file to follow, or the folder of the files to follow.
    pub(crate) input: PathBuf,
    /// The port to listen on or to send to, on the loopback interface.
    pub(crate) port: u16,
}

impl Place {
    /// The file that is written.
    pub(crate) fn output(&self) -> PathBuf {
        self.folder.join("output")
    }

    /// For what a contestant keeps.
    fn state(&self) -> PathBuf {
        self.folder.join("state")
    }
}

impl Contestant {
    /// What the others are called.
    pub(crate) const NAMES_OF_RIVALS: [&str; 2] = ["rsyslog", "syslog-ng"];

    /// An agent.
    pub(crate) fn agent(name: &str, program: &Path) -> Result<Contestant> {
        let program = program
            .canonicalize()
            .with_context(|| format!("there is no agent `{}`", program.display()))?;
        let size = fs::metadata(&program)?.len();
        let kind = Kind::Swak;
        let (name, version) = (name.to_owned(), version(&program, "version", &[]));
        Ok(Contestant { name, version, size, kind, program, root: "/".into() })
    }

    /// The others that are there: unpacked into folders below `rivals`, or installed.
    pub(crate) fn rivals(rivals: Option<&Path>) -> Vec<Contestant> {
        let all = [(Kind::Rsyslog, "rsyslogd", "-v"), (Kind::SyslogNg, "syslog-ng", "--version")];
        all.into_iter().filter_map(|(kind, file, ask)| rival(kind, file, ask, rivals)).collect()
    }

    /// Whether it is one of ours, which gets more to do than others.
    pub(crate) fn is_swak(&self) -> bool {
        self.kind == Kind::Swak
    }

    /// Whether it can do a workload in like manner.
    pub(crate) fn can_do(&self, workload: &str) -> bool {
        self.kind.template(workload).is_file()
    }

    /// The command that does a workload.
    ///
    /// # Errors
    /// When it cannot, or its configuration cannot be written.
    pub(crate) fn command(&self, workload: &str, place: &Place) -> Result<Command> {
        let template = self.kind.template(workload);
        let state = place.state();
        fs::create_dir_all(&state)?;
        let shown = |path: &Path| path.display().to_string();
        let values = [
            ("@INPUT@", shown(&place.input)),
            ("@OUTPUT@", shown(&place.output())),
            ("@PORT@", place.port.to_string()),
            ("@STATE@", shown(&state)),
            ("@TEMPLATES@", shown(template.parent().unwrap_or(&template))),
        ];
        let text = fs::read_to_string(&template)
            .with_context(|| format!("cannot read {}", template.display()))?;
        let config = place.folder.join(template.file_name().unwrap_or_default());
        fs::write(&config, values.iter().fold(text, |text, (key, v)| text.replace(key, v)))?;
        let mut command = self.start(&config, &state);
        command.current_dir(&place.folder).stdin(Stdio::null()).stdout(Stdio::null());
        Ok(command)
    }

    fn start(&self, config: &Path, state: &Path) -> Command {
        let mut command = Command::new(&self.program);
        let (lib, own) = libraries(&self.root);
        if self.kind != Kind::Swak {
            command.env("LD_LIBRARY_PATH", joined(&search(&self.root)));
        }
        match self.kind {
            Kind::Swak => {
                command.arg("run").arg(config).arg("--data-dir").arg(state);
                command.args(["--log-level", "warn"]);
            }
            Kind::Rsyslog => {
                let modules = lib.join("rsyslog");
                command.arg("-n").arg("-f").arg(config);
                command.arg("-i").arg(state.join("pid")).arg("-M").arg(modules);
            }
            Kind::SyslogNg => {
                let modules = newest(&own).unwrap_or_else(|| own.clone());
                command.args(["--foreground", "--no-caps"]);
                command.arg("--cfgfile").arg(config);
                command.arg("--persist-file").arg(state.join("persist"));
                command.arg("--pidfile").arg(state.join("pid"));
                command.arg("--control").arg(state.join("control"));
                command.arg("--module-path").arg(modules);
            }
        }
        command
    }
}

impl Kind {
    /// The folder of its templates, and what their names end in.
    fn templates(self) -> (&'static str, &'static str) {
        match self {
            Kind::Swak => ("swak", "swak"),
            Kind::Rsyslog => ("rsyslog", "conf"),
            Kind::SyslogNg => ("syslog-ng", "conf"),
        }
    }

    fn template(self, workload: &str) -> PathBuf {
        let (folder, end) = self.templates();
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("bench").join(folder);
        folder.join(format!("{workload}.{end}"))
    }
}

fn rival(kind: Kind, file: &str, ask: &str, rivals: Option<&Path>) -> Option<Contestant> {
    let name = kind.templates().0;
    let unpacked = rivals.map(|rivals| rivals.join(name));
    let (root, program) = unpacked.into_iter().chain([PathBuf::from("/")]).find_map(|root| {
        let program = root.join("usr/sbin").join(file);
        program.is_file().then_some((root, program))
    })?;
    let (lib, own) = libraries(&root);
    let version = version(&program, ask, &search(&root));
    let libraries = match kind {
        Kind::Rsyslog => lib.join("rsyslog"),
        Kind::Swak | Kind::SyslogNg => own,
    };
    let size = fs::metadata(&program).map_or(0, |meta| meta.len()) + size_of(&libraries);
    Some(Contestant { name: name.to_owned(), version, size, kind, program, root })
}

/// The folder of libraries below a root, and that of syslog-ng's own.
fn libraries(root: &Path) -> (PathBuf, PathBuf) {
    let triple = format!("usr/lib/{}-linux-gnu", env::consts::ARCH);
    (root.join(triple), root.join("usr/lib/syslog-ng"))
}

/// The folder in a folder that is named after a version.
fn newest(folder: &Path) -> Option<PathBuf> {
    let entries = fs::read_dir(folder).ok()?.flatten();
    let is_version =
        |name: OsString| name.to_string_lossy().starts_with(|c: char| c.is_ascii_digit());
    entries.filter(|entry| is_version(entry.file_name())).map(|entry| entry.path()).max()
}

/// Where the libraries of an unpacked package are.
fn search(root: &Path) -> [PathBuf; 3] {
    let (lib, own) = libraries(root);
    let triple = lib.file_name().unwrap_or_default().to_owned();
    [own, root.join("lib").join(triple), lib]
}

fn joined(folders: &[PathBuf]) -> OsString {
    env::join_paths(folders).unwrap_or_default()
}

/// The first number with dots in it that a program says of itself.
fn version(program: &Path, ask: &str, libraries: &[PathBuf]) -> String {
    let mut command = Command::new(program);
    if !libraries.is_empty() {
        command.env("LD_LIBRARY_PATH", joined(libraries));
    }
    let said = command.arg(ask).output().map(|output| output.stdout).unwrap_or_default();
    let said = String::from_utf8_lossy(&said).into_owned();
    let is_version = |word: &&str| {
        word.starts_with(|c: char| c.is_ascii_digit()) && word.matches('.').count() >= 1
    };
    let mut words = said.split(|c: char| c.is_whitespace() || matches!(c, '(' | ')' | ','));
    words.find(is_version).unwrap_or("?").to_owned()
}

/// The size of the files below a folder; links are not counted.
fn size_of(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let of_entry = |entry: fs::DirEntry| match entry.metadata() {
        Ok(meta) if meta.is_dir() => size_of(&entry.path()),
        Ok(meta) if meta.is_file() => meta.len(),
        _ => 0,
    };
    entries.map(of_entry).sum()
}
