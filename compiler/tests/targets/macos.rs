//! Agents for macOS, which cannot be run here: what a reader of such files that is not ours, LIEF,
//! says of them.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::built::dist;
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

/// What LIEF and Python say.
fn read(file: &Path) -> Value {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/targets/readers/macho.py");
    let ran = Command::new("python3").arg(script).arg(file).output().expect("Python can be run");
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{} cannot be read:\n{said}", file.display());
    serde_json::from_slice(&ran.stdout).expect("JSON")
}

fn texts(list: &Value) -> Vec<String> {
    let list = list.as_array().expect("a list");
    list.iter().map(|text| text.as_str().expect("text").to_owned()).collect()
}
