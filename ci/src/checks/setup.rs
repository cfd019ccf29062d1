//! Installs what the checks need and this machine lacks. Says nothing when there is nothing to do.

use std::cell::Cell;

use super::Check;
use crate::context::{Context, Result};

pub(super) const CHECK: Check =
    Check { name: "setup", what: "what the checks need is there, else it is installed", run };

/// A tool, how to find out whether it is there, and how to get it.
pub(super) struct Tool {
    name: &'static str,
    /// What becomes of it without.
    without: &'static str,
    /// A command that succeeds when it is there.
    probe: &'static [&'static str],
    install: Install,
}

/// How a tool is got.
enum Install {
    /// Packages of Debian and its kin.
    Apt(&'static [&'static str]),
    /// Packages of Python's, into a folder of their own.
    Pip { folder: &'static str, requirements: &'static str },
    /// Any other command.
    Run(&'static [&'static str]),
}

/// What `cargo ci fuzz` needs, and nothing else.
pub(super) const CARGO_FUZZ: Tool = Tool {
    name: "cargo-fuzz",
    without: "`cargo ci fuzz` will fail",
    probe: &["cargo", "fuzz", "--version"],
    install: Install::Run(&["cargo", "install", "cargo-fuzz@0.13.2", "--locked", "--debug"]),
};

/// What `cargo ci bench instructions` needs, and nothing else.
pub(super) const VALGRIND: Tool = Tool {
    name: "Valgrind",
    without: "`cargo ci bench instructions` will fail",
    probe: &["valgrind", "--version"],
    install: Install::Apt(&["valgrind"]),
};

/// Each needs at most those before it.
const TOOLS: &[Tool] = &[
    Tool {
        name: "rustfmt",
        without: "`cargo ci fmt` will fail",
        probe: &["cargo", "fmt", "--version"],
        install: Install::Run(&["rustup", "component", "add", "rustfmt"]),
    },
    Tool {
        name: "clippy",
        without: "`cargo ci clippy` will fail",
        probe: &["cargo", "clippy", "--version"],
        install: Install::Run(&["rustup", "component", "add", "clippy"]),
    },
    Tool {
        name: "cargo-nextest",
        without: "`cargo test` runs the tests instead, more slowly",
        probe: &["cargo", "nextest", "--version"],
        // Without optimisation it is there in a fraction of the time, and fast enough.
        install: Install::Run(&[
            "cargo",
            "install",
            "cargo-nextest@0.9.143",
            "--locked",
            "--debug",
        ]),
    },
    Tool {
        name: "logger",
        without: "tests of swak-plugin-syslog will fail",
        probe: &["logger", "--version"],
        install: Install::Apt(&["bsdutils"]),
    },
    Tool {
        name: "Node.js",
        without: "tests of swak-plugin-fluentd will fail",
        probe: &["node", "--version"],
        install: Install::Apt(&["nodejs"]),
    },
    Tool {
        name: "npm",
        without: "tests of swak-plugin-fluentd will fail",
        probe: &["npm", "--version"],
        install: Install::Apt(&["npm"]),
    },
    Tool {
        name: "Python's pip",
        without: "tests of swak-plugin-fluentd will fail",
        probe: &["python3", "-m", "pip", "--version"],
        install: Install::Apt(&["python3", "python3-pip"]),
    },
    Tool {
        name: "OpenSSL",
        without: "tests of swak-plugin-fluentd will fail",
        probe: &["openssl", "version"],
        install: Install::Apt(&["openssl"]),
    },
    Tool {
        name: "Go",
        without: "tests of swak-plugin-fluentd will fail",
        probe: &["go", "version"],
        install: Install::Apt(&["golang-go"]),
    },
    Tool {
        name: "Fluentd's library for Go",
        without: "tests of swak-plugin-fluentd will fail",
        // Debian's libraries for Go are sources.
        probe: &["ls", "/usr/share/gocode/src/github.com/fluent/fluent-logger-golang/fluent"],
        install: Install::Apt(&["golang-github-fluent-fluent-logger-golang-dev"]),
    },
    Tool {
        name: "Fluentd's libraries for Node.js",
        without: "tests of swak-plugin-fluentd will fail",
        probe: &["npm", "ls", "--prefix", "plugins/swak-plugin-fluentd/tests/peers"],
        install: Install::Run(&[
            "npm",
            "ci",
            "--no-audit",
            "--no-fund",
            "--prefix",
            "plugins/swak-plugin-fluentd/tests/peers",
        ]),
    },
    Tool {
        name: "Fluentd's library for Python",
        without: "tests of swak-plugin-fluentd will fail",
        probe: &[
            "python3",
            "-c",
            "import sys; sys.path.insert(0, 'plugins/swak-plugin-fluentd/tests/peers/python'); \
             import fluent.sender",
        ],
        install: Install::Pip {
            folder: "plugins/swak-plugin-fluentd/tests/peers/python",
            requirements: "plugins/swak-plugin-fluentd/tests/peers/requirements.txt",
        },
    },
    Tool {
        name: "Python's environments",
        without: "`swak-makebuild doctor --fix` will fail",
        probe: &["python3", "-c", "import ensurepip, venv"],
        install: Install::Apt(&["python3", "python3-venv"]),
    },
    Tool {
        name: "what the main targets take",
        without: "the tests that build agents for other systems will fail",
        probe: &["cargo", "run", "--quiet", "--package", "swak-makebuild", "--", "doctor"],
        install: Install::Run(&[
            "cargo",
            "run",
            "--quiet",
            "--package",
            "swak-makebuild",
            "--",
            "doctor",
            "--fix",
        ]),
    },
    Tool {
        name: "Wine",
        without: "the tests of agents for Windows will fail",
        // Debian puts it there and, without the package `wine`, nowhere in the path.
        probe: &["/usr/lib/wine/wine64", "--version"],
        install: Install::Apt(&["wine64"]),
    },
    Tool {
        name: "QEMU",
        without: "the tests of agents for Linux on aarch64 will fail",
        probe: &["qemu-aarch64-static", "--version"],
        install: Install::Apt(&["qemu-user-static"]),
    },
    Tool {
        name: "what reads packages",
        without: "the tests of packages will fail",
        probe: &[
            "sh",
            "-c",
            "for tool in rpm rpm2cpio cpio lintian unzip objdump systemd-analyze; do \
             command -v $tool || exit; done",
        ],
        install: Install::Apt(&[
            "rpm", "rpm2cpio", "cpio", "lintian", "unzip", "binutils", "systemd",
        ]),
    },
    Tool {
        name: "a reader of executables for Python",
        without: "the tests of agents for macOS will fail",
        probe: &[
            "python3",
            "-c",
            "import sys; sys.path.insert(0, 'compiler/tests/targets/readers/python'); import lief",
        ],
        install: Install::Pip {
            folder: "compiler/tests/targets/readers/python",
            requirements: "compiler/tests/targets/readers/requirements.txt",
        },
    },
    Tool {
        name: "CycloneDX's library for Python",
        without: "the tests of bills of materials will fail",
        probe: &[
            "python3",
            "-c",
            "import sys; sys.path.insert(0, 'compiler/tests/release/python/packages'); \
             import cyclonedx.validation.json, jsonschema",
        ],
        install: Install::Pip {
            folder: "compiler/tests/release/python/packages",
            requirements: "compiler/tests/release/python/requirements.txt",
        },
    },
    Tool {
        name: "libfaketime",
        without: "in tortures only the times of files jump, not the agent's clock",
        probe: &["faketime", "--version"],
        install: Install::Apt(&["faketime"]),
    },
];

/// Whether the tests can be run by nextest.
pub(super) fn has_nextest(cx: &Context) -> bool {
    cx.succeeds("cargo", &["nextest", "--version"])
}

fn run(cx: &Context) -> Result {
    let apt = Apt { updated: Cell::new(false) };
    for tool in TOOLS.iter().filter(|tool| !is_there(tool, cx)) {
        install(cx, tool, &apt);
    }
    Ok(())
}

/// Installs one tool if it is not there.
pub(super) fn ensure(cx: &Context, tool: &Tool) {
    if !is_there(tool, cx) {
        install(cx, tool, &Apt { updated: Cell::new(false) });
    }
}

fn install(cx: &Context, tool: &Tool, apt: &Apt) {
    eprintln!("    installing {}", tool.name);
    let (installed, by_hand) = match tool.install {
        Install::Apt(packages) => (apt.install(cx, packages), command_line(packages)),
        Install::Pip { folder, requirements } => {
            let line = pip(folder, requirements);
            (run_line(cx, &line), line.join(" "))
        }
        Install::Run(line) => (run_line(cx, line), line.join(" ")),
    };
    if installed.is_err() || !is_there(tool, cx) {
        // A machine without the network, or without the rights to install, can still pass all
        // that does not need it.
        eprintln!("warning: {} could not be installed: {}", tool.name, tool.without);
        eprintln!("    install it by hand, for example: {by_hand}");
    }
}

/// The system's packages, whose list is brought up to date at most once.
struct Apt {
    updated: Cell<bool>,
}

impl Apt {
    fn install(&self, cx: &Context, packages: &[&str]) -> Result {
        if !self.updated.replace(true) {
            Apt::run(cx, &["update", "--quiet"])?;
        }
        let flags = ["install", "--quiet", "--yes", "--no-install-recommends"];
        Apt::run(cx, &[&flags, packages].concat())
    }

    fn run(cx: &Context, args: &[&str]) -> Result {
        let is_root = cx.output(cx.command("id", &["-u"])).is_ok_and(|id| id.trim() == "0");
        let mut command = match is_root {
            true => cx.command("apt-get", args),
            false => cx.command("sudo", &[&["--non-interactive", "apt-get"], args].concat()),
        };
        command.env("DEBIAN_FRONTEND", "noninteractive");
        cx.run(command)
    }
}

fn is_there(tool: &Tool, cx: &Context) -> bool {
    let (program, args) = tool.probe.split_first().expect("a command has a program");
    cx.succeeds(program, args)
}

fn run_line(cx: &Context, line: &[&str]) -> Result {
    let (program, args) = line.split_first().expect("a command has a program");
    cx.run(cx.command(program, args))
}

fn command_line(packages: &[&str]) -> String {
    format!("apt-get install {}", packages.join(" "))
}

fn pip<'a>(folder: &'a str, requirements: &'a str) -> [&'a str; 10] {
    let (target, list) = ("--target", "--requirement");
    [
        "python3",
        "-m",
        "pip",
        "install",
        "--quiet",
        "--root-user-action=ignore",
        target,
        folder,
        list,
        requirements,
    ]
}
