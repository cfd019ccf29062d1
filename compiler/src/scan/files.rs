//! The files of a crate: from `lib.rs` along its `mod` lines.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use swak_recipe::diag::SourceFile;
use syn::{Attribute, Item};

use super::{Gap, cfg, own};

/// The most files of one crate that are read.
const MOST_FILES: usize = 4096;
/// The largest file that is read, in bytes.
const LARGEST_FILE: u64 = 8 << 20;
/// How deep modules may stand in each other.
const DEEPEST: usize = 64;

/// The items of a crate that declare something of plugins.
#[derive(Default)]
pub(super) struct Source {
    pub(super) items: Vec<Declared>,
    pub(super) gaps: Vec<Gap>,
}

/// A struct, enum, type alias, `use` or implementation of an option type, and the module that it stands in.
pub(super) struct Declared {
    /// The path of the module, from the crate's root.
    pub(super) module: Vec<String>,
    pub(super) item: Item,
}

/// Reads every file of a crate that is compiled into its library.
pub(super) fn load(library: &Path) -> Source {
    let mut loader = Loader::default();
    let folder = library.parent().unwrap_or(Path::new("")).to_owned();
    loader.file(library, &Place { module: Vec::new(), children: folder.clone(), folder });
    loader.source
}

#[derive(Default)]
struct Loader {
    source: Source,
    seen: HashSet<PathBuf>,
}

/// Where items stand.
struct Place {
    module: Vec<String>,
    /// Where the files of the modules in it are.
    children: PathBuf,
    /// What a `#[path]` is relative to.
    folder: PathBuf,
}

impl Loader {
    fn file(&mut self, path: &Path, place: &Place) {
        let known = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        if self.seen.len() >= MOST_FILES || !self.seen.insert(known) {
            return;
        }
        match parse(path) {
            Ok(file) => self.items(file.items, place, path),
            Err(why) => self.source.gaps.push(Gap { file: path.to_owned(), why }),
        }
    }

    fn items(&mut self, items: Vec<Item>, place: &Place, file: &Path) {
        for item in items {
            match item {
                Item::Mod(module) if cfg::is_on(&module.attrs) => self.module(module, place, file),
                Item::Struct(_) | Item::Enum(_) | Item::Type(_) | Item::Use(_) => {
                    self.source.items.push(Declared { module: place.module.clone(), item });
                }
                Item::Impl(block) if own::is_option_type(&block) => {
                    let item = Item::Impl(block);
                    self.source.items.push(Declared { module: place.module.clone(), item });
                }
                // What a macro writes is not seen. It matters only if it may write a plugin.
                Item::Macro(call) if may_declare_plugins(&call) => {
                    let why = "declares plugins by a macro of its own".to_owned();
                    self.source.gaps.push(Gap { file: file.to_owned(), why });
                }
                _ => {}
            }
        }
    }

    fn module(&mut self, module: syn::ItemMod, place: &Place, file: &Path) {
        let name = syn::ext::IdentExt::unraw(&module.ident).to_string();
        if place.module.len() >= DEEPEST {
            return;
        }
        let mut path = place.module.clone();
        path.push(name.clone());
        let said = path_attribute(&module.attrs);
        if let Some((_, items)) = module.content {
            let children = place.children.join(said.as_deref().unwrap_or(&name));
            let inner = Place { module: path, folder: children.clone(), children };
            self.items(items, &inner, file);
            return;
        }
        let candidates = match said {
            Some(said) => vec![place.folder.join(said)],
            None => vec![
                place.children.join(format!("{name}.rs")),
                place.children.join(&name).join("mod.rs"),
            ],
        };
        match candidates.iter().find(|c| c.is_file()) {
            Some(found) => {
                let folder = found.parent().unwrap_or(Path::new("")).to_owned();
                let is_mod = found.file_name().is_some_and(|n| n == "mod.rs");
                // A file that a `#[path]` names has its modules beside it, as a `mod.rs` has.
                let beside = is_mod || path_attribute(&module.attrs).is_some();
                let children = if beside { folder.clone() } else { folder.join(&name) };
                self.file(found, &Place { module: path, children, folder });
            }
            None => {
                let why = format!("has no file for `mod {name};`");
                self.source.gaps.push(Gap { file: file.to_owned(), why });
            }
        }
    }
}

fn parse(path: &Path) -> Result<syn::File, String> {
    if !path.is_file() {
        return Err("is not a file".to_owned());
    }
    let source = SourceFile::read(path, LARGEST_FILE);
    let text = match &source {
        Ok(source) => source.text(),
        // An empty module is a module.
        Err(errors) if errors.iter().all(|e| e.code == "file-empty") => "",
        Err(_) => return Err("cannot be read".to_owned()),
    };
    syn::parse_file(text).map_err(|error| {
        let at = error.span().start();
        format!("is not Rust at line {}, column {}: {error}", at.line, at.column + 1)
    })
}

fn path_attribute(attrs: &[Attribute]) -> Option<String> {
    attrs.iter().filter(|a| a.path().is_ident("path")).find_map(|attr| {
        match &attr.meta.require_name_value().ok()?.value {
            syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) => Some(text.value()),
            _ => None,
        }
    })
}

fn may_declare_plugins(call: &syn::ItemMacro) -> bool {
    fn mentions(tokens: proc_macro2::TokenStream) -> bool {
        tokens.into_iter().any(|token| match token {
            proc_macro2::TokenTree::Ident(ident) => ident == "plugin",
            proc_macro2::TokenTree::Group(group) => mentions(group.stream()),
            _ => false,
        })
    }
    mentions(call.mac.tokens.clone())
}
