//! Files for people to read, written from the templates in the top-level folder `templates`.

use std::collections::BTreeMap;

use handlebars::{Context, Handlebars, Helper, HelperResult, Output, RenderContext};

mod files {
    include!(concat!(env!("OUT_DIR"), "/templates.rs"));
}

/// The values that a template is filled with.
pub type Values = serde_json::Map<String, serde_json::Value>;

/// Fills a template: `workspace/Cargo.toml`.
///
/// Strict: a value that the template names and that is not given is a defect of the compiler, not
/// of its input. Nothing is escaped; a text that a person wrote goes through the helper `toml`,
/// or is of a type that cannot hold anything dangerous.
///
/// # Panics
/// When the template does not exist, does not parse or lacks a value: the tests fill every one.
pub fn fill(name: &str, values: &Values) -> String {
    let source = source(name);
    let mut engine = Handlebars::new();
    engine.set_strict_mode(true);
    engine.register_escape_fn(handlebars::no_escape);
    engine.register_helper("toml", Box::new(toml_string));
    engine
        .render_template(source, values)
        .unwrap_or_else(|e| panic!("the template {name} is filled with what it names: {e}"))
}

/// The texts of the templates whose names begin with this, by what follows it in their names.
pub fn below(prefix: &str) -> BTreeMap<&'static str, &'static str> {
    let found = |&(name, _): &(&'static str, &'static str)| name.strip_prefix(prefix);
    files::FILES.iter().filter_map(|file| Some((found(file)?, file.1))).collect()
}

/// `{{toml text}}`: the text as a TOML string, with its quotes.
fn toml_string(
    helper: &Helper<'_>,
    _: &Handlebars<'_>,
    _: &Context,
    _: &mut RenderContext<'_, '_>,
    out: &mut dyn Output,
) -> HelperResult {
    let text = helper.param(0).and_then(|p| p.value().as_str()).unwrap_or_default();
    out.write(&one_line_string(text))?;
    Ok(())
}

/// A basic TOML string on one line, so that it may stand in a comment too.
fn one_line_string(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => out.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

fn source(name: &str) -> &'static str {
    files::FILES
        .iter()
        .find(|(file, _)| *file == name)
        .map(|(_, text)| *text)
        .unwrap_or_else(|| panic!("there is a template {name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_parses() {
        for (name, text) in files::FILES {
            handlebars::Template::compile(text).unwrap_or_else(|e| panic!("{name}: {e}"));
        }
    }

    #[test]
    fn a_text_becomes_one_toml_string() {
        let mut engine = Handlebars::new();
        engine.register_escape_fn(handlebars::no_escape);
        engine.register_helper("toml", Box::new(toml_string));
        let nasty = "a\"\n[dependencies]\n\\u{0}\u{1}스왴";
        let values = serde_json::json!({ "x": nasty });
        let toml =
            engine.render_template("# {{toml x}}\nx = {{toml x}}", &values).expect("renders");
        let document: toml_edit::DocumentMut = toml.parse().expect("one line of TOML");
        assert_eq!(document["x"].as_str(), Some(nasty));
        assert_eq!(document.len(), 1);
    }
}
