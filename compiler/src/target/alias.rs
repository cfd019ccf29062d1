//! The names that people call targets by.

use super::HOST;

/// Every triple that Rust knows, as the compiler that built this one lists them.
static TRIPLES: &[&str] = &include!(concat!(env!("OUT_DIR"), "/triples.rs"));

/// An alias, the triples it stands for, and whether `all` has it.
struct Alias {
    name: &'static str,
    triples: &'static [&'static str],
    in_all: bool,
}

const fn alias(name: &'static str, triples: &'static [&'static str], in_all: bool) -> Alias {
    Alias { name, triples, in_all }
}

/// Linux without a word about its libc is musl, which runs on every Linux.
static ALIASES: &[Alias] = &[
    alias("linux-x86_64", &["x86_64-unknown-linux-musl"], true),
    alias("linux-aarch64", &["aarch64-unknown-linux-musl"], true),
    alias("linux-x86_64-gnu", &["x86_64-unknown-linux-gnu"], false),
    alias("linux-aarch64-gnu", &["aarch64-unknown-linux-gnu"], false),
    alias("linux-armv7", &["armv7-unknown-linux-musleabihf"], false),
    alias("windows-x86_64", &["x86_64-pc-windows-gnu"], true),
    alias("windows-aarch64", &["aarch64-pc-windows-gnullvm"], true),
    alias("macos-x86_64", &["x86_64-apple-darwin"], true),
    alias("macos-aarch64", &["aarch64-apple-darwin"], true),
    alias("macos-universal", &["x86_64-apple-darwin", "aarch64-apple-darwin"], false),
];

/// On Windows, the alias of this machine's processor is what the machine's own linker makes.
fn is_own(alias: &Alias) -> bool {
    let own = |triple: &&str| {
        HOST.ends_with("-windows-msvc") && triple.contains("-windows-") && {
            HOST.split('-').next() == triple.split('-').next()
        }
    };
    alias.triples.iter().any(own)
}

/// The triples of an alias, or the triple itself.
pub(super) fn triples(name: &str) -> Option<Vec<&'static str>> {
    if let Some(alias) = ALIASES.iter().find(|a| a.name == name) {
        return Some(if is_own(alias) { vec![HOST] } else { alias.triples.to_vec() });
    }
    TRIPLES.iter().find(|t| **t == name).map(|t| vec![*t])
}

/// The alias of a triple.
pub(super) fn of(triple: &str) -> Option<&'static str> {
    let one = |a: &&Alias| match a.triples {
        [own] => *own == triple || (triple == HOST && is_own(a)),
        _ => false,
    };
    ALIASES.iter().find(one).map(|a| a.name)
}

/// The aliases that `all` stands for.
pub(super) fn all() -> impl Iterator<Item = &'static str> {
    ALIASES.iter().filter(|a| a.in_all).map(|a| a.name)
}

/// Every word that is a target.
pub(super) fn words() -> impl Iterator<Item = &'static str> {
    ALIASES.iter().map(|a| a.name).chain(["all"]).chain(TRIPLES.iter().copied())
}

/// The aliases, to be shown.
pub(super) fn list() -> String {
    let names: Vec<_> = ALIASES.iter().map(|a| a.name).chain(["all"]).collect();
    names.join(", ")
}
