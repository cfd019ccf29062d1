//! From what is written to what can run: every mistake of a recipe in one pass.
//!
//! Names are replaced by what they stand for, values are answered, each step is held against the
//! catalog, then the tasks against each other. A mistake in one place does not hide those in
//! others; what cannot be told because of an earlier mistake is left out, not guessed.

mod catalog;
mod destinations;
mod environment;
mod failover;
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
    if let Some(found) = wrong_spelling(source, spelling) {
        return Err(found.in_source(source).into());
    }
    let (script, mut found) = parse(source, spelling);
    // After these a part of the text was read as something else: what seems to be missing may be
    // there.
    let misread = found
        .iter()
        .any(|d| matches!(d.code, "unclosed-string" | "unclosed-bracket" | "unmatched-bracket"));
    let syntax_is_sound = !found.iter().any(|d| d.severity == Severity::Error);
    let Checked { recipe, found: mut more, secrets } =
        Checker::new(spelling, catalog, environment).recipe(&script, syntax_is_sound);
    if misread {
        more.retain(|d| !ABSENCES.contains(&d.code));
    }
    found.append(&mut more);
    // A mistake shows the line that it is on, and what is secret may stand on it too.
    let shown = source.masked(&secrets);
    let found =
        found.into_iter().map(|d| Diagnostic { source: Some(shown.clone()), ..d }).collect();
    let found = Diagnostics::from_vec(found);
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

/// Mistakes that say that something is not there.
const ABSENCES: [&str; 8] = [
    "nothing-after-input",
    "no-output",
    "missing-option",
    "missing-argument",
    "empty-task",
    "input-missing",
    "failover-empty",
    "tee-empty",
];

/// One mistake instead of many, when the file's name promises the other spelling.
fn wrong_spelling(source: &SourceFile, spelling: Spelling) -> Option<Diagnostic> {
    let text = source.text();
    let first = text.lines().map(str::trim).find(|l| !l.is_empty() && !l.starts_with('#'))?;
    let at = first.as_ptr() as usize - text.as_ptr() as usize;
    let (what, help) = match spelling {
        Spelling::Python if first.starts_with("tasks:") => {
            ("this recipe is written in YAML", "end the file's name in .yml")
        }
        Spelling::Yaml if first.starts_with("task(") => {
            ("this recipe is written in Python's call syntax", "end the file's name in .swak")
        }
        _ => return None,
    };
    let word = Span::new(at, at + if spelling == Spelling::Python { 6 } else { 5 });
    Some(Diagnostic::error("wrong-spelling", what).at(word, "").help(help))
}

/// When so many mistakes were found, no further task, step or name is looked at.
const ENOUGH: usize = 1000;

/// What came of checking.
struct Checked {
    recipe: Option<Recipe>,
    found: Vec<Diagnostic>,
    /// The places of values that are shown nowhere.
    secrets: Vec<Span>,
}

/// What is known while one recipe is checked.
struct Checker<'a> {
    catalog: &'a dyn Catalog,
    environment: &'a dyn Environment,
    spelling: Spelling,
    /// Whether the task that is being read has a place for rejected records.
    dead_letter: bool,
    /// The catalog by path: `in.FileTailing`.
    specs: HashMap<String, &'a PluginSpec>,
    found: Vec<Diagnostic>,
    /// Places whose text came from the environment: it may be meant as a number.
    from_environment: HashSet<Span>,
    /// Places whose value is not known before the recipe runs.
    later: HashSet<Span>,
    secrets: Vec<Span>,
}

impl<'a> Checker<'a> {
    fn new(spelling: Spelling, catalog: &'a dyn Catalog, environment: &'a dyn Environment) -> Self {
        let specs = catalog.specs().into_iter().map(|spec| (spec.path(), spec)).collect();
        Checker {
            catalog,
            environment,
            spelling,
            dead_letter: false,
            specs,
            found: Vec::new(),
            from_environment: HashSet::new(),
            later: HashSet::new(),
            secrets: Vec::new(),
        }
    }

    /// What to write, in the spelling of the recipe.
    fn spelled(&self, python: &'static str, yaml: &'static str) -> &'static str {
        match self.spelling {
            Spelling::Python => python,
            Spelling::Yaml => yaml,
        }
    }

    fn has_enough(&self) -> bool {
        self.found.len() >= ENOUGH
    }

    fn recipe(mut self, script: &Script, complete: bool) -> Checked {
        let errors_before =
            |found: &[Diagnostic]| found.iter().any(|d| d.severity == Severity::Error);
        let script = inline(script, complete, &mut self.found);
        let tasks = self.tasks(&script, complete);
        // Which links there are is known only when every task could be read.
        if complete && !errors_before(&self.found) {
            links::check(&tasks, self.spelling, &mut self.found);
            self.destinations(&tasks);
        }
        let sound = complete && !errors_before(&self.found);
        Checked {
            recipe: sound.then_some(Recipe { tasks, warnings: Vec::new() }),
            found: self.found,
            secrets: self.secrets,
        }
    }
}
