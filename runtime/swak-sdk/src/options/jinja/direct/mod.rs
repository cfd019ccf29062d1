//! Expressions and templates that are evaluated without Jinja's machine.
//!
//! What people write in filters and in the fields that they make is mostly small: fields, constants,
//! comparisons, `in`, `and`, `or`, `not`, a few tests, arithmetic. Such an expression is compiled to
//! a tree of its own ([`node`]), which asks the record for each field at most once and allocates
//! nothing. It answers exactly as Jinja does with our comparisons ([`super::compare`]); two
//! limits see to that:
//!
//! - [`parse`] declines every text in which there is anything that it does not know;
//! - an evaluation declines ([`Declined`]) as soon as it meets what it does not know or what is an
//!   error: bytes in a comparison, a division by zero.
//!
//! In both cases Jinja answers. A property test and the fuzz target `expressions` hold the two
//! against each other.

mod conditions;
mod fields;
mod is;
mod math;
mod node;
mod operand;
mod order;
mod parse;
mod pieces;

use std::borrow::Cow;

use conditions::Conditions;
use fields::with_fields;
use node::Node;
pub(super) use operand::Number;
use operand::Operand;
pub(super) use pieces::Pieces;

use super::Scope;
use crate::data::{FieldName, RecordRef, Value};

/// An expression that is evaluated directly.
#[derive(Debug)]
pub(super) struct Direct {
    root: Node,
    names: Names,
    /// When it consists of them.
    conditions: Option<Conditions>,
}

/// The names of the fields that something reads, with those below them; each has a slot in [`fields`].
type Names = Vec<FieldName>;

/// Why there is no answer: Jinja has to give it.
#[derive(Debug)]
struct Declined;

impl Direct {
    /// `None` for what is left to Jinja. The text must be one that Jinja compiles.
    pub(super) fn new(text: &str) -> Option<Self> {
        let mut names = Names::new();
        let root = parse::expression(text, &mut names)?;
        let conditions = Conditions::of(&root, &names);
        Some(Direct { root, names, conditions })
    }

    /// Whether a record answers to it, if what is noted of it tells.
    #[inline]
    pub(super) fn holds(&self, record: RecordRef<'_>) -> Option<bool> {
        self.conditions.as_ref()?.hold(record, &self.names)
    }

    /// See [`super::Expr::matches`]; `None` if Jinja has to answer.
    pub(super) fn matches(&self, scope: &Scope<'_>) -> Option<bool> {
        if let Some(holds) = self.holds(scope.record) {
            return Some(holds);
        }
        with_fields(scope, &self.names, |fields| self.root.truth(fields).ok())
    }

    /// See [`super::Expr::eval`]; `None` if Jinja has to answer.
    pub(super) fn eval(&self, scope: &Scope<'_>) -> Option<Value> {
        if let Node::Field(path) = &self.root
            && let Some(name) = path.as_field(&self.names)
        {
            return Some(scope.record.get(name).map_or(Value::Null, Cow::into_owned));
        }
        with_fields(scope, &self.names, |fields| {
            self.root.value(fields).ok().map(Operand::into_value)
        })
    }
}

#[cfg(test)]
mod tests;
