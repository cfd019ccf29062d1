//! cargo-zigbuild: Cargo, with zig as the linker for any system.

use std::ffi::OsString;

use super::cargo::{add_deployment_target, add_library, linker_of_this_machine, linker_variable};
use super::find::Tools;
use super::need::{Fix, Need};
use super::places::{CARGO_ZIGBUILD, ZIG};
use super::zig::Found;
use super::{Invocation, Kind, Toolchain, python, rust};
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
        let place = |found: &Found| format!("{} ({})", found.version, found.program.display());
        let install = python::install(tools);
        let without_python = format!("install Python 3, which brings zig {ZIG} as a package");
        let mut needs = rust::needs(tools);
        needs.push(rust::library_need(tools, triple));
        needs.push(linker_of_this_machine(tools));
        needs.push(
            Need::new("zig", "links for the target")
                .found(tools.zig().map(place))
                .or(install.clone().unwrap_or_else(|| Fix::words(without_python))),
        );
        needs.push(
            Need::new("cargo-zigbuild", "lets Cargo link with zig")
                .found(tools.zigbuild().map(place))
                .or(install.unwrap_or_else(|| {
                    let crate_ = format!("cargo-zigbuild@{CARGO_ZIGBUILD}");
                    let words = ["install", "--locked", crate_.as_str()];
                    Fix::command(&tools.cargo(), words.iter().map(OsString::from).collect())
                })),
        );
        needs
    }

    fn invocation(&self, triple: &Triple) -> Invocation {
        let program = self.tools.zigbuild().map(|z| z.program.clone());
        let mut invocation = Invocation {
            program: program.unwrap_or_else(|| "cargo-zigbuild".into()),
            // It reads the glibc after the dot.
            arguments: vec!["zigbuild".into(), "--target".into(), triple.to_string().into()],
            environment: self.environment(),
            without: foreign(triple),
        };
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
    fn environment(&self) -> Vec<(OsString, OsString)> {
        let mut set: Vec<(OsString, OsString)> = Vec::new();
        // `cargo-zigbuild` starts the Cargo that this names.
        set.push(("CARGO".into(), self.tools.cargo().into()));
        let Some(zig) = self.tools.zig() else { return set };
        set.push(("CARGO_ZIGBUILD_ZIG_COMMAND".into(), zig.program.clone().into()));
        set.push(("CARGO_ZIGBUILD_ZIG_COMMAND_ARGS".into(), "".into()));
        set.push(("CARGO_ZIGBUILD_ZIG_VERSION".into(), zig.version.clone().into()));
        set.push(("CARGO_ZIGBUILD_ZIG_PATH".into(), zig.program.clone().into()));
        set.push(("CARGO_ZIGBUILD_PYTHON_PATH".into(), "no-python".into()));
        if let Some(cache) = &self.tools.places.cache {
            // A script names its zig: one folder for each version, lest two builds write one file.
            let folder = cache.join(format!("zig-{}", zig.version));
            set.push(("CARGO_ZIGBUILD_CACHE_DIR".into(), folder.into()));
        }
        set
    }
}

/// What would take zig's place, or lead it elsewhere: compilers and flags that are set for a target
/// (<https://docs.rs/cc>), the folders that clang reads, an SDK of Apple's.
fn foreign(triple: &Triple) -> Vec<OsString> {
    let name = triple.name();
    let mut names = vec![linker_variable(name), "SDKROOT".to_owned(), "ZIG_LIB_DIR".to_owned()];
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
