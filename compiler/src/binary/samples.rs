//! Real executables for tests: see `testdata/README.md`.

use std::io::Read as _;

macro_rules! sample {
    ($name:ident, $file:literal) => {
        pub(super) fn $name() -> Vec<u8> {
            unpacked(include_bytes!(concat!("testdata/", $file, ".gz")))
        }
    };
}

sample!(macos_arm, "hello-aarch64-macos");
sample!(macos_intel, "hello-x86_64-macos");
sample!(windows_arm, "hello-aarch64-windows-gnu");
sample!(windows_intel, "hello-x86_64-windows-gnu");
sample!(linux_musl, "hello-x86_64-linux-musl");
sample!(linux_gnu, "hello-x86_64-linux-gnu");

fn unpacked(packed: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(packed).read_to_end(&mut bytes).expect("they are whole");
    bytes
}
