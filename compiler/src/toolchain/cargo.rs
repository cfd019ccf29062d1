//! Plain Cargo: what this machine's own linker can do.

use super::find::{Tools, is_set};
use super::need::{Fix, Need};
use super::{Invocation, Kind, Toolchain, rust};
use crate::target::{HOST, System, Triple};

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
        needs.push(rust::library_need(self.tools, triple));
        needs.push(linker_of_this_machine(self.tools));
        if links_here(triple).is_none() {
            needs.push(linker(triple));
        }
        needs
    }

    fn invocation(&self, triple: &Triple) -> Invocation {
        let mut invocation = Invocation {
            program: self.tools.cargo(),
            arguments: vec!["build".into(), "--target".into(), triple.name().into()],
            environment: Vec::new(),
            without: Vec::new(),
        };
        add_library(&mut invocation, self.tools, triple);
        add_deployment_target(&mut invocation, self.tools, triple);
        invocation
    }
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

/// Build scripts and procedural macros run here, whatever they are built for.
pub(super) fn linker_of_this_machine(tools: &Tools) -> Need {
    let need = Need::new("a linker for this machine", "build scripts and macros run here");
    if HOST.ends_with("-msvc") {
        // Rust asks Windows itself where Visual Studio is.
        return need.found(Some("Visual Studio's, found by Rust".to_owned()));
    }
    let found = tools.program("cc");
    let place = found.map(|cc| cc.display().to_string());
    let configured = linker_variable(HOST);
    let place = place.or_else(|| is_set(&configured).then_some(configured));
    need.found(place).or(Fix::words(if cfg!(target_os = "macos") {
        "xcode-select --install"
    } else {
        "install a C compiler: `apt-get install gcc`, `dnf install gcc`"
    }))
}

/// The linker of a target that is not this machine's: somebody has to have told Cargo about it.
fn linker(triple: &Triple) -> Need {
    let variable = linker_variable(triple.name());
    let why = match triple.glibc() {
        Some(minor) => format!("plain Cargo links against this machine's glibc, not 2.{minor}"),
        None => "plain Cargo links for this machine".to_owned(),
    };
    let set = triple.glibc().is_none() && is_set(&variable);
    Need::new(format!("a linker for {triple}"), why).found(set.then(|| variable.clone())).or(
        Fix::words(match triple.glibc() {
            Some(_) => "use `toolchain: zigbuild`, or leave it out".to_owned(),
            None => format!("set {variable}, or leave `toolchain: cargo` out"),
        }),
    )
}

/// The variable of Cargo's that names the linker of a target.
pub(super) fn linker_variable(triple: &str) -> String {
    format!("CARGO_TARGET_{}_LINKER", triple.replace(['-', '.'], "_").to_ascii_uppercase())
}
