//! Where a recipe comes from: a file, standard input, or the agent itself.

use std::path::Path;

use swak_recipe::diag::{Diagnostic, Diagnostics, RECIPE_LIMIT, SourceFile};

use crate::{About, Console};

/// What people are shown as the name of a recipe that was read from standard input.
pub(crate) const STDIN: &str = "<stdin>";

/// Reads the recipe that was named, else the one that was built in.
///
/// # Errors
/// As [`SourceFile::read`], and `no-recipe` when none was named and none was built in.
pub(crate) fn recipe(
    named: Option<&Path>,
    about: &About,
    console: &mut Console<'_>,
) -> Result<SourceFile, Diagnostics> {
    match (named, about.recipe) {
        (Some(path), _) if path == Path::new("-") => {
            SourceFile::read_from(STDIN, &mut *console.stdin, RECIPE_LIMIT)
        }
        (Some(path), _) => SourceFile::read(path, RECIPE_LIMIT),
        (None, Some(embedded)) => Ok(SourceFile::new(embedded.name, embedded.text)),
        (None, None) => {
            let message = format!("no recipe was named, and none is built into `{}`", about.name);
            Err(Diagnostic::error("no-recipe", message)
                .help("name one after the command, or `-` for standard input")
                .help("a build config builds one in with `recipe: my.swak`")
                .into())
        }
    }
}
