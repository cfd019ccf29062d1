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
