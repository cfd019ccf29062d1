//! Bytes to chunks. Whatever the bytes are, nothing panics, and memory stays within a small multiple of
//! them.

use super::{MAX_DEPTH, VERSION, flag, kind};
use crate::data::{
    Batch, Block, Chunk, JsonReader, LineRange, Map, Name, Record, Slice, Text, Timestamp, Value,
};

/// Why bytes are not a chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// A newer version has written it.
    #[error(
        "the chunk has format {0}, which a newer version has written; this one knows {VERSION}"
    )]
    Newer(u8),
    /// They are not what that version writes.
    #[error("not a chunk: {what} at byte {at}")]
    Wrong {
        /// The byte at which it is seen.
        at: usize,
        /// What is wrong there.
        what: &'static str,
    },
}

/// Reads the bytes of a chunk. Lines, long texts and bytes are ranges of the block; nothing has an ack.
///
/// # Errors
/// They are not what [`encode`](super::encode) wrote.
pub fn decode(block: &Block) -> Result<Chunk, DecodeError> {
    let mut reader = Reader { block, at: 0, reserved: 0 };
    match reader.byte()? {
        1..=VERSION => {}
        0 => return Err(reader.wrong("there is no version 0")),
        version => return Err(DecodeError::Newer(version)),
    }
    let count = reader.count()?;
    let mut chunk = Chunk::default();
    let (mut tag, mut source) = (Name::default(), Name::default());
    let mut json = JsonReader::new();
    for _ in 0..count {
        let flags = reader.byte()?;
        if flags & flag::SAME_TAG == 0 {
            tag = reader.name()?;
        }
        if flags & flag::SAME_SOURCE == 0 {
            source = reader.name()?;
        }
        let batch = match flags & flag::LINES {
            0 => reader.records()?,
            _ => {
                let mut lines = reader.lines()?;
                if flags & flag::JSON_LINES != 0 && !lines.read_json_lines(&mut json) {
                    return Err(reader.wrong("a line is not the JSON that it should be"));
                }
                lines
            }
        };
        chunk.push(batch.with_tag(tag.clone()).with_source(source.clone()));
    }
    match reader.at == block.len() {
        true => Ok(chunk),
        false => Err(reader.wrong("there is more than a chunk")),
    }
}

struct Reader<'a> {
    block: &'a Block,
    at: usize,
    /// The bytes of memory that were reserved on the word of a count.
    reserved: usize,
}

type Result<T, E = DecodeError> = std::result::Result<T, E>;

impl<'a> Reader<'a> {
    fn lines(&mut self) -> Result<Batch> {
        let time = self.time()?;
        let gap = usize::from(self.byte()?);
        let count = self.count()?;
        let mut lines = Vec::with_capacity(self.room_for::<LineRange>(count));
        // Relative to where the bytes begin, which is known behind the lengths.
        let mut end = 0usize;
        for i in 0..count {
            let start = if i == 0 { 0 } else { end.saturating_add(gap) };
            end = start.saturating_add(self.number()?.try_into().unwrap_or(usize::MAX));
            if end > self.block.len() {
                return Err(self.wrong("a line ends behind the chunk"));
            }
            lines.push(LineRange { start: start as u32, end: end as u32 });
        }
        let first = self.at;
        self.bytes(end)?;
        for line in &mut lines {
            line.start += first as u32;
            line.end += first as u32;
        }
        Ok(Batch::from_lines(self.block.clone(), lines, time))
    }

    fn records(&mut self) -> Result<Batch> {
        let count = self.count()?;
        let mut records = Vec::with_capacity(self.room_for::<Record>(count));
        let mut time = 0i64;
        for _ in 0..count {
            records.push(self.record(&mut time)?);
        }
        Ok(Batch::new(records))
    }

    fn record(&mut self, time: &mut i64) -> Result<Record> {
        let flags = self.byte()?;
        *time = time.wrapping_add(self.signed()?);
        let at = Timestamp::from_nanos(*time);
        let weight = match flags & flag::WEIGHS_ITS_LENGTH {
            0 => {
                let weight = self.number()?;
                Some(u32::try_from(weight).map_err(|_| self.wrong("a weight is too large"))?)
            }
            _ => None,
        };
        let fields = match flags & flag::FIELDS {
            0 => None,
            _ => Some(self.map(0)?),
        };
        let mut record = match (fields, flags & flag::JSON) {
            (None, 0) => Record::from_line(self.slice()?, at),
            (Some(fields), 0) => Record::from_fields(fields, at),
            _ => Record::from_json(self.slice()?, at)
                .map_err(|_| self.wrong("it is not the JSON that it should be"))?,
        };
        if let Some(weight) = weight {
            record.set_weight(weight);
        }
        record.set_truncated(flags & flag::TRUNCATED != 0);
        Ok(record)
    }

    fn map(&mut self, depth: usize) -> Result<Map> {
        let count = self.count()?;
        let mut map = Map::with_capacity(self.room_for::<(Text, Value)>(count));
        for _ in 0..count {
            let name = self.text()?;
            map.insert(name, self.value(depth)?);
        }
        Ok(map)
    }

    fn value(&mut self, depth: usize) -> Result<Value> {
        if depth > MAX_DEPTH {
            return Err(self.wrong("too many lists and maps are in each other"));
        }
        Ok(match self.byte()? {
            kind::NULL => Value::Null,
            kind::FALSE => Value::Bool(false),
            kind::TRUE => Value::Bool(true),
            kind::INT => Value::Int(self.signed()?),
            kind::FLOAT => Value::Float(f64::from_bits(u64::from_le_bytes(self.eight()?))),
            kind::TEXT => Value::Text(self.text()?),
            kind::BYTES => Value::Bytes(self.slice()?),
            kind::TIME => Value::Time(self.time()?),
            kind::LIST => {
                let count = self.count()?;
                let mut items = Vec::with_capacity(self.room_for::<Value>(count));
                for _ in 0..count {
                    items.push(self.value(depth + 1)?);
                }
                Value::List(items)
            }
            kind::MAP => Value::from(self.map(depth + 1)?),
            _ => return Err(self.wrong("a type of value that there is not")),
        })
    }

    fn name(&mut self) -> Result<Name> {
        let bytes = self.counted()?;
        let text = std::str::from_utf8(bytes).map_err(|_| self.wrong("a name is not UTF-8"))?;
        Ok(Name::from(text))
    }

    fn text(&mut self) -> Result<Text> {
        let bytes = self.counted()?;
        let text = std::str::from_utf8(bytes).map_err(|_| self.wrong("text is not UTF-8"))?;
        // Long text shares the block; short text does not even count itself as a user of it.
        match self.block.subset(bytes).filter(|slice| slice.len() > SHORT) {
            Some(slice) => Ok(Text::from_slice(&slice).unwrap_or_else(|| text.into())),
            None => Ok(text.into()),
        }
    }

    fn slice(&mut self) -> Result<Slice> {
        let len = self.counted()?.len();
        Ok(self.block.slice(self.at - len, self.at))
    }

    fn counted(&mut self) -> Result<&'a [u8]> {
        let len = self.count()?;
        self.bytes(len)
    }

    /// How many of something there are that takes a byte at the least.
    fn count(&mut self) -> Result<usize> {
        let n = self.number()?;
        let left = self.block.len() - self.at;
        match usize::try_from(n) {
            Ok(n) if n <= left => Ok(n),
            _ => Err(self.wrong("more is announced than there is")),
        }
    }

    /// For how many of these room is made before they are read: what comes in grows as it is read, and a
    /// count that lies, or many in each other, must not take more than there are bytes.
    fn room_for<T>(&mut self, count: usize) -> usize {
        let left = self.block.len() - self.at.max(self.reserved);
        let room = count.min(left / size_of::<T>().max(1));
        self.reserved += room * size_of::<T>();
        room
    }

    fn time(&mut self) -> Result<Timestamp> {
        Ok(Timestamp::from_nanos(i64::from_le_bytes(self.eight()?)))
    }

    fn eight(&mut self) -> Result<[u8; 8]> {
        Ok(self.bytes(8)?.try_into().expect("eight bytes were asked for"))
    }

    fn signed(&mut self) -> Result<i64> {
        let n = self.number()?;
        Ok((n >> 1) as i64 ^ -((n & 1) as i64))
    }

    fn number(&mut self) -> Result<u64> {
        let mut n = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let part = u64::from(byte & 0x7f);
            if shift == 63 && part > 1 {
                break;
            }
            n |= part << shift;
            if byte < 0x80 {
                return Ok(n);
            }
        }
        Err(self.wrong("a number is too long"))
    }

    fn byte(&mut self) -> Result<u8> {
        Ok(self.bytes(1)?[0])
    }

    fn bytes(&mut self, len: usize) -> Result<&'a [u8]> {
        let end = self.at.checked_add(len);
        let Some(bytes) = end.and_then(|end| self.block.get(self.at..end)) else {
            return Err(self.wrong("it ends too early"));
        };
        self.at += len;
        Ok(bytes)
    }

    fn wrong(&self, what: &'static str) -> DecodeError {
        DecodeError::Wrong { at: self.at, what }
    }
}

/// Text up to this length is held in place: see [`Text`].
const SHORT: usize = 22;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_reserve_no_more_than_there_is() {
        let block = Block::from(vec![0; 10_000]);
        let mut reader = Reader { block: &block, at: 0, reserved: 0 };
        let mut reserved = 0;
        // As lists in each other, each of which says that all the rest is in it.
        for _ in 0..MAX_DEPTH {
            reserved += reader.room_for::<Value>(9_000) * size_of::<Value>();
            reader.at += 3;
        }
        assert!((5_000..=10_000).contains(&reserved), "{reserved}");
        assert_eq!(Reader { block: &block, at: 9_990, reserved: 0 }.room_for::<LineRange>(9), 1);
    }
}
