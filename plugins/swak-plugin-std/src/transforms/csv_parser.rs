//! `out.CsvParser`: the cells of a row become fields.

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};
use swak_sdk::data::Text;
use swak_sdk::prelude::*;

use super::clock::ClockOptions;
use super::source::Source;
use super::typed::{FieldType, Typing};
use super::unreadable::{Unreadable, read_records};
use crate::formats::delimiter_byte;

/// Turns lines that are CSV rows into fields.
///
/// A record is one row: a quoted cell may hold delimiters and doubled quotes; one that holds a line
/// end was cut in two before it came here.
///
/// ```example
/// out.CsvParser(["name", "age", ""], types={"age": "int"}, delimiter=";")
/// < "Kim; Minji";34;left out
/// < not a row
/// > {"name":"Kim; Minji","age":34}
/// > not a row
/// ```
#[derive(Options)]
#[plugin(transform, name = "CsvParser")]
pub(crate) struct CsvParserOptions {
    /// The names of the columns, in order. An empty name leaves a column out.
    #[option(positional)]
    columns: Placed<Vec<String>>,
    /// The types of columns that are no mere text: `{"status": "int"}`. Text that is not of its type
    /// stays text and is counted as an error.
    #[option(default = {})]
    types: Placed<Dict<FieldType>>,
    /// What stands between two cells.
    #[option(default = ",")]
    delimiter: char,
    /// What stands around a cell that holds delimiters; doubled, it stands for itself.
    #[option(default = "\"")]
    quote: char,
    /// Whether rows that are just the names of the columns are left out, as filtered.
    #[option(default = false)]
    skip_header: bool,
    /// The column that says when it happened: it becomes the record's own time, and a value of the
    /// type time unless `types` says another.
    time: Option<Placed<String>>,
    /// How times are written, as for `strptime`. Left out: RFC 3339.
    time_format: Option<Placed<String>>,
    /// The zone of times that name none: `UTC`, `Asia/Seoul`, `+09:00`. Left out: the system's.
    time_zone: Option<TimeZone>,
    /// The field that holds the text. Left out: the line, or `message`.
    field: Option<FieldPath>,
    /// The field under which the found fields are put. Left out: the record itself.
    target: Option<FieldPath>,
    /// Whether the text stays in the record, a line as the field `message`.
    #[option(default = false)]
    keep: bool,
    /// What becomes of a row with more or fewer cells than there are columns.
    #[option(default = "keep")]
    on_error: Placed<Unreadable>,
}

pub(crate) struct CsvParser {
    columns: Vec<Text>,
    typing: Typing,
    source: Source,
    rows: Rows,
    skip_header: bool,
    on_error: Unreadable,
}

impl Plugin for CsvParser {
    type Options = CsvParserOptions;

    fn new(options: CsvParserOptions, cx: &BuildContext) -> Result<Self> {
        let CsvParserOptions { columns, types, time, time_format, time_zone, .. } = options;
        Unreadable::check(&options.on_error, "on_error", cx)?;
        if columns.iter().all(String::is_empty) {
            return Err(columns
                .error("there are no columns", "name them: out.CsvParser([\"host\", \"status\"])")
                .into());
        }
        for (i, name) in columns.iter().enumerate() {
            if !name.is_empty() && columns[..i].contains(name) {
                let help = "fields are unique; an empty name leaves a column out";
                return Err(columns.error(format!("two columns are named `{name}`"), help).into());
            }
        }
        let quote = u8::try_from(options.quote).ok().filter(u8::is_ascii);
        let quote = quote.context("`quote` must be an ASCII character")?;
        let delimiter = delimiter_byte(options.delimiter)?;
        ensure!(quote != delimiter, "`quote` and `delimiter` must differ");
        let clock = ClockOptions { field: time, format: time_format, zone: time_zone };
        Ok(CsvParser {
            typing: Typing::new(columns.iter().map(String::as_str), &types, &clock)?,
            columns: columns.value.into_iter().map(Text::from).collect(),
            source: Source::new(options.field, options.target, options.keep),
            rows: Rows::new(delimiter, quote),
            skip_header: options.skip_header,
            on_error: *options.on_error,
        })
    }
}

impl Transform for CsvParser {
    fn apply(&mut self, mut batch: Batch, out: &mut Outlet) -> Result<()> {
        if self.skip_header {
            let CsvParser { rows, columns, source, .. } = self;
            let is_header = |record: &mut Record| {
                source.text(record).is_some_and(|text| rows.is_header(&text, columns))
            };
            let headers = batch.records_mut().extract_if(.., is_header).collect();
            out.filter_out(batch.derive(headers));
        }
        let policy = self.on_error;
        read_records(batch, policy, "not a row of these columns", out, |record, out| {
            self.read(record, out)
        });
        Ok(())
    }
}

impl CsvParser {
    fn read(&mut self, record: &mut Record, out: &mut Outlet) -> Result<(), String> {
        let text = self.source.text(record).ok_or("not a CSV row: there is no text")?;
        let (cells, ends) = self.rows.read(&text);
        if ends.len() != self.columns.len() {
            let (found, wanted) = (ends.len(), self.columns.len());
            return Err(format!("{found} cells in the row, but {wanted} columns"));
        }
        // Nothing but delimiters was left out: the cells are slices of the line.
        let whole = cells.len() + ends.len() - 1 == text.len();
        let cells = if whole { text.clone() } else { Slice::from(cells) };
        let gap = usize::from(whole);
        let mut time = record.time();
        let mut fields = Map::with_capacity(self.columns.len());
        let mut start = 0;
        for (i, (name, end)) in self.columns.iter().zip(ends).enumerate() {
            let end = end + i * gap;
            if !name.is_empty() {
                let cell = &cells[start..end];
                let value = self.typing.value(i, &cells, cell, record.time(), &mut time, out);
                fields.insert(name.clone(), value);
            }
            start = end + gap;
        }
        self.source.put(record, fields)?;
        record.set_time(time);
        Ok(())
    }
}

/// Takes rows apart, with memory that is used again.
struct Rows {
    reader: Reader,
    cells: Vec<u8>,
    ends: Vec<usize>,
}

impl Rows {
    fn new(delimiter: u8, quote: u8) -> Self {
        let reader = ReaderBuilder::new().delimiter(delimiter).quote(quote).build();
        Rows { reader, cells: Vec::new(), ends: Vec::new() }
    }

    /// The cells of a row one after the other, and where each ends.
    fn read(&mut self, row: &[u8]) -> (&[u8], &[usize]) {
        self.reader.reset();
        // No cell is longer than the row, and no row has more cells than bytes and one.
        self.cells.resize(row.len(), 0);
        self.ends.resize(row.len() + 1, 0);
        let (mut input, mut written, mut count) = (row, 0, 0);
        loop {
            let (result, read, out, ends) =
                self.reader.read_record(input, &mut self.cells[written..], &mut self.ends[count..]);
            (input, written, count) = (&input[read..], written + out, count + ends);
            match result {
                // Empty input says that the row is over.
                ReadRecordResult::InputEmpty => {}
                // More than one row.
                _ if !input.trim_ascii().is_empty() => return (&[], &[]),
                _ => return (&self.cells[..written], &self.ends[..count]),
            }
        }
    }

    fn is_header(&mut self, row: &[u8], columns: &[Text]) -> bool {
        let (cells, ends) = self.read(row);
        let starts = std::iter::once(0).chain(ends.iter().copied());
        ends.len() == columns.len()
            && starts.zip(ends).zip(columns).all(|((start, end), column)| {
                column.is_empty() || &cells[start..*end] == column.as_bytes()
            })
    }
}

#[cfg(test)]
mod tests;
