//! What every check is given: where the repository is, and how commands are run in it.

use std::env;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// What a check works with.
pub(crate) struct Context {
    /// The repository's root.
    pub(crate) root: PathBuf,
    /// Whether to put right what can be put right.
    pub(crate) fix: bool,
    /// What to fuzz, nothing is everything; for `bench`, its arguments.
    pub(crate) targets: Vec<String>,
    /// How long each of these is fuzzed.
    pub(crate) seconds: u64,
}

/// Why a check failed, for people.
#[derive(Debug)]
pub(crate) struct Failed(String);

/// What a check comes to.
pub(crate) type Result<T = ()> = std::result::Result<T, Failed>;

impl Context {
    pub(crate) fn new(fix: bool, targets: Vec<String>, seconds: u64) -> Self {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = here.parent().expect("the crate stands in the repository").to_owned();
        Context { root, fix, targets, seconds }
    }

    /// Runs Cargo in the root; its output is shown as it comes.
    pub(crate) fn cargo(&self, args: &[&str]) -> Result {
        self.run(self.cargo_command(args))
    }

    /// Runs a command; its output is shown as it comes.
    pub(crate) fn run(&self, mut command: Command) -> Result {
        let shown = show(&command);
        eprintln!("    $ {shown}");
        match command.status() {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(Failed(format!("`{shown}` ended with {status}"))),
            Err(error) => Err(Failed(format!("`{shown}` could not be started: {error}"))),
        }
    }

    /// Runs Cargo and gives what it wrote to standard output.
    pub(crate) fn cargo_output(&self, args: &[&str]) -> Result<String> {
        self.output(self.cargo_command(args))
    }

    /// Runs a command and gives what it wrote to standard output.
    pub(crate) fn output(&self, mut command: Command) -> Result<String> {
        let shown = show(&command);
        let Output { status, stdout, stderr } = command
            .output()
            .map_err(|error| Failed(format!("`{shown}` could not be started: {error}")))?;
        if !status.success() {
            let words = String::from_utf8_lossy(&stderr);
            return Err(Failed(format!("`{shown}` ended with {status}:\n{words}")));
        }
        String::from_utf8(stdout).map_err(|_| Failed(format!("`{shown}` wrote no UTF-8")))
    }

    /// Whether a command can be run and is content.
    pub(crate) fn succeeds(&self, program: &str, args: &[&str]) -> bool {
        let output = Command::new(program).args(args).current_dir(&self.root).output();
        output.is_ok_and(|output| output.status.success())
    }

    /// A command in the root.
    pub(crate) fn command(&self, program: &str, args: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(args).current_dir(&self.root);
        command
    }

    /// The files below a folder of the root whose names end so, ordered by path. Links are not
    /// followed.
    pub(crate) fn files(&self, folder: &str, end: &str) -> Result<Vec<PathBuf>> {
        self.files_in(&self.root.join(folder), end)
    }

    /// The files in any folder whose names end so, those below it included, ordered by path.
    pub(crate) fn files_in(&self, folder: &Path, end: &str) -> Result<Vec<PathBuf>> {
        let mut found = Vec::new();
        walk(folder, end, &mut found).map_err(|error| {
            Failed(format!("cannot walk through `{}`: {error}", self.shown(folder)))
        })?;
        found.sort();
        Ok(found)
    }

    /// A path as people know it: from the root.
    pub(crate) fn shown(&self, path: &Path) -> String {
        path.strip_prefix(&self.root).unwrap_or(path).display().to_string()
    }

    pub(crate) fn read(&self, path: &Path) -> Result<String> {
        fs::read_to_string(path)
            .map_err(|error| Failed(format!("cannot read `{}`: {error}", self.shown(path))))
    }

    fn cargo_command(&self, args: &[&str]) -> Command {
        // The Cargo that runs this check; another one could be first in the path.
        let cargo = env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
        self.command(&cargo, args)
    }
}

/// Fails with a list of what is wrong, unless it is empty.
pub(crate) fn none_of(wrong: &[String]) -> Result {
    match wrong {
        [] => Ok(()),
        _ => Err(Failed(format!("\n  {}", wrong.join("\n  ")))),
    }
}

impl From<&str> for Failed {
    fn from(reason: &str) -> Self {
        Failed(reason.to_owned())
    }
}

impl From<String> for Failed {
    fn from(reason: String) -> Self {
        Failed(reason)
    }
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn show(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let name = program.file_stem().unwrap_or(program.as_os_str()).to_string_lossy();
    let mut text = name.into_owned();
    for arg in command.get_args() {
        text.push(' ');
        text.push_str(&arg.to_string_lossy());
    }
    text
}

fn walk(folder: &Path, end: &str, found: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let (entry, path) = entry.map(|entry| (entry.file_type(), entry.path()))?;
        let kind = entry?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if kind.is_dir() {
            if name != "target" && !name.starts_with('.') {
                walk(&path, end, found)?;
            }
        } else if kind.is_file() && name.ends_with(end) {
            found.push(path);
        }
    }
    Ok(())
}
