//! The fields that an expression reads, each looked up at most once for a record.

use std::borrow::Cow;
use std::cell::OnceCell;

use super::operand::{Number, Operand};
use super::{Declined, Names};
use crate::data::{FieldName, Member, Value};
use crate::options::Scope;

/// The fields of a record, looked up when they are asked for.
pub(super) struct Fields<'f, 'a> {
    scope: &'f Scope<'a>,
    names: &'f [FieldName],
    slots: &'f [Slot<'a>],
}

type Slot<'a> = OnceCell<Option<Member<'a>>>;

/// Gives the fields of these names to a function.
#[inline]
pub(super) fn with_fields<'a, T>(
    scope: &Scope<'a>,
    names: &[FieldName],
    run: impl FnOnce(&Fields<'_, 'a>) -> T,
) -> T {
    let run = |slots: &[Slot<'a>]| run(&Fields { scope, names, slots });
    match names.len() {
        0..=2 => run(&[const { OnceCell::new() }; 2]),
        3..=8 => run(&[const { OnceCell::new() }; 8]),
        n => run(&vec![OnceCell::new(); n]),
    }
}

impl<'a> Fields<'_, 'a> {
    #[inline]
    fn get(&self, slot: usize) -> Option<&Member<'a>> {
        match self.slots[slot].get() {
            Some(found) => found.as_ref(),
            None => self.find(slot),
        }
    }

    fn find(&self, slot: usize) -> Option<&Member<'a>> {
        let (record, name) = (self.scope.record, &self.names[slot]);
        if let Some(found) = record.search_json(name) {
            return self.slots[slot].get_or_init(|| found).as_ref();
        }
        record.find_in_json(self.names, |slot, found| {
            self.slots[slot].get_or_init(|| found);
        });
        let found = || within(record.get(name.as_str())?, name).map(Member::Value);
        self.slots[slot].get_or_init(found).as_ref()
    }
}

/// What is meant in the value of a name.
fn within<'a>(value: Cow<'a, Value>, name: &FieldName) -> Option<Cow<'a, Value>> {
    fn find<'v>(value: &'v Value, name: &FieldName) -> Option<&'v Value> {
        name.below().try_fold(value, |value, name| match value {
            Value::Map(map) => map.get(name),
            _ => None,
        })
    }
    match value {
        value if name.below().len() == 0 => Some(value),
        Cow::Borrowed(value) => find(value, name).map(Cow::Borrowed),
        Cow::Owned(value) => find(&value, name).cloned().map(Cow::Owned),
    }
}

/// What stands for a value of the record: `status`, `a.b`, `a["b c"][0]`, `record.time`, `tag`.
#[derive(Debug)]
pub(super) struct Path {
    root: Root,
    /// Those that follow the names of the slot.
    steps: Vec<Step>,
}

#[derive(Debug)]
enum Root {
    /// The slot of a field.
    Field(usize),
    Time,
    Tag,
    Source,
    Line,
}

/// A step into a value.
#[derive(Debug)]
pub(super) enum Step {
    Key(Box<str>),
    /// From the end when negative.
    Index(i64),
}

impl Path {
    /// The path that begins with a variable; `None` if it is left to Jinja.
    pub(super) fn new(variable: &str, mut steps: Vec<Step>, names: &mut Names) -> Option<Self> {
        let root = match variable {
            "time" => Root::Time,
            "tag" => Root::Tag,
            "source" => Root::Source,
            "line" => Root::Line,
            "record" => {
                if steps.is_empty() {
                    return None;
                }
                match steps.remove(0) {
                    Step::Key(name) => Root::Field(slot(&name, &mut steps, names)),
                    Step::Index(_) => return None,
                }
            }
            name => Root::Field(slot(name, &mut steps, names)),
        };
        let is_field = matches!(root, Root::Field(_));
        (is_field || steps.is_empty()).then_some(Path { root, steps })
    }

    /// The name, when it is a top-level field.
    pub(super) fn as_field<'n>(&self, names: &'n Names) -> Option<&'n str> {
        self.as_slot(names).map(|slot| names[slot].as_str())
    }

    /// The slot, when it is a top-level field.
    pub(super) fn as_slot(&self, names: &Names) -> Option<usize> {
        match self.root {
            Root::Field(slot) if self.steps.is_empty() && names[slot].below().len() == 0 => {
                Some(slot)
            }
            _ => None,
        }
    }

    /// The value for a record.
    #[inline]
    pub(super) fn value<'e>(&self, fields: &'e Fields<'_, '_>) -> Result<Operand<'e>, Declined> {
        let scope = fields.scope;
        let slot = match self.root {
            Root::Field(slot) => slot,
            Root::Time => return Ok(Operand::Time(scope.record.time())),
            Root::Tag => return Ok(Operand::Text(scope.tag.as_bytes())),
            Root::Source => return Ok(Operand::Text(scope.source.as_bytes())),
            Root::Line => {
                return match scope.record.line() {
                    None => Ok(Operand::Undefined),
                    Some(line) if std::str::from_utf8(line).is_ok() => Ok(Operand::Text(line)),
                    Some(_) => Err(Declined),
                };
            }
        };
        match fields.get(slot) {
            None => Ok(Operand::Undefined),
            Some(Member::Text(text)) => match self.steps.first() {
                None => Ok(Operand::Text(text)),
                Some(Step::Key(_)) => Ok(Operand::Undefined),
                Some(Step::Index(_)) => Err(Declined),
            },
            Some(Member::Int(n)) => match self.steps.is_empty() {
                true => Ok(Operand::Number(Number::Int(*n))),
                false => Ok(Operand::Undefined),
            },
            Some(Member::Value(value)) if self.steps.is_empty() => Ok((&**value).into()),
            Some(Member::Value(value)) => self.below(value),
        }
    }

    fn below<'v>(&self, mut value: &'v Value) -> Result<Operand<'v>, Declined> {
        for step in &self.steps {
            let inner = match (step, value) {
                (Step::Key(key), Value::Map(map)) => map.get(key),
                (Step::Index(index), Value::List(items)) => {
                    let place = match usize::try_from(*index) {
                        Ok(place) => Some(place),
                        Err(_) => items.len().checked_sub(index.unsigned_abs() as usize),
                    };
                    place.and_then(|place| items.get(place))
                }
                // A character of the text.
                (Step::Index(_), Value::Text(_) | Value::Bytes(_)) => return Err(Declined),
                _ => None,
            };
            match inner {
                Some(inner) => value = inner,
                None => return Ok(Operand::Undefined),
            }
        }
        Ok(value.into())
    }
}

/// The slot of the field to which the name and the names that the steps begin with lead. Those are taken
/// out.
fn slot(name: &str, steps: &mut Vec<Step>, names: &mut Names) -> usize {
    let keys = steps.iter().take_while(|step| matches!(step, Step::Key(_))).count();
    let below = steps.drain(..keys).filter_map(|step| match step {
        Step::Key(name) => Some(name),
        Step::Index(_) => None,
    });
    let below: Box<[_]> = below.collect();
    let is_same = |known: &FieldName| known.below().eq(below.iter().map(|name| &**name));
    let known = |known: &FieldName| known.as_str() == name && is_same(known);
    names.iter().position(known).unwrap_or_else(|| {
        names.push(FieldName::new(name, &below));
        names.len() - 1
    })
}
