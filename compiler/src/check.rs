//! The recipe that is built in, checked against the plugins before Cargo compiles them.

use std::cell::LazyCell;
use std::collections::BTreeMap;
use std::ops::Deref;
use std::path::PathBuf;

use swak_recipe::check::{Later, SpecList, check};
use swak_recipe::diag::{Diagnostic, Diagnostics, SourceFile};
use swak_sdk::options::PluginSpec;

use crate::names::CrateName;
use crate::resolve::{Plan, Recipe, Source};
use crate::scan::{Scanned, scan};

/// What the check found out.
#[derive(Clone, Debug, Default)]
pub struct Checked {
    /// What is worth a look although everything can run, as people read it.
    pub warnings: Vec<String>,
    /// The plugins that the crates declare, by crate: `in.FileTailing`. A crate that could not be
    /// read whole is not in it.
    pub declared: BTreeMap<CrateName, Vec<String>>,
}

/// Checks the recipe of a plan against the plugins that these libraries declare. A plugin that is
/// not found counts as a mistake only when the plan is whole and every crate of it could be read
/// whole.
///
/// # Errors
/// Every mistake in the recipe; two crates that have a plugin of one name.
pub fn recipe(
    plan: &Plan,
    whole: bool,
    libraries: &BTreeMap<CrateName, PathBuf>,
) -> Result<Checked, Diagnostics> {
    let scanned: BTreeMap<&CrateName, Scanned> =
        libraries.iter().map(|(name, library)| (name, scan(library))).collect();
    let complete = whole
        && plan.plugins.iter().all(|p| scanned.get(&p.name).is_some_and(|s| s.gaps.is_empty()));
    let mut found = clashes(&scanned);
    let mut warnings = Vec::new();
    if let Some(recipe) = &plan.recipe {
        let specs = scanned.values().flat_map(|s| s.plugins.iter().cloned()).collect();
        match one_recipe(recipe, specs) {
            Ok(list) => warnings = list,
            Err(errors) => {
                // Read once, and only when a plugin was not found.
                let beside = LazyCell::new(|| plugins_beside(plan));
                let about = |e| about_unknown(e, plan, complete, &beside);
                found.extend(errors.into_iter().filter_map(about));
            }
        }
    }
    if plan.recipe.is_some() {
        warnings.extend(scanned.iter().flat_map(|(name, s)| unread(name, s)));
    }
    let declared = scanned
        .into_iter()
        .filter(|(_, s)| s.gaps.is_empty())
        .map(|(name, s)| (name.clone(), s.plugins.iter().map(PluginSpec::path).collect()))
        .collect();
    // Warnings that came with errors are shown with them; alone they are none.
    match Diagnostics::from_vec(found) {
        Some(errors) if errors.has_errors() => Err(errors),
        Some(left) => {
            warnings.extend(left.iter().map(|w| w.render(false)));
            Ok(Checked { warnings, declared })
        }
        None => Ok(Checked { warnings, declared }),
    }
}

/// What of a crate could not be read, and what follows from it.
fn unread(name: &CrateName, scanned: &Scanned) -> Vec<String> {
    let told = scanned.gaps.iter().map(|gap| {
        let message =
            format!("`{name}` could not be read whole: {} {}", gap.file.display(), gap.why);
        Diagnostic::warning("crate-unread", message)
            .help("what the recipe asks of its plugins is checked only when the agent runs")
            .render(false)
    });
    told.collect()
}

/// The recipe by itself. What `env` and `option` will say is known only where the agent runs.
fn one_recipe(recipe: &Recipe, specs: Vec<PluginSpec>) -> Result<Vec<String>, Diagnostics> {
    let source = SourceFile::new(recipe.path.display().to_string(), recipe.text.clone());
    let checked = check(&source, &SpecList(specs), &Later)?;
    Ok(checked.warnings.iter().map(|w| w.render(false)).collect())
}

/// A plugin that was not found may be in a crate that could not be read; or in one that lies beside
/// the runtime and was not imported, which is worth saying.
fn about_unknown(
    error: Diagnostic,
    plan: &Plan,
    complete: bool,
    beside: &impl Deref<Target = BTreeMap<String, String>>,
) -> Option<Diagnostic> {
    if error.code != "unknown-plugin" {
        return Some(error);
    }
    if !complete {
        return None;
    }
    let path = match (&error.source, &error.primary) {
        (Some(source), Some(label)) => source.slice(label.span).to_owned(),
        _ => return Some(error),
    };
    match beside.get(&path) {
        Some(name) => {
            let config = plan.config.display();
            let mut error = error;
            error.help = vec![format!("it is in `{name}`: add that to `import` in {config}")];
            Some(error)
        }
        None => Some(error),
    }
}

/// The plugins that the crates beside the runtime declare, with the crate of each.
fn plugins_beside(plan: &Plan) -> BTreeMap<String, String> {
    let Source::Path { path: root } = &plan.runtime.source else { return BTreeMap::new() };
    let Ok(entries) = std::fs::read_dir(root.join("plugins")) else { return BTreeMap::new() };
    let mut plugins = BTreeMap::new();
    for folder in entries.filter_map(|entry| Some(entry.ok()?.path())) {
        let name = folder.file_name().and_then(|n| CrateName::new(n.to_str()?).ok());
        let library = folder.join("src/lib.rs");
        if let (Some(name), true) = (name, library.is_file()) {
            let specs = scan(&library).plugins;
            plugins.extend(specs.iter().map(|spec| (spec.path(), name.to_string())));
        }
    }
    plugins
}

/// Plugins that two crates declare: an agent can hold one of them.
fn clashes(scanned: &BTreeMap<&CrateName, Scanned>) -> Vec<Diagnostic> {
    let mut first: BTreeMap<String, &CrateName> = BTreeMap::new();
    let mut found = Vec::new();
    for (name, scanned) in scanned {
        for spec in &scanned.plugins {
            match first.insert(spec.path(), name) {
                Some(other) if other != *name => found.push(
                    Diagnostic::error(
                        "plugin-clash",
                        format!("`{}` is in `{other}` and in `{name}`", spec.path()),
                    )
                    .help("an agent can hold one of them: import one of the crates"),
                ),
                _ => {}
            }
        }
    }
    found
}
