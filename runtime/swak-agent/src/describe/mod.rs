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

/// The longest call that stands on one line.
const WIDTH: usize = 88;

/// How a plugin is called: `in.Counter(start, count=None, step=1)`, or a line an option when that
/// is too long for one.
fn signature(spec: &PluginSpec) -> String {
    let (by_place, by_name): (Vec<_>, Vec<_>) = spec.options.iter().partition(|o| o.positional);
    let args: Vec<_> = by_place.into_iter().chain(by_name).map(argument).collect();
    let line = format!("{}({})", spec.path(), args.join(", "));
    match line.chars().count() > WIDTH {
        true => format!("{}(\n    {},\n)", spec.path(), args.join(",\n    ")),
        false => line,
    }
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

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::testing::{follow, null, option};
    use super::*;

    #[test]
    fn a_short_call_is_one_line_and_a_long_one_several() {
        assert_eq!(signature(&null()), "out.Null()");
        let mut spec = follow();
        let long = option("a_name_that_is_very_long_for_an_option", "", TypeSpec::Bool);
        spec.options = Cow::Owned(vec![spec.options[0].clone(), long.clone(), long]);
        assert_eq!(
            signature(&spec),
            "in.Follow(\n    path,\n    a_name_that_is_very_long_for_an_option=None,\n    \
             a_name_that_is_very_long_for_an_option=None,\n)"
        );
    }
}
