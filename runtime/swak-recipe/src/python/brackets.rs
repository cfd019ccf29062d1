//! Brackets: what stands between them, and what is done when they do not match.

use super::lexer::{Tok, Token};
use super::parser::{Failed, Parser};
use crate::diag::{Diagnostic, Label, Span};

impl Parser<'_> {
    /// Reads elements between brackets, at the open one, and goes on after each that is wrong.
    /// Returns the place from bracket to bracket.
    pub(super) fn elements(
        &mut self,
        mut element: impl FnMut(&mut Self) -> Result<(), Failed>,
    ) -> Span {
        let open = self.peek();
        self.at += 1;
        self.open.push(open);
        let end = loop {
            let token = self.peek();
            if let Some(end) = self.closed(open, token) {
                break end;
            }
            if token.kind == Tok::Comma {
                self.error(
                    Diagnostic::error("unexpected-token", "a value is missing before this `,`")
                        .at(token.span, ""),
                );
                self.at += 1;
                continue;
            }
            if element(self).is_err() {
                self.skip_element();
            }
            let token = self.peek();
            if token.kind == Tok::Comma {
                self.at += 1;
            } else if self.closed_next(token) {
                // The top of the loop sees to it.
            } else {
                self.missing_comma(token);
            }
        };
        self.open.pop();
        open.span.to(end)
    }

    /// Where the bracket ends if the token is its end, or if it has none.
    fn closed(&mut self, open: Token, token: Token) -> Option<Span> {
        match token.kind {
            Tok::Close(close) => {
                self.at += 1;
                let wanted = partner(open);
                if close != wanted {
                    // If a bracket farther out is closed by it, then this one was forgotten.
                    let outer = self.open.len() >= 2
                        && self.open[..self.open.len() - 1].iter().any(|o| partner(*o) == close);
                    if outer {
                        self.at -= 1;
                        self.never_closed(open);
                        return Some(self.tokens[self.at.saturating_sub(1)].span);
                    }
                    self.error(
                        Diagnostic::error(
                            "unmatched-bracket",
                            format!("`{}` is closed by `{}`", self.text_of(open), close as char),
                        )
                        .at(token.span, format!("expected `{}`", wanted as char))
                        .label(open.span, "opened here"),
                    );
                }
                Some(token.span)
            }
            Tok::End => {
                self.never_closed(open);
                Some(token.span)
            }
            _ if self.begins_statement(token) => {
                self.never_closed(open);
                Some(self.tokens[self.at - 1].span)
            }
            _ => None,
        }
    }

    fn closed_next(&self, token: Token) -> bool {
        matches!(token.kind, Tok::Close(_) | Tok::End) || self.begins_statement(token)
    }

    /// A `task(` or a `name =` at the very left is a new statement even when brackets are open: one
    /// forgotten bracket does not swallow the rest of the recipe.
    pub(super) fn begins_statement(&self, token: Token) -> bool {
        if token.indent != Some(0) || token.kind != Tok::Name {
            return false;
        }
        match self.peek_at(1).kind {
            Tok::Open(b'(') => self.word(token) == "task",
            Tok::Equal => {
                let call = self.peek_at(2);
                call.kind == Tok::Name && self.word(call) == "task"
            }
            _ => false,
        }
    }

    fn never_closed(&mut self, open: Token) {
        // The innermost is told first; those around it that end at the same place are told with it.
        if let Some(last) = self.errors.last_mut()
            && last.code == "unclosed-bracket"
            && self.unclosed_at == Some(self.at)
        {
            if last.secondary.len() < 4 {
                last.secondary.push(Label { span: open.span, text: "and this one".into() });
            }
            return;
        }
        self.unclosed_at = Some(self.at);
        self.error(
            Diagnostic::error(
                "unclosed-bracket",
                format!("`{}` is never closed", self.text_of(open)),
            )
            .at(open.span, "opened here")
            .help(format!("add a `{}`", partner(open) as char)),
        );
    }

    fn missing_comma(&mut self, token: Token) {
        let before = self.tokens[self.at - 1].span.end as usize;
        let begins_value = matches!(
            token.kind,
            Tok::Name | Tok::Str | Tok::Number | Tok::Open(_) | Tok::Unreadable
        );
        if begins_value {
            self.error(
                Diagnostic::error("missing-comma", "a `,` is missing here")
                    .at(Span::new(before, before), "between these two values")
                    .label(token.span, "the next value"),
            );
        } else {
            let close = self.open.last().map_or(b')', |open| partner(*open)) as char;
            self.error(
                Diagnostic::error(
                    "unexpected-token",
                    format!("expected `,` or `{close}`, found `{}`", self.text_of(token)),
                )
                .at(token.span, ""),
            );
            self.skip_element();
            if self.peek().kind == Tok::Comma {
                self.at += 1;
            }
        }
    }
}

fn partner(open: Token) -> u8 {
    match open.kind {
        Tok::Open(b'[') => b']',
        Tok::Open(b'{') => b'}',
        _ => b')',
    }
}
