//! CSV as RFC 4180 says, with `\n` as the line end.

use std::borrow::Cow;

use swak_sdk::data::json;
use swak_sdk::prelude::*;

/// Writes rows of the same columns.
pub(super) struct Rows {
    columns: Vec<FieldPath>,
    delimiter: u8,
}

impl Rows {
    pub(super) fn new(columns: Vec<FieldPath>, delimiter: char) -> Result<Self> {
        ensure!(
            !columns.is_empty(),
            "format=\"csv\" needs the fields to write: add columns=[\"time\", \"message\"]"
        );
        let delimiter = delimiter_byte(delimiter)?;
        Ok(Rows { columns, delimiter })
    }

    /// The row of names, with its line end.
    pub(super) fn header(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for (i, column) in self.columns.iter().enumerate() {
            self.write_cell(i, column.to_string().as_bytes(), &mut out);
        }
        out.push(b'\n');
        out
    }

    /// A row without its line end. A field that is not there is an empty cell.
    pub(super) fn write(&self, record: RecordRef<'_>, out: &mut Vec<u8>) {
        let mut scratch = Vec::new();
        for (i, column) in self.columns.iter().enumerate() {
            match column.get_from(record) {
                Some(value) => self.write_cell(i, &cell_text(&value, &mut scratch), out),
                None => self.write_cell(i, b"", out),
            }
        }
    }

    fn write_cell(&self, i: usize, cell: &[u8], out: &mut Vec<u8>) {
        if i > 0 {
            out.push(self.delimiter);
        }
        let special = |b: &u8| *b == self.delimiter || matches!(b, b'"' | b'\n' | b'\r');
        // A row of one empty cell would be an empty line, which readers skip.
        let whole_row_is_empty = cell.is_empty() && self.columns.len() == 1;
        if !whole_row_is_empty && !cell.iter().any(special) {
            out.extend_from_slice(cell);
            return;
        }
        out.push(b'"');
        for (i, part) in cell.split(|b| *b == b'"').enumerate() {
            if i > 0 {
                out.extend_from_slice(b"\"\"");
            }
            out.extend_from_slice(part);
        }
        out.push(b'"');
    }
}

/// A delimiter that can be told from quotes and line ends, in one byte.
pub(crate) fn delimiter_byte(delimiter: char) -> Result<u8> {
    match u8::try_from(delimiter) {
        Ok(byte) if byte.is_ascii() && !matches!(byte, b'"' | b'\n' | b'\r') => Ok(byte),
        _ => bail!(
            "`delimiter` is {delimiter:?}, but it must be an ASCII character other than a quote \
             or a line end: try delimiter=\",\" or delimiter=\"\\t\""
        ),
    }
}

/// A value as plain text: text and bytes as they are, nothing for null, lists and maps as JSON.
fn cell_text<'a>(value: &'a Value, scratch: &'a mut Vec<u8>) -> Cow<'a, [u8]> {
    match value {
        Value::Null => Cow::Borrowed(b""),
        Value::Text(text) => Cow::Borrowed(text.as_bytes()),
        Value::Bytes(bytes) => Cow::Borrowed(bytes),
        Value::Time(time) => Cow::Owned(time.to_string().into_bytes()),
        // JSON has no word for these; a table may.
        Value::Float(n) if !n.is_finite() => Cow::Owned(n.to_string().into_bytes()),
        Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::List(_) | Value::Map(_) => {
            scratch.clear();
            json::write_value(scratch, value);
            Cow::Borrowed(scratch)
        }
    }
}
