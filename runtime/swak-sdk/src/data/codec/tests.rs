use proptest::prelude::*;

use super::*;
use crate::data::{
    Batch, Block, Chunk, JsonReader, LineRange, Map, Record, Slice, Text, Timestamp, Value,
};

fn round_trip(chunk: &Chunk) -> Chunk {
    let mut bytes = Vec::new();
    encode(chunk, &mut bytes).unwrap();
    decode(&bytes.into()).unwrap()
}

/// Everything that can be seen of a chunk. Floats by their bits, for NaN is equal to nothing.
fn seen(chunk: &Chunk) -> String {
    let mut out = String::new();
    for batch in chunk.batches() {
        let are_lines = batch.lines().or(batch.json_lines()).is_some();
        out += &format!("{} {} {are_lines}\n", batch.tag, batch.source);
        for record in batch.iter() {
            let mut json = Vec::new();
            record.write_json(&mut json);
            out += &format!(
                "{:?} {} {} {:?} {} {:?}\n",
                record.time(),
                record.weight(),
                record.is_truncated(),
                record.line(),
                record
                    .fields()
                    .map(|fields| exact(&Value::from(fields.into_owned())))
                    .unwrap_or_default(),
                json,
            );
        }
    }
    out
}

fn exact(value: &Value) -> String {
    match value {
        Value::Float(n) => format!("float {:x}", n.to_bits()),
        Value::List(items) => format!("[{}]", items.iter().map(exact).collect::<String>()),
        Value::Map(map) => {
            let field = |(name, value): (&Text, &Value)| format!("{name:?}:{},", exact(value));
            format!("{{{}}}", map.iter().map(field).collect::<String>())
        }
        other => format!("{other:?}"),
    }
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        prop_oneof![any::<i64>(), -100i64..100].prop_map(Value::Int),
        any::<u64>().prop_map(|bits| Value::Float(f64::from_bits(bits))),
        prop_oneof![".{0,10}", ".{20,60}"].prop_map(Value::from),
        prop::collection::vec(any::<u8>(), 0..40)
            .prop_map(|bytes| Value::Bytes(Slice::from(bytes))),
        any::<i64>().prop_map(|n| Value::Time(Timestamp::from_nanos(n))),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::List),
            fields_of(inner).prop_map(Value::from),
        ]
    })
}

fn fields_of(value: impl Strategy<Value = Value>) -> impl Strategy<Value = Map> {
    prop::collection::vec((".{0,30}", value), 0..6)
        .prop_map(|fields| fields.into_iter().collect::<Map>())
}

fn record() -> impl Strategy<Value = Record> {
    let line = prop::collection::vec(any::<u8>(), 0..60);
    let body = prop_oneof![
        (line, any::<i64>())
            .prop_map(|(line, time)| Record::from_line(line, Timestamp::from_nanos(time))),
        (fields_of(value()), any::<i64>())
            .prop_map(|(map, time)| Record::from_fields(map, Timestamp::from_nanos(time))),
        fields_of(value()).prop_map(|map| {
            let mut json = b" ".to_vec();
            crate::data::json::write_map(&mut json, &map);
            Record::from_json(json, Timestamp::default()).unwrap()
        }),
    ];
    (body, prop::option::of(any::<u32>()), any::<bool>()).prop_map(|(mut record, weight, cut)| {
        if let Some(weight) = weight {
            record.set_weight(weight);
        }
        record.set_truncated(cut);
        record
    })
}

fn lines() -> impl Strategy<Value = Batch> {
    let line = (prop::collection::vec(any::<u8>(), 0..50), 0usize..4);
    (prop::collection::vec(line, 0..10), any::<i64>()).prop_map(|(lines, time)| {
        let (mut bytes, mut ranges) = (b"before".to_vec(), Vec::new());
        for (line, gap) in lines {
            let start = bytes.len() as u32;
            bytes.extend_from_slice(&line);
            ranges.push(LineRange { start, end: bytes.len() as u32 });
            bytes.resize(bytes.len() + gap, b'\n');
        }
        Batch::from_lines(Block::from(bytes), ranges, Timestamp::from_nanos(time))
    })
}

fn json_lines() -> impl Strategy<Value = Batch> {
    let map = fields_of(value());
    prop::collection::vec(map, 0..6).prop_map(|maps| {
        let (mut bytes, mut ranges) = (Vec::new(), Vec::new());
        for map in maps {
            let start = bytes.len() as u32;
            crate::data::json::write_map(&mut bytes, &map);
            ranges.push(LineRange { start, end: bytes.len() as u32 });
            bytes.push(b'\n');
        }
        let mut batch = Batch::from_lines(bytes.into(), ranges, Timestamp::default());
        assert!(batch.read_json_lines(&mut JsonReader::new()));
        batch
    })
}

fn chunk() -> impl Strategy<Value = Chunk> {
    let batch = prop_oneof![
        lines(),
        json_lines(),
        prop::collection::vec(record(), 0..5).prop_map(Batch::new)
    ];
    let named = (batch, "[ab]{0,2}", "[ab]{0,2}");
    prop::collection::vec(named, 0..5).prop_map(|batches| {
        let name = |(batch, tag, source): (Batch, String, String)| {
            batch.with_tag(tag.into()).with_source(source.into())
        };
        Chunk::new(batches.into_iter().map(name).collect())
    })
}

proptest! {
    #[test]
    fn nothing_is_lost(chunk in chunk()) {
        let again = round_trip(&chunk);
        // Lines without a line are a list without a record.
        let lines_alike = |chunk: &Chunk| seen(chunk).replace("true\n", "\n").replace("false\n", "\n");
        prop_assert_eq!(lines_alike(&again), lines_alike(&chunk));
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = decode(&[&[VERSION], &*bytes].concat().into());
    }

    #[test]
    fn damage_is_read_or_refused(chunk in chunk(), at in any::<prop::sample::Index>(), to: u8) {
        let mut bytes = Vec::new();
        encode(&chunk, &mut bytes).unwrap();
        let at = at.index(bytes.len());
        bytes[at] = to;
        let _ = decode(&bytes.clone().into());
        bytes.truncate(at);
        prop_assert!(decode(&bytes.into()).is_err());
    }
}

#[test]
fn lines_stay_lines_in_the_block_that_was_read() {
    let text = b"one\ntwo\nthree\n";
    let ranges = [(0, 3), (4, 7), (8, 13)].map(|(start, end)| LineRange { start, end });
    let batch = Batch::from_lines(text.to_vec().into(), ranges.into(), Timestamp::from_nanos(5));
    let mut bytes = Vec::new();
    encode(&batch.into(), &mut bytes).unwrap();
    // Version, batches, flags, tag, source, time, gap, number, three lengths, and the text.
    assert_eq!(bytes.len(), 5 + 8 + 2 + 3 + 13);
    let block = Block::from(bytes);
    let chunk = decode(&block).unwrap();
    let (read, lines) = chunk.batches()[0].lines().unwrap();
    assert_eq!((read.as_ptr(), lines.len()), (block.as_ptr(), 3));
    let texts: Vec<_> = chunk.iter().map(|record| record.line().unwrap()).collect();
    assert_eq!(texts, [&b"one"[..], b"two", b"three"]);
}

#[test]
fn parts_are_the_same_bytes_and_long_runs_of_lines_are_where_they_were() {
    let (mut text, mut ranges) = (Vec::new(), Vec::new());
    for len in (0..300).chain([0x3fff, 0x4000, 5000]) {
        let start = text.len() as u32;
        text.resize(text.len() + len, b'x');
        ranges.push(LineRange { start, end: text.len() as u32 });
        text.push(b'\n');
    }
    let block = Block::from(text);
    let batch = |lines: &[LineRange]| {
        Batch::from_lines(block.clone(), lines.to_vec(), Timestamp::from_nanos(5))
    };
    let (run, some) = (&ranges[..], [ranges[7], ranges[302], ranges[9]]);
    let record = Record::from_fields([("a", 1)].into_iter().collect(), Timestamp::default());
    let record = || Batch::new(vec![record.clone()]);
    for (batches, borrowed) in [
        (vec![], 0),
        (vec![batch(&run[..10])], 0),
        (vec![batch(run)], 1),
        (vec![record(), batch(run), batch(&some), record(), batch(run)], 3),
    ] {
        let chunk = Chunk::new(batches);
        let (mut whole, mut buffer) = (b"before".to_vec(), b"before".to_vec());
        encode(&chunk, &mut whole).unwrap();
        let parts = encode_parts(&chunk, &mut buffer).unwrap();
        assert_eq!(parts.concat(), whole[6..]);
        let in_block = |part: &&&[u8]| block.as_ptr_range().contains(&part.as_ptr());
        assert_eq!(parts.iter().filter(in_block).count(), borrowed);
    }
}

#[test]
fn what_was_taken_out_of_a_block_is_not_kept() {
    let text = b"keep\nsecret-secret\nkeep";
    let ranges = [(0, 4), (19, 23)].map(|(start, end)| LineRange { start, end });
    let batch = Batch::from_lines(text.to_vec().into(), ranges.into(), Timestamp::default());
    let mut bytes = Vec::new();
    encode(&batch.into(), &mut bytes).unwrap();
    assert!(!bytes.windows(6).any(|part| part == b"secret"));
}

#[test]
fn a_length_that_lies_takes_no_memory() {
    let lie = [0xff, 0xff, 0xff, 0xff, 0x0f];
    for start in [
        &[VERSION][..],
        &[VERSION, 1, 0],
        &[VERSION, 1, 0, 0, 0],
        &[VERSION, 1, flag::LINES, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
        &[VERSION, 1, 0, 0, 0, 1, flag::FIELDS, 0, 0],
        &[VERSION, 1, 0, 0, 0, 1, flag::FIELDS, 0, 0, 1, 0, kind::LIST],
    ] {
        let bytes = [start, &lie].concat();
        let refused = decode(&bytes.into());
        assert!(matches!(refused, Err(DecodeError::Wrong { .. })), "{start:?}: {refused:?}");
    }
}

#[test]
fn depth_is_bounded_both_ways() {
    let deep = |n: usize| {
        let mut value = Value::Null;
        for _ in 0..n {
            value = Value::List(vec![value]);
        }
        let fields = [("a", value)].into_iter().collect();
        Chunk::from(Batch::new(vec![Record::from_fields(fields, Timestamp::default())]))
    };
    assert_eq!(seen(&round_trip(&deep(MAX_DEPTH))), seen(&deep(MAX_DEPTH)));
    assert_eq!(encode(&deep(MAX_DEPTH + 1), &mut Vec::new()), Err(TooDeep));
    let mut bytes = vec![VERSION, 1, 0, 0, 0, 1, flag::FIELDS, 0, 0, 1, 0];
    bytes.extend([kind::LIST, 1].repeat(100_000));
    assert!(decode(&bytes.into()).is_err());
}

#[test]
fn version_1_is_read() {
    // One batch of one record: its fields, and then the JSON that they were read from.
    let head = [1, 1, 0, 0, 0, 1, flag::FIELDS | flag::JSON, 2, 8];
    let bytes = [&head[..], &[1, 1, b'a', kind::INT, 2, 8], br#"{"a": 1}"#].concat();
    let chunk = decode(&bytes.into()).unwrap();
    let record = chunk.iter().next().unwrap();
    assert_eq!((record.json(), record.weight()), (Some(&br#"{"a": 1}"#[..]), 8));
    assert_eq!(record.time(), Timestamp::from_nanos(1));
}

#[test]
fn a_newer_version_is_said() {
    assert_eq!(decode(&vec![3, 0].into()).unwrap_err(), DecodeError::Newer(3));
}
