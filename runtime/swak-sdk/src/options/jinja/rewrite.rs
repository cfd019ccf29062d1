//! Turns the comparisons of an expression or a template into the filter of [`super::compare`].

use super::compare::FILTER;
use super::tokens::{self, Token, TokenKind};

/// The expression with its comparisons turned into a filter. The text must be one that compiles.
pub(super) fn expression(text: &str) -> String {
    rewrite(text, [(tokens::of_expression(text), false)])
}

/// The template with its comparisons turned into a filter. The text must be one that compiles.
pub(super) fn template(text: &str) -> String {
    let parts = tokens::of_template(text);
    rewrite(text, parts.into_iter().map(|part| (part.tokens, part.is_statement)))
}

/// The comparisons that are one token; `in` and `not in` are words.
const COMPARISONS: [&str; 6] = ["==", "!=", "<", "<=", ">", ">="];

fn rewrite<'a>(text: &str, parts: impl IntoIterator<Item = (Vec<Token<'a>>, bool)>) -> String {
    let mut writer = Writer { text, out: String::with_capacity(text.len() * 2), written: 0 };
    for (tokens, is_statement) in parts {
        let from = if is_statement { start_of_operands(&tokens) } else { 0 };
        if let Some(first) = tokens.get(from) {
            writer.copy_to(first.at);
            writer.level(&tokens[from..]);
        }
    }
    writer.copy_to(text.len());
    writer.out
}

/// The name of a statement is no operand (`if`, `elif`, `set`), and the `in` of `for x in xs` no
/// comparison.
fn start_of_operands(tokens: &[Token<'_>]) -> usize {
    match tokens.first() {
        Some(first) if first.is_name("for") => {
            tokens.iter().position(|token| token.is_name("in")).map_or(tokens.len(), |at| at + 1)
        }
        Some(_) => 1,
        None => 0,
    }
}

struct Writer<'t> {
    text: &'t str,
    out: String,
    /// How much of the text has been written, changed or not.
    written: usize,
}

impl Writer<'_> {
    /// Writes the text up to a place as it is.
    fn copy_to(&mut self, at: usize) {
        self.out.push_str(&self.text[self.written..at]);
        self.written = at;
    }

    /// Writes tokens with all that is in brackets among them, one comparison after the other.
    fn level(&mut self, tokens: &[Token<'_>]) {
        let mut from = 0;
        let mut at = 0;
        while at < tokens.len() {
            if tokens[at].kind == TokenKind::Open {
                at = closing(tokens, at);
            } else if separates(tokens, at) {
                self.comparison(&tokens[from..at]);
                from = at + 1;
            }
            at += 1;
        }
        self.comparison(&tokens[from.min(tokens.len())..]);
    }

    /// Writes operands and the operators between them: `a < b`, `a`, `a in b`, `a < b <= c`.
    fn comparison(&mut self, tokens: &[Token<'_>]) {
        let (mut operands, mut operators) = (Vec::new(), Vec::new());
        let (mut from, mut at) = (0, 0);
        while at < tokens.len() {
            if tokens[at].kind == TokenKind::Open {
                at = closing(tokens, at);
            } else if let Some(len) = operator_len(tokens, at) {
                operands.push(&tokens[from..at]);
                operators.push(&tokens[at..at + len]);
                at += len - 1;
                from = at + 1;
            }
            at += 1;
        }
        operands.push(&tokens[from.min(tokens.len())..]);
        if operators.is_empty() || operands.iter().any(|operand| operand.is_empty()) {
            for operand in operands {
                self.operand(operand);
            }
            return;
        }
        let (first, last) = (tokens[0], tokens[tokens.len() - 1]);
        self.copy_to(first.at);
        self.out.push_str(&format!("(({})|{FILTER}(", self.detached(operands[0])));
        for (i, (operator, operand)) in operators.iter().zip(&operands[1..]).enumerate() {
            let comma = if i == 0 { "" } else { ", " };
            let words: Vec<_> = operator.iter().map(|token| token.text).collect();
            let (operator, operand) = (words.join(" "), self.detached(operand));
            self.out.push_str(&format!("{comma}\"{operator}\", ({operand})"));
        }
        self.out.push_str("))");
        self.written = last.end();
    }

    /// Writes an operand in its place, changing what is in its brackets.
    fn operand(&mut self, tokens: &[Token<'_>]) {
        let mut at = 0;
        while at < tokens.len() {
            if tokens[at].kind == TokenKind::Open {
                let close = closing(tokens, at);
                self.copy_to(tokens[at].end());
                self.level(&tokens[at + 1..close.max(at + 1)]);
                at = close;
            }
            at += 1;
        }
        if let Some(last) = tokens.last() {
            self.copy_to(last.end());
        }
    }

    /// An operand as it will be written, on its own.
    fn detached(&self, tokens: &[Token<'_>]) -> String {
        let written = tokens.first().map_or(0, |first| first.at);
        let mut writer = Writer { text: self.text, out: String::new(), written };
        writer.operand(tokens);
        writer.out
    }
}

/// The place of the bracket that closes the one at `open`, or of the last token.
fn closing(tokens: &[Token<'_>], open: usize) -> usize {
    let mut depth = 0usize;
    for (i, token) in tokens.iter().enumerate().skip(open) {
        match token.kind {
            TokenKind::Open => depth += 1,
            TokenKind::Close => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return i;
        }
    }
    tokens.len() - 1
}

/// Whether a token binds less than a comparison, and so stands between two.
fn separates(tokens: &[Token<'_>], at: usize) -> bool {
    let token = tokens[at];
    let after_dot_or_is =
        at > 0 && (tokens[at - 1].is_operator(".") || tokens[at - 1].is_name("is"));
    match token.kind {
        TokenKind::Operator => [",", ":", "="].contains(&token.text),
        TokenKind::Name if after_dot_or_is => false,
        TokenKind::Name if token.text == "not" => {
            !tokens.get(at + 1).is_some_and(|next| next.is_name("in"))
        }
        TokenKind::Name => ["and", "or", "if", "else"].contains(&token.text),
        _ => false,
    }
}

/// How many tokens a comparison operator at this place has, if there is one.
fn operator_len(tokens: &[Token<'_>], at: usize) -> Option<usize> {
    let token = tokens[at];
    let after_dot_or_is =
        at > 0 && (tokens[at - 1].is_operator(".") || tokens[at - 1].is_name("is"));
    match token.kind {
        TokenKind::Operator => COMPARISONS.contains(&token.text).then_some(1),
        TokenKind::Name if after_dot_or_is => None,
        TokenKind::Name if token.text == "in" => Some(1),
        TokenKind::Name if token.text == "not" => {
            tokens.get(at + 1).filter(|next| next.is_name("in")).map(|_| 2)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comparisons_become_filters_and_nothing_else_changes() {
        for (written, rewritten) in [
            ("a", "a"),
            ("a and not b", "a and not b"),
            ("a >= 500", r#"((a)|_compare(">=", (500)))"#),
            ("a.b[0] + 1 < c|length", r#"((a.b[0] + 1)|_compare("<", (c|length)))"#),
            ("not a == b or c", r#"not ((a)|_compare("==", (b))) or c"#),
            ("1 < x <= 5", r#"((1)|_compare("<", (x), "<=", (5)))"#),
            ("x in [a < b, c]", r#"((x)|_compare("in", ([((a)|_compare("<", (b))), c])))"#),
            ("a < b in c", r#"((a)|_compare("<", (b), "in", (c)))"#),
            ("a not in b", r#"((a)|_compare("not in", (b)))"#),
            ("a is not defined == b", r#"((a is not defined)|_compare("==", (b)))"#),
            ("'a < b' ~ c", "'a < b' ~ c"),
            ("x if a > b else y", r#"x if ((a)|_compare(">", (b))) else y"#),
            ("f(k=a != b)", r#"f(k=((a)|_compare("!=", (b))))"#),
            ("(a < b) == c", r#"(((((a)|_compare("<", (b)))))|_compare("==", (c)))"#),
        ] {
            assert_eq!(expression(written), rewritten, "{written}");
        }
    }

    #[test]
    fn only_the_parts_of_a_template_change() {
        assert_eq!(
            template("a < b {% if a<b -%} {{ x == 1 }} {% set ok = a > 1 %}{# a < b #}"),
            concat!(
                r#"a < b {% if ((a)|_compare("<", (b))) -%} {{ ((x)|_compare("==", (1))) }} "#,
                r#"{% set ok = ((a)|_compare(">", (1))) %}{# a < b #}"#,
            )
        );
        assert_eq!(
            template("{% for x, y in xs if x in y %}"),
            r#"{% for x, y in xs if ((x)|_compare("in", (y))) %}"#
        );
        let plain = "{% for x in xs if x %}{{- x -}}{% endfor %}{% raw %}{{ a < b }}{% endraw %}";
        assert_eq!(template(plain), plain);
    }
}
