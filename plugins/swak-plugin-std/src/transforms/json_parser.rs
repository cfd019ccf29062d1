//! `out.JsonParser`: JSON objects become fields.

use swak_sdk::prelude::*;

use super::clock::{Clock, ClockOptions};
use super::source::Source;
use super::unreadable::{Unreadable, read_records};

/// Turns lines that are JSON objects into fields.
///
/// Text values without escapes are slices of the line, and a record that no later step changes is
/// written back byte for byte.
///
/// ```example
/// out.RegexParser(r"^(?<host>\S+) (?<body>.*)$"), out.JsonParser(field="body")
/// < web-1 {"status":503,"path":"/"}
/// < db-1 restarted
/// > {"host":"web-1","status":503,"path":"/"}
/// > {"host":"db-1","body":"restarted"}
/// ```
#[derive(Options)]
#[plugin(transform, name = "JsonParser")]
pub(crate) struct JsonParserOptions {
    /// The field that holds the JSON text. Left out: the line, or `message`.
    field: Option<FieldPath>,
    /// The field under which the parsed fields are put. Left out: the record itself.
    target: Option<FieldPath>,
    /// Whether the JSON text stays in the record, a line as the field `message`.
    #[option(default = false)]
    keep: bool,
    /// The parsed field that says when it happened, which becomes the record's own time: text, or a
    /// number of seconds since 1970. The field stays as it is.
    time: Option<FieldPath>,
    /// How times are written, as for `strptime`: `%Y-%m-%d %H:%M:%S`. Left out: RFC 3339.
    time_format: Option<Placed<String>>,
    /// The zone of times that name none: `UTC`, `Asia/Seoul`, `+09:00`. Left out: the system's.
    time_zone: Option<TimeZone>,
    /// What becomes of a record whose text is not a JSON object.
    #[option(default = "keep")]
    on_error: Placed<Unreadable>,
}

pub(crate) struct JsonParser {
    source: Source,
    time: Option<FieldPath>,
    clock: Clock,
    on_error: Unreadable,
    reader: JsonReader,
}

impl Plugin for JsonParser {
    type Options = JsonParserOptions;

    fn new(options: JsonParserOptions, cx: &BuildContext) -> Result<Self> {
        let JsonParserOptions { field, target, keep, time, time_format, time_zone, on_error } =
            options;
        Unreadable::check(&on_error, "on_error", cx)?;
        let clock = ClockOptions { field: None, format: time_format, zone: time_zone };
        Ok(JsonParser {
            source: Source::new(field, target, keep),
            time,
            clock: Clock::new(&clock)?,
            on_error: *on_error,
            reader: JsonReader::new(),
        })
    }
}

impl Transform for JsonParser {
    fn apply(&mut self, mut batch: Batch, out: &mut Outlet) -> Result<()> {
        let are_read = self.source.replaces_lines()
            && self.time.is_none()
            && batch.read_json_lines(&mut self.reader);
        if are_read {
            out.emit(batch);
            return Ok(());
        }
        read_records(batch, self.on_error, "not a JSON object", out, |record, out| {
            self.read(record, out)
        });
        Ok(())
    }
}

impl JsonParser {
    fn read(&mut self, record: &mut Record, out: &mut Outlet) -> Result<(), String> {
        let text = self.source.text(record).ok_or("not a JSON object: there is no text")?;
        let mut read = Record::read_json(text, &mut self.reader, record.time())
            .map_err(|e| format!("not a JSON object: {e}"))?;
        read.set_time(self.time_of(read.view(), out));
        if self.source.replaces(record) {
            record.set_content(read);
            return Ok(());
        }
        let time = read.time();
        self.source.put(record, std::mem::take(read.fields_mut()))?;
        record.set_time(time);
        Ok(())
    }

    /// The time that the fields say, or else the one that the record has.
    fn time_of(&self, read: RecordRef<'_>, out: &mut Outlet) -> Timestamp {
        let now = read.time();
        let Some(path) = &self.time else { return now };
        let time = path.get_from(read).and_then(|value| self.clock.read_value(&value, now));
        time.unwrap_or_else(|| {
            out.error();
            now
        })
    }
}

#[cfg(test)]
mod tests;
