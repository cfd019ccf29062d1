//! What was built, from what and with what, as `version` tells it.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use swak_sdk::Plugins;

use crate::About;

/// The version of the runtime that the agent was built on.
const RUNTIME: &str = env!("CARGO_PKG_VERSION");

/// The target triple that the agent was built for.
const TARGET: &str = env!("SWAK_TARGET");

/// What stands before and after the JSON in [`About::facts`].
const TAGS: (&str, &str) = ("<swak-facts 1>", "</swak-facts>");

/// What was built, from what and with what. What is not known is `None`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Facts {
    /// The name of the executable, without an extension.
    pub(crate) name: String,
    /// The version that the build config gives.
    pub(crate) version: String,
    /// The version of the runtime.
    pub(crate) swak: String,
    /// The target triple.
    pub(crate) target: String,
    /// The compiler, and what linked for it.
    pub(crate) toolchain: Option<String>,
    /// The profile of the build config: `release`, `small`, `debug`.
    pub(crate) profile: Option<String>,
    /// The plugin crates and their versions.
    pub(crate) plugins: BTreeMap<String, String>,
    /// The SHA-256 of the build config, in hexadecimal.
    pub(crate) config_sha256: Option<String>,
    /// The SHA-256 of the lock, in hexadecimal.
    pub(crate) lock_sha256: Option<String>,
}

impl Facts {
    /// What the build wrote into the agent. Where it wrote nothing, as under a `main.rs` written by
    /// hand, what the agent knows of itself.
    pub(crate) fn of(about: &About, plugins: &Plugins) -> Self {
        Facts::read(about.facts).unwrap_or_else(|| Facts {
            name: about.name.to_owned(),
            version: about.version.to_owned(),
            swak: RUNTIME.to_owned(),
            target: TARGET.to_owned(),
            toolchain: None,
            profile: None,
            plugins: plugins
                .crates()
                .iter()
                .map(|krate| (krate.name.clone(), krate.version.clone()))
                .collect(),
            config_sha256: None,
            lock_sha256: None,
        })
    }

    /// As `version --json` tells them: every key is there, `null` for what is not known.
    pub(crate) fn to_json(&self) -> Value {
        json!({
            "name": self.name,
            "version": self.version,
            "swak": self.swak,
            "target": self.target,
            "toolchain": self.toolchain,
            "profile": self.profile,
            "plugins": self.plugins,
            "config_sha256": self.config_sha256,
            "lock_sha256": self.lock_sha256,
        })
    }

    fn read(line: &str) -> Option<Self> {
        let json = line.trim().strip_prefix(TAGS.0)?.strip_suffix(TAGS.1)?;
        let facts: Value = serde_json::from_str(json).ok()?;
        let text = |key: &str| facts.get(key)?.as_str().map(str::to_owned);
        let version =
            |(name, version): (&String, &Value)| Some((name.clone(), version.as_str()?.to_owned()));
        Some(Facts {
            name: text("name")?,
            version: text("version")?,
            swak: text("swak")?,
            target: text("target")?,
            toolchain: text("toolchain"),
            profile: text("profile"),
            plugins: facts
                .get("plugins")?
                .as_object()?
                .iter()
                .map(version)
                .collect::<Option<_>>()?,
            config_sha256: text("config_sha256"),
            lock_sha256: text("lock_sha256"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = r#"<swak-facts 1>{"name":"swak-a","version":"2.0.0","swak":"0.1.0","target":"x86_64-pc-windows-gnu","toolchain":"rustc 1.95.0","profile":"small","plugins":{"swak-plugin-b":"0.4.0"},"config_sha256":"c0","lock_sha256":"10"}</swak-facts>"#;

    fn about(facts: &'static str) -> About {
        About { name: "swak-x", version: "1.0.0", recipe: None, facts }
    }

    fn plugins() -> Plugins {
        let mut plugins = Plugins::new();
        plugins.add_crate("swak-plugin-x", "0.3.0", |_| {});
        plugins
    }

    #[test]
    fn what_the_build_wrote_is_told_as_it_stands() {
        let json = LINE.trim_start_matches(TAGS.0).trim_end_matches(TAGS.1);
        let written: Value = serde_json::from_str(json).unwrap();
        assert_eq!(Facts::of(&about(LINE), &plugins()).to_json(), written);
    }

    #[test]
    fn without_what_the_build_wrote_the_agent_tells_what_it_knows() {
        for facts in
            ["", "<swak-facts 1>", "<swak-facts 1>{}</swak-facts>", "<swak-facts 1>{</swak-facts>"]
        {
            let known = Facts::of(&about(facts), &plugins());
            assert_eq!(
                (known.name.as_str(), known.version.as_str()),
                ("swak-x", "1.0.0"),
                "{facts}"
            );
            assert_eq!((known.swak.as_str(), known.target.as_str()), (RUNTIME, TARGET));
            assert_eq!(known.plugins["swak-plugin-x"], "0.3.0");
            assert_eq!(known.to_json()["toolchain"], Value::Null);
        }
    }
}
