mod after_kill;
mod direct;
mod disk;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use swak_sdk::ledger::{Count, Ledger, Sheet};
use swak_sdk::plugin::{Checkpoints, Counters, ShutdownTrigger};
use swak_sdk::prelude::*;
use swak_test::{Bench, InMemory};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::*;

/// Far longer than anything takes on a slow, busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A buffer between an input and an output that the test plays.
struct Run {
    input: Emitter,
    output: mpsc::Receiver<Chunk>,
    ledger: Arc<Ledger>,
    counters: Arc<Counters>,
    trigger: ShutdownTrigger,
    ended: JoinHandle<Result<()>>,
}

impl Run {
    fn new(buffer: DiskBuffer, sheet: Sheet) -> Run {
        Run::within(u64::MAX, buffer, sheet)
    }

    /// With this limit of what may be on its way to the buffer.
    fn within(limit: u64, buffer: DiskBuffer, sheet: Sheet) -> Run {
        let ledger = Arc::new(Ledger::new(sheet, limit, &"1 in.Test".into()));
        let checkpoints = Checkpoints::new(Box::new(InMemory::default()));
        let counters = Arc::new(Counters::at("2 out.DiskBuffer".into()));
        let (sender, receiver) = mpsc::channel(4);
        let input = Emitter::new(
            sender,
            "test".into(),
            checkpoints.clone(),
            Arc::default(),
            Arc::clone(&ledger),
        );
        let inbox = Inbox::new(receiver, Arc::clone(&counters));
        let (sender, output) = mpsc::channel(1);
        let out =
            BufferEmitter::new(sender, checkpoints, Arc::clone(&counters), Arc::clone(&ledger));
        let (trigger, shutdown) = Shutdown::new();
        let ended = tokio::spawn(buffer.run(inbox, out, shutdown));
        Run { input, output, ledger, counters, trigger, ended }
    }

    /// Gives a line, and waits until it is stored or dropped.
    async fn give(&self, line: &str) -> Outcome {
        let delivery = self.input.emit_tracked(batch(line)).await.unwrap();
        timeout(PATIENCE, delivery).await.expect("it is settled in time")
    }

    /// The next line that comes out, not settled.
    async fn next(&mut self) -> (String, Chunk) {
        let chunk = timeout(PATIENCE, self.output.recv()).await.expect("it comes in time");
        let chunk = chunk.expect("the buffer runs");
        let line = chunk.iter().next().unwrap().line().unwrap().to_vec();
        (String::from_utf8(line).unwrap(), chunk)
    }

    /// The next line that comes out, which is delivered.
    async fn take(&mut self) -> String {
        let (line, chunk) = self.next().await;
        chunk.settle(Outcome::Delivered);
        line
    }

    /// Ends the input, delivers what is left, and gives it with the books.
    async fn finish(mut self) -> (Vec<String>, Sheet) {
        drop(self.input);
        let mut lines = Vec::new();
        while let Some(chunk) =
            timeout(PATIENCE, self.output.recv()).await.expect("it ends in time")
        {
            for record in chunk.iter() {
                lines.push(String::from_utf8(record.line().unwrap().to_vec()).unwrap());
            }
            chunk.settle(Outcome::Delivered);
        }
        self.ended.await.unwrap().unwrap();
        let sheet = self.ledger.sheet();
        sheet.check().unwrap();
        (lines, sheet)
    }

    /// Stops in order; what is under way has failed.
    async fn stop(self) -> Sheet {
        self.trigger.trigger();
        drop((self.input, self.output));
        let ended = timeout(PATIENCE, self.ended).await.expect("it stops in time").unwrap();
        // What it wanted to hand on when the output was gone, it could not.
        assert!(ended.is_ok() || ended.unwrap_err().is::<Stopped>());
        let sheet = self.ledger.sheet();
        sheet.check().unwrap();
        sheet
    }
}

fn batch(line: &str) -> Batch {
    Batch::new(vec![Record::from_line(line, Timestamp::from_nanos(7))]).with_source("here".into())
}

fn options(folder: &Path) -> DiskBufferOptions {
    DiskBufferOptions {
        path: Some(folder.to_owned()),
        max_size: ByteSize(1 << 20),
        when_full: WhenFull::Wait,
        sync: SyncPolicy::Always,
        segment_size: None,
        max_unacked: ByteSize(1 << 20),
    }
}

fn buffer(options: DiskBufferOptions) -> DiskBuffer {
    DiskBuffer::new(options, &BuildContext::for_check()).unwrap()
}

fn start(folder: &Path) -> Run {
    Run::new(buffer(options(folder)), Sheet::default())
}

fn segments(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|e| e == "seg"));
    paths.sort();
    paths
}

fn names(n: std::ops::Range<usize>) -> Vec<String> {
    n.map(|i| format!("line {i}")).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_goes_in_comes_out_in_order_and_is_accounted_for() {
    for sync in [SyncPolicy::Always, SyncPolicy::Every(Duration::from_millis(1)), SyncPolicy::Never]
    {
        let folder = tempfile::tempdir().unwrap();
        let run = Run::new(
            buffer(DiskBufferOptions { sync, ..options(folder.path()) }),
            Sheet::default(),
        );
        let feeding = async {
            for line in names(0..300) {
                run.input.emit(batch(&line)).await.unwrap();
            }
        };
        // Nobody takes anything out yet: the buffer does not need that.
        timeout(PATIENCE, feeding).await.expect("it takes all in");
        let (lines, sheet) = run.finish().await;
        assert_eq!(lines, names(0..300));
        let all = names(0..300).iter().map(|line| line.len() as u64).sum();
        assert_eq!(sheet.delivered, Count { records: 300, bytes: all });
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tag_source_and_time_come_back_from_disk() {
    let folder = tempfile::tempdir().unwrap();
    let run = start(folder.path());
    assert_eq!(run.give("a").await, Outcome::Delivered);
    run.stop().await;
    let mut run = start(folder.path());
    let (_, chunk) = run.next().await;
    let batch = &chunk.batches()[0];
    assert_eq!((&*batch.tag, &*batch.source, batch.get(0).time().as_nanos()), ("test", "here", 7));
    chunk.settle(Outcome::Delivered);
    run.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_stored_survives_a_stop_and_a_task_that_is_cut_off() {
    let folder = tempfile::tempdir().unwrap();
    let mut run = start(folder.path());
    for line in names(0..10) {
        assert_eq!(run.give(&line).await, Outcome::Delivered, "it is stored");
    }
    assert_eq!([run.take().await, run.take().await], ["line 0", "line 1"]);
    let sheet = run.stop().await;
    assert_eq!(sheet.all_buffered().records, 8);

    let mut run = Run::new(buffer(options(folder.path())), sheet);
    assert_eq!(run.take().await, "line 2");
    let (line, chunk) = run.next().await;
    assert_eq!(line, "line 3");
    run.ended.abort();
    drop((chunk, run.output, run.input));
    let sheet = run.ledger.sheet();
    sheet.check().unwrap();

    // The thread of the run before may still be there for a moment.
    let run = Run::new(buffer(options(folder.path())), sheet);
    let (lines, sheet) = run.finish().await;
    assert_eq!(lines, names(3..10));
    assert_eq!((sheet.delivered.records, sheet.all_buffered().records), (10, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_more_is_on_its_way_than_may_be() {
    let folder = tempfile::tempdir().unwrap();
    let options = DiskBufferOptions { max_unacked: ByteSize(1), ..options(folder.path()) };
    let mut run = Run::new(buffer(options), Sheet::default());
    run.give("a").await;
    run.give("b").await;
    let (first, chunk) = run.next().await;
    // Another one is taken in while one is on its way, so the thread has had its turn.
    run.give("c").await;
    assert_eq!((first.as_str(), run.output.try_recv().is_err()), ("a", true));
    chunk.settle(Outcome::Delivered);
    assert_eq!(run.take().await, "b");
    assert_eq!(run.finish().await.0, ["c"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_input_that_waits_is_not_kept_waiting() {
    let folder = tempfile::tempdir().unwrap();
    let sync = SyncPolicy::Every(Duration::from_secs(3600));
    let buffer = buffer(DiskBufferOptions { sync, ..options(folder.path()) });
    let run = Run::within(1, buffer, Sheet::default());
    let feeding = async {
        for line in names(0..20) {
            run.input.emit(batch(&line)).await.unwrap();
        }
    };
    timeout(PATIENCE, feeding).await.expect("each one waits for the one before to be stored");
    assert_eq!(run.finish().await.0, names(0..20));
}

/// Large enough for some of these lines, in several files.
fn small(folder: &Path, when_full: WhenFull) -> DiskBuffer {
    let max_size = ByteSize(32 << 10);
    buffer(DiskBufferOptions { max_size, when_full, ..options(folder) })
}

fn long(i: usize) -> String {
    format!("{i:02} {}", "x".repeat(1000))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_buffer_waits() {
    let folder = tempfile::tempdir().unwrap();
    let run = Run::new(small(folder.path(), WhenFull::Wait), Sheet::default());
    let input = run.input.clone();
    let feeding = tokio::spawn(async move {
        for i in 0..200 {
            input.emit(batch(&long(i))).await.unwrap();
        }
    });
    let (lines, sheet) = run.finish().await;
    feeding.await.unwrap();
    assert_eq!(lines, (0..200).map(long).collect::<Vec<_>>());
    assert_eq!(sheet.delivered.records, 200);
    let size: u64 = segments(folder.path()).iter().map(|p| fs::metadata(p).unwrap().len()).sum();
    assert!(size <= 32 << 10, "{size}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_buffer_drops_the_newest() {
    let folder = tempfile::tempdir().unwrap();
    let run = Run::new(small(folder.path(), WhenFull::DropNewest), Sheet::default());
    let mut outcomes = Vec::new();
    for i in 0..60 {
        outcomes.push(run.give(&long(i)).await);
    }
    let kept = outcomes.iter().filter(|o| **o == Outcome::Delivered).count();
    assert!((20..32).contains(&kept), "{kept}");
    assert!(outcomes[..kept].iter().all(|o| *o == Outcome::Delivered));
    let (lines, sheet) = run.finish().await;
    assert_eq!(lines, (0..kept).map(long).collect::<Vec<_>>());
    let reason = ("2 out.DiskBuffer".into(), "the buffer is full".into());
    assert_eq!(sheet.dropped[&reason].records as usize, 60 - kept);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_buffer_drops_the_oldest() {
    let folder = tempfile::tempdir().unwrap();
    let run = Run::new(small(folder.path(), WhenFull::DropOldest), Sheet::default());
    for i in 0..100 {
        assert_eq!(run.give(&long(i)).await, Outcome::Delivered);
    }
    let sheet = run.ledger.sheet();
    sheet.check().unwrap();
    let (lines, sheet) = run.finish().await;
    // What was on its way when its file was dropped has arrived all the same.
    let newest: Vec<_> = (80..100).map(long).collect();
    assert!(lines.ends_with(&newest), "{}", lines.len());
    let dropped = 100 - lines.len() as u64;
    let reason = ("2 out.DiskBuffer".into(), "the buffer is full".into());
    assert_eq!(sheet.dropped.get(&reason).map_or(0, |count| count.records), dropped);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_on_its_way_at_a_stop_is_kept_beyond_the_limit() {
    let folder = tempfile::tempdir().unwrap();
    let run = Run::new(small(folder.path(), WhenFull::Wait), Sheet::default());
    let mut deliveries = Vec::new();
    for i in 0..60 {
        deliveries.push(run.input.emit_tracked(batch(&long(i))).await.unwrap());
    }
    let sheet = run.stop().await;
    for delivery in deliveries {
        assert_eq!(delivery.await, Outcome::Delivered);
    }
    assert_eq!(sheet.all_buffered().records, 60);
    let (lines, _) = Run::new(small(folder.path(), WhenFull::Wait), sheet).finish().await;
    assert_eq!(lines, (0..60).map(long).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn damaged_frames_are_counted_and_the_others_come() {
    let folder = tempfile::tempdir().unwrap();
    let run = start(folder.path());
    for line in names(0..5) {
        run.give(&line).await;
    }
    let sheet = run.stop().await;
    let path = &segments(folder.path())[0];
    let mut bytes = fs::read(path).unwrap();
    let at = bytes.windows(6).position(|part| part == b"line 2").unwrap();
    bytes[at] ^= 1;
    fs::write(path, bytes).unwrap();
    let (lines, sheet) = Run::new(buffer(options(folder.path())), sheet).finish().await;
    assert_eq!(lines, ["line 0", "line 1", "line 3", "line 4"]);
    let reason = ("2 out.DiskBuffer".into(), "damaged on disk".into());
    assert_eq!(sheet.dropped[&reason], Count { records: 1, bytes: 6 });
    assert_eq!(sheet.delivered.records, 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_can_never_be_kept_is_dropped_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    let run = Run::new(small(folder.path(), WhenFull::Wait), Sheet::default());
    let deep = (0..300).fold(Value::Null, |inner, _| vec![inner].into());
    let fields = [("deep", deep)].into_iter().collect();
    let deep = Batch::new(vec![Record::from_fields(fields, Timestamp::default())]);
    assert_eq!(run.input.emit_tracked(deep).await.unwrap().await, Outcome::Rejected);
    assert_eq!(run.give(&"x".repeat(40_000)).await, Outcome::Rejected);
    // A chunk that is too large as a whole is cut.
    let line = |i| Record::from_line(&*long(i), Timestamp::default());
    run.input.emit(Batch::new((0..60).map(line).collect())).await.unwrap();
    let (lines, sheet) = run.finish().await;
    assert_eq!(lines, (0..60).map(long).collect::<Vec<_>>());
    let dropped = |reason: &str| sheet.dropped[&("2 out.DiskBuffer".into(), reason.into())].records;
    assert_eq!((dropped("nested too deeply"), dropped("larger than the buffer")), (1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_that_cannot_be_used_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let run = start(&file);
    let error = timeout(PATIENCE, run.ended).await.unwrap().unwrap().unwrap_err();
    assert!(error.to_string().contains("is not a folder"), "{error:#}");
}

#[test]
fn options_that_cannot_be_are_said() {
    let bench = Bench::new(crate::register);
    for (options, words) in [
        (r#"max_size="1k""#, "`max_size` is less than 32k"),
        (r#"segment_size="1k""#, "`segment_size` is less than 4k"),
        (r#"max_size="1m", segment_size="1m""#, "`segment_size` is more than half of `max_size`"),
        (r#"sync="sometimes""#, "expected a duration, found `sometimes`"),
        (r#"sync="sometimes""#, r#"write "always", "never" or a duration"#),
        ("sync=5", "expected a string, found `5`"),
        (r#"when_full="explode""#, "unknown word `explode`"),
    ] {
        let mistakes = bench.mistakes(&format!("out.DiskBuffer({options})"));
        assert!(mistakes.contains(words), "{mistakes}");
    }
    for good in [r#"sync="Always""#, r#"sync="never""#, r#"sync="5s""#, r#"sync="0s""#] {
        assert_eq!(bench.mistakes(&format!("out.DiskBuffer({good})")), "");
    }
}

#[test]
fn a_file_goes_through_it_while_the_output_is_dead_and_the_agent_is_started_again() {
    let folder = tempfile::tempdir().unwrap();
    let (log, file) = (folder.path().join("in.log"), folder.path().join("out.log"));
    let lines: String = (0..500).map(|i| format!("line {i}\n")).collect();
    fs::write(&log, &lines).unwrap();
    let mut bench = Bench::new(crate::register);
    bench.settings_mut().shutdown_limit = Duration::from_millis(300);
    let recipe = |output: &Path| {
        format!(
            "task(in.FileTailing({:?}, follow=False), out.DiskBuffer(sync=\"always\"), out.File({:?}))",
            log.display().to_string(),
            output.display().to_string(),
        )
    };
    // A folder that is a file: nothing can be written there.
    bench.start(&recipe(&log.join("no"))).stop();
    let ran = bench.start(&recipe(&file)).wait();
    assert_eq!(format!("{:?}", ran.ended()), "Finished");
    assert_eq!(fs::read_to_string(&file).unwrap(), lines);
}
