//! What an agent can be built for: an operating system and a processor.

use std::fmt;

use serde::Serialize;
use swak_recipe::diag::did_you_mean;

/// The Rust triple of the machine that this compiler runs on.
pub const HOST: &str = env!("SWAK_HOST");

/// One target: a Rust triple, and the alias that people call it by.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Target {
    /// `linux-x86_64`; the triple again where there is no alias.
    pub alias: String,
    /// `x86_64-unknown-linux-gnu`
    pub triple: String,
}

/// Why a word is not a target that can be built.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// Neither an alias nor a triple.
    #[error("unknown target `{name}`")]
    Unknown {
        /// As it was written.
        name: String,
        /// The nearest word that is one.
        nearest: Option<&'static str>,
    },
    /// A target, but of another machine.
    #[error("`{name}` is not this machine's target")]
    Foreign {
        /// As it was written.
        name: String,
    },
}

impl Target {
    /// This machine's.
    pub fn host() -> Self {
        let alias = ALIASES.iter().find(|a| a.is_for(HOST)).map_or(HOST, |a| a.name);
        Target { alias: alias.to_owned(), triple: HOST.to_owned() }
    }

    /// Reads an alias or a triple.
    ///
    /// # Errors
    /// When it is neither, or when this machine cannot build for it.
    pub fn parse(name: &str) -> Result<Self, TargetError> {
        let host = Target::host();
        if name == host.alias || name == host.triple {
            return Ok(host);
        }
        let known = ALIASES.iter().any(|a| a.name == name || a.triples.contains(&name));
        if known || name == "all" {
            return Err(TargetError::Foreign { name: name.to_owned() });
        }
        let words = ALIASES.iter().flat_map(|a| std::iter::once(&a.name).chain(a.triples));
        Err(TargetError::Unknown {
            name: name.to_owned(),
            nearest: did_you_mean(name, words.copied()),
        })
    }

    /// What an executable's file name ends in: `.exe` or nothing.
    pub fn exe_suffix(&self) -> &'static str {
        if self.triple.contains("-windows-") { ".exe" } else { "" }
    }
}

impl TargetError {
    /// What to do about it.
    pub fn help(&self) -> String {
        let host = Target::host();
        match self {
            TargetError::Unknown { nearest: Some(word), .. } => format!("did you mean `{word}`?"),
            TargetError::Unknown { nearest: None, .. } => {
                let names: Vec<_> = ALIASES.iter().map(|a| a.name).collect();
                format!("the targets are: {}", names.join(", "))
            }
            TargetError::Foreign { .. } => format!(
                "this machine's is `{}`: name only that one, or leave `targets` out; run the \
                 same command on a machine of the other kind for the other",
                host.alias
            ),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.alias == self.triple {
            f.write_str(&self.triple)
        } else {
            write!(f, "{} ({})", self.alias, self.triple)
        }
    }
}

struct Alias {
    name: &'static str,
    triples: &'static [&'static str],
}

impl Alias {
    fn is_for(&self, triple: &str) -> bool {
        self.triples.contains(&triple)
    }
}

/// Every alias with the triples that it can stand for.
static ALIASES: &[Alias] = &[
    Alias {
        name: "linux-x86_64",
        triples: &["x86_64-unknown-linux-musl", "x86_64-unknown-linux-gnu"],
    },
    Alias {
        name: "linux-aarch64",
        triples: &["aarch64-unknown-linux-musl", "aarch64-unknown-linux-gnu"],
    },
    Alias { name: "windows-x86_64", triples: &["x86_64-pc-windows-gnu", "x86_64-pc-windows-msvc"] },
    Alias {
        name: "windows-aarch64",
        triples: &["aarch64-pc-windows-gnullvm", "aarch64-pc-windows-msvc"],
    },
    Alias { name: "macos-x86_64", triples: &["x86_64-apple-darwin"] },
    Alias { name: "macos-aarch64", triples: &["aarch64-apple-darwin"] },
    Alias { name: "macos-universal", triples: &["universal2-apple-darwin"] },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_answers_to_alias_and_triple() {
        let host = Target::host();
        assert_eq!(Target::parse(&host.alias), Ok(host.clone()));
        assert_eq!(Target::parse(HOST), Ok(host));
    }

    #[test]
    fn another_machine_is_refused_with_this_machines_alias() {
        let other = ALIASES.iter().find(|a| !a.is_for(HOST)).expect("more than one alias");
        let error = Target::parse(other.name).expect_err("not this machine");
        assert!(matches!(error, TargetError::Foreign { .. }));
        assert!(error.help().contains(&Target::host().alias));
    }

    #[test]
    fn an_unknown_target_is_guessed_or_the_list_is_given() {
        let error = Target::parse("linux-x86-64").expect_err("unknown");
        assert_eq!(error.help(), "did you mean `linux-x86_64`?");
        let error = Target::parse("plan9").expect_err("unknown");
        assert!(error.help().contains("macos-aarch64"), "{}", error.help());
        Target::parse(&"x".repeat(1_000_000)).expect_err("and soon");
    }
}
