//! A record with all that is known of it, as one JSON object: for files that are read back.
//!
//! | name | value |
//! |---|---|
//! | `time` | RFC 3339 in UTC, to the nanosecond |
//! | `tag`, `source` | of the record's batch; left out where empty |
//! | `line` | the text of a record that is a line |
//! | `line_b64` | its bytes in base64 (RFC 4648), where they are not UTF-8 |
//! | `fields` | the fields of a record that is not |
//! | `truncated` | `true` where the end of the line was cut off |
//! | `weight` | the bytes that it had when it came in, where that is not the length of the line |
//!
//! Values of fields that JSON does not know are objects of one name: `{"$bytes": base64}`,
//! `{"$time": RFC 3339}` and `{"$float": "nan"}`, `"inf"` or `"-inf"`. A map of one name that begins
//! with `$` is `{"$map": {…}}`.
//!
//! As many lists and maps may stand in each other as JSON is read with, these included: a record with more
//! is not written.

use swak_sdk::data::{json, json::JsonError};
use swak_sdk::prelude::*;

use super::base64;

/// A record that was read back, with what its batch knew.
#[derive(Debug, PartialEq)]
pub(crate) struct Stored {
    pub(crate) tag: String,
    pub(crate) source: String,
    pub(crate) record: Record,
}

/// What is wrong with a line that should hold a record.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    /// It is no JSON object.
    #[error("it is not JSON: {0}")]
    Json(#[from] JsonError),
    /// A value is not what it should be.
    #[error("its `{0}` is not what a record has there")]
    Value(&'static str),
    /// It has neither a line nor fields.
    #[error("it has neither `line` nor `fields`")]
    Empty,
}

/// A record with more lists and maps in each other than could be read back.
#[derive(Debug)]
pub(super) struct TooDeep;

/// Appends a record, without a line end. One that is too deep is appended in part.
pub(super) fn write(
    batch: &Batch,
    record: RecordRef<'_>,
    out: &mut Vec<u8>,
) -> Result<(), TooDeep> {
    out.extend_from_slice(b"{\"time\":");
    write_text(out, &record.time().to_string());
    for (name, text) in [("tag", &batch.tag), ("source", &batch.source)] {
        if !text.is_empty() {
            write_name(out, name);
            write_text(out, text);
        }
    }
    let weight = match record.line() {
        Some(line) if std::str::from_utf8(line).is_ok() => {
            write_name(out, "line");
            json::write_bytes(out, line);
            Some(line.len())
        }
        Some(line) => {
            write_name(out, "line_b64");
            write_base64(line, out);
            Some(line.len())
        }
        None => {
            write_name(out, "fields");
            // One level is the record itself.
            write_map(&record.to_map(), out, 1)?;
            None
        }
    };
    if record.is_truncated() {
        write_name(out, "truncated");
        out.extend_from_slice(b"true");
    }
    if weight != Some(record.weight() as usize) {
        write_name(out, "weight");
        json::write_value(out, &Value::Int(record.weight().into()));
    }
    out.push(b'}');
    Ok(())
}

/// Reads a line that [`write`] has written. Long text in it shares the block of the line. Names that
/// are not known are passed over.
pub(crate) fn read(line: &Slice) -> Result<Stored, ReadError> {
    let (mut tag, mut source, mut weight) = (String::new(), String::new(), None);
    let (mut time, mut content, mut is_truncated) = (None, None, false);
    for (name, value) in json::parse_object(line)? {
        match &*name {
            "time" => time = Some(read_time(&value).ok_or(ReadError::Value("time"))?),
            "tag" => tag = value.as_str().ok_or(ReadError::Value("tag"))?.to_owned(),
            "source" => source = value.as_str().ok_or(ReadError::Value("source"))?.to_owned(),
            "line" => match value {
                Value::Text(text) => content = Some(Content::Line(text.to_slice())),
                _ => return Err(ReadError::Value("line")),
            },
            "line_b64" => {
                let bytes = read_base64(&value).ok_or(ReadError::Value("line_b64"))?;
                content = Some(Content::Line(bytes.into()));
            }
            "fields" => match value {
                Value::Map(map) => content = Some(Content::Fields(restore_map(*map)?)),
                _ => return Err(ReadError::Value("fields")),
            },
            "truncated" => is_truncated = value == Value::Bool(true),
            "weight" => {
                let bytes = value.as_int().and_then(|n| u32::try_from(n).ok());
                weight = Some(bytes.ok_or(ReadError::Value("weight"))?);
            }
            _ => {}
        }
    }
    let time = time.ok_or(ReadError::Value("time"))?;
    let mut record = match content.ok_or(ReadError::Empty)? {
        Content::Line(line) => Record::from_line(line, time),
        Content::Fields(fields) => Record::from_fields(fields, time),
    };
    record.set_truncated(is_truncated);
    if let Some(weight) = weight {
        record.set_weight(weight);
    }
    Ok(Stored { tag, source, record })
}

enum Content {
    Line(Slice),
    Fields(Map),
}

/// What stands for a value that JSON does not know.
const BYTES: &str = "$bytes";
const TIME: &str = "$time";
const FLOAT: &str = "$float";
const MAP: &str = "$map";

fn write_name(out: &mut Vec<u8>, name: &str) {
    out.push(b',');
    write_text(out, name);
    out.push(b':');
}

fn write_text(out: &mut Vec<u8>, text: &str) {
    json::write_bytes(out, text.as_bytes());
}

fn write_base64(bytes: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    base64::write(bytes, out);
    out.push(b'"');
}

/// One level more, below so many.
fn deeper(depth: usize) -> Result<usize, TooDeep> {
    if depth < json::MAX_DEPTH { Ok(depth + 1) } else { Err(TooDeep) }
}

fn write_map(map: &Map, out: &mut Vec<u8>, depth: usize) -> Result<(), TooDeep> {
    let depth = deeper(depth)?;
    out.push(b'{');
    for (i, (name, value)) in map.iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        write_text(out, name);
        out.push(b':');
        write_value(value, out, depth)?;
    }
    out.push(b'}');
    Ok(())
}

fn write_value(value: &Value, out: &mut Vec<u8>, depth: usize) -> Result<(), TooDeep> {
    match value {
        Value::Bytes(bytes) => write_as(BYTES, out, depth, |out, _| {
            write_base64(bytes, out);
            Ok(())
        }),
        Value::Time(time) => write_as(TIME, out, depth, |out, _| {
            write_text(out, &time.to_string());
            Ok(())
        }),
        Value::Float(n) if !n.is_finite() => write_as(FLOAT, out, depth, |out, _| {
            let sign = if *n < 0.0 { "-" } else { "" };
            write_text(out, &if n.is_nan() { "nan".to_owned() } else { format!("{sign}inf") });
            Ok(())
        }),
        Value::List(items) => {
            let depth = deeper(depth)?;
            out.push(b'[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                write_value(item, out, depth)?;
            }
            out.push(b']');
            Ok(())
        }
        Value::Map(map) if is_special(map) => {
            write_as(MAP, out, depth, |out, depth| write_map(map, out, depth))
        }
        Value::Map(map) => write_map(map, out, depth),
        _ => {
            json::write_value(out, value);
            Ok(())
        }
    }
}

fn write_as(
    name: &str,
    out: &mut Vec<u8>,
    depth: usize,
    value: impl FnOnce(&mut Vec<u8>, usize) -> Result<(), TooDeep>,
) -> Result<(), TooDeep> {
    let depth = deeper(depth)?;
    out.push(b'{');
    write_text(out, name);
    out.push(b':');
    value(out, depth)?;
    out.push(b'}');
    Ok(())
}

/// Whether a map looks like what stands for another value.
fn is_special(map: &Map) -> bool {
    map.len() == 1 && map.iter().all(|(name, _)| name.starts_with('$'))
}

fn restore_map(map: Map) -> Result<Map, ReadError> {
    map.into_iter().map(|(name, value)| Ok((name, restore(value)?))).collect()
}

fn restore(value: Value) -> Result<Value, ReadError> {
    match value {
        Value::List(items) => {
            Ok(Value::List(items.into_iter().map(restore).collect::<Result<_, _>>()?))
        }
        Value::Map(map) if is_special(&map) => {
            let (name, value) = map.into_iter().next().expect("a special map has one name");
            match (&*name, value) {
                (BYTES, value) => {
                    let bytes = read_base64(&value).ok_or(ReadError::Value(BYTES))?;
                    Ok(Value::Bytes(bytes.into()))
                }
                (TIME, value) => read_time(&value).map(Value::Time).ok_or(ReadError::Value(TIME)),
                (FLOAT, value) => match value.as_str() {
                    Some("nan") => Ok(Value::Float(f64::NAN)),
                    Some("inf") => Ok(Value::Float(f64::INFINITY)),
                    Some("-inf") => Ok(Value::Float(f64::NEG_INFINITY)),
                    _ => Err(ReadError::Value(FLOAT)),
                },
                (MAP, Value::Map(map)) => Ok(restore_map(*map)?.into()),
                _ => Err(ReadError::Value(MAP)),
            }
        }
        Value::Map(map) => Ok(restore_map(*map)?.into()),
        value => Ok(value),
    }
}

fn read_time(value: &Value) -> Option<Timestamp> {
    Some(value.as_str()?.parse::<jiff::Timestamp>().ok()?.into())
}

fn read_base64(value: &Value) -> Option<Vec<u8>> {
    base64::read(value.as_str()?.as_bytes())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(batch: &Batch) -> String {
        let mut out = Vec::new();
        write(batch, batch.get(0), &mut out).expect("a record that is not too deep");
        String::from_utf8(out).expect("JSON is UTF-8")
    }

    fn batch(record: Record) -> Batch {
        Batch::new(vec![record])
    }

    #[test]
    fn each_part_has_its_name() {
        let time = Timestamp::from_nanos(1_500_000_001);
        let line = batch(Record::from_line("a \"b\"", time))
            .with_tag("web".into())
            .with_source("/a".into());
        let text = r#"{"time":"1970-01-01T00:00:01.500000001Z","tag":"web","source":"/a","line":"a \"b\""}"#;
        assert_eq!(written(&line), text);
        let mut cut = Record::from_line(&b"\xff"[..], Timestamp::default());
        cut.set_truncated(true);
        cut.set_weight(70_000);
        let text =
            r#"{"time":"1970-01-01T00:00:00Z","line_b64":"/w==","truncated":true,"weight":70000}"#;
        assert_eq!(written(&batch(cut)), text);
        let fields: Map = [
            ("n", Value::Int(1)),
            ("b", Value::Bytes(b"\0".as_slice().into())),
            ("t", Value::Time(Timestamp::default())),
            ("f", Value::Float(f64::NEG_INFINITY)),
            ("m", [("$x", 1)].into_iter().collect::<Map>().into()),
        ]
        .into_iter()
        .collect();
        let text = r#"{"time":"1970-01-01T00:00:00Z","fields":{"n":1,"b":{"$bytes":"AA=="},"t":{"$time":"1970-01-01T00:00:00Z"},"f":{"$float":"-inf"},"m":{"$map":{"$x":1}}},"weight":0}"#;
        assert_eq!(written(&batch(Record::from_fields(fields, Timestamp::default()))), text);
    }

    #[test]
    fn what_is_no_record_is_an_error() {
        for (line, message) in [
            ("", "it is not JSON"),
            (r#"{"time":"1970-01-01T00:00:00Z","line":"tor"#, "it is not JSON"),
            ("[]", "expected an object, found list"),
            (r#"{"line":"x"}"#, "its `time`"),
            (r#"{"time":"yesterday","line":"x"}"#, "its `time`"),
            (r#"{"time":"1970-01-01T00:00:00Z"}"#, "neither `line` nor `fields`"),
            (r#"{"time":"1970-01-01T00:00:00Z","line_b64":"*"}"#, "its `line_b64`"),
            (r#"{"time":"1970-01-01T00:00:00Z","fields":{"a":{"$bytes":1}}}"#, "its `$bytes`"),
            (r#"{"time":"1970-01-01T00:00:00Z","fields":{"a":{"$other":1}}}"#, "its `$map`"),
        ] {
            let error = read(&line.into()).unwrap_err().to_string();
            assert!(error.contains(message), "{line}: {error}");
        }
        let more = r#"{"time":"1970-01-01T00:00:00Z","line":"x","more":[1]}"#;
        assert_eq!(
            read(&more.into()).unwrap().record,
            Record::from_line("x", Timestamp::default())
        );
    }

    #[test]
    fn what_is_written_is_never_too_deep_to_be_read() {
        let map =
            |name: &str, value: Value| Value::from(Map::from_iter([(name.to_owned(), value)]));
        let wraps: [(&dyn Fn(Value) -> Value, usize); 3] = [
            (&|value| Value::List(vec![value]), 1),
            (&|value| map("a", value), 1),
            (&|value| map("$a", value), 2),
        ];
        let leaves = [
            (Value::Int(1), 0),
            (Value::Bytes(b"x"[..].into()), 1),
            (Value::Time(Timestamp::default()), 1),
        ];
        for (wrap, each) in wraps {
            for (leaf, last) in &leaves {
                let mut value = leaf.clone();
                // The object of the record, and that of its fields.
                for depth in (2 + last..140).step_by(each) {
                    let fields = Map::from_iter([("f".to_owned(), value.clone())]);
                    let batch = batch(Record::from_fields(fields, Timestamp::default()));
                    let mut out = Vec::new();
                    let written = write(&batch, batch.get(0), &mut out);
                    assert_eq!(written.is_ok(), depth <= json::MAX_DEPTH, "{depth}");
                    if written.is_ok() {
                        let read = read(&out.into()).unwrap().record;
                        assert_eq!(read.view().get("f").as_deref(), Some(&value), "{depth}");
                    }
                    value = wrap(value);
                }
            }
        }
    }

    /// Values of every kind, but for NaN, which is not equal to itself.
    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_filter("a number", |n| !n.is_nan()).prop_map(Value::from),
            Just(Value::Float(f64::INFINITY)),
            ".{0,30}".prop_map(Value::from),
            proptest::collection::vec(any::<u8>(), 0..30).prop_map(|b| Value::Bytes(b.into())),
            any::<i64>().prop_map(|n| Value::Time(Timestamp::from_nanos(n))),
        ];
        leaf.prop_recursive(4, 20, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::List),
                maps(inner).prop_map(Value::from),
            ]
        })
    }

    fn maps(value: impl Strategy<Value = Value>) -> impl Strategy<Value = Map> {
        let name = prop_oneof!["[a-z]{0,3}", "\\$(bytes|time|float|map|x)", ".{0,5}"];
        proptest::collection::vec((name, value), 0..4).prop_map(|pairs| pairs.into_iter().collect())
    }

    fn records() -> impl Strategy<Value = Record> {
        let line = prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..60),
            ".{0,60}".prop_map(String::into_bytes),
        ];
        let content = prop_oneof![
            line.prop_map(|line| Record::from_line(line, Timestamp::default())),
            maps(values()).prop_map(|map| Record::from_fields(map, Timestamp::default())),
        ];
        (content, any::<i64>(), any::<bool>(), proptest::option::of(any::<u32>())).prop_map(
            |(mut record, time, is_truncated, weight)| {
                record.set_time(Timestamp::from_nanos(time));
                record.set_truncated(is_truncated);
                record.set_weight(weight.unwrap_or(record.weight()));
                record
            },
        )
    }

    proptest! {
        #[test]
        fn whatever_is_read_is_written_as_it_was_read(
            record in records(),
            place in any::<prop::sample::Index>(),
            byte in any::<u8>(),
        ) {
            let mut text = written(&batch(record)).into_bytes();
            let place = place.index(text.len());
            text[place] = byte;
            if let Ok(stored) = read(&text.into()) {
                let again = Batch::new(vec![stored.record.clone()])
                    .with_tag(stored.tag.as_str().into())
                    .with_source(stored.source.as_str().into());
                prop_assert_eq!(read(&written(&again).as_str().into()).unwrap(), stored);
            }
        }

        #[test]
        fn everything_comes_back(record in records(), tag in ".{0,9}", source in ".{0,9}") {
            let batch = batch(record.clone()).with_tag(tag.as_str().into()).with_source(source.as_str().into());
            let text = written(&batch);
            prop_assert!(!text.contains('\n'));
            let weight = record.weight();
            let stored = read(&text.as_str().into()).unwrap();
            prop_assert_eq!(stored.record.weight(), weight);
            prop_assert_eq!(stored, Stored { tag, source, record });
        }
    }
}
