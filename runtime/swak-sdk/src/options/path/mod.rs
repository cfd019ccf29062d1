//! Paths to fields: `a.b[0]`.

use std::borrow::Cow;
use std::fmt;

mod dict;
mod text;

pub use dict::PathDict;
pub use text::FieldPathError;

use crate::data::{Map, RecordRef, Value};
use crate::options::scalar::read_text;
use crate::options::{Literal, OptionError, OptionErrors, OptionValue, TextKind, TypeSpec};

/// A path to a field of a record.
///
/// Keys are joined with dots, `[0]` is an element of a list and `[-1]` its last one. A key with a
/// dot, a bracket, a quote or a space in it is written between quotes: `headers."user agent"`,
/// with `\"` and `\\` inside.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct FieldPath {
    /// The first step, always a key: a record is a map.
    key: String,
    rest: Vec<Step>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Step {
    Key(String),
    /// From the end when negative.
    Index(i64),
}

impl FieldPath {
    /// The path of a top-level field, whatever characters are in its name.
    pub fn from_key(key: impl Into<String>) -> Self {
        FieldPath { key: key.into(), rest: Vec::new() }
    }

    /// The name of the top-level field that it goes through.
    pub fn first(&self) -> &str {
        &self.key
    }

    /// The name, when it is the path of a top-level field.
    pub fn as_key(&self) -> Option<&str> {
        self.rest.is_empty().then_some(&self.key)
    }

    /// Whether it is `other`, or leads to something inside of it.
    pub fn starts_with(&self, other: &FieldPath) -> bool {
        self.key == other.key && self.rest.starts_with(&other.rest)
    }

    /// The value at this path.
    pub fn get<'a>(&self, fields: &'a Map) -> Option<&'a Value> {
        self.within(fields.get(&self.key)?)
    }

    /// The value at this path of a record; `message` of a line is the line.
    pub fn get_from<'a>(&self, record: RecordRef<'a>) -> Option<Cow<'a, Value>> {
        let first = record.get(&self.key)?;
        match (self.rest.as_slice(), first) {
            ([], first) => Some(first),
            (_, Cow::Borrowed(first)) => self.within(first).map(Cow::Borrowed),
            (_, Cow::Owned(first)) => self.within(&first).cloned().map(Cow::Owned),
        }
    }

    /// The value that the rest of the path leads to.
    fn within<'a>(&self, first: &'a Value) -> Option<&'a Value> {
        self.rest.iter().try_fold(first, |value, step| match (step, value) {
            (Step::Key(key), Value::Map(map)) => map.get(key),
            (Step::Index(index), Value::List(items)) => items.get(place(*index, items.len())?),
            _ => None,
        })
    }

    /// The value at this path, to change it.
    pub fn get_mut<'a>(&self, fields: &'a mut Map) -> Option<&'a mut Value> {
        walk(fields.get_mut(&self.key)?, &self.rest)
    }

    /// Sets the value at this path and gives back the one that was there.
    ///
    /// Maps and lists on the way are made where there is nothing, or `null`. An index one beyond
    /// the end of a list adds to it. Where the way is blocked nothing is changed: values that are
    /// neither map nor list are not overwritten, and lists get no gaps.
    pub fn insert(
        &self,
        fields: &mut Map,
        value: impl Into<Value>,
    ) -> Result<Option<Value>, PathBlocked> {
        let Some((last, between)) = self.rest.split_last() else {
            return Ok(fields.insert(self.key.as_str(), value));
        };
        self.check_way(fields)?;
        let mut at = child(fields, &self.key);
        for step in between {
            at = match step {
                Step::Key(key) => child(as_map(at), key),
                Step::Index(index) => element(as_list(at), *index),
            };
        }
        Ok(match last {
            Step::Key(key) => as_map(at).insert(key.as_str(), value),
            Step::Index(index) => {
                let items = as_list(at);
                let is_new = place(*index, items.len()).is_none();
                let old = std::mem::replace(element(items, *index), value.into());
                (!is_new).then_some(old)
            }
        })
    }

    /// Takes the value at this path out. Elements after it move up.
    pub fn remove(&self, fields: &mut Map) -> Option<Value> {
        let Some((last, between)) = self.rest.split_last() else {
            return fields.remove(&self.key);
        };
        match (last, walk(fields.get_mut(&self.key)?, between)?) {
            (Step::Key(key), Value::Map(map)) => map.remove(key),
            (Step::Index(index), Value::List(items)) => {
                place(*index, items.len()).map(|place| items.remove(place))
            }
            _ => None,
        }
    }

    /// Looks whether [`FieldPath::insert`] can go all the way.
    fn check_way(&self, fields: &Map) -> Result<(), PathBlocked> {
        let mut at = fields.get(&self.key);
        for (i, step) in self.rest.iter().enumerate() {
            at = match (step, at) {
                (Step::Key(key), Some(Value::Map(map))) => map.get(key),
                (Step::Key(_), None | Some(Value::Null)) => None,
                (Step::Index(index), Some(Value::List(items))) => {
                    match place(*index, items.len()) {
                        Some(place) => items.get(place),
                        None if usize::try_from(*index) == Ok(items.len()) => None,
                        None => return Err(self.blocked(i, "a shorter list")),
                    }
                }
                (Step::Index(0), None | Some(Value::Null)) => None,
                (Step::Index(_), None | Some(Value::Null)) => {
                    return Err(self.blocked(i, "an empty list"));
                }
                (_, Some(value)) => return Err(self.blocked(i, value.type_name())),
            };
        }
        Ok(())
    }

    fn blocked(&self, steps: usize, found: &'static str) -> PathBlocked {
        PathBlocked {
            path: FieldPath { key: self.key.clone(), rest: self.rest[..steps].to_vec() },
            found,
        }
    }
}

/// Why a value could not be set: something that is no map or no list stands in the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathBlocked {
    /// Where it stands.
    pub path: FieldPath,
    /// What it is: `text`, `a shorter list`.
    pub found: &'static str,
}

impl fmt::Display for PathBlocked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is {}, so nothing can be set below it", self.path, self.found)
    }
}

impl std::error::Error for PathBlocked {}

impl OptionValue for FieldPath {
    fn type_spec() -> TypeSpec {
        TypeSpec::Text(TextKind::FieldPath)
    }

    fn read(literal: &Literal) -> Result<Self, OptionErrors> {
        let text = read_text(literal, TextKind::FieldPath)?;
        text.parse().map_err(|error: FieldPathError| {
            OptionError::new(
                literal.span_within(error.at..error.at + 1),
                format!("expected a field path, found `{text}`: {error}"),
            )
            .with_help("a path is written status, request.headers[0] or request.\"user agent\"")
            .into()
        })
    }
}

/// The value at the end of some steps.
fn walk<'a>(from: &'a mut Value, steps: &[Step]) -> Option<&'a mut Value> {
    steps.iter().try_fold(from, |value, step| match (step, value) {
        (Step::Key(key), Value::Map(map)) => map.get_mut(key),
        (Step::Index(index), Value::List(items)) => {
            let place = place(*index, items.len())?;
            items.get_mut(place)
        }
        _ => None,
    })
}

/// The position that an index means in a list of this length, if it is in it.
fn place(index: i64, len: usize) -> Option<usize> {
    let place = match usize::try_from(index) {
        Ok(place) => place,
        Err(_) => len.checked_sub(usize::try_from(index.unsigned_abs()).ok()?)?,
    };
    (place < len).then_some(place)
}

/// The value of a key, made if there is none.
fn child<'a>(map: &'a mut Map, key: &str) -> &'a mut Value {
    if map.get(key).is_none() {
        map.insert(key, Value::Null);
    }
    map.get_mut(key).expect("the field was just set")
}

/// The element of an index, which is in the list or one beyond its end.
fn element(items: &mut Vec<Value>, index: i64) -> &mut Value {
    let place = place(index, items.len()).unwrap_or_else(|| {
        items.push(Value::Null);
        items.len() - 1
    });
    &mut items[place]
}

fn as_map(value: &mut Value) -> &mut Map {
    if *value == Value::Null {
        *value = Map::new().into();
    }
    match value {
        Value::Map(map) => map,
        _ => unreachable!("check_way found a map or nothing here"),
    }
}

fn as_list(value: &mut Value) -> &mut Vec<Value> {
    if *value == Value::Null {
        *value = Value::List(Vec::new());
    }
    match value {
        Value::List(items) => items,
        _ => unreachable!("check_way found a list or nothing here"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Timestamp;

    fn path(text: &str) -> FieldPath {
        text.parse().unwrap_or_else(|e| panic!("`{text}` is a path of this test: {e}"))
    }

    /// `{"a": {"b": [10, 20], "x y": 1}, "t": "text", "n": null}`
    fn fields() -> Map {
        let mut a = Map::new();
        a.insert("b", vec![10i64, 20]);
        a.insert("x y", 1);
        let mut map = Map::new();
        map.insert("a", a);
        map.insert("t", "text");
        map.insert("n", Value::Null);
        map
    }

    #[test]
    fn gets_what_is_there() {
        let map = fields();
        for (written, found) in [
            ("a.b[0]", Some(10)),
            ("a.b[1]", Some(20)),
            ("a.b[-1]", Some(20)),
            ("a.b[-2]", Some(10)),
            ("a.\"x y\"", Some(1)),
            ("a.'x y'", Some(1)),
            ("a.b[2]", None),
            ("a.b[-3]", None),
            ("a.c", None),
            ("a[0]", None),
            ("t.x", None),
            ("nothing.x", None),
        ] {
            assert_eq!(path(written).get(&map).and_then(Value::as_int), found, "{written}");
        }
        assert_eq!(path("t").get(&map).and_then(Value::as_str), Some("text"));
    }

    #[test]
    fn the_message_of_a_line_is_the_line() {
        let record = RecordRef::from_line(b"hello", Timestamp::default());
        assert_eq!(path("message").get_from(record).as_deref(), Some(&Value::from("hello")));
        assert_eq!(path("message.x").get_from(record), None);
        assert_eq!(path("other").get_from(record), None);
    }

    #[test]
    fn a_path_starts_with_those_above_it() {
        for (below, above, starts) in [
            ("a.b[0]", "a", true),
            ("a.b[0]", "a.b", true),
            ("a.b", "a.b", true),
            ("a", "a.b", false),
            ("ab", "a", false),
            ("a.bc", "a.b", false),
        ] {
            assert_eq!(path(below).starts_with(&path(above)), starts, "{below} {above}");
        }
    }

    #[test]
    fn insert_makes_what_is_missing() {
        let mut map = fields();
        assert_eq!(path("a.b[0]").insert(&mut map, 11), Ok(Some(Value::Int(10))));
        assert_eq!(path("a.b[2]").insert(&mut map, 30), Ok(None));
        assert_eq!(path("n.x[0].y").insert(&mut map, 5), Ok(None));
        assert_eq!(path("new.z").insert(&mut map, 6), Ok(None));
        assert_eq!(path("a.b").get(&map), Some(&Value::from(vec![11i64, 20, 30])));
        assert_eq!(path("n.x[-1].y").get(&map), Some(&Value::Int(5)));
        assert_eq!(path("new.z").get(&map), Some(&Value::Int(6)));
        *path("new.z").get_mut(&mut map).unwrap() = Value::Int(7);
        assert_eq!(path("new.z").get(&map), Some(&Value::Int(7)));
    }

    #[test]
    fn insert_changes_nothing_where_the_way_is_blocked() {
        let mut map = fields();
        for (written, why) in [
            ("t.x", "`t` is text, so nothing can be set below it"),
            ("a.b.c", "`a.b` is list, so nothing can be set below it"),
            ("a[0]", "`a` is map, so nothing can be set below it"),
            ("a.b[5]", "`a.b` is a shorter list, so nothing can be set below it"),
            ("new.list[1]", "`new.list` is an empty list, so nothing can be set below it"),
            ("new.list[-1]", "`new.list` is an empty list, so nothing can be set below it"),
        ] {
            let blocked = path(written).insert(&mut map, 1).unwrap_err();
            assert_eq!(blocked.to_string(), why);
        }
        assert_eq!(map, fields());
    }

    #[test]
    fn remove_takes_out() {
        let mut map = fields();
        assert_eq!(path("a.b[0]").remove(&mut map), Some(Value::Int(10)));
        assert_eq!(path("a.b[1]").remove(&mut map), None);
        assert_eq!(path("a.\"x y\"").remove(&mut map), Some(Value::Int(1)));
        assert_eq!(path("t").remove(&mut map), Some(Value::from("text")));
        assert_eq!(path("t.x").remove(&mut map), None);
        assert_eq!(path("a.b").get(&map), Some(&Value::from(vec![20i64])));
    }
}
