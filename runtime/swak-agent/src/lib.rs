//! The command line of a Swak agent.

mod about;

use std::process::ExitCode;

use swak_sdk::Plugins;

pub use about::{About, EmbeddedRecipe};

/// What an agent's `main` calls: registers the plugins and does what the command line says.
pub fn main(about: About, register: impl FnOnce(&mut Plugins)) -> ExitCode {
    let mut plugins = Plugins::new();
    register(&mut plugins);
    tracing::debug!(name = about.name, version = about.version, "registered the plugins");
    ExitCode::SUCCESS
}
