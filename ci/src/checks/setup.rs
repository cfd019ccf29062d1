//! Installs what the checks need and this machine lacks. Says nothing when there is nothing to do.

use super::Check;
use crate::context::{Context, Result};

pub(super) const CHECK: Check =
    Check { name: "setup", what: "what the checks need is there, else it is installed", run };

/// A tool, how to find out whether it is there, and how to get it.
struct Tool {
    name: &'static str,
    /// What it is for.
    why: &'static str,
    /// What becomes of it without.
    without: &'static str,
    /// A command that succeeds when it is there.
    probe: &'static [&'static str],
    /// A command that gets it.
    install: &'static [&'static str],
}

const TOOLS: &[Tool] = &[
    Tool {
        name: "rustfmt",
        why: "formats the code",
        without: "`cargo ci fmt` will fail",
        probe: &["cargo", "fmt", "--version"],
        install: &["rustup", "component", "add", "rustfmt"],
    },
    Tool {
        name: "clippy",
        why: "lints the code",
        without: "`cargo ci clippy` will fail",
        probe: &["cargo", "clippy", "--version"],
        install: &["rustup", "component", "add", "clippy"],
    },
    Tool {
        name: "cargo-nextest",
        why: "runs the tests",
        without: "`cargo test` runs them instead, more slowly",
        probe: &["cargo", "nextest", "--version"],
        // Without optimisation it is there in a fraction of the time, and fast enough.
        install: &["cargo", "install", "cargo-nextest@0.9.143", "--locked", "--debug"],
    },
];

/// Whether the tests can be run by nextest.
pub(super) fn has_nextest(cx: &Context) -> bool {
    TOOLS.iter().any(|tool| tool.name == "cargo-nextest" && is_there(tool, cx))
}

fn run(cx: &Context) -> Result {
    for tool in TOOLS.iter().filter(|tool| !is_there(tool, cx)) {
        eprintln!("    installing {}, which {}", tool.name, tool.why);
        let (program, args) = tool.install.split_first().expect("a command has a program");
        let installed = cx.run(cx.command(program, args));
        if installed.is_err() || !is_there(tool, cx) {
            // A machine without the network or without rustup can still pass the other checks.
            eprintln!("warning: {} could not be installed: {}", tool.name, tool.without);
            eprintln!("    install it by hand, for example: {}", tool.install.join(" "));
        }
    }
    Ok(())
}

fn is_there(tool: &Tool, cx: &Context) -> bool {
    let (program, args) = tool.probe.split_first().expect("a command has a program");
    cx.succeeds(program, args)
}
