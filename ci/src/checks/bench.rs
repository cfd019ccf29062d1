//! The benchmark: builds an agent as users get it, gets those that it is compared with, and starts
//! `swak-bench`, which measures.

use std::fs;
use std::path::{Path, PathBuf};

use super::{Check, setup};
use crate::context::{Context, Result};

pub(super) const CHECK: Check = Check {
    name: "bench",
    what: "how fast the agent is, beside others (`cargo ci bench --help`)",
    run,
};

/// The agent's build config.
const CONFIG: &str = "ci/bench/bench-build.yml";

/// Those that it is compared with: the folders that they are unpacked to, where they are when they are
/// installed, and Debian's packages.
///
/// The packages conflict with each other, and both are services that would be started: so they are
/// not installed, only unpacked.
const RIVALS: [(&str, &str, &str); 2] = [
    ("rsyslog", "/usr/sbin/rsyslogd", "rsyslog"),
    ("syslog-ng", "/usr/sbin/syslog-ng", "syslog-ng-core"),
];

fn run(cx: &Context) -> Result {
    if !cfg!(target_os = "linux") {
        return Err("it looks at processes through `/proc`: run it on Linux".into());
    }
    let given: Vec<_> = cx.targets.iter().map(String::as_str).collect();
    let says = |flag: &str| given.iter().any(|arg| arg.split('=').next() == Some(flag));
    if says("--help") || says("-h") {
        return measure(cx, &given);
    }
    // A mistake is told before anything is built for long.
    measure(cx, &[&["--check"], &*given].concat())?;
    let folder = target(cx)?.join("bench");
    let mut args = Vec::new();
    if !says("--agent") {
        args.extend(["--agent".to_owned(), format!("swak={}", build(cx, &folder)?.display())]);
    }
    if !says("--alone") {
        let rivals = folder.join("rivals");
        unpack(cx, &rivals);
        args.extend(["--rivals".to_owned(), rivals.display().to_string()]);
    }
    if given.contains(&"instructions") {
        setup::ensure(cx, &setup::VALGRIND);
    }
    let args: Vec<_> = args.iter().map(String::as_str).chain(given).collect();
    measure(cx, &args)
}

/// Starts what measures.
fn measure(cx: &Context, args: &[&str]) -> Result {
    let mut run =
        vec!["run", "--quiet", "--release", "--package", "swak-ci", "--bin", "swak-bench"];
    run.extend(["--features", "bench", "--"]);
    run.extend(args);
    cx.cargo(&run)
}

/// The folder that Cargo builds in.
fn target(cx: &Context) -> Result<PathBuf> {
    let metadata = cx.cargo_output(&["metadata", "--no-deps", "--format-version", "1"])?;
    let metadata: serde_json::Value = serde_json::from_str(&metadata)
        .map_err(|error| format!("Cargo's metadata cannot be read: {error}"))?;
    let folder = metadata["target_directory"].as_str().ok_or("Cargo names no target folder")?;
    Ok(folder.into())
}

/// Builds the agent and gives its path.
fn build(cx: &Context, folder: &Path) -> Result<PathBuf> {
    // What a build locks lies beside its config. Here it begins anew each time, with the versions that
    // the repository has locked.
    let (config, lock) = (folder.join("bench-build.yml"), folder.join("bench-build.lock"));
    let copied = fs::create_dir_all(folder).and_then(|()| fs::copy(cx.root.join(CONFIG), &config));
    copied.map_err(|error| format!("cannot copy {CONFIG}: {error}"))?;
    if lock.exists() {
        fs::remove_file(&lock).map_err(|error| format!("cannot remove an old lock: {error}"))?;
    }
    let (build, out) = (folder.join("build"), folder.join("dist"));
    let [config, build, shown] = [&config, &build, &out].map(|path| path.display().to_string());
    let mut args = vec!["run", "--quiet", "--package", "swak-makebuild", "--", &config];
    args.extend(["--build-dir", &build, "--out", &shown]);
    cx.cargo(&args)?;
    Ok(out.join("swak-bench"))
}

/// Gets those that are not there. Without them the agent is measured alone.
fn unpack(cx: &Context, rivals: &Path) {
    for (name, program, package) in RIVALS {
        let folder = rivals.join(name);
        let is_there = folder.is_dir() || Path::new(program).is_file();
        if !is_there && let Err(failed) = unpack_one(cx, package, &folder) {
            eprintln!("warning: {name} is not measured: {failed}");
        }
    }
}

/// Fetches a package with all that it needs and this machine lacks.
fn unpack_one(cx: &Context, package: &str, folder: &Path) -> Result {
    let packages = folder.with_extension("debs");
    let make = |path: &Path| {
        fs::create_dir_all(path).map_err(|error| format!("cannot make a folder: {error}"))
    };
    make(&packages.join("partial"))?;
    let archives = format!("Dir::Cache::archives={}", packages.display());
    let mut args = vec!["install", "--quiet=2", "--yes", "--no-install-recommends"];
    args.extend(["--download-only", "--option", &archives, "--option", "Debug::NoLocking=1"]);
    args.push(package);
    if cx.run(cx.command("apt-get", &args)).is_err() {
        // The list of packages may be old or not there.
        cx.run(cx.command("apt-get", &["update", "--quiet"]))?;
        cx.run(cx.command("apt-get", &args))?;
    }
    // It takes its place when it is complete.
    let (debs, whole) = (cx.files_in(&packages, ".deb")?, folder.with_extension("part"));
    for deb in debs {
        let args = ["-x", &deb.display().to_string(), &whole.display().to_string()];
        cx.run(cx.command("dpkg-deb", &args))?;
    }
    fs::rename(&whole, folder).map_err(|error| format!("cannot unpack `{package}`: {error}").into())
}
