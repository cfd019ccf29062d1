//! cargo-zigbuild: Cargo, with zig as the linker for any system.

use std::ffi::OsString;
use std::path::PathBuf;

use super::cargo::{add_deployment_target, add_library, clock};
use super::find::Tools;
use super::need::{Fix, Need};
use super::places::{CARGO_ZIGBUILD, ZIG};
use super::zig::Found;
use super::{Invocation, Kind, Site, Toolchain, linker, python, rust};
use crate::target::Triple;

/// cargo-zigbuild.
pub(super) struct Zigbuild<'a> {
    pub(super) tools: &'a Tools,
}

impl Toolchain for Zigbuild<'_> {
    fn kind(&self) -> Kind {
        Kind::Zigbuild
    }

    fn versions(&self) -> Vec<String> {
        let named = |name: &str, found: Option<&Found>| Some(format!("{name} {}", found?.version));
        let tools = self.tools;
        [named("cargo-zigbuild", tools.zigbuild()), named("zig", tools.zig())]
            .into_iter()
            .flatten()
            .collect()
    }

    fn needs(&self, triple: &Triple) -> Vec<Need> {
        let tools = self.tools;
        let install = python::install(tools);
        let without_python = format!("install Python 3, which brings zig {ZIG} as a package");
        let mut needs = rust::needs(tools);
        needs.extend(rust::library_need(tools, triple));
        needs.push(linker::of_this_machine(tools));
        needs.push(
            Need::new("zig", "links for the target")
                .found(tools.zig().map(|zig| place(zig, ZIG)))
                .or(install.clone().unwrap_or_else(|| Fix::words(without_python))),
        );
        needs.push(
            Need::new("cargo-zigbuild", "lets Cargo link with zig")
                .found(tools.zigbuild().map(|tool| place(tool, CARGO_ZIGBUILD)))
                .or(install.unwrap_or_else(|| {
                    let crate_ = format!("cargo-zigbuild@{CARGO_ZIGBUILD}");
                    let words = ["install", "--locked", crate_.as_str()];
                    Fix::command(&tools.cargo(), words.iter().map(OsString::from).collect())
                })),
        );
        needs
    }

    fn invocation(&self, triple: &Triple, site: &Site<'_>) -> Invocation {
        let program = self.tools.zigbuild().map(|z| z.program.clone());
        let mut invocation = Invocation {
            program: program.unwrap_or_else(|| "cargo-zigbuild".into()),
            // It reads the glibc after the dot.
            arguments: vec!["zigbuild".into(), "--target".into(), triple.to_string().into()],
            environment: self.environment(site),
            without: foreign(triple),
            // zig compiles the C of such a target, and knows neither of the two reductions.
            flags: linker::flags_of_rusts_own(self.tools, triple),
            target_dir: None,
        };
        invocation.environment.extend(self.path_with_dlltool(triple, site));
        add_library(&mut invocation, self.tools, triple);
        add_deployment_target(&mut invocation, self.tools, triple);
        invocation
    }
}

impl Zigbuild<'_> {
    /// Names the zig and the folder for its wrapper scripts.
    ///
    /// Left alone, cargo-zigbuild asks `python3` for a zig before it looks in the path; a command
    /// that is named comes before both (`src/zig/locate.rs` of 0.24). Versions before that one know
    /// only the path of a zig, after a Python that has to be missing.
    fn environment(&self, site: &Site<'_>) -> Vec<(OsString, OsString)> {
        let mut set = vec![clock()];
        // `cargo-zigbuild` starts the Cargo that this names.
        set.push(("CARGO".into(), self.tools.cargo().into()));
        let Some(zig) = self.tools.zig() else { return set };
        set.push(("CARGO_ZIGBUILD_ZIG_COMMAND".into(), zig.program.clone().into()));
        set.push(("CARGO_ZIGBUILD_ZIG_COMMAND_ARGS".into(), "".into()));
        set.push(("CARGO_ZIGBUILD_ZIG_VERSION".into(), zig.version.clone().into()));
        set.push(("CARGO_ZIGBUILD_ZIG_PATH".into(), zig.program.clone().into()));
        set.push(("CARGO_ZIGBUILD_PYTHON_PATH".into(), "no-python".into()));
        set.push(("CARGO_ZIGBUILD_CACHE_DIR".into(), scripts(site, zig).into()));
        set
    }
}

#[cfg(unix)]
impl Zigbuild<'_> {
    /// A path that leads to zig's own `dlltool` first, for a target of which Rust starts one.
    ///
    /// What it writes ends up in the executable, and MinGW's writes something else. cargo-zigbuild
    /// leaves one alone that is in the path, and is zig's itself when it is called by that name.
    fn path_with_dlltool(&self, triple: &Triple, site: &Site<'_>) -> Option<(OsString, OsString)> {
        let processor = triple.name().strip_suffix("-pc-windows-gnu")?;
        let program = &self.tools.zigbuild()?.program;
        let folder = scripts(site, self.tools.zig()?).join("bin");
        let link = folder.join(format!("{processor}-w64-mingw32-dlltool"));
        if std::fs::read_link(&link).ok().as_ref() != Some(program) {
            // What cannot be written leaves the choice to cargo-zigbuild.
            std::fs::create_dir_all(&folder).ok()?;
            let new = folder.join(format!("{processor}.{}", std::process::id()));
            std::os::unix::fs::symlink(program, &new).ok()?;
            std::fs::rename(&new, &link).ok()?;
        }
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders = std::iter::once(folder).chain(std::env::split_paths(&path));
        Some(("PATH".into(), std::env::join_paths(folders).ok()?))
    }
}

#[cfg(not(unix))]
impl Zigbuild<'_> {
    fn path_with_dlltool(&self, _: &Triple, _: &Site<'_>) -> Option<(OsString, OsString)> {
        None
    }
}

/// Where the scripts go that stand for a linker. cargo-zigbuild writes them while another one may be
/// running them, and each names its zig: a folder of the build's own, one for each version.
fn scripts(site: &Site<'_>, zig: &Found) -> PathBuf {
    site.folder.join(format!("zig-{}", zig.version))
}

/// Its version and place, and the version that was tested where that is another one.
fn place(found: &Found, tested: &str) -> String {
    let Found { program, version } = found;
    let note = if version == tested { String::new() } else { format!(", tested with {tested}") };
    format!("{version} ({}{note})", program.display())
}

/// What would take zig's place, or lead it elsewhere: compilers and flags that are set for a target
/// (<https://docs.rs/cc>), the folders that clang reads, an SDK of Apple's.
fn foreign(triple: &Triple) -> Vec<OsString> {
    let name = triple.name();
    let mut names = vec![linker::variable(name), "SDKROOT".to_owned(), "ZIG_LIB_DIR".to_owned()];
    for tool in ["CC", "CXX", "AR", "RANLIB", "CFLAGS", "CXXFLAGS", "ARFLAGS", "RANLIBFLAGS"] {
        let under = name.replace('-', "_");
        names.extend([format!("{tool}_{name}"), format!("{tool}_{under}")]);
        names.extend([format!("TARGET_{tool}"), tool.to_owned()]);
    }
    for folders in ["CPATH", "C_INCLUDE_PATH", "CPLUS_INCLUDE_PATH", "LIBRARY_PATH"] {
        names.push(folders.to_owned());
    }
    names.into_iter().map(OsString::from).collect()
}
