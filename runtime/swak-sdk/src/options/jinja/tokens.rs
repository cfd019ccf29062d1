//! Jinja text cut into tokens, as far as is needed to look at it before it is compiled.

use std::ops::Range;

/// A token with its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub(super) text: &'a str,
    pub(super) at: usize,
    pub(super) kind: TokenKind,
}

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenKind {
    Name,
    Number,
    Text,
    Operator,
    Open,
    Close,
}

impl Token<'_> {
    pub(super) fn end(&self) -> usize {
        self.at + self.text.len()
    }

    pub(super) fn is_name(&self, name: &str) -> bool {
        self.kind == TokenKind::Name && self.text == name
    }

    pub(super) fn is_operator(&self, operator: &str) -> bool {
        self.kind == TokenKind::Operator && self.text == operator
    }
}

/// The tokens of an expression.
pub(super) fn of_expression(text: &str) -> Vec<Token<'_>> {
    tokens(text, 0, None).0
}

/// A part of a template between `{{` and `}}` or `{%` and `%}`.
pub(super) struct Part<'a> {
    pub(super) tokens: Vec<Token<'a>>,
    /// `{%`: the first token is the name of a statement.
    pub(super) is_statement: bool,
}

/// The parts of a template that are not plain text.
pub(super) fn of_template(text: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut at = 0;
    while let Some(open) = find(text, at, "{") {
        at = open + 2;
        let (close, is_statement) = match text.as_bytes().get(open + 1) {
            Some(b'{') => ("}}", false),
            Some(b'%') => ("%}", true),
            Some(b'#') => {
                at = find(text, at, "#}").map_or(text.len(), |end| end + 2);
                continue;
            }
            _ => {
                at = open + 1;
                continue;
            }
        };
        let (tokens, end) = tokens(text, at, Some(close));
        at = end;
        if is_statement && matches!(&tokens[..], [only] if only.is_name("raw")) {
            at = end_of_raw(text, at);
            continue;
        }
        parts.push(Part { tokens, is_statement });
    }
    parts
}

/// Cuts from a place on up to `close`, and tells where the text after it begins.
fn tokens<'a>(text: &'a str, start: usize, close: Option<&str>) -> (Vec<Token<'a>>, usize) {
    let mut tokens = Vec::new();
    let mut at = start;
    // `{{- x -}}` takes the space around it away.
    if close.is_some() && text[at..].starts_with(['-', '+']) {
        at += 1;
    }
    let mut depth = 0usize;
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        if let Some(close) = close.filter(|_| depth == 0) {
            let marked = rest.strip_prefix(['-', '+']).filter(|rest| rest.starts_with(close));
            if rest.starts_with(close) || marked.is_some() {
                return (tokens, at + usize::from(marked.is_some()) + close.len());
            }
        }
        if c.is_whitespace() {
            at += c.len_utf8();
            continue;
        }
        let (kind, len) = measure(rest, c);
        match kind {
            TokenKind::Open => depth += 1,
            TokenKind::Close => depth = depth.saturating_sub(1),
            _ => {}
        }
        tokens.push(Token { text: &rest[..len], at, kind });
        at += len;
    }
    (tokens, at)
}

/// The kind and the length of the token that a text begins with.
fn measure(rest: &str, first: char) -> (TokenKind, usize) {
    let length_of = |fits: fn(char) -> bool| rest.find(|c| !fits(c)).unwrap_or(rest.len());
    match first {
        '"' | '\'' => (TokenKind::Text, quoted_len(rest, first)),
        '(' | '[' | '{' => (TokenKind::Open, 1),
        ')' | ']' | '}' => (TokenKind::Close, 1),
        c if c.is_ascii_digit() => {
            (TokenKind::Number, length_of(|c| c.is_alphanumeric() || c == '_' || c == '.'))
        }
        c if c.is_alphabetic() || c == '_' => {
            (TokenKind::Name, length_of(|c| c.is_alphanumeric() || c == '_'))
        }
        c => {
            let two = ["==", "!=", "<=", ">=", "//", "**"].iter().any(|op| rest.starts_with(op));
            (TokenKind::Operator, if two { 2 } else { c.len_utf8() })
        }
    }
}

fn quoted_len(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (i, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return i + 1,
            _ => {}
        }
    }
    rest.len()
}

fn end_of_raw(text: &str, mut at: usize) -> usize {
    while let Some(open) = find(text, at, "{%") {
        at = open + 2;
        let inside = text[at..].trim_start_matches(['-', '+']).trim_start();
        if inside.starts_with("endraw") {
            return find(text, at, "%}").map_or(text.len(), |end| end + 2);
        }
    }
    text.len()
}

fn find(text: &str, at: usize, what: &str) -> Option<usize> {
    text.get(at..)?.find(what).map(|found| at + found)
}

/// The bytes of a token.
impl From<Token<'_>> for Range<usize> {
    fn from(token: Token<'_>) -> Self {
        token.at..token.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts<'a>(tokens: &[Token<'a>]) -> Vec<&'a str> {
        tokens.iter().map(|t| t.text).collect()
    }

    #[test]
    fn expressions() {
        assert_eq!(
            texts(&of_expression(r#"a.b>=5.0 and "x \" <" != 'y'|f(z)"#)),
            [
                "a",
                ".",
                "b",
                ">=",
                "5.0",
                "and",
                r#""x \" <""#,
                "!=",
                "'y'",
                "|",
                "f",
                "(",
                "z",
                ")"
            ]
        );
        assert_eq!(texts(&of_expression("\"open")), ["\"open"]);
    }

    #[test]
    fn templates() {
        let text =
            "a < {b {{- {'k': {}}.k -}} {# < #} {% if a<b -%} {% raw %} {{ x }} {% endraw %}{{ y";
        let parts = of_template(text);
        let found: Vec<_> = parts.iter().map(|p| (p.is_statement, texts(&p.tokens))).collect();
        assert_eq!(
            found,
            [
                (false, vec!["{", "'k'", ":", "{", "}", "}", ".", "k"]),
                (true, vec!["if", "a", "<", "b"]),
                (false, vec!["y"]),
            ]
        );
    }
}
