//! Comparisons that make sense for data.
//!
//! Jinja orders unlike values by their kind: every text is greater than every number, and a field
//! that is not there is less than everything. In a filter such as `status >= 500` that is a trap:
//! a parser that leaves `status` as text makes it true for each record. So before they are compiled,
//! `==`, `!=`, `<`, `<=`, `>`, `>=`, `in` and `not in` are turned into a filter that compares like this:
//!
//! - values of one kind: as Jinja does;
//! - a number with text that is a number: as numbers;
//! - a time with text that is a time: as times;
//! - everything else, a missing field first of all: not equal, and neither less nor greater;
//! - `in`: part of text, or equal to an element of a list, or a key of a map; nothing is in a
//!   number, in `null` or in a missing field.

use std::borrow::Cow;
use std::cmp::Ordering;

use minijinja::value::{Rest, ValueKind};
use minijinja::{Environment, Value};

use super::tokens::{self, Token, TokenKind};
use super::value::{as_time, time_to_jinja};

/// The comparisons that are one token; `in` and `not in` are words.
const COMPARISONS: [&str; 6] = ["==", "!=", "<", "<=", ">", ">="];

/// The filter: `a < b <= c` becomes `a|_compare("<", b, "<=", c)`.
const FILTER: &str = "_compare";

pub(super) fn add_filter(env: &mut Environment<'static>) {
    env.add_filter(FILTER, |first: Value, rest: Rest<Value>| {
        let mut left = &first;
        for pair in rest.chunks_exact(2) {
            let [operator, right] = pair else { unreachable!("the chunks have two elements") };
            if !holds(left, operator.as_str().unwrap_or_default(), right) {
                return false;
            }
            left = right;
        }
        true
    });
}

fn holds(a: &Value, operator: &str, b: &Value) -> bool {
    match operator {
        "==" => is_equal(a, b),
        "!=" => !is_equal(a, b),
        "<" => order(a, b).is_some_and(Ordering::is_lt),
        "<=" => order(a, b).is_some_and(Ordering::is_le),
        ">" => order(a, b).is_some_and(Ordering::is_gt),
        ">=" => order(a, b).is_some_and(Ordering::is_ge),
        "in" => contains(b, a),
        "not in" => !contains(b, a),
        _ => unreachable!("`rewrite` writes no other operator"),
    }
}

/// The expression with its comparisons turned into a filter. The text must be one that compiles.
pub(super) fn rewrite_expression(text: &str) -> String {
    rewrite(text, [(tokens::of_expression(text), false)])
}

/// The template with its comparisons turned into a filter. The text must be one that compiles.
pub(super) fn rewrite_template(text: &str) -> String {
    let parts = tokens::of_template(text);
    rewrite(text, parts.into_iter().map(|part| (part.tokens, part.is_statement)))
}

fn is_equal(a: &Value, b: &Value) -> bool {
    if a.kind() == b.kind() { a == b } else { order(a, b) == Some(Ordering::Equal) }
}

fn order(a: &Value, b: &Value) -> Option<Ordering> {
    match (a.kind(), b.kind()) {
        (ValueKind::Undefined | ValueKind::None, _)
        | (_, ValueKind::Undefined | ValueKind::None) => None,
        (a_kind, b_kind) if a_kind == b_kind => Some(a.cmp(b)),
        (ValueKind::Number, ValueKind::String) => Some(a.cmp(&as_number(b)?)),
        (ValueKind::String, ValueKind::Number) => Some(as_number(a)?.cmp(b)),
        (ValueKind::Plain, ValueKind::String) => Some(a.cmp(&as_same_time(b, a)?)),
        (ValueKind::String, ValueKind::Plain) => Some(as_same_time(a, b)?.cmp(b)),
        _ => None,
    }
}

fn contains(whole: &Value, part: &Value) -> bool {
    match whole.kind() {
        ValueKind::String | ValueKind::Bytes => match part.kind() {
            ValueKind::Undefined | ValueKind::None => false,
            _ => text(whole).contains(&*text(part)),
        },
        ValueKind::Seq | ValueKind::Iterable => {
            whole.try_iter().is_ok_and(|mut items| items.any(|item| is_equal(&item, part)))
        }
        ValueKind::Map => whole.get_item(part).is_ok_and(|item| !item.is_undefined()),
        _ => false,
    }
}

/// The text of a value; bytes that are not UTF-8 become U+FFFD.
fn text(value: &Value) -> Cow<'_, str> {
    match (value.as_str(), value.as_bytes()) {
        (Some(text), _) => Cow::Borrowed(text),
        (None, Some(bytes)) => String::from_utf8_lossy(bytes),
        (None, None) => Cow::Owned(value.to_string()),
    }
}

fn as_number(value: &Value) -> Option<Value> {
    let text = value.as_str()?.trim();
    // `parse` would read words such as `inf` as numbers.
    if !text.bytes().all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b)) {
        return None;
    }
    let whole = text.parse::<i64>().map(Value::from);
    whole.or_else(|_| text.parse::<f64>().map(Value::from)).ok()
}

/// The time in a text, if what it is compared with is a time.
fn as_same_time(text: &Value, other: &Value) -> Option<Value> {
    as_time(other)?;
    let time: jiff::Timestamp = text.as_str()?.parse().ok()?;
    Some(time_to_jinja(time.into()))
}

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
            assert_eq!(rewrite_expression(written), rewritten, "{written}");
        }
    }

    #[test]
    fn only_the_parts_of_a_template_change() {
        assert_eq!(
            rewrite_template("a < b {% if a<b -%} {{ x == 1 }} {% set ok = a > 1 %}{# a < b #}"),
            concat!(
                r#"a < b {% if ((a)|_compare("<", (b))) -%} {{ ((x)|_compare("==", (1))) }} "#,
                r#"{% set ok = ((a)|_compare(">", (1))) %}{# a < b #}"#,
            )
        );
        assert_eq!(
            rewrite_template("{% for x, y in xs if x in y %}"),
            r#"{% for x, y in xs if ((x)|_compare("in", (y))) %}"#
        );
        let plain = "{% for x in xs if x %}{{- x -}}{% endfor %}{% raw %}{{ a < b }}{% endraw %}";
        assert_eq!(rewrite_template(plain), plain);
    }
}
