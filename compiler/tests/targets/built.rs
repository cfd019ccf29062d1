//! Building once for all tests of a run, each of which can be a process of its own.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::waiting::root;

/// What is built for, in one run.
pub(crate) const TARGETS: [&str; 5] =
    ["linux-x86_64", "linux-aarch64", "windows-x86_64", "macos-x86_64", "macos-aarch64"];

/// The name of the agents.
pub(crate) const NAME: &str = "swak-everywhere";

/// Where all of this lies.
pub(crate) fn work() -> PathBuf {
    let work = Path::new(env!("CARGO_TARGET_TMPDIR")).join("targets");
    fs::create_dir_all(&work).expect("a folder");
    work
}

/// A folder for one test, beside what is built, so that executables need not be copied.
pub(crate) fn folder() -> tempfile::TempDir {
    let made = tempfile::Builder::new().prefix("place-").tempdir_in(work());
    made.expect("a folder for a test")
}

/// Gives a file a second name.
pub(crate) fn link(from: &Path, to: &Path) {
    fs::hard_link(from, to)
        .unwrap_or_else(|why| panic!("{} cannot be {}: {why}", from.display(), to.display()));
}

/// Does something when it was not yet done for this reason; several processes wait for the first.
/// What failed is tried again.
pub(crate) fn once(name: &str, reason: &str, work_to_do: impl FnOnce()) {
    let stamp = work().join(name);
    let lock = File::create(stamp.with_extension("lock")).expect("a file to lock");
    lock.lock().expect("it can be locked");
    if fs::read_to_string(&stamp).is_ok_and(|done| done == reason) {
        return;
    }
    work_to_do();
    fs::write(&stamp, reason).expect("a stamp can be written");
}

/// Does something once for all tests of a run. nextest gives each test a process of its own, and
/// names the run that they belong to.
fn once_a_run(name: &str, work_to_do: impl FnOnce()) {
    match std::env::var("NEXTEST_RUN_ID") {
        Ok(run) => once(name, &run, work_to_do),
        Err(_) => work_to_do(),
    }
}

/// What the build left for all of [`TARGETS`].
pub(crate) fn dist_folder() -> &'static Path {
    static DIST: OnceLock<PathBuf> = OnceLock::new();
    DIST.get_or_init(|| {
        let folder = work().join("dist");
        once_a_run("built", || build(&folder));
        folder
    })
}

/// One file of it: `dist("windows-x86_64.exe")`.
pub(crate) fn dist(name: &str) -> PathBuf {
    dist_folder().join(format!("{NAME}-{name}"))
}

/// An agent with the same plugins that this machine's own compiler and linker made.
pub(crate) fn host() -> PathBuf {
    static HOST: OnceLock<PathBuf> = OnceLock::new();
    let build = || {
        // The folders are those of the tests of agents, which need the same one.
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("agents");
        let config = root().join("build-configs/myprj-build.yml");
        let dist = folder.join("dist");
        once_a_run("host", || make(&config, &folder.join("build"), &dist, &[]));
        dist.join("swak-myprj")
    };
    HOST.get_or_init(build).clone()
}

fn build(dist: &Path) {
    let configs = root().join("build-configs");
    let text = fs::read_to_string(configs.join("everywhere-build.yml")).expect("a build config");
    // Packages of executables with debug information would be large, and nobody looks at them.
    let text: Vec<_> = text.lines().filter(|line| !line.contains("package:")).collect();
    let config = work().join("everywhere-build.yml");
    fs::write(&config, text.join("\n") + "\n").expect("a build config can be written");
    fs::copy(configs.join("everywhere-build.lock"), config.with_extension("lock"))
        .expect("a lock can be copied");
    let targets = TARGETS.iter().flat_map(|target| ["--target", target]);
    make(&config, &work().join("build"), dist, &targets.collect::<Vec<_>>());
}

fn make(config: &Path, build: &Path, dist: &Path, more: &[&str]) {
    let built = Command::new(env!("CARGO_BIN_EXE_swak-makebuild"))
        .arg(config)
        .args(["--profile", "debug", "--json", "--build-dir"])
        .arg(build)
        .arg("--out")
        .arg(dist)
        .args(more)
        .output()
        .expect("the compiler can be run");
    let said = String::from_utf8_lossy(&built.stderr);
    assert!(built.status.success(), "{} cannot be built:\n{said}", config.display());
}
