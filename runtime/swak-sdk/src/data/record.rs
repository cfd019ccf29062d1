//! One timestamped unit of data.

use std::borrow::Cow;

use super::{Block, LineRange, Map, Slice, Timestamp, Value, json};

/// The field under which a line that was never parsed is known.
pub const MESSAGE: &str = "message";

/// One timestamped unit of data: a line of text, or named fields.
///
/// A line is the same as fields of which the only one is `message`, and becomes that when its
/// fields are changed.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    time: Timestamp,
    body: Body,
}

#[derive(Clone, Debug)]
enum Body {
    Line(Slice),
    Fields {
        map: Map,
        /// The JSON text that the fields were read from, as long as they are unchanged.
        json: Option<Slice>,
    },
}

impl PartialEq for Body {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Body::Line(a), Body::Line(b)) => a == b,
            (Body::Fields { map: a, .. }, Body::Fields { map: b, .. }) => a == b,
            _ => false,
        }
    }
}

impl Record {
    /// A line of text, without its line end. The bytes need not be UTF-8.
    pub fn from_line(line: impl Into<Slice>, time: Timestamp) -> Self {
        Record { time, body: Body::Line(line.into()) }
    }

    /// Named fields.
    pub fn from_fields(fields: Map, time: Timestamp) -> Self {
        Record { time, body: Body::Fields { map: fields, json: None } }
    }

    /// Fields that were read from this JSON object; it is written back as it is while no field
    /// changes. The text must stand on one line.
    pub fn from_json(fields: Map, json: Slice, time: Timestamp) -> Self {
        debug_assert!(!json.contains(&b'\n'), "the JSON text of a record is one line");
        Record { time, body: Body::Fields { map: fields, json: Some(json) } }
    }

    /// When it happened, as far as is known; else when it was read.
    pub fn time(&self) -> Timestamp {
        self.time
    }

    /// Sets the time.
    pub fn set_time(&mut self, time: Timestamp) {
        self.time = time;
    }

    /// The line, while it is one.
    pub fn line(&self) -> Option<&Slice> {
        match &self.body {
            Body::Line(line) => Some(line),
            Body::Fields { .. } => None,
        }
    }

    /// The fields, unless it is still a line.
    pub fn fields(&self) -> Option<&Map> {
        match &self.body {
            Body::Line(_) => None,
            Body::Fields { map, .. } => Some(map),
        }
    }

    /// The fields, to change them; a line becomes the field `message`.
    pub fn fields_mut(&mut self) -> &mut Map {
        if let Body::Line(line) = &self.body {
            let map = [(MESSAGE, Value::from_slice(line))].into_iter().collect();
            self.body = Body::Fields { map, json: None };
        }
        match &mut self.body {
            Body::Fields { map, json } => {
                *json = None;
                map
            }
            Body::Line(_) => unreachable!("a line was turned into fields above"),
        }
    }

    /// Replaces the line or the fields.
    pub fn set_fields(&mut self, fields: Map) {
        self.body = Body::Fields { map: fields, json: None };
    }

    /// A view of it.
    pub fn view(&self) -> RecordRef<'_> {
        match &self.body {
            Body::Line(line) => {
                RecordRef { time: self.time, body: BodyRef::Line(line, Some(line.block())) }
            }
            Body::Fields { map, json } => {
                RecordRef { time: self.time, body: BodyRef::Fields { map, json: json.as_ref() } }
            }
        }
    }
}

/// A record that is looked at: of a [`Record`] or of a line that is only a range in a block.
#[derive(Clone, Copy, Debug)]
pub struct RecordRef<'a> {
    time: Timestamp,
    body: BodyRef<'a>,
}

#[derive(Clone, Copy, Debug)]
enum BodyRef<'a> {
    /// With the block that holds it, when there is one.
    Line(&'a [u8], Option<&'a Block>),
    Fields {
        map: &'a Map,
        json: Option<&'a Slice>,
    },
}

impl<'a> RecordRef<'a> {
    /// A line.
    pub fn from_line(line: &'a [u8], time: Timestamp) -> Self {
        RecordRef { time, body: BodyRef::Line(line, None) }
    }

    pub(super) fn in_block(block: &'a Block, line: LineRange, time: Timestamp) -> Self {
        let bytes = &block[line.start as usize..line.end as usize];
        RecordRef { time, body: BodyRef::Line(bytes, Some(block)) }
    }

    /// The record itself. A line shares the block that it was read into; fields are copied.
    pub fn to_record(self) -> Record {
        let body = match self.body {
            BodyRef::Line(line, block) => Body::Line(slice(line, block)),
            BodyRef::Fields { map, json } => Body::Fields { map: map.clone(), json: json.cloned() },
        };
        Record { time: self.time, body }
    }

    /// When it happened, as far as is known; else when it was read.
    pub fn time(self) -> Timestamp {
        self.time
    }

    /// The line, while it is one.
    pub fn line(self) -> Option<&'a [u8]> {
        match self.body {
            BodyRef::Line(line, _) => Some(line),
            BodyRef::Fields { .. } => None,
        }
    }

    /// The fields, unless it is still a line.
    pub fn fields(self) -> Option<&'a Map> {
        match self.body {
            BodyRef::Line(..) => None,
            BodyRef::Fields { map, .. } => Some(map),
        }
    }

    /// A top-level field. `message` of a line is the line.
    pub fn get(self, name: &str) -> Option<Cow<'a, Value>> {
        match self.body {
            BodyRef::Line(line, block) => {
                (name == MESSAGE).then(|| Cow::Owned(Value::from_slice(&slice(line, block))))
            }
            BodyRef::Fields { map, .. } => map.get(name).map(Cow::Borrowed),
        }
    }

    /// The fields as a map, made for the purpose when it is a line.
    pub fn to_map(self) -> Cow<'a, Map> {
        match self.body {
            BodyRef::Line(line, block) => Cow::Owned(
                [(MESSAGE, Value::from_slice(&slice(line, block)))].into_iter().collect::<Map>(),
            ),
            BodyRef::Fields { map, .. } => Cow::Borrowed(map),
        }
    }

    /// Appends it as one JSON object on one line, without a line end. Bytes that are not UTF-8 are
    /// written as U+FFFD.
    pub fn write_json(self, out: &mut Vec<u8>) {
        match self.body {
            BodyRef::Line(line, _) => {
                out.extend_from_slice(b"{\"message\":");
                json::write_bytes(out, line);
                out.push(b'}');
            }
            BodyRef::Fields { json: Some(text), .. } => out.extend_from_slice(text),
            BodyRef::Fields { map, .. } => json::write_map(out, map),
        }
    }

    /// Appends the line byte for byte, or JSON when it is no longer a line; without a line end.
    pub fn write_raw(self, out: &mut Vec<u8>) {
        match self.body {
            BodyRef::Line(line, _) => out.extend_from_slice(line),
            BodyRef::Fields { .. } => self.write_json(out),
        }
    }

    /// About how much memory it takes, for limits by size; lines are exact.
    pub fn size(self) -> usize {
        match self.body {
            BodyRef::Line(line, _) => line.len(),
            BodyRef::Fields { json: Some(text), .. } => text.len(),
            BodyRef::Fields { map, .. } => map_size(map),
        }
    }
}

/// The line as a slice of its block; a copy when it has none.
fn slice(line: &[u8], block: Option<&Block>) -> Slice {
    block.and_then(|block| block.subset(line)).unwrap_or_else(|| line.into())
}

fn map_size(map: &Map) -> usize {
    map.iter().map(|(name, value)| name.as_bytes().len() + value_size(value)).sum()
}

fn value_size(value: &Value) -> usize {
    8 + match value {
        Value::Text(text) => text.as_bytes().len(),
        Value::Bytes(bytes) => bytes.len(),
        Value::List(items) => items.iter().map(value_size).sum(),
        Value::Map(map) => map_size(map),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(record: &Record) -> String {
        let mut out = Vec::new();
        record.view().write_json(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_line_is_the_field_message() {
        let mut record = Record::from_line("hello", Timestamp::default());
        assert_eq!(json(&record), r#"{"message":"hello"}"#);
        assert_eq!(record.view().get("message").as_deref(), Some(&Value::from("hello")));
        record.fields_mut().insert("n", 1);
        assert_eq!(json(&record), r#"{"message":"hello","n":1}"#);
    }

    #[test]
    fn a_record_comes_back_from_its_view() {
        let map: Map = [("a", 1.0)].into_iter().collect();
        let time = Timestamp::from_nanos(1);
        let read = Record::from_json(map.clone(), r#"{ "a" : 1.0 }"#.into(), time);
        for record in [Record::from_line("hello", time), Record::from_fields(map, time), read] {
            let again = record.view().to_record();
            assert_eq!((&again, json(&again), again.time()), (&record, json(&record), time));
        }
        assert_eq!(
            RecordRef::from_line(b"hello", time).to_record(),
            Record::from_line("hello", time)
        );
    }

    #[test]
    fn json_is_written_as_it_was_read_until_a_field_changes() {
        let text = r#"{ "a" : 1.0 }"#;
        let map = [("a", 1.0)].into_iter().collect();
        let mut record = Record::from_json(map, text.into(), Timestamp::default());
        assert_eq!(json(&record), text);
        record.fields_mut().insert("a", 2.5);
        assert_eq!(json(&record), r#"{"a":2.5}"#);
    }
}
