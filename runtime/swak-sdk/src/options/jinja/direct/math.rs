//! Arithmetic on numbers. What is an error, or leaves 64 bits, is left to Jinja.

use super::Declined;
use super::operand::{Number, Operand};

/// An arithmetic operator; `+` of text, `~` and `**` are left to Jinja.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Add,
    Subtract,
    Multiply,
    /// `/`: always a float.
    Divide,
    /// `//`: rounded down.
    DivideDown,
    /// `%`: with the sign of the divisor.
    Remainder,
}

/// The result for two numbers.
pub(super) fn compute(
    a: Operand<'_>,
    operator: Operator,
    b: Operand<'_>,
) -> Result<Number, Declined> {
    let (Operand::Number(a), Operand::Number(b)) = (a, b) else { return Err(Declined) };
    match (operator, a, b) {
        (Operator::Divide, a, b) if float(b) != 0.0 => Ok(Number::Float(float(a) / float(b))),
        (Operator::Divide, ..) => Err(Declined),
        (_, Number::Int(a), Number::Int(b)) => {
            let result = match operator {
                Operator::Add => a.checked_add(b),
                Operator::Subtract => a.checked_sub(b),
                Operator::Multiply => a.checked_mul(b),
                Operator::DivideDown => divided_down(a, b).map(|(quotient, _)| quotient),
                Operator::Remainder => divided_down(a, b).map(|(_, remainder)| remainder),
                Operator::Divide => unreachable!("it was divided above"),
            };
            result.map(Number::Int).ok_or(Declined)
        }
        (Operator::Add, a, b) => Ok(Number::Float(float(a) + float(b))),
        (Operator::Subtract, a, b) => Ok(Number::Float(float(a) - float(b))),
        (Operator::Multiply, a, b) => Ok(Number::Float(float(a) * float(b))),
        (Operator::DivideDown | Operator::Remainder, ..) => Err(Declined),
    }
}

/// The number with the other sign.
pub(super) fn negated(operand: Operand<'_>) -> Result<Number, Declined> {
    match operand {
        Operand::Number(Number::Int(n)) => n.checked_neg().map(Number::Int).ok_or(Declined),
        Operand::Number(Number::Float(n)) => Ok(Number::Float(-n)),
        _ => Err(Declined),
    }
}

fn float(n: Number) -> f64 {
    match n {
        Number::Int(n) => n as f64,
        Number::Float(n) => n,
    }
}

fn divided_down(a: i64, b: i64) -> Option<(i64, i64)> {
    let (quotient, remainder) = (a.checked_div(b)?, a.checked_rem(b)?);
    if remainder != 0 && (remainder < 0) != (b < 0) {
        Some((quotient - 1, remainder + b))
    } else {
        Some((quotient, remainder))
    }
}
