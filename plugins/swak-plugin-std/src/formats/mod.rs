//! How records are written: raw lines, JSON, CSV, MessagePack or by a template.
//!
//! One [`Encoder`] serves every output and `out.Exec`. It turns a chunk into [`Encoded`] pieces:
//! bytes of one buffer that is used again and again, and whole runs of lines that are borrowed from
//! the block they were read into, so that a chain that only forwards copies nothing.

mod base64;
mod csv;
mod encoded;
mod msgpack;
mod raw;
pub(crate) mod record;
mod replaced;

pub(crate) use csv::delimiter_byte;
pub(crate) use encoded::Encoded;
pub(crate) use replaced::Replaced;

use swak_sdk::data::json;
use swak_sdk::options::EvalError;
use swak_sdk::prelude::*;

/// The form in which records are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Choice)]
pub(crate) enum Format {
    /// Lines byte for byte as they were read, parsed records as JSON; one a line.
    Raw,
    /// One JSON object a line.
    Json,
    /// One CSV row (RFC 4180) a record, of the fields in `columns`.
    Csv,
    /// One MessagePack map a record; times are its timestamp extension.
    Msgpack,
    /// One line a record, as `template` says.
    Template,
    /// One JSON object a line with all that is known of a record, so that it can be read back: its time
    /// to the nanosecond, `tag`, `source`, and its `line` or its `fields`. Of lists and maps in each other
    /// it takes 125 within a field, or fewer: what could not be read back is rejected.
    Record,
}

/// The options that say how records are written; plugins that have them are alike in it.
pub(crate) struct FormatOptions {
    pub(crate) format: Format,
    pub(crate) columns: Vec<FieldPath>,
    pub(crate) delimiter: char,
    pub(crate) template: Option<Template>,
}

/// Writes records in one form.
pub(crate) struct Encoder {
    form: Form,
    is_read_back: bool,
    buffer: Vec<u8>,
}

enum Form {
    Raw,
    Json,
    Csv(csv::Rows),
    Msgpack,
    Template(Template),
    Record,
}

/// A record that its form cannot say.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EncodeError {
    /// The template fails on it.
    #[error("a record cannot be written with this template")]
    Template(#[from] EvalError),
    /// It could not be read back.
    #[error(
        "a record has too many lists and maps in each other: with those of its form, more than {} cannot \
         be read back",
        json::MAX_DEPTH
    )]
    TooDeep,
}

impl Encoder {
    /// An encoder, unless the options do not go together.
    pub(crate) fn new(options: FormatOptions) -> Result<Self> {
        let FormatOptions { format, columns, delimiter, template } = options;
        if format != Format::Csv {
            ensure!(
                columns.is_empty(),
                "`columns` are for format=\"csv\", but the format is \"{}\"",
                format.name()
            );
        }
        if format != Format::Template {
            ensure!(
                template.is_none(),
                "`template` is for format=\"template\", but the format is \"{}\"",
                format.name()
            );
        }
        let form = match format {
            Format::Raw => Form::Raw,
            Format::Json => Form::Json,
            Format::Csv => Form::Csv(csv::Rows::new(columns, delimiter)?),
            Format::Msgpack => Form::Msgpack,
            Format::Record => Form::Record,
            Format::Template => Form::Template(template.context(
                "format=\"template\" needs the template: add template=\"{{ message }}\"",
            )?),
        };
        Ok(Encoder { form, is_read_back: false, buffer: Vec::new() })
    }

    /// What is written will be read back, so that nothing is written in a form which is read that could
    /// not be. `format="record"` is so in any case.
    pub(crate) fn is_read_back(&mut self) {
        self.is_read_back = true;
    }

    /// What stands once at the beginning of a file: the names of the columns.
    pub(crate) fn header(&self) -> Option<Vec<u8>> {
        match &self.form {
            Form::Csv(rows) => Some(rows.header()),
            _ => None,
        }
    }

    /// Appends one record with its line end. Gives back how many values held bytes that had to be
    /// replaced, as they are not UTF-8.
    pub(crate) fn encode_record(
        &self,
        batch: &Batch,
        record: RecordRef<'_>,
        out: &mut Vec<u8>,
    ) -> Result<usize, EncodeError> {
        let mut replaced = 0;
        match &self.form {
            Form::Raw => replaced = record.write_raw(out),
            Form::Json if self.is_read_back && is_too_deep(record) => {
                return Err(EncodeError::TooDeep);
            }
            Form::Json => replaced = record.write_json(out),
            Form::Csv(rows) => rows.write(record, out),
            Form::Msgpack => {
                msgpack::write_record(record, out);
                return Ok(0);
            }
            Form::Template(template) => {
                template.render_into(&Scope::new(batch, record), out)?;
            }
            Form::Record => {
                record::write(batch, record, out).map_err(|_| EncodeError::TooDeep)?;
            }
        }
        out.push(b'\n');
        Ok(replaced)
    }

    /// Encodes a chunk. The pieces borrow from it and from this encoder's buffer.
    pub(crate) fn encode<'a>(&'a mut self, chunk: &'a Chunk) -> Result<Encoded<'a>, EncodeError> {
        let mut buffer = std::mem::take(&mut self.buffer);
        buffer.clear();
        let (mut pieces, mut replaced) = (Vec::new(), 0);
        for batch in chunk.batches() {
            if let Some(run) = self.run_as_it_is(batch) {
                raw::write_run(run, &mut buffer, &mut pieces);
                continue;
            }
            match self.as_they_are(batch) {
                Some((block, lines)) => raw::write_lines(block, lines, &mut buffer, &mut pieces),
                _ => {
                    let start = buffer.len();
                    if matches!(self.form, Form::Json) && !self.is_read_back {
                        replaced += batch.write_json_lines(&mut buffer);
                    } else {
                        for record in batch.iter() {
                            replaced += self.encode_record(batch, record, &mut buffer)?;
                        }
                    }
                    encoded::push_buffered(&mut pieces, start..buffer.len());
                }
            }
        }
        self.buffer = buffer;
        Ok(Encoded::new(&self.buffer, pieces, replaced))
    }

    /// The lines of a batch with their ends, when this form writes them as they stand in their block.
    fn run_as_it_is<'a>(&self, batch: &'a Batch) -> Option<&'a [u8]> {
        match self.form {
            Form::Raw => batch.run(),
            Form::Json => batch.json_lines().and_then(|_| batch.run()),
            _ => None,
        }
    }

    /// The lines of a batch, when this form writes them as they were read.
    fn as_they_are<'a>(&self, batch: &'a Batch) -> Option<(&'a Block, &'a [LineRange])> {
        match self.form {
            Form::Raw => batch.lines().or(batch.json_lines()),
            // It was read, so that it can be.
            Form::Json => batch.json_lines(),
            _ => None,
        }
    }
}

fn is_too_deep(record: RecordRef<'_>) -> bool {
    let is_read = record.json().is_some();
    !is_read && record.fields().is_some_and(|fields| json::depth(&fields) > json::MAX_DEPTH)
}

#[cfg(test)]
mod tests;
