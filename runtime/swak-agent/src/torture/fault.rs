//! The faults: their names, what each does, and what the contract allows.

use std::fmt;
use std::str::FromStr;

/// Something that goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Fault {
    /// The agent is killed.
    Kill,
    /// The agent is told to stop, and started again.
    Stop,
    /// The agent stands still for a while.
    Freeze,
    /// A file is renamed and made anew.
    Rename,
    /// A file is renamed and made anew several times in a row.
    Generations,
    /// A file is copied and cut to nothing.
    CopyTruncate,
    /// Files are renamed while the agent is down.
    StoppedRotate,
    /// A file is renamed and compressed.
    Compress,
    /// A server refuses connections.
    Dead,
    /// A server takes a few bytes at a time.
    Slow,
    /// A server takes connections and does nothing.
    Hang,
    /// A server closes connections in the middle.
    Cut,
    /// A server answers garbage.
    Lie,
    /// The disk is full.
    DiskFull,
    /// A file of the data folder is damaged.
    Damage,
    /// The clock jumps.
    Clock,
}

/// What is known of a fault.
struct About {
    fault: Fault,
    name: &'static str,
    what: &'static str,
    allows: &'static str,
}

const NOTHING: &str = "nothing";
const UNACKED: &str = "copies of what was unacked, once for each";

/// All of them. The order is that of reports.
const ALL: [About; 16] = [
    About { fault: Fault::Kill, name: "kill", what: "kill -9", allows: UNACKED },
    About { fault: Fault::Stop, name: "stop", what: "orderly stop and start", allows: NOTHING },
    About {
        fault: Fault::Freeze,
        name: "freeze",
        what: "the agent stands still (SIGSTOP)",
        allows: NOTHING,
    },
    About { fault: Fault::Rename, name: "rename", what: "rotation by renaming", allows: NOTHING },
    About {
        fault: Fault::Generations,
        name: "generations",
        what: "several rotations in a row",
        allows: NOTHING,
    },
    About {
        fault: Fault::CopyTruncate,
        name: "copytruncate",
        what: "rotation by copying and truncating",
        allows: NOTHING,
    },
    About {
        fault: Fault::StoppedRotate,
        name: "stopped-rotate",
        what: "rotations while the agent is down",
        allows: UNACKED,
    },
    About {
        fault: Fault::Compress,
        name: "compress",
        what: "rotation to a compressed file",
        allows: NOTHING,
    },
    About {
        fault: Fault::Dead,
        name: "dead",
        what: "a server that refuses connections",
        allows: "a copy for each connection that broke",
    },
    About {
        fault: Fault::Slow,
        name: "slow",
        what: "a server that takes a few bytes at a time",
        allows: "a copy for each connection that broke",
    },
    About {
        fault: Fault::Hang,
        name: "hang",
        what: "a server that does nothing",
        allows: "a copy for each connection that broke",
    },
    About {
        fault: Fault::Cut,
        name: "cut",
        what: "a server that closes in the middle",
        allows: "a copy for each connection that broke",
    },
    About {
        fault: Fault::Lie,
        name: "lie",
        what: "a server that answers garbage",
        allows: "a copy for each connection that broke",
    },
    About { fault: Fault::DiskFull, name: "disk-full", what: "a full disk", allows: NOTHING },
    About {
        fault: Fault::Damage,
        name: "damage",
        what: "damaged state files",
        allows: "copies of what is in the files",
    },
    About { fault: Fault::Clock, name: "clock", what: "a clock that jumps", allows: NOTHING },
];

/// Words for several faults.
const GROUPS: [(&str, &[Fault]); 3] = [
    (
        "rotate",
        &[
            Fault::Rename,
            Fault::Generations,
            Fault::CopyTruncate,
            Fault::StoppedRotate,
            Fault::Compress,
        ],
    ),
    ("server", &[Fault::Dead, Fault::Slow, Fault::Hang, Fault::Cut, Fault::Lie]),
    ("none", &[]),
];

impl Fault {
    /// All faults.
    pub(crate) fn all() -> impl Iterator<Item = Fault> {
        ALL.iter().map(|about| about.fault)
    }

    /// As it is named on the command line.
    pub(super) fn name(self) -> &'static str {
        self.about().name
    }

    /// What it is.
    pub(super) fn what(self) -> &'static str {
        self.about().what
    }

    /// What the contract allows beside what a run without faults would give.
    pub(super) fn allows(self) -> &'static str {
        self.about().allows
    }

    /// Whether it is done to a server.
    pub(super) fn is_of_server(self) -> bool {
        matches!(self, Fault::Dead | Fault::Slow | Fault::Hang | Fault::Cut | Fault::Lie)
    }

    /// Whether it is done to a followed file.
    pub(super) fn is_of_file(self) -> bool {
        use Fault::{Compress, CopyTruncate, Generations, Rename, StoppedRotate};
        matches!(self, Rename | Generations | CopyTruncate | StoppedRotate | Compress)
    }

    /// Whether the agent goes down with it, and with the agent what a peer has sent and nobody has
    /// answered. A full disk takes nothing down: an agent that is killed meanwhile is a kill of its own.
    pub(super) fn may_lose_what_was_sent(self) -> bool {
        matches!(self, Fault::Kill | Fault::Stop | Fault::StoppedRotate)
    }

    fn about(self) -> &'static About {
        ALL.iter().find(|about| about.fault == self).expect("every fault is in the list")
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What `--faults` names: a fault or a group, and how often each of them is to happen at least.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) faults: Vec<Fault>,
    pub(crate) at_least: u32,
}

/// As it can be read again.
impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, fault) in self.faults.iter().enumerate() {
            let comma = if i > 0 { "," } else { "" };
            write!(f, "{comma}{fault}")?;
            if self.at_least > 0 {
                write!(f, "={}", self.at_least)?;
            }
        }
        Ok(())
    }
}

impl FromStr for Wanted {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, at_least) = match text.split_once('=') {
            None => (text, 0),
            Some((name, count)) => {
                let count = count.parse::<u32>();
                (name, count.map_err(|_| format!("after `{name}=` stands how often: {name}=20"))?)
            }
        };
        let one = ALL.iter().find(|about| about.name == name).map(|about| vec![about.fault]);
        let group = || GROUPS.iter().find(|group| group.0 == name).map(|group| group.1.to_vec());
        let all = || (name == "all").then(|| Fault::all().collect());
        match one.or_else(group).or_else(all) {
            Some(faults) => Ok(Wanted { faults, at_least }),
            None => {
                let names: Vec<_> = ALL.iter().map(|about| about.name).collect();
                let groups: Vec<_> = GROUPS.iter().map(|group| group.0).collect();
                let (names, groups) = (names.join(", "), groups.join(", "));
                Err(format!(
                    "there is no such fault; there are {names}; and for several, {groups}, all"
                ))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_named_alone_and_together() {
        let wanted = |text: &str| text.parse::<Wanted>();
        assert_eq!(wanted("kill"), Ok(Wanted { faults: vec![Fault::Kill], at_least: 0 }));
        assert_eq!(wanted("server=3").unwrap().at_least, 3);
        assert!(wanted("rotate").unwrap().faults.contains(&Fault::Compress));
        assert!(wanted("server").unwrap().faults.iter().all(|fault| fault.is_of_server()));
        assert_eq!(wanted("all").unwrap().faults.len(), ALL.len());
        assert!(wanted("kil").unwrap_err().contains("kill, stop"));
        assert!(wanted("kill=often").unwrap_err().contains("kill=20"));
        for fault in Fault::all() {
            assert_eq!(wanted(fault.name()).unwrap().faults, [fault]);
        }
    }
}
