//! Machines that have this and that: folders with programs that answer as the real ones do.

use std::ffi::OsStr;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use super::places::Places;
use super::*;
use crate::target::{HOST, Target};

/// A machine whose path has one folder.
pub(super) struct Machine {
    root: TempDir,
    build: PathBuf,
}

impl Machine {
    /// One with nothing.
    pub(super) fn bare() -> Self {
        let root = tempfile::tempdir().expect("a folder");
        let build = root.path().join("build");
        Machine { root, build }
    }

    fn site(&self) -> Site<'_> {
        Site { folder: &self.build, sources: &[] }
    }

    /// One with Rust, the library for this machine and a linker.
    pub(super) fn with_rust() -> Self {
        let machine = Machine::bare();
        let sysroot = machine.path("sysroot");
        let script = format!(
            "case $1 in\n-vV) echo 'rustc 1.999.0 (abc 2030-01-01)'; echo 'commit-hash: abcdef'\n\
             echo 'release: 1.999.0';;\n*) echo '{}';;\nesac",
            sysroot.display()
        );
        machine.program("rustc", &script);
        machine.program("cargo", "echo 'cargo 1.999.0 (abc 2030-01-01)'");
        machine.program("cc", "exit 1");
        machine.library(HOST);
        machine
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    pub(super) fn program(&self, name: &str, script: &str) -> &Self {
        script_at(&self.path("bin").join(name), script);
        self
    }

    pub(super) fn library(&self, triple: &str) -> &Self {
        let folder = self.path("sysroot/lib/rustlib").join(triple).join("lib");
        fs::create_dir_all(&folder).expect("made");
        fs::write(folder.join("libstd.rlib"), "").expect("written");
        self
    }

    fn source(&self) -> &Self {
        let folder = self.path("sysroot/lib/rustlib/src/rust/library/std");
        fs::create_dir_all(&folder).expect("made");
        fs::write(folder.join("Cargo.toml"), "").expect("written");
        self
    }

    fn zig(&self) -> &Self {
        self.program("zig", "echo 0.17.1");
        self.program("cargo-zigbuild", "echo cargo-zigbuild 0.24.0")
    }

    pub(super) fn tools(&self) -> Tools {
        Tools::within(Places {
            path: vec![self.path("bin")],
            tools: Some(self.path("tools")),
            ..Places::default()
        })
    }
}

/// Writes a program, by another process: while this one has the file open, a thread beside it that
/// starts something hands that on, and the file cannot be run.
fn script_at(path: &Path, script: &str) {
    fs::create_dir_all(path.parent().expect("it is in a folder")).expect("made");
    let mut writer = Command::new("/bin/sh")
        .args(["-c", "cat > \"$0\" && chmod 755 \"$0\""])
        .arg(path)
        .stdin(Stdio::piped())
        .spawn()
        .expect("there is a shell");
    let mut stdin = writer.stdin.take().expect("it is piped");
    stdin.write_all(format!("#!/bin/sh\n{script}\n").as_bytes()).expect("it reads");
    drop(stdin);
    assert!(writer.wait().expect("it ends").success());
}

pub(super) fn triple(word: &str) -> Triple {
    Target::parse(word).expect("a target").triples.remove(0)
}

/// A Linux that is not this machine.
fn foreign() -> Triple {
    let arm = triple("linux-aarch64");
    if arm.runs_here() { triple("linux-x86_64") } else { arm }
}

fn kind(word: &str, tools: &Tools) -> Kind {
    choose(&triple(word), None, tools).kind
}

#[test]
fn each_target_gets_the_toolchain_that_can_link_it() {
    let machine = Machine::with_rust();
    machine.zig();
    let tools = machine.tools();
    assert_eq!(kind(HOST, &tools), Kind::Cargo);
    assert_eq!(kind("linux-x86_64-gnu.2.17", &tools), Kind::Zigbuild);
    assert_eq!(choose(&foreign(), None, &tools).kind, Kind::Zigbuild);
    if cfg!(target_os = "linux") {
        assert_eq!(kind("windows-x86_64", &tools), Kind::Zigbuild);
        assert_eq!(kind("macos-aarch64", &tools), Kind::Zigbuild);
        let own = format!("linux-{}", std::env::consts::ARCH);
        assert_eq!(kind(&own, &tools), Kind::Zigbuild);
        assert_eq!(kind(&own, &Machine::with_rust().tools()), Kind::Cargo);
    }
    let asked = choose(&triple(HOST), Some(Kind::Cross), &tools);
    assert_eq!((asked.kind, asked.because.as_str()), (Kind::Cross, "asked for"));
}

#[test]
fn cross_is_taken_by_itself_only_where_zig_is_not_and_an_engine_answers() {
    let machine = Machine::with_rust();
    machine.program("cross", "echo 'cross 0.2.5'; echo 'cargo 1.0.0'");
    assert_eq!(choose(&foreign(), None, &machine.tools()).kind, Kind::Zigbuild);
    // A client without a server says nothing, and ends well.
    machine.program("docker", "echo");
    assert_eq!(choose(&foreign(), None, &machine.tools()).kind, Kind::Zigbuild);
    machine.program("podman", "echo 4.3.1");
    let tools = machine.tools();
    let chosen = choose(&foreign(), None, &tools);
    assert_eq!(chosen.kind, Kind::Cross);
    assert_eq!(chosen.versions(&tools), ["cross 0.2.5"]);
    let environment = chosen.invocation(&tools, &machine.site()).environment;
    let podman = machine.path("bin/podman").into_os_string();
    assert!(environment.contains(&("CROSS_CONTAINER_ENGINE".into(), podman)));
    let passed = environment.iter().find(|(name, _)| name == "CROSS_BUILD_ENV_PASSTHROUGH");
    let passed = passed.expect("it is set").1.to_string_lossy().into_owned();
    assert!(passed.contains("SOURCE_DATE_EPOCH") && passed.contains("SWAK_PROFILE"), "{passed}");
    machine.zig();
    assert_eq!(choose(&foreign(), None, &machine.tools()).kind, Kind::Zigbuild);
}

#[test]
fn swaks_own_zig_comes_before_the_one_in_the_path_and_that_before_pythons() {
    let machine = Machine::with_rust();
    let packages = machine.path("python/ziglang");
    let zig = |tools: &Tools| tools.zig().map(|zig| zig.version.clone());
    assert_eq!(zig(&machine.tools()), None);
    machine.program("python3", &format!("echo '{}'", packages.display()));
    assert_eq!(zig(&machine.tools()), None, "a Python without the package");
    script_at(&packages.join("zig"), "echo 1.0.0");
    assert_eq!(zig(&machine.tools()).as_deref(), Some("1.0.0"));
    machine.program("zig", "exit 3");
    assert_eq!(zig(&machine.tools()).as_deref(), Some("1.0.0"), "one that does not run is none");
    machine.program("zig", "echo 2.0.0");
    assert_eq!(zig(&machine.tools()).as_deref(), Some("2.0.0"));
    script_at(&machine.path("tools/lib/python3.11/site-packages/ziglang/zig"), "echo 3.0.0");
    assert_eq!(zig(&machine.tools()).as_deref(), Some("3.0.0"));
}

#[test]
fn the_standard_library_comes_from_rustup_or_from_its_source() {
    let machine = Machine::with_rust();
    let name = foreign().name().to_owned();
    let library = || machine.tools().library(&foreign());
    assert_eq!(library(), Library::Nowhere);
    machine.program("rustup", "echo 'x86_64-fuchsia (installed)'");
    assert_eq!(library(), Library::RustupSource);
    machine.source();
    assert_eq!(library(), Library::Source);
    machine.program("rustup", &format!("echo 'x86_64-fuchsia (installed)'; echo {name}"));
    assert_eq!(library(), Library::Rustup);
    machine.library(&name);
    assert_eq!(library(), Library::Installed);
}

#[test]
fn a_library_from_source_is_said_and_asked_for() {
    let machine = Machine::with_rust();
    machine.zig().source();
    let tools = machine.tools();
    let chosen = choose(&foreign(), None, &tools);
    assert!(chosen.build_std);
    let said = "zigbuild, zig links for every system; the standard library is built from source";
    assert_eq!(chosen.to_string(), said);
    assert_eq!(chosen.check(&tools), Ok(()));
    let invocation = chosen.invocation(&tools, &machine.site());
    let own = foreign();
    let arguments =
        ["zigbuild", "--target", own.name(), "-Zbuild-std=std,panic_abort,panic_unwind"];
    assert_eq!(invocation.arguments, arguments);
    assert!(invocation.environment.contains(&("RUSTC_BOOTSTRAP".into(), "1".into())));
    // The container has a library of its own.
    assert!(!choose(&foreign(), Some(Kind::Cross), &tools).build_std);
}

#[test]
fn zigbuild_is_told_which_zig_and_which_glibc() {
    let machine = Machine::with_rust();
    machine.zig();
    let tools = machine.tools();
    let chosen = choose(&triple("linux-x86_64-gnu.2.17"), None, &tools);
    assert_eq!(chosen.versions(&tools), ["cargo-zigbuild 0.24.0", "zig 0.17.1"]);
    let invocation = chosen.invocation(&tools, &machine.site());
    assert_eq!(invocation.program, machine.path("bin/cargo-zigbuild"));
    assert_eq!(invocation.arguments[2], "x86_64-unknown-linux-gnu.2.17");
    let set = |name: &str| {
        invocation.environment.iter().find(|(n, _)| n == name).map(|(_, value)| value.clone())
    };
    let zig = Some(machine.path("bin/zig").into_os_string());
    assert_eq!(set("CARGO_ZIGBUILD_ZIG_COMMAND"), zig);
    assert_eq!(set("CARGO_ZIGBUILD_ZIG_COMMAND_ARGS"), Some("".into()));
    assert_eq!(set("CARGO_ZIGBUILD_CACHE_DIR"), Some(machine.path("build/zig-0.17.1").into()));
    for name in ["SDKROOT", "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER", "CFLAGS"] {
        assert!(invocation.without.contains(&name.into()), "{name}");
    }
}

#[test]
fn musl_is_linked_by_rusts_own_linker_where_rust_brings_all_that_takes() {
    let machine = Machine::with_rust();
    machine.zig();
    let musl = triple("linux-x86_64");
    let flags = |kind: Kind, triple: &Triple| {
        let invocation = kind.of(&machine.tools()).invocation(triple, &machine.site());
        invocation.flags.join(OsStr::new(" ")).into_string().expect("they are text")
    };
    let mut files = [format!("{HOST}/bin/rust-lld"), format!("{musl}/lib/self-contained/libc.a")]
        .map(|name| machine.path("sysroot/lib/rustlib").join(name));
    files.sort();
    for file in files {
        assert_eq!(flags(Kind::Zigbuild, &musl), "");
        fs::create_dir_all(file.parent().expect("it is in a folder")).expect("made");
        fs::write(file, "").expect("written");
    }
    for kind in [Kind::Zigbuild, Kind::Cargo] {
        let said = flags(kind, &musl);
        assert!(said.starts_with("-Clinker=rust-lld ") && said.contains("relr"), "{said}");
    }
    assert_eq!(flags(Kind::Cross, &musl), "", "a container has its own linker");
    assert_eq!(flags(Kind::Zigbuild, &triple("linux-x86_64-gnu.2.17")), "");
}

#[test]
fn no_build_sees_the_time() {
    let machine = Machine::with_rust();
    let tools = machine.tools();
    for kind in Kind::ALL {
        let invocation = kind.of(&tools).invocation(&triple(HOST), &machine.site());
        let clock = ("SOURCE_DATE_EPOCH".into(), "315532800".into());
        assert!(invocation.environment.contains(&clock), "{kind}");
    }
}

#[test]
fn what_windows_is_linked_with_does_not_depend_on_a_mingw_in_the_path() {
    let machine = Machine::with_rust();
    machine.zig();
    let invocation = Kind::Zigbuild
        .of(&machine.tools())
        .invocation(&triple("x86_64-pc-windows-gnu"), &machine.site());
    let path = invocation.environment.into_iter().find(|(name, _)| name == "PATH");
    let (_, path) = path.expect("it is set");
    let first = std::env::split_paths(&path).next().expect("it has folders");
    let dlltool = fs::read_link(first.join("x86_64-w64-mingw32-dlltool")).expect("a link");
    assert_eq!(dlltool, machine.path("bin/cargo-zigbuild"));
}

#[test]
fn all_that_is_missing_is_one_error_with_every_command() {
    let machine = Machine::with_rust();
    machine.program("python3", "exit 1");
    let own = foreign();
    machine.program("rustup", &format!("echo {}", own.name()));
    let tools = machine.tools();
    let missing = choose(&own, None, &tools).check(&tools).expect_err("much is missing");
    let told =
        missing.diagnostic().render(false).replace(&machine.path("").display().to_string(), "");
    let told: Vec<_> = told.lines().map(str::trim_start).collect();
    let expected = format!(
        "error[toolchain-missing]: {own} cannot be built here: Rust's standard library for {own}, \
         zig, cargo-zigbuild missing\n\
         Rust's standard library for {own}: every executable holds it\n\
         zig: links for the target\n\
         cargo-zigbuild: lets Cargo link with zig\n\
         help: bin/rustup target add {own}\n\
         help: bin/python3 -m venv tools && tools/bin/python -m pip install \
         --disable-pip-version-check ziglang=={ZIG} cargo-zigbuild=={CARGO_ZIGBUILD}\n\
         help: `swak-makebuild doctor --target {own} --fix` runs what can be run"
    );
    assert_eq!(told.join("\n"), expected);
}

#[test]
fn a_toolchain_that_cannot_do_a_target_says_so() {
    let machine = Machine::with_rust();
    machine.program("cross", "echo 'cross 0.2.5'").program("docker", "echo 20.10");
    machine.program("rustup", "exit 0");
    let tools = machine.tools();
    let told = |word: &str, kind: Kind| {
        let chosen = choose(&triple(word), Some(kind), &tools);
        chosen.check(&tools).expect_err(word).diagnostic().render(false)
    };
    let apple = told("macos-aarch64", Kind::Cross);
    assert!(apple.contains("an image for aarch64-apple-darwin: Apple's licence"), "{apple}");
    let glibc = told("linux-x86_64-gnu.2.17", Kind::Cargo);
    assert!(glibc.contains("not 2.17\nhelp: use `toolchain: zigbuild`"), "{glibc}");
    let plain = told("s390x-unknown-linux-gnu", Kind::Cargo);
    assert!(plain.contains("set CARGO_TARGET_S390X_UNKNOWN_LINUX_GNU_LINKER"), "{plain}");
    assert_eq!(choose(&foreign(), Some(Kind::Cross), &tools).check(&tools), Ok(()));
}

#[test]
fn without_rust_or_with_an_old_one_nothing_is_built() {
    let machine = Machine::bare();
    let tools = machine.tools();
    let missing = choose(&triple(HOST), None, &tools).check(&tools).expect_err("nothing is there");
    assert!(missing.to_string().contains("Cargo, Rust, a linker"), "{missing}");
    machine.program("rustc", "echo 'rustc 1.80.0'; echo 'release: 1.80.0'");
    let tools = machine.tools();
    let missing = choose(&triple(HOST), None, &tools).check(&tools).expect_err("it is old");
    let old = missing.missing.iter().find(|need| need.what == "Rust").expect("it is missing");
    assert!(old.why.ends_with("compiles the runtime, this is rustc 1.80.0"), "{}", old.why);
}

#[test]
fn this_machine_has_what_built_this() {
    let tools = Tools::find();
    let chosen = choose(&Triple::host(), None, &tools);
    assert_eq!(chosen.check(&tools), Ok(()));
    assert_eq!(tools.library(&Triple::host()), Library::Installed);
    let rust = tools.rust().expect("it compiled this");
    assert!(rust.version.starts_with("rustc 1."), "{}", rust.version);
    assert!(rust.source_name.starts_with("/rustc/"), "{}", rust.source_name);
}
