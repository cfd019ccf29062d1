//! Values while an expression is evaluated.

use crate::data::{Timestamp, Value};
use crate::options::jinja::compare::{number_in, time_in};

use super::Declined;

/// A value that is looked at. It borrows from the record or from the expression.
#[derive(Clone, Copy, Debug)]
pub(super) enum Operand<'a> {
    Undefined,
    Null,
    Bool(bool),
    Number(Number),
    /// The bytes of text, so that nobody checks again that they are UTF-8.
    Text(&'a [u8]),
    Literal(&'a Literal),
    Time(Timestamp),
    /// Bytes, a list or a map.
    Other(&'a Value),
}

/// A number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::options::jinja) enum Number {
    Int(i64),
    Float(f64),
}

/// Text of the expression, and what it is compared as with a number or a time.
#[derive(Debug)]
pub(super) struct Literal {
    pub(super) text: Box<str>,
    pub(super) number: Option<Number>,
    pub(super) time: Option<Timestamp>,
}

impl Literal {
    pub(super) fn new(text: &str) -> Self {
        Literal { text: text.into(), number: number_in(text), time: time_in(text) }
    }
}

impl<'a> From<&'a Value> for Operand<'a> {
    fn from(value: &'a Value) -> Self {
        match value {
            Value::Null => Operand::Null,
            Value::Bool(b) => Operand::Bool(*b),
            Value::Int(n) => Operand::Number(Number::Int(*n)),
            Value::Float(n) => Operand::Number(Number::Float(*n)),
            Value::Text(text) => Operand::Text(text.as_bytes()),
            Value::Time(time) => Operand::Time(*time),
            Value::Bytes(_) | Value::List(_) | Value::Map(_) => Operand::Other(value),
        }
    }
}

impl<'a> Operand<'a> {
    /// The bytes of text.
    pub(super) fn text(self) -> Option<&'a [u8]> {
        match self {
            Operand::Text(text) => Some(text),
            Operand::Literal(literal) => Some(literal.text.as_bytes()),
            _ => None,
        }
    }

    /// Whether a condition holds that is this value.
    pub(super) fn is_true(self) -> bool {
        match self {
            Operand::Undefined | Operand::Null => false,
            Operand::Bool(b) => b,
            Operand::Number(Number::Int(n)) => n != 0,
            Operand::Number(Number::Float(n)) => n != 0.0,
            Operand::Text(text) => !text.is_empty(),
            Operand::Literal(literal) => !literal.text.is_empty(),
            Operand::Time(_) => true,
            Operand::Other(value) => match value {
                Value::Bytes(bytes) => !bytes.is_empty(),
                Value::List(items) => !items.is_empty(),
                Value::Map(map) => !map.is_empty(),
                _ => unreachable!("the others have operands of their own"),
            },
        }
    }

    pub(super) fn into_value(self) -> Value {
        match self {
            Operand::Undefined | Operand::Null => Value::Null,
            Operand::Bool(b) => Value::Bool(b),
            Operand::Number(Number::Int(n)) => Value::Int(n),
            Operand::Number(Number::Float(n)) => Value::Float(n),
            Operand::Text(text) => Value::from(utf8(text)),
            Operand::Literal(literal) => Value::from(&*literal.text),
            Operand::Time(time) => Value::Time(time),
            Operand::Other(value) => value.clone(),
        }
    }

    /// Appends it as a template writes it; what is not there and `null` is nothing.
    pub(super) fn write(self, out: &mut Vec<u8>) -> Result<(), Declined> {
        match self {
            Operand::Undefined | Operand::Null => {}
            Operand::Bool(b) => out.extend_from_slice(if b { b"True" } else { b"False" }),
            Operand::Number(Number::Int(n)) => {
                out.extend_from_slice(itoa::Buffer::new().format(n).as_bytes());
            }
            Operand::Number(Number::Float(n)) => write_float(n, out),
            Operand::Text(text) => out.extend_from_slice(text),
            Operand::Literal(literal) => out.extend_from_slice(literal.text.as_bytes()),
            Operand::Time(time) => out.extend_from_slice(time.to_string().as_bytes()),
            Operand::Other(Value::Bytes(bytes)) => {
                out.extend_from_slice(String::from_utf8_lossy(bytes).as_bytes());
            }
            Operand::Other(_) => return Err(Declined),
        }
        Ok(())
    }
}

/// The text of [`Operand::Text`].
pub(super) fn utf8(text: &[u8]) -> &str {
    std::str::from_utf8(text).expect("an operand holds the bytes of text")
}

/// As Jinja writes a float: `5.0`, `NaN`, `-inf`, and never with an exponent.
fn write_float(n: f64, out: &mut Vec<u8>) {
    if n.is_nan() {
        out.extend_from_slice(b"NaN");
    } else if n.is_infinite() {
        out.extend_from_slice(if n < 0.0 { b"-inf" } else { b"inf" });
    } else {
        let written = n.to_string();
        out.extend_from_slice(written.as_bytes());
        if !written.contains('.') {
            out.extend_from_slice(b".0");
        }
    }
}
