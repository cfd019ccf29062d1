//! Real executables for tests: see `testdata/README.md`.

use std::io::Read as _;

macro_rules! sample {
    ($name:ident, $file:literal) => {
        pub(crate) fn $name() -> Vec<u8> {
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

/// Hands `take` the bytes as they are, cut off at every length up to `head`, and with every byte up
/// to `head` changed in several ways: whatever it does, it must not panic.
pub(crate) fn damaged(bytes: &[u8], head: usize, mut take: impl FnMut(&[u8])) {
    let head = head.min(bytes.len());
    for end in 0..head {
        take(&bytes[..end]);
    }
    let mut changed = bytes.to_vec();
    for at in 0..head {
        for byte in [0, 1, 0x7f, 0xff, bytes[at].wrapping_add(0x10)] {
            changed[at] = byte;
            take(&changed);
        }
        changed[at] = bytes[at];
    }
}
