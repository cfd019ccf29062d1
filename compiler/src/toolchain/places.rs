//! Where the tools are that Swak installs, and which versions of them.

use std::path::PathBuf;

/// The zig that builds are tested with: the version of the PyPI package `ziglang`.
pub const ZIG: &str = "0.17.1";

/// The cargo-zigbuild that builds are tested with, on PyPI and crates.io.
pub const CARGO_ZIGBUILD: &str = "0.24.0";

/// The cross whose source was read: the last on crates.io.
pub(super) const CROSS: &str = "0.2.5";

/// Where this machine keeps programs, before anything was looked for.
#[derive(Clone, Debug, Default)]
pub(super) struct Places {
    /// The folders of `PATH`, in order.
    pub(super) path: Vec<PathBuf>,
    /// Where `cargo install` and rustup put programs.
    pub(super) cargo_bin: Option<PathBuf>,
    /// The Python environment of Swak's own: `SWAK_TOOLS`, or `swak/tools` in the cache folder.
    pub(super) tools: Option<PathBuf>,
    /// The Cargo that is run, when the environment names one.
    pub(super) cargo: Option<PathBuf>,
    /// The Rust compiler, when the environment names one.
    pub(super) rustc: Option<PathBuf>,
    /// Where Debian keeps Wine, out of the path unless its package `wine` is there too.
    pub(super) wine: Option<PathBuf>,
    /// The container engine, when the environment names one for `cross`.
    pub(super) engine: Option<PathBuf>,
}

impl Places {
    /// As the environment says.
    pub(super) fn of_this_machine() -> Self {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let home = std::env::home_dir().filter(|h| h.is_absolute());
        let cargo_home = folder("CARGO_HOME").or_else(|| Some(home?.join(".cargo")));
        Places {
            // A relative folder would mean another one for each program that is started.
            path: std::env::split_paths(&path).filter(|p| p.is_absolute()).collect(),
            cargo_bin: cargo_home.map(|c| c.join("bin")),
            tools: folder("SWAK_TOOLS").or_else(|| Some(user_cache()?.join("swak/tools"))),
            cargo: program("CARGO"),
            rustc: program("RUSTC"),
            wine: cfg!(target_os = "linux").then(|| "/usr/lib/wine".into()),
            engine: program("CROSS_CONTAINER_ENGINE"),
        }
    }

    /// Where a Python environment has its programs.
    pub(super) fn tools_bin(&self) -> Option<PathBuf> {
        let bin = if cfg!(windows) { "Scripts" } else { "bin" };
        Some(self.tools.as_ref()?.join(bin))
    }
}

/// The user's cache folder, as the system has it.
fn user_cache() -> Option<PathBuf> {
    let home = || std::env::home_dir().filter(|h| h.is_absolute());
    if cfg!(windows) {
        folder("LOCALAPPDATA").or_else(|| Some(home()?.join("AppData/Local")))
    } else if cfg!(target_os = "macos") {
        Some(home()?.join("Library/Caches"))
    } else {
        // <https://specifications.freedesktop.org/basedir-spec/latest/>: relative ones are ignored.
        program("XDG_CACHE_HOME")
            .filter(|f| f.is_absolute())
            .or_else(|| Some(home()?.join(".cache")))
    }
}

/// A folder that the environment names, made absolute.
fn folder(variable: &str) -> Option<PathBuf> {
    std::path::absolute(program(variable)?).ok()
}

fn program(variable: &str) -> Option<PathBuf> {
    std::env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from)
}
