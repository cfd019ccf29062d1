//! Finding the plugin that a call names.

use swak_sdk::options::{Kind, PluginSpec, did_you_mean};

use super::{Checker, FLOW_WORDS};
use crate::diag::{Diagnostic, Span};
use crate::model::Call;
use crate::syntax;

/// More names than these are not listed in a help text.
const MAX_LISTED: usize = 24;

impl<'a> Checker<'a> {
    /// The plugin of a call, with its options; `None` when there is none. Options that are wrong
    /// were noted, and the plugin is given all the same: what stands around it can be checked.
    pub(super) fn plugin(&mut self, call: &syntax::Call, span: Span) -> Option<Call> {
        let spec = self.spec(&call.callee.name, call.callee.span)?;
        let args = self.options(spec, call, span);
        Some(Call {
            kind: spec.kind,
            name: spec.name.to_string(),
            args,
            written: call.args.clone(),
            span,
        })
    }

    fn spec(&mut self, path: &str, span: Span) -> Option<&'a PluginSpec> {
        if let Some(spec) = self.specs.get(path) {
            return Some(spec);
        }
        let found = self.unknown_plugin(path, span);
        self.found.push(found);
        None
    }

    fn unknown_plugin(&self, path: &str, span: Span) -> Diagnostic {
        let (package, name) = path.split_once('.').unwrap_or(("", path));
        let found = if package == "in" || package == "out" {
            Diagnostic::error("unknown-plugin", format!("there is no plugin `{path}`"))
        } else {
            Diagnostic::error("unknown-call", format!("`{path}` is not known"))
        };
        let mut found = found.at(span, "");
        let other = if package == "in" { "out" } else { "in" };
        for package in [other, "out"] {
            let path = format!("{package}.{name}");
            if let Some(spec) = self.specs.get(&path) {
                let what = with_article(spec.kind);
                return found.help(format!("`{name}` is {what}: write {path}"));
            }
        }
        if package.is_empty()
            && let Some(word) = did_you_mean(name, FLOW_WORDS)
        {
            return found.help(format!("did you mean `{word}`?"));
        }
        let names = |package: &str| {
            let mut names: Vec<&str> = self
                .specs
                .values()
                .filter(|spec| spec.kind.package() == package)
                .map(|spec| spec.name.as_ref())
                .collect();
            names.sort_unstable();
            names
        };
        let near = if package == "in" { ["in", "out"] } else { ["out", "in"] };
        for package in near {
            if let Some(near) = did_you_mean(name, names(package)) {
                return found.help(format!("did you mean `{package}.{near}`?"));
            }
        }
        if package.is_empty() {
            return found.help(format!("the words are: {}", FLOW_WORDS.join(", ")));
        }
        if package == "in" || package == "out" {
            found = found.help(listed(package, &names(package)));
            found.help(
                "a plugin crate that is to be there stands under `import` in the build config",
            )
        } else {
            found.help("plugins are named in.… and out.…")
        }
    }
}

/// `an input`
pub(super) fn with_article(kind: Kind) -> &'static str {
    match kind {
        Kind::Input => "an input",
        Kind::Transform => "a transform",
        Kind::Output => "an output",
    }
}

fn listed(package: &str, names: &[&str]) -> String {
    if names.is_empty() {
        return format!("there are no plugins in `{package}`");
    }
    let shown: Vec<_> =
        names.iter().take(MAX_LISTED).map(|name| format!("{package}.{name}")).collect();
    let rest = names.len().saturating_sub(MAX_LISTED);
    let rest = if rest > 0 { format!(" and {rest} more") } else { String::new() };
    format!("there are: {}{rest}", shown.join(", "))
}
