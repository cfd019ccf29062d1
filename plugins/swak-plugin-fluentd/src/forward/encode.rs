//! From records to messages, and acks both ways.

use swak_sdk::data::{LineRange, RecordRef, Slice, Timestamp, Value};

use super::gzip;
use crate::msgpack::{Lines, Malformed, Open, Precision, Reader, Writer};

/// In which of the protocol's modes messages are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// An event is a message.
    Message,
    /// The events are an array.
    Forward,
    /// The events are bytes.
    PackedForward,
    /// The events are bytes, compressed.
    CompressedPackedForward,
}

/// Writes messages one after the other: [`Encoder::begin`], events, [`Encoder::end`], and again.
#[derive(Debug)]
pub(crate) struct Encoder {
    mode: Mode,
    precision: Precision,
    /// Events of the message that is written now, before they are compressed.
    plain: Vec<u8>,
    open: Option<Open>,
    /// Where the events of the message begin.
    start: usize,
    events: usize,
}

impl Encoder {
    /// For messages in this mode.
    pub(crate) fn new(mode: Mode, precision: Precision) -> Self {
        Encoder { mode, precision, plain: Vec::new(), open: None, start: 0, events: 0 }
    }

    /// Whether a message holds no more than one event.
    pub(crate) fn is_one_each(&self) -> bool {
        self.mode == Mode::Message
    }

    /// Begins a message.
    pub(crate) fn begin(&mut self, out: &mut Vec<u8>, tag: &str, with_chunk: bool) {
        self.events = 0;
        let mut writer = Writer(out);
        match self.mode {
            Mode::Message => {
                writer.array(if with_chunk { 4 } else { 3 });
                writer.str(tag);
            }
            Mode::Forward => {
                writer.array(3);
                writer.str(tag);
                self.open = Some(writer.begin_array());
            }
            Mode::PackedForward => {
                writer.array(3);
                writer.str(tag);
                self.open = Some(writer.begin_bin());
            }
            Mode::CompressedPackedForward => {
                writer.array(3);
                writer.str(tag);
                self.plain.clear();
            }
        }
        self.start = out.len();
    }

    /// Adds an event.
    #[inline]
    pub(crate) fn event(&mut self, out: &mut Vec<u8>, record: RecordRef<'_>) {
        self.events += 1;
        match self.mode {
            Mode::Message => Writer(out).time_and_fields(record, self.precision),
            Mode::Forward | Mode::PackedForward => Writer(out).event(record, self.precision),
            Mode::CompressedPackedForward => {
                Writer(&mut self.plain).event(record, self.precision);
            }
        }
    }

    /// Lines of a block that were all read at this time, for [`Encoder::lines`].
    pub(crate) fn begin_lines<'a>(
        &self,
        block: &'a [u8],
        lines: &'a [LineRange],
        time: Timestamp,
    ) -> Lines<'a> {
        Lines::new(block, lines, time, self.precision)
    }

    /// Adds events of the next lines, until those of this message take so many bytes. Gives how many.
    /// Not in [`Mode::Message`].
    pub(crate) fn lines(&mut self, out: &mut Vec<u8>, lines: &mut Lines<'_>, size: usize) -> usize {
        let taken = match self.mode {
            Mode::CompressedPackedForward => Writer(&mut self.plain).lines(lines, 0, size),
            _ => Writer(out).lines(lines, self.start, size),
        };
        self.events += taken;
        taken
    }

    /// How many bytes the events of this message take, before they are compressed.
    #[inline]
    pub(crate) fn size(&self, out: &[u8]) -> usize {
        match self.mode {
            Mode::CompressedPackedForward => self.plain.len(),
            _ => out.len() - self.start,
        }
    }

    /// Ends the message. With `chunk` an ack of that name is asked for.
    pub(crate) fn end(&mut self, out: &mut Vec<u8>, chunk: Option<&str>) {
        if self.mode == Mode::CompressedPackedForward {
            let open = Writer(out).begin_bin();
            let start = out.len();
            gzip::pack(&self.plain, out);
            let len = out.len() - start;
            Writer(out).end(open, len);
        }
        let written = out.len() - self.start;
        let mut writer = Writer(out);
        if let Some(open) = self.open.take() {
            let n = if self.mode == Mode::Forward { self.events } else { written };
            writer.end(open, n);
        }
        let compressed = self.mode == Mode::CompressedPackedForward;
        let sized = self.mode != Mode::Message;
        let options = usize::from(sized) + usize::from(compressed) + usize::from(chunk.is_some());
        if options == 0 {
            return;
        }
        writer.begin_map(options);
        if sized {
            writer.str("size");
            writer.int(i64::try_from(self.events).expect("events are in memory"));
        }
        if let Some(chunk) = chunk {
            writer.str("chunk");
            writer.str(chunk);
        }
        if compressed {
            writer.str("compressed");
            writer.str("gzip");
        }
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
    use crate::msgpack::Scanner;

    const ALL: [Mode; 4] =
        [Mode::Message, Mode::Forward, Mode::PackedForward, Mode::CompressedPackedForward];

    fn records() -> [Record; 2] {
        ["one", "two"].map(|line| {
            let fields = [("message", line)].into_iter().collect();
            Record::from_fields(fields, Timestamp::from_parts(1_795_000_000, 7))
        })
    }

    /// Each as a message of its own.
    fn read(bytes: &[u8]) -> Vec<Message> {
        let (mut found, mut at) = (Vec::new(), 0);
        while at < bytes.len() {
            let rest = &bytes[at..];
            let len = Scanner::default().advance(rest, rest.len()).unwrap().unwrap();
            found.push(decode(&rest[..len].into(), 1000).unwrap().unwrap());
            at += len;
        }
        found
    }

    #[test]
    fn what_is_written_is_what_is_read_in_every_mode() {
        for mode in ALL {
            for chunk in [None, Some("id")] {
                let mut encoder = Encoder::new(mode, Precision::Nanoseconds);
                let mut out = Vec::new();
                let per_message = if encoder.is_one_each() { 1 } else { 2 };
                for some in records().chunks(per_message) {
                    encoder.begin(&mut out, "a.b", chunk.is_some());
                    for record in some {
                        encoder.event(&mut out, record.view());
                    }
                    assert!(encoder.size(&out) > 10 * per_message);
                    encoder.end(&mut out, chunk);
                }
                let mut found = Vec::new();
                for Message { tag, mut entries, chunk: asked } in read(&out) {
                    assert_eq!((&*tag, asked.as_deref()), ("a.b", chunk.map(str::as_bytes)));
                    let now = Timestamp::default();
                    found.extend(
                        std::iter::from_fn(|| entries.next(now)).map(|event| event.unwrap().record),
                    );
                }
                assert_eq!(found, records(), "{mode:?}");
            }
        }
    }

    #[test]
    fn a_line_is_written_as_the_record_that_it_stands_for() {
        for seconds in [0, 1_795_000_000, -5, i64::from(u32::MAX) + 1] {
            let time = Timestamp::from_parts(seconds, 7);
            let line = Record::from_line(&b"one"[..], time);
            let fields = Record::from_fields([("message", "one")].into_iter().collect(), time);
            for precision in [Precision::Nanoseconds, Precision::Seconds] {
                let bytes = |record: &Record| {
                    let (mut out, mut encoder) =
                        (Vec::new(), Encoder::new(Mode::PackedForward, precision));
                    encoder.begin(&mut out, "t", false);
                    encoder.event(&mut out, record.view());
                    encoder.end(&mut out, None);
                    out
                };
                assert_eq!(bytes(&line), bytes(&fields), "{seconds} {precision:?}");
            }
        }
    }

    #[test]
    fn whole_seconds_where_they_are_wanted() {
        let mut out = Vec::new();
        Writer(&mut out).event(records()[0].view(), Precision::Seconds);
        let time = 1_795_000_000u32.to_be_bytes();
        assert_eq!(out, [&b"\x92\xce"[..], &time, b"\x81\xa7message\xa3one"].concat());
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
