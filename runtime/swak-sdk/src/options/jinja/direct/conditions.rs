//! Conditions that compare fields with constants, as most filters are: `status >= 500 and level == "error"`.
//! They are answered from the text of JSON, where it is noted where the fields stand, without a look at what
//! else an expression or a value may be.

use super::Names;
use super::node::Node;
use super::operand::{Number, Operand};
use super::order::Comparison;
use crate::data::{RecordRef, short_int};

/// Conditions all of which must hold, in their order.
#[derive(Debug)]
pub(super) struct Conditions(Vec<Condition>);

#[derive(Debug)]
struct Condition {
    slot: usize,
    how: Comparison,
    constant: Constant,
}

#[derive(Debug)]
enum Constant {
    Int(i64),
    /// As it stands between quotes when it has no escapes.
    Text(Box<[u8]>),
}

impl Conditions {
    /// Those of which an expression consists; `None` when there is something else in it.
    pub(super) fn of(root: &Node, names: &Names) -> Option<Self> {
        let parts = match root {
            Node::And(parts) => parts.as_slice(),
            other => std::slice::from_ref(other),
        };
        let conditions = parts.iter().map(|part| Condition::of(part, names));
        conditions.collect::<Option<_>>().map(Conditions)
    }

    /// Whether all hold; `None` when this does not tell.
    #[inline]
    pub(super) fn hold(&self, record: RecordRef<'_>, names: &Names) -> Option<bool> {
        for condition in &self.0 {
            let raw = record.noted_json(&names[condition.slot])?;
            if !condition.holds(raw)? {
                return Some(false);
            }
        }
        Some(true)
    }
}

impl Condition {
    fn of(node: &Node, names: &Names) -> Option<Self> {
        let Node::Compare(parts) = node else { return None };
        let (Node::Field(path), how, constant) = &**parts else { return None };
        let constant = match constant {
            Node::Constant(Operand::Number(Number::Int(n))) => Constant::Int(*n),
            Node::Text(literal) if matches!(how, Comparison::Equal | Comparison::NotEqual) => {
                Constant::Text(literal.text.as_bytes().into())
            }
            _ => return None,
        };
        Some(Condition { slot: path.as_slot(names)?, how: *how, constant })
    }

    /// Of the text of a value.
    #[inline]
    fn holds(&self, raw: &[u8]) -> Option<bool> {
        match &self.constant {
            Constant::Int(n) => Some(self.how.holds(&short_int(raw)?, n)),
            Constant::Text(text) => match raw {
                // What has escapes may say the same in another way.
                [b'"', inner @ .., b'"'] if !inner.contains(&b'\\') => {
                    Some((*inner == **text) == (self.how == Comparison::Equal))
                }
                _ => None,
            },
        }
    }
}
