//! From records to messages, and acks both ways.

use swak_sdk::data::{RecordRef, Slice, Value};

use crate::msgpack::{Malformed, Reader, Writer};

/// Appends a message in PackedForward mode: records until there are no more, or until they are
/// `enough` bytes. With `chunk` an ack of that name is asked for.
pub(crate) fn write_packed_forward<'a>(
    out: &mut Vec<u8>,
    tag: &str,
    chunk: Option<&str>,
    records: &mut impl Iterator<Item = RecordRef<'a>>,
    enough: usize,
) {
    let mut writer = Writer(out);
    writer.array(3);
    writer.str(tag);
    let mut n = 0;
    writer.bin_of(|writer| {
        let start = writer.0.len();
        while writer.0.len() - start < enough
            && let Some(record) = records.next()
        {
            writer.event(record);
            n += 1;
        }
    });
    writer.begin_map(1 + usize::from(chunk.is_some()));
    writer.str("size");
    writer.int(n);
    if let Some(chunk) = chunk {
        writer.str("chunk");
        writer.str(chunk);
    }
}

/// Appends the ack of a chunk, which is named as its sender named it.
pub(crate) fn write_ack(out: &mut Vec<u8>, chunk: &[u8]) {
    let mut writer = Writer(out);
    writer.begin_map(1);
    writer.str("ack");
    writer.text_or_bytes(chunk);
}

/// The chunk that an ack is for.
pub(crate) fn read_ack(answer: &Slice) -> Result<Vec<u8>, Malformed> {
    let map = Reader::new(answer).map()?;
    let chunk = map.get("ack").and_then(Value::as_bytes);
    chunk.map(<[u8]>::to_vec).ok_or(Malformed { expected: "a map with the key `ack`" })
}

#[cfg(test)]
mod tests {
    use swak_sdk::data::{Record, Timestamp};

    use super::super::{Message, decode};
    use super::*;

    #[test]
    fn what_is_written_is_what_is_read() {
        let records = ["one", "two"].map(|line| {
            let fields = [("message", line)].into_iter().collect();
            Record::from_fields(fields, Timestamp::from_parts(1_795_000_000, 7))
        });
        let mut out = Vec::new();
        let mut left = records.iter().map(Record::view);
        write_packed_forward(&mut out, "a.b", Some("id"), &mut left, 1000);
        assert!(left.next().is_none());
        let Message { tag, mut entries, chunk } = decode(&out.into(), 1000).unwrap().unwrap();
        assert_eq!((&*tag, chunk.as_deref()), ("a.b", Some(&b"id"[..])));
        let now = Timestamp::default();
        let read: Result<Vec<_>, _> = std::iter::from_fn(|| entries.next(now)).collect();
        assert_eq!(read.unwrap(), records);
    }

    #[test]
    fn an_ack_names_its_chunk() {
        for chunk in [&b"id"[..], b"\xff\xfe"] {
            let mut out = Vec::new();
            write_ack(&mut out, chunk);
            assert_eq!(read_ack(&out.into()).unwrap(), chunk);
        }
        assert!(read_ack(&b"\x81\xa1x\xa1y"[..].into()).is_err());
        assert!(read_ack(&b"\x01"[..].into()).is_err());
    }
}
