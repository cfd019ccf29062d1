//! Writing a recipe in either spelling.
//!
//! What is written is the recipe as a person wrote it: `env(…)` and `option(…)` stay, names are
//! written out, comments are not kept. Read again, it is the same recipe.

mod python;
mod yaml;

use crate::check::{Catalog, Later, check_as, inline, parse};
use crate::diag::{Diagnostics, SourceFile};
use crate::syntax::{Arg, Call, Expr, Script, Spelling};

/// How long a line may get before it is broken, in characters.
const WIDTH: usize = 88;

/// Checks a recipe and writes it in a spelling. No environment is asked: the recipe may be for
/// another machine.
///
/// # Errors
///
/// Every mistake in the recipe; see [`crate::check()`].
pub fn convert(
    source: &SourceFile,
    from: Spelling,
    to: Spelling,
    catalog: &dyn Catalog,
) -> Result<String, Diagnostics> {
    check_as(source, from, catalog, &Later)?;
    let (script, _) = parse(source, from);
    let script = inline(&script, true, &mut Vec::new());
    Ok(write(&script, to))
}

/// Writes a recipe that was checked, and in which names are written out.
pub fn write(script: &Script, to: Spelling) -> String {
    match to {
        Spelling::Python => python::write(script),
        Spelling::Yaml => yaml::write(script),
    }
}

/// One value in the Python spelling, on one line: `env("PORT", 80)`.
pub fn write_value(value: &Expr) -> String {
    python::flat(value)
}

/// The argument of that name, or the one at that place among those without a name.
fn argument<'a>(call: &'a Call, place: usize, name: &str) -> Option<&'a Expr> {
    let named = call.args.iter().find(|arg| arg.name.as_ref().is_some_and(|key| key.name == name));
    named.or_else(|| positional(call).nth(place)).map(|arg| &arg.value)
}

fn positional(call: &Call) -> impl Iterator<Item = &Arg> {
    call.args.iter().filter(|arg| arg.name.is_none())
}

#[cfg(test)]
mod tests;
