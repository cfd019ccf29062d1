//! SHA-256, and `SHA256SUMS` as `sha256sum -c` of the GNU coreutils reads it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

/// What the file of sums is called.
pub const SUMS_FILE: &str = "SHA256SUMS";

/// The SHA-256 of bytes, in lower-case hexadecimal: 64 characters.
pub fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Bytes in lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        write!(out, "{byte:02x}").expect("a string takes what is written to it");
    }
    out
}

/// The new text of `SHA256SUMS`: one line a file, ordered by name.
///
/// `old` is the text that is there now (empty when there is none), `made` the files of this build
/// with their sums. Of the other files that `old` names, those that `stays` says will still be
/// there keep their lines: agents that share a folder share this file. What is no line of a sum is
/// left out.
pub fn merge(
    old: &str,
    made: &BTreeMap<String, String>,
    mut stays: impl FnMut(&str) -> bool,
) -> String {
    let mut sums: BTreeMap<&str, &str> = BTreeMap::new();
    for (name, sum) in old.lines().filter_map(line) {
        if !made.contains_key(name) && stays(name) {
            sums.insert(name, sum);
        }
    }
    sums.extend(made.iter().map(|(name, sum)| (name.as_str(), sum.as_str())));
    let mut out = String::new();
    for (name, sum) in sums {
        writeln!(out, "{sum}  {name}").expect("a string takes what is written to it");
    }
    out
}

/// The files that a text of `SHA256SUMS` names.
pub fn names(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(line).map(|(name, _)| name)
}

/// The name and the sum of a line: 64 hexadecimal digits, a space, a space or `*`, the name. Names
/// that need escapes are none of ours.
fn line(line: &str) -> Option<(&str, &str)> {
    let (sum, name) = line.split_at_checked(64)?;
    let name = name.strip_prefix("  ").or_else(|| name.strip_prefix(" *"))?;
    let good = sum.bytes().all(|b| b.is_ascii_hexdigit()) && !name.is_empty();
    // A name with a folder in it would reach out of this one.
    (good && !name.contains(['/', '\\'])).then_some((name, sum))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn made(files: &[(&str, &[u8])]) -> BTreeMap<String, String> {
        files.iter().map(|(name, bytes)| ((*name).to_owned(), sha256(bytes))).collect()
    }

    #[test]
    fn a_sum_is_that_of_the_standard() {
        // FIPS 180-4, the example of one block.
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256(b"abc"), abc);
    }

    #[test]
    fn lines_of_others_stay_while_their_files_do() {
        let other = merge("", &made(&[("swak-other", b"o"), ("swak-gone", b"g")]), |_| true);
        let old = format!("{other}not a sum\n{}  ../x\n", sha256(b"x"));
        let new = merge(&old, &made(&[("swak-b", b"b"), ("swak-a", b"a")]), |f| f != "swak-gone");
        let expected = format!(
            "{}  swak-a\n{}  swak-b\n{}  swak-other\n",
            sha256(b"a"),
            sha256(b"b"),
            sha256(b"o")
        );
        assert_eq!(new, expected);
        assert_eq!(names(&new).collect::<Vec<_>>(), ["swak-a", "swak-b", "swak-other"]);
        let again = merge(&new, &made(&[("swak-a", b"other")]), |_| true);
        assert_eq!(again, new.replace(&sha256(b"a"), &sha256(b"other")));
    }

    #[test]
    fn the_tool_of_the_system_agrees() {
        let folder = tempfile::tempdir().expect("a folder");
        let files: &[(&str, &[u8])] = &[("swak-a", b"one"), ("swak-b.exe", b"\r\n\0")];
        for (name, bytes) in files {
            std::fs::write(folder.path().join(name), bytes).expect("writable");
        }
        let text = merge("", &made(files), |_| true);
        std::fs::write(folder.path().join(SUMS_FILE), text).expect("writable");
        let done = std::process::Command::new("sha256sum")
            .args(["--check", "--strict", SUMS_FILE])
            .current_dir(folder.path())
            .output()
            .expect("sha256sum is there: apt-get install coreutils");
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }
    proptest! {
        #[test]
        fn what_was_merged_once_stays_as_it_is(old in any::<String>(), name in "[a-z]{1,8}") {
            let own = made(&[(&name, b"x")]);
            let once = merge(&old, &own, |_| true);
            prop_assert_eq!(&merge(&once, &own, |_| true), &once);
            let whole = format!("{}  {name}", sha256(b"x"));
            prop_assert!(once.lines().any(|line| line == whole));
        }
    }
}
