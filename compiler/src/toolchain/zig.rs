//! zig, which links for every system.

use std::path::PathBuf;

use super::find::{Tools, in_folder};
use super::process::ask;

/// A program that answers, and the version that it says it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) program: PathBuf,
    pub(super) version: String,
}

/// The first that answers. Swak's own comes first: it is the version that was tested.
pub(super) fn find(tools: &Tools) -> Option<Found> {
    let answers = |program: PathBuf| {
        let version = ask(&program, &["version"])?;
        Some(Found { program, version })
    };
    of_tools_folder(tools)
        .and_then(answers)
        .or_else(|| tools.program("zig").and_then(answers))
        .or_else(|| of_python(tools).and_then(answers))
}

/// The package `ziglang` of the Python environment that is Swak's own.
fn of_tools_folder(tools: &Tools) -> Option<PathBuf> {
    let folder = tools.places.tools.as_ref()?;
    if cfg!(windows) {
        return in_folder(&folder.join("Lib/site-packages/ziglang"), "zig");
    }
    // `lib/python3.11/site-packages`, for each Python that the environment was made with.
    let mut pythons: Vec<_> =
        folder.join("lib").read_dir().ok()?.filter_map(|e| Some(e.ok()?.path())).collect();
    pythons.sort();
    pythons.iter().rev().find_map(|p| in_folder(&p.join("site-packages/ziglang"), "zig"))
}

/// The package `ziglang` of the Python in the path.
fn of_python(tools: &Tools) -> Option<PathBuf> {
    const WHERE: &str = "import os, ziglang; print(os.path.dirname(ziglang.__file__))";
    let folder = ask(&super::python::find(tools)?, &["-c", WHERE])?;
    in_folder(folder.as_ref(), "zig")
}
