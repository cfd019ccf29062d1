//! The comparisons of [`crate::options::jinja::compare`], on operands.

use std::cmp::Ordering;

use memchr::memmem;

use super::Declined;
use super::operand::{Number, Operand, utf8};
use crate::data::{Timestamp, Value};
use crate::options::jinja::compare::{number_in, time_in};

/// A comparison operator; `in` and `not in` are [`contains`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparison {
    /// Whether it holds of two of one kind.
    #[inline]
    pub(super) fn holds<T: PartialOrd>(self, a: &T, b: &T) -> bool {
        match self {
            Comparison::Equal => a == b,
            Comparison::NotEqual => a != b,
            Comparison::Less => a < b,
            Comparison::LessOrEqual => a <= b,
            Comparison::Greater => a > b,
            Comparison::GreaterOrEqual => a >= b,
        }
    }
}

/// Whether the comparison holds.
#[inline]
pub(super) fn holds(a: Operand<'_>, how: Comparison, b: Operand<'_>) -> Result<bool, Declined> {
    // What filters are made of comes first.
    if let (Operand::Number(Number::Int(a)), Operand::Number(Number::Int(b))) = (a, b) {
        return Ok(how.holds(&a, &b));
    }
    match how {
        Comparison::Equal => is_equal(a, b),
        Comparison::NotEqual => is_equal(a, b).map(|equal| !equal),
        Comparison::Less => Ok(order(a, b)?.is_some_and(Ordering::is_lt)),
        Comparison::LessOrEqual => Ok(order(a, b)?.is_some_and(Ordering::is_le)),
        Comparison::Greater => Ok(order(a, b)?.is_some_and(Ordering::is_gt)),
        Comparison::GreaterOrEqual => Ok(order(a, b)?.is_some_and(Ordering::is_ge)),
    }
}

pub(super) fn is_equal(a: Operand<'_>, b: Operand<'_>) -> Result<bool, Declined> {
    if let (Some(a), Some(b)) = (a.text(), b.text()) {
        return Ok(a == b);
    }
    match (a, b) {
        (Operand::Undefined, Operand::Undefined) | (Operand::Null, Operand::Null) => Ok(true),
        (Operand::Number(a), Operand::Number(b)) => Ok(match (a, b) {
            (Number::Int(a), Number::Int(b)) => a == b,
            (Number::Float(a), Number::Float(b)) => a == b,
            (Number::Int(a), Number::Float(b)) | (Number::Float(b), Number::Int(a)) => {
                let near = a as f64;
                near as i64 == a && near == b
            }
        }),
        _ => Ok(order(a, b)? == Some(Ordering::Equal)),
    }
}

fn order(a: Operand<'_>, b: Operand<'_>) -> Result<Option<Ordering>, Declined> {
    if let (Some(a), Some(b)) = (a.text(), b.text()) {
        return Ok(Some(a.cmp(b)));
    }
    Ok(match (a, b) {
        (Operand::Number(a), Operand::Number(b)) => Some(order_of_numbers(a, b)),
        (Operand::Number(a), b) => as_number(b).map(|b| order_of_numbers(a, b)),
        (a, Operand::Number(b)) => as_number(a).map(|a| order_of_numbers(a, b)),
        (Operand::Bool(a), Operand::Bool(b)) => Some(a.cmp(&b)),
        (Operand::Time(a), Operand::Time(b)) => Some(a.cmp(&b)),
        (Operand::Time(a), b) => as_time(b).map(|b| a.cmp(&b)),
        (a, Operand::Time(b)) => as_time(a).map(|a| a.cmp(&b)),
        (Operand::Other(a), Operand::Other(b)) if same_kind(a, b) => return Err(Declined),
        _ => None,
    })
}

/// Whether `part` is in `whole`: part of text, an element of a list, a key of a map.
pub(super) fn contains(whole: Operand<'_>, part: Operand<'_>) -> Result<bool, Declined> {
    if let Some(text) = whole.text() {
        return match part.text() {
            Some(part) => Ok(memmem::find(text, part).is_some()),
            None if matches!(part, Operand::Undefined | Operand::Null) => Ok(false),
            None => Err(Declined),
        };
    }
    match whole {
        Operand::Other(Value::List(items)) => {
            for item in items {
                if is_equal(item.into(), part)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        Operand::Other(Value::Map(map)) => match part.text() {
            Some(key) => Ok(map.get(utf8(key)).is_some()),
            None => Err(Declined),
        },
        Operand::Other(_) => Err(Declined),
        _ => Ok(false),
    }
}

fn same_kind(a: &Value, b: &Value) -> bool {
    std::mem::discriminant(a) == std::mem::discriminant(b)
}

fn as_number(operand: Operand<'_>) -> Option<Number> {
    match operand {
        Operand::Literal(literal) => literal.number,
        Operand::Text(text) => number_in(utf8(text)),
        _ => None,
    }
}

fn as_time(operand: Operand<'_>) -> Option<Timestamp> {
    match operand {
        Operand::Literal(literal) => literal.time,
        Operand::Text(text) => time_in(utf8(text)),
        _ => None,
    }
}

fn order_of_numbers(a: Number, b: Number) -> Ordering {
    match (a, b) {
        (Number::Int(a), Number::Int(b)) => a.cmp(&b),
        (Number::Float(a), Number::Float(b)) => order_of_floats(a, b),
        (Number::Int(a), Number::Float(b)) => order_of_mixed(a, b),
        (Number::Float(a), Number::Int(b)) => order_of_mixed(b, a).reverse(),
    }
}

fn order_of_mixed(a: i64, b: f64) -> Ordering {
    let near = a as f64;
    match order_of_floats(near, b) {
        // A large whole number may only round to the float, which then is a whole one too.
        Ordering::Equal if near as i64 != a => i128::from(a).cmp(&(b as i128)),
        order => order,
    }
}

fn order_of_floats(a: f64, b: f64) -> Ordering {
    if a == b { Ordering::Equal } else { a.total_cmp(&b) }
}
