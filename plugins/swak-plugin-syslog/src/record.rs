//! From messages to batches of records.

use std::sync::Arc;

use jiff::tz::TimeZone;
use swak_sdk::data::{
    Batch, Block, LineRange, Map, Name, Record, Slice, TRUNCATED, Timestamp, Value,
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

/// Makes records of messages, in the way that the options say.
#[derive(Debug)]
pub(crate) struct Reader {
    pub(crate) mode: Mode,
    pub(crate) format: Format,
    pub(crate) on_error: OnError,
    pub(crate) zone: TimeZone,
    pub(crate) counters: Arc<Counters>,
}

impl Reader {
    /// The batch of some messages of one sender; they lie in one block.
    pub(crate) fn batch(&self, block: &Block, messages: &[Frame], source: &Name) -> Batch {
        let now = Timestamp::now();
        let batch = match self.mode {
            Mode::Raw => {
                let line = |Frame { range, .. }: &Frame| LineRange {
                    start: range.start as u32,
                    end: range.end as u32,
                };
                let lines = messages.iter().map(line).collect();
                let mut batch = Batch::from_lines(block.clone(), lines, now);
                if messages.iter().any(|message| message.is_cut) {
                    for (record, message) in batch.records_mut().iter_mut().zip(messages) {
                        record.set_truncated(message.is_cut);
                    }
                }
                batch
            }
            Mode::Parsed => {
                let clock = Clock::new(now, self.zone.clone());
                let record = |Frame { range, is_cut }: &Frame| {
                    self.record(&block.slice(range.start, range.end), *is_cut, &clock)
                };
                Batch::new(messages.iter().filter_map(record).collect())
            }
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

    fn record(&self, bytes: &Slice, is_cut: bool, clock: &Clock) -> Option<Record> {
        let mut record = match parse(bytes, self.format, clock) {
            Ok(message) => {
                let mut fields = fields(&message, bytes);
                if is_cut {
                    fields.insert(TRUNCATED, true);
                }
                Record::from_fields(fields, message.timestamp.unwrap_or(clock.now))
            }
            Err(error) => self.unparsed(bytes, error, clock.now)?,
        };
        record.set_truncated(is_cut);
        Some(record)
    }

    fn unparsed(&self, bytes: &Slice, error: ParseError, now: Timestamp) -> Option<Record> {
        tracing::debug!("a message cannot be parsed: {error}");
        match self.on_error {
            OnError::Keep => {
                self.counters.error();
                Some(Record::from_line(bytes.clone(), now))
            }
            OnError::Drop => {
                self.counters.received(1);
                self.counters.dropped(1, "not a syslog message");
                None
            }
        }
    }
}

/// The fields of a message. Text is slices of `bytes`, which the message was parsed from.
fn fields(message: &Message<'_>, bytes: &Slice) -> Map {
    let value =
        |part: &[u8]| Value::from_slice(&bytes.subset(part).unwrap_or_else(|| bytes.slice(0, 0)));
    let mut map = Map::with_capacity(10);
    map.insert("priority", i64::from(message.priority.number()));
    map.insert("facility", message.priority.facility());
    map.insert("severity", message.priority.severity());
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
            map.insert(name, value(part));
        }
    }
    if !message.structured_data.is_empty() {
        map.insert("structured_data", structured_data(message));
    }
    map.insert("message", value(message.message));
    map
}

/// A map of maps; a parameter that comes more than once is a list.
fn structured_data(message: &Message<'_>) -> Map {
    let name = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let mut all = Map::new();
    for element in &message.structured_data {
        let mut params = Map::new();
        for (param, value) in &element.params {
            let param = name(param);
            let value = Value::from_slice(&Slice::from(&**value));
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

#[cfg(test)]
mod tests {
    use super::*;

    fn reader(mode: Mode, on_error: OnError) -> Reader {
        let counters = Arc::default();
        Reader { mode, format: Format::Auto, on_error, zone: TimeZone::UTC, counters }
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

    #[test]
    fn raw_is_what_came() {
        let batch = batch(&reader(Mode::Raw, OnError::Drop), b"no syslog \xff");
        assert_eq!(batch.get(0).line(), Some(&b"no syslog \xff"[..]));
        assert!(batch.lines().is_some(), "nothing was copied");
    }
}
