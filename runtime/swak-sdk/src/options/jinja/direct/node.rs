//! The tree of an expression, and its evaluation.

use memchr::memmem::Finder;

use super::Declined;
use super::fields::{Fields, Path};
use super::is::Test;
use super::math::{Operator, compute, negated};
use super::operand::{Literal, Operand};
use super::order::{Comparison, contains, holds, is_equal};

/// A part of an expression.
#[derive(Debug)]
pub(super) enum Node {
    /// `none`, `true`, a number.
    Constant(Operand<'static>),
    Text(Box<Literal>),
    Field(Path),
    Not(Box<Node>),
    /// The first that is false, or the last.
    And(Vec<Node>),
    /// The first that is true, or the last.
    Or(Vec<Node>),
    Compare(Box<(Node, Comparison, Node)>),
    /// `a < b <= c`: all operands are evaluated before any is compared.
    Chain(Box<Node>, Vec<(Comparison, Node)>),
    In(Box<In>),
    Negative(Box<Node>),
    Math(Box<(Node, Operator, Node)>),
    Is(Box<(Node, Test)>),
}

/// `part in whole` or, negated, `part not in whole`.
#[derive(Debug)]
pub(super) struct In {
    pub(super) part: Node,
    pub(super) whole: Whole,
    pub(super) is_negated: bool,
}

/// What something may be in.
#[derive(Debug)]
pub(super) enum Whole {
    /// A list of constants.
    Items(Vec<Node>),
    Value(Node),
    /// A value that is searched for constant text, the part.
    SearchedFor(Box<Finder<'static>>, Node),
}

impl Node {
    /// Whether a condition holds that is this.
    pub(super) fn truth(&self, fields: &Fields<'_, '_>) -> Result<bool, Declined> {
        match self {
            Node::Not(inner) => inner.truth(fields).map(|is| !is),
            Node::And(parts) => {
                for part in parts {
                    if !part.truth(fields)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Node::Or(parts) => {
                for part in parts {
                    if part.truth(fields)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Node::Compare(inner) => {
                let (left, how, right) = &**inner;
                holds(left.value(fields)?, *how, right.value(fields)?)
            }
            Node::Chain(first, rest) => {
                let mut left = first.value(fields)?;
                let mut all = true;
                for (how, right) in rest {
                    let right = right.value(fields)?;
                    all = all && holds(left, *how, right)?;
                    left = right;
                }
                Ok(all)
            }
            Node::In(inner) => inner.holds(fields).map(|is| is != inner.is_negated),
            Node::Is(inner) => inner.1.holds(inner.0.value(fields)?),
            Node::Constant(_)
            | Node::Text(_)
            | Node::Field(_)
            | Node::Negative(_)
            | Node::Math(_) => self.value(fields).map(Operand::is_true),
        }
    }

    /// Its value.
    #[inline]
    pub(super) fn value<'e>(&'e self, fields: &'e Fields<'_, '_>) -> Result<Operand<'e>, Declined> {
        match self {
            Node::Constant(constant) => Ok(*constant),
            Node::Text(literal) => Ok(Operand::Literal(literal)),
            Node::Field(path) => path.value(fields),
            _ => self.computed(fields),
        }
    }

    /// The value of what is neither constant nor a field.
    fn computed<'e>(&'e self, fields: &'e Fields<'_, '_>) -> Result<Operand<'e>, Declined> {
        match self {
            Node::And(parts) => deciding(parts, fields, false),
            Node::Or(parts) => deciding(parts, fields, true),
            Node::Negative(inner) => negated(inner.value(fields)?).map(Operand::Number),
            Node::Math(inner) => {
                let (a, operator, b) = &**inner;
                compute(a.value(fields)?, *operator, b.value(fields)?).map(Operand::Number)
            }
            _ => self.truth(fields).map(Operand::Bool),
        }
    }
}

/// The first value that is true or false, whichever decides, or the last.
fn deciding<'e>(
    parts: &'e [Node],
    fields: &'e Fields<'_, '_>,
    decisive: bool,
) -> Result<Operand<'e>, Declined> {
    let mut value = Operand::Undefined;
    for part in parts {
        value = part.value(fields)?;
        if value.is_true() == decisive {
            break;
        }
    }
    Ok(value)
}

impl In {
    fn holds(&self, fields: &Fields<'_, '_>) -> Result<bool, Declined> {
        match &self.whole {
            Whole::Items(items) => {
                let part = self.part.value(fields)?;
                for item in items {
                    if is_equal(item.value(fields)?, part)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Whole::Value(whole) => {
                let part = self.part.value(fields)?;
                contains(whole.value(fields)?, part)
            }
            Whole::SearchedFor(finder, whole) => {
                let whole = whole.value(fields)?;
                match whole.text() {
                    Some(text) => Ok(finder.find(text).is_some()),
                    None => contains(whole, self.part.value(fields)?),
                }
            }
        }
    }
}
