//! From MessagePack to values.

use swak_sdk::data::{Map, Slice, Text, Timestamp, Value};

use super::head::Head;
use super::{EVENT_TIME, MAX_DEPTH, Scanner, TIMESTAMP};

/// The most values that one record may hold: a value takes up to 32 times the memory of the byte
/// that it came as.
const MAX_VALUES: u32 = 1 << 20;

/// Reads values one after the other. Text and bytes in them are slices of what is read.
pub(crate) struct Reader<'a> {
    source: &'a Slice,
    at: usize,
    values: usize,
}

/// The bytes are not what was expected at their place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected}")]
pub(crate) struct Malformed {
    pub(crate) expected: &'static str,
}

/// What a value is, without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    Nil,
    Array,
    /// Text or bytes.
    Bytes,
    Other,
}

impl<'a> Reader<'a> {
    /// Reads from the beginning.
    pub(crate) fn new(source: &'a Slice) -> Self {
        Reader { source, at: 0, values: 0 }
    }

    /// Where the next value begins.
    pub(crate) fn position(&self) -> usize {
        self.at
    }

    /// Goes to where a value is known to begin.
    pub(crate) fn set_position(&mut self, at: usize) {
        self.at = at;
    }

    /// How many values there were in the maps that were read.
    pub(crate) fn values(&self) -> usize {
        self.values
    }

    /// Whether everything was read.
    #[cfg(test)]
    pub(crate) fn is_at_end(&self) -> bool {
        self.at >= self.source.len()
    }

    /// What comes next.
    pub(crate) fn peek(&self) -> Result<Shape, Malformed> {
        Ok(match self.head()?.0 {
            Head::Nil => Shape::Nil,
            Head::Array(_) => Shape::Array,
            Head::Str(_) | Head::Bin(_) => Shape::Bytes,
            _ => Shape::Other,
        })
    }

    /// Goes past a value.
    pub(crate) fn skip(&mut self) -> Result<(), Malformed> {
        let rest = &self.source[self.at.min(self.source.len())..];
        match Scanner::default().advance(rest, rest.len()) {
            Ok(Some(len)) => {
                self.at += len;
                Ok(())
            }
            _ => Err(Malformed { expected: "a value" }),
        }
    }

    /// The number of items of an array; they come next.
    pub(crate) fn array(&mut self) -> Result<u32, Malformed> {
        match self.take()? {
            Head::Array(n) => Ok(n),
            _ => Err(Malformed { expected: "an array" }),
        }
    }

    /// The content of text or bytes.
    pub(crate) fn bytes(&mut self) -> Result<Slice, Malformed> {
        match self.take()? {
            Head::Str(len) | Head::Bin(len) => self.content(len),
            _ => Err(Malformed { expected: "text or bytes" }),
        }
    }

    /// True or false.
    pub(crate) fn bool(&mut self) -> Result<bool, Malformed> {
        match self.take()? {
            Head::Bool(b) => Ok(b),
            _ => Err(Malformed { expected: "true or false" }),
        }
    }

    /// The time of an event. `None` is a time that was not known: nil, or the number 0.
    pub(crate) fn time(&mut self) -> Result<Option<Timestamp>, Malformed> {
        let malformed = Malformed { expected: "a time" };
        Ok(match self.take()? {
            Head::Nil | Head::Int(0) => None,
            Head::Int(seconds) => Some(Timestamp::from_parts(seconds, 0)),
            Head::Float(seconds) if seconds.is_finite() => {
                Some(Timestamp::from_nanos((seconds * 1e9) as i64))
            }
            Head::Ext(kind, len) => {
                let content = self.content(len)?;
                Some(time_from_ext(kind, &content).ok_or(malformed)?)
            }
            _ => return Err(malformed),
        })
    }

    /// A map.
    pub(crate) fn map(&mut self) -> Result<Map, Malformed> {
        let n = self.begin_map()?;
        let mut left = MAX_VALUES;
        let map = self.entries(n, 1, &mut left);
        self.values += (MAX_VALUES - left) as usize;
        map
    }

    /// The number of entries of a map; they come next, each a name and a value.
    pub(crate) fn begin_map(&mut self) -> Result<u32, Malformed> {
        match self.take()? {
            Head::Map(n) => Ok(n),
            _ => Err(Malformed { expected: "a map" }),
        }
    }

    fn value(&mut self, depth: usize, left: &mut u32) -> Result<Value, Malformed> {
        *left = left.checked_sub(1).ok_or(Malformed { expected: "fewer values in a record" })?;
        Ok(match self.take()? {
            Head::Nil => Value::Null,
            Head::Bool(b) => Value::Bool(b),
            Head::Int(n) => Value::Int(n),
            Head::UInt(n) => Value::from(n),
            Head::Float(n) => Value::Float(n),
            Head::Str(len) => Value::from_slice(&self.content(len)?),
            Head::Bin(len) => Value::Bytes(self.content(len)?),
            Head::Ext(kind, len) => {
                let content = self.content(len)?;
                time_from_ext(kind, &content).map_or(Value::Bytes(content), Value::Time)
            }
            Head::Array(n) => {
                check_depth(depth)?;
                // Not with the capacity that is announced: it may be a lie.
                (0..n).map(|_| self.value(depth + 1, left)).collect::<Result<Vec<_>, _>>()?.into()
            }
            Head::Map(n) => {
                check_depth(depth)?;
                self.entries(n, depth + 1, left)?.into()
            }
        })
    }

    fn entries(&mut self, n: u32, depth: usize, left: &mut u32) -> Result<Map, Malformed> {
        let mut map = Map::with_capacity(n.min(32) as usize);
        for _ in 0..n {
            let key = self.key()?;
            map.insert(key, self.value(depth, left)?);
        }
        Ok(map)
    }

    /// The name of a field. MessagePack lets any value be one; of those that are not text, the ones
    /// that can be written as a short text are.
    fn key(&mut self) -> Result<Text, Malformed> {
        Ok(match self.take()? {
            Head::Str(len) | Head::Bin(len) => {
                let content = self.content(len)?;
                Text::from_slice(&content)
                    .unwrap_or_else(|| String::from_utf8_lossy(&content).into())
            }
            Head::Int(n) => n.to_string().into(),
            Head::UInt(n) => n.to_string().into(),
            Head::Float(n) => n.to_string().into(),
            Head::Bool(b) => b.to_string().into(),
            Head::Nil => "null".into(),
            _ => return Err(Malformed { expected: "text as the name of a field" }),
        })
    }

    fn head(&self) -> Result<(Head, usize), Malformed> {
        let rest = &self.source[self.at.min(self.source.len())..];
        Head::read(rest).map_err(|_| Malformed { expected: "a value" })
    }

    fn take(&mut self) -> Result<Head, Malformed> {
        let (head, len) = self.head()?;
        self.at += len;
        Ok(head)
    }

    fn content(&mut self, len: usize) -> Result<Slice, Malformed> {
        let end = self.at.checked_add(len).filter(|end| *end <= self.source.len());
        let end = end.ok_or(Malformed { expected: "more bytes" })?;
        let content = self.source.slice(self.at, end);
        self.at = end;
        Ok(content)
    }
}

fn check_depth(depth: usize) -> Result<(), Malformed> {
    if depth < MAX_DEPTH { Ok(()) } else { Err(Malformed { expected: "fewer levels" }) }
}

/// `None` when it is not a time.
fn time_from_ext(kind: i8, content: &[u8]) -> Option<Timestamp> {
    let u32_at = |i: usize| content[i..].first_chunk().map(|b| u32::from_be_bytes(*b));
    match (kind, content.len()) {
        (EVENT_TIME, 8) => Some(Timestamp::from_parts(u32_at(0)?.into(), u32_at(4)?)),
        (TIMESTAMP, 4) => Some(Timestamp::from_parts(u32_at(0)?.into(), 0)),
        (TIMESTAMP, 8) => {
            let packed = u64::from_be_bytes(*content.first_chunk()?);
            let seconds = i64::try_from(packed & ((1 << 34) - 1)).ok()?;
            Some(Timestamp::from_parts(seconds, u32::try_from(packed >> 34).ok()?))
        }
        (TIMESTAMP, 12) => {
            let seconds = i64::from_be_bytes(*content[4..].first_chunk()?);
            Some(Timestamp::from_parts(seconds, u32_at(0)?))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn time(bytes: &[u8]) -> Result<Option<Timestamp>, Malformed> {
        Reader::new(&bytes.into()).time()
    }

    #[test]
    fn times_of_every_kind_and_at_every_end_are_times_or_told() {
        let event_time = |seconds: u32, nanos: u32| {
            time(&[&[0xd7, 0][..], &seconds.to_be_bytes(), &nanos.to_be_bytes()].concat())
        };
        let at = |seconds, nanos| Ok(Some(Timestamp::from_parts(seconds, nanos)));
        assert_eq!(event_time(9, 5), at(9, 5));
        // More nanoseconds than a second has go over into the next.
        assert_eq!(event_time(u32::MAX, u32::MAX), at(i64::from(u32::MAX) + 4, 294_967_295));
        assert_eq!(time(b"\xc7\x08\x00\0\0\0\x09\0\0\0\x05"), at(9, 5), "as ext 8");
        for seconds in [i64::MIN, i64::MAX] {
            let ext = [&[0xc7, 12, 0xff][..], &[0xff; 4], &seconds.to_be_bytes()].concat();
            let int = [&[0xd3][..], &seconds.to_be_bytes()].concat();
            let float = [&[0xcb][..], &(seconds as f64).to_be_bytes()].concat();
            for bytes in [ext, int, float] {
                assert!(matches!(time(&bytes), Ok(Some(_))), "{bytes:?}");
            }
        }
        assert_eq!(
            time(b"\xd7\xff\xff\xff\xff\xff\xff\xff\xff\xff").map(|t| t.is_some()),
            Ok(true)
        );
        let nan = [&[0xcb][..], &f64::NAN.to_be_bytes()].concat();
        let wrong: [&[u8]; 5] = [&nan, b"\xd6\x00\0\0\0\0", b"\xd4\x05\0", b"\xa1x", b"\xc3"];
        for wrong in wrong {
            assert_eq!(time(wrong), Err(Malformed { expected: "a time" }), "{wrong:?}");
        }
    }

    #[test]
    fn what_extends_messagepack_in_another_way_is_kept_as_bytes() {
        let bytes = Slice::from(&b"\x83\xa1a\xd4\x05x\xa1b\xd6\x00abcd\xa1c\xd6\xff\0\0\0\x09"[..]);
        let map = Reader::new(&bytes).map().unwrap();
        assert_eq!(map.get("a"), Some(&Value::Bytes("x".into())));
        assert_eq!(map.get("b"), Some(&Value::Bytes("abcd".into())), "four bytes are no EventTime");
        assert_eq!(map.get("c"), Some(&Value::Time(Timestamp::from_parts(9, 0))));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in any::<Vec<u8>>()) {
            let bytes = Slice::from(bytes);
            let mut reader = Reader::new(&bytes);
            while reader.value(0, &mut 1000).is_ok() && !reader.is_at_end() {}
        }

        #[test]
        fn what_is_skipped_is_what_is_read(bytes in any::<Vec<u8>>()) {
            let bytes = Slice::from(bytes);
            let (mut reading, mut skipping) = (Reader::new(&bytes), Reader::new(&bytes));
            if reading.value(0, &mut 1000).is_ok() {
                prop_assert_eq!(skipping.skip(), Ok(()));
                prop_assert_eq!(reading.position(), skipping.position());
            }
        }
    }
}
