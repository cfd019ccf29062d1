//! Where crates in folders are seen from the workspace: behind a link of a fixed name.
//!
//! Cargo puts the path of a crate into the names of its symbols, relative to the workspace only
//! for what lies in it; so the same source in another folder would be another executable. Behind
//! `trees/NAME` in the workspace, a source tree has the same path everywhere.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use serde::Serialize;
use toml_edit::{DocumentMut, Item};

use super::paths::real;
use super::{Plugin, Source};

/// The folder of the links in the workspace.
pub(crate) const LINKS: &str = "trees";

/// The name of the runtime's own tree.
const RUNTIME: &str = "swak";

/// The source trees that a plan builds from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Trees {
    list: Vec<Tree>,
}

/// One source tree: a folder that holds a crate and all that the crate finds by a path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Tree {
    /// The link in the workspace: `trees/swak`.
    pub link: PathBuf,
    /// The folder it leads to.
    pub root: PathBuf,
}

impl Trees {
    /// The trees of the runtime and of every plugin that is in a folder. None where links to
    /// folders are not for everyone to make, on Windows; and none where a crate names another one
    /// by an absolute path: behind a link, what it names would be a second crate.
    pub(crate) fn of(runtime: &Source, plugins: &[Plugin]) -> Self {
        let mut trees = Trees::default();
        if cfg!(windows) {
            return trees;
        }
        if let Source::Path { path } = runtime {
            trees.add(RUNTIME, path.clone());
        }
        for plugin in plugins {
            if let Source::Path { path } = &plugin.source {
                let Some(root) = root_of(path) else { return Trees::default() };
                trees.add(plugin.name.as_str(), root);
            }
        }
        trees
    }

    /// Every tree.
    pub fn iter(&self) -> impl Iterator<Item = &Tree> {
        self.list.iter()
    }

    /// A folder as the workspace names it: behind the link of its tree.
    pub fn inside(&self, folder: &Path) -> Option<PathBuf> {
        self.list
            .iter()
            .find_map(|tree| Some(tree.link.join(folder.strip_prefix(&tree.root).ok()?)))
    }

    /// A text of Cargo or the compiler with the true paths in the place of those behind links.
    pub fn told_truly(&self, text: &str, workspace: &Path) -> String {
        let mut text = text.to_owned();
        for tree in &self.list {
            let root = tree.root.display();
            for from in [workspace.join(&tree.link), tree.link.clone()] {
                text = text.replace(&format!("{}/", from.display()), &format!("{root}/"));
            }
            let bare = workspace.join(&tree.link);
            text = text.replace(&format!("{})", bare.display()), &format!("{root})"));
        }
        text
    }

    /// Adds a tree. One folder must not be seen through two links, or its crates would be two
    /// crates each: the trees that lie in the new one become part of it.
    fn add(&mut self, name: &str, root: PathBuf) {
        if self.list.iter().any(|tree| root.starts_with(&tree.root)) {
            return;
        }
        let inner = self.list.iter().position(|tree| tree.root.starts_with(&root));
        let Some(first) = inner else {
            self.list.push(Tree { link: Path::new(LINKS).join(name), root });
            return;
        };
        self.list[first].root = root.clone();
        let mut n = 0;
        self.list.retain(|tree| {
            n += 1;
            n - 1 == first || !tree.root.starts_with(&root)
        });
    }
}

/// The deepest folder that holds a crate, its workspace, and whatever they name by a path; `None`
/// when one of these paths is absolute.
fn root_of(krate: &Path) -> Option<PathBuf> {
    let mut root = krate.to_owned();
    let mut seen = BTreeSet::new();
    let mut open = vec![krate.to_owned()];
    while let Some(folder) = open.pop() {
        if !seen.insert(folder.clone()) {
            continue;
        }
        while !folder.starts_with(&root) {
            root.pop();
        }
        open.extend(workspace_of(&folder));
        let Some(manifest) = read(&folder) else { continue };
        let paths = paths_in(manifest.as_item());
        if paths.iter().any(|path| Path::new(path).is_absolute()) {
            return None;
        }
        // A path may climb higher than it has to, and Cargo climbs with it.
        for top in paths.iter().map(|path| top_of(&folder, Path::new(path))) {
            while !top.starts_with(&root) {
                root.pop();
            }
        }
        open.extend(paths.into_iter().map(|path| real(&folder.join(path))));
    }
    Some(root)
}

/// The highest folder on the way that a relative path describes.
fn top_of(folder: &Path, path: &Path) -> PathBuf {
    let (mut here, mut top) = (folder.to_owned(), folder.to_owned());
    for part in path.components() {
        match part {
            Component::ParentDir => {
                here.pop();
                if !here.starts_with(&top) {
                    top.clone_from(&here);
                }
            }
            Component::Normal(name) => here.push(name),
            _ => {}
        }
    }
    top
}

/// The workspace that a crate belongs to, if it is not its own.
fn workspace_of(krate: &Path) -> Option<PathBuf> {
    let manifest = read(krate)?;
    if manifest.contains_key("workspace") {
        return None;
    }
    if let Some(named) = manifest.get("package")?.get("workspace").and_then(Item::as_str) {
        return Some(real(&krate.join(named)));
    }
    let is_root = |folder: &&Path| read(folder).is_some_and(|m| m.contains_key("workspace"));
    krate.ancestors().skip(1).find(is_root).map(Path::to_owned)
}

/// The values of `path` in tables of dependencies, at any depth: a manifest is small.
fn paths_in(item: &Item) -> Vec<String> {
    let mut found = Vec::new();
    let Some(table) = item.as_table_like() else { return found };
    for (key, value) in table.iter() {
        if key.ends_with("dependencies") {
            let dependencies = value.as_table_like().into_iter().flat_map(|t| t.iter());
            found.extend(dependencies.filter_map(|(_, dependency)| {
                dependency.get("path").and_then(Item::as_str).map(str::to_owned)
            }));
        } else {
            found.extend(paths_in(value));
        }
    }
    found
}

fn read(folder: &Path) -> Option<DocumentMut> {
    std::fs::read_to_string(folder.join("Cargo.toml")).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn write(root: &Path, folder: &str, manifest: &str) {
        fs::create_dir_all(root.join(folder)).expect("writable");
        fs::write(root.join(folder).join("Cargo.toml"), manifest).expect("writable");
    }

    #[test]
    fn a_tree_holds_all_that_a_crate_finds_by_a_path() {
        let temporary = tempfile::tempdir().expect("a folder");
        let root = real(temporary.path());
        write(&root, "a/alone", "[package]\nname = \"alone\"\n");
        write(
            &root,
            "a/b/c",
            "[package]\nname = \"c\"\n[target.'cfg(unix)'.dependencies]\nd = { path = \"../../d\" }\n",
        );
        write(&root, "a/d", "[package]\nname = \"d\"\n[dependencies.c]\npath = \"../b/c\"\n");
        write(&root, "w", "[workspace]\n[workspace.dependencies]\ny = { path = \"x/y\" }\n");
        write(&root, "w/x/y", "[package]\nname = \"y\"\n");
        let root_of = |name: &str| root_of(&root.join(name));
        assert_eq!(root_of("a/alone"), Some(root.join("a/alone")));
        assert_eq!(root_of("a/b/c"), Some(root.join("a")));
        assert_eq!(root_of("w/x/y"), Some(root.join("w")));
        let absolute = root.join("a/d").display().to_string();
        write(&root, "f", &format!("[dependencies]\nd = {{ path = '{absolute}' }}\n"));
        assert_eq!(root_of("f"), None);
    }

    #[test]
    fn a_tree_reaches_as_high_as_a_path_climbs() {
        let top = |path: &str| top_of(Path::new("/a/b/c"), Path::new(path));
        assert_eq!(top("../x"), Path::new("/a/b"));
        assert_eq!(top("../../../a/b/x"), Path::new("/"));
        assert_eq!(top("../../../../../a"), Path::new("/"));
        assert_eq!(top("x/../../y/.."), Path::new("/a/b"));
        assert_eq!(top("x"), Path::new("/a/b/c"));
    }

    #[test]
    fn what_is_told_names_the_true_folder() {
        let mut trees = Trees::default();
        trees.add("swak-plugin-x", PathBuf::from("/home/me/x"));
        let told = trees.told_truly(
            " --> trees/swak-plugin-x/src/lib.rs:1:2\n   Compiling x v1 (/p/ws/trees/swak-plugin-x)",
            Path::new("/p/ws"),
        );
        assert_eq!(told, " --> /home/me/x/src/lib.rs:1:2\n   Compiling x v1 (/home/me/x)");
        let inside = trees.inside(Path::new("/home/me/x"));
        assert_eq!(inside, Some(PathBuf::from("trees/swak-plugin-x")));
        assert_eq!(trees.inside(Path::new("/home/me/xy")), None);
    }

    #[test]
    fn no_folder_is_in_two_trees() {
        let mut trees = Trees::default();
        for (name, root) in
            [("swak", "/p/swak"), ("a", "/p/a"), ("b", "/p"), ("c", "/p/c"), ("d", "/d")]
        {
            trees.add(name, PathBuf::from(root));
        }
        let list: Vec<_> = trees.iter().map(|t| (t.link.to_str(), t.root.to_str())).collect();
        assert_eq!(list, [(Some("trees/swak"), Some("/p")), (Some("trees/d"), Some("/d"))]);
        let inside = trees.inside(Path::new("/p/a/src"));
        assert_eq!(inside, Some(PathBuf::from("trees/swak/a/src")));
    }
}
