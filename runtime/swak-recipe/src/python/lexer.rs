//! Text to tokens. A token is only its kind and its place; values are read by the parser.

use crate::diag::{Diagnostic, Span};

/// More mistakes than these are not gathered: the text is no recipe.
pub(super) const MAX_ERRORS: usize = 100;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tok {
    Name,
    /// Anything that begins like a number, good or not.
    Number,
    /// With its prefix and quotes.
    Str,
    /// `(`, `[` or `{`
    Open(u8),
    /// `)`, `]` or `}`
    Close(u8),
    Comma,
    Colon,
    Equal,
    Dot,
    Plus,
    Minus,
    Semicolon,
    /// Something that is no word of the language; it was told.
    Unreadable,
    /// An operator of Python that means nothing here.
    Operator,
    /// The end of the text.
    End,
}

/// A token with its place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token {
    pub(super) kind: Tok,
    pub(super) span: Span,
    /// How far it is indented, in bytes, if it is the first on its line.
    pub(super) indent: Option<u32>,
}

/// All tokens, the last of which is [`Tok::End`], and what was found wrong.
pub(super) fn lex(text: &str) -> (Vec<Token>, Vec<Diagnostic>) {
    let mut lexer =
        Lexer { text, at: 0, line: 0, fresh: true, tokens: Vec::new(), errors: Vec::new() };
    lexer.run();
    (lexer.tokens, lexer.errors)
}

pub(super) fn begins_name(c: char) -> bool {
    c == '_' || c.is_alphabetic()
}

pub(super) fn continues_name(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    /// Where the line begins.
    line: usize,
    /// Nothing but blanks so far on this line.
    fresh: bool,
    tokens: Vec<Token>,
    errors: Vec<Diagnostic>,
}

impl Lexer<'_> {
    fn run(&mut self) {
        while let Some(c) = self.rest().chars().next() {
            if self.errors.len() >= MAX_ERRORS {
                break;
            }
            let start = self.at;
            match c {
                '\n' => {
                    self.at += 1;
                    self.line = self.at;
                    self.fresh = true;
                }
                ' ' | '\t' | '\r' | '\u{c}' => self.at += 1,
                '#' => self.skip_while(|c| c != '\n'),
                '\\' => self.backslash(),
                '"' | '\'' => self.string(start, ""),
                '0'..='9' => self.number(start),
                '.' if self.rest()[1..].starts_with(|c: char| c.is_ascii_digit()) => {
                    self.number(start);
                }
                '(' | '[' | '{' => self.one(Tok::Open(c as u8)),
                ')' | ']' | '}' => self.one(Tok::Close(c as u8)),
                ',' => self.one(Tok::Comma),
                ':' if self.rest().starts_with(":=") => self.operator(),
                ':' => self.one(Tok::Colon),
                '=' if self.rest().starts_with("==") => self.operator(),
                '=' => self.one(Tok::Equal),
                '.' => self.one(Tok::Dot),
                ';' => self.one(Tok::Semicolon),
                '+' | '-' if self.rest()[1..].starts_with('=') => self.operator(),
                '+' => self.one(Tok::Plus),
                '-' if self.rest().starts_with("->") => self.operator(),
                '-' => self.one(Tok::Minus),
                '*' | '/' | '%' | '<' | '>' | '!' | '&' | '|' | '^' | '~' | '@' => self.operator(),
                c if begins_name(c) => self.name(start),
                c => self.unknown(c),
            }
        }
        self.push(Tok::End, self.at);
    }

    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn push(&mut self, kind: Tok, start: usize) {
        let indent = self.fresh.then(|| u32::try_from(start - self.line).unwrap_or(u32::MAX));
        self.fresh = false;
        self.tokens.push(Token { kind, span: Span::new(start, self.at), indent });
    }

    fn one(&mut self, kind: Tok) {
        self.at += 1;
        self.push(kind, self.at - 1);
    }

    fn operator(&mut self) {
        let start = self.at;
        self.skip_while(|c| "*/%<>!&|^~@=:+-".contains(c));
        self.push(Tok::Operator, start);
    }

    fn skip_while(&mut self, more: impl Fn(char) -> bool) {
        let rest = self.rest();
        self.at += rest.find(|c| !more(c)).unwrap_or(rest.len());
    }

    fn name(&mut self, start: usize) {
        self.skip_while(continues_name);
        let word = &self.text[start..self.at];
        let prefix = word.len() <= 2 && word.chars().all(|c| "rRbBuUfFtT".contains(c));
        if prefix && self.rest().starts_with(['"', '\'']) {
            self.string(start, &self.text[start..self.at]);
        } else {
            self.push(Tok::Name, start);
        }
    }

    /// Takes all that can belong to a number, so that `5M` and `10.0.0.1` are one mistake each.
    fn number(&mut self, start: usize) {
        let bytes = self.text.as_bytes();
        let hex = bytes[self.at..].starts_with(b"0x") || bytes[self.at..].starts_with(b"0X");
        loop {
            self.skip_while(|c| continues_name(c) || c == '.');
            let signed = matches!(bytes.get(self.at), Some(b'+' | b'-'))
                && matches!(bytes[self.at - 1], b'e' | b'E')
                && bytes.get(self.at + 1).is_some_and(u8::is_ascii_digit);
            if !signed || hex {
                break;
            }
            self.at += 1;
        }
        self.push(Tok::Number, start);
    }

    /// At the quote; `start` is where the prefix begins.
    fn string(&mut self, start: usize, prefix: &str) {
        let raw = prefix.contains(['r', 'R']);
        let quote = self.text.as_bytes()[self.at];
        let triple = self.text.as_bytes()[self.at..].starts_with(&[quote; 3]);
        let open = self.at;
        self.at += if triple { 3 } else { 1 };
        let bytes = self.text.as_bytes();
        loop {
            match bytes.get(self.at) {
                // A raw string keeps the backslash, but it guards the quote there too.
                Some(b'\\') if self.at + 1 < bytes.len() => self.at += 2,
                Some(b'\n') if !triple => break,
                None => break,
                Some(byte) if *byte == quote && !triple => {
                    self.at += 1;
                    return self.push(Tok::Str, start);
                }
                Some(byte) if *byte == quote && bytes[self.at..].starts_with(&[quote; 3]) => {
                    self.at += 3;
                    return self.push(Tok::Str, start);
                }
                Some(_) => self.at += 1,
            }
        }
        // The bytes were walked one by one, two after a backslash: that may be inside a character.
        while !self.text.is_char_boundary(self.at) {
            self.at += 1;
        }
        self.unclosed(start, open, triple, raw);
    }

    fn unclosed(&mut self, start: usize, open: usize, triple: bool, raw: bool) {
        let quotes = if triple { 3 } else { 1 };
        let end = open + quotes;
        let mut found = Diagnostic::error("unclosed-string", "this string is never closed")
            .at(Span::new(open, end), "begins here");
        if triple {
            self.push(Tok::Str, start);
        } else {
            // The brackets at the end of the line were hardly meant to be in the string: what
            // follows is read better without them.
            let line = self.text[end..self.at]
                .trim_end_matches(|c: char| c.is_whitespace() || ")],}".contains(c));
            self.at = end + line.len();
            let guarded = !raw && self.text[..self.at].ends_with('\\');
            found = found.help(if guarded {
                "`\\` guards the quote after it; write `\\\\` for a backslash at the end"
            } else {
                "close it on the same line, or use three quotes for several lines"
            });
            self.push(Tok::Str, start);
        }
        self.errors.push(found);
    }

    fn backslash(&mut self) {
        let start = self.at;
        self.at += 1;
        if self.rest().starts_with("\r\n") {
            self.at += 2;
        } else if self.rest().starts_with('\n') {
            self.at += 1;
        } else {
            self.errors.push(
                Diagnostic::error("unexpected-character", "`\\` outside of a string")
                    .at(Span::new(start, self.at), "")
                    .help("put paths and patterns in quotes: r\"C:\\logs\\app.log\""),
            );
        }
    }

    fn unknown(&mut self, c: char) {
        let start = self.at;
        self.at += c.len_utf8();
        self.rest_of_unknown(c);
        let span = Span::new(start, self.at);
        let blank = c.is_whitespace() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2060}');
        let found = if blank || c.is_control() {
            Diagnostic::error(
                "unexpected-character",
                format!("an invisible character stands here: U+{:04X}", c as u32),
            )
            .help("delete it and type a plain space")
        } else {
            let found =
                Diagnostic::error("unexpected-character", format!("`{c}` means nothing here"));
            match c {
                '“' | '”' | '„' | '«' | '»' | '＂' => {
                    found.help("use straight quotes: \"")
                }
                '‘' | '’' | '‚' | '＇' | '`' | '´' => found.help("use straight quotes: '"),
                '，' | '（' | '）' | '＝' => found.help("use the plain ASCII character"),
                '$' => found.help("use env(\"NAME\") to read an environment variable"),
                _ => found.help("put text in quotes"),
            }
        };
        // One mistake for a run of them, of which only the first is told.
        let run_on = self
            .errors
            .last()
            .and_then(|d| d.primary.as_ref())
            .is_some_and(|l| l.span.end == span.start);
        if !run_on {
            self.errors.push(found.at(span, ""));
        } else if let Some(label) = self.errors.last_mut().and_then(|d| d.primary.as_mut()) {
            label.span = label.span.to(span);
        }
        if !blank && !run_on {
            self.push(Tok::Unreadable, start);
        }
    }

    /// A text in curly quotes is one mistake, and so is `$HOME`.
    fn rest_of_unknown(&mut self, c: char) {
        let close: &[char] = match c {
            '“' | '”' | '„' | '＂' => &['”', '“', '＂'],
            '‘' | '’' | '‚' | '＇' => &['’', '‘', '＇'],
            '«' => &['»'],
            '$' => return self.skip_while(|c| continues_name(c) || c == '{' || c == '}'),
            _ => return,
        };
        // Not farther than a text usually is: the other quote may never come.
        let near = self.rest().char_indices().take(200).take_while(|(_, c)| *c != '\n');
        if let Some((at, c)) = near.into_iter().find(|(_, c)| close.contains(c)) {
            self.at += at + c.len_utf8();
        }
    }
}
