//! cross: Cargo in a container that has the target's linker.

use std::ffi::OsString;

use super::find::Tools;
use super::need::{Fix, Need};
use super::{Invocation, Kind, Toolchain, rust};
use crate::target::{System, Triple};

/// cross.
pub(super) struct Cross<'a> {
    pub(super) tools: &'a Tools,
}

impl Toolchain for Cross<'_> {
    fn kind(&self) -> Kind {
        Kind::Cross
    }

    fn versions(&self) -> Vec<String> {
        self.tools.cross().map(|c| format!("cross {}", c.version)).into_iter().collect()
    }

    fn needs(&self, triple: &Triple) -> Vec<Need> {
        let tools = self.tools;
        let mut needs = rust::needs(tools);
        let install: Vec<OsString> = ["install", "--locked", "cross"].map(OsString::from).into();
        let cross = tools.cross();
        needs.push(
            Need::new("cross", "runs Cargo in a container")
                .found(cross.map(|c| format!("{} ({})", c.version, c.program.display())))
                .or(Fix::command(&tools.cargo(), install)),
        );
        let (found, why, fix) = match tools.engine() {
            Ok(e) => (Some(format!("{} {}", e.name, e.version)), "runs the container", ""),
            Err(Some(_)) => (None, "it is there and does not answer", "start it: `docker info`"),
            Err(None) => (None, "runs the container", "install Docker or Podman"),
        };
        needs.push(Need::new("a container engine", why).found(found).or(Fix::words(fix)));
        if let Some(why) = no_image(triple) {
            needs.push(
                Need::new(format!("an image for {triple}"), why)
                    .or(Fix::words("use `toolchain: zigbuild`, or leave it out")),
            );
        }
        needs
    }

    fn invocation(&self, triple: &Triple) -> Invocation {
        let program = self.tools.cross().map(|c| c.program.clone());
        Invocation {
            program: program.unwrap_or_else(|| "cross".into()),
            arguments: vec!["build".into(), "--target".into(), triple.name().into()],
            environment: Vec::new(),
            without: Vec::new(),
        }
    }
}

/// Why cross has no container for a target.
fn no_image(triple: &Triple) -> Option<&'static str> {
    match triple.system() {
        System::Macos => Some("Apple's licence lets nobody publish one with its SDK"),
        _ if triple.glibc().is_some() => Some("a container has the glibc that it has"),
        _ => None,
    }
}
