//! Files to begin with: a build config, a plugin crate.

mod plugin;

use std::path::Path;

use swak_recipe::diag::{Diagnostic, Diagnostics};

use crate::generate::templates::{Values, fill};
use crate::names::AgentName;

pub use plugin::new_plugin;

/// Writes a build config with every key explained. The agent's name is that of the file:
/// `myprj-build.yml` builds `swak-myprj`.
///
/// # Errors
/// When the file is there already, or cannot be written.
pub fn init(file: &Path) -> Result<(), Diagnostics> {
    let stem = file.file_stem().map(|s| s.to_string_lossy()).unwrap_or_default();
    let name = stem.strip_suffix("-build").unwrap_or(&stem);
    let named = AgentName::new(name).is_ok() && name != "swak";
    let mut values = Values::new();
    values.insert("named".into(), named.into());
    values.insert("name".into(), (if named { name } else { "myprj" }).into());
    write_new(file, &fill("init/build.yml", &values))
}

/// Writes a file that must not be there yet.
fn write_new(file: &Path, text: &str) -> Result<(), Diagnostics> {
    use std::io::{ErrorKind, Write as _};

    let shown = file.display();
    let opened = std::fs::File::create_new(file);
    let written = opened.and_then(|mut f| f.write_all(text.as_bytes()));
    written.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => {
            Diagnostic::error("file-exists", format!("`{shown}` is there already"))
                .help("nothing was written over it: name another file, or remove it first")
                .into()
        }
        _ => Diagnostic::error("file-failed", format!("cannot write `{shown}`: {error}")).into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest;
    use crate::names::AgentName;

    #[test]
    fn a_build_config_to_begin_with_has_no_mistake() {
        let folder = tempfile::tempdir().expect("a folder");
        for (file, name) in
            [("web-build.yml", Some("web")), ("x.yaml", Some("x")), ("my build.yml", None)]
        {
            let file = folder.path().join(file);
            init(&file).expect("it is written");
            let (config, found) = manifest::read(&file).expect("YAML");
            assert_eq!(found, []);
            assert_eq!(config.name.given(), name);
            assert_eq!(config.imports.len(), 2);
            let again = init(&file).expect_err("it is there");
            assert_eq!(again.iter().next().map(|e| e.code), Some("file-exists"));
        }
        assert!(AgentName::new("my build").is_err());
    }

    /// What is commented out must be right too: each line of an example is read by itself.
    #[test]
    fn the_examples_in_it_have_no_mistake() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("x-build.yml");
        init(&file).expect("it is written");
        let text = std::fs::read_to_string(&file).expect("written");
        let mut tried = 0;
        for line in text.lines() {
            let line = line.trim_start();
            let entry = line.strip_prefix("# - ").map(|e| format!("import: [{}]\n", e.trim()));
            let entry = entry
                .map(|e| if e.contains('{') { e } else { e.replace('[', "['").replace(']', "']") });
            let key = line
                .strip_prefix("# ")
                .filter(|l| ["recipe: ", "swak: "].iter().any(|k| l.starts_with(k)));
            let Some(config) = entry.or_else(|| key.map(|k| format!("{k}\n"))) else { continue };
            std::fs::write(&file, &config).expect("writable");
            let (_, found) = manifest::read(&file).expect("YAML");
            assert_eq!(found, [], "{config}");
            tried += 1;
        }
        assert_eq!(tried, 8);
    }
}
