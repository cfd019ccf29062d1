//! Compilers for the C that some crates bring.
//!
//! Rust brings what it links for musl, and no C compiler. Crates compile their C with the crate `cc`,
//! which finds one by variables and by name (<https://docs.rs/cc>).

use std::env;

use super::find::Tools;
use super::need::{Fix, Need};
use super::python;
use crate::target::Triple;

/// What `cc` says when the compiler that it looks for is not there, in its versions.
const NOT_FOUND: [&str; 2] = ["failed to find tool", "Failed to find tool"];

/// A C compiler for musl, for plain Cargo: with zig there is one, and plain Cargo is not taken.
pub(super) fn for_musl(tools: &Tools, triple: &Triple) -> Need {
    let why = "crates that bring C take one, as those for TLS do: swak-plugin-fluentd has one";
    let variable = variables(triple.name())
        .into_iter()
        .find(|name| env::var_os(name).is_some_and(|value| !value.is_empty()));
    let program = names(triple).into_iter().find_map(|name| tools.program(&name));
    let packages = "install zig, or a C compiler for musl: `apt-get install musl-tools`";
    Need::new(format!("a C compiler for {triple}"), why)
        .found(variable.or_else(|| program.map(|program| program.display().to_string())))
        .or(python::install(tools).unwrap_or_else(|| Fix::words(packages)))
        .optional()
}

/// Whether a build has failed for want of a C compiler, by what was said.
pub(crate) fn is_missing(words: &str) -> bool {
    NOT_FOUND.iter().any(|said| words.contains(said))
}

/// The variables in which it looks, but for `CC`: a compiler for this machine may be in that.
fn variables(triple: &str) -> [String; 3] {
    let under = triple.replace(['-', '.'], "_");
    [format!("CC_{triple}"), format!("CC_{under}"), "TARGET_CC".to_owned()]
}

/// The programs for which it looks.
fn names(triple: &Triple) -> Vec<String> {
    let processor = triple.processor();
    let mut names = vec![format!("{processor}-linux-musl-gcc")];
    if processor == "x86_64" {
        names.push("musl-gcc".to_owned());
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cc_says_is_known() {
        for words in [
            "error occurred in cc-rs: failed to find tool \"x86_64-linux-musl-gcc\": No such file or \
             directory (os error 2)",
            "error occurred: Failed to find tool. Is `x86_64-linux-musl-gcc` installed?",
        ] {
            assert!(is_missing(words), "{words}");
        }
        assert!(!is_missing("error: linking with `cc` failed"));
    }

    #[test]
    fn it_is_looked_for_as_cc_does() {
        let name = "x86_64-unknown-linux-musl";
        assert_eq!(
            variables(name)[..2],
            ["CC_x86_64-unknown-linux-musl", "CC_x86_64_unknown_linux_musl"]
        );
    }
}
