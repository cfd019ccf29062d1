use proptest::prelude::*;
use swak_sdk::data::json;

use super::*;

/// An encoder of this format, with columns for CSV.
fn encoder(format: Format, columns: &[&str]) -> Encoder {
    let columns = columns.iter().map(|c| c.parse().expect("a column of this test")).collect();
    Encoder::new(FormatOptions { format, columns, delimiter: ',', template: None })
        .expect("options of this test")
}

fn encode(encoder: &mut Encoder, chunk: &Chunk) -> Vec<u8> {
    let mut out = Vec::new();
    let encoded = encoder.encode(chunk).expect("records of this test");
    encoded.copy_to(&mut out);
    assert_eq!(out.len(), encoded.len());
    out
}

fn record(text: &str) -> Record {
    let fields = json::parse_object(&text.into()).expect("a JSON object of this test");
    Record::from_fields(fields, Timestamp::default())
}

fn chunk(records: impl IntoIterator<Item = Record>) -> Chunk {
    Batch::new(records.into_iter().collect()).into()
}

/// A batch of the lines of a text, split at single line feeds.
fn lines(text: &[u8]) -> Batch {
    let mut start = 0;
    let ranges = text.split_inclusive(|b| *b == b'\n').map(|line| {
        let end = start + line.strip_suffix(b"\n").unwrap_or(line).len() as u32;
        let range = LineRange { start, end };
        start += line.len() as u32;
        range
    });
    let ranges = ranges.collect();
    Batch::from_lines(text.to_vec().into(), ranges, Timestamp::default())
}

#[test]
fn raw_is_lines_as_they_are_and_fields_as_json() {
    let mut chunk = chunk([Record::from_line(&b"caf\xe9"[..], Timestamp::default())]);
    chunk.push(Batch::new(vec![record(r#"{"a":1}"#)]));
    assert_eq!(encode(&mut encoder(Format::Raw, &[]), &chunk), b"caf\xe9\n{\"a\":1}\n");
}

#[test]
fn long_runs_of_lines_are_not_copied() {
    let text = b"0123456789\n".repeat(10_000);
    let chunk = Chunk::from(lines(&text));
    let mut encoder = encoder(Format::Raw, &[]);
    let encoded = encoder.encode(&chunk).unwrap();
    let block = chunk.batches()[0].lines().unwrap().0;
    let slices: Vec<_> = encoded.slices().collect();
    assert_eq!(slices.len(), 1);
    assert_eq!((slices[0].as_ptr(), slices[0].len()), (block.as_ptr(), text.len()));
}

#[test]
fn json_is_one_object_a_line() {
    let mut chunk = chunk([record(r#"{"a":"x\ny","b":null}"#)]);
    chunk.push(lines(b"plain\n"));
    let out = encode(&mut encoder(Format::Json, &[]), &chunk);
    assert_eq!(out, b"{\"a\":\"x\\ny\",\"b\":null}\n{\"message\":\"plain\"}\n");
}

#[test]
fn a_line_that_was_cut_says_so_wherever_it_is_fields() {
    let mut cut = Record::from_line("long", Timestamp::default());
    cut.set_truncated(true);
    let chunk = chunk([cut]);
    for (format, expected) in [
        (Format::Raw, &b"long\n"[..]),
        (Format::Json, b"{\"message\":\"long\",\"truncated\":true}\n"),
        (Format::Csv, b"long,true\n"),
        (Format::Msgpack, b"\x82\xa7message\xa4long\xa9truncated\xc3"),
        (
            Format::Record,
            b"{\"time\":\"1970-01-01T00:00:00Z\",\"line\":\"long\",\"truncated\":true}\n",
        ),
    ] {
        let columns = if format == Format::Csv { &["message", "truncated"][..] } else { &[] };
        let out = encode(&mut encoder(format, columns), &chunk);
        assert_eq!(String::from_utf8_lossy(&out), String::from_utf8_lossy(expected));
    }
}

#[test]
fn what_is_not_utf8_is_counted_where_it_is_replaced() {
    let chunk = Chunk::from(lines(b"caf\xe9\nok\n\xff\n"));
    for (format, replaced) in [(Format::Raw, 0), (Format::Json, 2), (Format::Record, 0)] {
        let mut encoder = encoder(format, &[]);
        assert_eq!(encoder.encode(&chunk).unwrap().replaced(), replaced, "{}", format.name());
    }
}

#[test]
fn csv_quotes_what_needs_it() {
    let mut encoder = encoder(Format::Csv, &["a", "b.c", "message"]);
    assert_eq!(encoder.header().unwrap(), b"a,b.c,message\n");
    let mut chunk = chunk([
        record(r#"{"a":"x,y","b":{"c":"say \"hi\""},"message":"two\nlines"}"#),
        record(r#"{"a":null,"b":{"c":[1,"x"]},"other":1}"#),
        record(r#"{"a":1.5,"b":{"c":true},"message":""}"#),
    ]);
    chunk.push(lines(b"caf\xe9\n"));
    let expected =
        b"\"x,y\",\"say \"\"hi\"\"\",\"two\nlines\"\n,\"[1,\"\"x\"\"]\",\n1.5,true,\n,,caf\xe9\n";
    assert_eq!(encode(&mut encoder, &chunk), expected);
}

#[test]
fn a_csv_row_is_never_an_empty_line() {
    let out = encode(&mut encoder(Format::Csv, &["a"]), &chunk([record("{}")]));
    assert_eq!(out, b"\"\"\n");
}

#[test]
fn msgpack_is_read_back_by_another_implementation() {
    use rmpv::Value as V;
    let mut fields = Map::new();
    fields.insert("int", -5);
    fields.insert("big", i64::MAX);
    fields.insert("float", 0.5);
    fields.insert("text", "한글");
    fields.insert("bytes", Value::Bytes(b"\xff\x00"[..].into()));
    fields.insert("none", Value::Null);
    fields.insert("yes", true);
    fields.insert("list", Value::List(vec![Value::Int(1), Value::from("x")]));
    fields.insert("map", [("k", 1)].into_iter().collect::<Map>());
    let times = [(7, 0), (7, 5), (-1, 1), (1 << 33, 0)];
    for (i, (seconds, nanos)) in times.into_iter().enumerate() {
        fields.insert(format!("t{i}"), Timestamp::from_parts(seconds, nanos));
    }
    let mut chunk = chunk([Record::from_fields(fields, Timestamp::default())]);
    chunk.push(lines(b"plain\ncaf\xe9\n"));
    let out = encode(&mut encoder(Format::Msgpack, &[]), &chunk);
    let mut rest = out.as_slice();
    let values: Vec<V> =
        std::iter::from_fn(|| (!rest.is_empty()).then(|| rmpv::decode::read_value(&mut rest)))
            .collect::<Result<_, _>>()
            .unwrap();
    let ext = |bytes: &[u8]| V::Ext(-1, bytes.to_vec());
    let expected = V::Map(vec![
        ("int".into(), V::from(-5)),
        ("big".into(), V::from(i64::MAX)),
        ("float".into(), V::from(0.5)),
        ("text".into(), "한글".into()),
        ("bytes".into(), V::Binary(vec![0xff, 0])),
        ("none".into(), V::Nil),
        ("yes".into(), V::from(true)),
        ("list".into(), V::Array(vec![V::from(1), "x".into()])),
        ("map".into(), V::Map(vec![("k".into(), V::from(1))])),
        ("t0".into(), ext(&7u32.to_be_bytes())),
        ("t1".into(), ext(&(5u64 << 34 | 7).to_be_bytes())),
        ("t2".into(), ext(&[&1u32.to_be_bytes()[..], &(-1i64).to_be_bytes()].concat())),
        ("t3".into(), ext(&(1u64 << 33).to_be_bytes())),
    ]);
    assert_eq!(values[0], expected);
    assert_eq!(values[1], V::Map(vec![("message".into(), "plain".into())]));
    assert_eq!(values[2], V::Map(vec![("message".into(), V::Binary(b"caf\xe9".to_vec()))]));
}

#[test]
fn a_template_is_one_line_a_record() {
    let template = Template::new("{{ tag }}: {{ a }}").unwrap();
    let options = |format| FormatOptions {
        format,
        columns: Vec::new(),
        delimiter: ',',
        template: Some(template.clone()),
    };
    let mut encoder = Encoder::new(options(Format::Template)).unwrap();
    let batch = Batch::new(vec![record(r#"{"a":1}"#), record("{}")]).with_tag("web".into());
    assert_eq!(encode(&mut encoder, &batch.into()), b"web: 1\nweb: \n");
    assert!(Encoder::new(options(Format::Json)).is_err(), "a template is for one format only");
}

#[test]
fn a_template_that_fails_is_an_error() {
    let template = Some(Template::new("{{ 1 / a }}").unwrap());
    let options =
        FormatOptions { format: Format::Template, columns: Vec::new(), delimiter: ',', template };
    let mut encoder = Encoder::new(options).unwrap();
    let chunk = chunk([record(r#"{"a":0}"#)]);
    let error = encoder.encode(&chunk).map(|_| ()).unwrap_err();
    assert!(error.to_string().contains("cannot be written"), "{error}");
}

#[test]
fn options_that_do_not_go_together_are_refused() {
    let new = |format, columns: &[&str], delimiter| {
        let columns = columns.iter().map(|c| c.parse().unwrap()).collect();
        Encoder::new(FormatOptions { format, columns, delimiter, template: None })
            .map(|_| ())
            .unwrap_err()
            .to_string()
    };
    assert!(new(Format::Csv, &[], ',').contains("columns=["));
    assert!(new(Format::Json, &["a"], ',').contains("the format is \"json\""));
    assert!(new(Format::Template, &[], ',').contains("template="));
    for delimiter in ['"', '\n', '한'] {
        assert!(new(Format::Csv, &["a"], delimiter).contains("`delimiter`"), "{delimiter:?}");
    }
}

proptest! {
    #[test]
    fn raw_lines_come_out_as_they_went_in(
        text in prop::collection::vec(prop_oneof![Just(b'\n'), Just(b'\r'), any::<u8>()], 0..200),
        repeat in prop_oneof![Just(1usize), Just(1000)],
        keep in prop::collection::vec(any::<bool>(), 1..20),
    ) {
        let text = text.repeat(repeat);
        let mut batch = lines(&text);
        let mut i = 0;
        batch.retain(|_| { i += 1; keep[i % keep.len()] });
        let mut expected = Vec::new();
        for record in batch.iter() {
            expected.extend_from_slice(record.line().unwrap());
            expected.push(b'\n');
        }
        prop_assert_eq!(encode(&mut encoder(Format::Raw, &[]), &batch.into()), expected);
    }

    #[test]
    fn csv_is_read_back_by_another_implementation(cells in prop::collection::vec("[a,\"\r\n é]{0,6}", 1..5)) {
        let names: Vec<String> = (0..cells.len()).map(|i| format!("c{i}")).collect();
        let fields = names.iter().map(String::as_str).zip(cells.iter().map(String::as_str));
        let record = Record::from_fields(fields.collect(), Timestamp::default());
        let columns: Vec<_> = names.iter().map(String::as_str).collect();
        let out = encode(&mut encoder(Format::Csv, &columns), &chunk([record]));
        let (mut text, mut ends) = (vec![0; out.len()], vec![0; out.len() + 1]);
        let mut reader = csv_core::Reader::new();
        let (_, _, _, n) = reader.read_record(&out, &mut text, &mut ends);
        let starts = std::iter::once(0).chain(ends.iter().copied());
        let read: Vec<_> = starts.zip(&ends[..n]).map(|(s, e)| text[s..*e].to_vec()).collect();
        prop_assert_eq!(read, cells.iter().map(|c| c.as_bytes().to_vec()).collect::<Vec<_>>());
    }
}
