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
    /// A command that succeeds when it is there.
    probe: &'static [&'static str],
    /// Commands that get it, one after the other.
    install: &'static [&'static [&'static str]],
}

const TOOLS: &[Tool] = &[
    Tool {
        name: "rustfmt",
        why: "formats the code",
        probe: &["cargo", "fmt", "--version"],
        install: &[&["rustup", "component", "add", "rustfmt"]],
    },
    Tool {
        name: "clippy",
        why: "lints the code",
        probe: &["cargo", "clippy", "--version"],
        install: &[&["rustup", "component", "add", "clippy"]],
    },
    Tool {
        name: "cargo-nextest",
        why: "runs the tests",
        probe: &["cargo", "nextest", "--version"],
        // Without optimisation it is there in a fraction of the time, and fast enough.
        install: &[&[
            "cargo",
            "install",
            "cargo-nextest",
            "--locked",
            "--debug",
            "--version",
            "0.9.143",
        ]],
    },
];

fn run(cx: &Context) -> Result {
    for tool in TOOLS.iter().filter(|tool| !is_there(tool, cx)) {
        eprintln!("    installing {}, which {}", tool.name, tool.why);
        for command in tool.install {
            let (program, args) = command.split_first().expect("a command has a program");
            cx.run(cx.command(program, args)).map_err(|error| cannot_install(tool, &error))?;
        }
        if !is_there(tool, cx) {
            return Err(cannot_install(tool, &"it is installed, but not found").into());
        }
    }
    Ok(())
}

fn is_there(tool: &Tool, cx: &Context) -> bool {
    let (program, args) = tool.probe.split_first().expect("a command has a program");
    cx.succeeds(program, args)
}

fn cannot_install(tool: &Tool, error: &dyn std::fmt::Display) -> String {
    let by_hand: Vec<_> = tool.install.iter().map(|command| command.join(" ")).collect();
    format!(
        "{error}\n  `{}`, which {}, is missing; install it by hand, for example: {}",
        tool.name,
        tool.why,
        by_hand.join(" && ")
    )
}
