//! What is made beside the executable: `licenses`, `package`, `container`.

use std::collections::HashMap;

use swak_recipe::diag::{Diagnostic, Span};
use swak_recipe::yaml::{Node, Value};

use super::fields::{Fields, show};
use super::{At, Found, values};
use crate::release::licenses::{Denied, Deny};
use crate::release::{Format, Wanted, is_static};
use crate::target::Target;

/// The keys of `licenses`.
const LICENSES_KEYS: &[&[&str]] = &[&["deny"]];

/// The three keys; what a format or a container needs is looked for among the targets.
pub(super) fn read(fields: &mut Fields<'_>, targets: &[Target], found: &mut Found<'_>) -> Wanted {
    let deny = fields.take("licenses").map(|node| licenses(node, found));
    let packages = fields.take("package").map(|node| packages(node, found)).unwrap_or_default();
    let container = fields.take("container").and_then(|node| {
        let value = values::boolean(node, found)?;
        Some(At { value, span: node.span })
    });
    for format in &packages {
        if !targets.iter().any(|target| format.value.fits(target)) {
            let name = format.value.name();
            let what = format!("no target here can have `{name}`: such packages are for Linux");
            found.add(unfit("package-without-target", what, format.span));
        }
    }
    if let Some(container) = &container
        && container.value
        && !targets.iter().any(is_static)
    {
        let what = "no target here can have a container: it needs a static Linux executable";
        found.add(unfit("container-without-target", what.to_owned(), container.span));
    }
    Wanted {
        deny: deny.unwrap_or_default(),
        packages: packages.into_iter().map(|format| format.value).collect(),
        container: container.is_some_and(|container| container.value),
    }
}

fn licenses(node: &Node, found: &mut Found<'_>) -> Deny {
    let Value::Map(entries) = &node.value else {
        found.add(
            node.expected("wrong-type", "a map with `deny`")
                .help("write `licenses: {deny: [GPL-3.0]}`"),
        );
        return Deny::default();
    };
    let mut fields = Fields::of_map(entries, LICENSES_KEYS, found);
    let words = fields.take("deny").map(|node| values::words(node, "a licence", found));
    fields.finish(found);
    let read = |word: &str| {
        Denied::parse(word)
            .map_err(|error| Diagnostic::error(error.code(), error.to_string()).help(error.help()))
            .map_err(Box::new)
    };
    let words = each_once(words.unwrap_or_default(), read, found);
    Deny::written(words.into_iter().map(|word| (word.value, word.span)), found.source)
}

fn packages(node: &Node, found: &mut Found<'_>) -> Vec<At<Format>> {
    let words = values::words(node, "a format", found);
    let list = || Format::ALL.map(Format::name).join(", ");
    let read = |word: &str| {
        Format::parse(word)
            .map_err(|nearest| {
                let message = format!("unknown format of packages `{}`", show(word));
                Diagnostic::error("unknown-package-format", message).help(match nearest {
                    Some(near) => format!("did you mean `{near}`? The formats are: {}", list()),
                    None => format!("the formats are: {}", list()),
                })
            })
            .map_err(Box::new)
    };
    each_once(words, read, found)
}

/// Reads each word; one that stands there again is a mistake.
fn each_once<T>(
    words: Vec<At<String>>,
    read: impl Fn(&str) -> Result<T, Box<Diagnostic>>,
    found: &mut Found<'_>,
) -> Vec<At<T>> {
    let mut all = Vec::new();
    let mut first: HashMap<String, Span> = HashMap::new();
    for At { value: word, span } in words {
        match read(&word) {
            Err(error) => found.add(error.at(span, "")),
            Ok(value) => match first.get(&word) {
                Some(first) => {
                    let message = format!("`{}` stands here twice", show(&word));
                    found.add(
                        Diagnostic::error("duplicate-word", message)
                            .at(span, "again here")
                            .label(*first, "first here")
                            .help("keep one of them"),
                    );
                }
                None => {
                    first.insert(word, span);
                    all.push(At { value, span });
                }
            },
        }
    }
    all
}

fn unfit(code: &'static str, message: String, span: Span) -> Diagnostic {
    Diagnostic::error(code, message)
        .at(span, "")
        .help("add `linux-x86_64` or `linux-aarch64` to `targets`, or take this away")
}
