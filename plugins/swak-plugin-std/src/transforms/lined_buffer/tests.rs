use std::sync::Arc;

use swak_sdk::options::{Args, Literal, LiteralValue};
use swak_sdk::plugin::Counters;
use swak_test::{Bench, lines};

use super::*;

fn buffer(lines: usize, max_wait: Option<Duration>) -> (LinedBuffer, Outlet) {
    let options = LinedBufferOptions { lines, max_wait, max_size: ByteSize(1 << 20) };
    let buffer = LinedBuffer::new(options, &BuildContext::for_check()).unwrap();
    (buffer, Outlet::new(Arc::<Counters>::default()))
}

fn batch(n: usize) -> Batch {
    Batch::new((0..n).map(|_| Record::from_line("line", Timestamp::default())).collect())
}

fn sizes(out: &mut Outlet) -> Vec<usize> {
    let (chunks, _) = out.take();
    let sizes = chunks.iter().map(Chunk::len).collect();
    chunks.into_iter().for_each(|chunk| chunk.settle(Outcome::Delivered));
    sizes
}

#[test]
fn chunks_are_exactly_so_large_and_the_rest_comes_last() {
    let ran =
        Bench::new(crate::register).chain("out.LinedBuffer(3)", lines(["1", "2", "3", "4", "5"]));
    assert_eq!(ran.chunks().iter().map(Vec::len).collect::<Vec<_>>(), [3, 2]);
    assert_eq!(ran.lines(), ["1", "2", "3", "4", "5"]);
}

#[test]
fn small_batches_are_gathered_and_large_ones_cut() {
    let (mut buffer, mut out) = buffer(4, None);
    for n in [1, 0, 2, 9, 4] {
        buffer.apply(batch(n), &mut out).unwrap();
    }
    assert_eq!(sizes(&mut out), [4, 4, 4, 4]);
    buffer.flush(&mut out).unwrap();
    assert_eq!(sizes(&mut out), [0; 0]);
    buffer.apply(batch(3), &mut out).unwrap();
    assert_eq!(sizes(&mut out), [0; 0]);
    buffer.flush(&mut out).unwrap();
    assert_eq!(sizes(&mut out), [3]);
}

#[test]
fn an_ack_waits_for_every_chunk_that_has_a_part_of_its_batch() {
    let (mut buffer, mut out) = buffer(2, None);
    let (ack, mut delivery) = Ack::channel();
    buffer.apply(batch(3).with_ack(ack), &mut out).unwrap();
    assert_eq!(sizes(&mut out), [2]);
    buffer.flush(&mut out).unwrap();
    let (chunks, _) = out.take();
    drop(chunks);
    assert_eq!(delivery.peek(), Some(Outcome::Errored));
}

#[test]
fn what_waits_too_long_goes_early() {
    let (mut waiting, mut out) = buffer(10, Some(Duration::ZERO));
    assert_eq!(waiting.next_wake(), None);
    waiting.apply(batch(1), &mut out).unwrap();
    assert!(waiting.next_wake().is_some_and(|due| due <= Instant::now()));
    waiting.wake(&mut out).unwrap();
    assert_eq!((sizes(&mut out), waiting.next_wake()), (vec![1], None));

    let (mut patient, mut out) = buffer(10, Some(Duration::from_secs(3600)));
    patient.apply(batch(1), &mut out).unwrap();
    patient.wake(&mut out).unwrap();
    assert_eq!(sizes(&mut out), [0; 0]);
    assert!(patient.next_wake().is_some_and(|due| due > Instant::now()));
}

#[test]
fn a_buffer_of_nothing_is_a_mistake() {
    let args = Args { positional: vec![Literal::bare(LiteralValue::Int(0))], ..Args::default() };
    assert!(LinedBufferOptions::read(&args).is_err());
}

#[test]
fn size_lets_go_before_the_chunk_is_full() {
    let ran = Bench::new(crate::register)
        .chain("out.LinedBuffer(3, max_size=8)", lines(["12345678", "1", "2", "3"]));
    let sizes: Vec<_> = ran.chunks().iter().map(Vec::len).collect();
    assert_eq!(sizes, [3, 1], "a piece of a batch is never cut by size");
    let mut input = lines(["1234"]);
    input.extend(lines(["56789"]));
    input.extend(lines(["x"]));
    let ran = Bench::new(crate::register).chain("out.LinedBuffer(3, max_size=8)", input);
    assert_eq!(ran.chunks().iter().map(Vec::len).collect::<Vec<_>>(), [2, 1]);
}
