//! Manifest to plan: where every crate comes from, and where everything goes.
//!
//! Looks at folders and files, starts nothing and writes nothing. What only Cargo can find out,
//! the source of a crate from a registry, is left to [`crate::build`], which asks Cargo for it
//! before anything is compiled.

mod package;
mod paths;
mod plan;
mod plugins;
mod runtime;
mod targets;
mod trees;

use std::path::{Path, PathBuf};

use swak_recipe::diag::{Diagnostic, Diagnostics, RECIPE_LIMIT, SourceFile};

use crate::manifest::BuildConfig;
use crate::release::sums::sha256;
use crate::toolchain::Kind;

pub use package::{Package, PackageError};
pub use paths::real;
pub use plan::{GitReference, Plan, Planned, Plugin, Profile, Recipe, Runtime, Source};
pub(crate) use plugins::STANDARD;
pub use runtime::{built_from, is_source_tree};
pub(crate) use trees::LINKS;
pub use trees::{Tree, Trees};

/// What the command line adds to a build config.
#[derive(Clone, Debug)]
pub struct Request {
    /// How to compile.
    pub profile: Profile,
    /// The folder for what is built.
    pub out: PathBuf,
    /// The folder for what is generated and compiled; left out: `.swak` beside the build config.
    pub build_dir: Option<PathBuf>,
    /// Which of the build config's targets are built; none: all. Where the build config names
    /// none, these are what is built.
    pub targets: Vec<String>,
    /// What compiles and links, instead of what the build config says.
    pub toolchain: Option<Kind>,
}

/// Makes the plan, and finds every crate, folder and file that the build config names and that is
/// not there or not what it should be. The plan is as if such a one had not been named: it is good
/// for looking further, and not for building.
pub fn resolve(config: &BuildConfig, request: &Request) -> (Plan, Vec<Diagnostic>) {
    let mut found = Vec::new();
    let folder = real(&Path::new(".").join(config.folder()));
    let runtime = runtime::locate(config, &folder).unwrap_or_else(|error| {
        found.push(*error);
        runtime::found()
    });
    let plugins = plugins::locate(config, &folder, &runtime.source, &mut found);
    let recipe = match read_recipe(config) {
        Ok(recipe) => recipe,
        Err(errors) => {
            found.extend(errors);
            None
        }
    };
    let mut found: Vec<_> = found.into_iter().map(|d| d.in_source(&config.source)).collect();
    // What the command line says has no place in the file.
    let targets = targets::plan(config, request, &mut found);
    (finish(config, request, &folder, runtime, plugins, recipe, targets), found)
}

fn finish(
    config: &BuildConfig,
    request: &Request,
    folder: &Path,
    runtime: Runtime,
    plugins: Vec<Plugin>,
    recipe: Option<Recipe>,
    targets: Vec<Planned>,
) -> Plan {
    let build_dir = request.build_dir.as_deref().map_or_else(|| folder.join(".swak"), real);
    let stem = config.path.file_stem().map(|s| s.to_string_lossy()).unwrap_or_default();
    let out = real(&request.out);
    let file_name = config.path.file_name().unwrap_or_default();
    let workspace = build_dir.join("build").join(paths::folder_name(&stem));
    Plan {
        name: config.name.clone(),
        version: config.version.clone(),
        config: config.path.clone(),
        config_sha256: sha256(&std::fs::read(&config.path).unwrap_or_default()),
        trees: Trees::of(&runtime.source, &plugins),
        runtime,
        plugins,
        recipe,
        targets,
        toolchain: request.toolchain.or(config.toolchain),
        toolchains: Vec::new(),
        profile: request.profile,
        wanted: config.wanted.clone(),
        lock: paths::lock_of(&folder.join(file_name)),
        lock_sha256: None,
        workspace,
        target_dir: build_dir.join("target"),
        build_dir,
        out,
    }
}

fn read_recipe(config: &BuildConfig) -> Result<Option<Recipe>, Diagnostics> {
    let Some(said) = &config.recipe else { return Ok(None) };
    let path = config.folder().join(&said.value);
    match SourceFile::read(&path, RECIPE_LIMIT) {
        Ok(source) => Ok(Some(Recipe { path, text: source.text().to_owned() })),
        // What is wrong with the file has no place in the file: it is shown where it is named.
        Err(errors) => {
            let placed = errors.into_iter().map(|error| match error.primary {
                None => error.at(said.span, "the recipe to build in").in_source(&config.source),
                Some(_) => error,
            });
            Err(Diagnostics::from_vec(placed.collect()).expect("there was an error"))
        }
    }
}
