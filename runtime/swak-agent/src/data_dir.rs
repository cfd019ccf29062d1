//! Where positions and buffers are kept when nobody says where.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use swak_recipe::diag::{Diagnostic, Diagnostics};

use crate::About;

/// The folder that the command line names, or the config file, or the system's own rules.
///
/// # Errors
/// As [`default`].
pub(crate) fn chosen(
    given: Option<&PathBuf>,
    config: Option<PathBuf>,
    about: &About,
) -> Result<PathBuf, Diagnostics> {
    match given.cloned().or(config) {
        Some(folder) => Ok(folder),
        None => default(about.name),
    }
}

/// The folder that the system's own rules give to this agent.
///
/// A service under systemd with `StateDirectory=` has one made for it. Else it is, for root and
/// others, `/var/lib/NAME` and `$XDG_STATE_HOME/NAME` or `~/.local/state/NAME`; on macOS
/// `Application Support/NAME` in `/Library` or `~/Library`; on Windows `%ProgramData%\NAME`.
///
/// # Errors
/// `no-data-dir`: the environment does not tell.
fn default(name: &str) -> Result<PathBuf, Diagnostics> {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let base = if cfg!(windows) {
        in_windows(&variable)
    } else if cfg!(target_os = "macos") {
        in_macos(&variable, is_root())
    } else {
        match service_folder(&variable) {
            Some(folder) => return Ok(folder),
            None => in_unix(&variable, is_root()),
        }
    };
    base.map(|base| base.join(name)).ok_or_else(|| {
        Diagnostic::error("no-data-dir", "there is no folder known for positions and buffers")
            .help("name one with --data-dir, or in the environment as SWAK_DATA_DIR")
            .into()
    })
}

type Variable<'a> = &'a dyn Fn(&str) -> Option<OsString>;

fn in_windows(variable: Variable<'_>) -> Option<PathBuf> {
    variable("ProgramData").map(PathBuf::from)
}

fn in_macos(variable: Variable<'_>, is_root: bool) -> Option<PathBuf> {
    let base = match is_root {
        true => PathBuf::from("/"),
        false => PathBuf::from(variable("HOME")?),
    };
    Some(base.join("Library/Application Support"))
}

/// Made for this service alone. There may be several, parted by colons; the first is as good as any.
fn service_folder(variable: Variable<'_>) -> Option<PathBuf> {
    let given = variable("STATE_DIRECTORY")?;
    given.to_string_lossy().split(':').next().map(PathBuf::from)
}

fn in_unix(variable: Variable<'_>, is_root: bool) -> Option<PathBuf> {
    if is_root {
        return Some(PathBuf::from("/var/lib"));
    }
    let state = variable("XDG_STATE_HOME").map(PathBuf::from);
    // As text, for the rule is Unix's wherever this runs.
    match state.filter(|path| path.as_os_str().as_encoded_bytes().starts_with(b"/")) {
        Some(folder) => Some(folder),
        None => Some(Path::new(&variable("HOME")?).join(".local/state")),
    }
}

#[cfg(unix)]
fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

#[cfg(not(unix))]
fn is_root() -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    type Variables<'a> = &'a [(&'a str, &'a str)];

    fn with<T>(variables: Variables<'_>, ask: impl FnOnce(Variable<'_>) -> T) -> T {
        ask(&|name| {
            variables.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value))
        })
    }

    const HOME: (&str, &str) = ("HOME", "/home/ann");

    #[test]
    fn on_unix() {
        let folder = |variables, is_root| with(variables, |variable| in_unix(variable, is_root));
        assert_eq!(folder(&[HOME], false), Some("/home/ann/.local/state".into()));
        assert_eq!(folder(&[HOME], true), Some("/var/lib".into()));
        assert_eq!(folder(&[HOME, ("XDG_STATE_HOME", "/s")], false), Some("/s".into()));
        assert_eq!(
            folder(&[HOME, ("XDG_STATE_HOME", "relative")], false),
            Some("/home/ann/.local/state".into())
        );
        assert_eq!(folder(&[], false), None);
        let service = |variables| with(variables, service_folder);
        assert_eq!(service(&[("STATE_DIRECTORY", "/a:/b")]), Some("/a".into()));
        assert_eq!(service(&[HOME]), None);
    }

    #[test]
    fn on_macos() {
        let folder = |variables, is_root| with(variables, |variable| in_macos(variable, is_root));
        let users = Some("/home/ann/Library/Application Support".into());
        assert_eq!(folder(&[HOME], false), users);
        assert_eq!(folder(&[], true), Some("/Library/Application Support".into()));
        assert_eq!(folder(&[], false), None);
    }

    #[test]
    fn on_windows() {
        let data = ("ProgramData", r"C:\ProgramData");
        assert_eq!(with(&[data], in_windows), Some(r"C:\ProgramData".into()));
        assert_eq!(with(&[], in_windows), None);
    }
}
