//! As much of the agent as the compiler's own tests need: `list --json`.

use std::process::ExitCode;

use swak_sdk::Plugins;

pub struct About {
    pub name: &'static str,
    pub version: &'static str,
    pub recipe: Option<EmbeddedRecipe>,
    pub facts: &'static str,
}

pub struct EmbeddedRecipe {
    pub name: &'static str,
    pub text: &'static str,
}

pub fn main(about: About, register: impl FnOnce(&mut Plugins)) -> ExitCode {
    let mut plugins = Plugins::default();
    register(&mut plugins);
    if std::env::args().nth(1).as_deref() == Some("facts") {
        println!("{}", about.facts);
        return ExitCode::SUCCESS;
    }
    if std::env::args().nth(1).as_deref() != Some("list") {
        let recipe = about.recipe.map_or("none", |r| r.name);
        println!("{} {} recipe {recipe}", about.name, about.version);
        return ExitCode::SUCCESS;
    }
    let crates: Vec<_> = plugins
        .crates
        .iter()
        .map(|(name, version)| format!(r#"{{"name":"{name}","version":"{version}"}}"#))
        .collect();
    let plugins: Vec<_> = plugins
        .plugins
        .iter()
        .map(|(path, krate)| format!(r#"{{"plugin":"{path}","crate":"{krate}"}}"#))
        .collect();
    println!(r#"{{"crates":[{}],"plugins":[{}]}}"#, crates.join(","), plugins.join(","));
    ExitCode::SUCCESS
}
