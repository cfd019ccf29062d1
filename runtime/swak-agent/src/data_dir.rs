//! Where positions and buffers are kept when nobody says where.

use std::ffi::OsString;
use std::path::PathBuf;

use swak_recipe::diag::{Diagnostic, Diagnostics};

/// The folder that the system's own rules give to this agent.
///
/// A service under systemd with `StateDirectory=` has one made for it. Else it is, for root and
/// others, `/var/lib/NAME` and `$XDG_STATE_HOME/NAME` or `~/.local/state/NAME`; on macOS
/// `Application Support/NAME` in `/Library` or `~/Library`; on Windows `%ProgramData%\NAME`.
///
/// # Errors
/// `no-data-dir`: the environment does not tell.
pub(crate) fn default(name: &str) -> Result<PathBuf, Diagnostics> {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    folder_of(name, &variable, is_root()).ok_or_else(|| {
        Diagnostic::error("no-data-dir", "there is no folder known for positions and buffers")
            .help("name one with --data-dir, or in the environment as SWAK_DATA_DIR")
            .into()
    })
}

type Variable<'a> = &'a dyn Fn(&str) -> Option<OsString>;

#[cfg(windows)]
fn folder_of(name: &str, variable: Variable<'_>, _is_root: bool) -> Option<PathBuf> {
    Some(PathBuf::from(variable("ProgramData")?).join(name))
}

#[cfg(target_os = "macos")]
fn folder_of(name: &str, variable: Variable<'_>, is_root: bool) -> Option<PathBuf> {
    let base = match is_root {
        true => PathBuf::from("/"),
        false => PathBuf::from(variable("HOME")?),
    };
    Some(base.join("Library/Application Support").join(name))
}

#[cfg(all(unix, not(target_os = "macos")))]
fn folder_of(name: &str, variable: Variable<'_>, is_root: bool) -> Option<PathBuf> {
    // Made for this service alone. There may be several, parted by colons; the first is as good as
    // any.
    if let Some(given) = variable("STATE_DIRECTORY") {
        let text = given.to_string_lossy();
        return text.split(':').next().map(PathBuf::from);
    }
    if is_root {
        return Some(PathBuf::from("/var/lib").join(name));
    }
    let state = variable("XDG_STATE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let base = match state {
        Some(folder) => folder,
        None => PathBuf::from(variable("HOME")?).join(".local/state"),
    };
    Some(base.join(name))
}

#[cfg(unix)]
fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

#[cfg(not(unix))]
fn is_root() -> bool {
    false
}

#[cfg(all(test, unix, not(target_os = "macos")))]
mod tests {
    use super::*;

    fn folder(variables: &[(&str, &str)], is_root: bool) -> Option<PathBuf> {
        let find = |name: &str| {
            variables.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value))
        };
        folder_of("swak-demo", &find, is_root)
    }

    #[test]
    fn the_system_says_where() {
        let home = ("HOME", "/home/ann");
        assert_eq!(folder(&[home], false), Some("/home/ann/.local/state/swak-demo".into()));
        assert_eq!(folder(&[home], true), Some("/var/lib/swak-demo".into()));
        assert_eq!(folder(&[home, ("XDG_STATE_HOME", "/s")], false), Some("/s/swak-demo".into()));
        assert_eq!(
            folder(&[home, ("XDG_STATE_HOME", "relative")], false),
            Some("/home/ann/.local/state/swak-demo".into())
        );
        assert_eq!(folder(&[("STATE_DIRECTORY", "/a:/b")], true), Some("/a".into()));
        assert_eq!(folder(&[], false), None);
    }
}
