//! The tests of Jinja, and ours, that are known here: `x is defined`, `x is match("^a")`.

use regex::bytes::Regex;

use super::Declined;
use super::operand::{Number, Operand};
use crate::data::Value;

/// What a value is tested for.
#[derive(Debug)]
pub(super) enum Test {
    Defined,
    Undefined,
    None,
    Boolean,
    True,
    False,
    /// Bools are numbers, as in Python.
    Number,
    Integer,
    Float,
    Text,
    Mapping,
    StartingWith(Box<str>),
    EndingWith(Box<str>),
    /// `match` finds its pattern at the beginning alone, `search` anywhere.
    Pattern(Regex),
}

impl Test {
    /// A test without an argument.
    pub(super) fn plain(name: &str) -> Option<Self> {
        Some(match name {
            "defined" => Test::Defined,
            "undefined" => Test::Undefined,
            "none" => Test::None,
            "boolean" => Test::Boolean,
            "true" => Test::True,
            "false" => Test::False,
            "number" => Test::Number,
            "integer" => Test::Integer,
            "float" => Test::Float,
            "string" => Test::Text,
            "mapping" => Test::Mapping,
            _ => return None,
        })
    }

    /// A test with text as its argument.
    pub(super) fn with_text(name: &str, argument: &str) -> Option<Self> {
        match name {
            "startingwith" => Some(Test::StartingWith(argument.into())),
            "endingwith" => Some(Test::EndingWith(argument.into())),
            "search" | "match" => {
                // On its own first: patterns for bytes can be written that are none for text, and it
                // must not close the group that it is put into. A comment would leave that open.
                regex::Regex::new(argument).ok().filter(|_| !argument.contains('#'))?;
                let anchor = if name == "match" { r"\A" } else { "" };
                Regex::new(&format!("{anchor}(?:{argument})")).ok().map(Test::Pattern)
            }
            _ => None,
        }
    }

    /// Whether a value is that.
    pub(super) fn holds(&self, operand: Operand<'_>) -> Result<bool, Declined> {
        Ok(match self {
            Test::Defined => !matches!(operand, Operand::Undefined),
            Test::Undefined => matches!(operand, Operand::Undefined),
            Test::None => matches!(operand, Operand::Null),
            Test::Boolean => matches!(operand, Operand::Bool(_)),
            Test::True => matches!(operand, Operand::Bool(true)),
            Test::False => matches!(operand, Operand::Bool(false)),
            Test::Number => matches!(operand, Operand::Number(_) | Operand::Bool(_)),
            Test::Integer => matches!(operand, Operand::Number(Number::Int(_))),
            Test::Float => matches!(operand, Operand::Number(Number::Float(_))),
            Test::Text => operand.text().is_some(),
            Test::Mapping => matches!(operand, Operand::Other(Value::Map(_))),
            Test::StartingWith(start) => written(operand)?.starts_with(start.as_bytes()),
            Test::EndingWith(end) => written(operand)?.ends_with(end.as_bytes()),
            Test::Pattern(regex) => match operand {
                Operand::Undefined | Operand::Null => false,
                operand => regex.is_match(operand.text().ok_or(Declined)?),
            },
        })
    }
}

/// The text of a value where Jinja turns what is none into text.
fn written(operand: Operand<'_>) -> Result<&[u8], Declined> {
    match operand {
        Operand::Undefined => Ok(b""),
        operand => operand.text().ok_or(Declined),
    }
}
