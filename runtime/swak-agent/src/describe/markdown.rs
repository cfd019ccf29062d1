//! Plugins as Markdown: one for `desc`, a page a crate for the reference.

use swak_sdk::Plugins;
use swak_sdk::options::{DeliveryOptions, Kind, OptionSpec, PluginSpec, TypeSpec};

use super::{crate_of, innermost, signature};

/// One page of the reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Page {
    /// `swak-plugin-std.md`
    pub(crate) file: String,
    /// The whole page.
    pub(crate) text: String,
}

/// One plugin, under a heading of the second level.
pub(crate) fn plugin(spec: &PluginSpec) -> String {
    let mut out = format!("## {}\n\n", spec.path());
    out.push_str(&lower_headings(&spec.help));
    out.push_str(&format!("\n```python\n{}\n```\n", signature(spec)));
    if !spec.options.is_empty() {
        out.push_str("\n| option | takes | default | what it is |\n|---|---|---|---|\n");
        rows(&mut out, "", &spec.options);
    }
    out
}

/// The heading of the options that every output has.
const DELIVERY: &str = "Delivery";

/// What every output takes: told once, and not with each of them.
fn delivery() -> String {
    let mut out = format!("\n## {DELIVERY}\n\n{}\n", DeliveryOptions::HELP);
    out.push_str("\n| option | takes | default | what it is |\n|---|---|---|---|\n");
    rows(&mut out, "", DeliveryOptions::specs());
    out
}

/// All pages: `README.md` with every plugin and with what every output takes, then one for each crate.
///
/// Versions are left out, so that a page changes when its plugins do.
pub(crate) fn reference(plugins: &Plugins) -> Vec<Page> {
    let mut index = String::from(
        "# Plugins\n\n\
         Written by `cargo ci reference --fix` from the plugins' own source; do not edit.\n",
    );
    let mut pages = Vec::new();
    for krate in plugins.crates() {
        let own: Vec<_> = plugins
            .iter()
            .filter(|entry| crate_of(plugins, entry).is_some_and(|c| c.name == krate.name))
            .map(|entry| &entry.spec)
            .collect();
        let file = format!("{}.md", krate.name);
        index.push_str(&format!(
            "\n## [{}]({file})\n\n| plugin | kind | what it does |\n|---|---|---|\n",
            krate.name
        ));
        let mut text = format!("# {}\n", krate.name);
        for spec in own {
            let path = spec.path();
            index.push_str(&format!(
                "| [`{path}`]({file}#{}) | {} | {} |\n",
                anchor(&path),
                spec.kind,
                cell(&spec.summary)
            ));
            text.push('\n');
            text.push_str(&plugin(spec));
            if spec.kind == Kind::Output {
                text.push_str(&format!(
                    "\nIt also takes the [options of every output](README.md#{}).\n",
                    anchor(DELIVERY)
                ));
            }
        }
        pages.push(Page { file, text });
    }
    if plugins.iter().any(|entry| entry.spec.kind == Kind::Output) {
        index.push_str(&delivery());
    }
    pages.insert(0, Page { file: "README.md".to_owned(), text: index });
    pages
}

fn rows(out: &mut String, prefix: &str, specs: &[OptionSpec]) {
    for option in specs {
        let name = format!("{prefix}{}", option.name);
        let default = match &option.default {
            _ if option.required => "required".to_owned(),
            Some(default) => format!("`{}`", cell(default)),
            None => String::new(),
        };
        let mut help = cell(&option.help);
        if option.secret {
            help.push_str(" Shown nowhere.");
        }
        if let TypeSpec::Choice(words) = innermost(&option.ty) {
            for word in words.iter().filter(|word| !word.help.is_empty()) {
                help.push_str(&format!("<br>`{}`: {}", word.name, cell(&word.help)));
            }
        }
        let takes = cell(&option.ty.noun());
        out.push_str(&format!("| `{name}` | {takes} | {default} | {help} |\n"));
        if let TypeSpec::Struct(inner) = innermost(&option.ty) {
            rows(out, &format!("{name}."), inner);
        }
    }
}

/// Text on one line that does not end a table's cell.
fn cell(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}

/// The anchor that GitHub gives a heading.
fn anchor(heading: &str) -> String {
    heading.to_lowercase().replace('.', "")
}

/// Moves a doc comment's headings below the plugin's own; lines of code stay.
fn lower_headings(help: &str) -> String {
    let mut out = String::new();
    let mut in_code = false;
    for line in help.lines() {
        in_code ^= line.trim_start().starts_with("```");
        if !in_code && line.starts_with('#') {
            out.push_str("##");
        }
        out.push_str(line);
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::testing::{follow, option};
    use super::*;

    #[test]
    fn a_plugin_with_everything() {
        assert_eq!(
            plugin(&follow()),
            r#"## in.Follow

Follows growing files.

One record a line.

```python
in.Follow(path, start="end", password=None, tls={})
```

| option | takes | default | what it is |
|---|---|---|---|
| `path` | a list of: a glob pattern | required | Files to follow. |
| `start` | one of `begin`, `end` | `"end"` | Where to start.<br>`begin`: At the first byte. |
| `password` | a string, or None |  | Who knocks. Shown nowhere. |
| `tls` | a dict of options | `{}` | Encryption. |
| `tls.on` | True or False | `False` | Whether it is on. |
"#
        );
    }

    #[test]
    fn what_every_output_takes_is_told_once() {
        let text = delivery();
        assert!(text.starts_with("\n## Delivery\n\nHow records reach an output"), "{text}");
        for name in DeliveryOptions::NAMES {
            assert_eq!(text.matches(&format!("\n| `{name}` |")).count(), 1, "{text}");
        }
    }

    #[test]
    fn a_cell_holds_bars_and_line_ends() {
        let mut out = String::new();
        rows(&mut out, "", &[option("a", "One | two,\nthree.", TypeSpec::Any)]);
        assert_eq!(out, "| `a` | any value |  | One \\| two, three. |\n");
    }

    #[test]
    fn headings_go_below_the_plugin_and_code_stays() {
        assert_eq!(
            lower_headings("# Try\n```sh\n# no heading\n```"),
            "### Try\n```sh\n# no heading\n```\n"
        );
    }
}
