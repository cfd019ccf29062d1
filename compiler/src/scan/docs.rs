//! Doc comments, read as `swak-macros` reads them.

use syn::{Attribute, Expr, ExprLit, Lit, Meta};

/// The text of the doc comment in Markdown; empty if there is none.
pub(super) fn text(attrs: &[Attribute]) -> String {
    let lines: Vec<String> = attrs.iter().filter_map(line).collect();
    let text: Vec<&str> = lines
        .iter()
        .flat_map(|line| line.split('\n'))
        .map(|line| line.strip_prefix(' ').unwrap_or(line).trim_end())
        .collect();
    text.join("\n").trim().to_owned()
}

/// The first sentence of the first paragraph, on one line.
pub(super) fn summary(help: &str) -> String {
    let paragraph: Vec<&str> =
        help.lines().map(str::trim).take_while(|line| !line.is_empty()).collect();
    let paragraph = paragraph.join(" ");
    for (at, _) in paragraph.match_indices(". ") {
        // "e.g. a file" goes on; "A file. The next one" does not.
        let next = paragraph[at + 2..].chars().next();
        if next.is_some_and(|c| !c.is_lowercase()) {
            return paragraph[..=at].to_owned();
        }
    }
    paragraph
}

fn line(attr: &Attribute) -> Option<String> {
    let Meta::NameValue(meta) = &attr.meta else { return None };
    if !meta.path.is_ident("doc") {
        return None;
    }
    match &meta.value {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value()),
        _ => None,
    }
}
