//! The machines that agents run on here.

use std::path::Path;
use std::process::Command;

use crate::built::{self, dist};
use crate::wine;

/// A machine, or what stands in for one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Machine {
    /// This one, with an agent that its own linker made.
    Host,
    /// This one, with nothing but the agent and what a test gives it.
    Chroot,
    /// Linux on aarch64: QEMU reads the agent's instructions, this machine's kernel does the rest.
    Qemu,
    /// Windows: Wine's libraries stand in for its own.
    Wine,
}

impl Machine {
    /// What agents for it are built for, as `version --json` says it.
    pub(crate) fn triple(self) -> &'static str {
        match self {
            Machine::Host => "x86_64-unknown-linux-gnu",
            Machine::Chroot => "x86_64-unknown-linux-musl",
            Machine::Qemu => "aarch64-unknown-linux-musl",
            Machine::Wine => "x86_64-pc-windows-gnu",
        }
    }

    /// The name of the executable in a folder of a test.
    pub(crate) fn executable(self) -> &'static str {
        match self {
            Machine::Wine => "agent.exe",
            _ => "agent",
        }
    }

    /// Puts the agent for it, with what it takes, into a folder.
    pub(crate) fn furnish(self, folder: &Path) {
        let built = match self {
            Machine::Host => built::host(),
            Machine::Chroot => dist("linux-x86_64"),
            Machine::Qemu => dist("linux-aarch64"),
            Machine::Wine => dist("windows-x86_64.exe"),
        };
        built::link(&built, &folder.join(self.executable()));
        if self == Machine::Wine {
            wine::furnish(folder);
        }
    }

    /// The command that runs the agent in such a folder; its arguments are to be added.
    pub(crate) fn agent(self, folder: &Path) -> Command {
        let agent = folder.join(self.executable());
        let mut command = match self {
            Machine::Host => Command::new(agent),
            Machine::Chroot => in_chroot(folder, self.executable()),
            Machine::Qemu => {
                let mut command = Command::new("qemu-aarch64-static");
                command.arg(agent);
                command
            }
            Machine::Wine => wine::command(&agent),
        };
        command.current_dir(folder).env_remove("SWAK_LOG");
        command
    }
}

/// Only the superuser can change the root. Others become that in a namespace of their own, where the
/// system lets them.
fn in_chroot(folder: &Path, executable: &str) -> Command {
    let id = Command::new("id").arg("-u").output().expect("`id` can be run");
    let mut command = match id.stdout.trim_ascii() {
        b"0" => Command::new("chroot"),
        _ => {
            let mut command = Command::new("unshare");
            command.args(["--map-root-user", "chroot"]);
            command
        }
    };
    command.arg(folder).arg(format!("/{executable}"));
    command
}
