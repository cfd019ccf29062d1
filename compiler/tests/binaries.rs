//! What is changed in executables, seen by a tool that is not ours: `rcodesign`, of the crate
//! `apple-codesign`.
//!
//! Of a signature without a certificate, `rcodesign verify` says in every case that there is none:
//! `no cryptographic signature present` where a linker signed, which leaves the place of the
//! certificate out; `CMS error: missing further values` where it is empty, as `codesign` and
//! `rcodesign sign` leave it, and as ours is. Whatever else it says is a fault.

use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::process::Command;

use swak_makebuild::binary::macho::{sign, universal};

const NO_CERTIFICATE: &str = "CMS error: missing further values (at position 0)";

#[test]
#[ignore = "needs rcodesign: `cargo install apple-codesign --locked` takes ten minutes or more"]
fn rcodesign_finds_our_signatures_valid() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let check = |name: &str, bytes: &[u8]| {
        let file = folder.path().join(name);
        fs::write(&file, bytes).expect("written");
        verify(&file)
    };
    let mut parts = Vec::new();
    for processor in ["x86_64", "aarch64"] {
        let signed = sign(&sample(processor), "swak-myprj").expect("it has room");
        assert_eq!(check(processor, &signed), [NO_CERTIFICATE]);
        // The tool does look at the pages: the second one is changed.
        let mut changed = signed.clone();
        changed[0x1600] ^= 1;
        let told = check("changed", &changed);
        assert!(told.iter().any(|line| line.starts_with("code digest mismatch")), "{told:?}");
        parts.push(signed);
    }
    let file = universal::join(&parts).expect("two processors");
    let each = [0, 1].map(|part| format!("@{part}: {NO_CERTIFICATE}"));
    assert_eq!(check("universal", &file), each);
}

/// What `rcodesign` finds wrong, line by line.
fn verify(file: &Path) -> Vec<String> {
    let ran = Command::new("rcodesign").arg("verify").arg(file).output();
    let ran = ran.expect("rcodesign is in the path");
    let told = String::from_utf8(ran.stdout).expect("text");
    told.lines().map(str::to_owned).collect()
}

/// An executable that has not our signature yet.
fn sample(processor: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/binary/testdata");
    let packed = fs::read(folder.join(format!("hello-{processor}-macos.gz"))).expect("it is there");
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(&packed[..]).read_to_end(&mut bytes).expect("it is whole");
    bytes
}
