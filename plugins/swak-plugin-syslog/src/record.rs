//! From messages to batches of records.

use std::sync::Arc;

use jiff::tz::TimeZone;
use swak_sdk::data::{
    Batch, Block, Cell, LineRange, Map, Name, Record, Rows, Schema, Slice, TRUNCATED, Text,
    Timestamp, Value,
};
use swak_sdk::options::Choice;
use swak_sdk::plugin::Counters;

use crate::framing::Frame;
use crate::parse::{Clock, Format, Message, ParseError, parse};

/// What a record is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Choice)]
pub(crate) enum Mode {
    /// Fields: `priority`, `facility`, `severity`, `timestamp`, `hostname`, `app_name`, `proc_id`,
    /// `msg_id`, `structured_data`, `message`, each if the message has it; `truncated` if its end was
    /// cut off.
    Parsed,
    /// The message as it came, as a line.
    Raw,
}

/// What becomes of a message that cannot be parsed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Choice)]
pub(crate) enum OnError {
    /// It goes on as a line, and is counted as an error.
    Keep,
    /// It is dropped, and counted as dropped.
    Drop,
}

/// The fields of a message without structured data.
const PLAIN: [&str; 9] = [
    "priority",
    "facility",
    "severity",
    "timestamp",
    "hostname",
    "app_name",
    "proc_id",
    "msg_id",
    "message",
];

/// Makes records of messages, in the way that the options say.
#[derive(Debug)]
pub(crate) struct Reader {
    mode: Mode,
    format: Format,
    on_error: OnError,
    zone: TimeZone,
    /// Of [`PLAIN`].
    schema: Arc<Schema>,
    pub(crate) counters: Arc<Counters>,
}

impl Reader {
    /// A reader that counts there what it cannot parse. `zone` is that of timestamps without one.
    pub(crate) fn new(
        mode: Mode,
        format: Format,
        on_error: OnError,
        zone: TimeZone,
        counters: Arc<Counters>,
    ) -> Self {
        Reader { mode, format, on_error, zone, schema: Arc::new(Schema::new(PLAIN)), counters }
    }

    /// The batch of some messages of one sender; they lie in one block.
    pub(crate) fn batch(&self, block: &Block, messages: &[Frame], source: &Name) -> Batch {
        let now = Timestamp::now();
        let batch = match self.mode {
            Mode::Raw => raw(block, messages, now),
            Mode::Parsed => self.parsed(block, messages, now),
        };
        batch.with_source(source.clone())
    }

    /// Counts messages whose end was cut off; the first of a peer or socket is told of.
    pub(crate) fn count_cut(&self, cut: usize, max: usize, source: &Name, told: &mut bool) {
        for _ in 0..cut {
            self.counters.error();
        }
        if cut > 0 && !std::mem::replace(told, true) {
            tracing::warn!(
                peer = %source,
                "a message is longer than max_message={max} bytes or ends too soon, and was cut; \
                 further ones are only counted"
            );
        }
    }

    /// Most messages are rows, which take no memory of their own. From the first on that is none, what
    /// is left becomes records.
    fn parsed(&self, block: &Block, messages: &[Frame], now: Timestamp) -> Batch {
        let clock = Clock::new(now, self.zone.clone());
        let mut rows = Rows::new(block.clone(), Arc::clone(&self.schema), messages.len());
        let done =
            messages.iter().take_while(|frame| self.push_row(&mut rows, block, frame, &clock));
        let done = done.count();
        let mut batch = Batch::new(Vec::new());
        batch.set_rows(rows);
        if done < messages.len() {
            let record = |Frame { range, is_cut }: &Frame| {
                self.record(&block.slice(range.start, range.end), *is_cut, &clock)
            };
            batch.records_mut().extend(messages[done..].iter().filter_map(record));
        }
        batch
    }

    /// `false`, and nothing is done, for a message that does not fit into a row: it was cut, or has
    /// structured data.
    fn push_row(&self, rows: &mut Rows, block: &Block, frame: &Frame, clock: &Clock) -> bool {
        if frame.is_cut {
            return false;
        }
        let (line, bytes) = (line(frame), &block[frame.range.clone()]);
        match parse(bytes, self.format, clock) {
            Ok(message) if !message.structured_data.is_empty() => return false,
            Ok(message) => {
                let time = message.timestamp.unwrap_or(clock.now);
                rows.push_fields(line, time, &cells(&message, line, bytes));
            }
            Err(error) => {
                if self.keeps(error) {
                    rows.push_line(line, clock.now);
                }
            }
        }
        true
    }

    fn record(&self, bytes: &Slice, is_cut: bool, clock: &Clock) -> Option<Record> {
        let mut record = match parse(bytes, self.format, clock) {
            Ok(message) => {
                let mut fields = fields(&message, bytes);
                if is_cut {
                    fields.insert(TRUNCATED, true);
                }
                Record::from_fields(fields, message.timestamp.unwrap_or(clock.now))
            }
            Err(error) if self.keeps(error) => Record::from_line(bytes.clone(), clock.now),
            Err(_) => return None,
        };
        record.set_truncated(is_cut);
        Some(record)
    }

    /// Whether a message that cannot be parsed goes on as a line. It is counted.
    fn keeps(&self, error: ParseError) -> bool {
        tracing::debug!("a message cannot be parsed: {error}");
        match self.on_error {
            OnError::Keep => self.counters.error(),
            OnError::Drop => {
                self.counters.received(1);
                self.counters.dropped(1, "not a syslog message");
            }
        }
        self.on_error == OnError::Keep
    }
}

fn raw(block: &Block, messages: &[Frame], now: Timestamp) -> Batch {
    let mut batch = Batch::from_lines(block.clone(), messages.iter().map(line).collect(), now);
    if messages.iter().any(|message| message.is_cut) {
        for (record, message) in batch.records_mut().iter_mut().zip(messages) {
            record.set_truncated(message.is_cut);
        }
    }
    batch
}

fn line(frame: &Frame) -> LineRange {
    LineRange { start: frame.range.start as u32, end: frame.range.end as u32 }
}

/// The values of [`PLAIN`]. Text is parts of `bytes`, which the message was parsed from and which lie
/// there in their block.
fn cells(message: &Message<'_>, line: LineRange, bytes: &[u8]) -> [Cell; PLAIN.len()] {
    let part = |part: &[u8]| {
        // What is empty may lie anywhere.
        let start = match part {
            [] => line.start,
            _ => line.start + (part.as_ptr() as usize - bytes.as_ptr() as usize) as u32,
        };
        Cell::Part(start, start + part.len() as u32)
    };
    let optional = |bytes: Option<&[u8]>| bytes.map_or(Cell::Missing, part);
    [
        Cell::Int(message.priority.number().into()),
        Cell::Word(message.priority.facility()),
        Cell::Word(message.priority.severity()),
        message.timestamp.map_or(Cell::Missing, Cell::Time),
        optional(message.hostname),
        optional(message.app_name),
        optional(message.proc_id),
        optional(message.msg_id),
        part(message.message),
    ]
}

/// The fields of a message. Text is slices of `bytes`, which the message was parsed from.
fn fields(message: &Message<'_>, bytes: &Slice) -> Map {
    let mut map = Map::with_capacity(PLAIN.len() + 2);
    map.insert("priority", i64::from(message.priority.number()));
    map.insert("facility", *message.priority.facility());
    map.insert("severity", *message.priority.severity());
    if let Some(timestamp) = message.timestamp {
        map.insert("timestamp", timestamp);
    }
    let parts = [
        ("hostname", message.hostname),
        ("app_name", message.app_name),
        ("proc_id", message.proc_id),
        ("msg_id", message.msg_id),
    ];
    for (name, part) in parts {
        if let Some(part) = part {
            map.insert(name, value(part, bytes));
        }
    }
    if !message.structured_data.is_empty() {
        map.insert("structured_data", structured_data(message, bytes));
    }
    map.insert("message", value(message.message, bytes));
    map
}

/// A map of maps; a parameter that comes more than once is a list.
fn structured_data(message: &Message<'_>, bytes: &Slice) -> Map {
    let name = |name: &[u8]| Text::from(String::from_utf8_lossy(name));
    let mut all = Map::with_capacity(message.structured_data.len());
    for element in &message.structured_data {
        let mut params = Map::with_capacity(element.params.len());
        for (param, text) in &element.params {
            let (param, value) = (name(param), value(text, bytes));
            match params.get_mut(&param) {
                Some(Value::List(values)) => values.push(value),
                Some(first) => *first = Value::List(vec![std::mem::take(first), value]),
                None => {
                    params.insert(param, value);
                }
            }
        }
        all.insert(name(element.id), params);
    }
    all
}

/// Text, or bytes when it is none: a slice of `bytes` where it is long and lies in there.
fn value(part: &[u8], bytes: &Slice) -> Value {
    match std::str::from_utf8(part) {
        Ok(text) => Value::Text(Text::borrowed(text, bytes)),
        Err(_) => Value::Bytes(bytes.subset(part).unwrap_or_else(|| part.into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reader(mode: Mode, on_error: OnError) -> Reader {
        Reader::new(mode, Format::Auto, on_error, TimeZone::UTC, Arc::default())
    }

    fn batch(reader: &Reader, message: &[u8]) -> Batch {
        let block = Block::from(message.to_vec());
        let frames = [Frame { range: 0..message.len(), is_cut: false }];
        reader.batch(&block, &frames, &Name::from("peer"))
    }

    fn json(batch: &Batch) -> Vec<String> {
        let json = |record: swak_sdk::data::RecordRef<'_>| {
            let mut out = Vec::new();
            record.write_json(&mut out);
            String::from_utf8(out).expect("JSON is UTF-8")
        };
        batch.iter().map(json).collect()
    }

    #[test]
    fn all_parts_become_fields_in_order() {
        let reader = reader(Mode::Parsed, OnError::Keep);
        let text =
            "<165>1 2003-10-11T22:14:15.003Z host app 7 ID47 [a b=\"1\" c=\"2\" b=\"3\"][d] hi";
        let batch = batch(&reader, text.as_bytes());
        assert_eq!(
            json(&batch),
            [concat!(
                r#"{"priority":165,"facility":"local4","severity":"notice","#,
                r#""timestamp":"2003-10-11T22:14:15.003Z","hostname":"host","app_name":"app","#,
                r#""proc_id":"7","msg_id":"ID47","#,
                r#""structured_data":{"a":{"b":["1","3"],"c":"2"},"d":{}},"message":"hi"}"#
            )]
        );
        assert_eq!(&*batch.source, "peer");
        assert_eq!(batch.get(0).time().to_string(), "2003-10-11T22:14:15.003Z");
    }

    #[test]
    fn parts_that_are_missing_are_no_fields() {
        let batch = batch(&reader(Mode::Parsed, OnError::Keep), b"<14>hi");
        let expected = r#"{"priority":14,"facility":"user","severity":"info","message":"hi"}"#;
        assert_eq!(json(&batch), [expected]);
    }

    #[test]
    fn what_cannot_be_parsed_is_kept_or_dropped_and_counted() {
        let keeping = reader(Mode::Parsed, OnError::Keep);
        let kept = batch(&keeping, b"caf\xe9");
        assert_eq!(kept.get(0).line(), Some(&b"caf\xe9"[..]));
        assert_eq!(keeping.counters.snapshot().errors, 1);
        let dropping = reader(Mode::Parsed, OnError::Drop);
        assert!(batch(&dropping, b"caf\xe9").is_empty());
        let counters = dropping.counters.snapshot();
        assert_eq!((counters.received, counters.dropped.values().sum::<u64>()), (1, 1));
    }

    /// The batch of these messages in one block; the last is cut if so asked.
    fn batch_of(messages: &[&[u8]], is_cut: bool) -> Batch {
        let frame = |(i, message): (usize, &&[u8])| {
            let start = messages[..i].concat().len();
            let is_last = i + 1 == messages.len();
            Frame { range: start..start + message.len(), is_cut: is_cut && is_last }
        };
        let frames: Vec<_> = messages.iter().enumerate().map(frame).collect();
        let reader = reader(Mode::Parsed, OnError::Keep);
        reader.batch(&Block::from(messages.concat()), &frames, &Name::from("peer"))
    }

    #[test]
    fn rows_and_records_say_the_same() {
        let plain: [&[u8]; 8] = [
            b"<165>1 2003-10-11T22:14:15.003Z a-host-with-a-long-name.example.org app 7 ID47 - hi",
            b"<34>Oct 11 22:14:15 mymachine su[10]: 'su root' \"failed\" for lonvick on /dev/pts/8",
            b"no syslog",
            b"<0>1 - - - - - - caf\xe9",
            b"<191>1 - h\xe9 - - - -",
            b"<13>",
            b"<14>caf\xc3\xa9\n",
            b"\xff",
        ];
        let structured: &[u8] =
            b"<1>1 - - - - - [a b=\"\xff\" c=\"a value that is longer than others\"]";
        let rows = batch_of(&plain, false);
        let records = batch_of(&[&[structured], &plain[..]].concat(), false);
        let from_the_middle =
            batch_of(&[&plain[..], &[structured, b"<13>app: cut"]].concat(), true);
        let (first, last) = (&json(&records)[..1], &json(&from_the_middle)[8..]);
        assert_eq!(json(&rows), json(&records)[1..]);
        assert_eq!(json(&rows), json(&from_the_middle)[..8]);
        assert_eq!(first[0], last[0]);
        assert!(last[1].ends_with(r#""app_name":"app","message":"cut","truncated":true}"#));
        for (i, row) in rows.iter().enumerate() {
            let (record, other) = (records.get(i + 1), from_the_middle.get(i));
            for name in PLAIN {
                assert_eq!(row.get(name), record.get(name), "{name}");
            }
            assert_eq!(row.line(), record.line());
            // Each batch has its own idea of now.
            if i < 2 {
                assert_eq!((row.time(), other.time()), (record.time(), record.time()));
            }
        }
    }

    #[test]
    fn raw_is_what_came() {
        let batch = batch(&reader(Mode::Raw, OnError::Drop), b"no syslog \xff");
        assert_eq!(batch.get(0).line(), Some(&b"no syslog \xff"[..]));
        assert!(batch.lines().is_some(), "nothing was copied");
    }
}
