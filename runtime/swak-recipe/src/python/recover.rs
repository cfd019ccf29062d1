//! Where to go on after something that could not be read.

use super::lexer::{Tok, Token};
use super::parser::Parser;

impl Parser<'_> {
    /// To the `,` or the end of the element that could not be read.
    pub(super) fn skip_element(&mut self) {
        let mut depth = 0usize;
        loop {
            let token = self.peek();
            match token.kind {
                Tok::End => return,
                Tok::Comma if depth == 0 => return,
                Tok::Close(_) if depth == 0 => return,
                Tok::Close(_) => depth -= 1,
                Tok::Open(_) => depth += 1,
                _ if self.begins_statement(token) => return,
                _ => {}
            }
            self.at += 1;
        }
    }

    /// To the next line that is not inside brackets.
    pub(super) fn skip_to_line(&mut self) {
        let mut depth = 0usize;
        loop {
            let token = self.peek();
            let fresh = token.indent.is_some() && self.at > 0;
            match token.kind {
                Tok::End => return,
                _ if fresh && (depth == 0 || self.begins_statement(token)) => return,
                Tok::Open(_) => depth += 1,
                Tok::Close(_) => depth = depth.saturating_sub(1),
                _ => {}
            }
            self.at += 1;
        }
    }

    /// Past a statement of Python and the lines that are indented under it.
    pub(super) fn skip_block(&mut self, first: Token) {
        let own = first.indent.unwrap_or(0);
        self.at += 1;
        loop {
            let token = self.peek();
            if token.kind == Tok::End || token.indent.is_some_and(|indent| indent <= own) {
                return;
            }
            self.at += 1;
        }
    }
}
