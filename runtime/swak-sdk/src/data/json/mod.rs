//! JSON (RFC 8259) to values and back.
//!
//! Most objects that pass through an agent are looked at and written as they are: [`is_object`] makes sure
//! that a text is one, a [`JsonReader`] that many lines are, `members` finds single fields in it, and only
//! who changes it makes a [`Map`] of it.

mod alike;
mod check;
mod digits;
mod layout;
pub(super) mod members;
mod nesting;
pub(super) mod places;
mod plain;
mod reader;
mod rewrite;
pub(super) mod row;
mod search;
mod stops;
pub(super) mod text;
mod write;

use std::fmt;

use serde_json::de::SliceRead;

use super::{Map, Slice, Text, Value};

pub(in crate::data) use alike::Alike;
pub use reader::JsonReader;
pub(in crate::data) use rewrite::write_with;
pub(crate) use search::FieldName;
pub use write::{write_bytes, write_map, write_value};

/// What is wrong with a JSON text.
#[derive(Debug)]
pub struct JsonError(serde_json::Error);

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for JsonError {}

/// How many lists and objects may stand in each other in what is read: more are an error, so that none
/// ends the thread that reads it.
pub const MAX_DEPTH: usize = 127;

/// How many lists and objects stand in each other when this map is written: 1 for one of plain values.
pub fn depth(map: &Map) -> usize {
    fn of(value: &Value) -> usize {
        match value {
            Value::List(items) => 1 + items.iter().map(of).max().unwrap_or(0),
            Value::Map(map) => depth(map),
            _ => 0,
        }
    }
    1 + map.iter().map(|(_, value)| of(value)).max().unwrap_or(0)
}

/// Whether a text is a JSON object on one line, as [`parse_object`] reads it.
pub fn is_object(text: &[u8]) -> bool {
    check::is_plain_object(text) || (!text.contains(&b'\n') && parse_object(&text.into()).is_ok())
}

/// Reads one JSON value. Text without escapes is a slice of what was read; of a repeated name the
/// last value counts; whole numbers beyond 64 bits become floats.
pub fn parse(text: &Slice) -> Result<Value, JsonError> {
    let mut reader = serde_json::Deserializer::new(SliceRead::new(text));
    let value =
        serde::de::DeserializeSeed::deserialize(ValueSeed(text), &mut reader).map_err(JsonError)?;
    reader.end().map_err(JsonError)?;
    Ok(value)
}

/// Reads one JSON object; anything else is an error that says so.
pub fn parse_object(text: &Slice) -> Result<Map, JsonError> {
    match parse(text)? {
        Value::Map(map) => Ok(*map),
        other => Err(JsonError(serde::de::Error::custom(format_args!(
            "expected an object, found {}",
            other.type_name()
        )))),
    }
}

/// Reads a value whose text may borrow from the slice. `serde_json` bounds the depth.
#[derive(Clone, Copy)]
struct ValueSeed<'a>(&'a Slice);

impl<'de> serde::de::DeserializeSeed<'de> for ValueSeed<'de> {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, reader: D) -> Result<Value, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> serde::de::Visitor<'de> for ValueSeed<'de> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, v: bool) -> Result<Value, E> {
        Ok(v.into())
    }

    fn visit_i64<E>(self, v: i64) -> Result<Value, E> {
        Ok(v.into())
    }

    fn visit_u64<E>(self, v: u64) -> Result<Value, E> {
        Ok(v.into())
    }

    fn visit_f64<E>(self, v: f64) -> Result<Value, E> {
        Ok(v.into())
    }

    fn visit_borrowed_str<E>(self, v: &'de str) -> Result<Value, E> {
        Ok(Value::Text(Text::borrowed(v, self.0)))
    }

    fn visit_str<E>(self, v: &str) -> Result<Value, E> {
        Ok(v.into())
    }

    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element_seed(self)? {
            items.push(item);
        }
        Ok(Value::List(items))
    }

    fn visit_map<A: serde::de::MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(name) = entries.next_key_seed(NameSeed(self.0))? {
            map.insert(name, entries.next_value_seed(self)?);
        }
        Ok(map.into())
    }
}

struct NameSeed<'a>(&'a Slice);

impl<'de> serde::de::DeserializeSeed<'de> for NameSeed<'de> {
    type Value = Text;

    fn deserialize<D: serde::Deserializer<'de>>(self, reader: D) -> Result<Text, D::Error> {
        reader.deserialize_str(self)
    }
}

impl<'de> serde::de::Visitor<'de> for NameSeed<'de> {
    type Value = Text;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_borrowed_str<E>(self, v: &'de str) -> Result<Text, E> {
        Ok(Text::borrowed(v, self.0))
    }

    fn visit_str<E>(self, v: &str) -> Result<Text, E> {
        Ok(v.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trip(text: &str) -> String {
        let mut out = Vec::new();
        write_value(&mut out, &parse(&text.into()).unwrap());
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn values_come_back_as_they_were() {
        for text in [
            r#"{"b":1,"a":[true,false,null,-1.5,"x"],"c":{"d":"a\"b\\c\n\u0001"}}"#,
            r#""한글 text""#,
            "9223372036854775807",
            "9.955174407370957e+19",
            "[]",
        ] {
            assert_eq!(round_trip(text), text);
        }
        assert_eq!(round_trip(r#""\u00e9\/""#), r#""é/""#);
    }

    #[test]
    fn of_a_repeated_name_the_last_value_counts() {
        assert_eq!(round_trip(r#"{"a":1,"b":2,"a":3}"#), r#"{"a":3,"b":2}"#);
    }

    #[test]
    fn what_is_as_deep_as_may_be_is_read() {
        for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
            let nested = |n| format!("{{\"a\":{}1{}}}", open.repeat(n), close.repeat(n));
            let deep = parse_object(&nested(MAX_DEPTH - 1).as_str().into()).unwrap();
            assert_eq!(depth(&deep), MAX_DEPTH);
            assert!(parse_object(&nested(MAX_DEPTH).as_str().into()).is_err());
        }
        assert_eq!(depth(&parse_object(&"{}".into()).unwrap()), 1);
    }

    #[test]
    fn bad_text_is_an_error_and_never_a_crash() {
        let deep = "[".repeat(100_000);
        for text in ["", "{", "{\"a\":1}x", "{'a':1}", "nul", "\"\u{1}\"", &deep] {
            assert!(parse(&text.into()).is_err(), "{text:.20}");
        }
        assert!(parse(&Slice::from(&b"\"\xff\""[..])).is_err());
        let error = parse_object(&"[1]".into()).unwrap_err();
        assert_eq!(error.to_string(), "expected an object, found list");
    }

    #[test]
    fn what_json_cannot_say_is_written_as_the_nearest_thing() {
        let mut out = Vec::new();
        write_value(
            &mut out,
            &vec![Value::Float(f64::NAN), Value::Bytes(b"a\xff"[..].into())].into(),
        );
        assert_eq!(out, "[null,\"a\u{fffd}\"]".as_bytes());
    }
}
