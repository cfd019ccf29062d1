//! Which crates make up each target, as Cargo tells it, and whether their licences are allowed.

use std::collections::BTreeMap;
use std::path::Path;
use std::thread;

use swak_recipe::diag::{Diagnostic, Diagnostics, Severity};

use super::cargo;
use super::error::{BuildError, Failure};
use super::sources::{Crates, run};
use super::{Options, Silent};
use crate::release::graph::{Edges, Graph, Trees, tree_arguments};
use crate::resolve::Plan;
use crate::target::{Target, Triple};

/// The crates of each triple, by its name: a glibc makes another executable of the same crates.
pub(super) struct Graphs {
    by_triple: BTreeMap<String, Graph>,
}

impl Graphs {
    /// Asks Cargo, for all triples at once.
    pub(super) fn ask(
        plan: &Plan,
        options: &Options,
        folder: &Path,
        crates: &Crates,
    ) -> Result<Self, BuildError> {
        let lock = folder.join("Cargo.lock");
        let lock = std::fs::read_to_string(&lock).map_err(BuildError::io("read", &lock))?;
        let triples: BTreeMap<_, _> = plan.triples().into_iter().map(|t| (t.name(), t)).collect();
        let answers: Vec<_> = thread::scope(|scope| {
            let ask = |triple, edges| scope.spawn(move || tree(triple, edges, options, folder));
            let asked: Vec<_> = triples
                .values()
                .map(|triple| (ask(triple, Edges::Linked), ask(triple, Edges::All)))
                .collect();
            let answer = |thread: thread::ScopedJoinHandle<'_, _>| {
                thread.join().expect("asking Cargo does not panic")
            };
            asked.into_iter().map(|(linked, all)| (answer(linked), answer(all))).collect()
        });
        let mut by_triple = BTreeMap::new();
        for (name, (linked, all)) in triples.into_keys().zip(answers) {
            let (linked, all): (String, String) = (linked?, all?);
            let trees = Trees { linked: &linked, all: &all };
            let graph = Graph::of(crates.metadata(), &lock, &trees)
                .map_err(|e| BuildError::Answer(e.to_string()))?;
            by_triple.insert(name.to_owned(), graph);
        }
        Ok(Graphs { by_triple })
    }

    /// How many crates are compiled for a triple.
    pub(super) fn count(&self, triple: &Triple) -> usize {
        self.one(triple).crates().len()
    }

    /// The crates of a target.
    pub(super) fn of(&self, target: &Target) -> Graph {
        let parts = target.triples.iter().map(|triple| self.one(triple).clone());
        Graph::union(parts).expect("a target has a triple")
    }

    fn one(&self, triple: &Triple) -> &Graph {
        self.by_triple.get(triple.name()).expect("every triple of the plan was asked for")
    }

    /// Looks at the licences of all that is linked in. Gives what is worth a look, as people read
    /// it.
    ///
    /// # Errors
    /// When the build config denies one.
    pub(super) fn check_licenses(&self, plan: &Plan) -> Result<Vec<String>, Failure> {
        let found = plan.wanted.deny.check(self.by_triple.values());
        let is_error = |d: &Diagnostic| d.severity == Severity::Error;
        let (errors, warnings): (Vec<_>, Vec<_>) = found.into_iter().partition(is_error);
        match Diagnostics::from_vec(errors) {
            Some(errors) => Err(Failure::Input(errors)),
            None => {
                let told = |d| Diagnostics::from(d).render(false).trim_end().to_owned();
                Ok(warnings.into_iter().map(told).collect())
            }
        }
    }
}

fn tree(
    triple: &Triple,
    edges: Edges,
    options: &Options,
    folder: &Path,
) -> Result<String, BuildError> {
    let mut command = cargo::command(folder);
    command.args(tree_arguments(triple, edges)).arg("--locked").args(options.for_cargo());
    command.arg("--manifest-path").arg(folder.join("Cargo.toml"));
    let (ok, answer, words) = run(command, &mut Silent)?;
    if ok { Ok(answer) } else { Err(BuildError::Answer(words)) }
}
