//! What fuzzing holds against what it promises: chunks on disk, JSON, templates and expressions.

use crate::data::{
    Batch, Block, Chunk, JsonReader, LineRange, Map, Record, Slice, Timestamp, Value, codec, json,
};
use crate::options::{Expr, Scope, SyntaxError, Template};

#[cfg(test)]
#[path = "../../../fuzz/replay.rs"]
mod replay;

/// JSON is accepted and means what `serde_json` says, and is the same when it was written and read
/// again.
pub fn json(data: &[u8]) {
    let read = json::parse(&Slice::from(data));
    let expected: Result<serde_json::Value, _> = serde_json::from_slice(data);
    let is_object = matches!(read, Ok(Value::Map(_))) && !data.contains(&b'\n');
    assert_eq!(json::is_object(data), is_object, "of {read:?}");
    let record = Record::from_json(data, Timestamp::default());
    let lines = [data, data].join(&b'\n');
    let ranges = [0, data.len() + 1].map(|start| {
        let end = start + data.len();
        LineRange { start: start as u32, end: end as u32 }
    });
    // As it was not expected, as it was, and as the places of its fields are noted.
    let mut reader = JsonReader::new();
    for _ in 0..2 {
        let mut batch =
            Batch::from_lines(lines.clone().into(), ranges.into(), Timestamp::default());
        assert_eq!(batch.read_json_lines(&mut reader), is_object);
        if let (true, Ok(Value::Map(map))) = (is_object, &read) {
            for (name, value) in map.iter() {
                assert_eq!(batch.get(1).get(name).as_deref(), Some(value), "{name}");
            }
        }
    }
    if let (Ok(record), Ok(Value::Map(map))) = (&record, &read) {
        assert_eq!(record.fields().as_deref(), Some(&**map));
        for (name, value) in map.iter() {
            assert_eq!(record.view().get(name).as_deref(), Some(value), "{name}");
        }
    }
    let (value, expected) = match (read, expected) {
        (Ok(value), Ok(expected)) => (value, expected),
        (Err(_), Err(_)) => return,
        (read, expected) => panic!("read {read:?}, expected {expected:?}"),
    };
    assert!(is_same(&value, &expected), "{value:?} is not {expected:?}");
    let mut written = Vec::new();
    json::write_value(&mut written, &value);
    let again = json::parse(&(&*written).into()).expect("what was written can be read");
    assert_eq!(again, value);
}

fn is_same(value: &Value, expected: &serde_json::Value) -> bool {
    use serde_json::Value as Json;
    match (value, expected) {
        (Value::Null, Json::Null) => true,
        (Value::Bool(a), Json::Bool(b)) => a == b,
        (Value::Int(a), Json::Number(b)) => Some(*a) == b.as_i64(),
        (Value::Float(a), Json::Number(b)) => !b.is_i64() && Some(*a) == b.as_f64(),
        (Value::Text(a), Json::String(b)) => a.as_str() == b,
        (Value::List(a), Json::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_same(a, b))
        }
        (Value::Map(a), Json::Object(b)) => {
            let of_expected = |name: &str, a: &Value| b.get(name).is_some_and(|b| is_same(a, b));
            a.len() == b.len() && a.iter().all(|(name, a)| of_expected(name, a))
        }
        _ => false,
    }
}

/// The bytes of a chunk are refused, or the chunk is the same when it was written and read again.
pub fn codec(data: &[u8]) {
    let block = |bytes: &[u8]| Block::from(bytes.to_vec());
    let Ok(chunk) = codec::decode(&block(data)) else { return };
    assert!(chunk.len() <= data.len(), "each record takes a byte at least");
    let mut written = Vec::new();
    codec::encode(&chunk, &mut written).expect("what was read is not too deep");
    let again = codec::decode(&block(&written)).expect("what was written can be read");
    let mut same = Vec::new();
    codec::encode(&again, &mut same).expect("what was read is not too deep");
    assert_eq!(same, written);
    let json = |chunk: &Chunk| {
        let mut out = Vec::new();
        for record in chunk.iter() {
            record.write_json(&mut out);
        }
        out
    };
    assert_eq!(json(&again), json(&chunk));
    assert_eq!((again.len(), again.count()), (chunk.len(), chunk.count()));
}

/// A template or an expression is refused with a place in it, or gives the same for the same record,
/// within bounded time and memory.
pub fn templates(data: &[u8]) {
    let Some((kind, text)) = data.split_first() else { return };
    let Ok(text) = std::str::from_utf8(text) else { return };
    let record = record();
    let scope = Scope { record: record.view(), tag: "web.access", source: "/var/log/a.log" };
    if kind % 2 == 0 {
        let Some(template) = compiled(text, Template::new) else { return };
        assert_eq!(template.as_str(), text);
        let rendered = template.render(&scope);
        assert_eq!(template.render(&scope), rendered);
        if let Some(constant) = template.as_constant() {
            assert_eq!(rendered.as_deref(), Ok(constant));
        }
    } else {
        let Some(expr) = compiled(text, Expr::new) else { return };
        assert_eq!(expr.as_str(), text);
        let value = expr.eval(&scope);
        // By what is shown: a number that is none is not equal to itself.
        assert_eq!(format!("{:?}", expr.eval(&scope)), format!("{value:?}"));
        assert_eq!(expr.matches(&scope).is_err(), value.is_err());
    }
}

/// What is evaluated without Jinja gives what Jinja gives, of JSON that is still text as of its fields:
/// the first line is the record, JSON or plain text, and the rest is a template, if there is `{{` in it,
/// or an expression.
pub fn expressions(data: &[u8]) {
    let Ok(data) = std::str::from_utf8(data) else { return };
    let Some((line, text)) = data.split_once('\n') else { return };
    let time = Timestamp::from_nanos(1);
    let mut records = vec![Record::from_line(line, time)];
    if let Ok(record) = Record::from_json(line, time) {
        let fields = record.fields().expect("it is no line").into_owned();
        records = vec![record, Record::from_fields(fields, time)];
    }
    let scopes = records.iter().map(|record| Scope {
        record: record.view(),
        tag: "web.access",
        source: "/var/log/a.log",
    });
    let check: Box<dyn Fn(&Scope<'_>)> = if text.contains("{{") {
        let Some(template) = compiled(text, Template::new) else { return };
        let Some(jinja) = template.by_jinja() else { return };
        Box::new(move |scope| assert_eq!(template.render(scope), jinja.render(scope)))
    } else {
        let Some(expr) = compiled(text, Expr::new) else { return };
        let Some(jinja) = expr.by_jinja() else { return };
        Box::new(move |scope| {
            assert_eq!(expr.matches(scope), jinja.matches(scope));
            assert_eq!(format!("{:?}", expr.eval(scope)), format!("{:?}", jinja.eval(scope)));
        })
    };
    scopes.for_each(|scope| check(&scope));
    // As a line of which nothing is noted, and as one of which is noted where the fields stand.
    let mut reader = JsonReader::new();
    for _ in 0..2 {
        let all = LineRange { start: 0, end: line.len() as u32 };
        let mut batch = Batch::from_lines(line.as_bytes().to_vec().into(), vec![all], time);
        if batch.read_json_lines(&mut reader) {
            check(&Scope { record: batch.get(0), tag: "web.access", source: "/var/log/a.log" });
        }
    }
}

fn compiled<T>(text: &str, new: fn(&str) -> Result<T, SyntaxError>) -> Option<T> {
    new(text)
        .inspect_err(|error| {
            let place = text.get(error.range.clone());
            assert!(place.is_some(), "{error} is told at {:?}", error.range);
        })
        .ok()
}

/// A record with a value of every type.
fn record() -> Record {
    let mut inner = Map::new();
    inner.insert("b", vec![10i64, 20]);
    let mut map = Map::new();
    map.insert("status", 503);
    map.insert("code", "503");
    map.insert("word", "abc");
    map.insert("ratio", 0.25);
    map.insert("ok", true);
    map.insert("nothing", Value::Null);
    map.insert("raw", Value::Bytes(Slice::from(&b"caf\xe9"[..])));
    map.insert("at", Timestamp::from_parts(1_700_000_000, 0));
    map.insert("a", inner);
    Record::from_fields(map, Timestamp::from_parts(1_700_000_000, 5))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fuzzing_found_stays_found() {
        replay::replay("codec", codec);
        replay::replay("expressions", expressions);
        replay::replay("json", json);
        replay::replay("templates", templates);
    }
}
