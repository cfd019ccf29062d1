//! The build config: YAML to a [`BuildConfig`], or to every mistake that is in it.
//!
//! Only what the file says is looked at here. Whether a folder or a crate is there is the business
//! of [`crate::resolve`].

mod fields;
mod import;
mod origin;
mod values;
mod wanted;

use std::path::{Path, PathBuf};

use semver::Version;
use swak_recipe::diag::{Diagnostic, Diagnostics, RECIPE_LIMIT, SourceFile, Span, did_you_mean};
use swak_recipe::yaml;

use crate::names::{AgentName, CrateName};
use crate::release::Wanted;
use crate::resolve::GitReference;
use crate::target::Target;
use crate::toolchain::Kind;
use fields::Fields;

pub(crate) use fields::show;

/// The keys of a build config. What follows a key are other spellings of it.
const KEYS: &[&[&str]] = &[
    &["name"],
    &["version"],
    &["import", "imports", "plugins"],
    &["std"],
    &["targets"],
    &["toolchain"],
    &["recipe"],
    &["licenses"],
    &["package"],
    &["container"],
    &["swak"],
];

/// The version of an agent whose build config says none.
const DEFAULT_VERSION: Version = Version::new(0, 1, 0);

/// What a build config says.
#[derive(Clone, Debug)]
pub struct BuildConfig {
    /// The file, for the places of mistakes that are found later.
    pub source: SourceFile,
    /// Its path, as it was named.
    pub path: PathBuf,
    /// The agent's name.
    pub name: AgentName,
    /// The agent's version; left out: 0.1.0.
    pub version: Version,
    /// The plugin crates, in the order they are written; no crate twice.
    pub imports: Vec<Import>,
    /// Whether the standard plugins are linked although they were not imported; left out: yes.
    pub standard: bool,
    /// What to build for, none twice; left out: this machine's own target.
    pub targets: Option<Vec<Target>>,
    /// What compiles and links every target; left out: chosen for each.
    pub toolchain: Option<Kind>,
    /// What is made beside the executable; left out: nothing.
    pub wanted: Wanted,
    /// The recipe to build in.
    pub recipe: Option<At<PathBuf>>,
    /// Where the runtime comes from.
    pub runtime: Option<At<Origin>>,
}

/// One entry of `import`.
#[derive(Clone, Debug)]
pub struct Import {
    /// The crate, and where it is named.
    pub name: At<CrateName>,
    /// Where its source is.
    pub origin: At<Origin>,
    /// Features that are turned on, by name.
    pub features: Vec<String>,
    /// Whether its default features stay on; left out: yes.
    pub default_features: bool,
}

/// Where a crate's source is, as the file says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Only the name is given.
    Unsaid,
    /// A version requirement.
    Version(semver::VersionReq),
    /// A folder, relative to the build config.
    Path(PathBuf),
    /// A repository.
    Git {
        /// Its address.
        url: String,
        /// Which commit.
        reference: GitReference,
    },
}

/// A value with its place in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct At<T> {
    /// The value.
    pub value: T,
    /// Where it is written.
    pub span: Span,
}

impl BuildConfig {
    /// The folder that paths in the file are relative to.
    pub fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new(""))
    }
}

/// Reads a build config from a file, with every mistake in it. What is wrong is left out of the
/// config, as if it had not been said, so that the rest can be looked at further.
///
/// # Errors
/// When the file cannot be read, or is not YAML.
pub fn read(path: &Path) -> Result<(BuildConfig, Vec<Diagnostic>), Diagnostics> {
    from_source(&SourceFile::read(path, RECIPE_LIMIT)?, path)
}

/// Reads a build config that was already loaded from `path`; see [`read`].
pub(crate) fn from_source(
    source: &SourceFile,
    path: &Path,
) -> Result<(BuildConfig, Vec<Diagnostic>), Diagnostics> {
    let root = yaml::parse(source)?;
    let mut found = Found { source, list: Vec::new() };
    let config = from_node(&root, path, &mut found);
    let list = found.list.into_iter().map(|d| d.in_source(source)).collect();
    Ok((config, list))
}

/// The mistakes found so far.
struct Found<'a> {
    source: &'a SourceFile,
    list: Vec<Diagnostic>,
}

impl Found<'_> {
    fn add(&mut self, diagnostic: Diagnostic) {
        self.list.push(diagnostic);
    }
}

fn from_node(root: &yaml::Node, path: &Path, found: &mut Found<'_>) -> BuildConfig {
    let mut fields = Fields::of_file(root, KEYS, found);
    let name = fields.take("name").and_then(|node| {
        let text = values::word(node, "a name", found)?;
        match AgentName::new(&text.value) {
            Ok(name) => Some(name),
            Err(error) => {
                found.add(
                    Diagnostic::error("bad-name", format!("this name cannot be used: {error}"))
                        .at(text.span, "the agent is called `swak-` and this name")
                        .help(error.help()),
                );
                None
            }
        }
    });
    let version = fields.take("version").and_then(|node| values::version(node, found));
    let imports = fields.take("import").map(|node| import::read(node, found));
    let standard = fields.take("std").and_then(|node| values::boolean(node, found));
    let targets = fields.take("targets").map(|node| read_targets(node, found));
    let toolchain = fields.take("toolchain").and_then(|node| read_toolchain(node, found));
    let recipe = fields.take("recipe").and_then(|node| values::path(node, found));
    let runtime = fields.take("swak").and_then(|node| origin::of_runtime(node, found));
    let targets = targets.filter(|t| !t.is_empty());
    let built = targets.clone().unwrap_or_else(|| vec![Target::host()]);
    let wanted = wanted::read(&mut fields, &built, found);
    fields.finish(found);

    BuildConfig {
        source: found.source.clone(),
        path: path.to_owned(),
        name: name.unwrap_or_default(),
        version: version.unwrap_or(DEFAULT_VERSION),
        imports: imports.unwrap_or_default(),
        standard: standard.unwrap_or(true),
        targets,
        toolchain,
        wanted,
        recipe,
        runtime,
    }
}

fn read_toolchain(node: &yaml::Node, found: &mut Found<'_>) -> Option<Kind> {
    let text = values::word(node, "a toolchain", found)?;
    let kind = Kind::parse(&text.value);
    if kind.is_none() {
        let names: Vec<_> = Kind::ALL.iter().map(Kind::to_string).collect();
        let help = match did_you_mean(&text.value, names.iter().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("the toolchains are: {}", names.join(", ")),
        };
        let message = format!("unknown toolchain `{}`", show(&text.value));
        found.add(Diagnostic::error("unknown-toolchain", message).at(text.span, "").help(help));
    }
    kind
}

fn read_targets(node: &yaml::Node, found: &mut Found<'_>) -> Vec<Target> {
    let mut targets: Vec<At<Target>> = Vec::new();
    for item in values::items(node) {
        let Some(text) = values::word(item, "a target", found) else { continue };
        let named = match Target::named(&text.value) {
            Ok(named) => named,
            Err(error) => {
                let error = Diagnostic::error(error.code(), error.to_string())
                    .at(text.span, "")
                    .help(error.help());
                found.add(error);
                continue;
            }
        };
        // One mistake a word, however many targets it stands for.
        let again = named.iter().find_map(|n| targets.iter().find(|t| t.value == *n));
        if let Some(first) = again {
            let name = &first.value.name;
            found.add(
                Diagnostic::error(
                    "duplicate-target",
                    format!("the target `{name}` stands here twice"),
                )
                .at(text.span, "again here")
                .label(first.span, "first here")
                .help("keep one of them"),
            );
        }
        let new = |n: &Target| !targets.iter().any(|t| t.value == *n);
        let new: Vec<_> = named.into_iter().filter(new).collect();
        targets.extend(new.into_iter().map(|value| At { value, span: text.span }));
    }
    targets.into_iter().map(|t| t.value).collect()
}
