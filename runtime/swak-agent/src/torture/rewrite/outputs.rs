//! Outputs, each led to something that we control; and transforms that keep something on disk.

use swak_recipe::diag::{Diagnostic, Diagnostics};
use swak_recipe::syntax::{Call, Expr, ExprKind};
use swak_sdk::options::{Kind, OptionSpec, PluginSpec, Span, TextKind};

use super::places::below;
use super::tasks::Rewriter;
use super::values::{argument, change_texts, is_text_of, names, number, remove, set, text, texts};
use super::{Sink, SinkKind};
use crate::torture::stand_in;

/// A transform holds records no longer than this, so that a run sees them come out.
const HOLD: &str = "1s";

impl Rewriter<'_> {
    /// Leads an output to something that we control.
    pub(super) fn output(&mut self, output: &mut Expr, unit: usize) -> Result<(), Diagnostics> {
        let ExprKind::Call(call) = &mut output.kind else { return Ok(()) };
        let spec = self.spec(call).expect("a checked recipe names plugins that are there");
        let place = self.sinks.len();
        let kind = match (file_option(spec), self.counterpart(call, spec, Kind::Input)) {
            (Some(path), None) => {
                let folder = self.place.state.join(format!("sink-{place}"));
                if let Some(value) = argument(call, spec, path) {
                    change_texts(value, self.place.environment, &mut |text| below(&folder, text));
                }
                self.keep_all_files(call, spec);
                SinkKind::Files(folder)
            }
            (_, Some((address, input))) => {
                let server = self.address(place)?;
                set(call, spec, address, text(server));
                remove(call, "port");
                let options = self.shared(call, spec, &input);
                SinkKind::Peer { input, options }
            }
            _ => {
                let server = self.address(place)?;
                self.notes.push(format!("a stand-in takes the place of `{}`", spec.path()));
                let kept = std::mem::take(&mut call.args).into_iter().filter(|arg| {
                    // What the engine does for any output is part of the torture.
                    let own = |name: &str| spec.option(name).is_some();
                    arg.name.as_ref().is_some_and(|key| !own(&key.name))
                });
                call.args = kept.collect();
                call.callee.name = stand_in::PATH.to_owned();
                let value = text(server);
                call.args.insert(0, swak_recipe::syntax::Arg { name: None, value });
                SinkKind::StandIn
            }
        };
        let name = spec.path();
        let same =
            self.sinks.iter().filter(|sink| sink.name.split(' ').next() == Some(&name)).count();
        let name = if same == 0 { name } else { format!("{name} ({})", same + 1) };
        self.sinks.push(Sink { name, unit, kind });
        Ok(())
    }

    /// Leads what a transform keeps on disk to a folder of our own, and lets it hold nothing for long.
    pub(super) fn transform(&mut self, call: &mut Call, spec: &PluginSpec) {
        if !spec.name.ends_with("Buffer") {
            return;
        }
        for option in spec.options.iter() {
            let Some(value) = argument(call, spec, option) else { continue };
            if is_text_of(&option.ty, TextKind::Path) {
                let folder = self.place.state.join("buffers");
                change_texts(value, self.place.environment, &mut |text| below(&folder, text));
            } else if is_text_of(&option.ty, TextKind::Duration) && option.positional {
                let before = texts(value, self.place.environment).join(" ");
                *value = Expr { kind: text(HOLD).kind, span: Span::default() };
                self.notes
                    .push(format!("`{}` holds records for {HOLD}, not {before}", spec.path()));
            }
        }
    }

    fn address(&mut self, sink: usize) -> Result<String, Diagnostics> {
        (self.place.address)(sink).map_err(|error| no_port(&error))
    }

    /// The option by which an input listens, and the output of this agent that can send to it.
    pub(super) fn sender_for<'s>(
        &self,
        call: &Call,
        spec: &'s PluginSpec,
    ) -> Option<(&'s OptionSpec, String)> {
        let specs = self.place.catalog.specs();
        // It follows the file that is sent.
        specs.iter().find(|one| one.path() == FOLLOWER)?;
        self.counterpart(call, spec, Kind::Output)
    }

    /// The option with an address, and the plugin of this kind and the same name that is at its other
    /// end.
    fn counterpart<'s>(
        &self,
        call: &Call,
        spec: &'s PluginSpec,
        kind: Kind,
    ) -> Option<(&'s OptionSpec, String)> {
        let is_address = |option: &&OptionSpec| is_text_of(&option.ty, TextKind::Address);
        let address = spec.options.iter().find(is_address)?;
        let specs = self.place.catalog.specs();
        let other = specs.iter().find(|one| one.kind == kind && one.name == spec.name)?;
        let first = other.options.iter().find(is_address)?;
        // What one side wants of the other must be known to both.
        let strange = spec.options.iter().any(|option| {
            let unknown = guards(option) && other.option(&option.name).is_none();
            let elsewhere = ELSEWHERE.iter().any(|word| option.name.contains(word));
            (unknown || elsewhere) && names(call, &option.name)
        });
        (first.positional && !strange).then(|| (address, other.path()))
    }

    /// The options that both sides must have alike, as they are written.
    pub(super) fn shared(
        &self,
        call: &mut Call,
        spec: &PluginSpec,
        other: &str,
    ) -> Vec<(String, String)> {
        let specs = self.place.catalog.specs();
        let other = specs.iter().find(|one| one.path() == other);
        let known = |option: &&OptionSpec| other.is_some_and(|o| o.option(&option.name).is_some());
        let shared = spec.options.iter().filter(|option| guards(option)).filter(known);
        let written = shared.filter_map(|option| {
            let value = argument(call, spec, option)?;
            Some((option.name.to_string(), swak_recipe::write::write_value(value)))
        });
        written.collect()
    }

    /// Lets an output throw nothing away that it has written: it would be taken for lost.
    fn keep_all_files(&mut self, call: &mut Call, spec: &PluginSpec) {
        if names(call, "append") && spec.option("append").is_some() {
            remove(call, "append");
            self.notes.push(format!("`{}` appends to what is there", spec.path()));
        }
        let rotates = names(call, "rotate_size") || names(call, "rotate_every");
        if let Some(keep) = spec.option("rotate_keep").filter(|_| rotates) {
            set(call, spec, keep, number(10_000));
            self.notes.push(format!("`{}` keeps all rotated files", spec.path()));
        }
    }
}

/// There is no port on loopback.
pub(super) fn no_port(error: &std::io::Error) -> Diagnostics {
    Diagnostic::error("torture-port", format!("cannot listen on loopback: {error}")).into()
}

/// What follows the file of a sender.
pub(in crate::torture) const FOLLOWER: &str = "in.FileTailing";

/// Parts of the names of options by which two sides know each other.
const GUARDS: [&str; 4] = ["key", "user", "password", "auth"];

/// Parts of the names of options that mean something else at each end, or lead past the proxy.
const ELSEWHERE: [&str; 4] = ["tls", "cert", "unix", "proxy"];

/// Whether an option is one by which two sides know each other.
fn guards(option: &OptionSpec) -> bool {
    option.secret || GUARDS.iter().any(|word| option.name.contains(word))
}

/// The option that says where an output writes its files.
fn file_option(spec: &PluginSpec) -> Option<&OptionSpec> {
    let is_place = |option: &&OptionSpec| {
        option.name == "path"
            && (is_text_of(&option.ty, TextKind::Path)
                || is_text_of(&option.ty, TextKind::Template))
    };
    spec.options.iter().find(is_place)
}
