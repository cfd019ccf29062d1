//! Plain Cargo: what this machine's own linker can do.

use std::ffi::OsString;

use super::find::Tools;
use super::need::Need;
use super::{Invocation, Kind, Site, Toolchain, c, linker, rust};
use crate::target::{System, Triple};

/// Plain Cargo.
pub(super) struct Plain<'a> {
    pub(super) tools: &'a Tools,
}

/// Why this machine's own linker serves for a target, if it does.
pub(super) fn links_here(triple: &Triple) -> Option<&'static str> {
    let host = Triple::host();
    if triple.glibc().is_some() {
        None
    } else if triple.is_host() {
        Some("this machine's own target")
    } else if triple.is_musl() && triple.runs_here() {
        Some("Rust brings musl, this machine links it")
    } else if triple.system() == System::Macos && host.system() == System::Macos {
        Some("a Mac links for every Mac")
    } else {
        None
    }
}

impl Toolchain for Plain<'_> {
    fn kind(&self) -> Kind {
        Kind::Cargo
    }

    fn versions(&self) -> Vec<String> {
        Vec::new()
    }

    fn needs(&self, triple: &Triple) -> Vec<Need> {
        let mut needs = rust::needs(self.tools);
        needs.extend(rust::library_need(self.tools, triple));
        needs.push(linker::of_this_machine(self.tools));
        if links_here(triple).is_none() {
            needs.push(linker::of_target(self.tools, triple));
        } else if triple.is_musl() && !triple.is_host() {
            needs.push(c::for_musl(self.tools, triple));
        }
        needs
    }

    fn invocation(&self, triple: &Triple, _: &Site<'_>) -> Invocation {
        let mut invocation = Invocation {
            program: self.tools.cargo(),
            arguments: vec!["build".into(), "--target".into(), triple.name().into()],
            environment: vec![clock()],
            without: Vec::new(),
            flags: linker::flags_unless_configured(self.tools, triple),
            target_dir: None,
        };
        add_library(&mut invocation, self.tools, triple);
        add_deployment_target(&mut invocation, self.tools, triple);
        invocation
    }
}

/// The time that is written where a format wants one, as in the header of an executable for Windows:
/// the beginning of 1980, as good as any and the first that a ZIP archive can hold.
/// <https://reproducible-builds.org/specs/source-date-epoch/>
pub(super) fn clock() -> (OsString, OsString) {
    ("SOURCE_DATE_EPOCH".into(), "315532800".into())
}

/// What tells Cargo to build the standard library, where it has to be.
pub(super) fn add_library(invocation: &mut Invocation, tools: &Tools, triple: &Triple) {
    if tools.builds_library(triple) {
        let (arguments, environment) = rust::source_arguments();
        invocation.arguments.extend(arguments);
        invocation.environment.extend(environment);
    }
}

/// The oldest macOS is said, so that it is the same on every machine.
pub(super) fn add_deployment_target(invocation: &mut Invocation, tools: &Tools, triple: &Triple) {
    if let Some(version) = tools.rust().and_then(|rust| rust.deployment_target(triple)) {
        invocation.environment.push(("MACOSX_DEPLOYMENT_TARGET".into(), version.into()));
    }
}
