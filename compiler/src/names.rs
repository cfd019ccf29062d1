//! Names that become file names, package names and Rust identifiers.
//!
//! A value of these types was checked: it is ASCII letters, digits, `-` and `_`, so it can stand in
//! a path, in TOML, in a script and in Rust source as it is. Nothing else that a person wrote may.

use std::fmt;

use serde::Serialize;

/// What every agent's file name begins with.
const AGENT_PREFIX: &str = "swak";
/// What every plugin crate's name begins with.
const PLUGIN_PREFIX: &str = "swak-plugin-";
/// The longest name that is taken, in bytes: what crates.io allows.
const LONGEST: usize = 64;

/// The name of an agent: `myprj`, or none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct AgentName(Option<String>);

impl AgentName {
    /// Checks a name.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn new(name: &str) -> Result<Self, NameError> {
        check_word(name)?;
        let lower = name.to_ascii_lowercase();
        if is_windows_device(&lower) {
            return Err(NameError::Device);
        }
        if OWN_CRATES.contains(&lower.as_str()) || lower.starts_with("plugin-") {
            return Err(NameError::OwnCrate { package: format!("{AGENT_PREFIX}-{lower}") });
        }
        Ok(AgentName(Some(name.to_owned())))
    }

    /// As the build config says it; `None` when it was left out.
    pub fn given(&self) -> Option<&str> {
        self.0.as_deref()
    }

    /// The package and the executable without its suffix: `swak-myprj`, or `swak`.
    pub fn package(&self) -> String {
        match &self.0 {
            Some(name) => format!("{AGENT_PREFIX}-{name}"),
            None => AGENT_PREFIX.to_owned(),
        }
    }

    /// The build script without its suffix: `myprj-build`, or `swak-build`.
    pub fn script(&self) -> String {
        format!("{}-build", self.0.as_deref().unwrap_or(AGENT_PREFIX))
    }
}

/// The name of a plugin crate: `swak-plugin-fluentd`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CrateName(String);

impl CrateName {
    /// Checks a name.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn new(name: &str) -> Result<Self, NameError> {
        check_word(name)?;
        match name.strip_prefix(PLUGIN_PREFIX) {
            None => Err(NameError::NotAPlugin),
            Some(rest) if rest.starts_with(|c: char| c.is_ascii_alphanumeric()) => {
                Ok(CrateName(name.to_owned()))
            }
            Some(_) => Err(NameError::NotAPlugin),
        }
    }

    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// As Rust source names the crate: `swak_plugin_fluentd`.
    pub fn ident(&self) -> proc_macro2::Ident {
        proc_macro2::Ident::new(&self.0.replace('-', "_"), proc_macro2::Span::call_site())
    }

    /// Equal for names that a registry holds to be the same.
    pub fn key(&self) -> String {
        self.0.to_ascii_lowercase().replace('_', "-")
    }
}

/// Why a name cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing is there.
    #[error("the name is empty")]
    Empty,
    /// A character that has no place in a name.
    #[error("{} is not allowed in a name", show_char(*.0))]
    Character(char),
    /// Begins with `-` or `_`.
    #[error("a name begins with a letter or a digit")]
    Start,
    /// Longer than 64 characters.
    #[error("the name has {0} characters, {LONGEST} is the most")]
    Long(usize),
    /// `con`, `nul` and their like.
    #[error("Windows keeps this name for a device")]
    Device,
    /// Would be called like a crate of the runtime.
    #[error("`{package}` is the name of a crate of Swak itself")]
    OwnCrate {
        /// The package that the name would make.
        package: String,
    },
    /// Does not begin with `swak-plugin-`.
    #[error("a plugin crate's name begins with `{PLUGIN_PREFIX}`")]
    NotAPlugin,
}

impl NameError {
    /// What to do about it.
    pub fn help(&self) -> &'static str {
        match self {
            NameError::Empty | NameError::Character(_) | NameError::Start => {
                "use ASCII letters, digits, `-` and `_`, beginning with a letter or a digit"
            }
            NameError::Long(_) => "use a shorter name",
            NameError::Device | NameError::OwnCrate { .. } => "use another name",
            NameError::NotAPlugin => "write it as `swak-plugin-NAME`",
        }
    }
}

impl fmt::Display for CrateName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for CrateName {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl Serialize for AgentName {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

/// The crates of this repository that are not plugins, without `swak-`: an agent called like one
/// of them would be a package that depends on its own name.
const OWN_CRATES: [&str; 9] =
    ["agent", "buffer", "ci", "engine", "macros", "makebuild", "recipe", "sdk", "test"];

fn check_word(name: &str) -> Result<(), NameError> {
    let Some(first) = name.chars().next() else { return Err(NameError::Empty) };
    let wrong = |c: &char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    if let Some(c) = name.chars().find(wrong) {
        return Err(NameError::Character(c));
    }
    if !first.is_ascii_alphanumeric() {
        return Err(NameError::Start);
    }
    if name.len() > LONGEST {
        return Err(NameError::Long(name.len()));
    }
    Ok(())
}

fn is_windows_device(lower: &str) -> bool {
    let numbered = |prefix: &str| {
        lower
            .strip_prefix(prefix)
            .is_some_and(|n| n.len() == 1 && n.starts_with(|c: char| c.is_ascii_digit()))
    };
    matches!(lower, "con" | "prn" | "aux" | "nul") || numbered("com") || numbered("lpt")
}

fn show_char(c: char) -> String {
    match c {
        ' ' => "a space".to_owned(),
        '`' => "a backtick".to_owned(),
        c => format!("`{}`", c.escape_debug()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn agent_error(name: &str) -> NameError {
        AgentName::new(name).expect_err("a bad name")
    }

    #[test]
    fn an_agent_is_called_by_its_name() {
        let name = AgentName::new("myprj").expect("a good name");
        assert_eq!(name.package(), "swak-myprj");
        assert_eq!(name.script(), "myprj-build");
        assert_eq!(AgentName::default().package(), "swak");
        assert_eq!(AgentName::default().script(), "swak-build");
    }

    #[test]
    fn bad_agent_names_say_why() {
        assert_eq!(agent_error(""), NameError::Empty);
        assert_eq!(agent_error("../x"), NameError::Character('.'));
        assert_eq!(agent_error("a\nb"), NameError::Character('\n'));
        assert_eq!(agent_error("a\"b"), NameError::Character('"'));
        assert_eq!(agent_error("스왴"), NameError::Character('스'));
        assert_eq!(agent_error("-x"), NameError::Start);
        assert_eq!(agent_error(&"x".repeat(65)), NameError::Long(65));
        for device in ["con", "NUL", "Com1", "lpt9"] {
            assert_eq!(agent_error(device), NameError::Device, "{device}");
        }
        assert!(matches!(agent_error("SDK"), NameError::OwnCrate { .. }));
        assert!(matches!(agent_error("plugin-std"), NameError::OwnCrate { .. }));
        AgentName::new("com10").expect("not a device");
    }

    #[test]
    fn a_plugin_crate_has_the_prefix() {
        let name = CrateName::new("swak-plugin-My_x").expect("a good name");
        assert_eq!(name.ident().to_string(), "swak_plugin_My_x");
        assert_eq!(name.key(), "swak-plugin-my-x");
        for bad in ["serde", "swak-plugin-", "swak-plugin--x", "swak_plugin_x"] {
            assert_eq!(CrateName::new(bad), Err(NameError::NotAPlugin), "{bad}");
        }
    }

    #[test]
    fn the_reserved_names_are_the_crates_of_this_repository() {
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../runtime");
        let Ok(folders) = std::fs::read_dir(root) else { return };
        for folder in folders {
            let name = folder.expect("readable").file_name().into_string().expect("ASCII");
            let short = name.strip_prefix("swak-").expect("a runtime crate");
            assert!(OWN_CRATES.contains(&short), "{name} is not in OWN_CRATES");
        }
    }

    proptest! {
        #[test]
        fn a_name_that_passes_is_safe_everywhere(name in any::<String>()) {
            if let Ok(agent) = AgentName::new(&name) {
                let package = agent.package();
                prop_assert!(
                    package.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
                );
                prop_assert!(std::path::Path::new(&package).components().count() == 1);
            }
        }

        #[test]
        fn a_crate_that_passes_is_an_identifier(rest in "[ -~]{0,12}") {
            if let Ok(name) = CrateName::new(&format!("swak-plugin-{rest}")) {
                prop_assert!(syn::parse_str::<syn::Ident>(&name.ident().to_string()).is_ok());
            }
        }
    }
}
