//! Windows, as far as Wine is it.
//!
//! The Wine of Debian 12 is 8.0. It lacks the library that Rust's standard library has its random
//! numbers from, and it cannot send Ctrl-Break; both are made up for by two small programs in C,
//! which zig compiles.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::built::{self, once};

/// What is written to the standard input of [`on_a_leash`] for Ctrl-Break.
pub(crate) const BREAK: &[u8] = b"b";

/// Where Debian and its kin put it, whether or not they have it in the path.
const WINE: &str = "/usr/lib/wine/wine64";

/// The library that is missing, found beside the executable.
const LIBRARY: &str = "bcryptprimitives.dll";
const LEASH: &str = "leash.exe";

/// Puts what an agent takes beside it.
pub(crate) fn furnish(folder: &Path) {
    let tools = tools();
    for name in [LIBRARY, LEASH] {
        built::link(&tools.join(name), &folder.join(name));
    }
}

/// Runs a program for Windows.
pub(crate) fn command(program: &Path) -> Command {
    let mut command = wine(&home());
    command.arg(program);
    command
}

/// Starts a program of a folder so that it can be given Ctrl-Break, and ends it when the standard
/// input of what starts it ends. The program's exit status is the one of what starts it.
pub(crate) fn on_a_leash(folder: &Path, program: &str) -> Command {
    let mut command = command(&folder.join(LEASH));
    command.arg(program).current_dir(folder).env_remove("SWAK_LOG");
    command
}

fn wine(home: &Path) -> Command {
    let mut command = Command::new(WINE);
    // Wine's own words are not the agent's.
    command.env("WINEPREFIX", home).env("WINEDEBUG", "-all").env_remove("DISPLAY");
    command
}

/// The folder with Wine's drive C and registry, made when it is not there.
fn home() -> PathBuf {
    let home = built::work().join("wine");
    once("wine.made", &home.display().to_string(), || {
        assert!(
            Path::new(WINE).exists(),
            "{WINE} is not there: `cargo ci setup` installs what these tests need"
        );
        fs::create_dir_all(&home).expect("a folder for Wine");
        let mut boot = wine(&home);
        boot.args(["wineboot", "--init"]).stdin(Stdio::null());
        // Nobody waits for what goes on running for some seconds after this.
        boot.stdout(Stdio::null()).stderr(Stdio::null());
        assert!(boot.status().expect("Wine can be run").success(), "Wine cannot make {home:?}");
    });
    home
}

/// The folder with the two programs, compiled when they are not there.
fn tools() -> PathBuf {
    let folder = built::work().join("wine-tools");
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/targets/wine");
    let read = |name: &str| fs::read_to_string(sources.join(name)).expect("a source");
    let (library, leash) = ("bcryptprimitives.c", "leash.c");
    once("wine-tools.made", &(read(library) + &read(leash)), || {
        fs::create_dir_all(&folder).expect("a folder for the tools");
        let tools = swak_makebuild::toolchain::Tools::find();
        let zig = tools.zig_program().expect("zig is there: `cargo ci setup` installs it");
        let headers = library_of(zig).join("libc/include/any-windows-any");
        let console = ["-Wl,--subsystem,console", "-Wl,--entry=mainCRTStartup"];
        for (source, program, kind) in
            [(library, LIBRARY, &["-shared"][..]), (leash, LEASH, &console[..])]
        {
            let mut compile = Command::new(zig);
            compile.args(["cc", "-target", "x86_64-windows-gnu", "-O1", "-nostdlib"]);
            compile.args(kind).arg("-isystem").arg(&headers).arg("-o").arg(folder.join(program));
            compile.arg(sources.join(source)).args(["-lkernel32", "-ladvapi32"]);
            let ran = compile.output().expect("zig can be run");
            let said = String::from_utf8_lossy(&ran.stderr);
            assert!(ran.status.success(), "{source} does not compile:\n{said}");
        }
    });
    folder
}

/// Where zig has its headers: `.lib_dir = "/usr/lib/zig",` among what it says of itself.
fn library_of(zig: &Path) -> PathBuf {
    let ran = Command::new(zig).arg("env").output().expect("zig can be run");
    let said = String::from_utf8(ran.stdout).expect("UTF-8");
    let after = said.split_once("lib_dir").expect("zig says where its headers are").1;
    after.split('"').find(|part| Path::new(part).is_absolute()).expect("a folder").into()
}
