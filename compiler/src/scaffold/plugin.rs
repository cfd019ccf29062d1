//! `new-plugin`: a plugin crate that builds and passes its tests as it stands.

use std::fs;
use std::path::{Path, PathBuf};

use swak_recipe::diag::{Diagnostic, Diagnostics};
use swak_sdk::options::Kind;

use crate::generate::templates::{Values, below, fill};
use crate::names::CrateName;
use crate::resolve::{built_from, real};

/// What every plugin crate's name begins with.
const PREFIX: &str = "swak-plugin-";

/// Writes a plugin crate to a new folder of its name, and gives that folder. It depends on
/// `swak-sdk` in the source tree that this compiler was built from while that is there, else in this
/// compiler's version.
///
/// # Errors
/// When the name cannot be used, the folder is there already, or cannot be written.
pub fn new_plugin(name: &str, kind: Kind, path: &Path) -> Result<PathBuf, Diagnostics> {
    let name = name.strip_prefix(PREFIX).unwrap_or(name);
    let krate = CrateName::new(&format!("{PREFIX}{name}")).map_err(|error| {
        Diagnostic::error("bad-name", format!("this name cannot be used: {error}"))
            .help(error.help())
    })?;
    let folder = path.join(krate.as_str());
    let shown = folder.display();
    if folder.exists() {
        let found = Diagnostic::error("folder-exists", format!("`{shown}` is there already"));
        return Err(found.help("nothing was written: take another name or another folder").into());
    }
    let values = values(&krate, name, kind, &folder);
    let kind_folder = format!("plugin/{}/", kind.as_str());
    for prefix in ["plugin/common/", &kind_folder] {
        for file in below(prefix).keys() {
            let text = fill(&format!("{prefix}{file}"), &values);
            if file.ends_with(".rs") {
                syn::parse_file(&text).expect("the template of a source file is Rust");
            }
            let to = folder.join(file);
            let written = fs::create_dir_all(to.parent().expect("it is in the folder"))
                .and_then(|()| fs::write(&to, text));
            written.map_err(|error| {
                let message = format!("cannot write `{}`: {error}", to.display());
                Diagnostic::error("file-failed", message)
            })?;
        }
    }
    Ok(folder)
}

fn values(krate: &CrateName, name: &str, kind: Kind, folder: &Path) -> Values {
    let plugin = camel_case(name);
    let path = format!("{}.{plugin}", kind.package());
    let (what, recipe, tokio) = match kind {
        Kind::Input => (
            "says the same line again and again",
            format!("task(\n    {path}(\"hello\", every=\"1s\"),\n    out.Stdout()\n)"),
            r#"["macros", "time"]"#,
        ),
        Kind::Transform => (
            "makes every line upper case",
            format!("task(\n    in.Stdin(),\n    {path}(\"!\"),\n    out.Stdout()\n)"),
            "",
        ),
        Kind::Output => (
            "sends each record as a line over TCP",
            format!("task(\n    in.Stdin(),\n    {path}(\"127.0.0.1\", 9000)\n)"),
            r#"["io-util", "net"]"#,
        ),
    };
    let home = Home::of(folder);
    let mut values = Values::new();
    let mut set = |key: &str, value: String| values.insert(key.to_owned(), value.into());
    set("crate", krate.as_str().to_owned());
    set("ident", krate.ident().to_string());
    set("description", format!("Swak plugin: {path} {what}."));
    set("what", what.to_owned());
    set("recipe", recipe);
    set("tokio", tokio.to_owned());
    set("sdk", home.dependency("swak-sdk"));
    set("test", home.dependency("swak-test"));
    set("plugin", plugin);
    set("path", path);
    values.insert("alone".to_owned(), home.alone.into());
    values
}

/// Where the new crate stands.
struct Home {
    /// The root of Swak's source, as the crate's `Cargo.toml` says it.
    tree: Option<PathBuf>,
    /// A workspace around it does not know it.
    alone: bool,
}

impl Home {
    fn of(folder: &Path) -> Self {
        let folder = real(folder);
        let root = built_from();
        let beside = root.as_ref().is_some_and(|r| folder.parent() == Some(&r.join("plugins")));
        let around = folder.ancestors().skip(1).any(|ancestor| {
            fs::read_to_string(ancestor.join("Cargo.toml"))
                .is_ok_and(|text| text.lines().any(|l| l.trim_start().starts_with("[workspace")))
        });
        let tree = if beside { Some(PathBuf::from("../..")) } else { root };
        Home { tree, alone: around && !beside }
    }

    fn dependency(&self, krate: &str) -> String {
        let mut table = toml_edit::InlineTable::new();
        match &self.tree {
            Some(root) => {
                let path = root.join("runtime").join(krate).to_string_lossy().into_owned();
                let path = if cfg!(windows) { path.replace('\\', "/") } else { path };
                table.insert("path", path.into());
            }
            None => {
                table.insert("version", env!("CARGO_PKG_VERSION").into());
            }
        }
        table.to_string().trim().to_owned()
    }
}

/// `parse-it` → `ParseIt`; a name that begins with a digit gets a letter before it.
fn camel_case(name: &str) -> String {
    let mut camel = String::new();
    for word in name.split(['-', '_']) {
        let mut chars = word.chars();
        camel.extend(chars.next().map(|c| c.to_ascii_uppercase()));
        camel.extend(chars);
    }
    if camel.starts_with(|c: char| c.is_ascii_digit()) { format!("P{camel}") } else { camel }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scan::scan;

    #[test]
    fn each_kind_is_a_crate_whose_plugin_is_found() {
        for kind in [Kind::Input, Kind::Transform, Kind::Output] {
            let folder = tempfile::tempdir().expect("a folder");
            let made = new_plugin("parse-it", kind, folder.path()).expect("it is written");
            assert_eq!(made, folder.path().join("swak-plugin-parse-it"));
            let scanned = scan(&made.join("src/lib.rs"));
            assert_eq!(scanned.gaps, []);
            assert_eq!(scanned.plugins.len(), 1);
            assert_eq!(scanned.plugins[0].path(), format!("{}.ParseIt", kind.package()));
            let manifest = fs::read_to_string(made.join("Cargo.toml")).expect("written");
            let manifest: toml_edit::DocumentMut = manifest.parse().expect("TOML");
            assert_eq!(manifest["package"]["name"].as_str(), Some("swak-plugin-parse-it"));
            assert!(manifest["dependencies"]["swak-sdk"].is_inline_table());
            assert!(made.join(".gitignore").is_file());
        }
    }

    #[test]
    fn what_is_there_is_not_written_over() {
        let folder = tempfile::tempdir().expect("a folder");
        let make = |name: &str| new_plugin(name, Kind::Input, folder.path());
        make("x").expect("it is written");
        let again = make("swak-plugin-x").expect_err("it is there");
        assert_eq!(again.iter().next().map(|e| e.code), Some("folder-exists"));
        for bad in ["", "../x", "a b", "a\"", "스왴", "-x"] {
            let error = make(bad).expect_err("no name");
            assert_eq!(error.iter().next().map(|e| e.code), Some("bad-name"), "{bad:?}");
        }
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1);
    }

    #[test]
    fn names_become_types() {
        assert_eq!(camel_case("parse-it_now"), "ParseItNow");
        assert_eq!(camel_case("2x"), "P2x");
        assert_eq!(camel_case("x--y"), "XY");
    }
}
