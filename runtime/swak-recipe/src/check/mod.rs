//! From what is written to what can run: every mistake of a recipe in one pass.
//!
//! Names are replaced by what they stand for, values are answered, each step is held against the
//! catalog, then the tasks against each other. A mistake in one place does not hide those in
//! others; what cannot be told because of an earlier mistake is left out, not guessed.

mod catalog;
mod environment;
mod flow;
mod links;
mod names;
mod options;
mod params;
mod plugin;
mod task;
mod values;

use std::collections::{HashMap, HashSet};

pub use catalog::{Catalog, SpecList, check_values};
pub use environment::{Environment, Later, ProcessEnvironment, to_literal};
pub use names::inline;

use swak_sdk::options::PluginSpec;

use crate::diag::{Diagnostic, Diagnostics, Severity, SourceFile, Span};
use crate::model::Recipe;
use crate::syntax::{Script, Spelling};

/// The words that are called without a package.
pub const FLOW_WORDS: [&str; 8] =
    ["task", "failover", "tee", "when", "sleep", "link", "env", "option"];

/// Reads and checks a recipe; its name tells its spelling, see [`Spelling::of`].
///
/// # Errors
///
/// Every mistake in it, by place. Warnings alone are no failure: they are in
/// [`Recipe::warnings`].
pub fn check(
    source: &SourceFile,
    catalog: &dyn Catalog,
    environment: &dyn Environment,
) -> Result<Recipe, Diagnostics> {
    check_as(source, Spelling::of(source.name()), catalog, environment)
}

/// Reads and checks a recipe whose spelling is known. For text without a name, such as standard
/// input, [`Spelling::guess`] tells it.
///
/// # Errors
///
/// As [`check`].
pub fn check_as(
    source: &SourceFile,
    spelling: Spelling,
    catalog: &dyn Catalog,
    environment: &dyn Environment,
) -> Result<Recipe, Diagnostics> {
    let (script, mut found) = parse(source, spelling);
    let syntax_is_sound = !found.iter().any(|d| d.severity == Severity::Error);
    let (recipe, mut more) = Checker::new(catalog, environment).recipe(&script, syntax_is_sound);
    found.append(&mut more);
    let found = Diagnostics::from_vec(found).map(|d| d.in_source(source));
    match (recipe, found) {
        (Some(mut recipe), None) => {
            recipe.warnings = Vec::new();
            Ok(recipe)
        }
        (Some(mut recipe), Some(warnings)) if !warnings.has_errors() => {
            recipe.warnings = warnings.into_vec();
            Ok(recipe)
        }
        (_, Some(found)) => Err(found),
        (None, None) => unreachable!("a recipe is refused only with a reason"),
    }
}

/// Reads a recipe of a known spelling without checking what it means.
pub fn parse(source: &SourceFile, spelling: Spelling) -> (Script, Vec<Diagnostic>) {
    match spelling {
        Spelling::Python => crate::python::parse(source),
        Spelling::Yaml => crate::yaml_recipe::parse(source),
    }
}

/// What is known while one recipe is checked.
struct Checker<'a> {
    catalog: &'a dyn Catalog,
    environment: &'a dyn Environment,
    /// The catalog by path: `in.FileTailing`.
    specs: HashMap<String, &'a PluginSpec>,
    found: Vec<Diagnostic>,
    /// Places whose text came from the environment: it may be meant as a number.
    from_environment: HashSet<Span>,
    /// Places whose value is not known before the recipe runs.
    later: HashSet<Span>,
}

impl<'a> Checker<'a> {
    fn new(catalog: &'a dyn Catalog, environment: &'a dyn Environment) -> Self {
        let specs = catalog.specs().into_iter().map(|spec| (spec.path(), spec)).collect();
        Checker {
            catalog,
            environment,
            specs,
            found: Vec::new(),
            from_environment: HashSet::new(),
            later: HashSet::new(),
        }
    }

    fn recipe(mut self, script: &Script, complete: bool) -> (Option<Recipe>, Vec<Diagnostic>) {
        let errors_before =
            |found: &[Diagnostic]| found.iter().any(|d| d.severity == Severity::Error);
        let script = inline(script, &mut self.found);
        let tasks = self.tasks(&script, complete);
        // Which links there are is known only when every task could be read.
        if complete && !errors_before(&self.found) {
            links::check(&tasks, &mut self.found);
        }
        let sound = complete && !errors_before(&self.found);
        (sound.then_some(Recipe { tasks, warnings: Vec::new() }), self.found)
    }
}
