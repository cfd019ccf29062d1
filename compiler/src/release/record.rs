//! `swak-myprj.build.json`: what was built, from what, with what, and how long it took.
//!
//! It holds times, so it is the one file in `dist/` that differs from one build to the next of the
//! same input. For that reason it has no line in `SHA256SUMS`: the sums of two builds of one input
//! are the same bytes, and comparing that one file is enough to compare two releases.

use std::collections::BTreeMap;
use std::time::Duration;

use semver::Version;
use serde::{Deserialize, Serialize};

/// The version of this form; a field that is added does not change it.
pub const RECORD_FORMAT: u32 = 1;

/// The record of a build. Serialized with serde, it is the file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// [`RECORD_FORMAT`].
    pub format: u32,
    /// The agent: `swak-myprj`.
    pub name: String,
    /// Its version.
    pub version: Version,
    /// The version of Swak's runtime in it.
    pub swak: Version,
    /// The plugin crates in it, with their versions.
    pub plugins: BTreeMap<String, Version>,
    /// What compiled it, as `rustc --version` says.
    pub rustc: String,
    /// The SHA-256 of the build config.
    pub config_sha256: String,
    /// The SHA-256 of the lock.
    pub lock_sha256: String,
    /// `release`, `small` or `debug`.
    pub profile: String,
    /// What was made, in the order of the build config.
    pub targets: Vec<TargetRecord>,
    /// How long the whole build took, in seconds.
    pub seconds: f64,
}

/// One target in a [`Record`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TargetRecord {
    /// `linux-x86_64`
    pub name: String,
    /// The Rust triples in it, a glibc after a dot.
    pub triples: Vec<String>,
    /// What linked it, with versions: `cargo-zigbuild 0.24.0, zig 0.17.1`.
    pub toolchain: String,
    /// The executable's file name.
    pub file: String,
    /// Its size.
    pub bytes: u64,
    /// Its SHA-256.
    pub sha256: String,
    /// How it was made sure that it holds what it should.
    pub checked: Checked,
    /// How long it took to compile, in seconds; what targets share counts for the first.
    pub seconds: f64,
}

/// How an executable was checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Checked {
    /// It was run on the machine that built it.
    Run,
    /// It was run under an emulator: its name, such as `qemu-aarch64` or `wine`.
    Emulated(String),
    /// It was not run: its headers and the facts in it were read.
    Read,
}

impl Record {
    /// The bytes of the file: JSON with one field a line.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec_pretty(self).expect("a record is plain data");
        bytes.push(b'\n');
        bytes
    }
}

/// A time in seconds, as a record has it: to a hundredth.
pub fn seconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_reads_back() {
        let target = TargetRecord {
            name: "linux-aarch64".to_owned(),
            triples: vec!["aarch64-unknown-linux-musl".to_owned()],
            toolchain: "cargo-zigbuild 0.24.0, zig 0.17.1".to_owned(),
            file: "swak-myprj-linux-aarch64".to_owned(),
            bytes: 3_000_000,
            sha256: "0".repeat(64),
            checked: Checked::Emulated("qemu-aarch64".to_owned()),
            seconds: seconds(Duration::from_micros(12_345_678)),
        };
        let record = Record {
            format: RECORD_FORMAT,
            name: "swak-myprj".to_owned(),
            version: Version::new(1, 4, 0),
            swak: Version::new(0, 1, 0),
            plugins: BTreeMap::from([("swak-plugin-std".to_owned(), Version::new(0, 1, 0))]),
            rustc: "rustc 1.95.0 (59807616e 2026-04-14)".to_owned(),
            config_sha256: "1".repeat(64),
            lock_sha256: "2".repeat(64),
            profile: "release".to_owned(),
            targets: vec![target],
            seconds: 20.0,
        };
        let bytes = record.to_bytes();
        let text = String::from_utf8(bytes.clone()).expect("JSON is UTF-8");
        assert!(text.contains("\"seconds\": 12.35"), "{text}");
        assert!(text.contains("\"emulated\": \"qemu-aarch64\""), "{text}");
        assert_eq!(serde_json::from_slice::<Record>(&bytes).expect("reads"), record);
    }
}
