//! What is delivered before it must be on disk.

use swak_buffer::{FileSystem, survey};

use super::*;

const NEVER_DUE: SyncPolicy = SyncPolicy::Every(Duration::from_secs(3600));
const SOON_DUE: SyncPolicy = SyncPolicy::Every(Duration::from_millis(5));

fn run(folder: &Path, sync: SyncPolicy) -> Run {
    let max_size = ByteSize(64 << 20);
    Run::new(buffer(DiskBufferOptions { sync, max_size, ..options(folder) }), Sheet::default())
}

/// A line as it was read from a file, in its block.
fn read(line: &str) -> Batch {
    let range = LineRange { start: 0, end: line.len() as u32 };
    Batch::from_lines(line.as_bytes().to_vec().into(), vec![range], Timestamp::from_nanos(7))
}

fn long_names(n: std::ops::Range<usize>) -> Vec<String> {
    n.map(|i| format!("line {i:03} {}", "x".repeat(200))).collect()
}

/// How many frames are on disk.
fn frames(folder: &Path) -> u64 {
    let seen = survey(&FileSystem::look(folder)).unwrap();
    seen.waiting.frames + seen.delivered.frames
}

async fn heard(delivery: Delivery) -> Outcome {
    timeout(PATIENCE, delivery).await.expect("it is settled in time")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_delivered_in_time_is_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let mut run = run(folder.path(), NEVER_DUE);
    for line in long_names(0..50) {
        let delivery = run.input.emit_tracked(read(&line)).await.unwrap();
        let (came, chunk) = run.next().await;
        let batch = &chunk.batches()[0];
        assert_eq!((&*came, &*batch.tag, batch.get(0).time().as_nanos()), (&*line, "test", 7));
        chunk.settle(Outcome::Delivered);
        assert_eq!(heard(delivery).await, Outcome::Delivered);
    }
    assert_eq!(frames(folder.path()), 0);
    let (lines, sheet) = run.finish().await;
    assert_eq!((lines.len(), sheet.delivered.records, sheet.found.records), (0, 50, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_delivered_in_time_is_stored_and_comes_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut run = run(folder.path(), SOON_DUE);
    let [first, second, third] = [0, 1, 2].map(|i| long_names(i..i + 1).remove(0));
    let delivery = run.input.emit_tracked(read(&first)).await.unwrap();
    let (_, chunk) = run.next().await;
    assert_eq!((heard(delivery).await, frames(folder.path())), (Outcome::Delivered, 1));
    assert_eq!(run.ledger.sheet().all_buffered().records, 1);
    // What comes behind it goes out too.
    let delivery = run.input.emit_tracked(read(&second)).await.unwrap();
    assert_eq!(run.take().await, second);
    assert_eq!(heard(delivery).await, Outcome::Delivered);
    chunk.settle(Outcome::Delivered);
    let delivery = run.input.emit_tracked(read(&third)).await.unwrap();
    let (lines, sheet) = run.finish().await;
    assert_eq!((lines, heard(delivery).await), (vec![third], Outcome::Delivered));
    assert_eq!((sheet.delivered.records, sheet.all_buffered().records), (3, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_an_orderly_stop_nothing_comes_twice() {
    let folder = tempfile::tempdir().unwrap();
    let mut first = run(folder.path(), NEVER_DUE);
    let mut deliveries = Vec::new();
    for line in long_names(0..10) {
        deliveries.push(first.input.emit_tracked(read(&line)).await.unwrap());
    }
    let mut came = vec![first.take().await];
    first.trigger.trigger();
    // What is under way arrives.
    let (lines, sheet) = first.finish().await;
    came.extend(lines);
    for delivery in deliveries {
        assert_eq!(heard(delivery).await, Outcome::Delivered);
    }
    assert_eq!(sheet.all_buffered().records, 10 - came.len() as u64);
    came.extend(Run::new(buffer(options(folder.path())), sheet).finish().await.0);
    assert_eq!(came, long_names(0..10));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_under_way_when_the_task_is_cut_off_is_stored_and_comes_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut first = run(folder.path(), NEVER_DUE);
    let mut deliveries = Vec::new();
    for line in long_names(0..2) {
        deliveries.push(first.input.emit_tracked(read(&line)).await.unwrap());
    }
    let (_, chunk) = first.next().await;
    let other_is_there = async {
        while first.output.is_empty() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    timeout(PATIENCE, other_is_there).await.expect("both are handed on");
    first.ended.abort();
    for delivery in deliveries {
        assert_eq!(heard(delivery).await, Outcome::Delivered);
    }
    drop((first.input, first.output, chunk));
    let sheet = first.ledger.sheet();
    assert_eq!(sheet.all_buffered().records, 2);
    let (lines, sheet) = Run::new(buffer(options(folder.path())), sheet).finish().await;
    assert_eq!((lines, sheet.delivered.records), (long_names(0..2), 2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_does_not_come_again_is_written_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut run = run(folder.path(), NEVER_DUE);
    run.input.emit(read(&long_names(0..1)[0])).await.unwrap();
    let (_, chunk) = run.next().await;
    assert_eq!(frames(folder.path()), 1);
    chunk.settle(Outcome::Delivered);
    run.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn much_more_than_is_held_in_memory_comes_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let run = run(folder.path(), NEVER_DUE);
    let lines: Vec<String> =
        (0..300).map(|i| format!("line {i:03} {}", "x".repeat(100_000))).collect();
    let feeding = async {
        for line in &lines {
            drop(run.input.emit_tracked(read(line)).await.unwrap());
        }
    };
    // Nobody takes anything out yet: the buffer does not need that.
    timeout(PATIENCE, feeding).await.expect("it takes all in");
    assert!(frames(folder.path()) > 0);
    let (came, sheet) = run.finish().await;
    assert!(came == lines);
    assert_eq!(sheet.delivered.records, 300);
}
