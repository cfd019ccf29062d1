//! What a reader of executables that is not ours, LIEF, says of them. It is all that is known of
//! those for macOS, which cannot be run here.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::built::{NAME, dist};
use crate::delivered::inspect;

#[test]
fn macos_x86_64_is_what_macos_takes() {
    // Rust's own: <https://doc.rust-lang.org/rustc/platform-support/apple-darwin.html>.
    is_what_macos_takes("macos-x86_64", "X86_64", "10.12");
}

#[test]
fn macos_aarch64_is_what_macos_takes() {
    // The first macOS for this processor.
    is_what_macos_takes("macos-aarch64", "ARM64", "11.0");
}

fn is_what_macos_takes(target: &str, processor: &str, minimum: &str) {
    let file = dist(target);
    let seen = read(&file);
    assert_eq!(seen["processor"], processor);
    assert_eq!(seen["type"], "EXECUTE");
    assert_eq!(seen["position_independent"], true);
    assert_eq!(seen["minimum_system"], minimum);
    // macOS kills what has no signature or a wrong one; on aarch64 without any word.
    let sound = json!({
        "ad_hoc": true,
        "covers_all_before_it": true,
        "is_the_end_of_the_file": true,
        "wrong_pages": 0,
    });
    assert_eq!(seen["signature"], sound);
    let libraries = texts(&seen["libraries"]);
    assert!(!libraries.is_empty());
    for library in &libraries {
        let systems = ["/usr/lib/", "/System/Library/"].iter().any(|f| library.starts_with(f));
        assert!(systems, "{library} does not come with macOS");
    }
    assert_eq!(texts(&inspect(&file)["libraries"]), libraries, "`inspect` sees other libraries");
}

#[test]
fn windows_x86_64_loads_what_comes_with_windows_and_says_its_version() {
    let file = dist("windows-x86_64.exe");
    let seen = read(&file);
    assert_eq!(seen["processor"], "AMD64");
    assert_eq!(seen["type"], "WINDOWS_CUI");
    assert_eq!(seen["position_independent"], true);
    let libraries = texts(&seen["libraries"]);
    for library in &libraries {
        // The C library of the system's own is behind names that begin so:
        // <https://learn.microsoft.com/windows/win32/apiindex/windows-apisets>.
        let name = library.to_ascii_lowercase();
        let known =
            ["kernel32", "ntdll", "ws2_32", "userenv", "advapi32", "bcrypt", "bcryptprimitives"];
        let systems =
            name.starts_with("api-ms-win-") || known.iter().any(|k| name == format!("{k}.dll"));
        assert!(systems, "{library} does not come with Windows");
    }
    assert_eq!(seen["version"]["ProductName"], NAME);
    assert_eq!(seen["version"]["ProductVersion"], "0.1.0");
    assert_eq!(seen["version"]["OriginalFilename"], format!("{NAME}.exe"));
}

#[test]
fn those_for_linux_load_nothing() {
    for (target, processor) in [("linux-x86_64", "X86_64"), ("linux-aarch64", "AARCH64")] {
        let seen = read(&dist(target));
        assert_eq!(seen["processor"], processor);
        assert_eq!(seen["libraries"], json!([]), "{target}");
        assert_eq!(seen["interpreter"], false, "{target}");
    }
}

/// What LIEF and Python say.
fn read(file: &Path) -> Value {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/targets/readers/executable.py");
    let ran = Command::new("python3").arg(script).arg(file).output().expect("Python can be run");
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{} cannot be read:\n{said}", file.display());
    serde_json::from_slice(&ran.stdout).expect("JSON")
}

fn texts(list: &Value) -> Vec<String> {
    let list = list.as_array().expect("a list");
    list.iter().map(|text| text.as_str().expect("text").to_owned()).collect()
}
