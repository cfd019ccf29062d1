//! Doc comments: the help text of plugins, options and choices.

use syn::{Attribute, Expr, ExprLit, Lit, Meta};

/// The text of the doc comment in Markdown, without the comment marks; `None` if there is none.
pub(crate) fn doc_text(attrs: &[Attribute]) -> Option<String> {
    let lines: Vec<String> = attrs.iter().filter_map(doc_line).collect();
    // `///` leaves one space before each line, `/** */` does not; the text keeps deeper
    // indentation, since Markdown gives it a meaning.
    let text: Vec<&str> = lines
        .iter()
        .flat_map(|line| line.split('\n'))
        .map(|line| line.strip_prefix(' ').unwrap_or(line).trim_end())
        .collect();
    let text = text.join("\n").trim().to_owned();
    (!text.is_empty()).then_some(text)
}

/// The first sentence of the first paragraph, on one line.
pub(crate) fn summary(help: &str) -> String {
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

fn doc_line(attr: &Attribute) -> Option<String> {
    let Meta::NameValue(meta) = &attr.meta else { return None };
    if !meta.path.is_ident("doc") {
        return None;
    }
    match &meta.value {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_is_the_first_sentence() {
        assert_eq!(summary("One record a line."), "One record a line.");
        assert_eq!(summary("Reads files. One record\na line."), "Reads files.");
        assert_eq!(
            summary("Reads files, e.g. logs,\nfor ever.\n\nMore."),
            "Reads files, e.g. logs, for ever."
        );
        assert_eq!(summary("Without a stop\n\nMore. And more."), "Without a stop");
    }

    #[test]
    fn the_doc_text_keeps_markdown() {
        let item: syn::ItemStruct = syn::parse_quote! {
            /// First.
            ///
            ///     code
            #[doc(hidden)]
            struct S;
        };
        assert_eq!(doc_text(&item.attrs).as_deref(), Some("First.\n\n    code"));
        let item: syn::ItemStruct = syn::parse_quote! {
            ///
            struct S;
        };
        assert_eq!(doc_text(&item.attrs), None);
    }
}
