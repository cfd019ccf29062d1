//! `doctor` on a machine that lacks things, and after it got them.
//!
//! The machine is a folder of programs that answer as the real ones do: `rustup` and `pip` get what
//! they are asked for without a network.

#![cfg(unix)]

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

const RUSTC: &str = "case $1 in
-vV) echo 'rustc 1.999.0 (abc 2030-01-01)'; echo 'release: 1.999.0';;
*) echo ROOT/sysroot;;
esac";

const RUSTUP: &str = "case $2 in
list) echo s390x-unknown-linux-gnu;;
add) echo \"getting $3\"; /bin/mkdir -p ROOT/sysroot/lib/rustlib/$3/lib/libstd.rlib;;
esac";

/// `python3 -m venv FOLDER` makes a Python whose `-m pip install` makes the two programs.
const PYTHON: &str = r#"[ "$1 $2" = "-m venv" ] || exit 1
/bin/mkdir -p "$3/bin"
/bin/cat > "$3/bin/python" <<'END'
#!/bin/sh
[ "$1 $2 $3" = "-m pip install" ] || exit 1
for wanted in "$@"; do
    case $wanted in
    ziglang==*)
        folder=ROOT/tools/lib/python3.11/site-packages/ziglang; program=$folder/zig
        answer=${wanted#*==};;
    cargo-zigbuild==*)
        folder=ROOT/tools/bin; program=$folder/cargo-zigbuild; answer="cargo-zigbuild ${wanted#*==}";;
    *) continue;;
    esac
    /bin/mkdir -p $folder
    printf '#!/bin/sh\necho %s\n' "'$answer'" > $program
    /bin/chmod 755 $program
    echo "got $wanted"
done
END
/bin/chmod 755 "$3/bin/python""#;

struct Machine {
    root: TempDir,
}

impl Machine {
    fn new() -> Self {
        let machine = Machine { root: tempfile::tempdir().expect("a folder") };
        machine.program("rustc", RUSTC);
        machine.program("cargo", "echo cargo 1.999.0");
        machine.program("cc", "exit 1");
        machine.program("rustup", RUSTUP);
        machine
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// Written by another process: while this one has the file open, a thread beside it that starts
    /// something hands that on, and the file cannot be run.
    fn program(&self, name: &str, script: &str) {
        let file = self.path("bin").join(name);
        fs::create_dir_all(self.path("bin")).expect("made");
        let root = self.root.path().display().to_string();
        let script = format!("#!/bin/sh\n{}", script.replace("ROOT", &root));
        let written = Command::new("/bin/sh")
            .args(["-c", "printf '%s\\n' \"$1\" > \"$0\" && chmod 755 \"$0\""])
            .arg(file)
            .arg(script)
            .status();
        assert!(written.expect("there is a shell").success());
    }

    fn doctor(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_swak-makebuild"))
            .arg("doctor")
            .args(arguments)
            .env_clear()
            .env("PATH", self.path("bin"))
            .env("HOME", self.path("home"))
            .env("SWAK_TOOLS", self.path("tools"))
            .current_dir(self.root.path())
            .output()
            .expect("the command can be run")
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn missing(answer: &Value) -> Vec<&str> {
    let needs = answer["targets"][0]["needs"].as_array().expect("a list");
    let missing = |need: &&Value| need["found"].is_null() && need["optional"] == false;
    needs.iter().filter(missing).filter_map(|need| need["what"].as_str()).collect()
}

#[test]
fn what_is_missing_is_told_then_got_and_then_all_is_well() {
    let machine = Machine::new();
    machine.program("python3", PYTHON);
    let target = ["--target", "s390x-unknown-linux-gnu"];

    let told = machine.doctor(&target);
    assert_eq!(told.status.code(), Some(1));
    let said = text(&told.stdout);
    assert!(said.contains("  missing  zig: "), "{said}");
    assert!(said.contains("rustup target add s390x-unknown-linux-gnu\n"), "{said}");
    assert!(text(&told.stderr).contains("`--fix`"), "{}", text(&told.stderr));
    assert!(!machine.path("tools").exists() && !machine.path("home").exists(), "it only looks");

    let fixed = machine.doctor(&[target[0], target[1], "--fix"]);
    let (said, words) = (text(&fixed.stdout), text(&fixed.stderr));
    assert_eq!(fixed.status.code(), Some(0), "{said}{words}");
    assert!(said.contains("getting s390x-unknown-linux-gnu\n"), "{said}");
    assert!(said.contains("got ziglang==") && said.contains("got cargo-zigbuild=="), "{said}");
    assert!(words.contains("+ ") && words.contains("-m venv"), "{words}");
    assert!(!said.contains("missing"), "{said}");

    let again = machine.doctor(&[target[0], target[1], "--fix", "--json"]);
    assert_eq!(again.status.code(), Some(0));
    assert_eq!(text(&again.stderr), "", "nothing is done where nothing is missing");
    let answer: Value = serde_json::from_slice(&again.stdout).expect("JSON");
    assert_eq!(answer["ready"], true);
    assert_eq!(answer["targets"][0]["toolchains"][0]["kind"], "zigbuild");
    assert!(missing(&answer).is_empty(), "{answer}");
}

#[test]
fn the_rust_of_the_build_configs_folder_is_looked_at_and_mended() {
    let machine = Machine::new();
    // As rustup does it: what is meant depends on the folder.
    machine.program("rustc", &format!("[ -e pinned ] || exit 1\n{RUSTC}"));
    machine.program("rustup", &format!("[ -e pinned ] || exit 1\n{RUSTUP}"));
    machine.program("python3", PYTHON);
    fs::create_dir(machine.path("project")).expect("made");
    fs::write(machine.path("project/pinned"), "").expect("written");
    let config = "name: x\ntargets: [s390x-unknown-linux-gnu]\n";
    fs::write(machine.path("project/x-build.yml"), config).expect("written");
    let fixed = machine.doctor(&["project/x-build.yml", "--fix"]);
    let (said, words) = (text(&fixed.stdout), text(&fixed.stderr));
    assert_eq!(fixed.status.code(), Some(0), "{said}{words}");
    assert!(said.contains("getting s390x-unknown-linux-gnu\n"), "{said}");
}

#[test]
fn a_fix_that_fails_is_told_and_the_rest_is_still_done() {
    let machine = Machine::new();
    machine.program("python3", "echo 'no venv here' >&2; exit 1");
    let target = ["--target", "s390x-unknown-linux-gnu", "--fix", "--json"];
    let fixed = machine.doctor(&target);
    assert_eq!(fixed.status.code(), Some(1));
    let words = text(&fixed.stderr);
    assert!(words.contains("no venv here") && words.contains("failed: exit status: 1"), "{words}");
    let answer: Value = serde_json::from_slice(&fixed.stdout).expect("JSON and nothing else");
    assert_eq!(missing(&answer), ["zig", "cargo-zigbuild"], "the library was got");
}

#[test]
fn the_targets_of_a_build_config_are_meant() {
    let machine = Machine::new();
    let config = "name: x\ntargets: [s390x-unknown-linux-gnu]\n";
    fs::write(machine.path("x-build.yml"), config).expect("written");
    let told = machine.doctor(&["x-build.yml", "--json"]);
    assert_eq!(told.status.code(), Some(1));
    let answer: Value = serde_json::from_slice(&told.stdout).expect("JSON");
    let targets = answer["targets"].as_array().expect("a list");
    assert_eq!(targets.len(), 1);
    assert_eq!(targets[0]["target"], "s390x-unknown-linux-gnu");
}
