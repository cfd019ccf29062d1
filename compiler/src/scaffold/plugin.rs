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
    for (file, text) in files(&values(&krate, name, kind, &folder), kind) {
        let to = folder.join(file);
        let written = fs::create_dir_all(to.parent().expect("it is in the folder"))
            .and_then(|()| fs::write(&to, text));
        written.map_err(|error| {
            let message = format!("cannot write `{}`: {error}", to.display());
            Diagnostic::error("file-failed", message)
        })?;
    }
    Ok(folder)
}

/// Every file of the crate, by its path in it.
fn files(values: &Values, kind: Kind) -> Vec<(&'static str, String)> {
    let mut files = Vec::new();
    for prefix in ["plugin/common/", &format!("plugin/{}/", kind.as_str())] {
        for file in below(prefix).into_keys() {
            let text = fill(&format!("{prefix}{file}"), values);
            if file.ends_with(".rs") {
                syn::parse_file(&text).expect("the template of a source file is Rust");
            }
            files.push((file, text));
        }
    }
    files
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
    set("type", type_name(&plugin, kind));
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

/// The plugin's struct is called like the plugin, unless that is a word of Rust (`Self`) or a name
/// that the source itself uses (`Duration`, `Plugin`).
fn type_name(plugin: &str, kind: Kind) -> String {
    let templates = below(&format!("plugin/{}/", kind.as_str()));
    let used = templates.values().any(|text| {
        text.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == plugin)
    });
    if used || syn::parse_str::<syn::Ident>(plugin).is_err() {
        format!("{plugin}Plugin")
    } else {
        plugin.to_owned()
    }
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
    fn a_name_that_is_taken_in_the_source_is_kept_in_recipes() {
        for kind in [Kind::Input, Kind::Transform, Kind::Output] {
            let folder = tempfile::tempdir().expect("a folder");
            for (name, plugin) in [("self", "Self"), ("plugin", "Plugin"), ("result", "Result")] {
                let made = new_plugin(name, kind, folder.path()).expect("it is written");
                let library = made.join("src/lib.rs");
                let text = fs::read_to_string(&library).expect("written");
                assert!(text.contains(&format!("struct {plugin}Plugin")), "{text}");
                assert_eq!(
                    scan(&library).plugins[0].path(),
                    format!("{}.{plugin}", kind.package())
                );
            }
        }
        assert_eq!(type_name("Duration", Kind::Input), "DurationPlugin");
        assert_eq!(type_name("Weather", Kind::Input), "Weather");
    }

    #[test]
    fn names_become_types() {
        assert_eq!(camel_case("parse-it_now"), "ParseItNow");
        assert_eq!(camel_case("2x"), "P2x");
        assert_eq!(camel_case("x--y"), "XY");
    }
}
