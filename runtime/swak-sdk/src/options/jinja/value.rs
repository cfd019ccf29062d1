//! Values of records as Jinja sees them, and back.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use minijinja::Value as Jinja;
use minijinja::value::{DynObject, Enumerator, Object, ObjectRepr, ValueKind};

use crate::data::{Map, Slice, Timestamp, Value};

/// A value as Jinja sees it. Maps and lists are converted element by element when they are looked
/// at.
pub(super) fn to_jinja(value: &Value) -> Jinja {
    match value {
        Value::Null => Jinja::from(()),
        Value::Bool(b) => Jinja::from(*b),
        Value::Int(n) => Jinja::from(*n),
        Value::Float(n) => Jinja::from(*n),
        Value::Text(text) => Jinja::from(text.as_str()),
        Value::Bytes(bytes) => Jinja::from_bytes(bytes.to_vec()),
        Value::Time(time) => time_to_jinja(*time),
        Value::List(items) => Jinja::from_object(ListObject(items.clone())),
        Value::Map(map) => map_to_jinja(map),
    }
}

pub(super) fn map_to_jinja(map: &Map) -> Jinja {
    Jinja::from_object(MapObject(map.clone()))
}

pub(super) fn time_to_jinja(time: Timestamp) -> Jinja {
    Jinja::from_object(TimeObject(time))
}

/// The time in a value, if it is one.
pub(super) fn as_time(value: &Jinja) -> Option<Timestamp> {
    value.downcast_object_ref::<TimeObject>().map(|time| time.0)
}

/// What Jinja made as a value of a record. What has no counterpart becomes its text.
pub(super) fn from_jinja(value: &Jinja) -> Value {
    if let Some(time) = as_time(value) {
        return Value::Time(time);
    }
    if let Some(map) = value.downcast_object_ref::<MapObject>() {
        return map.0.clone().into();
    }
    if let Some(list) = value.downcast_object_ref::<ListObject>() {
        return Value::List(list.0.clone());
    }
    match value.kind() {
        ValueKind::Undefined | ValueKind::None => Value::Null,
        ValueKind::Bool => Value::Bool(value.is_true()),
        ValueKind::Number => number(value),
        ValueKind::Bytes => Value::Bytes(Slice::from(value.as_bytes().unwrap_or_default())),
        ValueKind::Seq | ValueKind::Iterable => match value.try_iter() {
            Ok(items) => Value::List(items.map(|item| from_jinja(&item)).collect()),
            Err(_) => Value::from(value.to_string()),
        },
        ValueKind::Map => match value.try_iter() {
            Ok(keys) => keys
                .map(|key| {
                    let item = value.get_item(&key).map_or(Value::Null, |item| from_jinja(&item));
                    (key.to_string(), item)
                })
                .collect::<Map>()
                .into(),
            Err(_) => Value::from(value.to_string()),
        },
        _ => match value.as_str() {
            Some(text) => Value::from(text),
            None => Value::from(value.to_string()),
        },
    }
}

fn number(value: &Jinja) -> Value {
    match value.as_i64() {
        Some(n) if value.is_integer() => Value::Int(n),
        _ => f64::try_from(value.clone())
            .map_or_else(|_| Value::from(value.to_string()), Value::Float),
    }
}

/// Fields in their order.
#[derive(Debug)]
struct MapObject(Map);

impl Object for MapObject {
    fn get_value(self: &Arc<Self>, key: &Jinja) -> Option<Jinja> {
        self.0.get(key.as_str()?).map(to_jinja)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Jinja> {
        self.0.get(key).map(to_jinja)
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.0.iter().map(|(name, _)| Jinja::from(name.as_str())).collect())
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        Some(self.0.len())
    }
}

#[derive(Debug)]
struct ListObject(Vec<Value>);

impl Object for ListObject {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }

    fn get_value(self: &Arc<Self>, key: &Jinja) -> Option<Jinja> {
        self.0.get(key.as_usize()?).map(to_jinja)
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Seq(self.0.len())
    }
}

/// A point in time: written as RFC 3339, compared as what it is.
#[derive(Debug)]
struct TimeObject(Timestamp);

impl Object for TimeObject {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn custom_cmp(self: &Arc<Self>, other: &DynObject) -> Option<Ordering> {
        Some(self.0.cmp(&other.downcast_ref::<Self>()?.0))
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_in_comes_back() {
        let mut map = Map::new();
        map.insert("z", 1);
        map.insert("a", Value::Null);
        for value in [
            Value::Null,
            Value::Bool(true),
            Value::Int(i64::MIN),
            Value::Float(0.5),
            Value::Float(3.0),
            Value::from("text"),
            Value::Bytes(Slice::from(&b"\xff"[..])),
            Value::Time(Timestamp::from_nanos(1)),
            Value::from(vec![1i64, 2]),
            Value::from(map),
        ] {
            assert_eq!(from_jinja(&to_jinja(&value)), value);
        }
    }
}
