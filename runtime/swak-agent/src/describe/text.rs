//! Plugins for a terminal.

use swak_sdk::options::{OptionSpec, PluginSpec, TypeSpec};
use swak_sdk::plugin::CrateInfo;

use super::{innermost, manner, signature};
use crate::paint::Paint;

/// One plugin with all its options.
pub(crate) fn plugin(spec: &PluginSpec, from: Option<&CrateInfo>, paint: Paint) -> String {
    let mut out = format!("{}  {}", paint.heading(spec.path()), spec.kind);
    if let Some(from) = from {
        out.push_str(&format!(" of {} {}", from.name, from.version));
    }
    out.push_str("\n\n");
    help(&mut out, &spec.help, paint);
    out.push_str(&format!("\n{}\n", paint.heading("Call:")));
    indent(&mut out, &signature(spec), 2);
    if !spec.options.is_empty() {
        out.push_str(&format!("\n{}\n", paint.heading("Options:")));
        options(&mut out, &spec.options, 2, paint);
    }
    let common = spec.kind.common_options();
    if !common.is_empty() {
        out.push_str(&format!("\n{}\n", paint.heading(format!("Of every {}:", spec.kind))));
        options(&mut out, common, 2, paint);
    }
    out
}

/// All plugins by kind, one a line.
pub(crate) fn list<'a>(
    plugins: impl Iterator<Item = (&'a PluginSpec, Option<&'a CrateInfo>)>,
    paint: Paint,
) -> String {
    let mut rows: Vec<_> = plugins.collect();
    rows.sort_by_key(|(spec, _)| (spec.kind, spec.path()));
    let width = rows.iter().map(|(spec, _)| spec.path().len()).max().unwrap_or(0);
    let mut out = String::new();
    let mut kind = None;
    for (spec, from) in rows {
        if kind.replace(spec.kind) != Some(spec.kind) {
            let gap = if out.is_empty() { "" } else { "\n" };
            let title = match spec.kind.as_str() {
                "input" => "Inputs:",
                "transform" => "Transforms:",
                _ => "Outputs:",
            };
            out.push_str(&format!("{gap}{}\n", paint.heading(title)));
        }
        // Padded before it is coloured: colours have no width.
        let path = paint.literal(format!("{:width$}", spec.path()));
        let from = match from {
            Some(from) => paint.quiet(format!("  ({} {})", from.name, from.version)),
            None => String::new(),
        };
        out.push_str(&format!("  {path}  {}{from}\n", spec.summary));
    }
    out
}

fn options(out: &mut String, specs: &[OptionSpec], depth: usize, paint: Paint) {
    for option in specs {
        let pad = " ".repeat(depth);
        out.push_str(&format!("{pad}{}  {}", paint.literal(&option.name), option.ty.noun()));
        match manner(option) {
            manner if manner.is_empty() => {}
            manner => out.push_str(&paint.quiet(format!("  [{manner}]"))),
        }
        out.push('\n');
        indent(out, &option.help, depth + 4);
        match innermost(&option.ty) {
            TypeSpec::Struct(inner) => options(out, inner, depth + 4, paint),
            TypeSpec::Choice(words) => {
                for word in words.iter().filter(|word| !word.help.is_empty()) {
                    let help = word.help.replace('\n', " ");
                    let pad = " ".repeat(depth + 4);
                    out.push_str(&format!("{pad}- {}: {help}\n", paint.literal(&word.name)));
                }
            }
            _ => {}
        }
    }
}

/// The documentation, with examples told as such instead of in the fences that Markdown has.
fn help(out: &mut String, text: &str, paint: Paint) {
    let mut in_example = false;
    for line in text.lines() {
        if line.starts_with("```") {
            in_example = !in_example;
            if in_example {
                indent(out, &paint.heading("Example:"), 2);
            }
        } else if line.is_empty() {
            out.push('\n');
        } else {
            indent(out, line, if in_example { 4 } else { 2 });
        }
    }
}

fn indent(out: &mut String, text: &str, depth: usize) {
    let pad = " ".repeat(depth);
    for line in text.lines() {
        match line.is_empty() {
            true => out.push('\n'),
            false => out.push_str(&format!("{pad}{line}\n")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{follow, krate, null};
    use super::*;

    #[test]
    fn a_plugin_with_everything() {
        let text = plugin(&follow(), Some(&krate()), Paint(false));
        assert_eq!(
            text,
            r#"in.Follow  input of swak-plugin-demo 0.3.0

  Follows growing files.

  One record a line.

Call:
  in.Follow(path, start="end", password=None, tls={})

Options:
  path  a list of: a glob pattern  [required]
      Files to follow.
  start  one of `begin`, `end`  [default "end"]
      Where to start.
      - begin: At the first byte.
  password  a string, or None  [secret: shown nowhere]
      Who knocks.
  tls  a dict of options  [default {}]
      Encryption.
      on  True or False  [default False]
          Whether it is on.
"#
        );
    }

    #[test]
    fn an_output_has_what_every_output_has() {
        let text = plugin(&null(), None, Paint(false));
        assert!(text.contains("\nOf every output:\n  batch_records  a whole number"), "{text}");
        assert!(text.contains("\n  workers  a whole number from 1 to 64  [default 1]\n"), "{text}");
    }

    #[test]
    fn an_example_has_no_fences() {
        let mut spec = null();
        spec.help = "Drops all.\n\n```swak\ntask(\n    in.A(),\n\n    out.Null()\n)\n```".into();
        let text = plugin(&spec, None, Paint(false));
        let example =
            "  Example:\n    task(\n        in.A(),\n\n        out.Null()\n    )\n\nCall:";
        assert!(text.contains(example), "{text}");
    }

    #[test]
    fn a_list_by_kind() {
        let (follow, null, krate) = (follow(), null(), krate());
        let text = list([(&null, Some(&krate)), (&follow, None)].into_iter(), Paint(false));
        assert_eq!(
            text,
            "Inputs:\n  in.Follow  Follows growing files.\n\n\
             Outputs:\n  out.Null   Drops all.  (swak-plugin-demo 0.3.0)\n"
        );
    }

    #[test]
    fn colours_only_when_asked() {
        assert!(!plugin(&follow(), None, Paint(false)).contains('\x1b'));
        assert!(plugin(&follow(), None, Paint(true)).contains('\x1b'));
    }
}
