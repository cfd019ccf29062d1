//! The plugins that an agent holds.

use std::collections::BTreeMap;
use std::fmt;

use super::erased::{AnyPlugin, OnThread};
use super::{AsyncTransform, BlockingInput, BuildContext, Input, Output, Plugin, Transform};
use crate::Result;
use crate::options::{Args, Kind, OptionError, OptionErrors, Options, PluginSpec};

/// The plugins that an agent holds, each registered by name.
///
/// A plugin crate has one public function `register(plugins: &mut Plugins)`; the generated `main.rs`
/// calls it through [`Plugins::add_crate`]. Nothing registers itself: what is not called is not
/// there.
#[derive(Default)]
pub struct Plugins {
    crates: Vec<CrateInfo>,
    entries: BTreeMap<(Package, String), PluginEntry>,
}

/// `in.` or `out.`.
type Package = &'static str;

/// A plugin crate that is linked in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CrateInfo {
    /// The package's name: `swak-plugin-fluentd`.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// One plugin: what is known of it, and how it is made.
pub struct PluginEntry {
    /// What people are told about it.
    pub spec: PluginSpec,
    /// The crate it comes from, as an index into [`Plugins::crates`].
    pub crate_index: Option<usize>,
    validate: fn(&Args, bool) -> Result<(), OptionErrors>,
    build: fn(&Args, &BuildContext) -> Result<AnyPlugin>,
}

impl Plugins {
    /// No plugins.
    pub fn new() -> Self {
        Plugins::default()
    }

    /// Adds the plugins of a crate.
    pub fn add_crate(
        &mut self,
        name: &str,
        version: &str,
        register: fn(&mut Plugins),
    ) -> &mut Self {
        let mut own = Plugins::new();
        register(&mut own);
        let index = self.crates.len();
        self.crates.push(CrateInfo { name: name.to_owned(), version: version.to_owned() });
        for mut entry in own.entries.into_values() {
            entry.crate_index = Some(index);
            self.add(entry);
        }
        self
    }

    /// Registers an input.
    pub fn input<P: Input>(&mut self) -> &mut Self {
        self.register::<P>(Kind::Input, |args, cx| {
            Ok(AnyPlugin::Input(Box::new(make::<P>(args, cx)?)))
        })
    }

    /// Registers an input that reads with blocking calls.
    pub fn blocking_input<P: BlockingInput>(&mut self) -> &mut Self {
        self.register::<P>(Kind::Input, |args, cx| {
            Ok(AnyPlugin::Input(Box::new(OnThread(make::<P>(args, cx)?))))
        })
    }

    /// Registers a transform.
    pub fn transform<P: Transform>(&mut self) -> &mut Self {
        self.register::<P>(Kind::Transform, |args, cx| {
            Ok(AnyPlugin::Transform(Box::new(make::<P>(args, cx)?)))
        })
    }

    /// Registers a transform that waits for something.
    pub fn async_transform<P: AsyncTransform>(&mut self) -> &mut Self {
        self.register::<P>(Kind::Transform, |args, cx| {
            Ok(AnyPlugin::AsyncTransform(Box::new(make::<P>(args, cx)?)))
        })
    }

    /// Registers an output.
    pub fn output<P: Output>(&mut self) -> &mut Self {
        self.register::<P>(Kind::Output, |args, cx| {
            Ok(AnyPlugin::Output(Box::new(make::<P>(args, cx)?)))
        })
    }

    /// The plugin crates, in the order in which they were added.
    pub fn crates(&self) -> &[CrateInfo] {
        &self.crates
    }

    /// All plugins: inputs first, by name.
    pub fn iter(&self) -> impl Iterator<Item = &PluginEntry> {
        self.entries.values()
    }

    /// The plugin of that kind's package and name.
    pub fn get(&self, kind: Kind, name: &str) -> Option<&PluginEntry> {
        self.entries.get(&(kind.package(), name.to_owned()))
    }

    fn register<P: Plugin>(
        &mut self,
        kind: Kind,
        build: fn(&Args, &BuildContext) -> Result<AnyPlugin>,
    ) -> &mut Self {
        let spec = P::Options::spec();
        assert_eq!(
            spec.kind, kind,
            "`{}` is declared as {} in #[plugin(…)] and registered as {kind}",
            spec.name, spec.kind
        );
        self.add(PluginEntry { spec, crate_index: None, validate: validate::<P>, build });
        self
    }

    fn add(&mut self, entry: PluginEntry) {
        let key = (entry.spec.kind.package(), entry.spec.name.to_string());
        let path = entry.spec.path();
        if self.entries.insert(key, entry).is_some() {
            panic!("two plugins are named `{path}`; an agent can hold one of them");
        }
    }
}

impl PluginEntry {
    /// Reads the options and makes the plugin, to find every mistake that can be found without
    /// running it.
    ///
    /// `dead_letter` is whether the task has a place for rejected records.
    pub fn validate(&self, args: &Args, dead_letter: bool) -> Result<(), OptionErrors> {
        (self.validate)(args, dead_letter)
    }

    /// Makes the plugin.
    pub fn build(&self, args: &Args, cx: &BuildContext) -> Result<AnyPlugin> {
        (self.build)(args, cx)
    }
}

impl fmt::Debug for PluginEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.spec.path())
    }
}

fn make<P: Plugin>(args: &Args, cx: &BuildContext) -> Result<P> {
    P::new(P::Options::read(args)?, cx)
}

fn validate<P: Plugin>(args: &Args, dead_letter: bool) -> Result<(), OptionErrors> {
    let options = P::Options::read(args)?;
    match P::new(options, &BuildContext::for_check_in(dead_letter)) {
        Ok(_) => Ok(()),
        Err(error) => match error.downcast::<OptionErrors>() {
            Ok(errors) => Err(errors),
            Err(error) => Err(OptionError::new(args.span, format!("{error:#}")).into()),
        },
    }
}
