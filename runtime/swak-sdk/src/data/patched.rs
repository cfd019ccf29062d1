//! A JSON object of which some fields were set since it was read.

use std::borrow::Cow;
use std::sync::Arc;

use super::json::places::Places;
use super::json::text::{JsonText, Member, Noted};
use super::json::{self, Alike, FieldName};
use super::{Map, Slice, Value};

/// The text of a JSON object, and the fields that were set: it is read only when more is done with it.
#[derive(Clone, Debug)]
pub(super) struct Patched {
    text: Slice,
    noted: Option<Noted<Arc<Places>>>,
    /// Not many: each is searched for when it is written.
    set: Map,
}

impl Patched {
    /// The most fields that are set beside the text.
    const MOST: usize = 8;

    /// The text is known to be an object, of which this is noted.
    pub(super) fn new(text: Slice, noted: Option<Noted<Arc<Places>>>) -> Self {
        Patched { text, noted, set: Map::new() }
    }

    /// Whether one more field may be set.
    pub(super) fn has_room(&self) -> bool {
        self.set.len() < Patched::MOST
    }

    /// As [`Map::insert`] would do with its fields.
    pub(super) fn insert(&mut self, name: &str, value: Value) {
        self.set.insert(name, value);
    }

    pub(super) fn get(&self, name: &str) -> Option<Cow<'_, Value>> {
        let set = self.set.get(name).map(Cow::Borrowed);
        set.or_else(|| self.json().get(name).map(Cow::Owned))
    }

    /// See [`JsonText::search`]; `None` also for a field that was set.
    pub(super) fn search(&self, name: &FieldName) -> Option<Option<Member<'_>>> {
        match self.set.get(name.as_str()) {
            Some(_) => None,
            None => self.json().search(name),
        }
    }

    pub(super) fn to_map(&self) -> Map {
        let mut map = self.json().to_map();
        for (name, value) in self.set.iter() {
            map.insert(name.clone(), value.clone());
        }
        map
    }

    /// See [`json::write_map`]: the same bytes as those of its fields.
    pub(super) fn write_json(&self, out: &mut Vec<u8>) -> usize {
        self.write_json_by(out, |out| json::write_with(out, &self.text, &self.set))
    }

    /// The same of one of many that may be alike.
    pub(super) fn write_json_like(&self, out: &mut Vec<u8>, alike: &mut Alike) -> usize {
        self.write_json_by(out, |out| alike.write_with(out, &self.text, &self.set))
    }

    #[inline]
    fn write_json_by(
        &self,
        out: &mut Vec<u8>,
        write: impl FnOnce(&mut Vec<u8>) -> Option<usize>,
    ) -> usize {
        let start = out.len();
        write(out).unwrap_or_else(|| {
            out.truncate(start);
            json::write_map(out, &self.to_map())
        })
    }

    /// The text, and what was set.
    pub(super) fn parts(&self) -> (&[u8], &Map) {
        (&self.text, &self.set)
    }

    fn json(&self) -> JsonText<'_> {
        JsonText::of(&self.text, self.noted.as_ref())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::data::record::tests::json;
    use crate::data::{Record, Timestamp, Value};

    fn value() -> impl Strategy<Value = Value> {
        prop_oneof![
            any::<i64>().prop_map(Value::Int),
            any::<f64>().prop_map(Value::Float),
            "[a-c\"é\n]{0,30}".prop_map(Value::from),
        ]
    }

    proptest! {
        #[test]
        fn fields_are_set_as_in_a_map(
            members in prop::collection::vec(
                r#""([abc]|\\u0061|\\n|\\")":(1|1\.50|"x"|"\\/"|\{"a":1\}|\[\])"#, 0..4
            ),
            set in prop::collection::vec(("[abcd\n\"]", value()), 0..12),
            space in " ?",
        ) {
            let text = format!("{{{}{space}}}", members.join(","));
            let mut record = Record::from_json(text.as_str(), Timestamp::default()).unwrap();
            let mut same = record.clone();
            same.fields_mut();
            for (name, value) in set {
                record.insert(&name, value.clone());
                same.fields_mut().insert(name.as_str(), value);
                let read = json(&record);
                prop_assert_eq!(&read, &json(&same), "{}", text);
                let view = record.view().to_record();
                prop_assert_eq!(&json(&view), &read);
                for name in ["a", "b", "c", "d", "\n", "\"", "e"] {
                    let found = record.view().get(name);
                    prop_assert_eq!(
                        format!("{:?}", found), format!("{:?}", same.view().get(name)), "{} of {}", name, text
                    );
                }
            }
        }
    }

    #[test]
    fn more_can_be_done_with_it() {
        let mut record = Record::from_json(r#"{"a":1,"b":2}"#, Timestamp::default()).unwrap();
        record.insert("b", 3);
        record.insert("c", 4);
        assert!(record.view().json().is_none() && record.line().is_none());
        assert_eq!(record.view().size(), 13 + 2 * 9);
        let same = Record::from_fields(record.fields().unwrap().into_owned(), record.time());
        assert_eq!(record, same);
        assert_eq!(record.view().to_map(), same.view().to_map());
        record.fields_mut().remove("a");
        assert_eq!((json(&record).as_str(), record.weight()), (r#"{"b":3,"c":4}"#, 13));
        let mut line = Record::from_line("x", Timestamp::default());
        line.insert("a", 1);
        assert_eq!(json(&line), r#"{"message":"x","a":1}"#);
    }
}
