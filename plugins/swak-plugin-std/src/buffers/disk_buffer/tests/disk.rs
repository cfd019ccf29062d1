//! Disks that are full, folders that vanish.

use std::process::Command;

use super::*;

/// A file system of its own, of 1 MiB.
struct Disk(tempfile::TempDir);

impl Disk {
    /// `None` where this process may not mount anything.
    fn new() -> Option<Self> {
        let disk = Disk(tempfile::tempdir().unwrap());
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=1m", "none"]).arg(disk.0.path());
        if mount.output().is_ok_and(|output| output.status.success()) {
            return Some(disk);
        }
        println!("skipped: a file system can be mounted by root alone");
        None
    }

    fn start(&self, when_full: WhenFull) -> Run {
        self.start_with(when_full, Some(ByteSize(64 << 10)))
    }

    fn start_with(&self, when_full: WhenFull, segment_size: Option<ByteSize>) -> Run {
        let options = DiskBufferOptions {
            max_size: ByteSize(1 << 30),
            segment_size,
            max_unacked: ByteSize(1),
            when_full,
            ..options(&self.0.path().join("buffer"))
        };
        Run::new(buffer(options), Sheet::default())
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0.path()).status();
    }
}

/// Twice what the disk holds.
const MANY: usize = 2000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_is_waited_for() {
    wait_for_full_disk(Some(ByteSize(64 << 10))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_is_smaller_than_a_segment_is_waited_for() {
    wait_for_full_disk(None).await;
}

async fn wait_for_full_disk(segment_size: Option<ByteSize>) {
    let Some(disk) = Disk::new() else { return };
    let mut run = disk.start_with(WhenFull::Wait, segment_size);
    let input = run.input.clone();
    let (counted, mut count) = tokio::sync::watch::channel(0);
    let feeding = tokio::spawn(async move {
        let mut deliveries = Vec::new();
        for i in 0..MANY {
            deliveries.push(input.emit_tracked(batch(&long(i))).await.unwrap());
            counted.send_replace(i);
        }
        deliveries
    });
    // More is given than there is room for, besides what waits in between.
    timeout(PATIENCE, count.wait_for(|n| *n > 900)).await.unwrap().unwrap();
    let errors = || run.counters.snapshot().errors;
    timeout(PATIENCE, async {
        while errors() == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await
    .expect("the disk is full");
    for i in 0..MANY {
        assert_eq!(run.take().await, long(i));
    }
    for delivery in feeding.await.unwrap() {
        assert_eq!(delivery.await, Outcome::Delivered);
    }
    let (_, sheet) = run.finish().await;
    assert_eq!((sheet.delivered.records as usize, sheet.all_dropped()), (MANY, Count::default()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_a_full_disk_what_is_dropped_is_counted() {
    let segment = Some(ByteSize(64 << 10));
    // The default is larger than the disk: all that is held goes at once.
    for (when_full, segment, least) in [
        (WhenFull::DropNewest, segment, 500),
        (WhenFull::DropNewest, None, 500),
        (WhenFull::DropOldest, segment, 500),
        (WhenFull::DropOldest, None, 0),
    ] {
        let Some(disk) = Disk::new() else { return };
        let run = disk.start_with(when_full, segment);
        for i in 0..MANY {
            run.give(&long(i)).await;
        }
        let (lines, sheet) = run.finish().await;
        let reason = ("2 out.DiskBuffer".into(), "the disk is full".into());
        assert_eq!(sheet.dropped[&reason].records as usize, MANY - lines.len());
        assert!(lines.len() > least, "{}", lines.len());
        let kept = match when_full {
            WhenFull::DropNewest => long(lines.len() - 1),
            _ => long(MANY - 1),
        };
        assert_eq!(lines.last(), Some(&kept));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stopped_on_a_full_disk_nothing_that_is_stored_or_has_arrived_comes_twice() {
    let Some(disk) = Disk::new() else { return };
    let mut run = disk.start(WhenFull::Wait);
    let input = run.input.clone();
    let feeding = tokio::spawn(async move {
        let mut deliveries = Vec::new();
        for i in 0..MANY {
            match input.emit_tracked(batch(&long(i))).await {
                Ok(delivery) => deliveries.push(delivery),
                Err(_) => break,
            }
        }
        deliveries
    });
    timeout(PATIENCE, async {
        while run.counters.snapshot().errors == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await
    .expect("the disk is full");
    let (line, chunk) = run.next().await;
    assert_eq!(line, long(0));
    let Run { input, output, ledger, trigger, ended, .. } = run;
    trigger.trigger();
    feeding.abort();
    drop(input);
    // It arrives after the stop was begun.
    tokio::time::sleep(Duration::from_millis(50)).await;
    chunk.settle(Outcome::Delivered);
    let ended = timeout(PATIENCE, ended).await.expect("it stops in time").unwrap();
    assert!(ended.is_ok(), "what could not be stored is read again: {ended:?}");
    drop(output);
    let sheet = ledger.sheet();
    sheet.check().unwrap();

    let run = {
        let path = disk.0.path().join("buffer");
        Run::new(buffer(DiskBufferOptions { max_size: ByteSize(1 << 30), ..options(&path) }), sheet)
    };
    let held = run.ledger.sheet().all_buffered().records as usize;
    let (lines, sheet) = run.finish().await;
    assert_eq!(lines, (1..=held).map(long).collect::<Vec<_>>());
    assert_eq!(sheet.delivered.records as usize, held + 1);
}

/// Leaves room for nothing, until it is dropped.
struct Filler(PathBuf);

impl Filler {
    fn new(disk: &Disk) -> Self {
        let path = disk.0.path().join("filler");
        let error = fs::write(&path, vec![0; 2 << 20]).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::StorageFull);
        Filler(path)
    }
}

impl Drop for Filler {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// Makes a file as some file systems have it: what is written over takes room too.
fn make_sparse(path: &Path) {
    let bytes = fs::read(path).unwrap();
    let count = |slot: &&[u8]| u64::from_le_bytes(slot[20..28].try_into().unwrap());
    let newest = bytes.chunks(4096).max_by_key(count).unwrap();
    fs::write(path, newest).unwrap();
    fs::OpenOptions::new().write(true).open(path).unwrap().set_len(bytes.len() as u64).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_would_come_twice_is_bounded_where_the_position_cannot_be_written() {
    is_bounded_without_position(make_sparse).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_position_it_starts_and_delivers_on_a_full_disk_too() {
    is_bounded_without_position(|path| fs::remove_file(path).unwrap()).await;
    is_bounded_without_position(|path| fs::write(path, "").unwrap()).await;
}

async fn is_bounded_without_position(spoil: impl Fn(&Path)) {
    let Some(disk) = Disk::new() else { return };
    let folder = disk.0.path().join("buffer");
    let options = || DiskBufferOptions { max_unacked: ByteSize(5000), ..options(&folder) };
    let run = Run::new(buffer(options()), Sheet::default());
    for i in 0..100 {
        assert_eq!(run.give(&long(i)).await, Outcome::Delivered);
    }
    let sheet = run.stop().await;
    spoil(&folder.join("position"));
    let filler = Filler::new(&disk);

    let mut run = Run::new(buffer(options()), sheet);
    let mut lines = vec![run.take().await];
    // It has tried to write it twice since.
    timeout(PATIENCE, async {
        while run.counters.snapshot().errors < 3 {
            tokio::time::sleep(Duration::from_millis(5)).await;
            while let Ok(chunk) = run.output.try_recv() {
                lines.push(
                    String::from_utf8(chunk.iter().next().unwrap().line().unwrap().to_vec())
                        .unwrap(),
                );
                chunk.settle(Outcome::Delivered);
            }
        }
    })
    .await
    .expect("it tries again");
    assert!((2..10).contains(&lines.len()), "{} have come", lines.len());
    drop(filler);
    let (rest, sheet) = run.finish().await;
    lines.extend(rest);
    assert_eq!(lines, (0..100).map(long).collect::<Vec<_>>());
    assert_eq!(sheet.delivered.records, 100);
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_that_vanishes_is_noticed_and_what_was_in_it_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("buffer");
    let run = start(&path);
    for line in names(0..3) {
        assert_eq!(run.give(&line).await, Outcome::Delivered);
    }
    fs::remove_dir_all(&path).unwrap();
    assert_eq!(run.give("line 3").await, Outcome::Errored, "it can be read again");
    let Run { input, output, ledger, ended, .. } = run;
    let error = timeout(PATIENCE, ended).await.unwrap().unwrap().unwrap_err();
    assert!(format!("{error:#}").contains("somebody else has changed"), "{error:#}");
    drop((input, output));

    let (lines, sheet) = {
        let run = Run::new(buffer(options(&path)), ledger.sheet());
        run.give("line 3").await;
        run.finish().await
    };
    assert_eq!(lines, ["line 3"]);
    let reason = ("2 out.DiskBuffer".into(), "the folder was removed".into());
    assert_eq!(sheet.dropped[&reason].records, 3);
}
