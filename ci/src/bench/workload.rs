//! The work that is measured.

use super::listen::Transport;
use super::sink::Protocol;
use super::store::Kind;
use super::verify::{Combined, ErrorsOnly, Expect, Fields, Same};

/// A piece of work. How each contestant is told to do it stands in `ci/bench/CONTESTANT/NAME.*`.
pub(crate) struct Workload {
    /// As it is called on the command line.
    pub(crate) name: &'static str,
    /// For the table.
    pub(crate) title: &'static str,
    pub(crate) work: Work,
}

/// What is done and how it is measured.
pub(crate) enum Work {
    /// Contestants take turns, in several rounds.
    InTurn(InTurn),
    /// Nothing is done, for a minute, by all at once.
    Idle,
    /// What the machine can do at all.
    Limits,
    /// What has an end is done by agents, under Callgrind.
    Instructions,
}

/// What contestants do in turn.
pub(crate) enum InTurn {
    /// As much as there is, as fast as it goes.
    Bulk(Task),
    /// Messages from four senders at once.
    Listen(Transport),
    /// Ten megabytes a second, for a minute.
    Paced,
    /// One line.
    Startup,
}

/// Files to read, where to bring what comes of them, and what that is.
pub(crate) struct Task {
    pub(crate) input: Kind,
    pub(crate) output: Output,
    pub(crate) check: fn() -> Box<dyn Expect>,
}

/// Where records go.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Output {
    /// A file with the very bytes of the input, maybe in another order of files.
    SameBytes,
    /// A file with a line for each record.
    Lines,
    /// A server.
    Sink(Protocol),
}

/// All workloads, in the order in which they run.
pub(crate) const WORKLOADS: &[Workload] = &[
    Workload {
        name: "w1",
        title: "a file of nginx lines to a file, raw",
        work: bulk(Kind::Nginx, Output::SameBytes, || Box::new(Same)),
    },
    Workload {
        name: "w2",
        title: "a file of JSON lines, parsed, to a file as JSON",
        work: bulk(Kind::Json, Output::Lines, || Box::new(Fields)),
    },
    Workload {
        name: "w2-tcp",
        title: "w2 over TCP",
        work: bulk(Kind::Json, Output::Sink(Protocol::Kept), || Box::new(Fields)),
    },
    Workload {
        name: "w3",
        title: "a file of nginx lines, parsed to typed fields, to a file as JSON",
        work: bulk(Kind::Nginx, Output::Lines, || Box::new(Combined::new())),
    },
    Workload {
        name: "w3-tcp",
        title: "w3 over TCP",
        work: bulk(Kind::Nginx, Output::Sink(Protocol::Kept), || Box::new(Combined::new())),
    },
    Workload {
        name: "w4-tcp",
        title: "a file of nginx lines, raw, over TCP",
        work: bulk(Kind::Nginx, Output::Sink(Protocol::Raw), || Box::new(Same)),
    },
    Workload {
        name: "w4-forward",
        title: "a file of nginx lines over Fluentd's protocol, with acks",
        work: bulk(Kind::Nginx, Output::Sink(Protocol::Forward), || Box::new(Same)),
    },
    Workload {
        name: "w4-buffer",
        title: "w4-tcp with a buffer on disk in between, synced every 500 ms",
        work: bulk(Kind::Nginx, Output::Sink(Protocol::Raw), || Box::new(Same)),
    },
    Workload {
        name: "w5",
        title: "1,000 files of nginx lines, followed at once, to a file, raw",
        work: bulk(Kind::Thousand, Output::SameBytes, || Box::new(Same)),
    },
    Workload {
        name: "w6-tcp",
        title: "syslog messages of four senders over TCP, parsed, to a file as JSON",
        work: Work::InTurn(InTurn::Listen(Transport::Tcp)),
    },
    Workload {
        name: "w6-udp",
        title: "syslog messages of four senders over UDP, 100,000 a second, parsed, to a file as JSON",
        work: Work::InTurn(InTurn::Listen(Transport::Udp)),
    },
    Workload {
        name: "w7",
        title: "w2 with a buffer on disk in between, synced every 500 ms",
        work: bulk(Kind::Json, Output::Lines, || Box::new(Fields)),
    },
    Workload {
        name: "w8",
        title: "JSON lines filtered by two fields to 10%, with a field built by a template",
        work: bulk(Kind::Json, Output::Lines, || Box::new(ErrorsOnly)),
    },
    Workload { name: "w9", title: "idle: 1,000 quiet files are followed", work: Work::Idle },
    Workload { name: "w10", title: "w3 at 10 MB a second", work: Work::InTurn(InTurn::Paced) },
    Workload {
        name: "start",
        title: "from the start of the process to its first record",
        work: Work::InTurn(InTurn::Startup),
    },
    Workload {
        name: "limits",
        title: "the machine itself, on one thread, with the same data",
        work: Work::Limits,
    },
    Workload {
        name: "instructions",
        title: "how many instructions a record takes",
        work: Work::Instructions,
    },
];

impl Workload {
    /// Whether it is only run when it is named: it measures nothing that depends on the machine.
    pub(crate) fn only_by_name(&self) -> bool {
        matches!(self.work, Work::Instructions)
    }
}

const fn bulk(input: Kind, output: Output, check: fn() -> Box<dyn Expect>) -> Work {
    Work::InTurn(InTurn::Bulk(Task { input, output, check }))
}
