//! `version`: what this agent is and what is in it.

use swak_sdk::Plugins;

use super::Result;
use crate::cli::VersionArgs;
use crate::facts::Facts;
use crate::{About, Console};

/// How much of a hash people are shown, in characters: enough to tell two apart.
const SHORT_HASH: usize = 12;

pub(super) fn run(
    args: &VersionArgs,
    about: &About,
    plugins: &Plugins,
    console: &mut Console<'_>,
) -> Result {
    let facts = Facts::of(about, plugins);
    match args.json {
        true => console.print_json(&facts.to_json()),
        false => console.print(&as_text(&facts, about)),
    }
}

fn as_text(facts: &Facts, about: &About) -> String {
    let mut text = format!("{} {}\n", facts.name, facts.version);
    let mut line = |key: &str, value: &str| text.push_str(&format!("{key:<9}  {value}\n"));
    line("swak", &facts.swak);
    line("target", &facts.target);
    let hash = |hash: &Option<String>| {
        hash.as_ref()
            .map(|hash| format!("sha256 {}", hash.chars().take(SHORT_HASH).collect::<String>()))
    };
    let recipe = about.recipe.map(|recipe| recipe.name.to_owned());
    for (key, value) in [
        ("toolchain", facts.toolchain.clone()),
        ("profile", facts.profile.clone()),
        ("recipe", recipe),
        ("config", hash(&facts.config_sha256)),
        ("lock", hash(&facts.lock_sha256)),
    ] {
        if let Some(value) = value {
            line(key, &value);
        }
    }
    for (name, version) in &facts.plugins {
        line("plugins", &format!("{name} {version}"));
    }
    text
}
