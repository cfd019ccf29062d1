//! Tokens to the syntax tree, going on after a mistake.

use std::collections::HashMap;

use super::lexer::{MAX_ERRORS, Tok, Token, lex};
use super::{foreign, literals};
use crate::diag::{Diagnostic, Span};
use crate::syntax::{Arg, Call, Expr, ExprKind, MAX_DEPTH, Script, Statement};
use swak_sdk::options::Key;

/// Reads all that can be read.
pub(super) fn parse(text: &str) -> (Script, Vec<Diagnostic>) {
    let (tokens, errors) = lex(text);
    let mut parser =
        Parser { text, tokens, at: 0, open: Vec::new(), errors, gave_up: false, unclosed_at: None };
    let script = parser.script();
    parser.errors.truncate(MAX_ERRORS);
    (script, parser.errors)
}

pub(super) struct Parser<'a> {
    text: &'a str,
    pub(super) tokens: Vec<Token>,
    pub(super) at: usize,
    /// The brackets that are open around the current token.
    pub(super) open: Vec<Token>,
    pub(super) errors: Vec<Diagnostic>,
    /// Nothing more is read or told.
    gave_up: bool,
    /// The token at which a bracket was last told to be open.
    pub(super) unclosed_at: Option<usize>,
}

/// An expression could not be read; the mistake was noted.
pub(super) struct Failed;

impl<'a> Parser<'a> {
    fn script(&mut self) -> Script {
        let mut script = Script::default();
        while self.peek().kind != Tok::End && self.errors.len() < MAX_ERRORS {
            let before = self.at;
            let statement = self.statement();
            if self.gave_up {
                break;
            }
            if let Ok(Some(statement)) = statement {
                script.statements.push(statement);
                self.end_of_statement();
            } else {
                self.skip_to_line();
            }
            // Whatever happens above, the text gets shorter.
            if self.at == before {
                self.at += 1;
            }
            self.open.clear();
        }
        script
    }

    fn statement(&mut self) -> Result<Option<Statement>, Failed> {
        let first = self.peek();
        if first.kind == Tok::Semicolon {
            self.at += 1;
            return Ok(None);
        }
        if first.kind == Tok::Name {
            if let Some(found) = foreign::statement(self.word(first), first.span) {
                self.error(found);
                self.skip_block(first);
                return Err(Failed);
            }
            if self.peek_at(1).kind == Tok::Equal {
                self.at += 2;
                let target = Key { name: self.word(first).to_owned(), span: first.span };
                self.check_target(&target);
                let value = self.expr()?;
                return Ok(Some(Statement { target: Some(target), value }));
            }
        }
        let value = self.expr()?;
        if self.peek().kind == Tok::Equal {
            self.error(
                Diagnostic::error("bad-target", "this cannot be given a value")
                    .at(value.span, "not a name")
                    .help("on the left of `=` stands a name of your own: web = task(…)"),
            );
            return Err(Failed);
        }
        Ok(Some(Statement { target: None, value }))
    }

    fn check_target(&mut self, target: &Key) {
        if matches!(target.name.as_str(), "in" | "out" | "True" | "False" | "None") {
            self.error(
                Diagnostic::error(
                    "bad-target",
                    format!("`{}` cannot be given another value", target.name),
                )
                .at(target.span, "")
                .help("take another name"),
            );
        }
    }

    /// A statement ends with its line.
    fn end_of_statement(&mut self) {
        let next = self.peek();
        if next.kind == Tok::End || next.indent.is_some() {
            return;
        }
        if next.kind == Tok::Semicolon {
            self.at += 1;
            return;
        }
        let found = match next.kind {
            Tok::Close(close) => Diagnostic::error(
                "unmatched-bracket",
                format!("`{}` closes nothing", close as char),
            )
            .at(next.span, "")
            .help("remove it, or look for the bracket that should be open here"),
            _ => Diagnostic::error("unexpected-token", "expected the end of the line")
                .at(next.span, "")
                .help("begin each task and each name on a line of its own"),
        };
        self.error(found);
        self.skip_to_line();
    }

    fn expr(&mut self) -> Result<Expr, Failed> {
        let value = self.operand()?;
        self.no_operator_follows()?;
        Ok(value)
    }

    /// An element that cannot be read leaves a hole, so that it is not missed as well.
    fn expr_or_hole(&mut self) -> Expr {
        let start = self.peek().span;
        self.expr().unwrap_or_else(|Failed| {
            self.skip_element();
            Expr { kind: ExprKind::Unreadable, span: start }
        })
    }

    fn operand(&mut self) -> Result<Expr, Failed> {
        let token = self.peek();
        match token.kind {
            Tok::Name => self.name_or_call(token),
            Tok::Str => Ok(self.strings(token)),
            Tok::Number => self.number(token, false),
            Tok::Minus | Tok::Plus if self.peek_at(1).kind == Tok::Number => {
                self.at += 1;
                let number = self.peek();
                let mut value = self.number(number, token.kind == Tok::Minus)?;
                value.span = token.span.to(value.span);
                Ok(value)
            }
            Tok::Unreadable => {
                self.at += 1;
                Ok(Expr { kind: ExprKind::Unreadable, span: token.span })
            }
            Tok::Open(bracket) => {
                if self.open.len() >= MAX_DEPTH {
                    return Err(self.too_deep(token));
                }
                match bracket {
                    b'[' => self.list(),
                    b'{' => self.dict(),
                    _ => self.parenthesized(),
                }
            }
            Tok::Minus | Tok::Plus | Tok::Operator => {
                self.error(foreign::operator(self.text_of(token), token.span));
                Err(Failed)
            }
            _ => {
                let found = match token.kind {
                    Tok::End => Diagnostic::error("unexpected-end", "the recipe ends too early")
                        .at(token.span, "expected a value here"),
                    Tok::Close(close) if self.open.is_empty() => Diagnostic::error(
                        "unmatched-bracket",
                        format!("`{}` closes nothing", close as char),
                    )
                    .at(token.span, "")
                    .help("remove it, or look for the bracket that should be open here"),
                    _ => Diagnostic::error(
                        "unexpected-token",
                        format!("expected a value, found `{}`", self.text_of(token)),
                    )
                    .at(token.span, ""),
                };
                self.error(found);
                Err(Failed)
            }
        }
    }

    /// `name`, `True`, `out.Stdout`, `task(…)`
    fn name_or_call(&mut self, first: Token) -> Result<Expr, Failed> {
        let word = self.word(first);
        if let Some(found) = foreign::word_in_expression(word, first.span) {
            self.error(found);
            return Err(Failed);
        }
        self.at += 1;
        let mut name = word.to_owned();
        let mut span = first.span;
        while self.peek().kind == Tok::Dot {
            self.at += 1;
            let part = self.peek();
            if part.kind != Tok::Name {
                self.error(
                    Diagnostic::error(
                        "unexpected-token",
                        format!("expected a name after `{name}.`"),
                    )
                    .at(self.tokens[self.at - 1].span, "")
                    .help("plugins are named as in out.Stdout()"),
                );
                return Err(Failed);
            }
            self.at += 1;
            name.push('.');
            name.push_str(self.word(part));
            span = span.to(part.span);
        }
        let next = self.peek();
        if next.kind == Tok::Open(b'(') && (next.indent.is_none() || !self.open.is_empty()) {
            if self.open.len() >= MAX_DEPTH {
                return Err(self.too_deep(next));
            }
            let (args, end) = self.arguments();
            let call = Call { callee: Key { name, span }, args };
            return Ok(Expr { kind: ExprKind::Call(call), span: span.to(end) });
        }
        let kind = match name.as_str() {
            "True" => ExprKind::Bool(true),
            "False" => ExprKind::Bool(false),
            "None" => ExprKind::None,
            _ => ExprKind::Name(name),
        };
        Ok(Expr { kind, span })
    }

    fn strings(&mut self, first: Token) -> Expr {
        let mut out = String::new();
        let mut readable = true;
        let mut span = first.span;
        // Outside of brackets a string on the next line is a statement of its own.
        loop {
            let token = self.peek();
            let joined =
                token.span == first.span || token.indent.is_none() || !self.open.is_empty();
            if token.kind != Tok::Str || !joined {
                break;
            }
            readable &=
                literals::string(self.text_of(token), token.span, &mut out, &mut self.errors);
            span = span.to(token.span);
            self.at += 1;
        }
        let kind = if readable { ExprKind::Str(out) } else { ExprKind::Unreadable };
        Expr { kind, span }
    }

    fn number(&mut self, token: Token, negative: bool) -> Result<Expr, Failed> {
        self.at += 1;
        let kind = match literals::number(self.text_of(token), negative, token.span) {
            Ok(kind) => kind,
            Err(found) => {
                self.error(*found);
                ExprKind::Unreadable
            }
        };
        Ok(Expr { kind, span: token.span })
    }

    fn list(&mut self) -> Result<Expr, Failed> {
        let mut items = Vec::new();
        let span = self.elements(|parser| {
            let item = parser.expr_or_hole();
            items.push(item);
            Ok(())
        });
        Ok(Expr { kind: ExprKind::List(items), span })
    }

    fn dict(&mut self) -> Result<Expr, Failed> {
        let mut entries: Vec<(Key, Expr)> = Vec::new();
        let mut seen: HashMap<String, Span> = HashMap::new();
        let mut sets = 0;
        let span = self.elements(|parser| {
            let key = parser.expr()?;
            if parser.peek().kind != Tok::Colon {
                // Of a set every element is wrong; it is told once.
                sets += 1;
                if sets == 1 {
                    parser.error(foreign::set(key.span));
                }
                return Ok(());
            }
            parser.at += 1;
            let value = parser.expr_or_hole();
            let name = match key.kind {
                ExprKind::Str(name) => name,
                ExprKind::Unreadable => return Ok(()),
                kind => {
                    parser.error(
                        Diagnostic::error("bad-key", "the keys of a dict are strings")
                            .at(key.span, "not a string")
                            .help("put it in quotes: {\"key\": value}"),
                    );
                    match kind {
                        // Read as the string that was meant.
                        ExprKind::Name(name) => name,
                        _ => return Ok(()),
                    }
                }
            };
            if let Some(first) = seen.get(&name) {
                parser.error(
                    Diagnostic::error(
                        "duplicate-key",
                        format!("the key `{name}` stands here twice"),
                    )
                    .at(key.span, "again here")
                    .label(*first, "first here")
                    .help("keep one of them"),
                );
                return Ok(());
            }
            seen.insert(name.clone(), key.span);
            entries.push((Key { name, span: key.span }, value));
            Ok(())
        });
        Ok(Expr { kind: ExprKind::Dict(entries), span })
    }

    /// Brackets around one value mean nothing; around several they are a tuple.
    fn parenthesized(&mut self) -> Result<Expr, Failed> {
        let mut items = Vec::new();
        let errors = self.errors.len();
        let span = self.elements(|parser| {
            items.push(parser.expr()?);
            Ok(())
        });
        let comma = self.tokens[self.at.saturating_sub(2)].kind == Tok::Comma;
        if items.len() == 1 && !comma {
            return Ok(items.remove(0));
        }
        if self.errors.len() == errors {
            self.error(foreign::tuple(span));
        }
        // Read as the list that was meant.
        Ok(Expr { kind: ExprKind::List(items), span })
    }

    fn arguments(&mut self) -> (Vec<Arg>, Span) {
        let mut args: Vec<Arg> = Vec::new();
        let mut named: Option<Span> = None;
        let span = self.elements(|parser| {
            let first = parser.peek();
            let name = if first.kind == Tok::Name && parser.peek_at(1).kind == Tok::Equal {
                parser.at += 2;
                Some(Key { name: parser.word(first).to_owned(), span: first.span })
            } else {
                None
            };
            let value = parser.expr_or_hole();
            match (&name, named) {
                (Some(key), _) => named = Some(key.span),
                (None, Some(before)) => parser.error(
                    Diagnostic::error("positional-after-named", "this value has no name")
                        .at(value.span, "")
                        .label(before, "a value with a name stands before it")
                        .help("put values without a name first, or give it one: name=value"),
                ),
                (None, None) => {}
            }
            args.push(Arg { name, value });
            Ok(())
        });
        (args, span)
    }

    fn no_operator_follows(&mut self) -> Result<(), Failed> {
        let token = self.peek();
        if token.indent.is_some() && self.open.is_empty() {
            return Ok(());
        }
        let found = match token.kind {
            Tok::Plus | Tok::Minus | Tok::Operator => {
                foreign::operator(self.text_of(token), token.span)
            }
            Tok::Dot => foreign::attribute(token.span),
            Tok::Open(b'[') if token.indent.is_none() => foreign::subscript(token.span),
            Tok::Name => match foreign::word_in_expression(self.word(token), token.span) {
                Some(found) => found,
                None => return Ok(()),
            },
            _ => return Ok(()),
        };
        self.error(found);
        Err(Failed)
    }

    fn too_deep(&mut self, token: Token) -> Failed {
        self.error(
            Diagnostic::error("too-deep", format!("nested deeper than {MAX_DEPTH} levels"))
                .at(token.span, "one level too deep"),
        );
        self.give_up();
        Failed
    }

    pub(super) fn error(&mut self, found: Diagnostic) {
        if self.gave_up {
            return;
        }
        self.errors.push(found);
        if self.errors.len() >= MAX_ERRORS {
            self.give_up();
        }
    }

    /// What follows is not worth reading: it would be told as a flood of further mistakes.
    fn give_up(&mut self) {
        self.gave_up = true;
        self.at = self.tokens.len() - 1;
    }

    pub(super) fn peek(&self) -> Token {
        self.peek_at(0)
    }

    pub(super) fn peek_at(&self, ahead: usize) -> Token {
        let end = self.tokens.len() - 1;
        self.tokens[(self.at + ahead).min(end)]
    }

    pub(super) fn text_of(&self, token: Token) -> &'a str {
        &self.text[token.span.range()]
    }

    pub(super) fn word(&self, token: Token) -> &'a str {
        self.text_of(token)
    }
}
