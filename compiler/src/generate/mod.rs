//! Plan to workspace: the files that Cargo compiles an agent from.
//!
//! A workspace is computed whole, in memory, and is the same bytes for the same plan. Writing it
//! touches only the files whose content changed, so that Cargo sees what is fresh.

mod cargo_toml;
mod facts;
mod main_rs;
pub mod templates;
mod write;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::resolve::Plan;

pub use write::{WriteError, claim, write_if_changed};

/// The name that the recipe has in the workspace, without its extension.
const RECIPE_STEM: &str = "recipe";

/// A generated workspace: its files by their paths, with `/` between the parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workspace {
    files: BTreeMap<String, File>,
    /// Links to folders, and where they lead.
    links: BTreeMap<PathBuf, PathBuf>,
}

/// One file of a workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// What is in it.
    pub text: String,
    /// May be run.
    pub executable: bool,
}

impl Workspace {
    /// Every file, in the order of their paths.
    pub fn files(&self) -> impl Iterator<Item = (&str, &File)> {
        self.files.iter().map(|(path, file)| (path.as_str(), file))
    }

    /// The text of a file.
    pub fn text(&self, path: &str) -> Option<&str> {
        self.files.get(path).map(|f| f.text.as_str())
    }

    fn add(&mut self, path: impl Into<String>, text: String) {
        self.files.insert(path.into(), File { text, executable: false });
    }
}

/// The workspace of a plan, for the folder that it will be written to: the paths in it are
/// relative to that folder.
///
/// # Panics
/// When a generated file does not parse again: a defect of the compiler, which no input may cause.
pub fn workspace(plan: &Plan, folder: &Path) -> Workspace {
    let mut made = Workspace { files: BTreeMap::new(), links: links(plan, folder) };
    made.files.insert("Cargo.toml".to_owned(), manifest(plan, folder));
    made.add("src/main.rs", main_rs::generate(plan));
    made.add("build.rs", templates::fill("workspace/build.rs", &templates::Values::new()));
    made.add("facts.json", facts::generate(plan));
    if let Some(recipe) = &plan.recipe {
        made.add(recipe_file(&recipe.path), recipe.text.clone());
    }
    let script = plan.name.script();
    let values = script_values(plan);
    made.add(format!("{script}.sh"), templates::fill("workspace/build.sh", &values));
    // cmd.exe misreads labels and some lines of a batch file that ends its lines as Unix does.
    let bat = templates::fill("workspace/build.bat", &values).replace('\n', "\r\n");
    made.add(format!("{script}.bat"), bat);
    if let Some(file) = made.files.get_mut(&format!("{script}.sh")) {
        file.executable = true;
    }
    made
}

/// The `Cargo.toml` of that workspace alone: what Cargo needs to resolve it.
///
/// # Panics
/// As [`workspace`].
pub fn manifest(plan: &Plan, folder: &Path) -> File {
    File { text: cargo_toml::generate(plan, folder), executable: false }
}

/// The links of the plan's own workspace; one that goes elsewhere is for plain Cargo and names
/// every folder as it is.
fn links(plan: &Plan, folder: &Path) -> BTreeMap<PathBuf, PathBuf> {
    let trees = plan.trees.iter().filter(|_| folder == plan.workspace);
    trees.map(|tree| (tree.link.clone(), tree.root.clone())).collect()
}

/// Writes as much of a workspace as Cargo needs to resolve it: its manifest, and the links that
/// the manifest names.
///
/// # Errors
/// When it cannot be written.
pub fn write_manifest(plan: &Plan, folder: &Path) -> Result<(), WriteError> {
    let files = BTreeMap::from([("Cargo.toml".to_owned(), manifest(plan, folder))]);
    Workspace { files, links: links(plan, folder) }.write_all(folder)
}

/// The recipe's file in the workspace; the extension stays, because it says how the text is
/// spelled.
fn recipe_file(path: &Path) -> String {
    let yaml = path
        .extension()
        .is_some_and(|e| e.eq_ignore_ascii_case("yml") || e.eq_ignore_ascii_case("yaml"));
    format!("{RECIPE_STEM}.{}", if yaml { "yml" } else { "swak" })
}

fn script_values(plan: &Plan) -> templates::Values {
    let mut values = templates::Values::new();
    values.insert("package".into(), plan.name.package().into());
    values.insert("script".into(), plan.name.script().into());
    values.insert("cargo_profile".into(), plan.profile.cargo_name().into());
    values.insert("profile_folder".into(), plan.profile.folder().into());
    values
}

#[cfg(test)]
mod tests;
