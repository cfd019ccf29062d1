//! The machine that was measured on, as far as figures depend on it. No name, no path.

use std::fs;
use std::thread;

use serde::{Deserialize, Serialize};

/// What it is.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
pub(crate) struct Machine {
    pub(crate) processor: String,
    pub(crate) cores: usize,
    /// In bytes.
    pub(crate) memory: u64,
    /// The system's kernel and its version.
    pub(crate) kernel: String,
}

impl Machine {
    pub(crate) fn look() -> Machine {
        let processors = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let mut names = processors.lines().filter(|line| line.starts_with("model name"));
        let name = names.next().and_then(|line| line.split_once(':'));
        let kernel = rustix::system::uname();
        // What a distribution or a cloud puts behind the version says nothing of speed.
        let release = kernel.release().to_string_lossy();
        let release = release.split('-').next().unwrap_or_default();
        Machine {
            processor: name.map_or(std::env::consts::ARCH, |(_, name)| name.trim()).to_owned(),
            cores: thread::available_parallelism().map_or(1, usize::from),
            memory: memory("MemTotal:"),
            kernel: format!("{} {release}", kernel.sysname().to_string_lossy()),
        }
    }

    /// Memory that is free or could be, in bytes.
    pub(crate) fn free_memory(&self) -> u64 {
        memory("MemAvailable:")
    }
}

fn memory(key: &str) -> u64 {
    let text = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(key));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or(0) * 1024
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn something_is_known_of_every_machine() {
        let machine = Machine::look();
        assert!(machine.cores > 0 && !machine.processor.is_empty());
        assert!(machine.free_memory() > 0 && machine.free_memory() <= machine.memory);
        assert!(machine.kernel.starts_with("Linux "), "{machine:?}");
    }
}
