//! What parsers found in the lines of a block: fields that stay ranges of it until somebody asks.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::json;
use super::json::row::{Label, RowWriter};
use super::{Block, LineRange, Map, Record, RecordRef, Text, Timestamp, Value};

/// The names of fields that many records have, in order.
#[derive(Debug)]
pub struct Schema {
    fields: Box<[Field]>,
    /// What held the cells of rows that are gone, to be used again: the system takes longer to give and take
    /// memory for those of a block than to write into it.
    spare: Mutex<Vec<Vec<Cell>>>,
}

/// So many of them are kept, of so many cells at the most.
const SPARE: usize = 4;
const SPARE_CELLS: usize = 64 << 10;

#[derive(Debug)]
struct Field {
    name: Text,
    label: Label,
}

impl Schema {
    /// # Panics
    /// If there are two of one name: fields of a record are named differently.
    pub fn new<N: Into<Text>>(names: impl IntoIterator<Item = N>) -> Self {
        let field = |name: N| {
            let name = name.into();
            Field { label: Label::new(name.as_bytes()), name }
        };
        let fields: Box<[Field]> = names.into_iter().map(field).collect();
        for (i, field) in fields.iter().enumerate() {
            let is_new = fields[..i].iter().all(|before| before.name != field.name);
            assert!(is_new, "the field {} is there twice", field.name);
        }
        Schema { fields, spare: Mutex::default() }
    }

    /// How many fields there are.
    pub fn len(&self) -> usize {
        self.fields.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// Room for so many cells.
    fn room(&self, n: usize) -> Vec<Cell> {
        let spare = self.spare().pop();
        let mut cells = spare.unwrap_or_default();
        cells.reserve(n);
        cells
    }

    fn keep(&self, mut cells: Vec<Cell>) {
        let mut spare = self.spare();
        if spare.len() < SPARE && cells.capacity() <= SPARE_CELLS {
            cells.clear();
            spare.push(cells);
        }
    }

    fn spare(&self) -> MutexGuard<'_, Vec<Vec<Cell>>> {
        self.spare.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn position(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|field| field.name.as_bytes() == name.as_bytes())
    }
}

/// The value of one field of a row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cell {
    /// The record does not have this field.
    Missing,
    /// A part of the block, as its first byte and the one after its last: text when it is UTF-8, else
    /// bytes.
    Part(u32, u32),
    /// One of a parser's own words, as for a level that stands in the line as a number. It is a reference
    /// to a reference so that a cell takes 16 bytes.
    Word(&'static &'static str),
    /// Known to be nothing.
    Null,
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number.
    Float(f64),
    /// A point in time.
    Time(Timestamp),
}

/// Lines of a block, each with what a parser found in it. A batch takes them with
/// [`Batch::set_rows`](super::Batch::set_rows).
///
/// ```
/// # use std::sync::Arc;
/// # use swak_sdk::data::{Batch, Block, Cell, LineRange, Rows, Schema, Timestamp};
/// let block = Block::from(b"GET 200\nPUT 503\n".to_vec());
/// let schema = Arc::new(Schema::new(["method", "status"]));
/// let mut rows = Rows::new(block, schema, 2);
/// for (start, status) in [(0, 200), (8, 503)] {
///     let line = LineRange { start, end: start + 7 };
///     rows.push_fields(line, Timestamp::default(), &[Cell::Part(start, start + 3), Cell::Int(status)]);
/// }
/// let mut batch = Batch::new(Vec::new());
/// batch.set_rows(rows);
/// let mut json = Vec::new();
/// batch.get(1).write_json(&mut json);
/// assert_eq!(json, br#"{"method":"PUT","status":503}"#);
/// ```
#[derive(Clone, Debug)]
pub struct Rows {
    block: Block,
    rows: Vec<Row>,
    table: Arc<Table>,
}

/// What was found in lines; shared by the halves of a batch.
#[derive(Debug)]
struct Table {
    schema: Arc<Schema>,
    /// As many for each row with fields as the schema has.
    cells: Vec<Cell>,
}

impl Drop for Table {
    fn drop(&mut self) {
        self.schema.keep(std::mem::take(&mut self.cells));
    }
}

#[derive(Clone, Copy, Debug)]
struct Row {
    line: LineRange,
    time: Timestamp,
    found: Found,
}

#[derive(Clone, Copy, Debug)]
enum Found {
    /// It is still a line.
    Nothing,
    /// It is a JSON object.
    Json,
    /// The cells from this one on.
    Fields(u32),
}

impl Rows {
    /// Rows of this block, and room for so many.
    pub fn new(block: Block, schema: Arc<Schema>, n: usize) -> Self {
        let cells = schema.room(n * schema.len());
        Rows { block, rows: Vec::with_capacity(n), table: Arc::new(Table { schema, cells }) }
    }

    /// Adds a line that was not read, or not understood.
    ///
    /// # Panics
    /// If it does not lie in the block; so do all that add a row.
    pub fn push_line(&mut self, line: LineRange, time: Timestamp) {
        self.push(Row { line, time, found: Found::Nothing });
    }

    /// Adds a line that is a JSON object, as [`json::is_object`] says.
    pub fn push_json(&mut self, line: LineRange, time: Timestamp) {
        debug_assert!(json::is_object(&self.block[line.start as usize..line.end as usize]));
        self.push(Row { line, time, found: Found::Json });
    }

    /// Adds a line that has these fields instead, in the order of the schema.
    ///
    /// # Panics
    /// If there are not as many as the schema has, or a part does not lie in the line.
    pub fn push_fields(&mut self, line: LineRange, time: Timestamp, fields: &[Cell]) {
        let table =
            Arc::get_mut(&mut self.table).expect("rows are shared only when they are whole");
        assert_eq!(fields.len(), table.schema.len(), "a row has a cell for each field");
        let len = line.end.wrapping_sub(line.start);
        let in_line = |cell: &Cell| match cell {
            Cell::Part(start, end) => {
                // What lies before the line is more than any line has.
                let end = end.wrapping_sub(line.start);
                start.wrapping_sub(line.start) <= end && end <= len
            }
            _ => true,
        };
        // Of each, as a way out after each takes more time than it saves.
        let are_in_line = fields.iter().fold(true, |all, cell| all & in_line(cell));
        assert!(are_in_line, "a part of a line lies in it");
        let first = u32::try_from(table.cells.len()).expect("a block has less than 2^32 cells");
        table.cells.extend_from_slice(fields);
        self.push(Row { line, time, found: Found::Fields(first) });
    }

    fn push(&mut self, row: Row) {
        let LineRange { start, end } = row.line;
        assert!(start <= end && end as usize <= self.block.len(), "a line lies in its block");
        self.rows.push(row);
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// How many bytes the lines have.
    pub(super) fn size(&self) -> usize {
        self.rows.iter().map(|row| row.line.len()).sum()
    }

    pub(super) fn get(&self, i: usize) -> RecordRef<'_> {
        self.view(&self.rows[i])
    }

    fn view(&self, row: &Row) -> RecordRef<'_> {
        match row.found {
            Found::Nothing => RecordRef::in_block(&self.block, row.line, row.time),
            Found::Json => RecordRef::json_in_block(&self.block, row.line, row.time, None),
            Found::Fields(first) => {
                RecordRef::of_cells(self.cells(first), row.line.len(), row.time)
            }
        }
    }

    pub(super) fn to_records(&self) -> Vec<Record> {
        self.rows.iter().map(|row| self.view(row).to_record()).collect()
    }

    pub(super) fn retain(&mut self, mut keep: impl FnMut(RecordRef<'_>) -> bool) {
        let mut rows = std::mem::take(&mut self.rows);
        rows.retain(|row| keep(self.view(row)));
        self.rows = rows;
    }

    pub(super) fn extract(&mut self, mut wanted: impl FnMut(RecordRef<'_>) -> bool) -> Rows {
        let mut rows = std::mem::take(&mut self.rows);
        let taken = rows.extract_if(.., |row| wanted(self.view(row))).collect();
        self.rows = rows;
        self.with(taken)
    }

    pub(super) fn split_off(&mut self, at: usize) -> Rows {
        let rest = self.rows.split_off(at);
        self.with(rest)
    }

    /// See [`Batch::write_json_lines`](super::Batch::write_json_lines).
    pub(super) fn write_json_lines(&self, out: &mut Vec<u8>) -> usize {
        let mut writer = RowWriter::new(out, ROOM_FOR_MANY);
        let mut replaced = 0;
        for row in &self.rows {
            replaced += match row.found {
                Found::Fields(first) => self.cells(first).write(&mut writer),
                Found::Nothing | Found::Json => {
                    writer.instead(|out| self.view(row).write_json(out))
                }
            };
            writer.end_line();
        }
        writer.finish();
        replaced
    }

    fn cells(&self, first: u32) -> Cells<'_> {
        let Table { schema, cells } = &*self.table;
        let cells = &cells[first as usize..][..schema.len()];
        Cells { schema, cells, block: &self.block }
    }

    fn with(&self, rows: Vec<Row>) -> Rows {
        Rows { block: self.block.clone(), rows, table: Arc::clone(&self.table) }
    }
}

/// For how many bytes room is made at once in JSON, for one row and for those of a batch.
const ROOM_FOR_ONE: usize = 512;
const ROOM_FOR_MANY: usize = 64 << 10;

/// The fields of one row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cells<'a> {
    schema: &'a Schema,
    cells: &'a [Cell],
    block: &'a Block,
}

impl<'a> Cells<'a> {
    pub(super) fn get(self, name: &str) -> Option<Value> {
        self.value(self.cells[self.schema.position(name)?])
    }

    pub(super) fn to_map(self) -> Map {
        let fields = self.schema.fields.iter().zip(self.cells);
        let mut map = Map::with_capacity(self.cells.len());
        for (field, cell) in fields {
            if let Some(value) = self.value(*cell) {
                map.insert(field.name.clone(), value);
            }
        }
        map
    }

    /// See [`json::write_map`].
    pub(super) fn write_json(self, out: &mut Vec<u8>) -> usize {
        let mut writer = RowWriter::new(out, ROOM_FOR_ONE);
        let replaced = self.write(&mut writer);
        writer.finish();
        replaced
    }

    #[inline]
    fn write(self, row: &mut RowWriter<'_>) -> usize {
        let mut replaced = 0;
        for (field, cell) in self.schema.fields.iter().zip(self.cells) {
            let label = &field.label;
            match *cell {
                Cell::Missing => {}
                Cell::Part(start, end) => {
                    replaced += row.text(label, self.block, (start as usize, end as usize));
                }
                Cell::Word(word) => replaced += row.word(label, word.as_bytes()),
                Cell::Int(n) => row.int(label, n),
                Cell::Time(time) => row.time(label, time),
                Cell::Bool(v) => row.bare(label, if v { b"true" } else { b"false" }),
                Cell::Null => row.bare(label, b"null"),
                Cell::Float(n) => row.float(label, n),
            }
        }
        row.end();
        replaced
    }

    fn value(self, cell: Cell) -> Option<Value> {
        Some(match cell {
            Cell::Missing => return None,
            Cell::Part(start, end) => self.part(start as usize, end as usize),
            Cell::Word(word) => Value::from(*word),
            Cell::Null => Value::Null,
            Cell::Bool(v) => Value::Bool(v),
            Cell::Int(n) => Value::Int(n),
            Cell::Float(n) => Value::Float(n),
            Cell::Time(time) => Value::Time(time),
        })
    }

    fn part(self, start: usize, end: usize) -> Value {
        match std::str::from_utf8(&self.block[start..end]) {
            Ok(text) => Value::Text(Text::in_block(text, self.block)),
            Err(_) => Value::Bytes(self.block.slice(start, end)),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::data::Batch;

    fn written(batch: &Batch) -> Vec<String> {
        let json = |record: RecordRef<'_>| {
            let mut out = Vec::new();
            record.write_json(&mut out);
            String::from_utf8(out).unwrap()
        };
        batch.iter().map(json).collect()
    }

    /// One row of each kind.
    fn rows() -> Rows {
        let text = "plain\n{\"a\": 1.0}\nGET caf\u{e9}\n-\n";
        let block = Block::from(text.as_bytes().to_vec());
        let schema = Arc::new(Schema::new(["method", "what \"", "n", "f", "b", "t", "no", "w"]));
        let mut rows = Rows::new(block, schema, 4);
        let time = Timestamp::from_nanos(7);
        rows.push_line(LineRange { start: 0, end: 5 }, time);
        rows.push_json(LineRange { start: 6, end: 16 }, time);
        let (n, f, b) = (Cell::Int(-1), Cell::Float(0.5), Cell::Bool(true));
        let fields = [
            Cell::Part(17, 20),
            Cell::Part(21, 26),
            n,
            f,
            b,
            Cell::Time(time),
            Cell::Null,
            Cell::Word(&"\"w\""),
        ];
        rows.push_fields(LineRange { start: 17, end: 26 }, time, &fields);
        rows.push_fields(LineRange { start: 27, end: 28 }, time, &[Cell::Missing; 8]);
        rows
    }

    fn batch() -> Batch {
        let mut batch = Batch::new(Vec::new());
        batch.set_rows(rows());
        batch
    }

    #[test]
    fn rows_are_written_as_their_records_are() {
        let batch = batch();
        let lazily = written(&batch);
        assert_eq!(
            lazily[2],
            "{\"method\":\"GET\",\"what \\\"\":\"caf\u{e9}\",\"n\":-1,\"f\":0.5,\"b\":true,\
             \"t\":\"1970-01-01T00:00:00.000000007Z\",\"no\":null,\"w\":\"\\\"w\\\"\"}"
        );
        assert_eq!((&*lazily[0], &*lazily[1]), (r#"{"message":"plain"}"#, r#"{"a": 1.0}"#));
        assert_eq!(lazily[3], "{}");
        let mut records = batch.fork();
        records.records_mut();
        assert_eq!(written(&records), lazily);
        for batch in [&batch, &records] {
            let mut lines = Vec::new();
            assert_eq!(batch.write_json_lines(&mut lines), 0);
            assert_eq!(String::from_utf8(lines).unwrap(), lazily.join("\n") + "\n");
        }
        assert_eq!((records.weight(), batch.weight()), (25, 25));
        for (lazy, record) in batch.iter().zip(records.iter()) {
            assert_eq!(lazy.to_record(), record.to_record());
            assert_eq!(lazy.fields(), record.fields());
            for name in ["method", "what \"", "n", "f", "b", "t", "no", "w", "a", "message", "x"] {
                assert_eq!(lazy.get(name), record.get(name), "{name}");
            }
            assert_eq!((lazy.time(), lazy.line()), (record.time(), record.line()));
        }
    }

    proptest! {
        #[test]
        fn text_is_written_as_its_record_is(
            parts in prop::collection::vec(
                prop_oneof![3 => "[a-z ]{0,20}", 1 => ".{0,12}", 1 => "[a\"\u{e9}]{0,9}"], 1..5,
            ),
            (n, x) in (any::<i64>(), any::<f64>()),
        ) {
            let block = Block::from(parts.concat().into_bytes());
            let names = (0..parts.len() + 4).map(|i| "a_rather_long_name".repeat(i) + "f");
            let mut rows = Rows::new(block, Arc::new(Schema::new(names)), 1);
            let mut at = 0;
            let words = [Cell::Word(&"warning"), Cell::Word(&"a word of more than sixteen bytes")];
            let mut cells = vec![Cell::Int(n), Cell::Float(x), words[0], words[1]];
            cells.extend(parts.iter().map(|part| {
                at += part.len() as u32;
                Cell::Part(at - part.len() as u32, at)
            }));
            let line = LineRange { start: 0, end: at };
            rows.push_fields(line, Timestamp::default(), &cells);
            let mut batch = Batch::new(Vec::new());
            batch.set_rows(rows);
            let lazily = written(&batch);
            let mut lines = b"before".to_vec();
            prop_assert_eq!(batch.write_json_lines(&mut lines), 0);
            prop_assert_eq!(String::from_utf8(lines).unwrap(), format!("before{}\n", lazily[0]));
            batch.records_mut();
            prop_assert_eq!(written(&batch), lazily);
        }
    }

    #[test]
    fn rows_are_divided_like_records() {
        let mut first = batch();
        let rest = first.split_off(2);
        let mut both = written(&first);
        both.extend(written(&rest));
        assert_eq!(both, written(&batch()));
        let mut left = batch();
        let lines = left.extract(|record| record.line().is_some());
        assert_eq!((lines.len(), left.len()), (1, 3));
        assert_eq!(left.retain(|record| record.get("n").is_some()), 2);
        assert_eq!(written(&left), written(&batch())[2..3]);
    }

    #[test]
    fn room_for_cells_is_used_again_when_nobody_reads_them() {
        let schema = Arc::new(Schema::new(["a"]));
        let rows = |n: i64| {
            let block = Block::from(b"line".to_vec());
            let mut rows = Rows::new(block, Arc::clone(&schema), 1);
            let line = LineRange { start: 0, end: 4 };
            rows.push_fields(line, Timestamp::default(), &[Cell::Int(n)]);
            rows
        };
        let numbers = |rows: &Rows| rows.get(0).get("a").unwrap().as_int();
        let mut first = rows(1);
        let half = first.split_off(1);
        let second = rows(2);
        drop(first);
        assert_eq!((schema.spare().len(), half.len()), (0, 0));
        drop(half);
        assert_eq!(schema.spare().len(), 1);
        let third = rows(3);
        assert!(schema.spare().is_empty());
        assert_eq!((numbers(&second), numbers(&third)), (Some(2), Some(3)));
        drop((0..10).map(rows).collect::<Vec<_>>());
        assert_eq!(schema.spare().len(), SPARE);
        Rows::new(Block::from(Vec::new()), Arc::clone(&schema), SPARE_CELLS + 1);
        assert_eq!(schema.spare().len(), SPARE - 1);
    }

    #[test]
    #[should_panic(expected = "a part of a line lies in it")]
    fn a_part_lies_in_its_line() {
        let mut rows = Rows::new(Block::from(vec![0; 9]), Arc::new(Schema::new(["a"])), 1);
        rows.push_fields(LineRange { start: 3, end: 6 }, Timestamp::default(), &[Cell::Part(5, 7)]);
    }

    #[test]
    #[should_panic(expected = "the field a is there twice")]
    fn names_differ() {
        Schema::new(["a", "a"]);
    }
}
