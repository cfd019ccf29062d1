//! What the ledger and the buffer's files say to each other after a kill, when each of them may be older
//! than the other.

use super::*;

fn dropped(sheet: &Sheet, reason: &str) -> u64 {
    let key = ("2 out.DiskBuffer".into(), reason.into());
    sheet.dropped.get(&key).map_or(0, |count| count.records)
}

/// The files as they are at this moment.
fn copy(folder: &Path) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().unwrap() != "lock" {
            fs::copy(&path, copy.path().join(path.file_name().unwrap())).unwrap();
        }
    }
    copy
}

fn flip(folder: &Path, text: &str) {
    let path = segments(folder).pop().unwrap();
    let mut bytes = fs::read(&path).unwrap();
    let at = bytes.windows(text.len()).position(|part| part == text.as_bytes()).unwrap();
    bytes[at] ^= 1;
    fs::write(path, bytes).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_reported_as_stored_is_missed_when_it_is_damaged_at_the_very_end() {
    let folder = tempfile::tempdir().unwrap();
    let run = start(folder.path());
    for i in 0..100 {
        let line = format!("line {i:03}");
        assert_eq!(run.give(&line).await, Outcome::Delivered);
        // It is killed at this moment, and the last frame is damaged.
        let copy = copy(folder.path());
        flip(copy.path(), &line);
        let storage = swak_buffer::FileSystem::lock(copy.path()).unwrap();
        let queue = swak_buffer::Queue::open(storage, Settings::default()).unwrap();
        assert_eq!((queue.holds().records, queue.end().seq), (i + 1, i + 1));
    }
    let sheet = run.stop().await;
    flip(folder.path(), "line 099");
    let (lines, sheet) = Run::new(buffer(options(folder.path())), sheet).finish().await;
    assert_eq!((lines.len(), dropped(&sheet, "damaged on disk")), (99, 1));
    assert_eq!(sheet.delivered.records, 99);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_discarded_before_a_kill_is_dropped_and_not_delivered() {
    let folder = tempfile::tempdir().unwrap();
    let run = Run::new(small(folder.path(), WhenFull::DropOldest), Sheet::default());
    for i in 0..20 {
        assert_eq!(run.give(&long(i)).await, Outcome::Delivered);
    }
    // The books that are found after the kill; those of the buffer are newer.
    let known = run.ledger.sheet();
    for i in 20..100 {
        assert_eq!(run.give(&long(i)).await, Outcome::Delivered);
    }
    let copy = copy(folder.path());
    let now = run.ledger.sheet();
    assert!(dropped(&now, "the buffer is full") > 60, "{now:?}");
    run.stop().await;

    let mut run = Run::new(small(copy.path(), WhenFull::DropOldest), known);
    // The first one comes when it has been opened.
    let first = run.take().await;
    let (mut lines, sheet) = run.finish().await;
    lines.insert(0, first);
    assert_eq!(lines.last(), Some(&long(99)));
    assert_eq!(sheet.delivered.records as usize, lines.len(), "{sheet:?}");
    // What came in after the books were written is found, and what of it was dropped is not.
    assert_eq!(
        dropped(&sheet, "the buffer is full"),
        20 + sheet.found.records - lines.len() as u64
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_discarded_on_its_way_is_dropped_unless_it_arrives() {
    for arrives in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        // Only one is on its way at a time.
        let options = DiskBufferOptions {
            max_size: ByteSize(32 << 10),
            when_full: WhenFull::DropOldest,
            max_unacked: ByteSize(1),
            ..options(folder.path())
        };
        let mut run = Run::new(buffer(options), Sheet::default());
        run.give(&long(0)).await;
        let (line, chunk) = run.next().await;
        assert_eq!(line, long(0));
        for i in 1..100 {
            assert_eq!(run.give(&long(i)).await, Outcome::Delivered);
        }
        let all = run.ledger.sheet();
        all.check().unwrap();
        let (lost, held) = (dropped(&all, "the buffer is full"), all.all_buffered().records);
        assert_eq!(lost + held, 100);
        let left = if arrives {
            chunk.settle(Outcome::Delivered);
            let (lines, sheet) = run.finish().await;
            assert_eq!(dropped(&sheet, "the buffer is full"), lost - 1);
            assert_eq!(sheet.delivered.records as usize, lines.len() + 1);
            sheet
        } else {
            run.ended.abort();
            drop((chunk, run.output, run.input));
            let sheet = run.ledger.sheet();
            sheet.check().unwrap();
            let run = Run::new(small(folder.path(), WhenFull::DropOldest), sheet);
            let (lines, sheet) = run.finish().await;
            assert_eq!(dropped(&sheet, "the buffer is full"), lost);
            assert_eq!(sheet.delivered.records as usize, lines.len(), "{sheet:?}");
            sheet
        };
        assert_eq!(left.delivered.records + left.all_dropped().records, 100);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_would_come_twice_is_bounded_also_behind_what_is_stuck() {
    let folder = tempfile::tempdir().unwrap();
    let options = DiskBufferOptions { max_unacked: ByteSize(500), ..options(folder.path()) };
    let mut run = Run::new(buffer(options), Sheet::default());
    run.give("stuck").await;
    let (first, stuck) = run.next().await;
    assert_eq!(first, "stuck");
    let mut came = 0;
    for i in 0..50 {
        // The thread has its turn with each of them.
        run.give(&format!("line {i} {}", "x".repeat(50))).await;
        while let Ok(chunk) = run.output.try_recv() {
            came += 1;
            chunk.settle(Outcome::Delivered);
        }
    }
    assert!((1..10).contains(&came), "{came} came although the first one is not delivered");
    stuck.settle(Outcome::Delivered);
    let (lines, _) = run.finish().await;
    assert_eq!(lines.len() + came, 50);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_written_when_the_task_goes_counts_as_stored() {
    let folder = tempfile::tempdir().unwrap();
    let sync = SyncPolicy::Every(Duration::from_secs(3600));
    let buffer = |sync| buffer(DiskBufferOptions { sync, ..options(folder.path()) });
    let mut run = Run::new(buffer(sync), Sheet::default());
    let delivery = run.input.emit_tracked(batch("line")).await.unwrap();
    // It is handed on when it is written.
    let (_, chunk) = run.next().await;
    run.ended.abort();
    assert_eq!(timeout(PATIENCE, delivery).await.unwrap(), Outcome::Delivered);
    drop((chunk, run.output, run.input));
    let sheet = run.ledger.sheet();
    assert_eq!((sheet.all_buffered().records, sheet.again.records), (1, 0));
    let (lines, sheet) = Run::new(buffer(sync), sheet).finish().await;
    assert_eq!((lines.len(), sheet.found.records), (1, 0));
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_that_vanishes_is_noticed_without_a_sync_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("buffer");
    let never = DiskBufferOptions { sync: SyncPolicy::Never, ..options(&path) };
    let run = Run::new(buffer(never), Sheet::default());
    assert_eq!(run.give("line 0").await, Outcome::Delivered);
    fs::remove_dir_all(&path).unwrap();
    // It is written to a file that has no name any more.
    run.give("line 1").await;
    let error = timeout(PATIENCE, run.ended).await.unwrap().unwrap().unwrap_err();
    assert!(format!("{error:#}").contains("somebody else has changed"), "{error:#}");
}
