use std::fs::OpenOptions;
use std::io::Write;

use proptest::prelude::*;
use swak_sdk::data::json;
use swak_test::lines;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::*;
use crate::outputs::file::{FileOptions, FileOutput};

/// An output whose file lies in a folder of its own, and what it hands back.
struct Bench {
    runtime: Runtime,
    folder: TempDir,
    format: &'static str,
    counters: Arc<Counters>,
}

impl Bench {
    fn new(format: &'static str) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let folder = tempfile::tempdir().unwrap();
        Bench { runtime, folder, format, counters: Arc::default() }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("last.txt")
    }

    fn output(&self) -> FileOutput {
        let text = |text: &str| Literal::bare(LiteralValue::Str(text.to_owned()));
        let key = Key { name: "format".into(), span: Span::default() };
        let path = self.path();
        let args = Args {
            positional: vec![text(path.to_str().unwrap())],
            named: vec![(key, text(self.format))],
            ..Args::default()
        };
        let cx = BuildContext::new("task", "2", "", false, self.counters.clone());
        let mut output = FileOutput::new(FileOptions::read(&args).unwrap(), &cx).unwrap();
        output.expect_take_back();
        output
    }

    /// An agent was killed in the middle of a write.
    fn tear(&self, text: &str) {
        let mut file = OpenOptions::new().create(true).append(true).open(self.path()).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    fn write(&self, output: &mut FileOutput, batch: Batch) {
        self.runtime.block_on(output.write(&batch.into())).unwrap();
    }

    /// With pieces of a few bytes.
    fn take_back(&self, output: &mut FileOutput) -> Option<FileBacklog> {
        let piece = 20;
        self.runtime.block_on(output.backlog(piece)).unwrap()
    }

    fn next(&self, backlog: &mut FileBacklog) -> Option<Vec<String>> {
        let chunk = self.runtime.block_on(backlog.next()).unwrap()?;
        let text = |r: RecordRef<'_>| {
            let mut out = Vec::new();
            r.write_raw(&mut out);
            String::from_utf8_lossy(&out).into_owned()
        };
        Some(chunk.iter().map(text).collect())
    }

    /// All that is handed back, confirmed.
    fn drain(&self, output: &mut FileOutput) -> Vec<String> {
        let mut all = Vec::new();
        while let Some(mut backlog) = self.take_back(output) {
            while let Some(texts) = self.next(&mut backlog) {
                all.extend(texts);
                self.runtime.block_on(backlog.delivered()).unwrap();
            }
        }
        all
    }

    fn names(&self) -> Vec<String> {
        let name = |e: io::Result<fs::DirEntry>| e.unwrap().file_name().into_string().unwrap();
        let mut names: Vec<_> = fs::read_dir(self.folder.path()).unwrap().map(name).collect();
        // As long as the output is there.
        names.retain(|name| name != "last.txt.drain.lock");
        names.sort();
        names
    }
}

#[test]
fn what_was_written_comes_back_and_the_file_goes() {
    for format in ["raw", "json", "record"] {
        let bench = Bench::new(format);
        let mut output = bench.output();
        let whole = output.hands_back().unwrap() == HandsBack::Whole;
        assert_eq!(whole, format == "record");
        assert!(bench.take_back(&mut output).is_none());
        bench.write(&mut output, lines(["one", "two", "three and more", "four"]).remove(0));
        let mut backlog = bench.take_back(&mut output).unwrap();
        let first = bench.next(&mut backlog).unwrap();
        assert_eq!(bench.next(&mut backlog).unwrap(), first, "until it is delivered");
        // What is written meanwhile goes elsewhere.
        bench.write(&mut output, lines(["five"]).remove(0));
        assert_eq!(bench.names(), ["last.txt", "last.txt.drain"]);
        drop(backlog);
        let all = bench.drain(&mut output);
        assert_eq!(all, ["one", "two", "three and more", "four", "five"], "{format}");
        assert_eq!(bench.names(), [""; 0], "{format}");
        assert_eq!(bench.counters.snapshot().errors, 0);
    }
}

#[test]
fn the_form_record_keeps_everything() {
    let bench = Bench::new("record");
    let mut output = bench.output();
    let mut cut = Record::from_line(&b"\xff"[..], Timestamp::from_nanos(5));
    cut.set_truncated(true);
    let fields: Map = [("a", 1)].into_iter().collect();
    let records = vec![cut, Record::from_fields(fields, Timestamp::from_nanos(7))];
    let batch = |n: &str| Batch::new(records.clone()).with_tag(n.into()).with_source("s".into());
    bench.write(&mut output, batch("x"));
    bench.write(&mut output, batch("y"));
    let mut backlog = bench.runtime.block_on(output.backlog(PIECE)).unwrap().unwrap();
    let chunk = bench.runtime.block_on(backlog.next()).unwrap().unwrap();
    let got: Vec<_> = chunk
        .into_iter()
        .map(|mut b| (b.tag.clone(), b.source.clone(), std::mem::take(b.records_mut())))
        .collect();
    assert_eq!(got, [("x".into(), "s".into(), records.clone()), ("y".into(), "s".into(), records)]);
}

#[test]
fn lines_that_cannot_be_read_are_kept_and_counted() {
    let bench = Bench::new("json");
    let mut output = bench.output();
    fs::write(bench.path(), "tor\n").unwrap();
    bench.write(&mut output, lines(["one"]).remove(0));
    drop(output);
    bench.tear("[1]\n{\"message\":\"two\"}\n{\"message\":\"kill");
    assert_eq!(bench.drain(&mut bench.output()), ["one", "two"]);
    assert_eq!(bench.names(), ["last.txt.unread"]);
    let unread = fs::read_to_string(bench.folder.path().join("last.txt.unread")).unwrap();
    assert_eq!(unread, "tor\n[1]\n{\"message\":\"kill\n");
    assert_eq!(bench.counters.snapshot().errors, 3);
}

#[test]
fn a_line_that_was_written_in_part_is_never_handed_back() {
    for format in ["raw", "json", "record"] {
        for write_again in [false, true] {
            let bench = Bench::new(format);
            bench.write(&mut bench.output(), lines(["one"]).remove(0));
            bench.tear("a line that was never ack");
            let mut output = bench.output();
            let mut expected = vec!["one"];
            if write_again {
                // Ended by what comes after it, it would look like a whole one.
                bench.write(&mut output, lines(["two"]).remove(0));
                expected.push("two");
            }
            assert_eq!(bench.drain(&mut output), expected, "{format}");
            assert_eq!(bench.names(), ["last.txt.unread"]);
            let unread = fs::read_to_string(bench.folder.path().join("last.txt.unread")).unwrap();
            assert_eq!(unread, "a line that was never ack\n");
            assert_eq!(bench.counters.snapshot().errors, 1);
        }
    }
}

#[test]
fn what_cannot_be_read_is_kept_once_whenever_the_agent_is_killed() {
    let bench = Bench::new("json");
    fs::write(bench.path(), "tor\n{\"a\":1}\n").unwrap();
    let mut backlog = bench.take_back(&mut bench.output()).unwrap();
    bench.next(&mut backlog).unwrap();
    let aside = fs::read(bench.folder.path().join("last.txt.drain")).unwrap();
    bench.runtime.block_on(backlog.delivered()).unwrap();
    drop(backlog);
    // As if killed before the piece was written down as delivered.
    fs::write(bench.folder.path().join("last.txt.drain"), aside).unwrap();
    fs::write(bench.folder.path().join("last.txt.drain.at"), r#"{"delivered":0,"unread":0}"#)
        .unwrap();
    assert_eq!(bench.drain(&mut bench.output()), [r#"{"a":1}"#]);
    let unread = fs::read_to_string(bench.folder.path().join("last.txt.unread")).unwrap();
    assert_eq!(unread, "tor\n");
}

#[test]
fn what_somebody_adds_while_it_is_drained_comes_too() {
    let bench = Bench::new("raw");
    let mut output = bench.output();
    bench.write(&mut output, lines(["one"]).remove(0));
    let mut open = OpenOptions::new().append(true).open(bench.path()).unwrap();
    let mut backlog = bench.take_back(&mut output).unwrap();
    assert_eq!(bench.next(&mut backlog).unwrap(), ["one"]);
    open.write_all(b"from elsewhere\n").unwrap();
    bench.runtime.block_on(backlog.delivered()).unwrap();
    assert_eq!(bench.next(&mut backlog).unwrap(), ["from elsewhere"]);
}

#[test]
fn a_drained_file_has_one_output_alone() {
    let bench = Bench::new("raw");
    let mut first = bench.output();
    bench.write(&mut first, lines(["one"]).remove(0));
    let plain = bench.path().display().to_string();
    let mut others = [bench.output(), crate::outputs::file::tests::output(&plain)];
    for other in &mut others {
        let error =
            bench.runtime.block_on(other.write(&lines(["x"]).remove(0).into())).unwrap_err();
        assert!(matches!(error, WriteError::Retry(_)), "{error}");
        let told = error.to_string();
        assert!(told.contains(&format!("cannot write to {plain}: ")), "{told}");
        assert!(told.contains("(drain_back=True); give each output a file of its own"), "{told}");
    }
    assert!(bench.runtime.block_on(others[0].backlog(PIECE)).is_err());
    assert_eq!(fs::read_to_string(bench.path()).unwrap(), "one\n");
    // The one that reads holds it as well.
    let backlog = bench.take_back(&mut first).unwrap();
    drop(first);
    assert!(bench.runtime.block_on(others[0].backlog(PIECE)).is_err());
    drop(backlog);
    assert_eq!(bench.drain(&mut others[0]), ["one"]);
    assert_eq!(bench.names(), [""; 0]);
}

#[test]
#[cfg(unix)]
fn one_that_had_the_file_open_is_waited_for_and_then_kept_out() {
    let bench = Bench::new("raw");
    let mut plain = crate::outputs::file::tests::output(&bench.path().display().to_string());
    bench.write(&mut plain, lines(["one"]).remove(0));
    let mut output = bench.output();
    // It is in the middle of a write.
    let writes = OpenOptions::new().append(true).open(bench.path()).unwrap();
    assert_eq!(turns::hold(&writes, PATIENCE), Hold::Had);
    let told = bench.runtime.block_on(output.backlog(PIECE)).err().unwrap().to_string();
    assert!(told.contains("last.txt.drain: another process has locked it"), "{told}");
    (&writes).write_all(b"two\n").unwrap();
    drop(writes);
    let mut backlog = bench.take_back(&mut output).unwrap();
    // Neither to what is set aside, nor to a new file.
    let error = bench.runtime.block_on(plain.write(&lines(["x"]).remove(0).into())).unwrap_err();
    assert!(matches!(error, WriteError::Retry(_)), "{error}");
    assert_eq!(bench.next(&mut backlog).unwrap(), ["one", "two"]);
    drop(backlog);
    assert_eq!(bench.drain(&mut output), ["one", "two"]);
    drop(output);
    bench.write(&mut plain, lines(["three"]).remove(0));
    assert_eq!(fs::read_to_string(bench.path()).unwrap(), "three\n");
}

#[test]
#[cfg(target_os = "linux")]
fn the_last_of_a_failover_knows_whether_it_is_drained() {
    for (drain_back, kept) in [("True", "one\n"), ("False", "tor\none\n")] {
        let bench = Bench::new("raw");
        bench.tear("tor");
        let path = bench.path();
        let last = format!("last=out.File({:?}), drain_back={drain_back}", path.display());
        let call = format!("failover(out.File(\"/dev/full\"), {last})");
        swak_test::Bench::new(crate::register).chain(&call, lines(["one"]));
        // The first output may have been tried again, and the file been set aside for it.
        let aside = bench.folder.path().join("last.txt.drain");
        let text = fs::read_to_string(&path).or_else(|_| fs::read_to_string(aside)).unwrap();
        assert_eq!(text, kept);
        assert!(!bench.names().contains(&"last.txt.drain.lock".to_owned()));
    }
}

#[test]
#[cfg(unix)]
fn a_link_is_left_and_the_file_that_it_leads_to_is_drained() {
    let bench = Bench::new("raw");
    let target = bench.folder.path().join("target");
    std::os::unix::fs::symlink("target", bench.path()).unwrap();
    let mut output = bench.output();
    for text in ["one", "two"] {
        bench.write(&mut output, lines([text]).remove(0));
        assert_eq!(fs::read_to_string(&target).unwrap(), format!("{text}\n"));
        assert_eq!(bench.drain(&mut output), [text]);
        assert!(!target.exists());
    }
    // By whatever name, it is one file.
    bench.write(&mut output, lines(["three"]).remove(0));
    let mut other = crate::outputs::file::tests::output(&target.display().to_string());
    bench.runtime.block_on(other.write(&lines(["x"]).remove(0).into())).unwrap_err();
}

#[test]
fn what_could_not_be_read_back_is_rejected() {
    for (format, within) in [("json", json::MAX_DEPTH), ("record", json::MAX_DEPTH - 1)] {
        let bench = Bench::new(format);
        let mut output = bench.output();
        // The fields are a map already.
        let record = |depth| {
            let value = (1..depth).fold(Value::Int(1), |value, _| Value::List(vec![value]));
            Record::from_fields([("a", value)].into_iter().collect(), Timestamp::default())
        };
        let deep = Batch::new(vec![record(1), record(within + 1)]);
        let error = bench.runtime.block_on(output.write(&deep.into())).unwrap_err();
        assert!(matches!(error, WriteError::Reject(_)), "{error}");
        assert!(error.to_string().contains("too many lists and maps in each other"), "{error}");
        assert!(!bench.path().exists());
        bench.write(&mut output, Batch::new(vec![record(within)]));
        assert_eq!(bench.drain(&mut output).len(), 1);
        assert_eq!(bench.names(), [""; 0], "nothing is left that cannot be read");
    }
}

#[test]
fn fields_come_back_as_they_were_written() {
    let bench = Bench::new("json");
    let text = r#"{"message":"x","truncated":true}"#;
    fs::write(bench.path(), format!("{text}\n{{ \"a\" : 1 }}\n")).unwrap();
    let mut backlog = bench.runtime.block_on(bench.output().backlog(PIECE)).unwrap().unwrap();
    let chunk = bench.runtime.block_on(backlog.next()).unwrap().unwrap();
    let records: Vec<_> = chunk.iter().collect();
    assert_eq!((records[0].line(), records[0].is_truncated()), (Some(&b"x"[..]), true));
    assert_eq!(&*chunk.batches()[0].tag, "task");
    assert_eq!(bench.next(&mut backlog).unwrap()[1], r#"{ "a" : 1 }"#);
}

#[test]
fn progress_that_makes_no_sense_costs_doubles_and_no_record() {
    for (progress, expected) in [
        ("", &["one", "two"][..]),
        ("{\"delivered\":4}", &["two"]),
        ("{\"delivered\":3}", &["one", "two"]),
        ("{\"delivered\":8}", &[]),
        ("{\"delivered\":900}", &["one", "two"]),
        ("nonsense", &["one", "two"]),
    ] {
        let bench = Bench::new("raw");
        fs::write(bench.folder.path().join("last.txt.drain"), "one\ntwo\n").unwrap();
        fs::write(bench.folder.path().join("last.txt.drain.at"), progress).unwrap();
        assert_eq!(bench.drain(&mut bench.output()), expected, "{progress}");
        assert_eq!(bench.names(), [""; 0]);
    }
    // Alone it is of a file that is done with.
    let bench = Bench::new("raw");
    fs::write(bench.path(), "one\ntwo\n").unwrap();
    fs::write(bench.folder.path().join("last.txt.drain.at"), "{\"delivered\":4}").unwrap();
    assert_eq!(bench.drain(&mut bench.output()), ["one", "two"]);
}

#[test]
fn a_line_that_is_longer_than_a_piece_comes_whole() {
    let bench = Bench::new("raw");
    let long = "x".repeat(1000);
    fs::write(bench.path(), format!("a\n{long}\nb\n")).unwrap();
    assert_eq!(bench.drain(&mut bench.output()), ["a", &long, "b"]);
}

#[test]
fn what_cannot_be_read_back_is_told_why() {
    for (options, why) in [
        ("\"/tmp/{{ tag }}\"", "its path is a template"),
        ("\"x\", rotate_size=\"1m\"", "`rotate_size`"),
        ("\"x\", rotate_every=\"1d\"", "`rotate_size`"),
        ("\"x\", append=False", "`append=False`"),
        ("\"x\", format=\"msgpack\"", "format=\"record\""),
    ] {
        let recipe = format!("failover(out.Stdout(), last=out.File({options}), drain_back=True)");
        let told = swak_test::Bench::new(crate::register).mistakes(&recipe);
        assert!(told.contains(why), "{options}: {told}");
    }
}

/// What can happen, in any order.
#[derive(Clone, Copy, Debug)]
enum Event {
    Write(usize),
    Next,
    Delivered,
    /// The agent is killed and started again.
    Kill,
    /// Killed within a write.
    Torn,
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..Default::default() })]

    #[test]
    fn nothing_is_lost_and_only_what_was_under_way_is_doubled(
        format in prop_oneof![Just("raw"), Just("record")],
        events in proptest::collection::vec(
            prop_oneof![
                3 => (1usize..8).prop_map(Event::Write),
                4 => Just(Event::Next),
                3 => Just(Event::Delivered),
                1 => Just(Event::Kill),
                1 => Just(Event::Torn),
            ],
            1..60,
        ),
    ) {
        let bench = Bench::new(format);
        let mut output = bench.output();
        let mut backlog: Option<FileBacklog> = None;
        let (mut written, mut delivered) = (Vec::new(), Vec::new());
        let mut under_way: Option<Vec<String>> = None;
        for event in events {
            match event {
                Event::Write(n) => {
                    let new: Vec<String> = (0..n).map(|i| format!("line {}", written.len() + i)).collect();
                    bench.write(&mut output, lines(&new).remove(0));
                    written.extend(new);
                }
                Event::Next => {
                    if backlog.is_none() {
                        backlog = bench.take_back(&mut output);
                    }
                    if let Some(b) = &mut backlog {
                        under_way = bench.next(b);
                        if under_way.is_none() {
                            backlog = None;
                        }
                    }
                }
                Event::Delivered => {
                    if let (Some(b), Some(texts)) = (&mut backlog, under_way.take()) {
                        bench.runtime.block_on(b.delivered()).unwrap();
                        delivered.extend(texts);
                    }
                }
                Event::Kill | Event::Torn => {
                    (backlog, under_way) = (None, None);
                    // The lock goes with the agent.
                    drop(output);
                    if matches!(event, Event::Torn) {
                        bench.tear("{\"time\":\"19");
                    }
                    output = bench.output();
                }
            }
        }
        drop((backlog, output));
        delivered.extend(bench.drain(&mut bench.output()));
        prop_assert_eq!(delivered, written);
    }
}
