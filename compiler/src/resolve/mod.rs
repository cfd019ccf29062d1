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

use std::path::{Path, PathBuf};

use swak_recipe::diag::{Diagnostic, Diagnostics, RECIPE_LIMIT, SourceFile};

use crate::manifest::BuildConfig;

pub use package::{Package, PackageError};
pub use paths::real;
pub use plan::{GitReference, Plan, Plugin, Profile, Recipe, Runtime, Source};
pub(crate) use plugins::STANDARD;
pub use runtime::{built_from, is_source_tree};

/// What the command line adds to a build config.
#[derive(Clone, Debug)]
pub struct Request {
    /// How to compile.
    pub profile: Profile,
    /// The folder for what is built.
    pub out: PathBuf,
    /// The folder for what is generated and compiled; left out: `.swak` beside the build config.
    pub build_dir: Option<PathBuf>,
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
    let found: Vec<_> = found.into_iter().map(|d| d.in_source(&config.source)).collect();
    (finish(config, request, &folder, runtime, plugins, recipe), found)
}

fn finish(
    config: &BuildConfig,
    request: &Request,
    folder: &Path,
    runtime: Runtime,
    plugins: Vec<Plugin>,
    recipe: Option<Recipe>,
) -> Plan {
    let build_dir = request.build_dir.as_deref().map_or_else(|| folder.join(".swak"), real);
    let stem = config.path.file_stem().map(|s| s.to_string_lossy()).unwrap_or_default();
    let package = config.name.package();
    let out = real(&request.out);
    let output = config
        .targets
        .iter()
        .map(|target| out.join(format!("{package}{}", target.exe_suffix())))
        .collect();
    let file_name = config.path.file_name().unwrap_or_default();
    Plan {
        name: config.name.clone(),
        version: config.version.clone(),
        config: config.path.clone(),
        runtime,
        plugins,
        recipe,
        targets: config.targets.clone(),
        profile: request.profile,
        wanted: config.wanted.clone(),
        lock: folder.join(file_name).with_extension("lock"),
        workspace: build_dir.join("build").join(paths::folder_name(&stem)),
        target_dir: build_dir.join("target"),
        output,
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
