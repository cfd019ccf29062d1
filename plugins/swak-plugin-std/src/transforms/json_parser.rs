//! `out.JsonParser`: JSON objects become fields.

use swak_sdk::data::json;
use swak_sdk::prelude::*;

use super::placed::Placed;
use super::source::Source;
use super::unreadable::{Unreadable, read_records};

/// Turns lines that are JSON objects into fields.
///
/// Text values without escapes are slices of the line, and a record that no later step changes is
/// written back byte for byte.
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
    /// What becomes of a record whose text is not a JSON object.
    #[option(default = "keep")]
    on_error: Placed<Unreadable>,
}

pub(crate) struct JsonParser {
    source: Source,
    on_error: Unreadable,
}

impl Plugin for JsonParser {
    type Options = JsonParserOptions;

    fn new(options: JsonParserOptions, cx: &BuildContext) -> Result<Self> {
        let JsonParserOptions { field, target, keep, on_error } = options;
        on_error.check("on_error", cx)?;
        Ok(JsonParser { source: Source::new(field, target, keep), on_error: *on_error })
    }
}

impl Transform for JsonParser {
    fn apply(&mut self, batch: Batch, out: &mut Outlet) -> Result<()> {
        read_records(batch, self.on_error, "not a JSON object", out, |record, _| self.read(record));
        Ok(())
    }
}

impl JsonParser {
    fn read(&self, record: &mut Record) -> Result<(), String> {
        let text = self.source.text(record).ok_or("not a JSON object: there is no text")?;
        let fields = json::parse_object(&text).map_err(|e| format!("not a JSON object: {e}"))?;
        if self.source.replaces(record) && !text.contains(&b'\n') {
            *record = Record::from_json(fields, text, record.time());
            return Ok(());
        }
        self.source.put(record, fields)
    }
}

#[cfg(test)]
mod tests;
