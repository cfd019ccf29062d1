//! `convert`: a recipe in the other spelling.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::Path;

use swak_recipe::Spelling;
use swak_recipe::diag::Diagnostic;
use swak_recipe::write::convert;
use swak_sdk::Plugins;

use super::{Result, recipe};
use crate::cli::ConvertArgs;
use crate::failure::Failure;
use crate::{About, Console, source};

pub(super) fn run(
    args: &ConvertArgs,
    about: &About,
    plugins: &Plugins,
    console: &mut Console<'_>,
) -> Result {
    let source = source::recipe(Some(&args.recipe), about, console)?;
    let from = args.from.map_or_else(|| recipe::spelling(&source), Spelling::from);
    let named = args.output.as_deref().and_then(told_by_name);
    let to = args.to.map(Spelling::from).or(named).unwrap_or(match from {
        Spelling::Python => Spelling::Yaml,
        Spelling::Yaml => Spelling::Python,
    });
    let text = convert(&source, from, to, plugins)?;
    match &args.output {
        Some(path) => write(path, &text, args.force),
        None => console.print(&text),
    }
}

/// The spelling that the end of a file's name tells, if it tells one.
fn told_by_name(path: &Path) -> Option<Spelling> {
    let name = path.file_name()?.to_str()?.to_ascii_lowercase();
    match Spelling::of(&name) {
        Spelling::Yaml => Some(Spelling::Yaml),
        Spelling::Python if name.ends_with(".swak") || name.ends_with(".py") => {
            Some(Spelling::Python)
        }
        Spelling::Python => None,
    }
}

fn write(path: &Path, text: &str, force: bool) -> Result {
    let mut options = OpenOptions::new();
    match force {
        true => options.write(true).create(true).truncate(true),
        false => options.write(true).create_new(true),
    };
    let shown = path.display();
    match options.open(path).and_then(|mut file| file.write_all(text.as_bytes())) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            Err(Diagnostic::error("file-exists", format!("`{shown}` is there already"))
                .help("name another file, or write over it with --force")
                .into())
        }
        Err(error) => {
            Err(Failure::tried("output-unwritable", format!("cannot write `{shown}`: {error}")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_tell_the_spelling() {
        let told = |name| told_by_name(Path::new(name));
        assert_eq!(told("my.swak.py"), Some(Spelling::Python));
        assert_eq!(told("my.YAML"), Some(Spelling::Yaml));
        assert_eq!(told("my.txt"), None);
    }
}
