//! Comparisons that make sense for data.
//!
//! Jinja orders unlike values by their kind: every text is greater than every number, and a field
//! that is not there is less than everything. In a filter such as `status >= 500` that is a trap:
//! a parser that leaves `status` as text makes it true for each record. So `==`, `!=`, `<`, `<=`,
//! `>`, `>=`, `in` and `not in` are turned into a filter (see [`super::rewrite`]) that compares like
//! this:
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

use super::direct::Number;
use super::value::{as_time, time_to_jinja};
use crate::data::Timestamp;

/// The filter: `a < b <= c` becomes `a|_compare("<", b, "<=", c)`.
pub(super) const FILTER: &str = "_compare";

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
        // Only somebody who writes the filter by hand can have another operator.
        _ => false,
    }
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
    Some(match number_in(value.as_str()?)? {
        Number::Int(n) => Value::from(n),
        Number::Float(n) => Value::from(n),
    })
}

/// The number that a text is, with space around it.
pub(super) fn number_in(text: &str) -> Option<Number> {
    let text = text.trim();
    // `parse` would read words such as `inf` as numbers.
    if !text.bytes().all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b)) {
        return None;
    }
    let whole = text.parse().map(Number::Int);
    whole.or_else(|_| text.parse().map(Number::Float)).ok()
}

/// The time in a text, if what it is compared with is a time.
fn as_same_time(text: &Value, other: &Value) -> Option<Value> {
    as_time(other)?;
    time_in(text.as_str()?).map(time_to_jinja)
}

/// The time that a text is.
pub(super) fn time_in(text: &str) -> Option<Timestamp> {
    text.parse::<jiff::Timestamp>().ok().map(Timestamp::from)
}
