//! Every plugin crate builds alone, and without a warning, for every target that agents are built for.

use std::env;
use std::path::{Path, PathBuf};

use super::Check;
use crate::context::{Context, Result, none_of};
use crate::manifest::packages;

pub(super) const CHECK: Check =
    Check { name: "targets", what: "each plugin crate builds alone for each target", run };

/// One for each system and processor that an alias of a build config names.
const TARGETS: [&str; 5] = [
    "x86_64-unknown-linux-musl",
    "aarch64-unknown-linux-musl",
    "x86_64-pc-windows-gnu",
    "x86_64-apple-darwin",
    "aarch64-apple-darwin",
];

/// The runtime's own top; what is below it is below the plugins too.
const AGENT: &str = "swak-agent";

fn run(cx: &Context) -> Result {
    let (there, missing): (Vec<_>, Vec<_>) =
        TARGETS.into_iter().partition(|target| has_std(cx, target));
    let mut wrong = Vec::new();
    if !missing.is_empty() {
        let names = missing.join(" ");
        wrong.push(format!("the standard library is missing: rustup target add {names}"));
    }
    for name in crates(cx)? {
        // One call for all is quicker, but does not tell for which target it failed.
        if there.is_empty() || lint(cx, &name, &there).is_ok() {
            continue;
        }
        for target in &there {
            if lint(cx, &name, &[target]).is_err() {
                wrong.push(format!("`{name}` does not build alone for {target}"));
            }
        }
    }
    none_of(&wrong)
}

/// The crates that are built alone: with no features but those that they ask for themselves.
fn crates(cx: &Context) -> Result<Vec<String>> {
    let all = packages(cx)?.into_iter();
    let is_plugin = |folder: &str| folder.starts_with("plugins/");
    let ours = all.filter(|package| is_plugin(&package.folder) || package.name == AGENT);
    Ok(ours.map(|package| package.name).collect())
}

/// Compiles as far as no linker is needed, and lints: much of what is for one system is seen nowhere
/// else.
///
/// Some crates compile C. For other systems that takes a compiler for each, which zig is; where it is
/// not, there may be others.
fn lint(cx: &Context, name: &str, targets: &[&str]) -> Result {
    let mut args = vec!["clippy", "--quiet", "--package", name];
    args.extend(targets.iter().flat_map(|target| ["--target", target]));
    args.extend(["--", "--deny", "warnings"]);
    match tools().filter(|bin| bin.join("cargo-zigbuild").is_file()) {
        Some(bin) => {
            let program = bin.join("cargo-zigbuild").display().to_string();
            let mut command = cx.command(&program, &args);
            // The zig that lies beside it.
            command.env("CARGO_ZIGBUILD_PYTHON_PATH", bin.join("python"));
            cx.run(command)
        }
        None => cx.cargo(&args),
    }
}

/// Where `swak-makebuild doctor --fix` puts what builds for other systems.
fn tools() -> Option<PathBuf> {
    let given = |name: &str| env::var_os(name).map(PathBuf::from).filter(|f| f.is_absolute());
    let cache = || given("XDG_CACHE_HOME").or_else(|| Some(env::home_dir()?.join(".cache")));
    let tools = given("SWAK_TOOLS").or_else(|| Some(cache()?.join("swak/tools")))?;
    Some(tools.join("bin"))
}

fn has_std(cx: &Context, target: &str) -> bool {
    let folder = cx.command("rustc", &["--print", "target-libdir", "--target", target]);
    cx.output(folder).is_ok_and(|folder| Path::new(folder.trim()).is_dir())
}
