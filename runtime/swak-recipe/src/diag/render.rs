//! Diagnostics for people, in the manner of rustc.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet, normalize_untrusted_str};

use super::{Diagnostic, Diagnostics, Label, Severity, SourceFile, Span};

/// How many of a list are written out; the rest are counted.
pub const MAX_RENDERED: usize = 50;

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
        let rest = self.iter().len().saturating_sub(MAX_RENDERED);
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
            let mut group = reports.remove(0).element(self.snippet(source, primary));
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

    fn snippet<'a>(
        &'a self,
        source: &'a SourceFile,
        primary: &'a Label,
    ) -> Snippet<'a, annotate_snippets::Annotation<'a>> {
        // Only the lines that are talked about are handed over: laying out a large file again for
        // each of many mistakes would cost their product.
        let all = self.secondary.iter().fold(primary.span, |sum, l| sum.to(l.span));
        let (line, bytes) = source.lines_around(all);
        let secondary = self
            .secondary
            .iter()
            .map(|label| annotation(AnnotationKind::Context, label, source, &bytes));
        Snippet::source(&source.text()[bytes.clone()])
            .path(normalize_untrusted_str(source.name()))
            .line_start(line)
            .annotation(annotation(AnnotationKind::Primary, primary, source, &bytes))
            .annotations(secondary)
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
