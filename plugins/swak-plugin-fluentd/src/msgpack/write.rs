//! From values to MessagePack.

use rmp::Marker;
use rmp::encode::{self, ValueWriteError};
use swak_sdk::data::{MESSAGE, Map, RecordRef, Timestamp, Value};

use super::EVENT_TIME;

/// Appends MessagePack to a buffer.
pub(crate) struct Writer<'a>(pub(crate) &'a mut Vec<u8>);

impl Writer<'_> {
    /// Begins an array of `n` items, which must follow.
    pub(crate) fn array(&mut self, n: usize) {
        written(encode::write_array_len(self.0, length(n)));
    }

    /// Begins a map of `n` entries, which must follow.
    pub(crate) fn begin_map(&mut self, n: usize) {
        written(encode::write_map_len(self.0, length(n)));
    }

    /// Text.
    pub(crate) fn str(&mut self, text: &str) {
        written(encode::write_str(self.0, text));
    }

    /// A whole number.
    pub(crate) fn int(&mut self, n: i64) {
        written(encode::write_sint(self.0, n));
    }

    /// Bytes whose number is known only when they are written.
    pub(crate) fn bin_of(&mut self, write: impl FnOnce(&mut Writer<'_>)) {
        self.0.extend_from_slice(&[Marker::Bin32.to_u8(), 0, 0, 0, 0]);
        let start = self.0.len();
        write(self);
        let len = length(self.0.len() - start);
        self.0[start - 4..start].copy_from_slice(&len.to_be_bytes());
    }

    /// An event: time and fields. A line becomes the field `message`.
    pub(crate) fn event(&mut self, record: RecordRef<'_>) {
        self.array(2);
        self.event_time(record.time());
        match (record.fields(), record.line()) {
            (Some(fields), _) => self.map(fields),
            (None, line) => {
                self.begin_map(1);
                self.str(MESSAGE);
                self.text_or_bytes(line.unwrap_or_default());
            }
        }
    }

    /// EventTime; before 1970 and after 2106, which it cannot say, whole seconds.
    fn event_time(&mut self, time: Timestamp) {
        match u32::try_from(time.seconds()) {
            Ok(seconds) => {
                self.0.extend_from_slice(&[Marker::FixExt8.to_u8(), EVENT_TIME as u8]);
                self.0.extend_from_slice(&seconds.to_be_bytes());
                self.0.extend_from_slice(&time.subsec_nanos().to_be_bytes());
            }
            Err(_) => self.int(time.seconds()),
        }
    }

    fn map(&mut self, map: &Map) {
        self.begin_map(map.len());
        for (name, value) in map.iter() {
            self.str(name);
            self.value(value);
        }
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::Null => self.0.push(Marker::Null.to_u8()),
            Value::Bool(true) => self.0.push(Marker::True.to_u8()),
            Value::Bool(false) => self.0.push(Marker::False.to_u8()),
            Value::Int(n) => self.int(*n),
            Value::Float(n) => written(encode::write_f64(self.0, *n)),
            Value::Text(text) => self.str(text),
            Value::Bytes(bytes) => written(encode::write_bin(self.0, bytes)),
            Value::Time(time) => self.str(&time.to_string()),
            Value::List(items) => {
                self.array(items.len());
                for item in items {
                    self.value(item);
                }
            }
            Value::Map(map) => self.map(map),
        }
    }

    /// Text when it is UTF-8, bytes when it is not.
    pub(crate) fn text_or_bytes(&mut self, bytes: &[u8]) {
        match std::str::from_utf8(bytes) {
            Ok(text) => self.str(text),
            Err(_) => written(encode::write_bin(self.0, bytes)),
        }
    }
}

fn length(n: usize) -> u32 {
    u32::try_from(n).expect("a chunk is far smaller than 4 GiB")
}

fn written<T>(result: Result<T, ValueWriteError>) {
    result.expect("writing to memory does not fail");
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use swak_sdk::data::{Record, Slice};

    use super::super::{MAX_DEPTH, Reader, Scanner};
    use super::*;

    fn encoded(record: &Record) -> Slice {
        let mut out = Vec::new();
        Writer(&mut out).event(record.view());
        out.into()
    }

    fn decoded(bytes: &Slice) -> Record {
        let mut reader = Reader::new(bytes);
        assert_eq!(reader.array(), Ok(2));
        let time = reader.time().unwrap().unwrap();
        let record = Record::from_fields(reader.map().unwrap(), time);
        assert!(reader.is_at_end());
        record
    }

    /// Everything but times, which become text.
    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Bool),
            any::<i64>().prop_map(Value::Int),
            any::<f64>()
                .prop_filter("NaN is not equal to itself", |n| !n.is_nan())
                .prop_map(Value::Float),
            ".{0,40}".prop_map(Value::from),
            any::<Vec<u8>>().prop_map(|b| Value::Bytes(b.into())),
        ];
        leaf.prop_recursive(4, 64, 8, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..20).prop_map(Value::List),
                prop::collection::vec((".{0,40}", inner), 0..40)
                    .prop_map(|entries| entries.into_iter().collect::<Map>().into()),
            ]
        })
    }

    proptest! {
        #[test]
        fn fields_come_back_as_they_were(
            value in value(), seconds in 1..=u32::MAX, nanos in 0..1_000_000_000u32,
        ) {
            let time = Timestamp::from_parts(seconds.into(), nanos);
            let record = Record::from_fields([("a", value)].into_iter().collect(), time);
            let bytes = encoded(&record);
            prop_assert_eq!(Scanner::default().advance(&bytes, usize::MAX), Ok(Some(bytes.len())));
            prop_assert_eq!(decoded(&bytes), record);
        }
    }

    #[test]
    fn a_line_is_the_field_message_as_text_or_as_bytes() {
        let time = Timestamp::from_parts(1, 2);
        let message = |line: &[u8]| {
            let record = decoded(&encoded(&Record::from_line(line, time)));
            record.fields().unwrap().get("message").cloned()
        };
        assert_eq!(message(b"hello"), Some(Value::from("hello")));
        assert_eq!(message(b"caf\xe9"), Some(Value::Bytes(b"caf\xe9"[..].into())));
    }

    #[test]
    fn times_in_fields_are_text_and_times_out_of_range_are_seconds() {
        let before = Timestamp::from_nanos(-1_500_000_000);
        let fields = [("at", Timestamp::from_parts(1, 0))].into_iter().collect();
        let record = decoded(&encoded(&Record::from_fields(fields, before)));
        assert_eq!(record.time(), Timestamp::from_parts(-2, 0));
        let at = record.fields().and_then(|f| f.get("at"));
        assert_eq!(at, Some(&Value::from("1970-01-01T00:00:01Z")));
    }

    #[test]
    fn every_way_to_say_a_time_is_understood() {
        let time = |bytes: &[u8]| Reader::new(&bytes.into()).time();
        let at = |seconds, nanos| Ok(Some(Timestamp::from_parts(seconds, nanos)));
        assert_eq!(time(&[0xd7, 0, 0, 0, 0, 9, 0, 0, 0, 5]), at(9, 5));
        assert_eq!(time(&[0xc7, 8, 0, 0, 0, 0, 9, 0, 0, 0, 5]), at(9, 5));
        assert_eq!(time(&[0xd6, 0xff, 0, 0, 0, 9]), at(9, 0));
        assert_eq!(time(&[0xd7, 0xff, 0, 0, 0, 0x14, 0, 0, 0, 9]), at(9, 5));
        assert_eq!(
            time(&[0xc7, 12, 0xff, 0, 0, 0, 5, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
            at(-1, 5)
        );
        assert_eq!(time(&[9]), at(9, 0));
        assert_eq!(time(&[0xcb, 0x40, 0x04, 0, 0, 0, 0, 0, 0]), at(2, 500_000_000));
        assert_eq!(time(&[0]), Ok(None));
        assert_eq!(time(&[0xc0]), Ok(None));
        assert!(time(&[0xa1, b'x']).is_err());
    }

    #[test]
    fn names_that_are_not_text_and_repeated_names() {
        let fields = |bytes: &[u8]| Reader::new(&bytes.into()).map();
        let names = |map: Map| map.iter().map(|(n, _)| n.to_string()).collect::<Vec<_>>();
        let found = fields(&[0x84, 1, 1, 0xc3, 2, 0xc0, 3, 0xc4, 1, b'x', 4]).map(names);
        assert_eq!(found, Ok(["1", "true", "null", "x"].map(String::from).to_vec()));
        let map = fields(&[0x82, 0xa1, b'a', 1, 0xa1, b'a', 2]).unwrap();
        assert_eq!((map.len(), map.get("a")), (1, Some(&Value::Int(2))));
        assert!(fields(&[0x81, 0x90, 1]).is_err());
    }

    #[test]
    fn a_record_of_too_many_values_or_levels_is_refused() {
        let mut wide = vec![0x81, 0xa1, b'a', 0xdd];
        wide.extend_from_slice(&(2u32 << 20).to_be_bytes());
        wide.resize(wide.len() + (2 << 20), 0xc0);
        assert!(Reader::new(&wide.into()).map().is_err());
        let mut deep = vec![0x81, 0xa1, b'a'];
        deep.resize(3 + MAX_DEPTH, 0x91);
        deep.push(0);
        assert!(Reader::new(&deep.into()).map().is_err());
    }
}
