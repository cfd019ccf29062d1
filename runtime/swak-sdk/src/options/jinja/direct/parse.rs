//! The text of an expression read to its tree, as Jinja reads it; what is not known is declined.

use memchr::memmem::Finder;

use super::Names;
use super::fields::{Path, Step};
use super::is::Test;
use super::math::{Operator, negated};
use super::node::{In, Node, Whole};
use super::operand::{Literal, Number, Operand};
use super::order::Comparison;
use crate::options::jinja::tokens::{self, Token, TokenKind};

/// The tree of an expression; the fields in it are added to the names. `None` for what is
/// left to Jinja.
pub(super) fn expression(text: &str, names: &mut Names) -> Option<Node> {
    let tokens = tokens::of_expression(text);
    if tokens.len() > MOST_TOKENS {
        return None;
    }
    let mut parser = Parser { tokens: &tokens, at: 0, depth: 0, names };
    let node = parser.or()?;
    (parser.at == tokens.len()).then_some(node)
}

/// Far from where Jinja runs out of steps.
const MOST_TOKENS: usize = 20_000;

/// How deep brackets and signs go.
const DEEPEST: usize = 32;

/// Larger whole numbers are no floats.
const LARGEST_INT: i64 = 1 << 53;

struct Parser<'t, 'n> {
    tokens: &'t [Token<'t>],
    at: usize,
    depth: usize,
    names: &'n mut Names,
}

impl<'t> Parser<'t, '_> {
    fn peek(&self) -> Option<Token<'t>> {
        self.tokens.get(self.at).copied()
    }

    fn next(&mut self) -> Option<Token<'t>> {
        let token = self.peek()?;
        self.at += 1;
        Some(token)
    }

    /// Goes on if the next token is this one.
    fn skip(&mut self, text: &str) -> bool {
        let is = self.peek().is_some_and(|token| token.text == text);
        self.at += usize::from(is);
        is
    }

    /// What is read one level deeper.
    fn deeper(&mut self, read: fn(&mut Self) -> Option<Node>) -> Option<Node> {
        self.depth += 1;
        let node = if self.depth > DEEPEST { None } else { read(self) };
        self.depth -= 1;
        node
    }

    fn or(&mut self) -> Option<Node> {
        let mut parts = vec![self.and()?];
        while self.skip("or") {
            parts.push(self.and()?);
        }
        Some(if parts.len() == 1 { parts.remove(0) } else { Node::Or(parts) })
    }

    fn and(&mut self) -> Option<Node> {
        let mut parts = vec![self.not()?];
        while self.skip("and") {
            parts.push(self.not()?);
        }
        Some(if parts.len() == 1 { parts.remove(0) } else { Node::And(parts) })
    }

    fn not(&mut self) -> Option<Node> {
        if self.skip("not") {
            return self.deeper(Self::not).map(|inner| Node::Not(Box::new(inner)));
        }
        self.comparison()
    }

    fn comparison(&mut self) -> Option<Node> {
        let first = self.sum()?;
        let is_negated = self.skip("not");
        if self.skip("in") {
            return self.membership(first, is_negated);
        }
        if is_negated {
            return None;
        }
        let mut rest = Vec::new();
        while let Some(how) = self.peek().and_then(comparison) {
            self.at += 1;
            rest.push((how, self.sum()?));
        }
        Some(match rest.len() {
            0 => first,
            1 => {
                let (how, second) = rest.remove(0);
                Node::Compare(Box::new((first, how, second)))
            }
            _ => Node::Chain(Box::new(first), rest),
        })
    }

    fn membership(&mut self, part: Node, is_negated: bool) -> Option<Node> {
        let whole = match self.constants() {
            Some(items) => Whole::Items(items),
            None => match (&part, self.sum()?) {
                (Node::Text(text), whole) => {
                    let finder = Finder::new(text.text.as_bytes()).into_owned();
                    Whole::SearchedFor(Box::new(finder), whole)
                }
                (_, whole) => Whole::Value(whole),
            },
        };
        // Chains of comparisons with `in` among them are left to Jinja.
        self.is_at_end_of_operand().then(|| Node::In(Box::new(In { part, whole, is_negated })))
    }

    fn is_at_end_of_operand(&self) -> bool {
        self.peek().is_none_or(|t| t.text == ")" || t.is_name("and") || t.is_name("or"))
    }

    /// A list or a tuple of constants, if the next is one and nothing is done with it.
    fn constants(&mut self) -> Option<Vec<Node>> {
        let start = self.at;
        let close = match self.next()?.text {
            "[" => "]",
            "(" => ")",
            _ => {
                self.at = start;
                return None;
            }
        };
        let items = self.items(close).filter(|_| self.is_at_end_of_operand());
        if items.is_none() {
            self.at = start;
        }
        items
    }

    fn items(&mut self, close: &str) -> Option<Vec<Node>> {
        let mut items = Vec::new();
        let mut is_after_comma = true;
        while !self.skip(close) {
            if !is_after_comma {
                return None;
            }
            items.push(self.constant()?);
            is_after_comma = self.skip(",");
        }
        // `(a)` is `a`, and `(a,)` is a tuple.
        let is_tuple = close == "]" || (!items.is_empty() && (items.len() > 1 || is_after_comma));
        is_tuple.then_some(items)
    }

    fn constant(&mut self) -> Option<Node> {
        let is_negative = self.skip("-");
        match (literal(self.next()?)?, is_negative) {
            (Node::Constant(n), true) => Some(Node::Constant(Operand::Number(negated(n).ok()?))),
            (_, true) => None,
            (node, false) => Some(node),
        }
    }

    fn sum(&mut self) -> Option<Node> {
        let mut left = self.product()?;
        loop {
            let operator = match self.peek().map(|t| t.text) {
                Some("+") => Operator::Add,
                Some("-") => Operator::Subtract,
                _ => return Some(left),
            };
            self.at += 1;
            left = Node::Math(Box::new((left, operator, self.product()?)));
        }
    }

    fn product(&mut self) -> Option<Node> {
        let mut left = self.tested()?;
        loop {
            let operator = match self.peek().map(|t| t.text) {
                Some("*") => Operator::Multiply,
                Some("/") => Operator::Divide,
                Some("//") => Operator::DivideDown,
                Some("%") => Operator::Remainder,
                _ => return Some(left),
            };
            self.at += 1;
            left = Node::Math(Box::new((left, operator, self.tested()?)));
        }
    }

    /// An operand with its tests: `-a is defined` tests what is negated.
    fn tested(&mut self) -> Option<Node> {
        let mut node = self.negative()?;
        while self.skip("is") {
            let is_negated = self.skip("not");
            let test = self.test()?;
            node = Node::Is(Box::new((node, test)));
            if is_negated {
                node = Node::Not(Box::new(node));
            }
        }
        Some(node)
    }

    fn test(&mut self) -> Option<Test> {
        let name = self.next().filter(|t| t.kind == TokenKind::Name)?.text;
        if self.skip("(") {
            let argument = quoted(self.next()?)?;
            return self.skip(")").then(|| Test::with_text(name, argument))?;
        }
        // What may be an argument without brackets is left to Jinja.
        let ends = self.peek().is_none_or(|next| match next.kind {
            TokenKind::Name => ["and", "or", "is"].contains(&next.text),
            TokenKind::Operator => !["+", "-", "."].contains(&next.text),
            TokenKind::Close => true,
            TokenKind::Number | TokenKind::Text | TokenKind::Open => false,
        });
        ends.then(|| Test::plain(name))?
    }

    fn negative(&mut self) -> Option<Node> {
        if !self.skip("-") {
            return self.primary();
        }
        let inner = self.deeper(Self::negative)?;
        if let Node::Constant(constant) = &inner
            && let Ok(n) = negated(*constant)
        {
            return Some(Node::Constant(Operand::Number(n)));
        }
        Some(Node::Negative(Box::new(inner)))
    }

    fn primary(&mut self) -> Option<Node> {
        let token = self.next()?;
        if token.kind == TokenKind::Open && token.text == "(" {
            let inner = self.deeper(Self::or)?;
            return self.skip(")").then_some(inner);
        }
        if let Some(constant) = literal(token) {
            return Some(constant);
        }
        let is_variable = token.kind == TokenKind::Name && !RESERVED.contains(&token.text);
        if !is_variable || !token.text.is_ascii() {
            return None;
        }
        let steps = self.steps()?;
        Path::new(token.text, steps, self.names).map(Node::Field)
    }

    fn steps(&mut self) -> Option<Vec<Step>> {
        let mut steps = Vec::new();
        loop {
            if self.skip(".") {
                let name = self.next().filter(|t| t.kind == TokenKind::Name)?;
                steps.push(Step::Key(name.text.into()));
            } else if self.skip("[") {
                steps.push(match self.constant()? {
                    Node::Text(literal) => Step::Key(literal.text),
                    Node::Constant(Operand::Number(Number::Int(index))) => Step::Index(index),
                    _ => return None,
                });
                if !self.skip("]") {
                    return None;
                }
            } else {
                return Some(steps);
            }
        }
    }
}

/// Words that are no variables here.
const RESERVED: [&str; 10] = ["and", "or", "not", "in", "is", "if", "elif", "else", "loop", "self"];

fn comparison(token: Token<'_>) -> Option<Comparison> {
    if token.kind != TokenKind::Operator {
        return None;
    }
    Some(match token.text {
        "==" => Comparison::Equal,
        "!=" => Comparison::NotEqual,
        "<" => Comparison::Less,
        "<=" => Comparison::LessOrEqual,
        ">" => Comparison::Greater,
        ">=" => Comparison::GreaterOrEqual,
        _ => return None,
    })
}

/// A constant of one token.
fn literal(token: Token<'_>) -> Option<Node> {
    Some(match (token.kind, token.text) {
        (TokenKind::Name, "none" | "None") => Node::Constant(Operand::Null),
        (TokenKind::Name, "true" | "True") => Node::Constant(Operand::Bool(true)),
        (TokenKind::Name, "false" | "False") => Node::Constant(Operand::Bool(false)),
        (TokenKind::Number, digits) => Node::Constant(Operand::Number(number(digits)?)),
        (TokenKind::Text, _) => Node::Text(Box::new(Literal::new(quoted(token)?))),
        _ => return None,
    })
}

/// `500` or `0.5`; other spellings are left to Jinja.
fn number(text: &str) -> Option<Number> {
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if let Some((whole, fraction)) = text.split_once('.') {
        let is_plain = is_digits(whole) && is_digits(fraction);
        return if is_plain { text.parse().ok().map(Number::Float) } else { None };
    }
    let is_plain = is_digits(text);
    let n = if is_plain { text.parse().ok()? } else { return None };
    (n <= LARGEST_INT).then_some(Number::Int(n))
}

/// The text between quotes, if there are no escapes in it.
fn quoted(token: Token<'_>) -> Option<&str> {
    let quote = token.text.chars().next().filter(|_| token.kind == TokenKind::Text)?;
    let inner = token.text.strip_prefix(quote)?.strip_suffix(quote)?;
    (!inner.contains('\\')).then_some(inner)
}
