//! What a build wrote into its agent: name, versions, target, hashes.
//!
//! An agent holds one line of them, as its build script wrote it:
//! `<swak-facts 1>{"name":"swak-myprj",…}</swak-facts>`. The agent strips the tags with code that
//! holds them too, so that they also stand alone in the file: the facts are where JSON of this form
//! stands between two tags.

use std::collections::BTreeMap;

use memchr::memmem;
use serde::{Deserialize, Serialize};

/// What stands before the JSON.
pub const OPEN: &str = "<swak-facts 1>";
/// What stands after it.
pub const CLOSE: &str = "</swak-facts>";

/// What a build wrote into its agent. Fields that a newer compiler may add are skipped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// The agent's name: `swak-myprj`.
    pub name: String,
    /// Its version, as the build config says it.
    pub version: String,
    /// The version of the runtime in it.
    pub swak: String,
    /// The Rust triple that it was built for.
    pub target: String,
    /// The tools that built it, with their versions.
    pub toolchain: String,
    /// How it was compiled: `release`.
    pub profile: String,
    /// The plugin crates in it, with their versions.
    pub plugins: BTreeMap<String, String>,
    /// The SHA-256 of the build config, in hexadecimal digits.
    pub config_sha256: String,
    /// The SHA-256 of the lock, in hexadecimal digits.
    pub lock_sha256: String,
}

/// The facts in a file; `None` when it is no agent.
pub fn read(bytes: &[u8]) -> Option<Facts> {
    found(bytes).map(|(facts, _)| facts)
}

/// The facts in a file as they stand there: JSON, with fields that [`Facts`] may not know.
pub fn raw(bytes: &[u8]) -> Option<&str> {
    found(bytes).map(|(_, json)| json)
}

/// Looks no farther for a closing tag than to the next opening one, so that a file full of opening
/// tags is read once.
fn found(bytes: &[u8]) -> Option<(Facts, &str)> {
    let open = memmem::Finder::new(OPEN);
    let close = memmem::Finder::new(CLOSE);
    let mut rest = &bytes[open.find(bytes)? + OPEN.len()..];
    loop {
        let next = open.find(rest);
        let piece = &rest[..next.unwrap_or(rest.len())];
        if let Some(json) = json(piece, &close) {
            return Some(json);
        }
        rest = &rest[next? + OPEN.len()..];
    }
}

fn json<'a>(piece: &'a [u8], close: &memmem::Finder<'_>) -> Option<(Facts, &'a str)> {
    // Most tags that stand alone are followed by something else.
    let piece = Some(piece).filter(|p| p.first() == Some(&b'{'))?;
    let text = std::str::from_utf8(&piece[..close.find(piece)?]).ok()?;
    Some((serde_json::from_str(text).ok()?, text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const JSON: &str = r#"{"name":"swak-myprj","version":"1.4.0","swak":"0.1.0","target":"x86_64-pc-windows-gnu","toolchain":"rustc 1.95.0","profile":"release","plugins":{"swak-plugin-std":"0.1.0"},"config_sha256":"c0","lock_sha256":"10","later":[1]}"#;

    #[test]
    fn facts_are_found_behind_tags_that_stand_alone() {
        let line = format!("{OPEN}{JSON}{CLOSE}\n");
        for before in
            ["", OPEN, CLOSE, "<swak-facts 1></swak-facts>", "<swak-facts 1>{</swak-facts>"]
        {
            for after in ["", OPEN, CLOSE] {
                let mut bytes = before.as_bytes().to_vec();
                bytes.extend_from_slice(b"\0\xff");
                bytes.extend_from_slice(line.as_bytes());
                bytes.extend_from_slice(after.as_bytes());
                assert_eq!(raw(&bytes), Some(JSON), "{before} {after}");
                let facts = read(&bytes).expect("the same");
                assert_eq!(facts.name, "swak-myprj");
                assert_eq!(facts.plugins["swak-plugin-std"], "0.1.0");
            }
        }
    }

    #[test]
    fn what_is_no_agent_has_none() {
        let unclosed = format!("{OPEN}{JSON}");
        let other = format!("{OPEN}{}{CLOSE}", r#"{"name":"x"}"#);
        for text in ["", OPEN, CLOSE, unclosed.as_str(), other.as_str()] {
            assert_eq!(read(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn a_file_full_of_tags_is_read_once() {
        // With a search to the end from each tag, this would take hours.
        assert_eq!(read(format!("{OPEN}{{").repeat(1 << 20).as_bytes()), None);
    }

    proptest! {
        #[test]
        fn facts_come_back_as_they_were(before: Vec<u8>, version: String, at: usize, bit in 0..8u32) {
            let facts = Facts { version, ..serde_json::from_str(JSON).expect("facts") };
            let json = serde_json::to_string(&facts).expect("plain data");
            let mut bytes = before;
            bytes.extend_from_slice(format!("{OPEN}{json}{CLOSE}").as_bytes());
            if !facts.version.contains(CLOSE) && !facts.version.contains(OPEN) {
                prop_assert_eq!(read(&bytes), Some(facts));
            }
            let at = at % bytes.len();
            bytes[at] ^= 1u8 << bit;
            read(&bytes);
        }
    }
}
