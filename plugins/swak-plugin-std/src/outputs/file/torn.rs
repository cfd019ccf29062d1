//! What a killed agent may have left at the end of a file, and how it is mended.
//!
//! A record that was written in part was promised to nobody, and comes again. What was written of it must
//! only not spoil what comes after it.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use memchr::memchr_iter;

/// What is written to a file, as far as its end goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Writing {
    /// Lines, each with its end.
    Lines,
    /// Rows, in which a quoted cell may hold line ends.
    Csv,
    /// One MessagePack map after the other.
    Msgpack,
}

/// How a file is mended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mend {
    /// These bytes are written before the next record; mostly none.
    End(&'static [u8]),
    /// It is cut to this length.
    Cut(u64),
}

impl Mend {
    /// Nothing is to be mended.
    pub(super) const NOTHING: Mend = Mend::End(b"");
}

/// How a regular file is to be mended; `header` is what its first row is to be. It holds whole records up
/// to `from`, so that only what comes after that is looked at. A file that may be written but not read is
/// taken to be whole.
pub(super) fn look(path: &Path, writing: Writing, header: Option<&[u8]>, from: u64) -> Mend {
    let found = match look_from(path, writing, header, from) {
        // Somebody may have put something else into the file since it was whole up to there: on that ground
        // nothing is cut.
        Ok(mend) if mend != Mend::NOTHING && from > 0 => look_from(path, writing, header, 0),
        found => found,
    };
    found.unwrap_or(Mend::NOTHING)
}

fn look_from(path: &Path, writing: Writing, header: Option<&[u8]>, from: u64) -> io::Result<Mend> {
    let mut file = File::open(path)?;
    let len = file.metadata()?.len();
    if len <= from {
        return Ok(Mend::NOTHING);
    }
    file.seek(SeekFrom::Start(from))?;
    match writing {
        Writing::Msgpack => {
            return Ok(whole_maps(file, from, len)?.map_or(Mend::NOTHING, Mend::Cut));
        }
        Writing::Csv if from == 0 && is_part_of(&file, len, header.unwrap_or_default())? => {
            return Ok(Mend::Cut(0));
        }
        Writing::Csv if is_in_quotes(&file)? => return Ok(Mend::End(b"\"\n")),
        Writing::Csv | Writing::Lines => {}
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(Mend::End(if last == *b"\n" { b"" } else { b"\n" }))
}

/// Whether the file holds the beginning of a header, and nothing else.
fn is_part_of(mut file: &File, len: u64, header: &[u8]) -> io::Result<bool> {
    if len >= header.len() as u64 {
        return Ok(false);
    }
    let mut content = Vec::new();
    file.read_to_end(&mut content)?;
    file.rewind()?;
    Ok(header.starts_with(&content))
}

/// Whether the rest of CSV ends within a quoted cell: quotes within a cell are doubled, so that their
/// number is even wherever one ends.
fn is_in_quotes(mut file: &File) -> io::Result<bool> {
    let mut buffer = vec![0; 256 << 10];
    let mut quotes = 0;
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(quotes % 2 == 1),
            read => quotes += memchr_iter(b'"', &buffer[..read]).count(),
        }
    }
}

/// The length of the maps that are whole, of MessagePack that is looked at `from` there and ends within
/// one; `None` when it does not, or holds anything but maps, so that somebody else has written it.
fn whole_maps(file: File, from: u64, len: u64) -> io::Result<Option<u64>> {
    let mut values = Values { input: BufReader::with_capacity(256 << 10, file), at: from, len };
    while values.at < len {
        let start = values.at;
        match values.skip()? {
            Some(Kind::Map) => {}
            Some(Kind::Other) => return Ok(None),
            None => return Ok(Some(start)),
        }
    }
    Ok(None)
}

/// MessagePack that is passed over.
struct Values {
    input: BufReader<File>,
    at: u64,
    len: u64,
}

enum Kind {
    Map,
    Other,
}

impl Values {
    /// Passes over a value; `None` when it goes on beyond the end. Of what is no map only the beginning
    /// is looked at.
    fn skip(&mut self) -> io::Result<Option<Kind>> {
        let (mut left, mut is_first) = (1_u64, true);
        while left > 0 {
            left -= 1;
            let Some(marker) = self.number(1)? else { return Ok(None) };
            let is_map = matches!(marker, 0x80..=0x8f | 0xde | 0xdf);
            if std::mem::replace(&mut is_first, false) && !is_map {
                return Ok(Some(Kind::Other));
            }
            // How many bytes say how long it is, what is added to that, and what it counts.
            let (width, more, each) = match marker {
                0x80..=0x8f => (0, (marker & 0x0f) * 2, Each::Value),
                0x90..=0x9f => (0, marker & 0x0f, Each::Value),
                0xa0..=0xbf => (0, marker & 0x1f, Each::Byte),
                0xc4 | 0xd9 => (1, 0, Each::Byte),
                0xc5 | 0xda => (2, 0, Each::Byte),
                0xc6 | 0xdb => (4, 0, Each::Byte),
                0xc7..=0xc9 => (1 << (marker - 0xc7), 1, Each::Byte),
                0xca | 0xce | 0xd2 => (0, 4, Each::Byte),
                0xcb | 0xcf | 0xd3 => (0, 8, Each::Byte),
                0xcc | 0xd0 => (0, 1, Each::Byte),
                0xcd | 0xd1 => (0, 2, Each::Byte),
                0xd4..=0xd8 => (0, 1 + (1 << (marker - 0xd4)), Each::Byte),
                0xdc | 0xde => (2, 0, Each::Value),
                0xdd | 0xdf => (4, 0, Each::Value),
                // Small numbers, nil and bools are their own markers.
                _ => (0, 0, Each::Byte),
            };
            let Some(count) = self.number(width)? else { return Ok(None) };
            let pairs = if matches!(marker, 0xde | 0xdf) { 2 } else { 1 };
            let count = count * pairs + more;
            match each {
                Each::Value => left += count,
                Each::Byte if self.len - self.at < count => return Ok(None),
                Each::Byte => {
                    self.input.seek_relative(i64::try_from(count).unwrap_or(i64::MAX))?;
                    self.at += count;
                }
            }
        }
        Ok(Some(Kind::Map))
    }

    /// A number of so many bytes, the highest first; `None` when it goes on beyond the end.
    fn number(&mut self, width: usize) -> io::Result<Option<u64>> {
        if self.len - self.at < width as u64 {
            return Ok(None);
        }
        let mut bytes = [0; 8];
        self.input.read_exact(&mut bytes[8 - width..])?;
        self.at += width as u64;
        Ok(Some(u64::from_be_bytes(bytes)))
    }
}

enum Each {
    Byte,
    Value,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use swak_sdk::prelude::*;

    use super::*;
    use crate::formats::{Encoder, Format, FormatOptions};

    fn mend(content: &[u8], writing: Writing, from: u64) -> Mend {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), content).unwrap();
        look(file.path(), writing, Some(b"h,\"b\nb\",c\n"), from)
    }

    #[test]
    fn a_line_or_a_cell_is_ended() {
        for (content, lines, csv) in [
            ("", "", ""),
            ("a\n", "", ""),
            ("a", "\n", "\n"),
            ("a,\"b\n", "", "\"\n"),
            ("a,\"b\"\"\nc", "\n", "\"\n"),
            ("a,\"b\"\n\"c\"", "\n", "\n"),
        ] {
            assert_eq!(mend(content.as_bytes(), Writing::Lines, 0), Mend::End(lines.as_bytes()));
            assert_eq!(mend(content.as_bytes(), Writing::Csv, 0), Mend::End(csv.as_bytes()));
        }
        assert_eq!(mend(b"a\n\"a\n", Writing::Csv, 2), Mend::End(b"\"\n"));
        assert_eq!(look(Path::new("/no/such/file"), Writing::Lines, None, 0), Mend::NOTHING);
    }

    #[test]
    fn a_header_that_was_written_in_part_is_written_anew() {
        let header = "h,\"b\nb\",c\n";
        for end in 1..header.len() {
            assert_eq!(mend(&header.as_bytes()[..end], Writing::Csv, 0), Mend::Cut(0), "{end}");
        }
        assert_eq!(mend(header.as_bytes(), Writing::Csv, 0), Mend::NOTHING);
        assert_eq!(mend(b"h,\"b\nb\",c\n1", Writing::Csv, 0), Mend::End(b"\n"));
        assert_eq!(mend(b"h,c", Writing::Csv, 0), Mend::End(b"\n"));
    }

    #[test]
    fn what_is_not_ours_is_never_cut() {
        for content in [&b"text"[..], b"\x93\x01", b"\xdb\xff\xff\xff\xffx", b"\x81\xa1a\x01text"] {
            assert_eq!(mend(content, Writing::Msgpack, 0), Mend::NOTHING, "{content:?}");
        }
        assert_eq!(mend(b"\x81\xa1a\x01\x82", Writing::Msgpack, 0), Mend::Cut(4));
        assert_eq!(mend(b"\x81\xa1a\x01\x82", Writing::Msgpack, 4), Mend::Cut(4));
    }

    #[test]
    fn what_is_torn_is_so_from_the_beginning_on() {
        // From within a value it looks torn: somebody has made the file anew.
        assert_eq!(mend(b"\x81\xa1a\xa2\x82\x01", Writing::Msgpack, 4), Mend::NOTHING);
        assert_eq!(mend(b"a,\"b\"\n", Writing::Csv, 4), Mend::NOTHING);
        // What is before there is not looked at again.
        assert_eq!(mend(b"\x93\x81\xa1a\x01", Writing::Msgpack, 1), Mend::NOTHING);
    }

    /// A map with values of every kind and size.
    fn record(n: usize) -> Record {
        let text = "x".repeat(n);
        let values = [
            Value::Null,
            Value::Bool(true),
            Value::Int(-1),
            Value::Int(1 << 40),
            Value::Int(300),
            Value::Float(0.5),
            Value::from(text.as_str()),
            Value::Bytes(vec![0xff; n].into()),
            Value::Time(Timestamp::from_nanos(1)),
            Value::Time(Timestamp::from_nanos(-1)),
            Value::List(vec![Value::Int(7); n % 40]),
        ];
        let map: Map =
            values.into_iter().enumerate().map(|(i, v)| (format!("field {i}"), v)).collect();
        let many: Map = (0..n % 40).map(|i| (i.to_string(), i as i64)).collect();
        let fields = [("map", Value::from(map)), ("many", Value::from(many))];
        Record::from_fields(fields.into_iter().collect(), Timestamp::default())
    }

    proptest! {
        #[test]
        fn maps_are_cut_where_the_last_whole_one_ends(
            sizes in proptest::collection::vec(prop_oneof![0usize..60, 250usize..300, 65_500usize..65_600], 1..4),
            cut in any::<prop::sample::Index>(),
        ) {
            let format = FormatOptions { format: Format::Msgpack, columns: Vec::new(), delimiter: ',', template: None };
            let encoder = Encoder::new(format).unwrap();
            let (mut content, mut ends) = (Vec::new(), vec![0]);
            for size in sizes {
                let batch = Batch::new(vec![record(size)]);
                encoder.encode_record(&batch, batch.get(0), &mut content).unwrap();
                ends.push(content.len());
            }
            prop_assert_eq!(mend(&content, Writing::Msgpack, 0), Mend::NOTHING);
            let cut = cut.index(content.len());
            let whole = *ends.iter().rfind(|end| **end <= cut).unwrap();
            let expected = if whole == cut { Mend::NOTHING } else { Mend::Cut(whole as u64) };
            prop_assert_eq!(mend(&content[..cut], Writing::Msgpack, 0), expected);
        }
    }
}
