//! One timestamped unit of data.

use std::borrow::Cow;
use std::mem;
use std::sync::Arc;

use super::json::places::Places;
use super::json::text::{JsonText, Member, Noted};
use super::json::{self, Alike, FieldName, JsonError, JsonReader, members};
use super::patched::Patched;
use super::rows::Cells;
use super::{Block, LineRange, Map, Slice, Timestamp, Value};

/// The field under which a line that was never parsed is known.
pub const MESSAGE: &str = "message";

/// The field that a line has besides, when its end was cut off.
pub const TRUNCATED: &str = "truncated";

/// One timestamped unit of data: a line of text, or named fields.
///
/// A line is the same as fields of which the only one is `message`, and becomes that when its
/// fields are changed.
///
/// Two records are equal when their times and contents are.
#[derive(Clone, Debug)]
pub struct Record {
    time: Timestamp,
    weight: u32,
    truncated: bool,
    body: Body,
}

#[derive(Clone, Debug)]
enum Body {
    Line(Slice),
    /// A JSON object on one line, and what was noted of it in its batch.
    Json(Slice, Option<Noted<Arc<Places>>>),
    /// One of which fields were set since.
    Patched(Box<Patched>),
    Fields(Map),
}

impl PartialEq for Record {
    fn eq(&self, other: &Self) -> bool {
        (self.time, self.truncated) == (other.time, other.truncated) && self.body == other.body
    }
}

impl PartialEq for Body {
    /// JSON is equal to fields that say the same.
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Body::Line(a), Body::Line(b)) => a == b,
            (Body::Line(_), _) | (_, Body::Line(_)) => false,
            (a, b) => a.fields() == b.fields(),
        }
    }
}

impl Body {
    fn fields(&self) -> Option<Cow<'_, Map>> {
        match self {
            Body::Line(_) => None,
            Body::Json(text, noted) => {
                Some(Cow::Owned(JsonText::of(text, noted.as_ref()).to_map()))
            }
            Body::Patched(patched) => Some(Cow::Owned(patched.to_map())),
            Body::Fields(map) => Some(Cow::Borrowed(map)),
        }
    }
}

impl Record {
    /// A line of text, without its line end. The bytes need not be UTF-8.
    pub fn from_line(line: impl Into<Slice>, time: Timestamp) -> Self {
        let line = line.into();
        Record::new(time, line.len(), Body::Line(line))
    }

    /// Named fields. Their weight is worked out when an input emits them, unless it was set.
    pub fn from_fields(fields: Map, time: Timestamp) -> Self {
        Record::new(time, 0, Body::Fields(fields))
    }

    /// The fields of a JSON object. It stays text in which they are found, and is written back as it is
    /// while none changes, unless it stands on several lines.
    ///
    /// # Errors
    /// It is no JSON object.
    pub fn from_json(text: impl Into<Slice>, time: Timestamp) -> Result<Self, JsonError> {
        let text = text.into();
        let is_object = json::is_object(&text);
        Record::of_json(text, is_object, time)
    }

    /// The same of one of many texts, which a reader reads faster than each by itself.
    ///
    /// # Errors
    /// It is no JSON object.
    pub fn read_json(
        text: impl Into<Slice>,
        reader: &mut JsonReader,
        time: Timestamp,
    ) -> Result<Self, JsonError> {
        let text = text.into();
        let is_object = reader.is_object(&text);
        Record::of_json(text, is_object, time)
    }

    fn of_json(text: Slice, is_object: bool, time: Timestamp) -> Result<Self, JsonError> {
        let len = text.len();
        let body = match is_object {
            true => Body::Json(text, None),
            false => Body::Fields(json::parse_object(&text)?),
        };
        Ok(Record::new(time, len, body))
    }

    fn new(time: Timestamp, weight: usize, body: Body) -> Self {
        Record { time, weight: weight.try_into().unwrap_or(u32::MAX), truncated: false, body }
    }

    /// Becomes another content at another time, and stays the record that came in: what it weighed
    /// then, and whether it was cut, does not change.
    pub fn set_content(&mut self, content: Record) {
        (self.time, self.body) = (content.time, content.body);
    }

    /// The bytes that it had when it came in, by which the ledger counts it. No transform changes
    /// that.
    pub fn weight(&self) -> u32 {
        self.weight
    }

    /// Sets the bytes that it had when it came in; for inputs, and for transforms that make a record
    /// of another one.
    pub fn set_weight(&mut self, weight: u32) {
        self.weight = weight;
    }

    /// Whether the end of its line was cut off.
    pub fn is_truncated(&self) -> bool {
        self.truncated
    }

    /// Says that the end of its line was cut off. Such a line has the field `truncated` besides
    /// `message`.
    pub fn set_truncated(&mut self, truncated: bool) {
        self.truncated = truncated;
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
            Body::Json(..) | Body::Patched(_) | Body::Fields(_) => None,
        }
    }

    /// The fields, unless it is still a line. They are read for the purpose when it is JSON.
    pub fn fields(&self) -> Option<Cow<'_, Map>> {
        self.body.fields()
    }

    /// The fields, to change them; a line becomes the field `message`.
    pub fn fields_mut(&mut self) -> &mut Map {
        match &self.body {
            Body::Line(line) => {
                self.body = Body::Fields(line_map(Value::from_slice(line), self.truncated));
            }
            Body::Json(text, _) => self.body = Body::Fields(JsonText::of(text, None).to_map()),
            Body::Patched(patched) => self.body = Body::Fields(patched.to_map()),
            Body::Fields(_) => {}
        }
        match &mut self.body {
            Body::Fields(map) => map,
            _ => unreachable!("it was turned into fields above"),
        }
    }

    /// Sets a field: in its old place if there was one of this name, else at the end. As
    /// [`Record::fields_mut`] and [`Map::insert`] would do, but JSON need not be read for it.
    pub fn insert(&mut self, name: &str, value: impl Into<Value>) {
        if let Body::Json(..) = self.body
            && let Body::Json(text, noted) = mem::replace(&mut self.body, Body::Fields(Map::new()))
        {
            self.body = Body::Patched(Patched::new(text, noted).into());
        }
        match &mut self.body {
            Body::Patched(patched) if patched.has_room() => patched.insert(name, value.into()),
            _ => {
                self.fields_mut().insert(name, value);
            }
        }
    }

    /// Replaces the line or the fields.
    pub fn set_fields(&mut self, fields: Map) {
        self.body = Body::Fields(fields);
    }

    /// A view of it.
    pub fn view(&self) -> RecordRef<'_> {
        let body = match &self.body {
            Body::Line(line) => BodyRef::Line(line, Some(line.block())),
            Body::Json(text, noted) => BodyRef::Json(JsonText::of(text, noted.as_ref())),
            Body::Patched(patched) => BodyRef::Patched(patched),
            Body::Fields(map) => BodyRef::Fields(map),
        };
        RecordRef { time: self.time, weight: self.weight, truncated: self.truncated, body }
    }
}

/// A record that is looked at: of a [`Record`] or of a line that is only a range in a block.
#[derive(Clone, Copy, Debug)]
pub struct RecordRef<'a> {
    time: Timestamp,
    weight: u32,
    truncated: bool,
    body: BodyRef<'a>,
}

#[derive(Clone, Copy, Debug)]
enum BodyRef<'a> {
    /// With the block that holds it, when there is one.
    Line(&'a [u8], Option<&'a Block>),
    Json(JsonText<'a>),
    Patched(&'a Patched),
    Cells(Cells<'a>),
    Fields(&'a Map),
}

impl<'a> RecordRef<'a> {
    /// A line.
    pub fn from_line(line: &'a [u8], time: Timestamp) -> Self {
        RecordRef::of_line(line, None, time)
    }

    fn of_line(line: &'a [u8], block: Option<&'a Block>, time: Timestamp) -> Self {
        RecordRef::new(time, line.len(), BodyRef::Line(line, block))
    }

    pub(super) fn in_block(block: &'a Block, line: LineRange, time: Timestamp) -> Self {
        RecordRef::of_line(&block[line.start as usize..line.end as usize], Some(block), time)
    }

    /// A line that is a JSON object, with where fields stand in those of its batch, of which it was the
    /// `near`th.
    #[inline]
    pub(super) fn json_in_block(
        block: &'a Block,
        line: LineRange,
        time: Timestamp,
        places: Option<(&'a Arc<Places>, usize)>,
    ) -> Self {
        let text = &block[line.start as usize..line.end as usize];
        let noted = places.map(|(places, near)| {
            // A block has less than 2^32 lines.
            Noted { places, start: line.start, near: near as u32 }
        });
        RecordRef::new(
            time,
            text.len(),
            BodyRef::Json(JsonText { text, block: Some(block), noted }),
        )
    }

    pub(super) fn of_cells(cells: Cells<'a>, weight: usize, time: Timestamp) -> Self {
        RecordRef::new(time, weight, BodyRef::Cells(cells))
    }

    #[inline]
    fn new(time: Timestamp, weight: usize, body: BodyRef<'a>) -> Self {
        let weight = weight.try_into().unwrap_or(u32::MAX);
        RecordRef { time, weight, truncated: false, body }
    }

    /// The JSON object that it is, on one line, as long as no field was changed.
    pub fn json(self) -> Option<&'a [u8]> {
        match self.body {
            BodyRef::Json(JsonText { text, .. }) => Some(text),
            _ => None,
        }
    }

    /// The record itself. A line or JSON shares the block that it was read into; fields are copied.
    pub fn to_record(self) -> Record {
        let body = match self.body {
            BodyRef::Line(line, block) => Body::Line(members::slice(line, block)),
            BodyRef::Json(text) => Body::Json(text.to_slice(), text.noted.map(Noted::to_owned)),
            BodyRef::Patched(patched) => Body::Patched(patched.clone().into()),
            BodyRef::Cells(cells) => Body::Fields(cells.to_map()),
            BodyRef::Fields(map) => Body::Fields(map.clone()),
        };
        Record { time: self.time, weight: self.weight, truncated: self.truncated, body }
    }

    /// See [`Record::weight`].
    pub fn weight(self) -> u32 {
        self.weight
    }

    /// See [`Record::is_truncated`].
    pub fn is_truncated(self) -> bool {
        self.truncated
    }

    /// When it happened, as far as is known; else when it was read.
    pub fn time(self) -> Timestamp {
        self.time
    }

    /// The line, while it is one.
    pub fn line(self) -> Option<&'a [u8]> {
        match self.body {
            BodyRef::Line(line, _) => Some(line),
            _ => None,
        }
    }

    /// The fields, unless it is still a line; made for the purpose when they are still text.
    pub fn fields(self) -> Option<Cow<'a, Map>> {
        match self.body {
            BodyRef::Line(..) => None,
            BodyRef::Json(text) => Some(Cow::Owned(text.to_map())),
            BodyRef::Patched(patched) => Some(Cow::Owned(patched.to_map())),
            BodyRef::Cells(cells) => Some(Cow::Owned(cells.to_map())),
            BodyRef::Fields(map) => Some(Cow::Borrowed(map)),
        }
    }

    /// A top-level field. `message` of a line is the line.
    pub fn get(self, name: &str) -> Option<Cow<'a, Value>> {
        match self.body {
            BodyRef::Line(line, block) => match name {
                MESSAGE => Some(Cow::Owned(Value::from_slice(&members::slice(line, block)))),
                TRUNCATED if self.truncated => Some(Cow::Owned(true.into())),
                _ => None,
            },
            BodyRef::Json(text) => text.get(name).map(Cow::Owned),
            BodyRef::Patched(patched) => patched.get(name),
            BodyRef::Cells(cells) => cells.get(name).map(Cow::Owned),
            BodyRef::Fields(map) => map.get(name).map(Cow::Borrowed),
        }
    }

    /// The text of a top-level field, if it is noted where it stands in the JSON that the record still is.
    #[inline]
    pub(crate) fn noted_json(self, name: &FieldName) -> Option<&'a [u8]> {
        match self.body {
            BodyRef::Json(text) => text.find_noted(name)?,
            _ => None,
        }
    }

    /// A top-level field, if the record is JSON that is still text and a search for the name is enough
    /// to tell.
    pub(crate) fn search_json(self, name: &FieldName) -> Option<Option<Member<'a>>> {
        match self.body {
            BodyRef::Json(text) => text.search(name),
            BodyRef::Patched(patched) => patched.search(name),
            _ => None,
        }
    }

    /// Some top-level fields, each given with its place among the names, when the record is JSON that
    /// is still text: one pass finds them all. Nothing is given when it is not.
    pub(crate) fn find_in_json(
        self,
        names: &[FieldName],
        found: impl FnMut(usize, Option<Member<'a>>),
    ) {
        if let BodyRef::Json(text) = self.body {
            text.find_each(names, found);
        }
    }

    /// The fields as a map, made for the purpose when it is a line or still text.
    pub fn to_map(self) -> Cow<'a, Map> {
        match self.body {
            BodyRef::Line(line, block) => {
                let message = Value::from_slice(&members::slice(line, block));
                Cow::Owned(line_map(message, self.truncated))
            }
            _ => self.fields().unwrap_or_default(),
        }
    }

    /// Appends it as one JSON object on one line, without a line end. Bytes that are not UTF-8 are
    /// written as U+FFFD; how many values held such is given back.
    pub fn write_json(self, out: &mut Vec<u8>) -> usize {
        match self.body {
            BodyRef::Line(line, _) => {
                out.extend_from_slice(b"{\"message\":");
                let replaced = json::write_bytes(out, line);
                out.extend_from_slice(if self.truncated { b",\"truncated\":true}" } else { b"}" });
                replaced
            }
            BodyRef::Json(JsonText { text, .. }) => {
                out.extend_from_slice(text);
                0
            }
            BodyRef::Patched(patched) => patched.write_json(out),
            BodyRef::Cells(cells) => cells.write_json(out),
            BodyRef::Fields(map) => json::write_map(out, map),
        }
    }

    /// Appends it as JSON with a line feed, as one of many that may be alike.
    pub(super) fn write_json_line(self, out: &mut Vec<u8>, alike: &mut Alike) -> usize {
        let replaced = match self.body {
            BodyRef::Patched(patched) => patched.write_json_like(out, alike),
            _ => self.write_json(out),
        };
        out.push(b'\n');
        replaced
    }

    /// Appends the line byte for byte, or JSON when it is no longer a line; without a line end. See
    /// [`RecordRef::write_json`] for what is given back.
    pub fn write_raw(self, out: &mut Vec<u8>) -> usize {
        match self.body {
            BodyRef::Line(line, _) => {
                out.extend_from_slice(line);
                0
            }
            _ => self.write_json(out),
        }
    }

    /// About how much memory it takes, for limits by size; what is still text is exact.
    pub fn size(self) -> usize {
        match self.body {
            BodyRef::Line(text, _) | BodyRef::Json(JsonText { text, .. }) => text.len(),
            BodyRef::Patched(patched) => {
                let (text, set) = patched.parts();
                text.len() + map_size(set)
            }
            BodyRef::Cells(_) => self.weight as usize,
            BodyRef::Fields(map) => map_size(map),
        }
    }
}

/// The fields that a line is.
fn line_map(message: Value, truncated: bool) -> Map {
    let cut = truncated.then(|| (TRUNCATED, true.into()));
    [(MESSAGE, message)].into_iter().chain(cut).collect()
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
pub(super) mod tests {
    use super::*;

    pub(in crate::data) fn json(record: &Record) -> String {
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
    fn what_is_not_utf8_is_replaced_in_json_and_counted() {
        let bad = || Value::from_slice(&b"caf\xe9"[..].into());
        let fields = [("a", bad()), ("b", Value::List(vec![bad(), 1.into()])), ("c", "ok".into())];
        let fields: Map = fields.into_iter().collect();
        for (record, replaced) in [
            (Record::from_line(&b"\xff\xfe"[..], Timestamp::default()), 1),
            (Record::from_line("ok", Timestamp::default()), 0),
            (Record::from_fields(fields, Timestamp::default()), 2),
        ] {
            let mut out = Vec::new();
            assert_eq!(record.view().write_json(&mut out), replaced);
            let text = String::from_utf8(out).unwrap();
            assert_eq!(text.contains('\u{fffd}'), replaced > 0, "{text}");
        }
    }

    #[test]
    fn a_record_comes_back_from_its_view() {
        let map: Map = [("a", 1.0)].into_iter().collect();
        let time = Timestamp::from_nanos(1);
        let read = Record::from_json(r#"{ "a" : 1.0 }"#, time).unwrap();
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
    fn a_cut_line_says_so_as_soon_as_it_is_fields() {
        let mut record = Record::from_line("hell", Timestamp::default());
        record.set_truncated(true);
        let text = r#"{"message":"hell","truncated":true}"#;
        assert_eq!(json(&record), text);
        assert_eq!(record.view().get("truncated").as_deref(), Some(&Value::Bool(true)));
        assert_eq!(record.view().to_map().len(), 2);
        record.fields_mut();
        assert_eq!(json(&record), text);
    }

    #[test]
    fn a_record_weighs_what_it_did_when_it_came_in() {
        let mut record = Record::from_line("hello", Timestamp::default());
        record.fields_mut().insert("more", "of it");
        record.set_content(Record::from_line("another", Timestamp::from_nanos(7)));
        assert_eq!((record.weight(), record.view().to_record().weight()), (5, 5));
        assert_eq!((&**record.line().unwrap(), record.time().as_nanos()), (&b"another"[..], 7));
    }

    #[test]
    fn json_is_written_as_it_was_read_until_a_field_changes() {
        let text = r#"{ "a" : 1.0 , "b":"x", "a":1.5}"#;
        let mut record = Record::from_json(text, Timestamp::default()).unwrap();
        assert_eq!((json(&record).as_str(), record.weight()), (text, text.len() as u32));
        assert_eq!(record.view().get("a").as_deref(), Some(&Value::Float(1.5)));
        let same = Record::from_fields(record.fields().unwrap().into_owned(), record.time());
        assert_eq!(record, same);
        record.fields_mut().insert("a", 2.5);
        assert_eq!(json(&record), r#"{"a":2.5,"b":"x"}"#);
        assert_ne!(record, same);
        assert!(Record::from_json("[1]", Timestamp::default()).is_err());
    }

    #[test]
    fn json_on_several_lines_is_written_on_one() {
        let record = Record::from_json("{\n \"a\": 1\n}", Timestamp::default()).unwrap();
        assert_eq!((json(&record).as_str(), record.weight()), (r#"{"a":1}"#, 11));
    }
}
