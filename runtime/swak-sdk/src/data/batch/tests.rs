use std::borrow::Cow;

use super::*;

fn lines(text: &str) -> Batch {
    let mut start = 0;
    let ranges = text.split_inclusive('\n').map(|line| {
        let range = LineRange { start, end: start + line.trim_end().len() as u32 };
        start += line.len() as u32;
        range
    });
    let ranges = ranges.collect();
    Batch::from_lines(Vec::from(text).into(), ranges, Timestamp::default())
}

fn texts(batch: &Batch) -> Vec<String> {
    batch.iter().map(|r| String::from_utf8_lossy(r.line().unwrap()).into_owned()).collect()
}

#[test]
fn lines_and_records_behave_alike() {
    for materialize in [false, true] {
        let mut batch = lines("one\ntwo\nthree\n");
        if materialize {
            batch.records_mut();
        }
        assert_eq!(batch.lines().is_some(), !materialize);
        assert_eq!(batch.size(), 11);
        let rest = batch.split_off(1);
        assert_eq!(
            (texts(&batch), texts(&rest)),
            (vec!["one".into()], vec!["two".into(), "three".into()])
        );
        let mut rest = rest.fork();
        assert_eq!(rest.retain(|r| r.line() == Some(b"three")), 1);
        assert_eq!(texts(&rest), ["three"]);
    }
}

#[test]
fn a_run_is_the_same_lines_until_one_is_taken_out() {
    let text = b"one\ntwo\nthree\n";
    let run = || Batch::from_run(text.to_vec().into(), 4..14, Timestamp::default());
    let mut batch = run();
    assert_eq!((batch.len(), batch.size(), batch.weight()), (2, 8, 8));
    assert_eq!(batch.run(), Some(&text[4..]));
    assert_eq!(texts(&batch), ["two", "three"]);
    assert_eq!(batch.run(), Some(&text[4..]), "it was only looked at");
    let rest = batch.split_off(1);
    assert_eq!((texts(&batch), texts(&rest)), (vec!["two".into()], vec!["three".into()]));
    assert!(batch.run().is_none() && rest.run().is_none());
    let mut batch = run();
    assert_eq!((batch.retain(|r| r.line() == Some(b"two")), batch.run()), (1, None));
    assert_eq!(texts(&batch), ["two"]);
    let mut batch = run();
    assert_eq!(texts(&batch.extract(|r| r.line() == Some(b"two"))), ["two"]);
    assert_eq!((texts(&batch), batch.run()), (vec!["three".into()], None));
    let mut batch = run();
    assert_eq!((batch.records_mut().len(), batch.run()), (2, None));
}

#[test]
fn a_record_that_is_taken_out_shares_the_block() {
    let batch = lines("a line of more than twenty-two bytes\nanother line of that many bytes\n");
    let (block, _) = batch.lines().unwrap();
    for record in batch.iter() {
        let at = record.line().unwrap().as_ptr();
        assert!(block.as_ptr_range().contains(&at));
        let owned = record.to_record();
        assert_eq!(owned.line().unwrap().as_ptr(), at);
        assert_eq!(owned.view().to_record().line().unwrap().as_ptr(), at);
        let message = record.get("message").unwrap().into_owned();
        assert_eq!(message.as_bytes().unwrap().as_ptr(), at);
    }
}

#[test]
fn records_are_extracted_in_order_with_a_part_of_the_ack() {
    for materialize in [false, true] {
        let (ack, mut outcome) = Ack::channel();
        let mut batch = lines("one\ntwo\nthree\nfour\n").with_ack(ack);
        if materialize {
            batch.records_mut();
        }
        let taken = batch.extract(|r| r.line().unwrap().contains(&b'o'));
        assert_eq!(texts(&taken), ["one", "two", "four"]);
        assert_eq!(texts(&batch), ["three"]);
        taken.settle(Outcome::Rejected);
        assert_eq!(outcome.peek(), None);
        batch.settle(Outcome::Delivered);
        assert_eq!(outcome.peek(), Some(Outcome::Rejected));
    }
}

#[test]
fn what_is_extracted_is_not_copied() {
    let record =
        |n: i64| Record::from_fields([("n", n)].into_iter().collect(), Timestamp::default());
    let mut batch = Batch::new((0..4).map(record).collect());
    let places = |batch: &Batch| -> Vec<_> {
        let place = |r: RecordRef<'_>| match r.get("n") {
            Some(Cow::Borrowed(value)) => std::ptr::from_ref(value),
            other => panic!("{other:?} is no field of a map"),
        };
        batch.iter().map(place).collect()
    };
    let before = places(&batch);
    let taken = batch.extract(|r| r.get("n").unwrap().as_int() > Some(1));
    assert_eq!([places(&batch), places(&taken)].concat(), before);
}

#[test]
fn lines_of_json_stay_ranges_of_their_block() {
    let mut batch = lines("{\"n\":1}\n{\"n\":2,\"t\":\"x\"}\n");
    assert!(batch.lines().is_some() && batch.json_lines().is_none());
    assert!(batch.read_json_lines(&mut JsonReader::new()));
    assert!(batch.lines().is_none() && batch.json_lines().is_some());
    let numbers = |batch: &Batch| -> Vec<_> {
        batch.iter().map(|r| r.get("n").unwrap().as_int().unwrap()).collect()
    };
    let second = batch.split_off(1);
    assert_eq!((numbers(&batch), numbers(&second), second.weight()), (vec![1], vec![2], 15));
    assert!(second.get(0).line().is_none() && second.json_lines().is_some());
    let mut fork = second.fork();
    fork.records_mut()[0].fields_mut().insert("n", 3);
    assert_eq!((numbers(&second), numbers(&fork)), (vec![2], vec![3]));
    let mut mixed = lines("{}\nno\n");
    assert!(!mixed.read_json_lines(&mut JsonReader::new()) && mixed.lines().is_some());
    mixed.records_mut();
    assert!(!mixed.read_json_lines(&mut JsonReader::new()));
}

#[test]
fn the_ack_waits_for_both_halves() {
    let (ack, mut outcome) = Ack::channel();
    let mut first = lines("one\ntwo\n").with_ack(ack);
    let second = first.split_off(1);
    first.settle(Outcome::Delivered);
    assert_eq!(outcome.peek(), None);
    drop(second);
    assert_eq!(outcome.peek(), Some(Outcome::Errored));
}
