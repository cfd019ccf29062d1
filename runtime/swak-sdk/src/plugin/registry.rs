//! The plugins that an agent holds.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use super::erased::{AnyPlugin, OnThread};
use super::{
    AsyncTransform, BlockingInput, Buffer, BuildContext, Destination, HandsBack, Input, Output,
    Plugin, TimeLimit, Transform,
};
use crate::options::{
    Args, DeliveryOptions, Kind, OptionError, OptionErrors, Options, PluginSpec, duration_text,
    split_delivery,
};
use crate::{Result, bail};

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

    /// Registers a buffer. In a recipe it is a transform like any other.
    pub fn buffer<P: Buffer>(&mut self) -> &mut Self {
        self.register::<P>(Kind::Transform, |args, cx| {
            Ok(AnyPlugin::Buffer(Box::new(make::<P>(args, cx)?)))
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
        for option in spec.options.iter() {
            assert!(
                !kind.common_options().iter().any(|common| common.name == option.name),
                "every {kind} has an option `{}`; that of `{}` needs another name",
                option.name,
                spec.path()
            );
        }
        self.add(PluginEntry { spec, crate_index: None, build });
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
        let mut errors = Vec::new();
        let delivery = self.delivery(args).map_err(|OptionErrors(found)| errors.extend(found));
        match self.build(args, &BuildContext::for_check_in(dead_letter)) {
            Ok(AnyPlugin::Output(output)) => {
                if let Ok(DeliveryOptions { workers, timeout, .. }) = delivery {
                    if output.is_exclusive() && *workers > 1 {
                        let message = "only one worker can write there at a time";
                        errors.extend(workers.error(message, "leave `workers` out").0);
                    }
                    errors.extend(cut_short(&output.time_limits(), *timeout));
                }
            }
            Ok(_) => {}
            Err(error) => match error.downcast::<OptionErrors>() {
                Ok(OptionErrors(found)) => errors.extend(found),
                Err(error) => errors.push(OptionError::new(args.span, format!("{error:#}"))),
            },
        }
        if errors.is_empty() {
            return Ok(());
        }
        errors.sort_by_key(|error| error.span.start);
        Err(OptionErrors(errors))
    }

    /// Makes the plugin. What an output is told of its delivery is not for the plugin, and passed
    /// over here: see [`PluginEntry::delivery`].
    pub fn build(&self, args: &Args, cx: &BuildContext) -> Result<AnyPlugin> {
        match self.spec.kind {
            Kind::Output => (self.build)(&split_delivery(args).0, cx),
            Kind::Input | Kind::Transform => (self.build)(args, cx),
        }
    }

    /// How records are to reach it, if it is an output; the defaults if it is not.
    ///
    /// # Errors
    /// Every mistake in what the call says of it.
    pub fn delivery(&self, args: &Args) -> Result<DeliveryOptions, OptionErrors> {
        match self.spec.kind {
            Kind::Output => DeliveryOptions::from_args(args),
            Kind::Input | Kind::Transform => Ok(DeliveryOptions::default()),
        }
    }

    /// How long it waits by itself, where the call says so: see [`Output::time_limits`]. Nothing is
    /// run; one that cannot be made has none.
    pub fn time_limits(&self, args: &Args) -> Vec<TimeLimit> {
        match self.build(args, &BuildContext::for_check()) {
            Ok(AnyPlugin::Output(output)) => output.time_limits(),
            _ => Vec::new(),
        }
    }

    /// What comes back of what is written to it: see [`Output::hands_back`]. Nothing is run.
    ///
    /// # Errors
    /// Why nothing does.
    pub fn hands_back(&self, args: &Args) -> Result<HandsBack> {
        match self.build(args, &BuildContext::for_check())? {
            AnyPlugin::Output(output) => output.hands_back(),
            _ => bail!("it is no output"),
        }
    }

    /// The file that it writes to: see [`Output::writes_to`]. Nothing is run. What cannot be made has
    /// none.
    pub fn writes_to(&self, args: &Args) -> Option<Destination> {
        match self.build(args, &BuildContext::for_check()) {
            Ok(AnyPlugin::Output(output)) => output.writes_to(),
            _ => None,
        }
    }
}

impl fmt::Debug for PluginEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.spec.path())
    }
}

/// What is wrong with waits that the engine ends before their time. The help is good for all of them.
fn cut_short(limits: &[TimeLimit], timeout: Duration) -> Vec<OptionError> {
    let Some(longest) = limits.iter().map(|wait| *wait.limit).max() else { return Vec::new() };
    let help = format!("make `timeout` longer too: timeout=\"{}\"", duration_text(longest));
    let cut_short = limits.iter().filter(|wait| *wait.limit > timeout);
    let told = cut_short.flat_map(|TimeLimit { option, limit }| {
        let message =
            format!("`{option}` is longer than `timeout`, which ends the wait after {timeout:?}");
        limit.error(message, &*help).0
    });
    told.collect()
}

fn make<P: Plugin>(args: &Args, cx: &BuildContext) -> Result<P> {
    P::new(P::Options::read(args)?, cx)
}
