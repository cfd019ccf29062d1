//! Builds every build config for this machine, and asks the agents that come out.
//!
//! One that names targets is left to the tests in `compiler/tests/targets`, and to `cargo ci release`.

use std::env::consts::EXE_SUFFIX;
use std::fs;
use std::path::{Path, PathBuf};

use super::Check;
use crate::context::{Context, Result};

pub(super) const CHECK: Check =
    Check { name: "e2e", what: "every build config gives an agent that works", run };

/// Where the build configs and their recipes are.
const FOLDER: &str = "build-configs";

fn run(cx: &Context) -> Result {
    let mut configs = cx.files(FOLDER, "-build.yml")?;
    configs.retain(|config| !cx.read(config).is_ok_and(|text| text.contains("targets:")));
    if configs.is_empty() {
        return Err(format!("there is no build config in {FOLDER}/").into());
    }
    for config in configs {
        let agent = build(cx, &config)?;
        ask(cx, &agent, &["version"])?;
        ask(cx, &agent, &["list"])?;
        for recipe in recipes(&config)? {
            ask(cx, &agent, &["check", &cx.shown(&recipe)])?;
        }
    }
    Ok(())
}

/// Builds an agent and gives its path.
fn build(cx: &Context, config: &Path) -> Result<PathBuf> {
    let shown = cx.shown(config);
    cx.cargo(&["run", "--quiet", "--package", "swak-makebuild", "--", &shown])?;
    let name = config.file_name().unwrap_or_default().to_string_lossy();
    let stem = name.strip_suffix("-build.yml").unwrap_or(&name);
    // The one without a name is `swak` itself.
    let file = match stem {
        "swak" => format!("swak{EXE_SUFFIX}"),
        _ => format!("swak-{stem}{EXE_SUFFIX}"),
    };
    let agent = cx.root.join("dist").join(file);
    match agent.is_file() {
        true => Ok(agent),
        false => Err(format!("`{shown}` left no {}", cx.shown(&agent)).into()),
    }
}

/// The recipes that belong to a build config: `myprj*.swak` beside `myprj-build.yml`.
fn recipes(config: &Path) -> Result<Vec<PathBuf>> {
    let name = config.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let stem = name.strip_suffix("-build.yml").unwrap_or(&name);
    let folder = config.parent().unwrap_or(Path::new("."));
    let entries = fs::read_dir(folder)
        .map_err(|error| format!("cannot read `{}`: {error}", folder.display()))?;
    let mut found: Vec<_> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with(stem) && (name.ends_with(".swak") || name.ends_with(".swak.py"))
        })
        .collect();
    found.sort();
    Ok(found)
}

fn ask(cx: &Context, agent: &Path, args: &[&str]) -> Result {
    cx.run(cx.command(&agent.display().to_string(), args))
}
