//! From values to MessagePack.

use rmp::Marker;
use rmp::encode::{self, ValueWriteError};
use swak_sdk::data::{LineRange, MESSAGE, Map, RecordRef, TRUNCATED, Timestamp, Value};

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

    /// True or false.
    pub(crate) fn bool(&mut self, b: bool) {
        self.0.push(if b { Marker::True } else { Marker::False }.to_u8());
    }

    /// Bytes.
    pub(crate) fn bin(&mut self, bytes: &[u8]) {
        written(encode::write_bin(self.0, bytes));
    }

    /// Begins bytes whose number is known only when they are written; [`Writer::end`] says it.
    pub(crate) fn begin_bin(&mut self) -> Open {
        self.begin(Marker::Bin32)
    }

    /// Begins an array of which it is not yet known how many items it gets.
    pub(crate) fn begin_array(&mut self) -> Open {
        self.begin(Marker::Array32)
    }

    /// Says how many bytes or items it became.
    pub(crate) fn end(&mut self, open: Open, n: usize) {
        self.0[open.0 - 4..open.0].copy_from_slice(&length(n).to_be_bytes());
    }

    fn begin(&mut self, marker: Marker) -> Open {
        self.0.extend_from_slice(&[marker.to_u8(), 0, 0, 0, 0]);
        Open(self.0.len())
    }

    /// An event: time and fields. A line becomes the field `message`.
    #[inline]
    pub(crate) fn event(&mut self, record: RecordRef<'_>, precision: Precision) {
        let time = record.time();
        if precision == Precision::Nanoseconds
            && let Some(line) = record.line()
            && let Ok(seconds) = u32::try_from(time.seconds())
            && !record.is_truncated()
        {
            return self.line(seconds, time.subsec_nanos(), line);
        }
        self.array(2);
        self.time_and_fields(record, precision);
    }

    /// The time and the fields of an event, without the array around them.
    pub(crate) fn time_and_fields(&mut self, record: RecordRef<'_>, precision: Precision) {
        self.time(record.time(), precision);
        match record.fields() {
            Some(fields) => self.map(&fields),
            None => {
                self.begin_map(1 + usize::from(record.is_truncated()));
                self.str(MESSAGE);
                self.text_or_bytes(record.line().unwrap_or_default());
                if record.is_truncated() {
                    self.str(TRUNCATED);
                    self.bool(true);
                }
            }
        }
    }

    /// Events of the next lines, until all that was written since `start` takes `size` bytes or more.
    /// Gives how many, at least one if there are any.
    pub(crate) fn lines(&mut self, lines: &mut Lines<'_>, start: usize, size: usize) -> usize {
        let mut taken = 0;
        for range in lines.left {
            if taken > 0 && self.0.len() - start >= size {
                break;
            }
            taken += 1;
            let line = &lines.block[range.start as usize..range.end as usize];
            self.0.extend_from_slice(&lines.head);
            if lines.is_ascii(*range) {
                self.str_head(line.len());
                self.0.extend_from_slice(line);
            } else {
                self.text_or_bytes(line);
            }
        }
        lines.left = &lines.left[taken..];
        taken
    }

    /// What stands before the bytes of a text.
    #[inline]
    fn str_head(&mut self, len: usize) {
        match u8::try_from(len) {
            Ok(len) if len >= 32 => self.0.extend_from_slice(&[Marker::Str8.to_u8(), len]),
            _ => {
                written(encode::write_str_len(self.0, length(len)));
            }
        }
    }

    /// The event of a line whose time EventTime can say: what nearly all records are, all at once.
    #[inline]
    fn line(&mut self, seconds: u32, nanos: u32, line: &[u8]) {
        let mut head = LINE_HEAD;
        head[3..7].copy_from_slice(&seconds.to_be_bytes());
        head[7..11].copy_from_slice(&nanos.to_be_bytes());
        self.0.reserve(head.len() + 5 + line.len());
        self.0.extend_from_slice(&head);
        self.text_or_bytes(line);
    }

    fn time(&mut self, time: Timestamp, precision: Precision) {
        match precision {
            Precision::Nanoseconds => self.event_time(time),
            Precision::Seconds => self.int(time.seconds()),
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
            Value::Bool(b) => self.bool(*b),
            Value::Int(n) => self.int(*n),
            Value::Float(n) => written(encode::write_f64(self.0, *n)),
            Value::Text(text) => self.str(text),
            Value::Bytes(bytes) => self.bin(bytes),
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
            Err(_) => self.bin(bytes),
        }
    }
}

/// Lines of a block that are to be written as events: what raw forwarding does, at three copies a line.
pub(crate) struct Lines<'a> {
    block: &'a [u8],
    left: &'a [LineRange],
    /// What an event begins with, up to the line.
    head: Vec<u8>,
    /// Between these two places is nothing but ASCII, so that a line there is text.
    ascii: (u32, u32),
}

impl<'a> Lines<'a> {
    /// Lines that were all read at this time.
    pub(crate) fn new(
        block: &'a [u8],
        lines: &'a [LineRange],
        time: Timestamp,
        precision: Precision,
    ) -> Self {
        let mut head = Vec::with_capacity(LINE_HEAD.len());
        let mut writer = Writer(&mut head);
        writer.array(2);
        writer.time(time, precision);
        writer.begin_map(1);
        writer.str(MESSAGE);
        let ends =
            (lines.first().map_or(0, |line| line.start), lines.last().map_or(0, |line| line.end));
        let between = block.get(ends.0 as usize..ends.1 as usize);
        let ascii = if between.is_some_and(<[u8]>::is_ascii) { ends } else { (0, 0) };
        Lines { block, left: lines, head, ascii }
    }

    /// Whether all of them were written.
    pub(crate) fn is_done(&self) -> bool {
        self.left.is_empty()
    }

    #[inline]
    fn is_ascii(&self, line: LineRange) -> bool {
        line.start >= self.ascii.0 && line.end <= self.ascii.1
    }
}

/// Something whose length comes later: where its content begins.
#[derive(Clone, Copy, Debug)]
#[must_use]
pub(crate) struct Open(usize);

/// How exactly times are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Precision {
    /// EventTime.
    Nanoseconds,
    /// Whole seconds, as receivers from before EventTime want them.
    Seconds,
}

/// `[EventTime, {"message":` with a time that is filled in.
const LINE_HEAD: [u8; 20] = {
    assert!(MESSAGE.len() == 7, "it is written out below");
    *b"\x92\xd7\x00ssssnnnn\x81\xa7message"
};

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
        Writer(&mut out).event(record.view(), Precision::Nanoseconds);
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
    fn lines_of_a_block_are_written_as_each_by_itself_would_be() {
        let long = "x".repeat(300);
        let lines =
            ["", "one", &long[..31], &long[..32], &long[..255], &long[..256], &long, "caf\u{e9}"];
        let texts = lines.map(str::as_bytes);
        for texts in [&texts[..7], &texts[..], &[&b"a"[..], b"\xff", b"b"], &[]] {
            let (mut block, mut ranges) = (b"before \xff\n".to_vec(), Vec::new());
            for text in texts {
                let start = block.len() as u32;
                block.extend_from_slice(text);
                ranges.push(LineRange { start, end: block.len() as u32 });
                block.push(b'\n');
            }
            for turned in [false, true] {
                if turned {
                    ranges.reverse();
                }
                for (time, precision) in [
                    (Timestamp::from_parts(5, 7), Precision::Nanoseconds),
                    (Timestamp::from_parts(-5, 7), Precision::Nanoseconds),
                    (Timestamp::from_parts(1_795_000_000, 7), Precision::Seconds),
                ] {
                    let (mut single, mut together) = (Vec::new(), Vec::new());
                    for range in &ranges {
                        let line = &block[range.start as usize..range.end as usize];
                        let record = Record::from_line(line, time);
                        Writer(&mut single).event(record.view(), precision);
                    }
                    let mut lines = Lines::new(&block, &ranges, time, precision);
                    let taken = Writer(&mut together).lines(&mut lines, 0, usize::MAX);
                    assert!(lines.is_done() && taken == ranges.len());
                    assert_eq!(single, together);
                    together.clear();
                    let mut lines = Lines::new(&block, &ranges, time, precision);
                    while !lines.is_done() {
                        let start = together.len();
                        assert_eq!(Writer(&mut together).lines(&mut lines, start, 1), 1);
                    }
                    assert_eq!(single, together);
                }
            }
        }
    }

    #[test]
    fn a_line_that_was_cut_says_so() {
        let mut line = Record::from_line(&b"hell"[..], Timestamp::from_parts(1, 2));
        line.set_truncated(true);
        let map = decoded(&encoded(&line)).view().to_map().into_owned();
        assert_eq!(map, *line.view().to_map());
    }

    #[test]
    fn times_in_fields_are_text_and_times_out_of_range_are_seconds() {
        let before = Timestamp::from_nanos(-1_500_000_000);
        let fields = [("at", Timestamp::from_parts(1, 0))].into_iter().collect();
        let record = decoded(&encoded(&Record::from_fields(fields, before)));
        assert_eq!(record.time(), Timestamp::from_parts(-2, 0));
        let at = record.view().get("at");
        assert_eq!(at.as_deref(), Some(&Value::from("1970-01-01T00:00:01Z")));
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
