//! What people and programs are told about plugins: all of it comes from their [`PluginSpec`]s.

pub(crate) mod json;
pub(crate) mod markdown;
pub(crate) mod schema;
pub(crate) mod text;

#[cfg(test)]
mod testing;

use swak_sdk::Plugins;
use swak_sdk::options::{OptionSpec, PluginSpec, TypeSpec};
use swak_sdk::plugin::{CrateInfo, PluginEntry};

/// The crate that a plugin comes from. One that was registered by itself has none.
pub(crate) fn crate_of<'a>(plugins: &'a Plugins, entry: &PluginEntry) -> Option<&'a CrateInfo> {
    plugins.crates().get(entry.crate_index?)
}

/// How a plugin is called: `in.Counter(start, count=None, step=1)`.
fn signature(spec: &PluginSpec) -> String {
    let (by_place, by_name): (Vec<_>, Vec<_>) = spec.options.iter().partition(|o| o.positional);
    let args: Vec<_> = by_place.into_iter().chain(by_name).map(argument).collect();
    format!("{}({})", spec.path(), args.join(", "))
}

fn argument(option: &OptionSpec) -> String {
    let name = &option.name;
    match (&option.default, option.required) {
        (Some(default), _) => format!("{name}={default}"),
        (None, true) if option.positional => name.to_string(),
        (None, true) => format!("{name}=…"),
        (None, false) => format!("{name}=None"),
    }
}

/// `required, by position` and the like; empty when there is nothing to say.
fn manner(option: &OptionSpec) -> String {
    let mut words = Vec::new();
    if option.required {
        words.push("required".to_owned());
    }
    if let Some(default) = &option.default {
        words.push(format!("default {default}"));
    }
    if option.secret {
        words.push("secret: shown nowhere".to_owned());
    }
    words.join(", ")
}

/// The struct or the words that a type holds, through lists, dicts and `None`.
fn innermost(ty: &TypeSpec) -> &TypeSpec {
    match ty {
        TypeSpec::List(inner) | TypeSpec::Dict(inner) | TypeSpec::Optional(inner) => {
            innermost(inner)
        }
        _ => ty,
    }
}
