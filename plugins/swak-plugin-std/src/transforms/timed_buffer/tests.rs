use std::sync::Arc;

use swak_sdk::plugin::Counters;
use swak_test::{Bench, lines};

use super::*;

fn buffer(every: u64, max_size: u64, max_records: Option<usize>) -> (TimedBuffer, Outlet) {
    let options = TimedBufferOptions {
        every: Duration::from_secs(every),
        max_size: ByteSize(max_size),
        max_records,
    };
    let buffer = TimedBuffer::new(options, &BuildContext::for_check()).unwrap();
    (buffer, Outlet::new(Arc::<Counters>::default()))
}

/// Records of ten bytes each.
fn batch(n: usize) -> Batch {
    Batch::new((0..n).map(|_| Record::from_line("0123456789", Timestamp::default())).collect())
}

fn sizes(out: &mut Outlet) -> Vec<usize> {
    let (chunks, _) = out.take();
    let sizes = chunks.iter().map(Chunk::len).collect();
    chunks.into_iter().for_each(|chunk| chunk.settle(Outcome::Delivered));
    sizes
}

#[test]
fn everything_is_one_chunk_when_the_input_ends() {
    let ran = Bench::new(crate::register).chain("out.TimedBuffer(\"5M\")", lines(["1", "2", "3"]));
    assert_eq!(ran.chunks().len(), 1);
    assert_eq!(ran.lines(), ["1", "2", "3"]);
}

#[test]
fn the_time_runs_from_the_first_record() {
    let (mut now, mut out) = buffer(0, 1000, None);
    now.apply(batch(1), &mut out).unwrap();
    now.apply(batch(2), &mut out).unwrap();
    assert_eq!(sizes(&mut out), [0; 0]);
    now.wake(&mut out).unwrap();
    assert_eq!((sizes(&mut out), now.next_wake()), (vec![3], None));

    let (mut later, mut out) = buffer(3600, 1000, None);
    later.apply(batch(1), &mut out).unwrap();
    let due = later.next_wake().unwrap();
    later.apply(batch(1), &mut out).unwrap();
    later.wake(&mut out).unwrap();
    assert_eq!((sizes(&mut out), later.next_wake()), (vec![], Some(due)));
}

#[test]
fn size_and_number_let_go_before_the_time() {
    let (mut by_size, mut out) = buffer(3600, 55, None);
    for n in [3, 2, 1, 9] {
        by_size.apply(batch(n), &mut out).unwrap();
    }
    // 30 + 20 bytes are held, 10 more would be too much; 90 are too much by themselves.
    assert_eq!(sizes(&mut out), [5, 1, 9]);

    let (mut by_number, mut out) = buffer(3600, 1 << 20, Some(4));
    for n in [3, 2, 7] {
        by_number.apply(batch(n), &mut out).unwrap();
    }
    assert_eq!(sizes(&mut out), [4, 4, 4]);
}

#[test]
fn the_ack_is_settled_with_the_chunk_and_not_before() {
    let (mut buffer, mut out) = buffer(3600, 1000, None);
    let (ack, mut delivery) = Ack::channel();
    buffer.apply(batch(1).with_ack(ack), &mut out).unwrap();
    buffer.flush(&mut out).unwrap();
    let (chunks, _) = out.take();
    assert_eq!(chunks.len(), 1);
    chunks.into_iter().for_each(|chunk| chunk.settle(Outcome::Delivered));
    assert_eq!(delivery.peek(), Some(Outcome::Delivered));
}

#[test]
fn a_buffer_of_no_size_is_a_mistake() {
    let message = Bench::new(crate::register).mistakes("out.TimedBuffer(\"1s\", max_size=0)");
    assert!(message.contains("`max_size` is 0"), "{message}");
}
