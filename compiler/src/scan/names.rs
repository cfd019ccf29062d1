//! What a name in the source stands for: an item of the same module, one that a `use` brings in, or
//! one that a path leads to.

use std::collections::HashMap;

use syn::ext::IdentExt as _;
use syn::{Item, UseTree};

use super::cfg;
use super::files::Declared;

/// How many `use` lines may lead from one to the next.
const LONGEST_CHAIN: usize = 16;

/// Every struct, enum and type alias of a crate, and every `use`.
pub(super) struct Names<'a> {
    /// By module and name.
    items: HashMap<(&'a [String], String), &'a Declared>,
    /// What a `use` brings into a module, by module and name there.
    imports: HashMap<(&'a [String], String), Vec<String>>,
    /// The modules that a `use …::*` brings into a module.
    globs: HashMap<&'a [String], Vec<Vec<String>>>,
}

impl<'a> Names<'a> {
    pub(super) fn new(items: &'a [Declared]) -> Self {
        let mut names =
            Names { items: HashMap::new(), imports: HashMap::new(), globs: HashMap::new() };
        for declared in items {
            let module = declared.module.as_slice();
            let (ident, attrs) = match &declared.item {
                Item::Struct(item) => (&item.ident, &item.attrs),
                Item::Enum(item) => (&item.ident, &item.attrs),
                Item::Type(item) => (&item.ident, &item.attrs),
                Item::Use(item) => {
                    names.import(module, &item.tree, &mut Vec::new());
                    continue;
                }
                _ => continue,
            };
            if cfg::is_on(attrs) {
                names.items.insert((module, ident.unraw().to_string()), declared);
            }
        }
        names
    }

    /// The item of this crate that a path in a module means; `None` for one of another crate.
    pub(super) fn find(&self, path: &syn::Path, module: &[String]) -> Option<&'a Declared> {
        let segments: Vec<String> =
            path.segments.iter().map(|s| s.ident.unraw().to_string()).collect();
        self.follow(&segments, module, LONGEST_CHAIN)
    }

    fn follow(&self, path: &[String], module: &[String], left: usize) -> Option<&'a Declared> {
        let left = left.checked_sub(1)?;
        let (name, to) = path.split_last()?;
        if to.is_empty() {
            return self.in_module(name, module, left);
        }
        // The first word may itself be brought in by a `use`.
        let first = self.imports.get(&(module, to[0].clone()));
        let to = match first {
            Some(import) => [absolute(import, module)?, to[1..].to_vec()].concat(),
            None => absolute(to, module)?,
        };
        self.in_module(name, &to, left)
    }

    fn in_module(&self, name: &str, module: &[String], left: usize) -> Option<&'a Declared> {
        let key = (module, name.to_owned());
        if let Some(item) = self.items.get(&key) {
            return Some(item);
        }
        if let Some(import) = self.imports.get(&key) {
            return self.follow(import, module, left);
        }
        let globs = self.globs.get(module).into_iter().flatten();
        let mut paths = globs.map(|to| [to.as_slice(), &[name.to_owned()]].concat());
        paths.find_map(|path| self.follow(&path, module, left))
    }

    fn import(&mut self, module: &'a [String], tree: &UseTree, path: &mut Vec<String>) {
        match tree {
            UseTree::Path(part) => {
                path.push(part.ident.unraw().to_string());
                self.import(module, &part.tree, path);
                path.pop();
            }
            // `use a::{self}` brings in `a`.
            UseTree::Name(name) if name.ident == "self" => {
                if let Some(name) = path.last() {
                    self.imports.insert((module, name.clone()), path.clone());
                }
            }
            UseTree::Name(name) => {
                let name = name.ident.unraw().to_string();
                let whole = [path.as_slice(), std::slice::from_ref(&name)].concat();
                self.imports.insert((module, name), whole);
            }
            UseTree::Rename(rename) => {
                let whole = [path.as_slice(), &[rename.ident.unraw().to_string()]].concat();
                self.imports.insert((module, rename.rename.unraw().to_string()), whole);
            }
            UseTree::Glob(_) => self.globs.entry(module).or_default().push(path.clone()),
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.import(module, tree, path);
                }
            }
        }
    }
}

/// The module that a path means, from the crate's root. A path that begins with neither `crate`,
/// `self` nor `super` is taken to begin in the same module; in another crate nothing is found then.
fn absolute(path: &[String], module: &[String]) -> Option<Vec<String>> {
    let mut at = module.to_vec();
    for (i, word) in path.iter().enumerate() {
        match word.as_str() {
            "crate" if i == 0 => at.clear(),
            "self" => {}
            "super" => {
                at.pop()?;
            }
            _ => at.push(word.clone()),
        }
    }
    Some(at)
}
