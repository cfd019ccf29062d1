//! A record that is the text of a JSON object.

use std::borrow::Cow;
use std::sync::Arc;

use super::members::{Members, read_value, short_int, slice};
use super::places::Places;
use super::{FieldName, parse_object};
use crate::data::{Block, Map, Slice, Value};

/// A field as it is found.
#[derive(Clone, Debug)]
pub(crate) enum Member<'a> {
    Value(Cow<'a, Value>),
    /// The bytes of text that stands so in JSON, which are UTF-8.
    Text(&'a [u8]),
    /// A whole number.
    Int(i64),
}

/// A JSON object that is a range of a block or stands alone.
#[derive(Clone, Copy, Debug)]
pub(in crate::data) struct JsonText<'a> {
    pub(in crate::data) text: &'a [u8],
    pub(in crate::data) block: Option<&'a Block>,
    /// What is known of it besides, when it is a line of a batch.
    pub(in crate::data) noted: Option<Noted<&'a Arc<Places>>>,
}

/// A line in whose batch the places of some fields were noted.
#[derive(Clone, Copy, Debug)]
pub(in crate::data) struct Noted<P> {
    pub(in crate::data) places: P,
    /// Where it begins in its block.
    pub(in crate::data) start: u32,
    /// Which line of the batch it was, as long as none was taken out.
    pub(in crate::data) near: u32,
}

impl Noted<&Arc<Places>> {
    pub(in crate::data) fn to_owned(self) -> Noted<Arc<Places>> {
        Noted { places: Arc::clone(self.places), start: self.start, near: self.near }
    }
}

impl Noted<Arc<Places>> {
    fn view(&self) -> Noted<&Arc<Places>> {
        Noted { places: &self.places, start: self.start, near: self.near }
    }
}

impl<'a> JsonText<'a> {
    /// What stands alone, with what was noted of it when it was a line of a batch.
    pub(in crate::data) fn of(text: &'a Slice, noted: Option<&'a Noted<Arc<Places>>>) -> Self {
        JsonText { text, block: Some(text.block()), noted: noted.map(Noted::view) }
    }

    pub(in crate::data) fn get(self, name: &str) -> Option<Value> {
        let slot = self.noted.and_then(|noted| noted.places.slot(name));
        let noted = slot.and_then(|slot| self.in_slot(slot));
        let raw = noted.unwrap_or_else(|| Members::of(self.text).find(name));
        read_value(raw?, self.block)
    }

    /// The text of a field; `None` when it was not noted.
    #[inline]
    pub(in crate::data) fn find_noted(self, name: &FieldName) -> Option<Option<&'a [u8]>> {
        self.in_slot(name.slot_in(self.noted?.places)?)
    }

    #[inline]
    fn in_slot(self, slot: usize) -> Option<Option<&'a [u8]>> {
        let Noted { places, start, near } = self.noted?;
        let place = places.place(start, near, slot)?;
        Some(place.and_then(|place| self.text.get(place)))
    }

    /// A field, if its place was noted, or a search for its name is enough to find it or to know that it is
    /// not there.
    #[inline]
    pub(in crate::data) fn search(self, name: &FieldName) -> Option<Option<Member<'a>>> {
        let raw = self.find_noted(name).or_else(|| name.search(self.text))?;
        Some(raw.and_then(|raw| self.read(name.within(raw)?)))
    }

    /// The fields of these names, each with its place among them.
    pub(in crate::data) fn find_each(
        self,
        names: &[FieldName],
        mut found: impl FnMut(usize, Option<Member<'a>>),
    ) {
        const AT_ONCE: usize = 8;
        for (at, names) in (0..).step_by(AT_ONCE).zip(names.chunks(AT_ONCE)) {
            let mut raw = [None; AT_ONCE];
            Members::of(self.text).find_each(names, &mut raw);
            for (i, (name, raw)) in names.iter().zip(raw).enumerate() {
                found(at + i, raw.and_then(|raw| self.read(name.within(raw)?)));
            }
        }
    }

    fn read(self, raw: &'a [u8]) -> Option<Member<'a>> {
        if let Some(n) = short_int(raw) {
            return Some(Member::Int(n));
        }
        match raw {
            [b'"', inner @ .., b'"'] if !inner.contains(&b'\\') => Some(Member::Text(inner)),
            _ => read_value(raw, self.block).map(|value| Member::Value(Cow::Owned(value))),
        }
    }

    /// The fields. It was checked when it was made, so that it can be read.
    pub(in crate::data) fn to_map(self) -> Map {
        parse_object(&self.to_slice()).unwrap_or_default()
    }

    pub(in crate::data) fn to_slice(self) -> Slice {
        slice(self.text, self.block)
    }
}
