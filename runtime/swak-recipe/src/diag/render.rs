//! Diagnostics for people, in the manner of rustc.

use std::ops::Range;

use annotate_snippets::{
    AnnotationKind, Group, Level, Origin, Renderer, Snippet, normalize_untrusted_str,
};

use super::{Diagnostic, Diagnostics, Label, Severity, SourceFile, Span};

/// How many of a list are written out; the rest are counted.
pub const MAX_RENDERED: usize = 50;

/// The most of a text that is laid out for one mistake, in bytes.
const MAX_WINDOW: usize = 128 << 10;

impl Diagnostics {
    /// All of them, an empty line between two, ending with a newline.
    pub fn render(&self, color: bool) -> String {
        let mut out = String::new();
        for (i, one) in self.iter().take(MAX_RENDERED).enumerate() {
            if i > 0 {
                out.push('\n');
            }
            out.push_str(&one.render(color));
        }
        let rest = self.iter().len().saturating_sub(MAX_RENDERED) + self.omitted;
        if rest > 0 {
            out.push_str(&format!("\nand {rest} more\n"));
        }
        out
    }
}

impl Diagnostic {
    /// `error[code]: …`, the place underlined, `help: …`; ends with a newline.
    pub fn render(&self, color: bool) -> String {
        let level = match self.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let title = level.primary_title(self.message.as_str()).id(self.code);
        let renderer = if color { Renderer::styled() } else { Renderer::plain() };
        let mut reports = vec![Group::with_title(title)];
        if let (Some(source), Some(primary)) = (&self.source, &self.primary) {
            let mut group = self.with_place(reports.remove(0), source, primary);
            for help in &self.help {
                group = group.element(Level::HELP.message(clean(help)));
            }
            reports.push(group);
        } else {
            let titled =
                |help: &String| Group::with_title(Level::HELP.secondary_title(clean(help)));
            reports.extend(self.help.iter().map(titled));
        }
        // Each by itself: groups of one report are joined by a bar, which points at nothing when
        // there is no text beside it.
        let mut text = String::new();
        for group in reports {
            text.push_str(&renderer.render(&[group]));
            text.push('\n');
        }
        text
    }

    /// Adds the lines that are talked about, and only those: laying out a large file again for each
    /// of many mistakes would cost their product.
    fn with_place<'a>(
        &'a self,
        group: Group<'a>,
        source: &'a SourceFile,
        primary: &'a Label,
    ) -> Group<'a> {
        let whole = self.secondary.iter().fold(primary.span, |sum, l| sum.to(l.span));
        let (mut line, mut bytes) = source.lines_around(whole);
        let near = bytes.len() <= MAX_WINDOW;
        if !near {
            (line, bytes) = source.lines_around(primary.span);
        }
        let mut group = if bytes.len() <= MAX_WINDOW {
            let mut snippet = Snippet::source(&source.text()[bytes.clone()])
                .path(normalize_untrusted_str(source.name()))
                .line_start(line)
                .annotation(annotation(AnnotationKind::Primary, primary, source, &bytes));
            if near {
                snippet = snippet.annotations(
                    self.secondary
                        .iter()
                        .map(|label| annotation(AnnotationKind::Context, label, source, &bytes)),
                );
            }
            group.element(snippet)
        } else {
            let (line, column) = source.line_column(primary.span.start as usize);
            let path = normalize_untrusted_str(source.name());
            group.element(Origin::path(path).line(line).char_column(column))
        };
        if !near {
            for label in &self.secondary {
                let (line, column) = source.line_column(label.span.start as usize);
                let text = format!("{}: line {line}, column {column}", label.text);
                group = group.element(Level::NOTE.message(clean(&text)));
            }
        }
        group
    }
}

/// Control characters are made harmless; line breaks of our own texts stay.
fn clean(text: &str) -> String {
    text.lines().map(normalize_untrusted_str).collect::<Vec<_>>().join("\n")
}

fn annotation<'a>(
    kind: AnnotationKind,
    label: &'a Label,
    source: &SourceFile,
    window: &Range<usize>,
) -> annotate_snippets::Annotation<'a> {
    let range = safe_range(source.text(), label.span);
    let range = range.start - window.start..range.end - window.start;
    let text = (!label.text.is_empty()).then(|| normalize_untrusted_str(&label.text));
    kind.span(range).label(text)
}

/// The bytes of a span, kept inside the text and on the borders of characters.
fn safe_range(text: &str, span: Span) -> Range<usize> {
    let mut start = (span.start as usize).min(text.len());
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    let mut end = (span.end as usize).clamp(start, text.len());
    while !text.is_char_boundary(end) {
        end += 1;
    }
    start..end
}
